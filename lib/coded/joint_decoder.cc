/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "coded/joint_decoder.h"

#include "check.h"
#include "detector/level_steps.h"
#include "detector/training_samples.h"
#include <gnuradio/reservoir/kernel/carrier_offset.h>
#include <gnuradio/reservoir/kernel/oscillator.h>
#include <gnuradio/reservoir/kernel/timing_and_length.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::VectorXcd;

namespace {

// What the decoder knows by itself may not be as sure as all that is known of a bit, or that would
// be less than its part, and the part left to the next turn have the wrong sign.
constexpr float SUREST_PRIOR = 20.0F;
constexpr float SUREST = 30.0F;

std::vector<int> labels_in_order(size_t count)
{
    std::vector<int> labels(count);
    std::iota(labels.begin(), labels.end(), 0);
    return labels;
}

} // namespace

joint_decoder::joint_decoder(const packet_format& format, int iterations)
    : d_format(format),
      d_iterations(iterations),
      d_bits(labels_in_order(format.points().size()))
{
    const size_t num_symbols = format.payload_len();
    const size_t num_bits = num_symbols * format.bits_per_symbol();
    d_prior_ratios.resize(num_bits);
    d_ratios.resize(num_bits);
    d_judged_ratios.resize(num_bits);
    d_log_likelihoods.resize(num_symbols * format.points().size());
    d_payload.resize(num_symbols);
    d_means.resize(num_symbols);
    d_variances.resize(num_symbols);
    d_places.resize(num_symbols);
}

coded_receiver::result joint_decoder::decode(const finished_frame& frame)
{
    take_payload(frame);
    coded_receiver::result found;
    const auto plain = d_format.decode(d_payload.data());
    found.packet = plain.packet;
    found.evm_db = plain.evm_db;
    if (found.packet || !std::isfinite(found.evm_db))
        return found;

    prepare_samples(frame);
    prepare_symbols(frame.pilots[0]);
    divide(frame.report.tracked);
    take_decisions();
    const kernel::sample_streams streams = d_streams;
    const kernel::soft_symbols decided = d_judged;

    // What the decoder makes of the detector's symbols is a beginning, where bits are badly mapped
    // the only one; where it misleads, the channel alone is the better one.
    std::fill(d_prior_ratios.begin(), d_prior_ratios.end(), 0.0F);
    found.packet = decode_ratios();
    if (!found.packet && d_iterations > 0) {
        feed_back();
        estimate_channel();
        found.iterations = 1;
        take_turns(found);
    }
    if (!found.packet) {
        d_streams = streams;
        d_judged = decided;
        std::fill(d_prior_ratios.begin(), d_prior_ratios.end(), 0.0F);
        set_symbols(d_prior_ratios, d_prior);
        estimate_channel();
        found.iterations = 0;
        take_turns(found);
    }
    found.gained = found.packet.has_value();
    return found;
}

void joint_decoder::take_turns(coded_receiver::result& found)
{
    for (;; found.iterations++) {
        equalize();
        take_ratios();
        found.packet = decode_ratios();
        if (found.packet || found.iterations == d_iterations)
            return;
        feed_back();
        estimate_channel();
    }
}

std::optional<packet> joint_decoder::decode_ratios()
{
    return d_format.decode_ratios(d_ratios.data(), d_judged_ratios.data());
}

void joint_decoder::take_payload(const finished_frame& frame)
{
    const auto& pilots = frame.pilots[0];
    d_num_symbols = frame.num_symbols;
    size_t count = 0;
    for (Index n = 0; n < d_num_symbols && count < d_places.size(); n++) {
        if (size_t(n) < pilots.size() && is_known(pilots[n]))
            continue;
        d_payload[count] = frame.symbols[0][n];
        d_places[count++] = n;
    }
}

