/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/forward_backward.h>

#include "check.h"
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;

namespace {

// Branches that are so much less likely than a row's best, in nats, are not followed: what they
// would change is less than the ratios are limited to.
constexpr float BEAM = 20.0f;
constexpr int PRUNED = -1;
constexpr int KEY_BITS = 62;

} // namespace

forward_backward::forward_backward(size_t num_points, Index length, int max_states)
    : d_num_points(num_points),
      d_length(length),
      d_max_states(max_states),
      d_stride(std::max(max_states, 1)),
      d_key_mask(0)
{
    require(num_points >= 2 && num_points <= 4096, "points", num_points, "2 to 4096");
    require(length >= 1, "length", length, "at least 1");
    require(max_states >= 1 && max_states <= MAX_STATES,
            "max_states",
            max_states,
            "1 to 4096");
    while (size_t(1) << d_bits < num_points)
        d_bits++;
    // What two states differ in beyond so many symbols does not keep them apart.
    const Index told = std::min<Index>(length - 1, KEY_BITS / d_bits);
    d_key_mask = (uint64_t(1) << (told * d_bits)) - 1;
    d_keys.resize(d_stride);
    d_next_keys.resize(d_stride);
    d_metric.resize(d_stride);
    for (memory* past : { &d_past, &d_next_past }) {
        past->re.assign((length - 1) * d_stride, 0.0f);
        past->im.assign((length - 1) * d_stride, 0.0f);
    }
    const size_t branches = d_stride * num_points;
    d_weights.resize(branches);
    d_targets.resize(branches);
    d_candidates.reserve(branches);
    d_sorted.reserve(branches);
    int table_bits = 1;
    while (size_t(1) << table_bits < 2 * branches)
        table_bits++;
    d_shift = 64 - table_bits;
    d_stamps.assign(size_t(1) << table_bits, 0);
    d_places.assign(size_t(1) << table_bits, 0);
    d_after.resize(d_stride);
    d_before.resize(d_stride);
    d_shares.resize(num_points);
}

void forward_backward::start(const gr_complex* past)
{
    d_rows.clear();
    d_row_weights.clear();
    d_row_targets.clear();
    d_row_metrics.clear();
    d_states = 1;
    d_keys[0] = 0; // whatever they are, all paths have them in common
    d_metric[0] = 0.0f;
    for (Index l = 0; l + 1 < d_length; l++) {
        d_past.re[l * d_stride] = past[l].real();
        d_past.im[l * d_stride] = past[l].imag();
    }
}

void forward_backward::set_channel(const Eigen::Ref<const Eigen::MatrixXcf>& taps,
                                   const gr_complex* points)
{
    require(taps.rows() == d_length, "taps", taps.rows(), "as many as the length");
    d_taps = taps;
    d_points.assign(points, points + d_num_points);
    d_rest_re.resize(taps.cols() * d_stride);
    d_rest_im.resize(taps.cols() * d_stride);
}

// What each state leaves of the samples.
void forward_backward::expect(const gr_complex* samples)
{
    for (Index q = 0; q < d_taps.cols(); q++) {
        float* const rest_re = &d_rest_re[q * d_stride];
        float* const rest_im = &d_rest_im[q * d_stride];
        std::fill_n(rest_re, d_states, samples[q].real());
        std::fill_n(rest_im, d_states, samples[q].imag());
        for (Index l = 1; l < d_length; l++) {
            const float re = d_taps(l, q).real(), im = d_taps(l, q).imag();
            const float* const past_re = &d_past.re[(l - 1) * d_stride];
            const float* const past_im = &d_past.im[(l - 1) * d_stride];
            for (int i = 0; i < d_states; i++) {
                rest_re[i] -= re * past_re[i] - im * past_im[i];
                rest_im[i] -= re * past_im[i] + im * past_re[i];
            }
        }
    }
}

