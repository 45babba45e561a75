/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/parameters.h"

#include <gnuradio/reservoir/kernel/spectral_factor.h>
#include <cmath>

namespace gr {
namespace reservoir {

double root_mean_square(const std::vector<gr_complex>& values)
{
    double power = 0.0;
    for (const auto& value : values)
        power += std::norm(std::complex<double>(value)) / values.size();
    return std::sqrt(power);
}

std::vector<gr_complex> unit_points(const configured_esn_parameters& parameters)
{
    std::vector<gr_complex> points = parameters.constellation.points;
    const float rms = root_mean_square(points);
    for (auto& point : points)
        point /= rms;
    return points;
}

namespace {

Eigen::VectorXcd to_vector(const std::vector<std::complex<double>>& values)
{
    return Eigen::Map<const Eigen::VectorXcd>(values.data(), values.size());
}

// length x streams, of unit energy: a tap of a sampling phase is every sps-th sample's
Eigen::MatrixXcd by_phases(const stream_matrix& channel, int sps, double rotation)
{
    const size_t length = (channel[0].size() + sps - 1) / sps;
    Eigen::MatrixXcd taps = Eigen::MatrixXcd::Zero(length, channel.size() * sps);
    for (size_t a = 0; a < channel.size(); a++)
        for (size_t n = 0; n < channel[a].size(); n++)
            taps(n / sps, a * sps + n % sps) =
                std::complex<double>(channel[a][n]) *
                std::polar(1.0, -rotation * double(n) / sps);
    taps /= taps.norm();
    return taps;
}

} // namespace

configured_settings make_settings(const configured_esn_parameters& parameters,
                                  const std::vector<double>& power_delay_profile,
                                  const stream_matrix& channel,
                                  int sps)
{
    const std::vector<gr_complex> points = unit_points(parameters);
    configured_settings settings;
    settings.points.resize(points.size());
    for (size_t m = 0; m < points.size(); m++)
        settings.points(m) = points[m];
    settings.points /= std::sqrt(settings.points.squaredNorm() / settings.points.size());
    settings.feedback = parameters.feedback;
    settings.channel_len = parameters.channel_len;
    settings.survivors = parameters.survivors;
    settings.refits = parameters.refits;
    settings.prior_weight = parameters.prior_weight;
    settings.receiver_linearization = parameters.receiver_linearization;
    settings.max_frequency_offset = parameters.max_frequency_offset;
    settings.phase_noise = parameters.phase_noise;
    settings.tracking = parameters.tracking == "on"    ? tracking_mode::on
                        : parameters.tracking == "off" ? tracking_mode::off
                                                       : tracking_mode::automatic;
    settings.rotation = parameters.rotation / (2 * M_PI);
    settings.two_real_streams =
        parameters.rotation != 0.0 && settings.points.imag().cwiseAbs().maxCoeff() < 1e-6;
    settings.phases = sps;
    if (parameters.poles == "statistics") {
        const kernel::placed_poles placed = kernel::poles_from_power_delay_profile(
            power_delay_profile, parameters.num_neurons);
        settings.causal_poles = to_vector(placed.causal);
        settings.anticausal_poles = to_vector(placed.anticausal);
    }
    if (!channel.empty())
        settings.channel = by_phases(channel, sps, parameters.rotation);
    return settings;
}

} // namespace reservoir
} // namespace gr
