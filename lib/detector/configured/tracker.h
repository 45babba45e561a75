/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CHANNEL_TRACKER_H
#define INCLUDED_RESERVOIR_DETECTOR_CHANNEL_TRACKER_H

#include "detector/configured/network.h"
#include <cmath>

namespace gr {
namespace reservoir {

//! The part of a signal around a block: everything that fitting and detecting it reads.
struct block_surroundings {
    kernel::sample_streams raw;
    known_symbols symbols;
    Eigen::VectorXd phase; // of the carrier, per symbol
    kernel::row_range known;
    kernel::row_range block;
    //! The block, and symbols after it that help to decide it: they are decided again later.
    kernel::row_range searched;

    kernel::sample_streams turned() const { return rotated(raw, phase); }
};

//! The channel fitted on one range, tested on another.
struct channel_prediction {
    kernel::channel_estimate channel;
    Eigen::MatrixXcd residual; // of the symbols that were predicted
};

/*!
 * \brief Follows a fading channel and the carrier's phase from block to block by decisions.
 *
 * Each block is detected by a readout that is configured from the symbols before it, weighted
 * exp(-age / memory). Of several memories the one that has predicted the last blocks best is
 * used. Knows nothing of where a block's surroundings are kept.
 */
class channel_tracker
{
public:
    //! Samples beyond a block's window that its timing may reach.
    static constexpr Eigen::Index MARGIN = 24;
    //! Symbols after a block that the survivors are searched through before it is decided.
    static constexpr Eigen::Index LAG = 16;
    static constexpr Eigen::Index LONGEST_MEMORY = 1024;

    //! memories in symbols, ascending; it starts with the last
    channel_tracker(const configured_network& network,
                    const std::vector<double>& memories);

    //! Symbols before the next block that it is fitted on.
    Eigen::Index window() const;
    /*!
     * \brief Detects a block: sets its symbols and the phase from its first symbol on.
     * \return the readout that was used
     */
    configured_readout detect(block_surroundings& part);
    //! Median of the memories that were used, symbols.
    double median_memory() const;

private:
    const configured_network& d_network;
    const std::vector<double> d_memories;
    std::vector<double> d_scores; // of each memory, discounted
    std::vector<int> d_history;   // memory used after each block
    int d_memory;
    double d_theta = 0.0, d_nu = 0.0; // carrier phase, and its step per symbol
};

//! Smaller weights of symbols are not worth their time.
constexpr double NEGLIGIBLE_WEIGHT = 0.02;

/*!
 * \brief Weight exp(-distance(n) / memory) of every known symbol n, zero elsewhere and where it is
 * below `negligible`.
 */
template <class Distance>
Eigen::VectorXd fading_weights(const block_surroundings& part,
                               double memory,
                               double negligible,
                               Distance distance)
{
    Eigen::VectorXd weights = Eigen::VectorXd::Zero(part.phase.size());
    for (Eigen::Index n = part.known.first; n < part.known.last; n++) {
        const double weight = std::exp(-distance(n) / memory);
        weights(n) = weight < negligible ? 0.0 : weight;
    }
    return weights;
}

//! weights one per symbol of the surroundings
channel_prediction predict_block(const block_surroundings& part,
                                 const configured_readout& readout,
                                 const kernel::sample_streams& streams,
                                 const Eigen::VectorXd& weights);

//! kappas that are tried while tracking.
extern const std::vector<double> TRACKING_PRIORS;

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CHANNEL_TRACKER_H */
