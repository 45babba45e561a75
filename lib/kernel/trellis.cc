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
 * branch is a newest symbol before a state; without its oldest it is the new state.
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
    const size_t streams = taps.cols();
    const size_t branches = d_metric.size() * d_order;
    d_energy.assign(branches, 0.0f);
    d_twice_re.resize(streams * branches);
    d_twice_im.resize(streams * branches);
    d_samples_re.resize(streams);
    d_samples_im.resize(streams);
    const Index last = std::min(first_free + num_free, taps.rows());
    for (size_t q = 0; q < streams; q++) {
        // one more digit with every tap
        std::vector<gr_complex> expected = { 0.0f }, longer;
        for (Index l = 0; l < d_length; l++) {
            const bool free = l >= first_free && l < last;
            longer.clear();
            std::vector<gr_complex> parts(d_order, 0.0f);
            for (size_t m = 0; m < d_order && free; m++)
                parts[m] = taps(l, q) * d_points[m];
            for (const gr_complex sum : expected)
                for (const gr_complex part : parts)
                    longer.push_back(sum + part);
            expected.swap(longer);
        }
        float *re = &d_twice_re[q * branches], *im = &d_twice_im[q * branches];
        size_t branch = 0; // its oldest symbol is its last digit, and is to stand second
        for (size_t newest = 0; newest < d_order; newest++)
            for (size_t state = 0; state < d_between; state++)
                for (size_t oldest = 0; oldest < d_order; oldest++, branch++) {
                    const size_t place = (newest * d_order + oldest) * d_between + state;
                    d_energy[place] += std::norm(expected[branch]);
                    re[place] = 2.0f * expected[branch].real();
                    im[place] = 2.0f * expected[branch].imag();
                }
    }
}

void trellis::step(const gr_complex* samples, float weight)
{
    constexpr size_t ROWS_BETWEEN_TRIMS = 16;
    const size_t states = d_metric.size();
    for (size_t q = 0; q < d_samples_re.size(); q++) {
        d_samples_re[q] = weight * samples[q].real();
        d_samples_im[q] = weight * samples[q].imag();
    }
    d_oldest.resize((d_rows + 1) * states);
    simd::continue_paths({ d_order,
                           d_between,
                           d_metric.data(),
                           d_energy.data(),
                           d_twice_re.data(),
                           d_twice_im.data(),
                           d_samples_re.size(),
                           d_samples_re.data(),
                           d_samples_im.data(),
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
