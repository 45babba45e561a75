/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/joint_channel.h>

#include "kernel/hermitian_solve.h"
#include "kernel/signal_loops.h"
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

// Known symbols of every stream so that lag l of row i is streams[m](lags - 1 + i - l).
struct known_streams {
    sample_streams streams;
    Index lags, count;

    known_streams(const sample_streams& sent,
                  row_range rows,
                  Index num_lags,
                  Index first_lag)
        : lags(num_lags), count(rows.size())
    {
        for (const auto& symbols : sent)
            streams.push_back(
                lagged(symbols, { rows.first - num_lags + 1, rows.last }, 1, first_lag));
    }
    std::complex<double> operator()(Index row, Index stream, Index lag) const
    {
        return streams[stream](lags - 1 + row - lag);
    }
    //! Row l M + m: sum of conj(lag l of stream m) with other, over the rows.
    VectorXcd products(const std::complex<double>* other) const
    {
        const Index size = streams.size();
        VectorXcd found(lags * size), own(lags);
        for (Index m = 0; m < size; m++) {
            simd::correlate(streams[m].data() + lags - 1, other, count, lags, own.data());
            for (Index l = 0; l < lags; l++)
                found(l * size + m) = own(l);
        }
        return found;
    }
};

// Each block follows from the one above and left of it, which saw the same products but one.
void set_joint_gram(MatrixXcd& gram, const known_streams& known)
{
    const Index streams = known.streams.size();
    for (Index m = 0; m < streams; m++)
        gram.col(m) = known.products(known.streams[m].data() + known.lags - 1);
    for (Index c = streams; c < gram.cols(); c++)
        for (Index r = c; r < gram.rows(); r++) {
            const Index l = r / streams, m = r % streams, j = c / streams,
                        k = c % streams;
            gram(r, c) = gram(r - streams, c - streams) +
                         std::conj(known(0, m, l)) * known(0, k, j) -
                         std::conj(known(known.count, m, l)) * known(known.count, k, j);
        }
    for (Index c = 0; c < gram.cols(); c++)
        for (Index r = 0; r < c; r++)
            gram(r, c) = std::conj(gram(c, r));
}

/*
 * Of the noise covariance of so many rows that leave sum of conj(e_q) e_q'. As if as many rows more
 * as there are streams had shown equal noise, so that few rows do not explain it all.
 */
double log_determinant(const MatrixXcd& residual, double rows)
{
    const Index size = residual.rows();
    const double mean = std::max(residual.trace().real() / (size * rows), 1e-12);
    MatrixXcd covariance = residual;
    covariance.diagonal().array() += size * mean;
    covariance /= rows + size;
    const MatrixXcd factor = Eigen::LLT<MatrixXcd>(covariance).matrixL();
    return 2.0 * factor.diagonal().real().array().log().sum();
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
    const known_streams known(sent, rows, lags, first_lag);
    joint_sums sums;
    sums.streams = sent.size();
    sums.weight = rows.size();
    const Index size = lags * sums.streams, inputs = received.size();
    sums.gram.resize(size, size);
    set_joint_gram(sums.gram, known);
    MatrixXcd outputs(rows.size(), inputs);
    sums.cross.resize(size, inputs);
    for (Index q = 0; q < inputs; q++) {
        outputs.col(q) = lagged(received[q], rows, 1, timing);
        sums.cross.col(q) = known.products(outputs.col(q).data());
    }
    sums.received = outputs.adjoint() * outputs;
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
    // row l M + m: what lag start + l of stream m explains beyond those before it
    const auto shares_of = [&](Index start, Index size) -> MatrixXcd {
        const Index first = start * streams, count = size * streams;
        const Eigen::LLT<MatrixXcd> factor(sums.gram.block(first, first, count, count));
        return factor.matrixL().solve(sums.cross.middleRows(first, count));
    };
    const auto criterion = [&](double determinant, Index length) {
        return total * determinant + inputs * streams * length * std::log(total);
    };
    // no window leaves less than all lags do: those that cannot win any more are not tried
    const MatrixXcd all = shares_of(0, lags);
    const double by_all =
        log_determinant(sums.received - MatrixXcd(all.adjoint() * all), total);
    channel_window best = { 0, 1 };
    double least = std::numeric_limits<double>::infinity();
    // of two timings that explain as much, the one nearer to the pilots'
    for (Index place = 0; place <= 2 * std::max(latest, -earliest); place++) {
        const Index timing = place % 2 ? -(place + 1) / 2 : place / 2;
        if (timing > latest || timing < earliest)
            continue;
        const Index start = latest - timing;
        Index size = std::min(longest, lags - start);
        while (size > 0 && criterion(by_all, size) >= least)
            size--;
        if (size == 0)
            continue;
        const MatrixXcd shares = shares_of(start, size);
        MatrixXcd left = sums.received;
        for (Index length = 1; length <= size && criterion(by_all, length) < least;
             length++) {
            const auto share = shares.middleRows((length - 1) * streams, streams);
            left -= share.adjoint() * share;
            const double found = criterion(log_determinant(left, total), length);
            if (found < least) {
                least = found;
                best = { int(timing), int(length) };
            }
        }
    }
    return best;
}

MatrixXcd stream_taps(const MatrixXcd& taps, Index stream, Index streams)
{
    MatrixXcd own(taps.rows() / streams, taps.cols());
    for (Index l = 0; l < own.rows(); l++)
        own.row(l) = taps.row(l * streams + stream);
    return own;
}

sample_streams joint_channel_output(const sample_streams& sent, const MatrixXcd& taps)
{
    sample_streams sum(taps.cols(), VectorXcd::Zero(sent[0].size()));
    for (size_t m = 0; m < sent.size(); m++) {
        const sample_streams part =
            channel_output(sent[m], stream_taps(taps, m, sent.size()));
        for (size_t q = 0; q < sum.size(); q++)
            sum[q] += part[q];
    }
    return sum;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
