/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_LAG_SUMS_H
#define INCLUDED_RESERVOIR_KERNEL_LAG_SUMS_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/kernel/channel_estimate.h>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief All that a least-squares channel estimate needs of its rows: received r[n] on known x[n],
 * x[n-1], ...
 *
 * Sums of several ranges of rows add up, and older ones may be faded out, so a channel that is
 * followed costs one small system of equations per block and no pass over its rows.
 */
struct RESERVOIR_API lag_sums {
    Eigen::MatrixXcd gram;  //!< length x length: sum of conj(x[n-k]) x[n-l]
    Eigen::MatrixXcd cross; //!< length x streams: sum of conj(x[n-l]) r[n]
    double energy = 0.0;    //!< sum of |r[n]|^2 over all streams
    double weight = 0.0;    //!< number of rows, or the sum of their weights

    lag_sums(Eigen::Index length, Eigen::Index num_streams);

    Eigen::Index length() const { return gram.rows(); }
    void add(const lag_sums& other);
    void fade(double factor);

    //! Minimises the rows' error + ridge weight ||taps||^2; length x streams.
    Eigen::MatrixXcd taps(double ridge = 1e-3) const;
    //! What such taps leave of the energy.
    double residual(const Eigen::MatrixXcd& taps) const;
};

/*!
 * \brief The sums over rows n, received delayed by timing.
 * \param first_lag x[n-first_lag], x[n-first_lag-1], ... instead
 * \param weights one per symbol n, at least as long as rows.last; empty: all one
 *
 * Symbols and samples that there are not count as zero.
 */
RESERVOIR_API lag_sums sum_lags(const sample_streams& received,
                                Eigen::Index timing,
                                const Eigen::VectorXcd& known,
                                row_range rows,
                                Eigen::Index length,
                                Eigen::Index first_lag = 0,
                                const Eigen::VectorXd& weights = {});

//! Weights, one per symbol: 1 where it, so many before it and so many behind it are there.
RESERVOIR_API Eigen::VectorXd
rows_that_count(const std::vector<char>& there, Eigen::Index before, Eigen::Index behind);

//! The same sums of other streams, of the same known symbols and equal weights.
RESERVOIR_API lag_sums sum_lags_of(const sample_streams& received,
                                   Eigen::Index timing,
                                   const Eigen::VectorXcd& known,
                                   row_range rows,
                                   const lag_sums& same_symbols);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_LAG_SUMS_H */
