/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_RECEIVER_H
#define INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_RECEIVER_H

#include "detector/configured/frame.h"
#include <gnuradio/reservoir/kernel/receiver_limiter.h>

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
    configured_frame receive_samples(const sample_streams& streams,
                                     const frame_layout& layout) const;
    configured_frame receive_without(level_steps steps,
                                     const sample_streams& streams,
                                     const frame_layout& layout,
                                     const configured_frame& as_received) const;
    sample_streams model_of(const configured_frame& frame,
                            const sample_streams& streams,
                            const frame_layout& layout) const;
    kernel::receiver_limiter limiter_of(const sample_streams& streams,
                                        const frame_layout& layout,
                                        const frame_symbols& symbols,
                                        row_range known,
                                        kernel::channel_window window) const;
    configured_frame receive_limited(const sample_streams& streams,
                                     const frame_layout& layout,
                                     kernel::receiver_limiter limiter,
                                     configured_frame best) const;
    //! \param window of the channel that the pilots show
    configured_frame receive_linear(const sample_streams& streams,
                                    const frame_layout& layout,
                                    kernel::channel_window window) const;
    double usual_residual(const configured_frame& frame, Eigen::Index num_pilots) const;

    const configured_network d_network;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_RECEIVER_H */
