/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/tracker.h"

#include "detector/configured/likely_sequence.h"
#include "kernel/phase_loop.h"
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

constexpr Index PIECE = 32;       // of the pilots, symbols
constexpr Index LOOK_EVERY = 512; // symbols; the first time after half of them

// Samples that the pilots' noise variance counts as, beside the prediction errors.
constexpr double PILOT_SAMPLES = 32.0;

// What the phase loop of a survivor would have seen on the way of these decisions.
void follow_phase(kernel::adaptive_decisions& found,
                  const kernel::survivor_model& model,
                  const configured_readout& readout,
                  const sample_streams& streams,
                  const VectorXcd& sent,
                  row_range range)
{
    const MatrixXcd noiseless = kernel::channel_rows(sent, range, readout.taps);
    const double power = std::max(noiseless.squaredNorm() / range.size(), 1e-12);
    VectorXcd product = VectorXcd::Zero(range.size());
    for (size_t q = 0; q < streams.size(); q++)
        product.array() +=
            kernel::lagged(streams[q], range, 1, readout.window.timing).array() *
            noiseless.col(q).array().conjugate();
    kernel::phase_loop loop(model, power, 0.0f, 0.0f);
    for (Index n = 0; n < range.size(); n++) {
        loop.follow(std::complex<float>(product(n)) * loop.turn, 1.0f);
        found.phases[n] = loop.theta;
    }
    found.theta = loop.theta;
    found.nu = loop.nu;
}

} // namespace

kernel::adaptive_decisions decide_block(const configured_network& network,
                                        const configured_readout& readout,
                                        const sample_streams& streams,
                                        const frame_symbols& symbols,
                                        row_range searched,
                                        Index judged)
{
    const double phase_noise = network.settings().phase_noise;
    kernel::adaptive_decisions found =
        network.search(readout, streams, symbols, searched, judged, phase_noise);
    if (found.margin > SURE_MARGIN || !kernel::trellis::fits(readout.points.size(),
                                                             readout.window.length,
                                                             BLOCK_BRANCHES))
        return found;
    const VectorXcd before = symbols.warped(readout.warp);
    found.symbols = likely_sequence(
        { readout.window, readout.taps, readout.points, readout.noise_variance },
        streams,
        before,
        network.points_before(symbols, searched.first, readout.window.length - 1),
        searched,
        true);
    if (phase_noise > 0.0) {
        VectorXcd sent = before;
        for (Index n = searched.first; n < searched.last; n++)
            sent(n) = readout.points(found.symbols[n - searched.first]);
        follow_phase(
            found, network.model(readout, phase_noise), readout, streams, sent, searched);
    }
    return found;
}

// Memories with a trend do not lag: in a fade the shortest without one would win, and follow
// wrong decisions.
const tracking_plan SLOW_FADING = { 32,
                                    { { 48.0, false },
                                      { 96.0, false },
                                      { 100.0, true },
                                      { 200.0, true },
                                      { 400.0, true },
                                      { 800.0, true },
                                      { 1e9, false } },
                                    0.8 };
channel_tracker::channel_tracker(const configured_network& network,
                                 const tracking_plan& plan)
    : d_network(network),
      d_memories(plan.memories),
      d_discount(plan.discount),
      d_best(plan.memories.size() - 1)
{
    const int count = d_memories.size();
    for (int k = 0; k < count; k++) // equally good so far: the longest
        d_scores.push_back(1e-9 * (count - 1 - k));
}

Index channel_tracker::window() const
{
    if (d_num_tracked == 0 || d_num_tracked >= d_next_look)
        return RECENT;
    return d_readout.window.length + std::abs(d_readout.window.timing);
}

tracked_block channel_tracker::detect(block_surroundings& part)
{
    const configured_settings& settings = d_network.settings();
    const row_range now = part.block;
    for (Index n = now.first; n < part.phase.size(); n++)
        part.phase(n) = d_theta + d_nu * (n - now.first);
    const sample_streams streams = part.turned();
    if (d_channels.empty()) {
        begin(part, streams);
    } else {
        if (d_num_tracked >= d_next_look)
            look_again(part);
        d_network.configure_for(d_readout, d_predicted[d_best], noise_variance());
    }
    const configured_readout used = d_readout;
    const kernel::adaptive_decisions found =
        decide_block(d_network, used, streams, part.symbols, part.searched, now.size());
    d_network.decide(part.symbols, now, found.symbols);
    if (settings.phase_noise > 0.0) {
        for (Index n = now.first; n < now.last; n++)
            part.phase(n) += found.phases[n - now.first];
        d_theta = part.phase(now.last - 1);
        d_nu += found.nu;
    }
    remember(part, part.turned(), now);
    d_num_tracked += now.size();
    return { used, found.margin };
}

