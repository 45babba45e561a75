/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/tracking_receiver.h"

#include <gnuradio/reservoir/kernel/carrier_offset.h>
#include <algorithm>
#include <cmath>
#include <limits>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

namespace {

constexpr double LONGEST_MEMORY = 1024; // symbols that a fit can be from, while tracking
constexpr double UNLIMITED = 1e9;
const std::vector<double> SMOOTHING_MEMORIES = { 16.0,  32.0,  64.0,     128.0,
                                                 256.0, 512.0, UNLIMITED };
const tracking_plan FAST_FADING = { 16,
                                    { { 16.0, false },
                                      { 24.0, false },
                                      { 48.0, false },
                                      { 50.0, true },
                                      { 100.0, true },
                                      { 200.0, true },
                                      { UNLIMITED, false } },
                                    0.9 };

} // namespace

block_surroundings tracking_receiver::signal::around(row_range known,
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

void tracking_receiver::signal::take_over(const block_surroundings& part, Index first)
{
    const row_range block = part.block;
    for (Index n = block.first; n < block.last; n++)
        symbols.set(
            first + n - block.first, part.symbols.values(n), part.symbols.rings[n]);
    symbols.decided = true;
    const Index rest = part.phase.size() - block.first;
    phase.segment(first, rest) = part.phase.tail(rest);
}

configured_frame tracking_receiver::track(const sample_streams& given,
                                          const frame_layout& layout,
                                          const tracking_plan& plan) const
{
    const Index end = layout.end();
    configured_frame frame;
    frame.tracked = true;
    const kernel::carrier_offset offset = d_network.find_offset(
        given,
        layout.pilots,
        { 0, layout.num_pilots },
        d_network.pilot_window(given, layout.pilots, layout.num_pilots));
    frame.carrier_offset = offset.significant ? offset.frequency : 0.0;
    signal received = { frame.carrier_offset != 0.0
                            ? d_network.derotated(given, frame.carrier_offset)
                            : given,
                        layout.pilots,
                        VectorXd::Zero(given[0].size()),
                        end };

    channel_tracker tracker(d_network, plan);
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
    smooth(frame, received, layout, plan.block, doubtful);
    return frame;
}

tracking_receiver::block_sums
tracking_receiver::sums_of(const signal& received,
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
tracking_receiver::surroundings(const block_sums& sums, double memory, Index block)
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
double tracking_receiver::best_memory(const block_sums& sums, Index block) const
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
tracking_receiver::smoothed_channels
tracking_receiver::channels_of(const block_sums& sums, double memory, Index block) const
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
void tracking_receiver::smooth(configured_frame& frame,
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
    frame.rows_per_fit = std::min<double>(
        2.0 * std::min(frame.memory, LONGEST_MEMORY / 2) + block, layout.end());
    keep_decisions(d_network, frame, layout.num_pilots);
}

bool tracking_receiver::search_again(signal& received,
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

void tracking_receiver::soften(configured_frame& frame,
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
        noise += symbol_variance(channels.noise[b], channels.taps[b].squaredNorm());
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
    frame.model.reset();
    if (!d_network.settings().soft || channels.taps.empty())
        return;
    const auto model = std::make_shared<soft_model>(
        soft_model{ streams, received.symbols, frame.readout });
    for (size_t b = 0; b < channels.taps.size(); b++)
        model->add(range_of(b), channels.taps[b], channels.noise[b]);
    frame.model = model;
}

// Where a channel that moves was taken to stand still, what seems sure may be wrong.
std::vector<char> tracking_receiver::doubtful_blocks(const std::vector<float>& margins,
                                                     Index block)
{
    constexpr float STILL_MARGIN = 4 * SURE_MARGIN;
    std::vector<char> doubtful((margins.size() + block - 1) / block, false);
    for (size_t k = 0; k < margins.size(); k++)
        doubtful[k / block] |= !(margins[k] > STILL_MARGIN);
    return doubtful;
}

std::optional<configured_frame>
tracking_receiver::smoothed(const still_receiver::attempt& decided,
                            const frame_layout& layout) const
{
    const Index end = layout.end(), block = SLOW_FADING.block;
    const std::vector<char> doubtful = doubtful_blocks(decided.margins, block);
    if (size_t(std::count(doubtful.begin(), doubtful.end(), true)) > doubtful.size() / 4)
        return std::nullopt;
    const signal received = {
        decided.raw, decided.kept_signal.symbols, decided.kept_signal.phase, end
    };
    configured_frame frame = decided.frame;
    frame.tracked = true;
    frame.residuals.clear();
    const row_range recent = { std::max<Index>(end - channel_tracker::RECENT, 0), end };
    const VectorXd ones = VectorXd::Ones(end);
    const sample_streams turned = rotated(received.raw, received.phase);
    frame.readout = d_network.model_of(
        turned,
        received.symbols,
        recent,
        d_network.select_window(turned, received.symbols, recent, ones),
        ones,
        d_network.warps(recent));
    d_network.configure_for(
        frame.readout, frame.readout.taps, frame.readout.noise_variance);
    frame.readout.leave_one_out_mse = decided.frame.readout.leave_one_out_mse;
    smooth(frame, received, layout, block, doubtful);
    if (!explains(frame))
        return std::nullopt;
    return frame;
}

bool tracking_receiver::explains(const configured_frame& frame)
{
    return frame.memory > 16.0 && frame.residual <= 1.5 * frame.pilot_residual;
}

configured_frame tracking_receiver::receive(const sample_streams& raw,
                                            const frame_layout& layout) const
{
    configured_frame frame = track(raw, layout, SLOW_FADING);
    if (explains(frame))
        return frame;
    const configured_frame faster = track(raw, layout, FAST_FADING);
    return faster.prediction_error() < frame.prediction_error() ? faster : frame;
}

} // namespace reservoir
} // namespace gr
