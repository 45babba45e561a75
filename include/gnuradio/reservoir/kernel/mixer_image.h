/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_MIXER_IMAGE_H
#define INCLUDED_RESERVOIR_KERNEL_MIXER_IMAGE_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/kernel/channel_estimate.h>
#include <Eigen/Core>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief The image that a receiver with unequal I and Q branches makes: r = a x + b x*, of each antenna
 * b / a* by least squares (Valkama et al., 2001).
 *
 * \param received a vector per antenna
 * \param expected x, without noise, as long or shorter
 * \param rows that are fitted
 * \return zero for antennas that do better without, by the Bayesian information criterion
 */
RESERVOIR_API Eigen::VectorXcd fit_mixer_image(const sample_streams& received,
                                               const sample_streams& expected,
                                               row_range rows);

//! (r - c r*) / (1 - |c|^2), c of fit_mixer_image: x again, but for a gain.
RESERVOIR_API sample_streams without_image(const sample_streams& received,
                                           const Eigen::VectorXcd& image);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_MIXER_IMAGE_H */
