/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/frame.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::MatrixXcd;

double configured_frame::prediction_error() const
{
    const double share = readout.window.length / std::max(rows_per_fit, 1.0);
    return residual * (1.0 + share) / std::max(1.0 - share, 0.1);
}

void configured_frame::stretch_residuals(double factor)
{
    residual *= factor;
    pilot_residual *= factor;
    for (double& one : residuals)
        one *= factor;
}

double benefit_of_doubt(Index num_samples)
{
    return 1.0 + 0.75 / std::sqrt(double(num_samples));
}

configured_frame without_steps(configured_frame frame, const level_steps& steps)
{
    frame.stretch_residuals(1.0 / steps.power_stretch());
    frame.num_level_steps = steps.count();
    frame.last_factors = steps.last_factors();
    return frame;
}

std::complex<double> matched(const MatrixXcd& taps,
                             const Eigen::Ref<const MatrixXcd>& residual)
{
    return (taps.conjugate().array() * residual.array()).sum() /
           std::max(taps.squaredNorm(), 1e-12);
}

double expected_errors(const configured_network& network,
                       const configured_frame& frame,
                       Index num_pilots)
{
    constexpr double CLEAR_LEAD = 40.0; // e^-40 counts for nothing
    const Eigen::VectorXcd& points = network.settings().points;
    double sum = 0.0;
    for (size_t i = 0; i < frame.decisions.size(); i++) {
        if (frame.decisions[i] < 0)
            continue;
        const std::complex<double> soft = frame.soft(num_pilots + i);
        double other = std::numeric_limits<double>::infinity();
        for (Index m = 0; m < points.size(); m++)
            if (m != frame.decisions[i])
                other = std::min(other, std::norm(soft - points(m)));
        const double lead = (other - std::norm(soft - points(frame.decisions[i]))) /
                            std::max(frame.soft_variance, 1e-12);
        if (lead < CLEAR_LEAD)
            sum += 1.0 / (1.0 + std::exp(lead));
    }
    return sum;
}

double symbol_variance(double noise_variance, double channel_power)
{
    return channel_power > 1e-12 ? noise_variance / channel_power : 1.0;
}

// Beside single wrong symbols, which the expectation counts,
// there are runs of them. The factor is the likeliest for 1260 simulated frames, 389 of them with
// errors (Rayleigh, Proakis B, 16-QAM behind an amplifier, two samples per symbol, fading).
double confidence(double expected_errors)
{
    constexpr double RUNS = 8.0;
    return 1.0 / (1.0 + RUNS * expected_errors);
}

void keep_decisions(const configured_network& network,
                    configured_frame& frame,
                    Index num_pilots)
{
    frame.expected_errors = expected_errors(network, frame, num_pilots);
    for (size_t i = 0; i < frame.decisions.size(); i++) {
        if (frame.decisions[i] < 0)
            continue;
        auto& soft = frame.soft(num_pilots + i);
        if (network.nearest(soft) != frame.decisions[i])
            soft = network.settings().points(frame.decisions[i]);
    }
}

} // namespace reservoir
} // namespace gr
