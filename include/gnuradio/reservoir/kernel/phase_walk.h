/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_PHASE_WALK_H
#define INCLUDED_RESERVOIR_KERNEL_PHASE_WALK_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/kernel/channel_estimate.h>
#include <Eigen/Core>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief The phase of an oscillator that all antennas share, sample by sample.
 *
 * A random walk, seen where received is compared with what was expected, in blocks of a few samples:
 * Kalman filter and Rauch-Tung-Striebel smoother, linear in between. The variance of its steps is the
 * likeliest of several by the decomposition into prediction errors (Harvey, 1989).
 *
 * \param received, expected a vector per antenna, at least rows.last long
 * \param rows that are compared
 * \return a phase for each sample before rows.last, in radians; empty where a phase that stands still is as
 *         likely, by the Bayesian information criterion
 */
RESERVOIR_API Eigen::VectorXd fit_phase_walk(const sample_streams& received,
                                             const sample_streams& expected,
                                             row_range rows);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_PHASE_WALK_H */
