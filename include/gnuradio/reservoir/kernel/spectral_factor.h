/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_SPECTRAL_FACTOR_H
#define INCLUDED_RESERVOIR_KERNEL_SPECTRAL_FACTOR_H

#include <gnuradio/reservoir/api.h>
#include <Eigen/Core>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

//! Poles are kept at most this far from the origin.
constexpr double MAX_POLE_MODULUS = 0.98;

/*!
 * \brief Poles of the infinite minimum-mean-square-error linear equalizer.
 *
 * The L - 1 roots inside the unit circle of sum_q H_q(z) H_q^*(1/z^*) + sigma^2, the spectral
 * factor of what is received (Wiener, 1949; Proakis, Digital Communications). Sorted by modulus
 * and clipped to MAX_POLE_MODULUS. Outer coefficients below 1e-9 of the greatest count as zero,
 * which puts a pole at the origin.
 *
 * \param taps length x streams
 * \param noise_variance of one stream, at least 0
 */
RESERVOIR_API Eigen::VectorXcd spectral_factor_poles(const Eigen::MatrixXcd& taps,
                                                     double noise_variance);

/*!
 * \brief Where the zeros of a random channel are expected, known its power-delay profile.
 *
 * The zeros of sum_l h_l z^(L-1-l) with independent circular Gaussian taps of power s_l have on
 * average N(R) = sum (L-1-l) s_l R^(2(L-1-l)) / sum s_l R^(2(L-1-l)) members within radius R
 * (Edelman and Kostlan, 1995). The radii invert N(R) / (L-1) at equal steps, the phases are spread evenly.
 * A zero outside the unit circle is served by an anticausal pole at its inverse.
 */
struct placed_poles {
    std::vector<std::complex<double>> causal;     //!< s[n] = p s[n-1] + r[n]
    std::vector<std::complex<double>> anticausal; //!< s[n] = p s[n+1] + r[n]
};

/*!
 * \param profile mean tap powers, at least 0, at least two of them and the first and last above 0
 * \param count poles in all, at least 1
 * \throws std::invalid_argument naming power_delay_profile
 */
RESERVOIR_API placed_poles
poles_from_power_delay_profile(const std::vector<double>& profile, int count);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_SPECTRAL_FACTOR_H */
