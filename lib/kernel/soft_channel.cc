/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/soft_channel.h>

#include <gnuradio/reservoir/kernel/lag_sums.h>
#include <algorithm>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;

namespace {

// sum w[n] |values[n]|^2 over count of them from first on; those that there are not count as zero
double energy(const Eigen::VectorXcd& values, Index first, const Eigen::VectorXd& weights)
{
    const Index count = std::clamp<Index>(values.size() - first, 0, weights.size());
    return weights.head(count).dot(values.segment(first, count).cwiseAbs2());
}

} // namespace

soft_channel estimate_soft_channel(const sample_streams& received,
                                   const soft_symbols& symbols,
                                   channel_window window,
                                   row_range rows,
                                   const Eigen::VectorXd& weights,
                                   double ridge)
{
    constexpr double LEAST_NOISE = 1e-4; // over the channel's power
    const Index length = window.length, streams = received.size();
    rows.first =
        std::max<Index>({ rows.first, length - 1, Index(std::max(window.timing, 0)) });
    const Index size = rows.size();
    const Eigen::VectorXd used = weights.size() == 0
                                     ? Eigen::VectorXd(Eigen::VectorXd::Ones(size))
                                     : weights.segment(rows.first, size);
    lag_sums sums =
        sum_lags(received, window.timing, symbols.mean, rows, length, 0, weights);
    for (Index l = 0; l < length; l++)
        sums.gram(l, l) += used.dot(symbols.variance.segment(rows.first - l, size));

    soft_channel found = { sums.taps(ridge), Eigen::VectorXd(streams) };
    const double count = sums.weight * sums.weight / used.squaredNorm();
    const double correction = (1.0 + length / count) /
                              std::max(1.0 - length / count, 1.0 / count) / sums.weight;
    const double least = LEAST_NOISE * found.taps.squaredNorm() / streams + 1e-30;
    for (Index q = 0; q < streams; q++) {
        lag_sums own(length, 1);
        own.gram = sums.gram;
        own.cross = sums.cross.col(q);
        own.energy = energy(received[q], rows.first - window.timing, used);
        found.noise_variance(q) =
            std::max(correction * own.residual(found.taps.col(q)), least);
    }
    return found;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
