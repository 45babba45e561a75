/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_UNIT_POWER_POINTS_H
#define INCLUDED_RESERVOIR_UNIT_POWER_POINTS_H

#include "check.h"
#include <gnuradio/digital/constellation.h>
#include <gnuradio/gr_complex.h>
#include <cmath>
#include <vector>

namespace gr {
namespace reservoir {

//! The points scaled to unit mean power. \throws std::invalid_argument
inline std::vector<gr_complex> unit_power(std::vector<gr_complex> points,
                                          const std::string& name)
{
    double power = 0.0;
    for (const auto& point : points)
        power += std::norm(std::complex<double>(point));
    power /= static_cast<double>(points.size());
    if (!(std::isfinite(power) && power > 0.0))
        reject_argument(name + " mean power", power, "finite and above 0");
    const double scale = 1.0 / std::sqrt(power);
    for (auto& point : points)
        point = gr_complex(scale * point.real(), scale * point.imag());
    return points;
}

//! The points of a one-dimensional constellation at unit mean power.
//! \throws std::invalid_argument
inline std::vector<gr_complex>
unit_power_points(const gr::digital::constellation_sptr& constellation)
{
    if (!constellation)
        reject_argument("constellation", "none", "a constellation");
    if (constellation->dimensionality() != 1)
        reject_argument("constellation dimensionality",
                        constellation->dimensionality(),
                        "1 complex number a symbol");
    auto points = constellation->points();
    if (points.size() < 2)
        reject_argument("constellation size", points.size(), "at least 2 points");
    return unit_power(std::move(points), "constellation");
}

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_UNIT_POWER_POINTS_H */
