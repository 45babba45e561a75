/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_UNIT_POWER_POINTS_H
#define INCLUDED_RESERVOIR_UNIT_POWER_POINTS_H

#include "check.h"
#include "kernel/unit_power.h"
#include <gnuradio/digital/constellation.h>
#include <gnuradio/gr_complex.h>
#include <vector>

namespace gr {
namespace reservoir {

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
