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
    sample_streams streams;     // the carrier's phase taken out
    frame_symbols symbols;      // known or decided, all of the frame
    configured_readout readout; // its window, warp and points
    // channels of the frame's blocks, which follow on each other
    struct block_channel {
        row_range symbols;
        Eigen::MatrixXcd taps; // length x streams
        double noise;          // of one stream
    };
    std::vector<block_channel> blocks = {};

    void add(row_range range, const Eigen::MatrixXcd& taps, double noise_variance)
    {
        blocks.push_back({ range, taps, noise_variance });
    }
    //! One channel for all, estimated from so many symbols.
    void add_still(const Eigen::MatrixXcd& taps,
                   double noise_variance,
                   Eigen::Index num_symbols);
    //! Symbols of the range in block b; the first and the last block reach to its ends.
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
        struct part {
            row_range symbols;
            Eigen::MatrixXcf taps; // length x 1
            float noise;
        };
        Eigen::VectorXcf samples; // of the range
        std::vector<part> parts;
    };
    prefiltered prefilter(const configured_network& network,
                          const soft_model& model,
                          row_range range) const;
    void run(const prefiltered& input,
             const soft_model& model,
             const std::vector<char>& known,
             row_range range,
             row_range symbols,
             const std::vector<float>& log_priors);

    std::unique_ptr<kernel::forward_backward> d_algorithm;
    size_t d_num_points = 0;
    Eigen::Index d_length = 0;
    std::vector<float> d_of_segment, d_posteriors;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_SOFT_OUTPUT_H */
