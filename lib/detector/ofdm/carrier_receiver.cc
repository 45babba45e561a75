/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/ofdm/carrier_receiver.h"

#include "detector/ofdm/symbol_follower.h"
#include <algorithm>
#include <complex>

namespace gr {
namespace reservoir {

using Eigen::Index;
using kernel::row_range;

carrier_receiver::carrier_receiver(const ofdm_frame& frame,
                                   const constellation_points& constellation,
                                   Index longest,
                                   Index length,
                                   int refits)
    : d_frame(frame),
      d_longest(longest),
      d_length(length),
      d_refits(refits),
      d_detector(frame, frame.points(constellation), carrier_detector::method::joint),
      d_channel(find_frame_channel(frame, longest, length, constellation)),
      d_received(frame.received())
{
    if (frame.channel_is_given() &&
        frame.pilots->usable.any()) // its phase may turn since
        d_channel.residual = residual_but_phase(frame, d_channel);
    d_found.symbols = frame.pilots->known;
    d_found.mse = relative_error(d_channel.residual, d_channel.power);
    d_found.residuals = { d_channel.residual };
}

ofdm_result carrier_receiver::run()
{
    decide();
    follow();
    while (d_changed && d_found.refits < d_refits) {
        refit();
        decide();
        d_found.refits++;
    }
    d_found.taps = d_channel.taps;
    if (d_frame.soft) {
        by_responses([this](const auto& responses, row_range which) {
            d_detector.log_likelihoods(d_received,
                                       responses,
                                       noise(),
                                       d_found.symbols,
                                       which,
                                       d_found.log_likelihoods);
        });
        d_detector.flatten(d_found.log_likelihoods);
    }
    return d_found;
}

// act(responses, OFDM symbols that have them)
template <class Action>
void carrier_receiver::by_responses(Action&& act) const
{
    if (d_drift.empty())
        return act(d_channel.responses, row_range{ 0, d_frame.num_symbols });
    for (Index n = 0; n < d_frame.num_symbols; n++)
        act(moved_responses(d_channel.responses, d_drift[n]), row_range{ n, n + 1 });
}

void carrier_receiver::decide()
{
    const kernel::carrier_streams before = d_found.symbols;
    double sum = 0.0;
    by_responses([&](const auto& responses, row_range which) {
        sum += d_detector.detect(d_received, responses, noise(), d_found.symbols, which);
    });
    const Index parts =
        d_drift.empty() ? 1 : d_frame.num_symbols - d_frame.whole_symbols();
    d_found.noise_variance = sum / double(std::max<Index>(parts, 1));
    d_changed = before != d_found.symbols;
}

void carrier_receiver::follow()
{
    const bool given = d_frame.channel_is_given(); // for the first symbol
    const Index whole = given ? 0 : d_frame.whole_symbols();
    const Index taps = d_channel.taps.length;
    if (whole == 0 && !given)
        return; // what is known lies all over the frame
    if (!kernel::channel_drift::affordable(d_frame.num_symbols,
                                           taps * Index(d_frame.pilots->known.size())))
        return;
    symbol_follower follower(
        d_frame, d_detector, { d_channel.responses, taps, d_channel.residual }, whole);
    if (!follower.seems_to_move(d_received, d_found.symbols) ||
        !follower.follow(d_received, d_found.symbols))
        return;
    for (Eigen::MatrixXcd& antenna : d_received)
        for (Index n = 0; n < d_frame.num_symbols; n++)
            antenna.col(n) *= std::polar(1.0, -follower.angles()(n));
    d_drift = follower.drift();
}

void carrier_receiver::refit()
{
    if (!d_drift.empty()) {
        const frame_model model = { d_channel.responses,
                                    d_channel.taps.length,
                                    d_channel.residual };
        d_drift = drift_of(d_received, model, d_found.symbols).likeliest();
        return;
    }
    const kernel::carrier_channel again = kernel::estimate_carrier_channel(
        d_received,
        d_found.symbols,
        in_use(d_found.symbols),
        std::max(d_longest, d_channel.taps.length),
        d_frame.channel_is_given() ? d_channel.taps.length : d_length);
    d_channel.taps = again.taps;
    d_channel.responses = again.taps.responses(d_frame.transform->fft_len());
    d_channel.residual = again.noise_variance;
    d_found.residuals.push_back(again.noise_variance);
}

} // namespace reservoir
} // namespace gr
