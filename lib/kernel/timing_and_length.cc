/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/timing_and_length.h>

#include <gnuradio/reservoir/kernel/lag_sums.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::MatrixXcd;

namespace {

constexpr Index EARLIEST = -8, LATEST = 6, LONGEST = 16;
constexpr Index LAGS = LATEST + LONGEST;

/*
 * The energy that is left by one tap, two taps, ... from lag start on, from one Cholesky
 * factorisation by columns: tap l explains what its pivot leaves of the cross term. Parts apart,
 * so that the compiler makes vectors of the innermost loop, where all the time goes.
 */
std::vector<double> left_by_lengths(const lag_sums& sums, Index start, Index size)
{
    const Index streams = sums.cross.cols();
    double re[LAGS][LAGS], im[LAGS][LAGS]; // by columns, from the diagonal down
    for (Index c = 0; c < size; c++)
        for (Index r = c; r < size; r++) {
            re[c][r] = sums.gram(start + r, start + c).real();
            im[c][r] = sums.gram(start + r, start + c).imag();
        }
    MatrixXcd cross = sums.cross.middleRows(start, size);
    double energy = sums.energy;
    std::vector<double> left;
    for (Index l = 0; l < size; l++) {
        const double share = 1.0 / re[l][l];
        for (Index q = 0; q < streams; q++)
            energy -= share * std::norm(cross(l, q));
        left.push_back(energy);
        for (Index j = l + 1; j < size; j++) {
            const double x = share * re[l][j], y = share * im[l][j];
            for (Index r = j; r < size; r++) {
                re[j][r] -= x * re[l][r] + y * im[l][r];
                im[j][r] -= x * im[l][r] - y * re[l][r];
            }
            for (Index q = 0; q < streams; q++)
                cross(j, q) -=
                    std::complex<double>(x * cross(l, q).real() - y * cross(l, q).imag(),
                                         x * cross(l, q).imag() + y * cross(l, q).real());
        }
    }
    return left;
}

} // namespace

window_limits channel_window_limits(Index in_a_row)
{
    const Index longest = std::min(LONGEST, std::max<Index>(in_a_row / 3, 1));
    return { std::max(EARLIEST, -(longest - 1)),
             std::min({ LATEST, longest - 1, in_a_row / 8 }),
             longest };
}

channel_window select_channel_window(const sample_streams& received,
                                     const Eigen::VectorXcd& known,
                                     row_range range,
                                     const Eigen::VectorXd& weights,
                                     Index in_a_row)
{
    const Index streams = received.size();
    const auto [earliest, latest, longest] =
        channel_window_limits(in_a_row < 0 ? range.size() : in_a_row);
    const row_range rows = { range.first + longest - 1, range.last - latest };
    if (rows.size() < 2)
        return { 0, 1 };

    const Index lags = latest + longest;
    const bool ones = (weights.segment(rows.first, rows.size()).array() == 1.0).all();
    lag_sums sums = sum_lags(
        received, 0, known, rows, lags, -latest, ones ? Eigen::VectorXd() : weights);
    const double total = sums.weight;
    if (total < 2.0)
        return { 0, 1 };
    sums.gram.diagonal().array() += 1e-6 * total + 1e-12;

    const auto criterion = [&](double left, Index length) {
        return streams * total * std::log(std::max(left, 1e-12) / (streams * total)) +
               streams * length * std::log(total);
    };
    channel_window best = { 0, 1 };
    double least = std::numeric_limits<double>::infinity();
    // no window leaves less than all lags do: those that cannot win any more are not tried
    const double by_all = left_by_lengths(sums, 0, lags).back();
    const auto try_timing = [&, longest = longest, latest = latest](Index timing) {
        const Index start = latest - timing;
        Index size = std::min(longest, lags - start);
        while (size > 0 && criterion(by_all, size) >= least)
            size--;
        const std::vector<double> left = left_by_lengths(sums, start, size);
        for (Index length = 1; length <= size; length++) {
            const double found = criterion(left[length - 1], length);
            if (found < least) {
                least = found;
                best = { int(timing), int(length) };
            }
        }
    };
    for (Index distance = 0; distance <= std::max(latest, -earliest); distance++) {
        if (distance <= latest)
            try_timing(distance);
        if (distance > 0 && -distance >= earliest)
            try_timing(-distance);
    }
    return best;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
