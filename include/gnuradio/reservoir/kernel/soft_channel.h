/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_SOFT_CHANNEL_H
#define INCLUDED_RESERVOIR_KERNEL_SOFT_CHANNEL_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/kernel/channel_estimate.h>
#include <gnuradio/reservoir/kernel/timing_and_length.h>

namespace gr {
namespace reservoir {
namespace kernel {

//! Symbols as far as they are known: those that are have no variance.
struct soft_symbols {
    Eigen::VectorXcd mean;
    Eigen::VectorXd variance; //!< E|x - mean|^2
};

//! Channels from one transmitter to several streams, and their noise.
struct soft_channel {
    Eigen::MatrixXcd taps;          //!< length x streams
    Eigen::VectorXd noise_variance; //!< of each stream
};

/*!
 * \brief Channel and noise from symbols that are known in part: a step of the
 * expectation-maximisation algorithm (Dempster, Laird, Rubin, 1977; Kaleh and Vallet, 1994).
 *
 * With means m and variances v of the symbols, over rows n,
 *
 *     (sum conj(m_n) m_n^T + diag sum v_n + ridge n I) h = sum conj(m_n) r[n]
 *     sigma^2 = (sum |r[n] - h^T m_n|^2 + sum v_n^T |h|^2) / (n - L) * (1 + L / n)
 *
 * where m_n = (m[n], m[n-1], ...). The last factor is for the error of the estimate itself, which a
 * receiver that works with it sees as noise. With weights all sums are weighted, and n is
 * (sum w)^2 / sum w^2 in the factors.
 *
 * \param received the streams, at least as long as rows.last
 * \param symbols of about unit power, as long as rows.last
 * \param window timing p and length L: r[n] = sum_l h_l x[n + p - l]
 * \param rows symbols n that are fitted; those of which a symbol or sample before the first would be
 * needed are left out. At least L + 1 must be left
 * \param weights one per symbol; empty: all one
 * \param ridge at least 0
 */
RESERVOIR_API soft_channel estimate_soft_channel(const sample_streams& received,
                                                 const soft_symbols& symbols,
                                                 channel_window window,
                                                 row_range rows,
                                                 const Eigen::VectorXd& weights = {},
                                                 double ridge = 1e-3);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_SOFT_CHANNEL_H */
