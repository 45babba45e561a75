/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_REMEMBERED_CHANNEL_H
#define INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_REMEMBERED_CHANNEL_H

#include <gnuradio/reservoir/kernel/lag_sums.h>

namespace gr {
namespace reservoir {

//! How fast what is known of a channel grows old.
struct tracking_memory {
    double symbols; // weight exp(−age / symbols)
    bool trend;     // whether the channel is taken to move linearly
};

/*!
 * \brief A fading channel as one memory sees it, from sums over the blocks of symbols that are
 * known.
 *
 * Without a trend it lags behind the channel by about its length, with one it does not: taps
 * h + s t are fitted, t = time / memory from the last symbol known. A block counts at its middle.
 */
class RESERVOIR_API remembered_channel
{
public:
    remembered_channel(tracking_memory memory,
                       Eigen::Index length,
                       Eigen::Index num_streams);

    //! The next symbols, so many.
    void add(const kernel::lag_sums& block, Eigen::Index num_symbols);
    //! Taps so many symbols after the last one that is known.
    Eigen::MatrixXcd taps(double ahead) const;
    const kernel::lag_sums& sums() const { return d_sums; }
    double symbols() const { return d_memory.symbols; }

private:
    tracking_memory d_memory;
    kernel::lag_sums d_sums;   // of 1
    kernel::lag_sums d_first;  // of t
    Eigen::MatrixXcd d_second; // Gram matrix of t²
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_REMEMBERED_CHANNEL_H */
