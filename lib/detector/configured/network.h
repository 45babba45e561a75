/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_NETWORK_H
#define INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_NETWORK_H

#include "detector/configured/parameters.h"
#include <gnuradio/reservoir/kernel/adaptive_search.h>
#include <gnuradio/reservoir/kernel/carrier_offset.h>
#include <gnuradio/reservoir/kernel/channel_estimate.h>
#include <gnuradio/reservoir/kernel/timing_and_length.h>
#include <complex>
#include <limits>
#include <vector>

namespace gr {
namespace reservoir {

using kernel::row_range;
using kernel::sample_streams;
typedef std::complex<double> cdouble;

//! Decisions are sure that have this margin, see kernel::adaptive_decisions.
constexpr double SURE_MARGIN = 0.05;

//! Symbols that are known or decided, zero elsewhere.
struct frame_symbols {
    Eigen::VectorXcd values; // before the warp
    std::vector<int> rings;  // amplitude ring, −1 where there is no constellation point
    bool on_points = true;   // whether every one is a point
    bool decided = false;    // whether some are decisions
    std::vector<char>
        given = {}; // whether one is known for sure; empty: none that is searched

    void set(Eigen::Index n, cdouble value, int ring);
    void resize(Eigen::Index size); // unknown symbols at the end
    frame_symbols cut(Eigen::Index first, Eigen::Index last) const;
    //! Multiplied by their rings' gains.
    cdouble warped(Eigen::Index n, const Eigen::VectorXcd& gains) const;
    Eigen::VectorXcd warped(const Eigen::VectorXcd& gains) const;
};

//! A readout and the model that it is configured from.
struct configured_readout {
    kernel::channel_window window;
    Eigen::Index past = 0; // samples before the symbol that fir sees
    // (past + 1 + future) x streams, on streams delayed by timing
    Eigen::MatrixXcd fir;
    Eigen::VectorXcd feedback; // weights of the last decisions
    cdouble gain;              // of the output
    Eigen::VectorXcd warp;     // gain of each ring
    bool warped = false;
    Eigen::VectorXcd points; // after the warp
    Eigen::MatrixXcd taps;   // length x streams
    Eigen::VectorXcd poles;
    double noise_variance = 0.0; // of one stream
    double leave_one_out_mse = 0.0;
    double prior_weight = 0.0;
    double condition_number = std::numeric_limits<double>::quiet_NaN();
};

/*!
 * Of the readout's output over its gain around the symbol: with mse = |1 - a|^2 + E|e|^2 of the output
 * a x + e, E|e|^2 / |a|^2.
 */
double output_variance(const configured_readout& readout);
//! Outputs of several filters for symbols in range, a column each: sum_k,q filter(k, q) r_q[n + k - before].
Eigen::MatrixXcf filtered(const sample_streams& streams,
                          row_range range,
                          Eigen::Index before,
                          const std::vector<Eigen::MatrixXcd>& filters);
//! Every stream turned back by phase, in radians, one per symbol.
sample_streams rotated(const sample_streams& streams, const Eigen::VectorXd& phase);
//! Symbols of range of which the window's every symbol and sample is there.
row_range model_rows(row_range range, kernel::channel_window window);
//! The least window with the taps of both.
kernel::channel_window covering(kernel::channel_window a, kernel::channel_window b);

/*!
 * \brief Configures the network from known symbols, and detects a block with it.
 *
 * Streams have unit power. Not responsible for which symbols are known: pilots, decisions, the
 * past of a fading channel.
 */
class configured_network
{
public:
    //! Samples from the symbol on that a readout sees.
    static constexpr Eigen::Index FUTURE = 40;
    //! ... and before it, without feedback.
    static constexpr Eigen::Index PAST = 40;

    explicit configured_network(const configured_settings& settings);

    const configured_settings& settings() const { return d_settings; }

    //! Of count symbols, the pilots from number first on.
    frame_symbols known(const std::vector<cdouble>& pilots,
                        Eigen::Index count,
                        Eigen::Index first = 0) const;
    //! found may go on beyond range.
    void
    decide(frame_symbols& symbols, row_range range, const std::vector<int>& found) const;

