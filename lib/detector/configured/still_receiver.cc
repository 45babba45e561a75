/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/still_receiver.h"

#include "detector/configured/likely_sequence.h"
#include <gnuradio/reservoir/kernel/carrier_offset.h>
#include <gnuradio/reservoir/kernel/lag_sums.h>
#include <gnuradio/reservoir/kernel/receiver_saturation.h>
#include <gnuradio/reservoir/kernel/trellis.h>
#include <algorithm>
#include <cmath>
#include <utility>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

namespace {

// A pass convinces whose every decision is sure and whose residual is so many times the pilots' at
// most. The residual alone does not tell: the errors that remain show little in it.
constexpr double SURE_RESIDUAL = 1.5;
constexpr double SURE_RATIO = 4.0; // log-likelihood, of a decision to what else it may be
// Symbols around one that is not sure, beyond the channel's length, that a search through all
// sequences takes up; the last of them only help.
constexpr Index EARLIER = 8, LATER = 12;
constexpr size_t FEW_BRANCHES = 256;
constexpr size_t MAX_BRANCHES = 4096; // of a search through all sequences
constexpr Index PHASE_WINDOW = 48;    // half width, symbols
// divides the phase noise once a correction did not pay
constexpr double REJECTED_PHASE = 30;
const std::vector<double> REFIT_PRIORS = { 0.03, 0.3, 3.0, 10.0 };

// In noise a decision is sure by more than SURE_MARGIN only.
double sure_margin(const configured_readout& readout)
{
    const Eigen::VectorXcf points = readout.points.cast<gr_complex>();
    return std::max(SURE_MARGIN,
                    SURE_RATIO * output_variance(readout) /
                        kernel::least_distance({ points.begin(), points.end() }));
}

// What the channel's model leaves of the samples in range.
double model_residual(const sample_streams& streams,
                      const VectorXcd& sent,
                      const kernel::channel_window& window,
                      row_range range)
{
    return kernel::forward_residual(kernel::delayed(streams, window.timing),
                                    sent,
                                    model_rows(range, window),
                                    window.length);
}

} // namespace

still_receiver::configured_pass
still_receiver::configure_pass(const decided_signal& signal,
                               row_range range,
                               kernel::channel_window window,
                               const std::vector<double>& priors) const
{
    const configured_settings& settings = d_network.settings();
    const VectorXd weights = VectorXd::Ones(signal.phase.size());
    const bool warp = d_network.warps(range);
    const auto configured = [&](const sample_streams& input,
                                kernel::channel_window its_window) {
        return d_network.configure(
            input, signal.symbols, range, its_window, weights, warp, priors);
    };
    configured_pass pass;
    pass.input = signal.turned;
    if (settings.receiver_linearization && d_network.multilevel() &&
        signal.turned.size() == 1) {
        const kernel::linearised_receiver found =
            kernel::linearise_receiver(kernel::delayed(signal.turned[0], window.timing),
                                       signal.symbols.values,
                                       model_rows(range, window),
                                       window.length);
        pass.linearised = found.used;
        if (pass.linearised)
            pass.input[0] = kernel::delayed(found.samples, -window.timing);
    }
    pass.readout = configured(
        pass.input,
        pass.linearised
            ? d_network.select_window(pass.input, signal.symbols, range, weights)
            : window);
    if (pass.linearised && warp) { // which end of the link is it that saturates?
        const configured_readout other = configured(signal.turned, window);
        if (other.leave_one_out_mse < pass.readout.leave_one_out_mse) {
            pass.readout = other;
            pass.input = signal.turned;
        }
    }
    return pass;
}

double still_receiver::follow_phase(decided_signal& signal,
                                    const sample_streams& raw,
                                    const configured_readout& readout,
                                    const std::vector<float>& found,
                                    row_range payload,
                                    double score) const
{
    const Index count = raw[0].size();
    const Index end = payload.last;
    const double usual_noise = d_network.settings().phase_noise;
    const VectorXcd sent = signal.symbols.warped(readout.warp);
    VectorXd corrected = signal.phase;
    for (Index n = payload.first; n < count; n++)
        corrected(n) += found[std::min(n, end - 1) - payload.first];
    const sample_streams model = kernel::delayed(
        kernel::channel_output(sent, readout.taps), -readout.window.timing);
    corrected.head(end) +=
        kernel::smoothed_phase(rotated(raw, corrected), model, { 0, end }, PHASE_WINDOW);
    corrected.tail(count - end).setConstant(corrected(end - 1));
    const sample_streams turned = rotated(raw, corrected);
    const double turned_score = model_residual(turned, sent, readout.window, { 0, end });
    const double penalty =
        0.5 / PHASE_WINDOW * std::log(double(end)) / double(raw.size());
    if (std::log(turned_score) + penalty < std::log(score)) {
        signal.phase = corrected;
        signal.turned = turned;
        signal.phase_noise = usual_noise;
        return turned_score * std::exp(penalty);
    }
    signal.phase.setZero();
    signal.turned = raw;
    signal.phase_noise = usual_noise / REJECTED_PHASE;
    return score;
}

