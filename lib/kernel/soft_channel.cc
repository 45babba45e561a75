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

soft_channel estimate_soft_channel(const sample_streams& received,
                                   const soft_symbols& symbols,
                                   channel_window window,
                                   row_range rows,
                                   double ridge)
{
    constexpr double LEAST_NOISE = 1e-4; // over the channel's power
    const Index length = window.length, streams = received.size();
    rows.first =
        std::max<Index>({ rows.first, length - 1, Index(std::max(window.timing, 0)) });
    lag_sums sums = sum_lags(received, window.timing, symbols.mean, rows, length);
    for (Index l = 0; l < length; l++)
        sums.gram(l, l) += symbols.variance.segment(rows.first - l, rows.size()).sum();

    soft_channel found = { sums.taps(ridge), Eigen::VectorXd(streams) };
    const double count = rows.size();
    const double correction =
        (1.0 + length / count) / std::max<double>(count - length, 1.0);
    const double least = LEAST_NOISE * found.taps.squaredNorm() / streams + 1e-30;
    for (Index q = 0; q < streams; q++) {
        lag_sums own(length, 1);
        own.gram = sums.gram;
        own.cross = sums.cross.col(q);
        own.energy =
            received[q]
                .segment(rows.first - window.timing,
                         std::min<Index>(rows.size(),
                                         received[q].size() - rows.first + window.timing))
                .squaredNorm();
        found.noise_variance(q) =
            std::max(correction * own.residual(found.taps.col(q)), least);
    }
    return found;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
