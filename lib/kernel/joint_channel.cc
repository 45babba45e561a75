/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/joint_channel.h>

#include "kernel/hermitian_solve.h"
#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;

namespace {

// Each block follows from the one above and left of it, which saw the same products but one.
void set_joint_gram(MatrixXcd& gram,
                    const sample_streams& sent,
                    row_range rows,
                    Index lags,
                    Index first_lag)
{
    const Index streams = sent.size(), count = rows.size();
    // lag l of row i of stream m: known[m](lags - 1 + i - l)
    sample_streams known;
    for (const auto& symbols : sent)
        known.push_back(
            lagged(symbols, { rows.first - lags + 1, rows.last }, 1, first_lag));
    const auto entry = [&](Index a, Index b) -> std::complex<double>& {
        return gram(a, b);
    };
    for (Index l = 0; l < lags; l++)
        for (Index m = 0; m < streams; m++)
            for (Index k = 0; k < streams; k++)
                entry(l * streams + m, k) = known[m]
                                                .segment(lags - 1 - l, count)
                                                .dot(known[k].segment(lags - 1, count));
    for (Index c = streams; c < gram.cols(); c++)
        for (Index r = c; r < gram.rows(); r++) {
            const Index l = r / streams, j = c / streams;
            const VectorXcd &x = known[r % streams], &y = known[c % streams];
            entry(r, c) = entry(r - streams, c - streams) +
                          std::conj(x(lags - 1 - l)) * y(lags - 1 - j) -
                          std::conj(x(lags - 1 + count - l)) * y(lags - 1 + count - j);
        }
    for (Index c = 0; c < gram.cols(); c++)
        for (Index r = 0; r < c; r++)
            entry(r, c) = std::conj(entry(c, r));
}

} // namespace

MatrixXcd joint_sums::taps(double ridge) const
{
    MatrixXcd loaded = gram;
    loaded.diagonal().array() += ridge * weight + 1e-12;
    return hermitian_solve(loaded, cross);
}

MatrixXcd joint_sums::residual(const MatrixXcd& taps) const
{
    const MatrixXcd explained = taps.adjoint() * cross;
    return received - explained - explained.adjoint() + taps.adjoint() * gram * taps;
}

joint_sums sum_joint_lags(const sample_streams& received,
                          Index timing,
                          const sample_streams& sent,
                          row_range rows,
                          Index lags,
                          Index first_lag)
{
    joint_sums sums;
    sums.streams = sent.size();
    sums.weight = rows.size();
    const Index size = lags * sums.streams, inputs = received.size();
    sums.gram = MatrixXcd::Zero(size, size);
    set_joint_gram(sums.gram, sent, rows, lags, first_lag);
    MatrixXcd outputs(rows.size(), inputs);
    for (Index q = 0; q < inputs; q++)
        outputs.col(q) = lagged(received[q], rows, 1, timing);
    sums.received = outputs.adjoint() * outputs;
    sums.cross.resize(size, inputs);
    for (Index m = 0; m < sums.streams; m++) {
        const VectorXcd known =
            lagged(sent[m], { rows.first - lags + 1, rows.last }, 1, first_lag);
        for (Index l = 0; l < lags; l++)
            for (Index q = 0; q < inputs; q++)
                sums.cross(l * sums.streams + m, q) =
                    known.segment(lags - 1 - l, rows.size()).dot(outputs.col(q));
    }
    return sums;
}

channel_window select_joint_window(const sample_streams& received,
                                   const sample_streams& sent,
                                   row_range range)
{
    const Index inputs = received.size(), streams = sent.size();
    const auto [earliest, latest, longest] =
        channel_window_limits(range.size() / streams);
    const row_range rows = { range.first + longest - 1, range.last - latest };
    if (rows.size() < 2)
        return { 0, 1 };
    const Index lags = latest + longest;
    joint_sums sums = sum_joint_lags(received, 0, sent, rows, lags, -latest);
    const double total = sums.weight;
    sums.gram.diagonal().array() += 1e-6 * total + 1e-12;
    const double energy = sums.received.trace().real();
    channel_window best = { 0, 1 };
    double least = std::numeric_limits<double>::infinity();
    // of two timings that explain as much, the one nearer to the pilots'
    for (Index place = 0; place <= 2 * std::max(latest, -earliest); place++) {
        const Index timing = place % 2 ? -(place + 1) / 2 : place / 2;
        if (timing > latest || timing < earliest)
            continue;
        const Index start = latest - timing, size = std::min(longest, lags - start);
        const Eigen::LLT<MatrixXcd> factor(sums.gram.block(
            start * streams, start * streams, size * streams, size * streams));
        const MatrixXcd shares = factor.matrixL().solve(
            sums.cross.middleRows(start * streams, size * streams));
        double left = energy;
        for (Index length = 1; length <= size; length++) {
            left -= shares.middleRows((length - 1) * streams, streams).squaredNorm();
            const double found =
                inputs * total * std::log(std::max(left, 1e-12) / (inputs * total)) +
                inputs * streams * length * std::log(total);
            if (found < least) {
                least = found;
                best = { int(timing), int(length) };
            }
        }
    }
    return best;
}

sample_streams joint_channel_output(const sample_streams& sent, const MatrixXcd& taps)
{
    const Index streams = sent.size(), length = taps.rows() / streams;
    sample_streams sum(taps.cols(), VectorXcd::Zero(sent[0].size()));
    for (Index m = 0; m < streams; m++) {
        MatrixXcd own(length, taps.cols());
        for (Index l = 0; l < length; l++)
            own.row(l) = taps.row(l * streams + m);
        const sample_streams part = channel_output(sent[m], own);
        for (Index q = 0; q < taps.cols(); q++)
            sum[q] += part[q];
    }
    return sum;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
