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

namespace {

MatrixXcd rows_of(const sample_streams& streams, row_range rows)
{
    MatrixXcd matrix(rows.size(), streams.size());
    for (size_t q = 0; q < streams.size(); q++)
        matrix.col(q) = streams[q].segment(rows.first, rows.size());
    return matrix;
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
    const MatrixXcd regressors = lagged(known, rows, length);
    const MatrixXcd outputs = rows_of(received, rows);
    const Eigen::VectorXd w = weights.segment(rows.first, rows.size());
    const MatrixXcd weighted = w.asDiagonal() * regressors;
    MatrixXcd gram = regressors.adjoint() * weighted;
    gram.diagonal().array() += ridge * w.sum() + 1e-12;

    channel_estimate found;
    found.taps = gram.llt().solve(weighted.adjoint() * outputs);
    set_residual(found, outputs - regressors * found.taps, w, length);
    return found;
}

channel_estimate scale_channel(const sample_streams& received,
                               const VectorXcd& known,
                               row_range rows,
                               const Eigen::VectorXd& weights,
                               const MatrixXcd& taps)
{
    const MatrixXcd model = lagged(known, rows, taps.rows()) * taps;
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
