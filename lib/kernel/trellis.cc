/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/trellis.h>

#include "check.h"
#include "kernel/trellis_loops.h"
#include <algorithm>
#include <string>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;

/*
 * A state's digits, in the number of points, are its symbols, the newest the most significant. A
 * branch is a newest symbol before a state; without its oldest it is the new state. What is
 * expected of a branch is the sum of three parts: of its newest symbol, of its oldest, and of
 * those between.
 */

bool trellis::fits(size_t num_points, Index length, size_t max_branches)
{
    size_t branches = 1;
    for (Index l = 0; l < length; l++) {
        branches *= num_points;
        if (branches > max_branches)
            return false;
    }
    return true;
}

trellis::trellis(const Eigen::VectorXcf& points, Index length)
    : d_order(points.size()),
      d_length(std::max<Index>(length, 2)), // of a single tap, the second is zero
      d_points(points)
{
    require(d_order >= 2 && d_order <= 256, "points", d_order, "2 to 256");
    require(length >= 1, "channel", "empty", "at least one tap");
    require(fits(d_order, length, MAX_BRANCHES),
            "channel",
            std::to_string(length) + " taps",
            "so short that points to its power is at most 2^20");
    d_between = 1;
    for (Index l = 2; l < d_length; l++)
        d_between *= d_order;
    d_metric.assign(d_order * d_between, 0.0f);
    d_by_oldest = d_next = d_metric;
}

void trellis::start(const std::vector<int>& past)
{
    constexpr float IMPOSSIBLE = 1e30f;
    size_t state = 0;
    for (Index l = 0; l + 1 < d_length; l++)
        state = state * d_order + (size_t(l) < past.size() ? past[l] : 0);
    std::fill(d_metric.begin(), d_metric.end(), IMPOSSIBLE);
    d_metric[state] = 0.0f;
}

void trellis::reserve(size_t num_rows) { d_oldest.reserve(num_rows * d_metric.size()); }

void trellis::set_channel(const Eigen::MatrixXcf& taps, Index first_free, Index num_free)
{
    const Index last = std::min(first_free + num_free, taps.rows());
    const auto is_free = [&](Index l) { return l >= first_free && l < last; };
    // one by one: Eigen loads a complex<float> factor as a double, which is aligned otherwise
    const auto times = [this](std::complex<float> tap) {
        return d_points.unaryExpr(
            [tap](const std::complex<float>& point) { return tap * point; });
    };
    d_newest = d_oldest_part = Eigen::MatrixXcf::Zero(d_order, taps.cols());
    d_between_part = Eigen::MatrixXcf::Zero(d_between, taps.cols());
    for (Index q = 0; q < taps.cols(); q++) {
        if (is_free(0))
            d_newest.col(q) = times(taps(0, q));
        if (is_free(d_length - 1))
            d_oldest_part.col(q) = times(taps(d_length - 1, q));
        size_t period =
            d_between; // of the digit of this age, the newest the most significant
        for (Index l = 1; l + 1 < d_length; l++) {
            period /= d_order;
            for (size_t state = 0; state < d_between && is_free(l); state++)
                d_between_part(state, q) +=
                    taps(l, q) * d_points(state / period % d_order);
        }
    }
    d_between_re = d_between_part.real();
    d_between_im = d_between_part.imag();
    d_energy = d_oldest_part.rowwise().squaredNorm();
}

void trellis::step(const gr_complex* samples, float weight)
{
    constexpr size_t ROWS_BETWEEN_TRIMS = 16;
    const size_t states = d_metric.size(), streams = d_newest.cols();
    d_newest_re = -d_newest.real();
    d_newest_im = -d_newest.imag();
    for (size_t q = 0; q < streams; q++) {
        d_newest_re.col(q).array() += samples[q].real();
        d_newest_im.col(q).array() += samples[q].imag();
    }
    d_oldest_re = 2.0f * weight * d_oldest_part.real();
    d_oldest_im = 2.0f * weight * d_oldest_part.imag();
    d_weighted_energy = weight * d_energy;
    d_oldest.resize((d_rows + 1) * states);
    simd::continue_paths({ d_order,
                           d_between,
                           d_metric.data(),
                           streams,
                           d_newest_re.data(),
                           d_newest_im.data(),
                           d_between_re.data(),
                           d_between_im.data(),
                           d_oldest_re.data(),
                           d_oldest_im.data(),
                           d_weighted_energy.data(),
                           weight },
                         d_by_oldest.data(),
                         d_next.data(),
                         &d_oldest[d_rows * states]);
    d_metric.swap(d_next);
    d_rows++;
    if (d_rows % ROWS_BETWEEN_TRIMS == 0) {
        const float least = *std::min_element(d_metric.begin(), d_metric.end());
        for (float& metric : d_metric)
            metric -= least;
    }
}

std::vector<int> trellis::trace() const
{
    std::vector<int> symbols(d_rows);
    size_t state = std::min_element(d_metric.begin(), d_metric.end()) - d_metric.begin();
    for (size_t n = d_rows; n-- > 0;) {
        symbols[n] = state / d_between;
        state = state % d_between * d_order + d_oldest[n * d_metric.size() + state];
    }
    return symbols;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
