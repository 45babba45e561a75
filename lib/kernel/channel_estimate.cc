/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel/split_matrix.h"
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

MatrixXcd lag_gram(const VectorXcd& samples,
                   row_range rows,
                   const MatrixXcd& regressors,
                   Index first_lag,
                   const Eigen::VectorXd& weights)
{
    const Index size = regressors.cols();
    if (rows.size() == 0)
        return MatrixXcd::Zero(size, size);
    if ((weights.array() != weights(0)).any())
        return lower_half(adjoint_gram(regressors, weights))
            .selfadjointView<Eigen::Lower>();
    MatrixXcd gram(size, size);
    gram.col(0) = weights(0) * regressors.adjoint() * regressors.col(0);
    gram.row(0) = gram.col(0).adjoint();
    // the row that comes in with one lag more, and the row that goes
    const row_range one_before = { rows.first - 1, rows.first };
    const Eigen::RowVectorXcd before = lagged(samples, one_before, size, first_lag);
    const Eigen::RowVectorXcd last = regressors.row(rows.size() - 1);
    for (Index b = 1; b < size; b++) {
        gram.col(b).tail(size - b) = gram.col(b - 1).segment(b - 1, size - b);
        gram.col(b).tail(size - b) +=
            weights(0) * before(b - 1) * before.segment(b - 1, size - b).adjoint();
        gram.col(b).tail(size - b) -=
            weights(0) * last(b - 1) * last.segment(b - 1, size - b).adjoint();
        gram.row(b).tail(size - b) = gram.col(b).tail(size - b).adjoint();
    }
    return gram;
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
    MatrixXcd gram = lag_gram(known, rows, regressors, 0, w);
    gram.diagonal().array() += ridge * w.sum() + 1e-12;

    channel_estimate found;
    found.taps = gram.llt().solve(regressors.adjoint() * (w.asDiagonal() * outputs));
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
    const MatrixXcd regressors =
        lagged(transmitted, { 0, transmitted.size() }, taps.rows());
    for (Index q = 0; q < taps.cols(); q++)
        out.push_back(regressors * taps.col(q));
    return out;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
