/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_DECISION_DEVICE_H
#define INCLUDED_RESERVOIR_DETECTOR_DECISION_DEVICE_H

#include <gnuradio/digital/constellation.h>
#include <gnuradio/gr_complex.h>
#include <vector>

namespace gr {
namespace reservoir {

//! Whether every symbol is one of the points, to 1e-3 of the point's modulus.
bool lie_on(const std::vector<gr_complex>& points,
            const std::vector<gr_complex>& symbols);

/*!
 * \brief Slices to the nearest constellation point, in the units of the pilots.
 */
class decision_device
{
public:
    explicit decision_device(const digital::constellation_sptr& constellation);
    explicit decision_device(const std::vector<gr_complex>& points);

    /*!
     * Takes the raw or the unit-power points, whichever every pilot lies on; unit power if neither
     * (pilots need not be constellation points).
     */
    void fit_scale(const std::vector<gr_complex>& pilots);

    gr_complex decide(gr_complex value) const;

    const std::vector<gr_complex>& points() const { return d_points; }

private:
    std::vector<gr_complex> d_raw, d_unit, d_points;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_DECISION_DEVICE_H */
