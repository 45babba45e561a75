/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_UNIT_POWER_H
#define INCLUDED_RESERVOIR_KERNEL_UNIT_POWER_H

#include "check.h"
#include <cmath>
#include <complex>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

//! The points scaled to unit mean power. \throws std::invalid_argument
inline std::vector<std::complex<float>>
unit_power(std::vector<std::complex<float>> points, const std::string& name)
{
    double power = 0.0;
    for (const auto& point : points)
        power += std::norm(std::complex<double>(point));
    power /= static_cast<double>(points.size());
    if (!(std::isfinite(power) && power > 0.0))
        reject_argument(name + " mean power", power, "finite and above 0");
    const double scale = 1.0 / std::sqrt(power);
    for (auto& point : points)
        point = std::complex<float>(scale * point.real(), scale * point.imag());
    return points;
}

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_UNIT_POWER_H */
