/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_CHANNEL_ESTIMATE_H
#define INCLUDED_RESERVOIR_KERNEL_CHANNEL_ESTIMATE_H

#include <gnuradio/reservoir/api.h>
#include <Eigen/Core>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

//! Antennas and sampling phases: one vector each, one sample per symbol, all of the same length.
typedef std::vector<Eigen::VectorXcd> sample_streams;

//! Symbols first, ..., last - 1.
struct row_range {
    Eigen::Index first, last;
    Eigen::Index size() const { return last > first ? last - first : 0; }
};

//! samples[n - delay], zero where there is none; a negative delay advances.
RESERVOIR_API Eigen::VectorXcd delayed(const Eigen::VectorXcd& samples,
                                       Eigen::Index delay);
RESERVOIR_API sample_streams delayed(const sample_streams& streams, Eigen::Index delay);

//! Row n - rows.first, column l: samples[n - first_lag - l], zero where there is none.
RESERVOIR_API Eigen::MatrixXcd lagged(const Eigen::VectorXcd& samples,
                                      row_range rows,
                                      Eigen::Index num_lags,
                                      Eigen::Index first_lag = 0);

//! What estimate_channel finds.
struct channel_estimate {
    Eigen::MatrixXcd taps;     //!< length x streams
    Eigen::MatrixXcd residual; //!< rows x streams: received - model
    double mean_residual;      //!< weighted mean of |residual|^2 over rows and streams
    //! the same, divided by the degrees of freedom that are left
    double noise_variance;
};

/*!
 * \brief Least-squares estimate of the channels from one transmitter to several streams.
 *
 * Minimises sum_n w[n] |r_q[n] - sum_l h_q[l] x[n-l]|^2 + ridge sum_n w[n] ||h_q||^2 over the
 * rows, for each stream q. The noise variance divides by sum w - length (at least 1).
 *
 * \param received the streams
 * \param known transmitted symbols, of about unit power where the ridge is to mean anything
 * \param rows symbols n that are fitted; x[n-length+1] must be known for each
 * \param weights one per symbol n, at least as long as rows.last
 * \param length taps, at least 1
 * \param ridge at least 0
 */
RESERVOIR_API channel_estimate estimate_channel(const sample_streams& received,
                                                const Eigen::VectorXcd& known,
                                                row_range rows,
                                                const Eigen::VectorXd& weights,
                                                Eigen::Index length,
                                                double ridge = 1e-3);

/*!
 * \brief A channel that is known but for one complex gain, which is fitted by least squares.
 * \param taps length x streams; the others as in estimate_channel
 */
RESERVOIR_API channel_estimate scale_channel(const sample_streams& received,
                                             const Eigen::VectorXcd& known,
                                             row_range rows,
                                             const Eigen::VectorXd& weights,
                                             const Eigen::MatrixXcd& taps);

/*!
 * \brief Mean squared distance of what was received from the model of the decisions.
 *
 * The forward-model residual: the channel is estimated again on the rows, unweighted. A frame
 * decided wrongly fits its own channel badly, so of several decisions the one with the least
 * residual should be kept.
 */
RESERVOIR_API double forward_residual(const sample_streams& received,
                                      const Eigen::VectorXcd& decided,
                                      row_range rows,
                                      Eigen::Index length);

//! Row n - rows.first, column q: sum_l taps(l, q) x[n-l], x zero where there is none.
RESERVOIR_API Eigen::MatrixXcd
channel_rows(const Eigen::VectorXcd& known, row_range rows, const Eigen::MatrixXcd& taps);

//! sum_l taps(l, q) x[n-l] for all n and each column q of taps.
RESERVOIR_API sample_streams channel_output(const Eigen::VectorXcd& transmitted,
                                            const Eigen::MatrixXcd& taps);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_CHANNEL_ESTIMATE_H */
