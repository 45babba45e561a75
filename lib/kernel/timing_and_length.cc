/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/timing_and_length.h>

#include <gnuradio/reservoir/kernel/lag_sums.h>
#include <algorithm>
#include <cmath>
#include <limits>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::MatrixXcd;

namespace {

constexpr Index EARLIEST = -8, LATEST = 6, LONGEST = 16;

} // namespace

channel_window select_channel_window(const sample_streams& received,
                                     const Eigen::VectorXcd& known,
                                     row_range range,
                                     const Eigen::VectorXd& weights)
{
    const Index streams = received.size();
    const Index longest = std::min(LONGEST, std::max<Index>(range.size() / 3, 1));
    const Index latest = std::min({ LATEST, longest - 1, range.size() / 8 });
    const Index earliest = std::max(EARLIEST, -(longest - 1));
    const row_range rows = { range.first + longest - 1, range.last - latest };
    if (rows.size() < 2)
        return { 0, 1 };

    const Index lags = latest + longest;
    const bool ones = (weights.segment(rows.first, rows.size()).array() == 1.0).all();
    lag_sums sums = sum_lags(
        received, 0, known, rows, lags, -latest, ones ? Eigen::VectorXd() : weights);
    const double total = sums.weight;
    sums.gram.diagonal().array() += 1e-6 * total + 1e-12;

    channel_window best = { 0, 1 };
    double least = std::numeric_limits<double>::infinity();
    for (Index timing = earliest; timing <= latest; timing++) {
        const Index start = latest - timing;
        const Index size = std::min(longest, lags - start);
        // Cholesky, column by column: tap l explains what its pivot leaves of the cross term.
        // Eigen's would take as long again for a norm that nobody asks for.
        MatrixXcd factor = sums.gram.block(start, start, size, size);
        MatrixXcd left = sums.cross.middleRows(start, size);
        double rss = sums.energy;
        for (Index l = 0; l < size; l++) {
            const double pivot = factor(l, l).real();
            rss -= left.row(l).squaredNorm() / pivot;
            for (Index j = l + 1; j < size; j++) {
                const std::complex<double> share = factor(j, l) / pivot;
                factor.col(j).tail(size - j) -=
                    std::conj(share) * factor.col(l).tail(size - j);
                left.row(j) -= share * left.row(l);
            }
            const double criterion =
                streams * total * std::log(std::max(rss, 1e-12) / (streams * total)) +
                streams * (l + 1) * std::log(total);
            if (criterion < least) {
                least = criterion;
                best = { int(timing), int(l + 1) };
            }
        }
    }
    return best;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