still_receiver::attempt still_receiver::begin(const sample_streams& raw,
                                              const frame_layout& layout) const
{
    return begin(
        raw, layout, d_network.pilot_window(raw, layout.pilots, layout.num_pilots));
}

still_receiver::attempt still_receiver::begin(const sample_streams& raw,
                                              const frame_layout& layout,
                                              kernel::channel_window pilot_window) const
{
    attempt now;
    now.raw = raw;
    now.signal = { layout.pilots,
                   VectorXd::Zero(raw[0].size()),
                   raw,
                   d_network.settings().phase_noise };
    now.frame.rows_per_fit = layout.end();
    pass(now, layout, 0, d_network.lengthened(pilot_window, { 0, layout.num_pilots }));
    return now;
}

void still_receiver::pass(attempt& now,
                          const frame_layout& layout,
                          int number,
                          kernel::channel_window window) const
{
    const configured_settings& settings = d_network.settings();
    const row_range pilots = { 0, layout.num_pilots }, whole = { 0, layout.end() };
    const row_range payload = { layout.num_pilots, layout.end() };
    const bool first = number == 0;
    decided_signal& signal = now.signal;
    configured_frame& frame = now.frame;
    const configured_pass pass = configure_pass(
        signal,
        first ? pilots : whole,
        window,
        first ? std::vector<double>{ settings.prior_weight } : REFIT_PRIORS);
    const configured_readout& readout = pass.readout;
    frame.linearised = pass.linearised;
    const kernel::adaptive_decisions found = d_network.search(
        readout, pass.input, signal.symbols, payload, payload.size(), signal.phase_noise);
    const bool same = !first && found.symbols == now.last_found;
    now.last_found = found.symbols;
    now.margins = found.margins;
    d_network.decide(signal.symbols, payload, found.symbols);

    const VectorXcd sent = signal.symbols.warped(readout.warp);
    double score = model_residual(now.raw, sent, readout.window, whole);
    if (first) {
        const double used = pilots.size() - model_rows(whole, readout.window).first;
        frame.pilot_residual = model_residual(now.raw, sent, readout.window, pilots) *
                               used / std::max(used - readout.window.length, 1.0);
        frame.first_length = readout.window.length;
    }
    if (settings.phase_noise > 0.0 && payload.size() > 0)
        score = follow_phase(signal, now.raw, readout, found.phases, payload, score);
    frame.residuals.push_back(score);
    frame.condition_numbers.push_back(readout.condition_number);
    frame.readout = readout;
    const bool sure = settings.feedback && found.margin > sure_margin(readout) &&
                      score < SURE_RESIDUAL * frame.pilot_residual;
    now.sure = sure;
    now.settled = sure || same;
    if (first || score < frame.residual) {
        frame.residual = score;
        frame.kept_pass = number;
        frame.decisions = found.symbols;
        now.kept_signal = signal;
        now.kept = pass;
        if (!pass.linearised)
            now.kept.input = signal.turned;
    }
}

void still_receiver::refine(attempt& now, const frame_layout& layout) const
{
    const int refits = d_network.settings().refits;
    if (refits > 0)
        search_all(now, layout);
    if (now.settled)
        return;
    for (int number = 1; number <= refits && !now.settled; number++)
        pass(now,
             layout,
             number,
             d_network.select_window(now.signal.turned,
                                     now.signal.symbols,
                                     { 0, layout.end() },
                                     VectorXd::Ones(now.signal.phase.size())));
    if (refits > 0 && !now.settled)
        search_all(now, layout);
    if (refits > 0 && !now.sure && d_network.settings().survivors > 1 &&
        !kernel::trellis::fits(
            now.kept.readout.points.size(), now.kept.readout.window.length, MAX_BRANCHES))
        search_more(now, layout);
}

// Where there are too many sequences to search them all.
void still_receiver::search_more(attempt& now, const frame_layout& layout) const
{
    constexpr int TIMES = 4;
    const configured_readout& readout = now.kept.readout;
    const row_range whole = { 0, layout.end() };
    const row_range payload = { layout.num_pilots, layout.end() };
    frame_symbols found = now.kept_signal.symbols;
    for (const row_range& part : doubtful_parts(now, layout)) {
        const Index decided =
            part.last == layout.end() ? part.size() : part.size() - LATER;
        d_network.decide(found,
                         { part.first, part.first + decided },
                         d_network
                             .search(readout,
                                     now.kept.input,
                                     found,
                                     part,
                                     decided,
                                     now.kept_signal.phase_noise,
                                     TIMES)
                             .symbols);
    }
    const auto left = [&](const frame_symbols& symbols) {
        return model_residual(
            now.kept.input, symbols.warped(readout.warp), readout.window, whole);
    };
    const double better = left(found) / left(now.kept_signal.symbols);
    if (!(better < 1.0))
        return;
    now.frame.residual *= better;
    now.kept_signal.symbols = found;
    for (Index n = payload.first; n < payload.last; n++)
        now.frame.decisions[n - payload.first] = d_network.nearest(found.values(n));
}

