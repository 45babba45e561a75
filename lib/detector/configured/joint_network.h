/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_JOINT_NETWORK_H
#define INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_JOINT_NETWORK_H

#include "detector/configured/network.h"
#include <gnuradio/reservoir/kernel/joint_channel.h>
#include <gnuradio/reservoir/kernel/survivor_search.h>

namespace gr {
namespace reservoir {

//! Filters and feedback for several streams, and the channel that they are configured from.
struct joint_readout {
    kernel::channel_window window;
    Eigen::MatrixXcd taps; // row l M + m: lag l of stream m; a column per received stream
    double noise_variance = 0.0; // of one received stream
    std::vector<int> order;      // in which the streams of one instant are decided
    // by places in that order: (1 + FUTURE) x received streams, on streams delayed by timing
    std::vector<Eigen::MatrixXcd> filters;
    Eigen::MatrixXcd
        feedback; // column per place: weights of the decisions before, newest first
    Eigen::VectorXd errors; // mean squared error by places, of symbols of unit power
    Eigen::VectorXcd poles;
};

/*!
 * The streams as one, the symbols of an instant in their order one after the other: what each
 * place is decided with. Outputs have errors of unit variance.
 */
struct joint_weights {
    std::vector<int> order;
    std::vector<std::vector<gr_complex>> feedback, centroids; // by places
    std::vector<float> penalties;                             // of the points
    std::vector<float> deviations; // of the errors, by places, before the scaling
    kernel::survivor_model model;

    size_t streams() const { return order.size(); }
    kernel::survivor_weights at(size_t place) const
    {
        return { feedback[place].data(), centroids[place].data(), penalties.data() };
    }
    //! Points, centroids and penalties, the other members being there.
    void set_points(const std::vector<gr_complex>& points);
    //! The symbol before its decision, from the scaled output with what is fed back.
    gr_complex unbiased(size_t place, gr_complex output) const;
    //! Variance of that around the symbol.
    float unbiased_variance(size_t place) const;
};

//! Noise of several received streams made white and equally strong.
struct noise_whitener {
    Eigen::MatrixXcd matrix; // of received streams, as columns
    double variance;         // of each one after it
};

/*!
 * \param residual sum of conj(e_q) e_q', as kernel::joint_sums::residual has it
 * \param freedom rows less the coefficients that were fitted; with few all streams are taken to have
 *        the same noise, without correlation
 */
noise_whitener make_whitener(const Eigen::MatrixXcd& residual, double freedom);

/*!
 * \brief Configures the network for several streams that are sent together, from the channel that
 * their known symbols show, and decides blocks with it.
 *
 * Received streams are those of all antennas and sampling phases, of unit power.
 */
class joint_network
{
public:
    //! Taps of a filter: the samples from the symbol on.
    static constexpr Eigen::Index FILTER = configured_network::FUTURE + 1;

    joint_network(const configured_settings& settings, Eigen::Index num_streams);

    const configured_settings& settings() const { return d_single.settings(); }
    const configured_network& single() const { return d_single; }
    Eigen::Index streams() const { return d_streams; }

    kernel::channel_window select_window(const sample_streams& received,
                                         const sample_streams& sent,
                                         row_range range) const;
    //! Most likely carrier offset by the symbols known in range.
    kernel::carrier_offset find_offset(const sample_streams& received,
                                       const sample_streams& sent,
                                       row_range range,
                                       kernel::channel_window window) const;
    joint_readout configure(const sample_streams& received,
                            const sample_streams& sent,
                            row_range range,
                            kernel::channel_window window) const;

    //! Power is still to be set.
    joint_weights weights(const joint_readout& readout, double phase_noise) const;
    //! Scaled outputs of the filters for symbols in range, before feedback: a column per place.
    Eigen::MatrixXcf feedforward(const joint_readout& readout,
                                 const sample_streams& received,
                                 row_range range) const;

    struct decisions {
        std::vector<std::vector<int>> symbols; // of each stream
        std::vector<float> phases;             // of the carrier, by instants
    };
    //! Decides the symbols in range, those before it being known.
    decisions search(const joint_readout& readout,
                     const sample_streams& received,
                     const sample_streams& sent,
                     row_range range,
                     double phase_noise) const;

    //! The filters' outputs with the symbols before each fed back, unbiased: a column per stream.
    Eigen::MatrixXcf output(const joint_readout& readout,
                            const sample_streams& received,
                            const sample_streams& sent,
                            row_range range) const;

private:
    //! Filters and feedback for a channel in white noise.
    void configure_filters(joint_readout& readout,
                           const Eigen::MatrixXcd& taps,
                           double noise) const;
    //! passed: what the filters make of each past symbol and of this instant's, a row per place.
    void set_feedback(joint_readout& readout, const Eigen::MatrixXcd& passed) const;
    //! The symbols that are fed back to the first place of an instant, newest first.
    std::vector<gr_complex> past(const joint_readout& readout,
                                 const sample_streams& sent,
                                 Eigen::Index instant) const;

    const configured_network d_single;
    const Eigen::Index d_streams;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_JOINT_NETWORK_H */
