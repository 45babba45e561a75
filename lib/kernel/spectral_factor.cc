/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/spectral_factor.h>

#include "kernel/eigenvalues.h"
#include "kernel/plain_complex.h"
#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;

namespace {

typedef std::complex<double> cdouble;

// Roots of sum c_k z^(n-k), the first and last coefficient not zero.
VectorXcd polynomial_roots(const VectorXcd& coefficients)
{
    const Index order = coefficients.size() - 1;
    if (order < 1)
        return VectorXcd(0);
    MatrixXcd companion = MatrixXcd::Zero(order, order);
    companion.row(0) = -coefficients.tail(order).transpose() / coefficients(0);
    companion.diagonal(-1).setOnes();
    return decompose(companion, false).values;
}

/*
 * The half of the roots that lies within the unit circle, of a polynomial whose roots come in
 * pairs z, 1/z*: simultaneous iteration (Aberth, 1973), in which every root found stands for its
 * partner too. Where it does not settle, as with double roots on the circle, all the roots are
 * eigenvalues.
 */
VectorXcd roots_within(const VectorXcd& coefficients)
{
    constexpr int MAX_ITERATIONS = 60;
    constexpr double SETTLED = 1e-22; // square of the greatest step
    const Index order = coefficients.size() - 1, half = order / 2;
    VectorXcd roots(half);
    for (Index k = 0; k < half; k++) // no symmetry that the roots could share
        roots(k) = std::polar(0.6, 2.0 * M_PI * (k + 0.3) / half + 0.4);
    double step = half > 0 ? 1.0 : 0.0;
    for (int i = 0; i < MAX_ITERATIONS && step > SETTLED; i++) {
        step = 0.0;
        for (Index k = 0; k < half; k++) {
            const cdouble z = roots(k);
            cdouble value = coefficients(0), slope = 0.0;
            for (Index n = 1; n <= order; n++) {
                slope = plain::times(slope, z) + value;
                value = plain::times(value, z) + coefficients(n);
            }
            if (value == 0.0)
                continue;
            cdouble sum = plain::times(slope, plain::inverse(value));
            for (Index j = 0; j < half; j++) {
                if (j != k)
                    sum -= plain::inverse(z - roots(j));
                sum -= plain::inverse(z - plain::inverse(std::conj(roots(j))));
            }
            cdouble next = z - plain::inverse(sum);
            const double square = std::norm(next);
            if (square > 1.0)
                next /= square; // its partner
            step = std::max(step, std::norm(next - z));
            roots(k) = next;
        }
        if (!std::isfinite(step))
            break;
    }
    if (step <= SETTLED)
        return roots;
    VectorXcd all = polynomial_roots(coefficients);
    std::sort(all.begin(), all.end(), [](cdouble a, cdouble b) {
        return std::abs(a) < std::abs(b);
    });
    return all.head(half);
}

std::complex<double> clipped(std::complex<double> pole)
{
    const double modulus = std::abs(pole);
    return modulus > MAX_POLE_MODULUS ? pole * (MAX_POLE_MODULUS / modulus) : pole;
}

// Expected number of zeros within radius exp(log_radius), over the number of zeros.
double share_within(const std::vector<double>& profile, double log_radius)
{
    const int order = profile.size() - 1;
    double moment = 0.0, mass = 0.0;
    for (int l = 0; l <= order; l++) {
        // relative to the greatest power, which is at one of the ends
        const int power = order - l;
        const double term =
            profile[l] *
            std::exp(2.0 * log_radius * (log_radius > 0.0 ? power - order : power));
        moment += power * term;
        mass += term;
    }
    return moment / (mass * order);
}

} // namespace

VectorXcd spectral_factor_poles(const MatrixXcd& taps, double noise_variance)
{
    const Index length = taps.rows();
    VectorXcd poles = VectorXcd::Zero(length - 1);
    VectorXcd spectrum = VectorXcd::Zero(2 * length - 1); // of z^(L-1), ..., z^-(L-1)
    for (Index q = 0; q < taps.cols(); q++)
        for (Index i = 0; i < length; i++)
            for (Index j = 0; j < length; j++)
                spectrum(i + length - 1 - j) += taps(i, q) * std::conj(taps(j, q));
    spectrum(length - 1) += noise_variance;

    const double greatest = spectrum.cwiseAbs().maxCoeff();
    if (!(greatest > 0.0) || !std::isfinite(greatest))
        return poles;
    Index skip = 0;
    while (skip < length - 1 && std::abs(spectrum(skip)) < 1e-9 * greatest)
        skip++;
    const VectorXcd inner = roots_within(spectrum.segment(skip, 2 * (length - skip) - 1));
    for (Index k = 0; k < inner.size(); k++)
        poles(skip + k) = clipped(inner(k));
    return poles;
}

placed_poles poles_from_power_delay_profile(const std::vector<double>& profile, int count)
{
    const bool usable = profile.size() >= 2 && profile.front() > 0.0 &&
                        profile.back() > 0.0 &&
                        std::all_of(profile.begin(), profile.end(), [](double power) {
                            return power >= 0.0 && std::isfinite(power);
                        });
    if (!usable)
        throw std::invalid_argument(
            "power_delay_profile: must be at least two powers >= 0, the "
            "first and the last above 0");
    // spreads the phases of any sequence
    const double golden = M_PI * (3.0 - std::sqrt(5.0));
    placed_poles placed;
    for (int k = 0; k < count; k++) {
        double low = -20.0, high = 20.0;
        for (int i = 0; i < 60; i++) {
            const double middle = (low + high) / 2;
            (share_within(profile, middle) < (k + 0.5) / count ? low : high) = middle;
        }
        const double radius = std::exp((low + high) / 2);
        if (radius < 1.0)
            placed.causal.push_back(clipped(std::polar(radius, golden * k)));
        else
            placed.anticausal.push_back(clipped(std::polar(1.0 / radius, golden * k)));
    }
    return placed;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