// Where a symbol is not sure, those around it may be wrong too. All of the payload, if that is cheap
// or much is doubtful.
std::vector<row_range> still_receiver::doubtful_parts(const attempt& now,
                                                      const frame_layout& layout) const
{
    const Index before = now.kept.readout.window.length + EARLIER;
    const Index after = now.kept.readout.window.length + 2 * LATER;
    const row_range payload = { layout.num_pilots, layout.end() };
    if (kernel::trellis::fits(
            now.kept.readout.points.size(), now.kept.readout.window.length, FEW_BRANCHES))
        return { payload };
    std::vector<row_range> parts;
    for (Index k = 0; k < layout.payload_len; k++) {
        if (now.margins[k] > SURE_MARGIN)
            continue;
        const Index n = layout.num_pilots + k;
        const Index first = std::max(n - before, layout.num_pilots);
        const Index last = std::min(n + after, layout.end());
        if (parts.empty() || first > parts.back().last)
            parts.push_back({ first, last });
        else
            parts.back().last = last;
    }
    Index doubtful = 0;
    for (const row_range& part : parts)
        doubtful += part.size();
    return doubtful > payload.size() / 4 ? std::vector<row_range>{ payload } : parts;
}

// Each time the channel of the last decisions, until they explain the samples no better. Its window
// is theirs, too: pilots show little of the weak taps, which two samples per symbol have on both
// sides.
void still_receiver::search_all(attempt& now, const frame_layout& layout) const
{
    constexpr int TIMES = 3;
    const row_range whole = { 0, layout.end() };
    const row_range payload = { layout.num_pilots, layout.end() };
    if (now.sure || !d_network.settings().feedback || payload.size() == 0)
        return;
    configured_readout& readout = now.kept.readout;
    frame_symbols& symbols = now.kept_signal.symbols;
    for (int i = 0; i < TIMES; i++) {
        const kernel::channel_window window =
            i > 0 ? readout.window
                  : d_network.select_window(
                        now.kept.input, symbols, whole, VectorXd::Ones(whole.last));
        if (!kernel::trellis::fits(readout.points.size(), window.length, MAX_BRANCHES))
            return;
        readout.window = window;
        const sample_streams shifted =
            kernel::delayed(now.kept.input, readout.window.timing);
        const auto fit = [&](const frame_symbols& sent) {
            return kernel::estimate_channel(shifted,
                                            sent.warped(readout.warp),
                                            model_rows(whole, readout.window),
                                            VectorXd::Ones(layout.end()),
                                            readout.window.length);
        };
        const kernel::channel_estimate channel = fit(symbols);
        readout.taps = channel.taps;
        frame_symbols likely = symbols;
        for (const row_range& part : doubtful_parts(now, layout)) {
            const bool last = part.last == layout.end();
            const std::vector<int> found = likely_sequence(
                { readout.window, channel.taps, readout.points, channel.noise_variance },
                now.kept.input,
                likely.warped(readout.warp),
                d_network.points_before(likely, part.first, readout.window.length - 1),
                part,
                last);
            d_network.decide(
                likely, { part.first, last ? part.last : part.last - LATER }, found);
        }
        const double better = fit(likely).mean_residual / channel.mean_residual;
        if (!(better < 1.0))
            break;
        now.frame.residual *= better;
        symbols = likely;
        if (!now.frame.linearised)
            smooth_phase(now, layout);
    }
    now.settled = now.frame.residual < SURE_RESIDUAL * now.frame.pilot_residual;
    for (Index n = payload.first; n < payload.last; n++)
        now.frame.decisions[n - payload.first] = d_network.nearest(symbols.values(n));
}

// The pilots' channel is what the first pass has followed the phase by; the frame's is better.
void still_receiver::smooth_phase(attempt& now, const frame_layout& layout) const
{
    if (!(d_network.settings().phase_noise > 0.0) || layout.payload_len == 0)
        return;
    const row_range whole = { 0, layout.end() };
    const row_range payload = { layout.num_pilots, layout.end() };
    configured_readout& readout = now.kept.readout;
    const VectorXcd sent = now.kept_signal.symbols.warped(readout.warp);
    readout.window = d_network.select_window(
        now.kept.input, now.kept_signal.symbols, whole, VectorXd::Ones(whole.last));
    readout.taps = kernel::sum_lags(now.kept.input,
                                    readout.window.timing,
                                    sent,
                                    model_rows(whole, readout.window),
                                    readout.window.length)
                       .taps();
    const std::vector<float> no_turn(layout.payload_len, 0.0f);
    const double still = model_residual(now.raw, sent, readout.window, whole);
    now.frame.residual =
        follow_phase(now.kept_signal, now.raw, readout, no_turn, payload, still);
    now.kept.input = now.kept_signal.turned;
}

