/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CHANNEL_TRACKER_H
#define INCLUDED_RESERVOIR_DETECTOR_CHANNEL_TRACKER_H

#include "detector/configured/network.h"
#include "detector/configured/remembered_channel.h"

namespace gr {
namespace reservoir {

//! The part of a signal around a block: everything that fitting and detecting it reads.
struct block_surroundings {
    sample_streams raw;
    frame_symbols symbols;
    Eigen::VectorXd phase; // of the carrier, per symbol
    row_range known;
    row_range block;
    //! The block, and symbols after it that help to decide it: they are decided again later.
    row_range searched;

    sample_streams turned() const { return rotated(raw, phase); }
};

//! How a fading channel is followed.
struct tracking_plan {
    Eigen::Index block;                    // symbols
    std::vector<tracking_memory> memories; // ascending
    double discount;                       // of a memory's prediction error, per block
};
extern const tracking_plan SLOW_FADING;

//! What a block was detected with, and how sure its decisions are.
struct tracked_block {
    configured_readout readout;
    double margin; // see kernel::adaptive_decisions
};

/*!
 * \brief Decides a tracked block and the symbols after it: by the survivor search, and where that
 * is not sure by all sequences, if there are not too many.
 * \param judged symbols of the block itself
 */
kernel::adaptive_decisions decide_block(const configured_network& network,
                                        const configured_readout& readout,
                                        const sample_streams& streams,
                                        const frame_symbols& symbols,
                                        row_range searched,
                                        Eigen::Index judged);

/*!
 * \brief Follows a fading channel and the carrier's phase from block to block by decisions.
 *
 * Several memories of the channel go along; the one that has predicted the last blocks best gives
 * the taps that the next block is detected with. Sums over each block are all that is kept of it,
 * so a block costs what its own symbols cost. Timing, length and warp are found again every 512
 * symbols. Knows nothing of where a block's surroundings are kept.
 */
class channel_tracker
{
public:
    //! Samples beyond a block's window that its timing may reach.
    static constexpr Eigen::Index MARGIN = 24;
    //! Symbols after a block that the survivors are searched through before it is decided.
    static constexpr Eigen::Index LAG = 16;
    //! Symbols that timing, length and warp are found from.
    static constexpr Eigen::Index RECENT = 512;

    //! It starts with the plan's last memory.
    channel_tracker(const configured_network& network, const tracking_plan& plan);

    //! Known symbols that the next block needs to see before it.
    Eigen::Index window() const;
    //! Detects a block: sets its symbols and the phase from its first symbol on.
    tracked_block detect(block_surroundings& part);
    const configured_readout& readout() const { return d_readout; }

private:
    void begin(const block_surroundings& part, const sample_streams& streams);
    //! Timing, length and warp again, from the last symbols.
    void look_again(const block_surroundings& part);
    void remember(const block_surroundings& part,
                  const sample_streams& streams,
                  row_range range);
    //! Taps of each memory in the middle of the next so many symbols.
    void predict(Eigen::Index num_symbols);
    kernel::lag_sums sums_of(const block_surroundings& part,
                             const sample_streams& streams,
                             row_range range) const;
    double noise_variance() const;

    const configured_network& d_network;
    const std::vector<tracking_memory> d_memories;
    const double d_discount; // of a memory's prediction error, per block
    std::vector<remembered_channel> d_channels;
    std::vector<Eigen::MatrixXcd> d_predicted; // taps of each, for the next block
    std::vector<double> d_scores;              // of each, discounted
    double d_scored = 0.0;                     // samples in them
    int d_best;
    configured_readout d_readout;
    kernel::channel_window d_last_seen; // by the last look
    double d_pilot_noise = 0.0;
    Eigen::Index d_num_tracked = 0, d_next_look = 256; // symbols
    double d_theta = 0.0, d_nu = 0.0; // carrier phase, and its step per symbol
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CHANNEL_TRACKER_H */
