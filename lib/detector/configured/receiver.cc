/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/receiver.h"

#include "detector/configured/likely_sequence.h"
#include "detector/configured/tracker.h"
#include <gnuradio/reservoir/kernel/carrier_offset.h>
#include <gnuradio/reservoir/kernel/lag_sums.h>
#include <gnuradio/reservoir/kernel/receiver_saturation.h>
#include <gnuradio/reservoir/kernel/trellis.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;
using Eigen::VectorXd;
using kernel::row_range;
using kernel::sample_streams;
typedef std::complex<double> cdouble;

namespace {

constexpr Index LONGEST_REFIT = 1024; // payload, symbols
constexpr Index BEGINNING = 4;        // share of a long payload, one over this
// A pass convinces whose every decision is so sure and whose residual is so many times the
// pilots' at most. The residual alone does not tell: the errors that remain show little in it.
constexpr double SURE_MARGIN = 0.05, SURE_RESIDUAL = 1.5;
// Symbols around one that is not sure, beyond the channel's length, that a search through all
// sequences takes up; the last of them only help.
constexpr Index EARLIER = 8, LATER = 12;
constexpr size_t FEW_BRANCHES = 256;
constexpr size_t MAX_BRANCHES = 4096; // of a search through all sequences
constexpr Index PHASE_WINDOW = 48;    // half width, symbols
// divides the phase noise once a correction did not pay
constexpr double REJECTED_PHASE = 30;
constexpr double LONGEST_MEMORY = 1024; // symbols that a fit can be from, while tracking
const std::vector<double> REFIT_PRIORS = { 0.03, 0.3, 3.0, 10.0 };

// What a less simple explanation of the samples has to be better by: the residuals of two that
// are as good, or as wrong, differ by about one over the root of the number of samples.
double benefit_of_doubt(const sample_streams& streams, Index num_symbols)
{
    return 1.0 + 0.75 / std::sqrt(double(streams.size() * num_symbols));
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

// sum_l conj(h_l) e_l / ||h||² over taps and streams.
cdouble matched(const MatrixXcd& taps, const Eigen::Ref<const MatrixXcd>& residual)
{
    return (taps.conjugate().array() * residual.array()).sum() /
           std::max(taps.squaredNorm(), 1e-12);
}

} // namespace

double configured_frame::prediction_error() const
{
    const double share = readout.window.length / std::max(rows_per_fit, 1.0);
    return residual * (1.0 + share) / std::max(1.0 - share, 0.1);
}

namespace {

constexpr double UNLIMITED = 1e9;
const std::vector<double> SMOOTHING_MEMORIES = { 16.0,  32.0,  64.0,     128.0,
                                                 256.0, 512.0, UNLIMITED };
// Memories with a trend do not lag: in a fade the shortest without one would win, and follow
// wrong decisions.
const configured_receiver::tracking_plan SLOW_FADING = { 32,
                                                         { { 48.0, false },
                                                           { 96.0, false },
                                                           { 100.0, true },
                                                           { 200.0, true },
                                                           { 400.0, true },
                                                           { 800.0, true },
                                                           { UNLIMITED, false } },
                                                         0.8 };
const configured_receiver::tracking_plan FAST_FADING = { 16,
                                                         { { 16.0, false },
                                                           { 24.0, false },
                                                           { 48.0, false },
                                                           { 50.0, true },
                                                           { 100.0, true },
                                                           { 200.0, true },
                                                           { UNLIMITED, false } },
                                                         0.9 };

} // namespace

configured_receiver::configured_receiver(const configured_settings& settings)
    : d_network(settings)
{
}

configured_receiver::configured_pass configured_receiver::configure_pass(
    const decided_signal& signal, row_range range, bool first) const
{
    const configured_settings& settings = d_network.settings();
    const VectorXd weights = VectorXd::Ones(signal.phase.size());
    const bool warp = d_network.warps(range);
    const std::vector<double> priors =
        first ? std::vector<double>{ settings.prior_weight } : REFIT_PRIORS;
    configured_pass pass;
    pass.input = signal.turned;
    if (settings.receiver_linearization && d_network.multilevel() &&
        signal.turned.size() == 1) {
        const kernel::channel_window window =
            d_network.select_window(signal.turned, signal.symbols, range, weights, false);
        const kernel::linearised_receiver found =
            kernel::linearise_receiver(kernel::delayed(signal.turned[0], window.timing),
                                       signal.symbols.values,
                                       model_rows(range, window),
                                       window.length);
        pass.linearised = found.used;
        if (pass.linearised)
            pass.input[0] = kernel::delayed(found.samples, -window.timing);
    }
    pass.readout = d_network.configure(
        pass.input, signal.symbols, range, weights, warp, priors, first);
    if (pass.linearised && warp) { // which end of the link is it that saturates?
        const configured_readout other = d_network.configure(
            signal.turned, signal.symbols, range, weights, warp, priors, first);
        if (other.leave_one_out_mse < pass.readout.leave_one_out_mse) {
            pass.readout = other;
            pass.input = signal.turned;
        }
    }
    return pass;
}

double configured_receiver::follow_phase(decided_signal& signal,
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

configured_receiver::attempt configured_receiver::begin(const sample_streams& raw,
                                                        const frame_layout& layout) const
{
    attempt now;
    now.raw = raw;
    now.signal = { layout.pilots,
                   VectorXd::Zero(raw[0].size()),
                   raw,
                   d_network.settings().phase_noise };
    now.frame.rows_per_fit = layout.end();
    pass(now, layout, 0);
    return now;
}

void configured_receiver::pass(attempt& now, const frame_layout& layout, int number) const
{
    const configured_settings& settings = d_network.settings();
    const row_range pilots = { 0, layout.num_pilots }, whole = { 0, layout.end() };
    const row_range payload = { layout.num_pilots, layout.end() };
    const bool first = number == 0;
    decided_signal& signal = now.signal;
    configured_frame& frame = now.frame;
    const configured_pass pass = configure_pass(signal, first ? pilots : whole, first);
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
    const bool sure = settings.feedback && found.margin > SURE_MARGIN &&
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

void configured_receiver::refine(attempt& now, const frame_layout& layout) const
{
    const int refits = d_network.settings().refits;
    if (refits > 0)
        search_all(now, layout);
    if (now.settled)
        return;
    for (int number = 1; number <= refits && !now.settled; number++)
        pass(now, layout, number);
    if (refits > 0 && !now.settled)
        search_all(now, layout);
    if (refits > 0 && !now.sure && d_network.settings().survivors > 1 &&
        !kernel::trellis::fits(
            now.kept.readout.points.size(), now.kept.readout.window.length, MAX_BRANCHES))
        search_more(now, layout);
}

// Where there are too many sequences to search them all.
void configured_receiver::search_more(attempt& now, const frame_layout& layout) const
{
    constexpr int TIMES = 4;
    const configured_readout& readout = now.kept.readout;
    const row_range whole = { 0, layout.end() };
    const row_range payload = { layout.num_pilots, layout.end() };
    known_symbols found = now.kept_signal.symbols;
    d_network.decide(found,
                     payload,
                     d_network
                         .search(readout,
                                 now.kept.input,
                                 found,
                                 payload,
                                 payload.size(),
                                 now.kept_signal.phase_noise,
                                 TIMES)
                         .symbols);
    const auto left = [&](const known_symbols& symbols) {
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
std::vector<row_range>
configured_receiver::doubtful_parts(const attempt& now, const frame_layout& layout) const
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

// Each time the channel of the last decisions, until they explain the samples no better.
void configured_receiver::search_all(attempt& now, const frame_layout& layout) const
{
    constexpr int TIMES = 3;
    const row_range whole = { 0, layout.end() };
    const row_range payload = { layout.num_pilots, layout.end() };
    if (now.sure || !d_network.settings().feedback || payload.size() == 0)
        return;
    const configured_readout& readout = now.kept.readout;
    known_symbols& symbols = now.kept_signal.symbols;
    for (int i = 0; i < TIMES; i++) {
        if (!kernel::trellis::fits(
                readout.points.size(), readout.window.length, MAX_BRANCHES))
            return;
        const sample_streams shifted =
            kernel::delayed(now.kept.input, readout.window.timing);
        const auto fit = [&](const known_symbols& sent) {
            return kernel::estimate_channel(shifted,
                                            sent.warped(readout.warp),
                                            model_rows(whole, readout.window),
                                            VectorXd::Ones(layout.end()),
                                            readout.window.length);
        };
        const kernel::channel_estimate channel = fit(symbols);
        known_symbols likely = symbols;
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
void configured_receiver::smooth_phase(attempt& now, const frame_layout& layout) const
{
    if (!(d_network.settings().phase_noise > 0.0) || layout.payload_len == 0)
        return;
    const row_range whole = { 0, layout.end() };
    const row_range payload = { layout.num_pilots, layout.end() };
    configured_readout& readout = now.kept.readout;
    const VectorXcd sent = now.kept_signal.symbols.warped(readout.warp);
    readout.window = d_network.select_window(now.kept.input,
                                             now.kept_signal.symbols,
                                             whole,
                                             VectorXd::Ones(whole.last),
                                             false);
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

configured_frame configured_receiver::finish(attempt& now,
                                             const frame_layout& layout) const
{
    const row_range whole = { 0, layout.end() };
    configured_frame& frame = now.frame;
    if (d_network.settings().feedback) {
        if (now.sure && frame.kept_pass == 0 && !frame.linearised)
            smooth_phase(now, layout);
        soften(
            frame, now.kept.input, now.kept_signal.symbols, now.kept.readout, whole.last);
        keep_decisions(frame, layout.num_pilots);
    } else {
        d_network.equalize(
            now.kept.readout, now.kept.input, whole, frame.soft, frame.soft_variance);
    }
    return frame;
}

// z[n] = x[n] + sum_l conj(h_l) e[n+l] / ||h||²: what a matched filter makes of the residual.
void configured_receiver::soften(configured_frame& frame,
                                 const sample_streams& streams,
                                 const known_symbols& symbols,
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
        channel.noise_variance / std::max(channel.taps.squaredNorm(), 1e-12);
}

// Errors in the payload that are to be expected, if all other decisions are right: of the decided
// point and the nearest other one, the probability of the other by the matched filter's output.
double configured_receiver::expected_errors(const configured_frame& frame,
                                            Index num_pilots) const
{
    constexpr double CLEAR_LEAD = 40.0; // e^-40 counts for nothing
    const VectorXcd& points = d_network.settings().points;
    double sum = 0.0;
    for (size_t i = 0; i < frame.decisions.size(); i++) {
        const cdouble soft = frame.soft(num_pilots + i);
        double other = std::numeric_limits<double>::infinity();
        for (Index m = 0; m < points.size(); m++)
            if (m != frame.decisions[i])
                other = std::min(other, std::norm(soft - points(m)));
        const double lead = (other - std::norm(soft - points(frame.decisions[i]))) /
                            std::max(frame.soft_variance, 1e-12);
        if (lead < CLEAR_LEAD)
            sum += 1.0 / (1.0 + std::exp(lead));
    }
    return sum;
}

// Where slicing would not give the decision (only an exhaustive search ensures that), the
// decision itself is the output.
void configured_receiver::keep_decisions(configured_frame& frame, Index num_pilots) const
{
    frame.expected_errors = expected_errors(frame, num_pilots);
    for (size_t i = 0; i < frame.decisions.size(); i++) {
        auto& soft = frame.soft(num_pilots + i);
        if (d_network.nearest(soft) != frame.decisions[i])
            soft = d_network.settings().points(frame.decisions[i]);
    }
}

configured_receiver::attempt
configured_receiver::try_carriers(const sample_streams& raw,
                                  const frame_layout& layout) const
{
    // Whether it is significant says little: few pilots barely show an offset that turns the
    // payload by a quarter, and a slip by a quarter then explains the samples as well as before.
    const kernel::carrier_offset offset =
        d_network.find_offset(raw, layout.pilots, layout.num_pilots);
    const bool two = offset.frequency != 0.0;
    attempt still, turned;
    const auto try_still = [&] { still = begin(raw, layout); };
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
    const double doubt = offset.significant ? 1.0 : benefit_of_doubt(raw, layout.end());
    const bool turned_is_better =
        !still.tried() ||
        (turned.tried() && turned.frame.residual * doubt < still.frame.residual);
    return turned_is_better ? std::move(turned) : std::move(still);
}

// By the Bayesian information criterion: do parts of the frame have channels of their own?
bool configured_receiver::channel_moves(const attempt& now,
                                        const frame_layout& layout) const
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

block_surroundings configured_receiver::signal::around(row_range known,
                                                       row_range block) const
{
    const row_range searched = {
        block.first, std::min(block.last + channel_tracker::LAG, num_symbols)
    };
    const Index last = std::max(known.last, searched.last);
    const Index begin = std::max<Index>(known.first - channel_tracker::MARGIN, 0);
    const Index end = std::min<Index>(
        last + configured_network::FUTURE + channel_tracker::MARGIN, phase.size());
    block_surroundings part = { {},
                                symbols.cut(begin, end),
                                phase.segment(begin, end - begin),
                                { known.first - begin, known.last - begin },
                                { block.first - begin, block.last - begin },
                                { searched.first - begin, searched.last - begin } };
    for (const auto& stream : raw)
        part.raw.push_back(stream.segment(begin, end - begin));
    return part;
}

void configured_receiver::signal::take_over(const block_surroundings& part, Index first)
{
    const row_range block = part.block;
    for (Index n = block.first; n < block.last; n++)
        symbols.set(
            first + n - block.first, part.symbols.values(n), part.symbols.rings[n]);
    symbols.decided = true;
    const Index rest = part.phase.size() - block.first;
    phase.segment(first, rest) = part.phase.tail(rest);
}

configured_frame configured_receiver::track(const sample_streams& given,
                                            const frame_layout& layout,
                                            const tracking_plan& plan) const
{
    const Index end = layout.end();
    configured_frame frame;
    frame.tracked = true;
    const kernel::carrier_offset offset =
        d_network.find_offset(given, layout.pilots, layout.num_pilots);
    frame.carrier_offset = offset.significant ? offset.frequency : 0.0;
    signal received = { frame.carrier_offset != 0.0
                            ? d_network.derotated(given, frame.carrier_offset)
                            : given,
                        layout.pilots,
                        VectorXd::Zero(given[0].size()),
                        end };

    channel_tracker tracker(d_network, plan.memories, plan.discount);
    std::vector<char> doubtful; // blocks
    double training_error = 1.0;
    for (Index first = layout.num_pilots; first < end; first += plan.block) {
        const Index last = std::min(first + plan.block, end);
        const Index start = std::max<Index>(0, first - tracker.window());
        block_surroundings part = received.around({ start, first }, { first, last });
        const tracked_block found = tracker.detect(part);
        received.take_over(part, first);
        doubtful.push_back(!(found.margin > 0.0));
        if (first == layout.num_pilots) {
            frame.pilot_residual = found.readout.noise_variance;
            frame.first_length = found.readout.window.length;
            training_error = found.readout.leave_one_out_mse;
        }
    }
    frame.readout = tracker.readout();
    // later ones are of channel and noise alone, and leave nothing out
    frame.readout.leave_one_out_mse = training_error;
    frame.memory = tracker.median_memory();
    smooth(frame, received, layout, plan.block, doubtful);
    frame.rows_per_fit = std::min<double>(
        2.0 * std::min(frame.memory, LONGEST_MEMORY / 2) + plan.block, end);
    keep_decisions(frame, layout.num_pilots);
    return frame;
}

configured_receiver::block_sums
configured_receiver::sums_of(const signal& received,
                             const sample_streams& streams,
                             const configured_readout& readout,
                             const frame_layout& layout,
                             Index block) const
{
    const kernel::channel_window window = readout.window;
    const VectorXcd sent = received.symbols.warped(readout.warp);
    const auto sum = [&](Index first, Index last) {
        return kernel::sum_lags(
            streams,
            window.timing,
            sent,
            { std::max(first, model_rows({ 0, last }, window).first), last },
            window.length);
    };
    block_sums sums = { sum(0, layout.num_pilots), {} };
    for (Index first = layout.num_pilots; first < layout.end(); first += block)
        sums.blocks.push_back(sum(first, std::min(first + block, layout.end())));
    return sums;
}

// Σ e^(−distance / memory) of the blocks on both sides of each, without its own.
std::vector<kernel::lag_sums>
configured_receiver::surroundings(const block_sums& sums, double memory, Index block)
{
    const double decay = std::exp(-double(block) / memory);
    const Index count = sums.blocks.size();
    std::vector<kernel::lag_sums> around;
    kernel::lag_sums side = sums.pilots;
    for (Index b = 0; b < count; b++) {
        around.push_back(side);
        side.fade(decay);
        side.add(sums.blocks[b]);
    }
    side = kernel::lag_sums(side.length(), side.cross.cols());
    for (Index b = count - 1; b >= 0; b--) {
        around[b].add(side);
        side.fade(decay);
        side.add(sums.blocks[b]);
    }
    return around;
}

// The memory whose taps leave least of the blocks that they were not fitted on.
double configured_receiver::best_memory(const block_sums& sums, Index block) const
{
    double best = 0.0, least = std::numeric_limits<double>::infinity();
    for (const double memory : SMOOTHING_MEMORIES) {
        const std::vector<kernel::lag_sums> around = surroundings(sums, memory, block);
        double left = 0.0;
        for (size_t b = 0; b < around.size(); b++)
            left += sums.blocks[b].residual(around[b].taps());
        if (left < least) {
            least = left;
            best = memory;
        }
    }
    return best;
}

// Taps of every block from the decisions on both sides of it and its own.
configured_receiver::smoothed_channels
configured_receiver::channels_of(const block_sums& sums, double memory, Index block) const
{
    std::vector<kernel::lag_sums> around = surroundings(sums, memory, block);
    const double num_streams = sums.pilots.cross.cols(), length = sums.pilots.length();
    smoothed_channels found;
    double rows = 0.0;
    for (size_t b = 0; b < around.size(); b++) {
        kernel::lag_sums& all = around[b];
        all.add(sums.blocks[b]);
        const MatrixXcd taps = all.taps();
        found.taps.push_back(taps);
        found.residual += sums.blocks[b].residual(taps);
        rows += sums.blocks[b].weight;
        found.noise.push_back(std::max(all.residual(taps) / num_streams /
                                           std::max(all.weight - length, 1.0),
                                       1e-4 * taps.squaredNorm() / num_streams) *
                              (1.0 + length / std::max(all.weight, length + 1.0)));
    }
    found.residual /= num_streams * std::max(rows, 1.0);
    return found;
}

// Doubtful blocks again, from the decisions on both sides; the last round only scores.
void configured_receiver::smooth(configured_frame& frame,
                                 signal received,
                                 const frame_layout& layout,
                                 Index block,
                                 const std::vector<char>& doubtful) const
{
    constexpr int ROUNDS = 2;
    for (int round = 0; round < ROUNDS; round++) {
        const sample_streams streams = rotated(received.raw, received.phase);
        const block_sums sums = sums_of(received, streams, frame.readout, layout, block);
        if (round == 0)
            frame.memory = best_memory(sums, block);
        const smoothed_channels channels = channels_of(sums, frame.memory, block);
        frame.residuals.push_back(channels.residual);
        if (round == 0 || channels.residual < frame.residual) {
            frame.kept_pass = round;
            frame.residual = channels.residual;
            soften(frame, received, streams, channels, layout, block);
        }
        if (round + 1 == ROUNDS ||
            !search_again(
                received, streams, channels, frame.readout, layout, block, doubtful))
            break;
    }
}

bool configured_receiver::search_again(signal& received,
                                       const sample_streams& streams,
                                       const smoothed_channels& channels,
                                       configured_readout readout,
                                       const frame_layout& layout,
                                       Index block,
                                       const std::vector<char>& doubtful) const
{
    const double phase_noise = d_network.settings().phase_noise;
    bool changed = false, any = false; // the block before; one of all
    for (size_t b = 0; b < channels.taps.size(); b++) {
        if (!changed && !doubtful[b])
            continue;
        const Index first = layout.num_pilots + b * block;
        const Index last = std::min(first + block, layout.end());
        d_network.configure_for(readout, channels.taps[b], channels.noise[b]);
        const kernel::adaptive_decisions found =
            decide_block(d_network,
                         readout,
                         streams,
                         received.symbols,
                         { first, std::min(last + channel_tracker::LAG, layout.end()) },
                         last - first);
        changed = false;
        for (Index n = first; n < last; n++) {
            const cdouble point = d_network.settings().points(found.symbols[n - first]);
            changed |= point != received.symbols.values(n);
            if (phase_noise > 0.0)
                received.phase(n) += found.phases[n - first];
        }
        d_network.decide(received.symbols, { first, last }, found.symbols);
        any |= changed;
    }
    return any;
}

void configured_receiver::soften(configured_frame& frame,
                                 const signal& received,
                                 const sample_streams& streams,
                                 const smoothed_channels& channels,
                                 const frame_layout& layout,
                                 Index block) const
{
    const kernel::channel_window window = frame.readout.window;
    const VectorXcd sent = received.symbols.warped(frame.readout.warp);
    const sample_streams shifted = kernel::delayed(streams, window.timing);
    MatrixXcd residual = MatrixXcd::Zero(layout.end(), streams.size());
    const auto range_of = [&](size_t b) {
        const Index first = layout.num_pilots + b * block;
        return row_range{ first, std::min(first + block, layout.end()) };
    };
    double noise = 0.0;
    for (size_t b = 0; b < channels.taps.size(); b++) {
        const row_range range = range_of(b);
        residual.middleRows(range.first, range.size()) =
            -kernel::channel_rows(sent, range, channels.taps[b]);
        for (size_t q = 0; q < streams.size(); q++)
            residual.col(q).segment(range.first, range.size()) +=
                shifted[q].segment(range.first, range.size());
        noise += channels.noise[b] / std::max(channels.taps[b].squaredNorm(), 1e-12);
    }
    frame.soft = received.symbols.values.head(layout.end());
    frame.decisions.clear();
    for (size_t b = 0; b < channels.taps.size(); b++) {
        const row_range range = range_of(b);
        for (Index n = range.first; n < range.last; n++) {
            frame.decisions.push_back(d_network.nearest(received.symbols.values(n)));
            if (n + window.length <= layout.end())
                frame.soft(n) +=
                    matched(channels.taps[b], residual.middleRows(n, window.length));
        }
    }
    frame.soft_variance = noise / std::max<size_t>(channels.taps.size(), 1);
}

configured_frame configured_receiver::receive_tracked(const sample_streams& raw,
                                                      const frame_layout& layout) const
{
    configured_frame frame = track(raw, layout, SLOW_FADING);
    if (frame.memory > 16.0 && frame.residual <= 1.5 * frame.pilot_residual)
        return frame;
    const configured_frame faster = track(raw, layout, FAST_FADING);
    return faster.prediction_error() < frame.prediction_error() ? faster : frame;
}

// What noise alone leaves at most, by the pilots.
double configured_receiver::usual_residual(const configured_frame& frame,
                                           Index num_pilots) const
{
    const double freedom = std::max<double>(num_pilots - frame.first_length, 1.0) *
                           d_network.settings().phases;
    return frame.pilot_residual * std::max(1.5, 1.0 + 3.0 / std::sqrt(freedom));
}

configured_frame configured_receiver::receive(const sample_streams& streams,
                                              const std::vector<cdouble>& pilots,
                                              Index payload_len) const
{
    const Index num_pilots = pilots.size();
    const known_symbols symbols = d_network.known(pilots, streams[0].size());
    const frame_layout layout = { symbols, num_pilots, payload_len };
    const tracking_mode tracking = d_network.settings().tracking;
    attempt now;
    double usual = 0.0;
    bool may_track = false;
    const auto begin = [&](Index symbols_of_payload) {
        const frame_layout part = { symbols, num_pilots, symbols_of_payload };
        now = try_carriers(streams, part);
        usual = usual_residual(now.frame, num_pilots);
        may_track = d_network.settings().feedback && payload_len > 0 &&
                    tracking != tracking_mode::off && !now.frame.linearised;
        return may_track && (channel_moves(now, part) ||
                             // refits of a long frame cost more than tracking it
                             (payload_len > LONGEST_REFIT && now.frame.residual > usual));
    };
    const double doubt = benefit_of_doubt(streams, layout.end());
    std::optional<configured_frame> tracked;
    const auto tracking_is_better = [&](const configured_frame& still) {
        if (!tracked)
            tracked = receive_tracked(streams, layout);
        return tracked->prediction_error() * doubt < still.prediction_error();
    };
    // of a long frame the beginning shows whether its channel moves
    if (payload_len > LONGEST_REFIT && begin(payload_len / BEGINNING) &&
        tracking_is_better(now.frame))
        return *tracked;
    if (begin(payload_len) && tracking_is_better(now.frame))
        return *tracked;
    refine(now, layout);
    const configured_frame frame = finish(now, layout);
    const bool ask = tracked || tracking == tracking_mode::on || frame.residual > usual;
    return may_track && ask && tracking_is_better(frame) ? *tracked : frame;
}

} // namespace reservoir
} // namespace gr
