/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_POWER_STEPS_H
#define INCLUDED_RESERVOIR_KERNEL_POWER_STEPS_H

#include <gnuradio/reservoir/api.h>
#include <Eigen/Core>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief Where the mean power of a signal jumps: the first samples behind the jumps, ascending.
 *
 * A jump is where the likelihood of two variances, of complex Gaussian samples, is larger than that of one by
 * a given factor (generalised likelihood ratio: M. Basseville and I. V. Nikiforov 1993, chapter 2), first in
 * windows, then among all samples between the jumps around it. Fading that is fast looks like jumps, too.
 *
 * \param powers of the samples, 0 or more
 * \param least_log_ratio logarithm of the factor, above 0
 * \param window samples on each side of a jump, 16 or more; near the ends as many as there are, at least 12
 */
RESERVOIR_API std::vector<Eigen::Index> find_power_steps(const Eigen::VectorXd& powers,
                                                         double least_log_ratio,
                                                         Eigen::Index window);

/*!
 * \brief Of the places less than `most` samples from one, that of the likeliest step.
 * \param advantages log-likelihood that is won where a sample comes before the step, not behind it
 */
RESERVOIR_API Eigen::Index
likeliest_step(const Eigen::VectorXd& advantages, Eigen::Index place, Eigen::Index most);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_POWER_STEPS_H */