void joint_decoder::prepare_samples(const finished_frame& frame)
{
    constexpr Index BEHIND = 16; // samples that the earliest channel needs
    const double gain =
        unit_power_gain(frame.samples, frame.num_inputs, frame.num_samples);
    d_streams = phase_streams(
        frame.samples, frame.num_samples, frame.num_inputs, frame.sps, gain);
    const double frequency = frame.report.carrier_offset;
    for (size_t q = 0; q < d_streams.size(); q++) {
        VectorXcd& stream = d_streams[q];
        stream.conservativeResizeLike(VectorXcd::Zero(d_num_symbols + BEHIND));
        if (!std::isfinite(frequency) || frequency == 0.0)
            continue;
        const double fraction = double(q % frame.sps) / frame.sps;
        kernel::oscillator(-frequency, -frequency * fraction)
            .turn(stream.data(), 0, stream.size(), stream.data());
    }
    if (frame.report.level_steps > 0)
        d_streams = level_steps(d_streams, frame.sps, d_num_symbols).undone(d_streams);
}

void joint_decoder::prepare_symbols(const std::vector<gr_complex>& pilots)
{
    d_prior.mean.setZero(d_num_symbols);
    d_prior.variance.setZero(d_num_symbols);
    for (size_t n = 0; n < pilots.size(); n++)
        if (is_known(pilots[n]))
            d_prior.mean(n) = pilots[n];
    d_judged = d_prior;
    d_equalized.resize(d_num_symbols);
    d_noise.resize(d_num_symbols);
}

// One section, or several of a channel that moves.
void joint_decoder::divide(bool moving)
{
    constexpr Index LENGTH = 64, AROUND = 64;
    constexpr double MEMORY = 64.0; // symbols
    const kernel::row_range all = { 0, d_num_symbols };
    d_sections.clear();
    if (!moving || d_num_symbols < 4 * LENGTH) {
        d_sections.push_back({ all, all, {}, {} });
    } else {
        for (Index first = 0; first < all.last; first += LENGTH) {
            const Index last = std::min(first + LENGTH, all.last);
            const double middle = 0.5 * (first + last - 1);
            const Eigen::ArrayXd distance =
                (Eigen::ArrayXd::LinSpaced(all.last, 0, all.last - 1) - middle).abs();
            d_sections.push_back({ { first, last },
                                   { std::max<Index>(first - AROUND, 0),
                                     std::min(last + AROUND, all.last) },
                                   (-distance / MEMORY).exp(),
                                   {} });
        }
    }
    Index largest = 0;
    for (const auto& part : d_sections)
        largest = std::max(largest, part.seen.size());
    if (d_equalizer_size != largest) {
        d_equalizer = std::make_unique<kernel::lmmse_equalizer>(largest);
        d_equalizer_size = largest;
    }
}

// As sure as their distance from the nearest points lets them be; wrong decisions have hidden
// about half of the error. Wrong symbols come in runs: to the decoder they are half as sure.
void joint_decoder::take_decisions()
{
    constexpr float HIDDEN = 2.0F, IN_RUNS = 0.5F;
    const auto& points = d_format.points();
    float error = 0.0F;
    for (const gr_complex symbol : d_payload) {
        float least = std::numeric_limits<float>::infinity();
        for (const gr_complex point : points)
            least = std::min(least, std::norm(symbol - point));
        error += least;
    }
    const float noise = std::max(HIDDEN * error / d_payload.size(), 1e-4F);
    float* likelihood = d_log_likelihoods.data();
    for (const gr_complex symbol : d_payload)
        for (const gr_complex point : points)
            *likelihood++ = -std::norm(symbol - point) / noise;
    d_bits.ratios(d_log_likelihoods.data(), d_places.size(), d_ratios.data());
    set_symbols(d_ratios, d_judged);
    for (float& ratio : d_ratios)
        ratio *= IN_RUNS;
}

void joint_decoder::estimate_channel()
{
    d_window = kernel::select_channel_window(d_streams,
                                             d_judged.mean,
                                             { 0, d_num_symbols },
                                             Eigen::VectorXd::Ones(d_num_symbols));
    estimate_sections();
    if (d_sections.size() == 1)
        follow_phase();
}

void joint_decoder::estimate_sections()
{
    for (auto& part : d_sections)
        part.channel = kernel::estimate_soft_channel(
            d_streams, d_judged, d_window, { 0, d_num_symbols }, part.weights);
}

