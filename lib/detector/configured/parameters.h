/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_PARAMETERS_H
#define INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_PARAMETERS_H

#include <gnuradio/reservoir/configured_esn.h>
#include <Eigen/Core>
#include <vector>

namespace gr {
namespace reservoir {

enum class tracking_mode { automatic, off, on };

//! How the configured receiver works; all symbols and points have unit mean power.
struct configured_settings {
    Eigen::VectorXcd points; // may be empty where nothing is decided
    bool feedback = true;
    int channel_len = 0; // 0: timing and length by BIC
    int survivors = 8;
    int refits = 2;
    double prior_weight = 3.0;
    bool receiver_linearization = true;
    double max_frequency_offset = 5e-3; // cycles/symbol
    double phase_noise = 3e-5;          // rad²/symbol
    tracking_mode tracking = tracking_mode::automatic;
    double rotation = 0.0; // of the constellation, cycles/symbol
    // Points on a line, turning: what noise there is across it tells nothing, so that real and
    // imaginary parts, the rotation taken out, are streams of their own (widely linear reception)
    bool two_real_streams = false;
    bool soft = false; // probabilities of the symbols will be asked for
    int phases = 1;    // samples per symbol: streams are antenna-major, phase by phase
    // poles from statistics: where given, no channel is estimated
    Eigen::VectorXcd causal_poles, anticausal_poles;
    // length x phases; where given, the first configuration uses it, but for one complex gain
    Eigen::MatrixXcd channel;
    bool fixed_poles() const { return causal_poles.size() + anticausal_poles.size() > 0; }
};

/*!
 * \param power_delay_profile for poles from statistics
 * \param channel as detector::set_channel takes it, or empty
 * \param sps samples per symbol
 */
configured_settings make_settings(const configured_esn_parameters& parameters,
                                  const std::vector<double>& power_delay_profile,
                                  const stream_matrix& channel,
                                  int sps);

//! Of the points, in double precision.
double root_mean_square(const std::vector<gr_complex>& values);
//! The points at unit mean power, in single precision.
std::vector<gr_complex> unit_points(const configured_esn_parameters& parameters);

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_PARAMETERS_H */
