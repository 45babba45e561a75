/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/decision_device.h"

#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {

namespace {

gr_complex nearest(const std::vector<gr_complex>& points, gr_complex value)
{
    return *std::min_element(points.begin(), points.end(), [value](auto a, auto b) {
        return std::norm(a - value) < std::norm(b - value);
    });
}

} // namespace

bool lie_on(const std::vector<gr_complex>& points, const std::vector<gr_complex>& symbols)
{
    return std::all_of(symbols.begin(), symbols.end(), [&points](gr_complex symbol) {
        return std::any_of(points.begin(), points.end(), [symbol](gr_complex point) {
            return std::norm(point - symbol) <= 1e-6F * std::norm(point);
        });
    });
}

decision_device::decision_device(const digital::constellation_sptr& constellation)
    : decision_device(constellation->points())
{
}

decision_device::decision_device(const std::vector<gr_complex>& points) : d_raw(points)
{
    double power = 0.0;
    for (const auto& point : d_raw)
        power += std::norm(point) / d_raw.size();
    const float scale = power > 0.0 ? 1.0 / std::sqrt(power) : 1.0;
    for (const auto& point : d_raw)
        d_unit.push_back(scale * point);
    d_points = d_unit;
}

void decision_device::fit_scale(const std::vector<gr_complex>& pilots)
{
    d_points = lie_on(d_raw, pilots) ? d_raw : d_unit;
}

gr_complex decision_device::decide(gr_complex value) const
{
    return nearest(d_points, value);
}

} // namespace reservoir
} // namespace gr
