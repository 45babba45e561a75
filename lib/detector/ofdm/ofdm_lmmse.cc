/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/ofdm_lmmse.h>

#include "detector/ofdm/carrier_detector.h"
#include "detector/ofdm/frame_channel.h"
#include <gnuradio/reservoir/detector_kind.h>
#include <algorithm>

namespace gr {
namespace reservoir {

ofdm_lmmse::ofdm_lmmse(const ofdm_lmmse_parameters& p)
    : described(checked(p), p.num_rx, p.num_tx, p.fft_len, p.cp_len)
{
}

ofdm_lmmse::~ofdm_lmmse() = default;

kernel::carrier_channel_estimator&
ofdm_lmmse::estimator(const std::shared_ptr<const pilot_pattern>& pilots,
                      Eigen::Index longest)
{
    if (!d_estimator || d_estimated != pilots) {
        d_estimator = std::make_unique<kernel::carrier_channel_estimator>(
            pilots->known, pilots->usable, longest);
        d_estimated = pilots;
    }
    return *d_estimator;
}

ofdm_result ofdm_lmmse::do_receive(const ofdm_frame& frame)
{
    constexpr Eigen::Index LEAST_LONGEST =
        16; // taps; a little beyond the prefix does not hurt
    const ofdm_lmmse_parameters& p = parameters();
    const Eigen::Index most =
        p.channel_len > 0 ? Eigen::Index(p.channel_len)
                          : std::max(LEAST_LONGEST, frame.transform->longest_cp());
    const Eigen::Index longest = std::min<Eigen::Index>(most, p.fft_len);
    const frame_channel channel =
        frame.channel_is_given()
            ? find_frame_channel(frame, longest, p.channel_len, p.constellation)
            : estimated_channel(frame,
                                estimator(frame.pilots, longest)
                                    .estimate(frame.received(), p.channel_len));
    const auto& responses = channel.responses;
    const kernel::noise_split& noise = channel.noise;
    const bool joint = p.detection == "ml";
    carrier_detector detector(
        frame,
        joint || frame.soft ? frame.points(p.constellation) : Eigen::VectorXcd::Zero(1),
        joint ? carrier_detector::method::joint : carrier_detector::method::lmmse);
    ofdm_result found;
    found.symbols = frame.pilots->known;
    found.taps = channel.taps;
    found.residuals = { channel.residual };
    found.mse = relative_error(channel.residual, channel.power);
    found.noise_variance =
        detector.detect(frame.received(), responses, noise, found.symbols);
    if (frame.soft) {
        detector.log_likelihoods(frame.received(),
                                 responses,
                                 noise,
                                 found.symbols,
                                 { 0, frame.num_symbols },
                                 found.log_likelihoods);
        detector.flatten(found.log_likelihoods);
    }
    return found;
}

detector_kind describe_ofdm_lmmse() { return describe_kind<ofdm_lmmse>(); }

} // namespace reservoir
} // namespace gr
