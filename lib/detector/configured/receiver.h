/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_RECEIVER_H
#define INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_RECEIVER_H

#include "detector/configured/frame.h"

namespace gr {
namespace reservoir {

/*!
 * \brief The complete configured receiver for one frame, as plain functions of its samples.
 *
 * With one channel first, and block by block where the channel is seen to move. Streams start at the first pilot and have unit power; missing look-ahead counts as zero.
 * Not responsible for scales, sampling phases or state between calls.
 */
class configured_receiver
{
public:
    explicit configured_receiver(const configured_settings& settings);

    configured_frame receive(const sample_streams& streams,
                             const std::vector<cdouble>& pilots,
                             Eigen::Index payload_len) const;

private:
    double usual_residual(const configured_frame& frame, Eigen::Index num_pilots) const;

    const configured_network d_network;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_RECEIVER_H */
