/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/soft_demapper.h"

#include <gnuradio/reservoir/detector.h>
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {

namespace {

float prior_ratio(const float* priors, size_t k)
{
    if (!priors || std::isnan(priors[k]))
        return 0.0f;
    return std::clamp(priors[k], -detector::MAX_PRIOR_LLR, detector::MAX_PRIOR_LLR);
}

} // namespace

soft_demapper::soft_demapper(const constellation_points& constellation)
    : d_decide(constellation.points),
      d_bits(constellation.labels),
      d_likelihoods(d_bits.num_points())
{
}

void soft_demapper::fit_scale(const stream_matrix& pilots)
{
    std::vector<gr_complex> known;
    for (const auto& row : pilots)
        std::copy_if(row.begin(), row.end(), std::back_inserter(known), is_known);
    d_decide.fit_scale(known);
}

void soft_demapper::demap(const gr_complex* symbols,
                          size_t count,
                          double variance,
                          const float* priors,
                          float* llrs)
{
    const std::vector<gr_complex>& points = d_decide.points();
    const size_t num_bits = bits();
    const float scale =
        std::isfinite(variance) ? 1.0f / std::max(float(variance), 1e-20f) : 0.0f;
    std::vector<float> of_points;
    if (priors)
        of_points = log_priors(priors, count);
    for (size_t n = 0; n < count; n++) {
        for (size_t m = 0; m < points.size(); m++)
            d_likelihoods[m] = -scale * std::norm(symbols[n] - points[m]) +
                               (priors ? of_points[n * points.size() + m] : 0.0f);
        demap_posteriors(d_likelihoods.data(),
                         1,
                         priors ? priors + n * num_bits : nullptr,
                         llrs + n * num_bits);
    }
}

void soft_demapper::demap_posteriors(const float* posteriors,
                                     size_t count,
                                     const float* priors,
                                     float* llrs) const
{
    const size_t total = count * bits();
    d_bits.ratios(posteriors, count, llrs);
    for (size_t k = 0; k < total; k++)
        llrs[k] -= prior_ratio(priors, k);
    kernel::clip_ratios(llrs, total, detector::MAX_LLR);
}

std::vector<float> soft_demapper::log_priors(const float* priors, size_t count) const
{
    std::vector<float> clipped(count * bits());
    for (size_t k = 0; k < clipped.size(); k++)
        clipped[k] = prior_ratio(priors, k);
    std::vector<float> of_points(count * d_bits.num_points());
    d_bits.log_priors(clipped.data(), count, of_points.data());
    return of_points;
}

void soft_demapper::demap_known(gr_complex symbol, float* llrs) const
{
    const std::vector<gr_complex>& points = d_decide.points();
    const auto nearest =
        std::min_element(points.begin(), points.end(), [symbol](auto a, auto b) {
            return std::norm(a - symbol) < std::norm(b - symbol);
        });
    const int label = d_bits.labels()[nearest - points.begin()];
    for (int b = 0; b < bits(); b++)
        llrs[b] = label >> (bits() - 1 - b) & 1 ? detector::MAX_LLR : -detector::MAX_LLR;
}

} // namespace reservoir
} // namespace gr
