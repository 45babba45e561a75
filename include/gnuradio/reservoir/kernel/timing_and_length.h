/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_TIMING_AND_LENGTH_H
#define INCLUDED_RESERVOIR_KERNEL_TIMING_AND_LENGTH_H

#include <gnuradio/reservoir/kernel/channel_estimate.h>

namespace gr {
namespace reservoir {
namespace kernel {

//! r[n] = sum_{l < length} h_l x[n + timing - l].
struct channel_window {
    int timing;
    int length;
};

/*!
 * \brief Timing and length of a channel by the Bayesian information criterion (Schwarz, 1978).
 *
 * Of all windows with timing p in -8 ... 6 (at most an eighth of the known symbols) and length L
 * in 1 ... L_max = min(16, a third of the known symbols), L - p <= L_max, the one with the least
 *
 *     Q n log(RSS(p, L) / (Q n)) + Q L log n
 *
 * over n common rows of Q streams. One Gram matrix over all lags serves all windows: with the
 * Cholesky factor G = R R^H of the lags that start at -p and z = R^-1 X^H r,
 * RSS(p, L) = ||r||^2 - sum_{l < L} |z_l|^2 for every L at once.
 *
 * \param received the streams
 * \param known transmitted symbols, known in range
 * \param range symbols that are known
 * \param weights one per symbol; 0 where a symbol of the largest window is not known
 * \param in_a_row symbols that are known without a gap: n of L_max; -1: all of range
 */
RESERVOIR_API channel_window select_channel_window(const sample_streams& received,
                                                   const Eigen::VectorXcd& known,
                                                   row_range range,
                                                   const Eigen::VectorXd& weights,
                                                   Eigen::Index in_a_row = -1);
//! Windows that select_channel_window tries where so many symbols are known without a gap.
struct window_limits {
    Eigen::Index earliest, latest; //!< timing
    Eigen::Index longest;
};
RESERVOIR_API window_limits channel_window_limits(Eigen::Index in_a_row);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_TIMING_AND_LENGTH_H */