void channel_tracker::begin(const block_surroundings& part, const sample_streams& streams)
{
    const VectorXd weights = VectorXd::Ones(part.phase.size());
    d_readout = d_network.configure(
        streams,
        part.symbols,
        part.known,
        d_network.select_window(streams, part.symbols, part.known, weights),
        weights,
        d_network.warps(part.known),
        { d_network.settings().prior_weight });
    d_pilot_noise = d_readout.noise_variance;
    d_last_seen = d_readout.window;
    for (const tracking_memory& memory : d_memories)
        d_channels.emplace_back(memory, d_readout.window.length, streams.size());
    for (Index first = part.known.first; first < part.known.last; first += PIECE)
        remember(part, streams, { first, std::min(first + PIECE, part.known.last) });
}

void channel_tracker::look_again(const block_surroundings& part)
{
    d_next_look += LOOK_EVERY;
    const double memory = d_memories[d_best].symbols;
    VectorXd weights = VectorXd::Ones(part.phase.size());
    for (Index n = part.known.first; n < part.known.last && memory < RECENT; n++)
        weights(n) = std::exp(double(n + 1 - part.known.last) / memory);
    const sample_streams streams = part.turned();
    configured_readout found = d_network.model_of(
        streams,
        part.symbols,
        part.known,
        d_network.select_window(streams, part.symbols, part.known, weights),
        weights,
        d_network.warps(part.known));
    const kernel::channel_window seen = std::exchange(d_last_seen, found.window);
    // a tap that fades now may be back before the next look
    found.window = covering(found.window, seen);
    if (found.window.length == d_readout.window.length &&
        found.window.timing == d_readout.window.timing && !d_network.multilevel())
        return;
    d_readout = found;
    d_channels.clear();
    for (const tracking_memory& known : d_memories)
        d_channels.emplace_back(known, found.window.length, streams.size());
    for (Index first = part.known.first; first < part.known.last; first += PIECE) {
        const row_range piece = { first, std::min(first + PIECE, part.known.last) };
        const kernel::lag_sums sums = sums_of(part, streams, piece);
        for (remembered_channel& channel : d_channels)
            channel.add(sums, piece.size());
    }
    predict(part.block.size());
}

kernel::lag_sums channel_tracker::sums_of(const block_surroundings& part,
                                          const sample_streams& streams,
                                          row_range range) const
{
    const kernel::channel_window window = d_readout.window;
    const Index first = model_rows({ part.known.first, range.last }, window).first;
    return kernel::sum_lags(streams,
                            window.timing,
                            part.symbols.warped(d_readout.warp),
                            { std::max(range.first, first), range.last },
                            window.length);
}

// Every memory is judged by what it has predicted of the range, before it learns of it.
void channel_tracker::remember(const block_surroundings& part,
                               const sample_streams& streams,
                               row_range range)
{
    const kernel::lag_sums sums = sums_of(part, streams, range);
    for (size_t k = 0; k < d_channels.size(); k++) {
        d_scores[k] *= d_discount;
        if (!d_predicted.empty())
            d_scores[k] += sums.residual(d_predicted[k]);
        d_channels[k].add(sums, range.size());
    }
    if (!d_predicted.empty())
        d_scored = d_discount * d_scored + sums.weight * sums.cross.cols();
    d_best = std::min_element(d_scores.begin(), d_scores.end()) - d_scores.begin();
    predict(part.block.size());
}

void channel_tracker::predict(Index num_symbols)
{
    d_predicted.clear();
    for (const remembered_channel& channel : d_channels)
        d_predicted.push_back(channel.taps(num_symbols / 2.0));
}

double channel_tracker::noise_variance() const
{
    const MatrixXcd& taps = d_predicted[d_best];
    const double shown =
        (d_scores[d_best] + PILOT_SAMPLES * d_pilot_noise) / (d_scored + PILOT_SAMPLES);
    return std::max(shown, 1e-4 * taps.squaredNorm() / taps.cols());
}

} // namespace reservoir
} // namespace gr
