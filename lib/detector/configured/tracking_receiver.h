/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_TRACKING_RECEIVER_H
#define INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_TRACKING_RECEIVER_H

#include "detector/configured/frame.h"
#include "detector/configured/still_receiver.h"
#include "detector/configured/tracker.h"
#include <gnuradio/reservoir/kernel/lag_sums.h>
#include <optional>

namespace gr {
namespace reservoir {

/*!
 * \brief Receives a frame over a channel that moves: block by block with a channel_tracker, then
 * the doubtful blocks again from the decisions on both sides.
 */
class tracking_receiver
{
public:
    explicit tracking_receiver(const configured_network& network) : d_network(network) {}

    //! As for slow fading, and where that does not explain the samples as for fast fading.
    configured_frame receive(const sample_streams& raw, const frame_layout& layout) const;

    /*!
     * \brief Makes a tracked frame of an attempt that took the channel to stand still, where its
     * decisions show a movement so slow that few of them are doubtful.
     * \param decided over the whole frame
     * \return nothing where that does not explain the samples
     */
    std::optional<configured_frame> smoothed(const still_receiver::attempt& decided,
                                             const frame_layout& layout) const;

private:
    // A frame on its way: what is known of each symbol and of the carrier's phase
    struct signal {
        sample_streams raw;
        frame_symbols symbols;
        Eigen::VectorXd phase;
        Eigen::Index num_symbols; // pilots and payload

        block_surroundings around(row_range known, row_range block) const;
        //! The block's symbols, and the phase from its first symbol, here number first, on.
        void take_over(const block_surroundings& part, Eigen::Index first);
    };

    // Of a tracked frame
    struct block_sums {
        kernel::lag_sums pilots;
        std::vector<kernel::lag_sums> blocks; // of the payload
    };
    struct smoothed_channels {
        std::vector<Eigen::MatrixXcd> taps; // of each block
        std::vector<double> noise;          // of one stream
        double residual = 0.0;              // mean square over the payload
    };

    //! Whether nothing faster need be tried.
    static bool explains(const configured_frame& frame);
    static std::vector<char> doubtful_blocks(const std::vector<float>& margins,
                                             Eigen::Index block);
    configured_frame track(const sample_streams& raw,
                           const frame_layout& layout,
                           const tracking_plan& plan) const;
    block_sums sums_of(const signal& received,
                       const sample_streams& streams,
                       const configured_readout& readout,
                       const frame_layout& layout,
                       Eigen::Index block) const;
    static std::vector<kernel::lag_sums>
    surroundings(const block_sums& sums, double memory, Eigen::Index block);
    double best_memory(const block_sums& sums, Eigen::Index block) const;
    smoothed_channels
    channels_of(const block_sums& sums, double memory, Eigen::Index block) const;
    void smooth(configured_frame& frame,
                signal received,
                const frame_layout& layout,
                Eigen::Index block,
                const std::vector<char>& doubtful) const;
    //! Decides doubtful blocks again, and those after a changed one. Returns whether any changed.
    bool search_again(signal& received,
                      const sample_streams& streams,
                      const smoothed_channels& channels,
                      configured_readout readout,
                      const frame_layout& layout,
                      Eigen::Index block,
                      const std::vector<char>& doubtful) const;
    void soften(configured_frame& frame,
                const signal& received,
                const sample_streams& streams,
                const smoothed_channels& channels,
                const frame_layout& layout,
                Eigen::Index block) const;

    const configured_network& d_network;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_TRACKING_RECEIVER_H */
