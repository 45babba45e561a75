/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/receiver.h"

#include "detector/configured/still_receiver.h"
#include "detector/configured/tracking_receiver.h"
#include <gnuradio/reservoir/kernel/lag_sums.h>
#include <gnuradio/reservoir/kernel/receiver_saturation.h>
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::VectorXcd;

namespace {

constexpr Index LONGEST_REFIT = 1024;      // payload, symbols
constexpr double TRACKED_LOG_RATIO = 40.0; // of a step; fading hardly ever reaches it
constexpr Index BEGINNING = 4;             // share of a long payload, one over this

} // namespace

configured_receiver::configured_receiver(const configured_settings& settings)
    : d_network(settings)
{
}

// What noise alone leaves at most, by the pilots.
double configured_receiver::usual_residual(const configured_frame& frame,
                                           Index num_pilots) const
{
    const double freedom = std::max<double>(num_pilots - frame.first_length, 1.0) *
                           d_network.settings().phases;
    return frame.pilot_residual * std::max(1.5, 1.0 + 3.0 / std::sqrt(freedom));
}

// None where noise behind what saturates explains the samples better than noise in front of it.
kernel::receiver_limiter
configured_receiver::limiter_of(const sample_streams& streams,
                                const frame_layout& layout,
                                const frame_symbols& symbols,
                                row_range known,
                                kernel::channel_window window) const
{
    const configured_settings& settings = d_network.settings();
    if (!settings.receiver_linearization || settings.rotation != 0.0)
        return {};
    const row_range rows = model_rows(known, window);
    const kernel::receiver_limiter found = kernel::find_receiver_limiter(
        streams, window.timing, symbols.values, rows, window.length, { 0, layout.end() });
    if (!found.used() || !d_network.multilevel() || streams.size() > 1)
        return found;
    const kernel::linearised_receiver other = kernel::linearise_receiver(
        kernel::delayed(streams[0], window.timing), symbols.values, rows, window.length);
    return other.used && other.residual < found.residual ? kernel::receiver_limiter()
                                                         : found;
}

configured_frame configured_receiver::receive(const sample_streams& streams,
                                              const std::vector<cdouble>& pilots,
                                              Index payload_len) const
{
    const frame_symbols symbols = d_network.known(pilots, streams[0].size());
    const frame_layout layout = { symbols, Index(pilots.size()), payload_len };
    const configured_frame frame = receive_samples(streams, layout);
    const bool explained =
        frame.tracked && frame.residual < usual_residual(frame, layout.num_pilots);
    const level_steps steps(streams,
                            d_network.settings().phases,
                            layout.end(),
                            explained ? TRACKED_LOG_RATIO : level_steps::LEAST_LOG_RATIO);
    return steps.count() > 0 ? receive_without(steps, streams, layout, frame) : frame;
}

// By the steps that the powers show, then by those of the frame's decisions.
configured_frame
configured_receiver::receive_without(level_steps steps,
                                     const sample_streams& streams,
                                     const frame_layout& layout,
                                     const configured_frame& as_received) const
{
    const sample_streams level = steps.undone(streams);
    configured_frame best = without_steps(receive_samples(level, layout), steps);
    if (!steps.pay_off(best.prediction_error(), as_received.prediction_error()))
        return as_received;
    if (d_network.settings().refits > 0 && !best.tracked && !best.decisions.empty()) {
        steps = steps.refined(streams, model_of(best, level, layout));
        const configured_frame again =
            without_steps(receive_samples(steps.undone(streams), layout), steps);
        if (again.prediction_error() < best.prediction_error())
            best = again;
    }
    return best;
}

// What the frame's decisions and a channel that stands still make of the streams.
sample_streams configured_receiver::model_of(const configured_frame& frame,
                                             const sample_streams& streams,
                                             const frame_layout& layout) const
{
    frame_symbols symbols = layout.pilots;
    d_network.decide(symbols, { layout.num_pilots, layout.end() }, frame.decisions);
    const VectorXcd sent = symbols.warped(frame.readout.warp);
    const kernel::channel_window window = frame.readout.window;
    const kernel::lag_sums sums =
        kernel::sum_lags(d_network.derotated(streams, frame.carrier_offset),
                         window.timing,
                         sent,
                         model_rows({ 0, layout.end() }, window),
                         window.length);
    return d_network.derotated(
        kernel::delayed(kernel::channel_output(sent, sums.taps()), -window.timing),
        -frame.carrier_offset);
}

