/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_RECEIVER_H
#define INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_RECEIVER_H

#include <gnuradio/reservoir/kernel/carrier_offset.h>
#include <gnuradio/reservoir/kernel/channel_estimate.h>
#include <gnuradio/reservoir/kernel/timing_and_length.h>
#include <vector>

namespace gr {
namespace reservoir {

enum class tracking_mode { automatic, off, on };

//! How the configured receiver works; all symbols and points have unit mean power.
struct configured_settings {
    Eigen::VectorXcd points; // may be empty where nothing is decided
    bool feedback = true;
    int channel_len = 0; // 0: timing and length by BIC
    int survivors = 8;
    int refits = 2;
    double prior_weight = 3.0;
    bool receiver_linearization = true;
    double max_frequency_offset = 5e-3; // cycles/symbol
    double phase_noise = 3e-5;          // rad²/symbol
    tracking_mode tracking = tracking_mode::automatic;
    int phases = 1; // samples a symbol: streams are antenna-major, phase by phase
    // poles from statistics: where given, no channel is estimated
    Eigen::VectorXcd causal_poles, anticausal_poles;
    bool fixed_poles() const { return causal_poles.size() + anticausal_poles.size() > 0; }
};

//! Symbols that are known or decided, zero elsewhere.
struct known_symbols {
    Eigen::VectorXcd values; // before the warp
    std::vector<int> rings;  // amplitude ring, −1 where there is no constellation point
    bool on_points = true;   // whether every one is a point

    void set(Eigen::Index n, std::complex<double> value, int ring);
    known_symbols cut(Eigen::Index first, Eigen::Index last) const;
    //! Multiplied by their rings' gains.
    Eigen::VectorXcd warped(const Eigen::VectorXcd& gains) const;
};

//! A readout and the model that it is configured from.
struct configured_readout {
    kernel::channel_window window;
    Eigen::Index past;         // samples before the symbol that fir sees
    Eigen::MatrixXcd fir;      // (past + 1 + future) x streams, on streams delayed by timing
    Eigen::VectorXcd feedback; // weights of the last decisions
    std::complex<double> gain; // of the output
    Eigen::VectorXcd warp;     // gain of each ring
    bool warped;
    Eigen::VectorXcd points;   // after the warp
    Eigen::MatrixXcd taps;     // length x streams
    Eigen::VectorXcd poles;
    double noise_variance;     // of one stream
    double leave_one_out_mse;
    double prior_weight;
    double condition_number;
};

//! A frame, received.
struct configured_frame {
    std::vector<int> decisions;     // payload, indices of points
    Eigen::VectorXcd soft;          // pilots and payload
    double soft_variance = 0.0;
    configured_readout readout;     // of the last pass
    double carrier_offset = 0.0;
    double pilot_residual = 0.0;    // noise variance that the pilots alone show
    double residual = 0.0;          // of the pass that was kept
    std::vector<double> residuals;  // of every pass
    std::vector<double> condition_numbers;
    int kept_pass = 0;
    bool linearised = false;
    bool tracked = false;
    int first_length = 1;
    double memory = 0.0;            // symbols; median of the tracked blocks
    double rows_per_fit = 0.0;      // for the final prediction error

    //! Akaike's final prediction error.
    double prediction_error() const;
};

/*!
 * \brief The complete configured receiver for one frame, as plain functions of its samples.
 *
 * Streams start at the first pilot and have unit power; missing look-ahead counts as zero.
 * Not responsible for scales, sampling phases or state between calls.
 */
class configured_receiver
{
public:
    //! Samples from the symbol on that a readout sees.
    static constexpr Eigen::Index FUTURE = 40;
    //! ... and before it, without feedback.
    static constexpr Eigen::Index PAST = 40;

    explicit configured_receiver(const configured_settings& settings);

    //! Pilots only, at a carrier offset that is taken out already.
    configured_readout fit(const kernel::sample_streams& streams,
                           const std::vector<std::complex<double>>& pilots) const;

    //! Most likely carrier offset by the pilots, cycles a symbol.
    double find_offset(const kernel::sample_streams& streams,
                       const std::vector<std::complex<double>>& pilots) const;
    kernel::sample_streams derotated(const kernel::sample_streams& streams, double frequency) const;

    //! Output of the readout's filter, before feedback, for symbols range.
    Eigen::VectorXcd feedforward(const configured_readout& readout,
                                 const kernel::sample_streams& streams,
                                 kernel::row_range range) const;

    configured_frame receive(const kernel::sample_streams& streams,
                             const std::vector<std::complex<double>>& pilots,
                             Eigen::Index payload_len) const;

    //! Constellation points lie on several amplitudes.
    bool multilevel() const { return d_num_rings > 1; }

private:
    struct features {
        Eigen::MatrixXcd functionals;
        Eigen::Index past;
    };
    struct loop_gains {
        double alpha, beta;
    };
    struct search_result {
        std::vector<int> symbols;
        std::vector<float> phases;
        double theta, nu;
    };

    known_symbols known(const std::vector<std::complex<double>>& pilots, Eigen::Index count) const;
    kernel::channel_window select_window(const kernel::sample_streams& streams,
                                         const known_symbols& symbols,
                                         kernel::row_range range,
                                         const Eigen::VectorXd& weights,
                                         bool first) const;
    features make_features(const Eigen::VectorXcd& poles) const;
    configured_readout configure(const kernel::sample_streams& streams,
                                 const known_symbols& symbols,
                                 kernel::row_range range,
                                 const Eigen::VectorXd& weights,
                                 bool warp,
                                 const std::vector<double>& prior_weights,
                                 bool first) const;
    configured_readout configure_fixed(const kernel::sample_streams& streams,
                                       const known_symbols& symbols,
                                       kernel::row_range range) const;
    bool warps(kernel::row_range range) const;
    loop_gains phase_loop(double leave_one_out_mse, double phase_noise) const;
    search_result search(const configured_readout& readout,
                         const kernel::sample_streams& streams,
                         const known_symbols& symbols,
                         kernel::row_range range,
                         double phase_noise) const;
    void decide(known_symbols& symbols, Eigen::Index first, const std::vector<int>& found) const;
    kernel::carrier_offset carrier_offset(const kernel::sample_streams& streams,
                                          const known_symbols& symbols,
                                          Eigen::Index num_pilots) const;

    configured_frame receive_block(const kernel::sample_streams& raw,
                                   const known_symbols& pilots,
                                   Eigen::Index num_pilots,
                                   Eigen::Index payload_len) const;
    configured_frame receive_static(const kernel::sample_streams& raw,
                                    const known_symbols& pilots,
                                    Eigen::Index num_pilots,
                                    Eigen::Index payload_len) const;
    configured_frame track(const kernel::sample_streams& raw,
                           const known_symbols& pilots,
                           Eigen::Index num_pilots,
                           Eigen::Index payload_len,
                           Eigen::Index block,
                           const std::vector<double>& memories) const;
    configured_frame receive_tracked(const kernel::sample_streams& raw,
                                     const known_symbols& pilots,
                                     Eigen::Index num_pilots,
                                     Eigen::Index payload_len) const;
    void soften(configured_frame& frame,
                const kernel::sample_streams& streams,
                const known_symbols& symbols,
                const configured_readout& readout,
                Eigen::Index num_symbols) const;
    void keep_decisions(configured_frame& frame, Eigen::Index num_pilots) const;

    const configured_settings d_settings;
    std::vector<int> d_rings; // of the points
    int d_num_rings = 1;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_RECEIVER_H */
