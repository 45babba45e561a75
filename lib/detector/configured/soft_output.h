/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_SOFT_OUTPUT_H
#define INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_SOFT_OUTPUT_H

#include "detector/configured/network.h"
#include <gnuradio/reservoir/kernel/forward_backward.h>
#include <memory>
#include <vector>

namespace gr {
namespace reservoir {

//! What was found of a frame, as far as probabilities of its symbols are made from it.
struct soft_model {
    sample_streams streams;                  // the carrier's phase taken out
    frame_symbols symbols;                   // known or decided, all of the frame
    configured_readout readout;              // its window, warp and points
    std::vector<Eigen::MatrixXcd> taps = {}; // of each block, length x streams
    std::vector<double> noise = {};          // of one stream
    Eigen::Index first = 0, block = 0;       // first symbol and length of the blocks

    //! One channel for all, estimated from so many symbols.
    void set_channel(const kernel::channel_estimate& channel, Eigen::Index num_symbols);
    row_range part(row_range range, size_t b) const;
};

/*!
 * \brief Probabilities of a frame's symbols by the forward-backward algorithm, over the readout that
 * the channel's model gives: its output is a x[n] - sum_j w_j x[n-1-j] + e, E|e|^2 = a - |a|^2.
 *
 * The buffers are kept from frame to frame. Not responsible for bits.
 */
class soft_output
{
public:
    //! States that are kept; where there are fewer, the probabilities are exact.
    static constexpr int STATES = 32;

    /*!
     * \brief Posteriors of the symbols in range, as kernel::forward_backward has them.
     * \param known of every symbol of the frame, whether it was sent as model.symbols has it
     * \param log_priors of the points, for each symbol of the range; empty: all alike
     */
    const std::vector<float>& posteriors(const configured_network& network,
                                         const soft_model& model,
                                         const std::vector<char>& known,
                                         row_range range,
                                         const std::vector<float>& log_priors);

    /*!
     * \brief What the readout makes of the symbols in range, those before each being fed back.
     * \param variance the mean of that around what was sent
     */
    static Eigen::VectorXcd readout_output(const configured_network& network,
                                           const soft_model& model,
                                           row_range range,
                                           double& variance);

private:
    struct prefiltered {
        Eigen::VectorXcf samples;           // of the range
        std::vector<Eigen::MatrixXcf> taps; // of each block
        std::vector<float> noise;
    };
    prefiltered prefilter(const configured_network& network,
                          const soft_model& model,
                          row_range range) const;

    std::unique_ptr<kernel::forward_backward> d_algorithm;
    size_t d_num_points = 0;
    Eigen::Index d_length = 0;
    std::vector<float> d_of_segment, d_posteriors;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_SOFT_OUTPUT_H */