configured_frame configured_receiver::receive_samples(const sample_streams& streams,
                                                      const frame_layout& layout) const
{
    const kernel::channel_window window =
        d_network.pilot_window(streams, layout.pilots, layout.num_pilots);
    const kernel::receiver_limiter limiter =
        limiter_of(streams, layout, layout.pilots, { 0, layout.num_pilots }, window);
    configured_frame frame = receive_linear(streams, layout, window);
    // what was linearised has a residual of other samples
    if (limiter.used() && !frame.linearised)
        return receive_limited(streams, layout, limiter, std::move(frame));
    return frame;
}

// By the limiter that the pilots show, then by that of the whole frame's decisions; the likelier.
configured_frame configured_receiver::receive_limited(const sample_streams& streams,
                                                      const frame_layout& layout,
                                                      kernel::receiver_limiter limiter,
                                                      configured_frame best) const
{
    const int times = d_network.settings().refits > 0 ? 2 : 1;
    const auto linear = std::make_pair(best.readout, best.carrier_offset);
    const row_range whole = { 0, layout.end() };
    double least = best.prediction_error();
    for (int i = 0; i < times && limiter.used(); i++) {
        const sample_streams undone = limiter.undone(streams);
        const configured_frame frame = receive_linear(
            undone,
            layout,
            d_network.pilot_window(undone, layout.pilots, layout.num_pilots));
        const double error =
            frame.prediction_error() / limiter.power_stretch(streams, whole);
        if (!(error < least))
            break;
        least = error;
        best = frame;
        best.stretch_residuals(1.0 / limiter.power_stretch(streams, whole));
        best.without_inverse = linear;
        if (frame.tracked || frame.carrier_offset != 0.0 || frame.decisions.empty())
            break;
        frame_symbols symbols = layout.pilots;
        d_network.decide(symbols, { layout.num_pilots, layout.end() }, frame.decisions);
        limiter = limiter_of(streams, layout, symbols, whole, frame.readout.window);
    }
    return best;
}

configured_frame configured_receiver::receive_linear(const sample_streams& streams,
                                                     const frame_layout& layout,
                                                     kernel::channel_window window) const
{
    const Index num_pilots = layout.num_pilots, payload_len = layout.payload_len;
    const tracking_mode tracking = d_network.settings().tracking;
    const still_receiver still(d_network);
    still_receiver::attempt now;
    double usual = 0.0;
    bool may_track = false;
    // Whether the channel is seen to move; a second time with the carrier of the first.
    const auto moves = [&](Index symbols_of_payload) {
        const frame_layout part = { layout.pilots, num_pilots, symbols_of_payload };
        const double offset = now.frame.carrier_offset;
        now = now.tried() ? still.begin(now.raw, part)
                          : still.try_carriers(streams, part, window);
        if (offset != 0.0)
            now.frame.carrier_offset = offset;
        usual = usual_residual(now.frame, num_pilots);
        may_track = d_network.settings().feedback && payload_len > 0 &&
                    tracking != tracking_mode::off && !now.frame.linearised;
        return may_track && (still.channel_moves(now, part) ||
                             // refits of a long frame cost more than tracking it
                             (payload_len > LONGEST_REFIT && now.frame.residual > usual));
    };
    const double doubt = benefit_of_doubt(streams.size() * layout.end());
    std::optional<configured_frame> tracked;
    const auto tracking_is_better = [&](const configured_frame& other) {
        const tracking_receiver moving(d_network);
        if (!tracked && Index(now.margins.size()) == payload_len)
            tracked = moving.smoothed(now, layout);
        if (!tracked)
            tracked = moving.receive(streams, layout);
        return tracked->prediction_error() * doubt < other.prediction_error();
    };
    // of a long frame the beginning shows whether its channel moves
    if (payload_len > LONGEST_REFIT && moves(payload_len / BEGINNING) &&
        tracking_is_better(now.frame))
        return *tracked;
    if (moves(payload_len) && tracking_is_better(now.frame))
        return *tracked;
    still.refine(now, layout);
    const configured_frame frame = still.finish(now, layout);
    const bool ask = tracked || tracking == tracking_mode::on || frame.residual > usual;
    return may_track && ask && tracking_is_better(frame) ? *tracked : frame;
}

} // namespace reservoir
} // namespace gr
