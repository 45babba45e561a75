/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/tracker.h"

#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::VectorXcd;
using Eigen::VectorXd;
using kernel::row_range;
using kernel::sample_streams;

const std::vector<double> TRACKING_PRIORS = { 0.3, 3.0, 10.0 };

namespace {

constexpr double DISCOUNT = 0.8; // of a memory's prediction error, per block
// By their age: what was known before the block.
VectorXd forgetting(const block_surroundings& part, double memory, double negligible)
{
    return fading_weights(
        part, memory, negligible, [&part](Index n) { return part.known.last - 1 - n; });
}

} // namespace

channel_prediction predict_block(const block_surroundings& part,
                                 const configured_readout& readout,
                                 const sample_streams& streams,
                                 const VectorXd& weights)
{
    const VectorXcd sent = part.symbols.warped(readout.warp);
    const sample_streams shifted = kernel::delayed(streams, readout.window.timing);
    channel_prediction found;
    found.channel = kernel::estimate_channel(shifted,
                                             sent,
                                             model_rows(part.known, readout.window),
                                             weights,
                                             readout.window.length);
    found.residual = -kernel::channel_rows(sent, part.block, found.channel.taps);
    for (size_t q = 0; q < streams.size(); q++)
        found.residual.col(q) += shifted[q].segment(part.block.first, part.block.size());
    return found;
}

channel_tracker::channel_tracker(const configured_network& network,
                                 const std::vector<double>& memories)
    : d_network(network), d_memories(memories), d_memory(memories.size() - 1)
{
    const int count = memories.size();
    for (int k = 0; k < count; k++) // equally good so far: the longest
        d_scores.push_back(1e-9 * (count - 1 - k));
}

Index channel_tracker::window() const
{
    return std::min<double>(LONGEST_MEMORY, std::max(4.0 * d_memories[d_memory], 256.0));
}

configured_readout channel_tracker::detect(block_surroundings& part)
{
    const configured_settings& settings = d_network.settings();
    const row_range now = part.block;
    for (Index n = now.first; n < part.phase.size(); n++)
        part.phase(n) = d_theta + d_nu * (n - now.first);
    const sample_streams streams = part.turned();
    const bool first = d_history.empty();
    const configured_readout readout = d_network.configure(
        streams,
        part.symbols,
        part.known,
        forgetting(part, d_memories[d_memory], NEGLIGIBLE_WEIGHT),
        d_network.multilevel(),
        first ? std::vector<double>{ settings.prior_weight } : TRACKING_PRIORS,
        false);
    const kernel::adaptive_decisions found = d_network.search(
        readout, streams, part.symbols, part.searched, now.size(), settings.phase_noise);
    d_network.decide(part.symbols, now, found.symbols);
    if (settings.phase_noise > 0.0) {
        for (Index n = now.first; n < now.last; n++)
            part.phase(n) += found.phases[n - now.first];
        d_theta = part.phase(now.last - 1);
        d_nu += found.nu;
    }
    // every memory is judged by what it would have predicted of this block
    const sample_streams decided = part.turned();
    for (size_t k = 0; k < d_memories.size(); k++)
        d_scores[k] =
            DISCOUNT * d_scores[k] +
            predict_block(part, readout, decided, forgetting(part, d_memories[k], 0.0))
                .residual.squaredNorm();
    d_memory = std::min_element(d_scores.begin(), d_scores.end()) - d_scores.begin();
    d_history.push_back(d_memory);
    return readout;
}

double channel_tracker::median_memory() const
{
    std::vector<int> sorted = d_history;
    std::sort(sorted.begin(), sorted.end());
    const size_t half = sorted.size() / 2;
    const double middle =
        sorted.size() % 2 ? sorted[half] : 0.5 * (sorted[half - 1] + sorted[half]);
    return d_memories[std::lrint(middle)];
}

} // namespace reservoir
} // namespace gr
