/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_INTERPOLATED_CHANNEL_H
#define INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_INTERPOLATED_CHANNEL_H

#include "detector/configured/remembered_channel.h"
#include <gnuradio/reservoir/kernel/lag_sums.h>
#include <gnuradio/reservoir/kernel/timing_and_length.h>
#include <vector>

namespace gr {
namespace reservoir {

//! A channel that moves linearly around the middle of a block.
struct RESERVOIR_API local_channel {
    Eigen::MatrixXcd taps;  // length x streams, in the middle
    Eigen::MatrixXcd slope; // per symbol; empty: none
    double middle;          // symbol number
    double rows;            // that it was fitted to, weighted
    double noise_variance;  // of one stream, the estimate's own error included

    Eigen::MatrixXcd at(double symbol) const;
};

/*!
 * \brief The channel of any block of a burst, from what is known of the symbols on both sides.
 *
 * Sums over pieces of 8 symbols are kept. A block's channel is the least-squares fit to them with
 * weights exp(−distance from the block / memory), with a linear trend or without.
 */
class RESERVOIR_API interpolated_channel
{
public:
    static constexpr Eigen::Index PIECE = 8; // symbols

    /*!
     * \param streams received, as long as sent at least
     * \param sent symbols, after the warp
     * \param there whether a symbol of sent is known; rows that need another one do not count
     */
    interpolated_channel(const kernel::sample_streams& streams,
                         kernel::channel_window window,
                         const Eigen::VectorXcd& sent,
                         const std::vector<char>& there);

    kernel::channel_window window() const { return d_window; }
    Eigen::Index num_streams() const { return d_streams.size(); }
    Eigen::Index num_symbols() const { return d_pieces.size() * PIECE; }
    //! Symbols in range are there now.
    void learn(const Eigen::VectorXcd& sent,
               const std::vector<char>& there,
               kernel::row_range range);
    /*!
     * \param own whether what is known of the block itself counts
     */
    local_channel
    around(kernel::row_range block, tracking_memory memory, bool own = true) const;
    //! What such a channel leaves of the block's energy.
    double residual(kernel::row_range block, const local_channel& channel) const;
    //! Rows of the block, over all streams.
    double rows(kernel::row_range block) const;
    //! Their energy.
    double energy(kernel::row_range block) const;

    /*!
     * \brief From here on a tap is drawn to zero by as much as the noise's variance is of its mean
     * power in the blocks: a window may be longer than the channel.
     *
     * Two steps of the EM algorithm for the powers (MacKay, 1994, automatic relevance
     * determination).
     */
    void weigh_taps(const std::vector<kernel::row_range>& blocks, tracking_memory memory);

private:
    kernel::row_range pieces_of(kernel::row_range block) const;
    void sum_piece(const Eigen::VectorXcd& sent,
                   const std::vector<char>& there,
                   Eigen::Index piece);

    const kernel::sample_streams& d_streams;
    const kernel::channel_window d_window;
    std::vector<kernel::lag_sums> d_pieces;
    Eigen::VectorXd d_ridge; // of the taps, noise over power
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_INTERPOLATED_CHANNEL_H */