    kernel::channel_window select_window(const sample_streams& streams,
                                         const frame_symbols& symbols,
                                         row_range range,
                                         const Eigen::VectorXd& weights,
                                         Eigen::Index in_a_row = -1) const;
    kernel::channel_window pilot_window(const sample_streams& streams,
                                        const frame_symbols& symbols,
                                        Eigen::Index num_pilots) const;
    //! Few symbols get a longer channel than they show.
    kernel::channel_window lengthened(kernel::channel_window window,
                                      row_range range) const;
    /*!
     * \brief Channel, poles and readout from the symbols known in range.
     * \param warp whether a transmitter's amplifier is fitted as well
     * \param prior_weights the one with the least leave-one-out error is used
     */
    configured_readout configure(const sample_streams& streams,
                                 const frame_symbols& symbols,
                                 row_range range,
                                 kernel::channel_window window,
                                 const Eigen::VectorXd& weights,
                                 bool warp,
                                 const std::vector<double>& prior_weights) const;
    /*!
     * \brief Warp, channel and noise from the symbols known in range; no poles and no filter.
     */
    configured_readout model_of(const sample_streams& streams,
                                const frame_symbols& symbols,
                                row_range range,
                                kernel::channel_window window,
                                const Eigen::VectorXd& weights,
                                bool warp) const;
    /*!
     * \brief Poles, filter and feedback for a channel and a noise variance, as an endless prior
     * weight would give them. The readout's window and warp stay.
     * \param taps window.length x streams
     */
    void configure_for(configured_readout& readout,
                       const Eigen::MatrixXcd& taps,
                       double noise_variance) const;
    //! Pilots only, from symbol first on, at a carrier offset that is taken out already.
    configured_readout fit(const sample_streams& streams,
                           const std::vector<cdouble>& pilots,
                           Eigen::Index first = 0) const;

    //! Most likely carrier offset by the symbols known in range, cycles per symbol, in a channel of
    //! this window.
    kernel::carrier_offset find_offset(const sample_streams& streams,
                                       const frame_symbols& symbols,
                                       row_range range,
                                       kernel::channel_window window) const;
    sample_streams derotated(const sample_streams& streams, double frequency) const;
    //! The constellation's own rotation taken out.
    sample_streams without_rotation(const sample_streams& streams) const;

    //! Output of the readout's filter, before feedback, for symbols range.
    Eigen::VectorXcf feedforward(const configured_readout& readout,
                                 const sample_streams& streams,
                                 row_range range) const;
    //! The same with the symbols before each fed back, over the gain: symbols of unit power.
    Eigen::VectorXcf output(const configured_readout& readout,
                            const sample_streams& streams,
                            const frame_symbols& symbols,
                            row_range range) const;
    //! Symbols in range by the readout's filter alone, and their noise variance.
    void equalize(const configured_readout& readout,
                  const sample_streams& streams,
                  row_range range,
                  Eigen::VectorXcd& symbols,
                  double& noise_variance) const;
    //! What the survivor search works with; power still to be set.
    kernel::survivor_model model(const configured_readout& readout,
                                 double phase_noise) const;
    /*!
     * \brief Decides the symbols in range, those before it being known.
     * \param judged symbols of which the margin is taken: those after them only help to decide
     */
    kernel::adaptive_decisions search(const configured_readout& readout,
                                      const sample_streams& streams,
                                      const frame_symbols& symbols,
                                      row_range range,
                                      Eigen::Index judged,
                                      double phase_noise,
                                      int times_survivors = 1) const;

    //! Points of the count symbols before n, newest first; empty if one is not a point.
    std::vector<int>
    points_before(const frame_symbols& symbols, Eigen::Index n, Eigen::Index count) const;
    //! Index of the nearest point.
    int nearest(cdouble symbol) const;
    //! Constellation points lie on several amplitudes.
    bool multilevel() const { return d_num_rings > 1; }
    //! Whether so many symbols show a transmitter's amplifier.
    bool warps(row_range range) const;

private:
    //! What a readout is fitted to, once its window, warp and channel are there.
    struct fitted_model {
        bool told;              // whether the channel is known from outside
        row_range rows;         // of which the window's every symbol and sample is there
        sample_streams shifted; // by the window's timing
        Eigen::VectorXcd sent;  // after the warp
        double noise;           // for poles and prior: of one stream, and of the estimate
    };
    //! Warp, channel and noise of the readout; its window, too, where the channel is told.
    fitted_model fit_model(configured_readout& readout,
                           const sample_streams& streams,
                           const frame_symbols& symbols,
                           row_range range,
                           kernel::channel_window window,
                           const Eigen::VectorXd& weights,
                           bool warp) const;
    //! Poles, filter and feedback of the readout, given its model.
    void fit_readout(configured_readout& readout,
                     const fitted_model& model,
                     row_range range,
                     const Eigen::VectorXd& weights,
                     const std::vector<double>& prior_weights) const;
    configured_readout configure_fixed(const sample_streams& streams,
                                       const frame_symbols& symbols,
                                       row_range range) const;

    const configured_settings d_settings;
    std::vector<int> d_rings; // of the points
    int d_num_rings = 1;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_NETWORK_H */
