/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_JOINT_CHANNEL_H
#define INCLUDED_RESERVOIR_KERNEL_JOINT_CHANNEL_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/kernel/channel_estimate.h>
#include <gnuradio/reservoir/kernel/timing_and_length.h>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief All that a least-squares estimate of the channels of several streams needs of its rows:
 * received r[n] on known x_1[n], ..., x_M[n], x_1[n-1], ....
 *
 * Row and column of lag l and stream m: l M + m.
 */
struct RESERVOIR_API joint_sums {
    Eigen::MatrixXcd gram;     //!< sum of conj(x_m[n-l]) x_m'[n-l']
    Eigen::MatrixXcd cross;    //!< sum of conj(x_m[n-l]) r_q[n]
    Eigen::MatrixXcd received; //!< sum of conj(r_q[n]) r_q'[n]
    Eigen::Index streams = 1;  //!< M
    double weight = 0.0;       //!< number of rows

    //! Minimises the rows' error + ridge weight ||taps||^2; (lags x M) x received streams.
    Eigen::MatrixXcd taps(double ridge = 1e-3) const;
    //! Sum of conj(e_q[n]) e_q'[n] of what such taps leave.
    Eigen::MatrixXcd residual(const Eigen::MatrixXcd& taps) const;
};

/*!
 * \brief The sums over rows n, received delayed by timing, of the lags first_lag, first_lag + 1, ....
 *
 * Symbols and samples that there are not count as zero.
 * \param sent one vector per stream, known wherever the rows see them
 */
RESERVOIR_API joint_sums sum_joint_lags(const sample_streams& received,
                                        Eigen::Index timing,
                                        const sample_streams& sent,
                                        row_range rows,
                                        Eigen::Index lags,
                                        Eigen::Index first_lag = 0);

/*!
 * \brief Timing and length of the channels of several streams, alike for all: as
 * select_channel_window, with M coefficients per lag and noise of any covariance between the received
 * streams: the least n log det(C) + Q M L log n, C the covariance of what is left.
 * \param range symbols that are known; a window has at most a third as many coefficients
 */
RESERVOIR_API channel_window select_joint_window(const sample_streams& received,
                                                 const sample_streams& sent,
                                                 row_range range);

//! The rows of taps that belong to one of the streams: lags x received streams.
RESERVOIR_API Eigen::MatrixXcd
stream_taps(const Eigen::MatrixXcd& taps, Eigen::Index stream, Eigen::Index streams);

//! sum_l sum_m taps(l M + m, q) x_m[n-l] for all n and each column q of taps.
RESERVOIR_API sample_streams joint_channel_output(const sample_streams& sent,
                                                  const Eigen::MatrixXcd& taps);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_JOINT_CHANNEL_H */
