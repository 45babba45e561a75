/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_OFDM_CARRIER_RECEIVER_H
#define INCLUDED_RESERVOIR_DETECTOR_OFDM_CARRIER_RECEIVER_H

#include "detector/ofdm/carrier_detector.h"
#include "detector/ofdm/frame_channel.h"
#include <gnuradio/reservoir/kernel/channel_drift.h>

namespace gr {
namespace reservoir {

/*!
 * \brief Receives a frame of which there are carriers alone: the most likely points, the channel again by
 * them, in turns; symbol by symbol where the channel or the carrier's phase moves.
 */
class carrier_receiver
{
public:
    /*!
     * \param longest, length of the channel, as of kernel::estimate_carrier_channel
     * \param refits times that the channel is estimated by decisions
     */
    carrier_receiver(const ofdm_frame& frame,
                     const constellation_points& constellation,
                     Eigen::Index longest,
                     Eigen::Index length,
                     int refits);
    ofdm_result run();

private:
    kernel::noise_split noise() const { return { d_channel.residual, 0.0 }; }
    template <class Action>
    void by_responses(Action&& act) const;
    void decide();
    void follow();
    void refit();

    const ofdm_frame& d_frame;
    const Eigen::Index d_longest, d_length;
    const int d_refits;
    carrier_detector d_detector;
    frame_channel d_channel;
    kernel::carrier_streams d_received;     // turned back
    std::vector<kernel::mimo_taps> d_drift; // of each symbol; empty: none
    ofdm_result d_found;
    bool d_changed = true; // some decision, in the last turn
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_OFDM_CARRIER_RECEIVER_H */
