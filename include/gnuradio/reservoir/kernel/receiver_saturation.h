/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_RECEIVER_SATURATION_H
#define INCLUDED_RESERVOIR_KERNEL_RECEIVER_SATURATION_H

#include <gnuradio/reservoir/kernel/channel_estimate.h>

namespace gr {
namespace reservoir {
namespace kernel {

//! What linearise_receiver finds.
struct linearised_receiver {
    bool used; //!< whether it pays off by the Bayesian information criterion
    Eigen::VectorXcd samples; //!< g^-1(r); r itself if it is not used
    double residual;          //!< mean of |r - g(s)|^2; of |r - s|^2 if it is not used
};

/*!
 * \brief Fits r = g(s), s = h * x, with g(s) = g1 s + g3 s |s|^2 + g5 s |s|^4, and inverts g.
 *
 * The saturation of a receiver: alternates three times the least-squares estimate of g for given
 * h and that of h for the inverted input. g is inverted on a grid of radii up to three times the
 * rms, as far as |g| grows.
 *
 * \param received one stream
 * \param known symbols of unit mean power
 * \param rows, length as in estimate_channel
 */
RESERVOIR_API linearised_receiver linearise_receiver(const Eigen::VectorXcd& received,
                                                     const Eigen::VectorXcd& known,
                                                     row_range rows,
                                                     Eigen::Index length);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_RECEIVER_SATURATION_H */
