/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_CONSTELLATION_WARP_H
#define INCLUDED_RESERVOIR_KERNEL_CONSTELLATION_WARP_H

#include <gnuradio/reservoir/kernel/channel_estimate.h>

namespace gr {
namespace reservoir {
namespace kernel {

//! The ring of each point: points of equal modulus share one, rings count outwards from 0.
RESERVOIR_API std::vector<int> amplitude_rings(const Eigen::VectorXcd& points);

//! What fit_constellation_warp finds.
struct constellation_warp {
    //! whether the warp pays off by the Bayesian information criterion
    bool used;
    Eigen::VectorXcd gains; //!< one per ring; all 1 if the warp is not used
};

/*!
 * \brief How a transmitter's amplifier moves the rings of a constellation.
 *
 * r = h * (g_ring(x) x): alternates three times the least-squares estimate of h for given gains
 * and that of the gains for given h; then the gains are scaled so that the warped constellation
 * has unit mean power and no mean rotation. Used if
 * n log v1 + (rings - 1) log n < n log v0, v the mean squared residual with and without.
 *
 * \param received one stream
 * \param known symbols, unwarped
 * \param rings ring of each symbol, -1 where there is none
 * \param points of the constellation, unit mean power
 * \param rows, weights, length as in estimate_channel
 */
RESERVOIR_API constellation_warp fit_constellation_warp(const Eigen::VectorXcd& received,
                                                        const Eigen::VectorXcd& known,
                                                        const std::vector<int>& rings,
                                                        const Eigen::VectorXcd& points,
                                                        row_range rows,
                                                        const Eigen::VectorXd& weights,
                                                        Eigen::Index length);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_CONSTELLATION_WARP_H */