// The carrier's phase as it wanders around the channel, where that explains more than chance.
void joint_decoder::follow_phase()
{
    constexpr Index HALF_WIDTH = 48; // symbols
    const kernel::soft_channel before = d_sections[0].channel;
    const kernel::sample_streams shifted = kernel::delayed(d_streams, d_window.timing);
    const kernel::row_range rows = { d_window.length - 1, d_num_symbols };
    const Eigen::VectorXd phase = kernel::smoothed_phase(
        shifted, kernel::channel_output(d_judged.mean, before.taps), rows, HALF_WIDTH);
    if (phase.size() == 0)
        return;
    kernel::sample_streams turned = d_streams;
    for (auto& stream : turned)
        for (Index n = 0; n < stream.size(); n++) {
            const Index row =
                std::clamp<Index>(n + d_window.timing - rows.first, 0, phase.size() - 1);
            stream(n) *= std::polar(1.0, -phase(row));
        }
    turned.swap(d_streams);
    estimate_sections();
    const double count = d_num_symbols;
    const double less = count * (before.noise_variance.array().log() -
                                 d_sections[0].channel.noise_variance.array().log())
                                    .sum();
    if (less > 0.5 * count / HALF_WIDTH * std::log(count))
        return;
    turned.swap(d_streams);
    d_sections[0].channel = before;
}

double joint_decoder::mean_variance(kernel::row_range rows) const
{
    constexpr double LEAST = 1e-4;
    double sum = 0.0;
    int count = 0;
    for (const Index place : d_places)
        if (place >= rows.first && place < rows.last) {
            sum += d_prior.variance(place);
            count++;
        }
    return count > 0 ? std::max(sum / count, LEAST) : LEAST;
}

void joint_decoder::equalize()
{
    VectorXcd equalized;
    for (const auto& part : d_sections) {
        const bool at_start = part.seen.first == 0;
        const double noise = d_equalizer->equalize(
            d_streams,
            d_prior,
            part.seen,
            d_window.timing,
            part.channel,
            mean_variance(part.seen),
            at_start ? std::min<Index>(d_window.length - 1, d_places[0]) : 0,
            equalized);
        const Index count = part.wanted.size();
        d_equalized.segment(part.wanted.first, count) =
            equalized.segment(part.wanted.first - part.seen.first, count);
        d_noise.segment(part.wanted.first, count).setConstant(noise);
    }
}

// Of the bits, less what was known of them before.
void joint_decoder::take_ratios()
{
    const auto& points = d_format.points();
    d_bits.log_priors(d_prior_ratios.data(), d_places.size(), d_log_likelihoods.data());
    float* likelihood = d_log_likelihoods.data();
    for (const Index place : d_places) {
        const gr_complex symbol(d_equalized(place));
        const float certainty = float(1.0 / d_noise(place));
        for (const gr_complex point : points)
            *likelihood++ -= certainty * std::norm(symbol - point);
    }
    d_bits.ratios(d_log_likelihoods.data(), d_places.size(), d_ratios.data());
    for (size_t k = 0; k < d_ratios.size(); k++)
        d_ratios[k] -= d_prior_ratios[k];
}

void joint_decoder::feed_back()
{
    for (size_t k = 0; k < d_ratios.size(); k++)
        d_prior_ratios[k] = d_judged_ratios[k] - d_ratios[k];
    kernel::clip_ratios(d_prior_ratios.data(), d_prior_ratios.size(), SUREST_PRIOR);
    kernel::clip_ratios(d_judged_ratios.data(), d_judged_ratios.size(), SUREST);
    set_symbols(d_prior_ratios, d_prior);
    set_symbols(d_judged_ratios, d_judged);
}

void joint_decoder::set_symbols(const std::vector<float>& ratios,
                                kernel::soft_symbols& symbols)
{
    d_bits.moments(ratios.data(),
                   d_places.size(),
                   d_format.points().data(),
                   d_means.data(),
                   d_variances.data());
    for (size_t k = 0; k < d_places.size(); k++) {
        symbols.mean(d_places[k]) = d_means[k];
        symbols.variance(d_places[k]) = d_variances[k];
    }
}

} // namespace reservoir
} // namespace gr
