/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/channel_estimate.h>

#include "kernel/signal_loops.h"
#include <gnuradio/reservoir/kernel/lag_sums.h>
#include <algorithm>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;

namespace {

// to[first ... last) = from[first - delay ...), zero where that does not exist
template <class To>
void copy_delayed(const VectorXcd& from, Index delay, row_range rows, To&& to)
{
    if (rows.size() == 0)
        return;
    const Index first = std::clamp(delay, rows.first, rows.last);
    const Index last = std::clamp(from.size() + delay, first, rows.last);
    to.head(first - rows.first).setZero();
    if (first < last)
        to.segment(first - rows.first, last - first) =
            from.segment(first - delay, last - first);
    to.tail(rows.last - last).setZero();
}

} // namespace

VectorXcd delayed(const VectorXcd& samples, Index delay)
{
    VectorXcd out(samples.size());
    copy_delayed(samples, delay, { 0, samples.size() }, out);
    return out;
}

sample_streams delayed(const sample_streams& streams, Index delay)
{
    sample_streams out;
    for (const auto& stream : streams)
        out.push_back(delayed(stream, delay));
    return out;
}

MatrixXcd
lagged(const VectorXcd& samples, row_range rows, Index num_lags, Index first_lag)
{
    MatrixXcd matrix(rows.size(), num_lags);
    for (Index l = 0; l < num_lags; l++)
        copy_delayed(samples, first_lag + l, rows, matrix.col(l));
    return matrix;
}

namespace {

MatrixXcd rows_of(const sample_streams& streams, row_range rows)
{
    MatrixXcd matrix(rows.size(), streams.size());
    for (size_t q = 0; q < streams.size(); q++)
        matrix.col(q) = streams[q].segment(rows.first, rows.size());
    return matrix;
}

// Empty where all are one.
Eigen::VectorXd unless_ones(const Eigen::VectorXd& weights, row_range rows)
{
    const bool ones = (weights.segment(rows.first, rows.size()).array() == 1.0).all();
    return ones ? Eigen::VectorXd() : weights;
}

void set_residual(channel_estimate& found,
                  const MatrixXcd& residual,
                  const Eigen::VectorXd& weights,
                  double unknowns)
{
    const double total = weights.sum();
    found.residual = residual;
    const double energy =
        (weights.asDiagonal() * residual.cwiseAbs2()).sum() / residual.cols();
    found.mean_residual = energy / std::max(total, 1e-12);
    found.noise_variance =
        energy / std::max(std::max(total, unknowns + 1.0) - unknowns, 1.0);
}

} // namespace

channel_estimate estimate_channel(const sample_streams& received,
                                  const VectorXcd& known,
                                  row_range rows,
                                  const Eigen::VectorXd& weights,
                                  Index length,
                                  double ridge)
{
    const Eigen::VectorXd w = weights.segment(rows.first, rows.size());
    const lag_sums sums =
        sum_lags(received, 0, known, rows, length, 0, unless_ones(weights, rows));

    channel_estimate found;
    found.taps = sums.taps(ridge);
    set_residual(found,
                 rows_of(received, rows) - channel_rows(known, rows, found.taps),
                 w,
                 length);
    return found;
}

channel_estimate scale_channel(const sample_streams& received,
                               const VectorXcd& known,
                               row_range rows,
                               const Eigen::VectorXd& weights,
                               const MatrixXcd& taps)
{
    const MatrixXcd model = channel_rows(known, rows, taps);
    const MatrixXcd outputs = rows_of(received, rows);
    const Eigen::VectorXd w = weights.segment(rows.first, rows.size());
    const double energy = (w.asDiagonal() * model.cwiseAbs2()).sum();
    const std::complex<double> gain =
        (w.asDiagonal() * model.conjugate().cwiseProduct(outputs)).sum() /
        std::max(energy, 1e-30);

    channel_estimate found;
    found.taps = gain * taps;
    set_residual(found, outputs - gain * model, w, 1.0);
    return found;
}

double forward_residual(const sample_streams& received,
                        const VectorXcd& decided,
                        row_range rows,
                        Index length)
{
    const lag_sums sums = sum_lags(received, 0, decided, rows, length);
    return sums.residual(sums.taps()) / std::max<double>(rows.size(), 1e-12) /
           received.size();
}

MatrixXcd channel_rows(const VectorXcd& known, row_range rows, const MatrixXcd& taps)
{
    const Index before = taps.rows() - 1;
    const VectorXcd part = lagged(known, { rows.first - before, rows.last }, 1);
    MatrixXcd out = MatrixXcd::Zero(rows.size(), taps.cols());
    for (Index q = 0; q < taps.cols(); q++)
        simd::add_filtered(part.data() + before,
                           taps.col(q).data(),
                           taps.rows(),
                           rows.size(),
                           out.col(q).data());
    return out;
}

sample_streams channel_output(const VectorXcd& transmitted, const MatrixXcd& taps)
{
    const MatrixXcd out = channel_rows(transmitted, { 0, transmitted.size() }, taps);
    return { out.colwise().begin(), out.colwise().end() };
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
