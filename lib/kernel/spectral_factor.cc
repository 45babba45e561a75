/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/spectral_factor.h>

#include "kernel/eigenvalues.h"
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
    const VectorXcd roots =
        polynomial_roots(spectrum.segment(skip, 2 * (length - skip) - 1));
    std::vector<std::complex<double>> sorted(roots.begin(), roots.end());
    std::sort(sorted.begin(), sorted.end(), [](auto a, auto b) {
        return std::abs(a) < std::abs(b);
    });
    for (Index k = skip; k < length - 1; k++)
        poles(k) = clipped(sorted[k - skip]);
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
