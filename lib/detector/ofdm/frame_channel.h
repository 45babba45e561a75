/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_OFDM_FRAME_CHANNEL_H
#define INCLUDED_RESERVOIR_DETECTOR_OFDM_FRAME_CHANNEL_H

#include "detector/ofdm/ofdm_frame.h"

namespace gr {
namespace reservoir {

//! The channel of a frame's carriers, and the noise around it.
struct frame_channel {
    kernel::mimo_taps taps;
    std::vector<kernel::mimo_matrix> responses;
    kernel::noise_split noise;
    double residual; // mean |received - model|^2
    double power;    // mean |received|^2 there
};

//! Mean residual of the known carriers but for the phase that all of a symbol share.
double residual_but_phase(const ofdm_frame& frame, const frame_channel& channel);

//! Where some stream sends something.
kernel::carrier_mask in_use(const kernel::carrier_streams& symbols);

/*!
 * \brief The channel that was given, or else the estimate from the known carriers.
 *
 * Noise is what the known carriers show of it; where none is known, what the nearest points leave of the
 * first symbol with data.
 * \param longest, length as of kernel::estimate_carrier_channel
 * \param constellation of the data
 */
frame_channel find_frame_channel(const ofdm_frame& frame,
                                 Eigen::Index longest,
                                 Eigen::Index length,
                                 const constellation_points& constellation);

//! With the noise around an estimate from the known carriers.
frame_channel estimated_channel(const ofdm_frame& frame,
                                const kernel::carrier_channel& channel);

/*!
 * \brief Taps of what initial taps say of a frame's carriers, each stream's at each antenna by
 * kernel::carrier_smoother.
 * \param estimates row antennas * stream + antenna: a value per carrier, zero or not finite where it is not
 *        known; some is
 * \param begin set to the place of the first tap, which may be early
 */
kernel::mimo_taps taps_of_carriers(const stream_matrix& estimates,
                                   Eigen::Index antennas,
                                   Eigen::Index& begin);

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_OFDM_FRAME_CHANNEL_H */
