/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/viterbi_equalizer.h>

#include "check.h"
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace gr {
namespace reservoir {
namespace kernel {

namespace {

// What is expected of each branch. Its digits, newest symbol first, in the number of points;
// without the last one they are the new state, without the first the old one. Digits of symbols
// before the first and after the last one wanted do not matter: those symbols are known.
std::vector<gr_complex> expected_samples(size_t n,
                                         size_t num_symbols,
                                         const std::vector<gr_complex>& channel,
                                         const std::vector<gr_complex>& points,
                                         const std::vector<gr_complex>& past,
                                         const std::vector<gr_complex>& future,
                                         size_t num_branches)
{
    std::vector<gr_complex> expected(num_branches);
    for (size_t branch = 0; branch < num_branches; branch++) {
        size_t digits = branch;
        for (size_t l = channel.size(); l-- > 0; digits /= points.size()) {
            gr_complex symbol = points[digits % points.size()];
            if (l > n)
                symbol = past[l - n - 1];
            else if (n - l >= num_symbols)
                symbol = future[n - l - num_symbols];
            expected[branch] += channel[l] * symbol;
        }
    }
    return expected;
}

} // namespace

std::vector<int> viterbi_equalizer(const std::vector<gr_complex>& received,
                                   size_t num_symbols,
                                   const std::vector<gr_complex>& channel,
                                   const std::vector<gr_complex>& points,
                                   const std::vector<gr_complex>& past,
                                   const std::vector<gr_complex>& future)
{
    const size_t order = points.size();
    require(!channel.empty(), "channel", "empty", "at least one tap");
    require(order >= 2 && order <= 256, "points", order, "2 to 256");
    require(std::pow(order, channel.size()) <= 1 << 20,
            "channel",
            std::to_string(channel.size()) + " taps",
            "so short that points to its power is at most 2^20");
    const size_t memory = channel.size() - 1;
    require(past.size() >= memory,
            "past",
            std::to_string(past.size()) + " symbols",
            "at least as many as the channel's taps less one");
    require(num_symbols <= received.size() &&
                received.size() <= num_symbols + future.size(),
            "num_symbols",
            num_symbols,
            "the samples received, less at most one for each future symbol");

    const size_t num_branches = std::lround(std::pow(order, channel.size()));
    const size_t num_states = num_branches / order;
    std::vector<gr_complex> expected;
    std::vector<float> metric(num_states, 0.0f), next(num_states);
    // last digit of the best branch
    std::vector<uint8_t> forgotten(received.size() * num_states);
    for (size_t n = 0; n < received.size(); n++) {
        if (n <= memory || n >= num_symbols)
            expected = expected_samples(
                n, num_symbols, channel, points, past, future, num_branches);
        for (size_t state = 0; state < num_states; state++) {
            next[state] = std::numeric_limits<float>::infinity();
            for (size_t last = 0; last < order; last++) {
                const size_t branch = state * order + last;
                const float cost = metric[branch % num_states] +
                                   std::norm(received[n] - expected[branch]);
                if (cost < next[state]) {
                    next[state] = cost;
                    forgotten[n * num_states + state] = last;
                }
            }
        }
        const float best = *std::min_element(next.begin(), next.end());
        for (size_t state = 0; state < num_states; state++)
            metric[state] = next[state] - best;
    }

    std::vector<int> symbols(received.size());
    size_t state = std::min_element(metric.begin(), metric.end()) - metric.begin();
    for (size_t n = received.size(); n-- > 0;) {
        const size_t branch = state * order + forgotten[n * num_states + state];
        symbols[n] = branch / num_states;
        state = branch % num_states;
    }
    symbols.resize(num_symbols);
    return symbols;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