void forward_backward::weigh(const gr_complex& symbol,
                             float scale,
                             float log_prior,
                             float* weights)
{
    std::fill_n(weights, d_states, log_prior);
    for (Index q = 0; q < d_taps.cols(); q++) {
        const float re =
            d_taps(0, q).real() * symbol.real() - d_taps(0, q).imag() * symbol.imag();
        const float im =
            d_taps(0, q).real() * symbol.imag() + d_taps(0, q).imag() * symbol.real();
        const float* const rest_re = &d_rest_re[q * d_stride];
        const float* const rest_im = &d_rest_im[q * d_stride];
        for (int i = 0; i < d_states; i++) {
            const float error_re = rest_re[i] - re, error_im = rest_im[i] - im;
            weights[i] -= scale * (error_re * error_re + error_im * error_im);
        }
    }
}

void forward_backward::step(const gr_complex* samples,
                            float noise_variance,
                            const float* log_priors)
{
    expect(samples);
    const float scale = 1.0f / noise_variance;
    for (size_t m = 0; m < d_num_points; m++)
        weigh(d_points[m],
              scale,
              log_priors ? log_priors[m] : 0.0f,
              &d_weights[m * d_states]);
    go_on(d_points.data(), d_num_points);
}

void forward_backward::step_known(const gr_complex* samples,
                                  float noise_variance,
                                  gr_complex symbol)
{
    expect(samples);
    weigh(symbol, 1.0f / noise_variance, 0.0f, d_weights.data());
    go_on(&symbol, 1);
}

void forward_backward::go_on(const gr_complex* symbols, int num_symbols)
{
    const int states = d_states, branches = num_symbols * states;
    float best = -std::numeric_limits<float>::infinity();
    for (int s = 0; s < num_symbols; s++)
        for (int i = 0; i < states; i++)
            best = std::max(best, d_metric[i] + d_weights[s * states + i]);
    if (!std::isfinite(best)) { // such samples say nothing
        std::fill_n(d_weights.begin(), branches, 0.0f);
        best = *std::max_element(d_metric.begin(), d_metric.begin() + states);
    }
    const float least = best - BEAM;

    d_candidates.clear();
    if (++d_stamp == 0) {
        std::fill(d_stamps.begin(), d_stamps.end(), 0);
        d_stamp = 1;
    }
    for (int s = 0; s < num_symbols; s++) {
        for (int i = 0; i < states; i++) {
            const int branch = s * states + i;
            const float metric = d_metric[i] + d_weights[branch];
            d_targets[branch] = PRUNED;
            if (metric >= least)
                d_targets[branch] =
                    lead_to((d_keys[i] << d_bits | s) & d_key_mask, metric, i, s);
        }
    }
    keep_likeliest();

    d_rows.push_back({ d_row_weights.size(), d_row_metrics.size(), states, num_symbols });
    d_row_metrics.insert(
        d_row_metrics.end(), d_metric.begin(), d_metric.begin() + states);
    d_row_weights.insert(
        d_row_weights.end(), d_weights.begin(), d_weights.begin() + branches);
    for (int b = 0; b < branches; b++)
        d_row_targets.push_back(d_targets[b] == PRUNED ? PRUNED
                                                       : d_candidates[d_targets[b]].kept);
    move_to_kept(symbols);
}

// Returns the number of the candidate that this branch leads to, which may be a new one.
int forward_backward::lead_to(uint64_t key, float metric, int parent, int symbol)
{
    const size_t mask = d_places.size() - 1;
    size_t hash = (key * 0x9E3779B97F4A7C15ull) >> d_shift;
    while (d_stamps[hash] == d_stamp && d_candidates[d_places[hash]].key != key)
        hash = (hash + 1) & mask;
    if (d_stamps[hash] != d_stamp) {
        d_stamps[hash] = d_stamp;
        d_places[hash] = d_candidates.size();
        d_candidates.push_back({ key, metric, 1.0f, parent, symbol, PRUNED });
        return d_places[hash];
    }
    candidate& known = d_candidates[d_places[hash]];
    if (metric > known.metric) {
        known.sum = known.sum * std::exp(known.metric - metric) + 1.0f;
        known.metric = metric;
        known.parent = parent;
        known.symbol = symbol;
    } else {
        known.sum += std::exp(metric - known.metric);
    }
    return d_places[hash];
}

