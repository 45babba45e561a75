/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/channel_estimate.h>

#include <Eigen/Cholesky>
#include <algorithm>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;

namespace {

// to[first ... last) = from[first - delay ...), where both exist
template <class To>
void copy_delayed(const VectorXcd& from, Index delay, row_range rows, To&& to)
{
    const Index first = std::max(rows.first, delay);
    const Index last = std::min(rows.last, from.size() + delay);
    if (first < last)
        to.segment(first - rows.first, last - first) = from.segment(first - delay, last - first);
}

} // namespace

VectorXcd delayed(const VectorXcd& samples, Index delay)
{
    VectorXcd out = VectorXcd::Zero(samples.size());
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

MatrixXcd lagged(const VectorXcd& samples, row_range rows, Index num_lags, Index first_lag)
{
    MatrixXcd matrix = MatrixXcd::Zero(rows.size(), num_lags);
    for (Index l = 0; l < num_lags; l++)
        copy_delayed(samples, first_lag + l, rows, matrix.col(l));
    return matrix;
}

channel_estimate estimate_channel(const sample_streams& received,
                                  const VectorXcd& known,
                                  row_range rows,
                                  const Eigen::VectorXd& weights,
                                  Index length,
                                  double ridge)
{
    const Index count = rows.size();
    const Index streams = received.size();
    const MatrixXcd regressors = lagged(known, rows, length);
    const auto w = weights.segment(rows.first, count);
    const double total = w.sum();
    const MatrixXcd weighted = w.asDiagonal() * regressors;

    MatrixXcd outputs(count, streams);
    for (Index q = 0; q < streams; q++)
        outputs.col(q) = received[q].segment(rows.first, count);
    MatrixXcd gram = regressors.adjoint() * weighted;
    gram.diagonal().array() += ridge * total + 1e-12;

    channel_estimate found;
    found.taps = gram.llt().solve(weighted.adjoint() * outputs);
    found.residual = outputs - regressors * found.taps;
    const double energy = (w.asDiagonal() * found.residual.cwiseAbs2()).sum() / streams;
    found.mean_residual = energy / std::max(total, 1e-12);
    found.noise_variance = energy / std::max(std::max(total, length + 1.0) - length, 1.0);
    return found;
}

double forward_residual(const sample_streams& received,
                        const VectorXcd& decided,
                        row_range rows,
                        Index length)
{
    const Eigen::VectorXd weights = Eigen::VectorXd::Ones(rows.last);
    return estimate_channel(received, decided, rows, weights, length).mean_residual;
}

sample_streams channel_output(const VectorXcd& transmitted, const MatrixXcd& taps)
{
    sample_streams out;
    const MatrixXcd regressors = lagged(transmitted, { 0, transmitted.size() }, taps.rows());
    for (Index q = 0; q < taps.cols(); q++)
        out.push_back(regressors * taps.col(q));
    return out;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