configured_frame still_receiver::finish(attempt& now, const frame_layout& layout) const
{
    const row_range whole = { 0, layout.end() };
    configured_frame& frame = now.frame;
    if (d_network.settings().feedback) {
        if (now.sure && frame.kept_pass == 0 && !frame.linearised)
            smooth_phase(now, layout);
        soften(
            frame, now.kept.input, now.kept_signal.symbols, now.kept.readout, whole.last);
        keep_decisions(d_network, frame, layout.num_pilots);
    } else {
        d_network.equalize(
            now.kept.readout, now.kept.input, whole, frame.soft, frame.soft_variance);
    }
    return frame;
}

// z[n] = x[n] + sum_l conj(h_l) e[n+l] / ||h||²: what a matched filter makes of the residual.
void still_receiver::soften(configured_frame& frame,
                            const sample_streams& streams,
                            const frame_symbols& symbols,
                            const configured_readout& readout,
                            Index num_symbols) const
{
    const Index length = readout.window.length;
    const row_range rows = model_rows({ 0, num_symbols }, readout.window);
    const kernel::channel_estimate channel =
        kernel::estimate_channel(kernel::delayed(streams, readout.window.timing),
                                 symbols.warped(readout.warp),
                                 rows,
                                 VectorXd::Ones(num_symbols),
                                 length);
    frame.soft = symbols.values.head(num_symbols);
    for (Index n = rows.first; n + length <= num_symbols; n++)
        frame.soft(n) +=
            matched(channel.taps, channel.residual.middleRows(n - rows.first, length));
    frame.soft_variance =
        symbol_variance(channel.noise_variance, channel.taps.squaredNorm());
    if (!d_network.settings().soft)
        return;
    const auto model =
        std::make_shared<soft_model>(soft_model{ streams, symbols, readout });
    model->add_still(channel.taps, channel.noise_variance, rows.size());
    frame.model = model;
}

still_receiver::attempt
still_receiver::try_carriers(const sample_streams& raw,
                             const frame_layout& layout,
                             kernel::channel_window pilot_window) const
{
    // Whether it is significant says little: few pilots barely show an offset that turns the
    // payload by a quarter, and a slip by a quarter then explains the samples as well as before.
    const kernel::carrier_offset offset =
        d_network.find_offset(raw, layout.pilots, { 0, layout.num_pilots }, pilot_window);
    const bool two = offset.frequency != 0.0;
    attempt still, turned;
    const auto try_still = [&] { still = begin(raw, layout, pilot_window); };
    const auto try_turned = [&] {
        turned = begin(d_network.derotated(raw, offset.frequency), layout);
        turned.frame.carrier_offset = offset.frequency;
    };
    if (!two || !offset.significant)
        try_still();
    if (two && !still.settled)
        try_turned();
    if (two && offset.significant && !turned.settled)
        try_still();
    // the likelier one first: where it convinces there is no other
    const double doubt =
        offset.significant ? 1.0 : benefit_of_doubt(raw.size() * layout.end());
    const bool turned_is_better =
        !still.tried() ||
        (turned.tried() && turned.frame.residual * doubt < still.frame.residual);
    return turned_is_better ? std::move(turned) : std::move(still);
}

bool still_receiver::channel_moves(const attempt& now, const frame_layout& layout) const
{
    constexpr Index PARTS = 4;
    const kernel::channel_window window = now.kept.readout.window;
    const VectorXcd sent = now.kept_signal.symbols.warped(now.kept.readout.warp);
    const row_range rows = model_rows({ 0, layout.end() }, window);
    const double num_streams = now.raw.size();
    kernel::lag_sums whole(window.length, num_streams);
    double by_parts = 0.0;
    for (Index p = 0; p < PARTS; p++) {
        const kernel::lag_sums part =
            kernel::sum_lags(now.kept.input,
                             window.timing,
                             sent,
                             { rows.first + p * rows.size() / PARTS,
                               rows.first + (p + 1) * rows.size() / PARTS },
                             window.length);
        by_parts += part.residual(part.taps());
        whole.add(part);
    }
    const double as_one = whole.residual(whole.taps());
    const double more_taps = (PARTS - 1) * window.length;
    return rows.size() * std::log(as_one / std::max(by_parts, 1e-300)) >
           more_taps * std::log(double(rows.size()));
}

} // namespace reservoir
} // namespace gr