// Gives the likeliest candidates their places among the next states.
void forward_backward::keep_likeliest()
{
    for (candidate& c : d_candidates)
        if (c.sum > 1.0f)
            c.metric += std::log(c.sum);
    const size_t room = d_max_states;
    float least = -std::numeric_limits<float>::infinity();
    size_t ties = room;
    if (d_candidates.size() > room) {
        d_sorted.clear();
        for (const candidate& c : d_candidates)
            d_sorted.push_back(c.metric);
        std::nth_element(d_sorted.begin(),
                         d_sorted.begin() + (room - 1),
                         d_sorted.end(),
                         std::greater<float>());
        least = d_sorted[room - 1];
        ties = room - std::count_if(d_sorted.begin(), d_sorted.end(), [least](float m) {
                   return m > least;
               });
    }
    d_states = 0;
    for (candidate& c : d_candidates) {
        if (c.metric < least || (c.metric == least && ties == 0))
            continue;
        ties -= c.metric == least;
        c.kept = d_states++;
    }
}

void forward_backward::move_to_kept(const gr_complex* symbols)
{
    float most = IMPOSSIBLE;
    for (const candidate& c : d_candidates) {
        if (c.kept == PRUNED)
            continue;
        d_next_keys[c.kept] = c.key;
        d_metric[c.kept] = c.metric;
        most = std::max(most, c.metric);
        if (d_length < 2)
            continue;
        d_next_past.re[c.kept] = symbols[c.symbol].real();
        d_next_past.im[c.kept] = symbols[c.symbol].imag();
        for (size_t l = d_stride; l < d_past.re.size(); l += d_stride) {
            d_next_past.re[l + c.kept] = d_past.re[l - d_stride + c.parent];
            d_next_past.im[l + c.kept] = d_past.im[l - d_stride + c.parent];
        }
    }
    for (int i = 0; i < d_states; i++)
        d_metric[i] -= most;
    std::swap(d_keys, d_next_keys);
    std::swap(d_past, d_next_past);
}

void forward_backward::posteriors(float* posteriors)
{
    std::fill_n(d_after.begin(), d_states, 0.0f);
    for (size_t n = d_rows.size(); n-- > 0;)
        go_back(d_rows[n], &posteriors[n * d_num_points]);
}

// Of a row: from the logarithms of the likelihoods of what comes after each of its next states,
// d_after, those after its own states, and the symbols' posteriors.
void forward_backward::go_back(const row& here, float* posteriors)
{
    const float* const metrics = &d_row_metrics[here.first_state];
    std::fill(d_shares.begin(), d_shares.end(), 0.0f);
    float most = IMPOSSIBLE;
    for (int i = 0; i < here.states; i++) {
        float& before = d_before[i];
        before = IMPOSSIBLE;
        for (int s = 0; s < here.symbols; s++) {
            const size_t b = here.first_branch + s * here.states + i;
            if (d_row_targets[b] != PRUNED)
                before = std::max(before, d_row_weights[b] + d_after[d_row_targets[b]]);
        }
        most = std::max(most, before + metrics[i]);
    }
    float largest = IMPOSSIBLE;
    for (int i = 0; i < here.states; i++) {
        if (!(d_before[i] > IMPOSSIBLE))
            continue;
        const float mine = std::exp(d_before[i] + metrics[i] - most);
        float sum = 0.0f;
        for (int s = 0; s < here.symbols; s++) {
            const size_t b = here.first_branch + s * here.states + i;
            if (d_row_targets[b] == PRUNED)
                continue;
            const float share =
                std::exp(d_row_weights[b] + d_after[d_row_targets[b]] - d_before[i]);
            sum += share;
            d_shares[s] += share * mine;
        }
        d_before[i] += std::log(sum);
        largest = std::max(largest, d_before[i]);
    }
    for (int i = 0; i < here.states; i++)
        d_before[i] = std::max(d_before[i] - largest, IMPOSSIBLE);
    std::swap(d_before, d_after);
    if (here.symbols == 1) {
        std::fill_n(posteriors, d_num_points, 0.0f);
        return;
    }
    const float all = *std::max_element(d_shares.begin(), d_shares.end());
    for (size_t m = 0; m < d_num_points; m++)
        posteriors[m] =
            d_shares[m] > 0.0f ? std::log(d_shares[m] / all) : float(IMPOSSIBLE);
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
