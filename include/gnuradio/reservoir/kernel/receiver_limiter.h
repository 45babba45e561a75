/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_RECEIVER_LIMITER_H
#define INCLUDED_RESERVOIR_KERNEL_RECEIVER_LIMITER_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/kernel/channel_estimate.h>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief A limiter behind the noise, r = A tanh((s + n) / A), and its inverse f(r) = A atanh(r / A).
 *
 * Of real and imaginary part each, or of the modulus. As the noise went through it, too, f leaves
 * s + n as it was: a linear channel with noise of one variance. receiver_saturation.h is for noise
 * that comes behind the limiter.
 */
struct RESERVOIR_API receiver_limiter {
    enum class limited { nothing, parts, modulus };

    limited what = limited::nothing;
    double limit = 0.0;    //!< A
    double residual = 0.0; //!< of the fit: mean of |f(r) - s|^2, over power_stretch()

    bool used() const { return what != limited::nothing; }
    //! f(r). Samples beyond the limit are taken as just below it.
    sample_streams undone(const sample_streams& received) const;
    /*!
     * \brief By how much f stretches the power of noise in rows, as a geometric mean.
     *
     * A residual behind f over this is what one of the samples themselves has to be compared with: by
     * their likelihood, as the Jacobian of f enters it.
     */
    double power_stretch(const sample_streams& received, row_range rows) const;
};

/*!
 * \brief The limiter of most likelihood, with a linear channel and white noise; none, unless the
 * Bayesian information criterion says that it pays off.
 *
 * Where a limit at 1.4 times the largest sample does not pay off, no other is tried.
 *
 * \param received streams of one receiver, whose limits are equal
 * \param timing, known, rows, length as in sum_lags
 * \param frame samples, none of which is beyond the limit
 */
RESERVOIR_API receiver_limiter find_receiver_limiter(const sample_streams& received,
                                                     Eigen::Index timing,
                                                     const Eigen::VectorXcd& known,
                                                     row_range rows,
                                                     Eigen::Index length,
                                                     row_range frame);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_RECEIVER_LIMITER_H */
