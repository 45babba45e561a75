/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "coded/joint_decoder.h"

#include "check.h"
#include "detector/training_samples.h"
#include <gnuradio/reservoir/kernel/carrier_offset.h>
#include <gnuradio/reservoir/kernel/oscillator.h>
#include <algorithm>
#include <cmath>
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
constexpr double LEAST_VARIANCE = 1e-4; // of the symbols on the average

std::vector<int> labels_in_order(size_t count)
{
    std::vector<int> labels(count);
    std::iota(labels.begin(), labels.end(), 0);
    return labels;
}

int nearest_of(const std::vector<gr_complex>& points, gr_complex symbol)
{
    int best = 0;
    for (size_t m = 1; m < points.size(); m++)
        if (std::norm(symbol - points[m]) < std::norm(symbol - points[best]))
            best = int(m);
    return best;
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
    const auto& pilots = frame.pilots[0];
    d_num_symbols = frame.num_symbols;
    size_t count = 0;
    for (Index n = 0; n < d_num_symbols && count < d_places.size(); n++)
        if (size_t(n) >= pilots.size() || !is_known(pilots[n])) {
            d_payload[count] = frame.symbols[0][n];
            d_places[count++] = n;
        }
    d_num_known_first = d_places[0];

    coded_receiver::result found;
    const auto plain = d_format.decode(d_payload.data());
    found.packet = plain.packet;
    found.evm_db = plain.evm_db;
    if (found.packet || !std::isfinite(found.evm_db))
        return found;

    prepare(frame);
    take_decisions();
    d_window = find_window(frame);
    estimate_channel();
    std::fill(d_prior_ratios.begin(), d_prior_ratios.end(), 0.0F);
    set_symbols(d_prior_ratios, d_prior);
    for (;; found.iterations++) {
        equalize();
        found.packet = decode_ratios();
        found.gained = found.packet.has_value();
        if (found.gained || found.iterations == d_iterations)
            return found;
        feed_back();
        estimate_channel();
    }
}

void joint_decoder::prepare(const finished_frame& frame)
{
    constexpr Index LATEST = 16; // samples after the frame that a channel may need
    const double gain =
        unit_power_gain(frame.samples, frame.num_inputs, frame.num_samples);
    d_streams = phase_streams(
        frame.samples, frame.num_samples, frame.num_inputs, frame.sps, gain);
    const double frequency = frame.report.carrier_offset;
    for (size_t q = 0; q < d_streams.size(); q++) {
        VectorXcd& stream = d_streams[q];
        stream.conservativeResizeLike(VectorXcd::Zero(d_num_symbols + LATEST));
        if (!std::isfinite(frequency) || frequency == 0.0)
            continue;
        const double fraction = double(q % frame.sps) / frame.sps;
        kernel::oscillator(-frequency, -frequency * fraction)
            .turn(stream.data(), 0, stream.size(), stream.data());
    }
    if (d_equalizer_size != d_num_symbols) {
        d_equalizer = std::make_unique<kernel::lmmse_equalizer>(d_num_symbols);
        d_equalizer_size = d_num_symbols;
    }
    d_prior.mean.setZero(d_num_symbols);
    d_prior.variance.setZero(d_num_symbols);
    const auto& pilots = frame.pilots[0];
    for (size_t n = 0; n < pilots.size(); n++)
        if (is_known(pilots[n]))
            d_prior.mean(n) = pilots[n];
    d_judged = d_prior;
}

void joint_decoder::take_decisions()
{
    const auto& points = d_format.points();
    for (size_t k = 0; k < d_places.size(); k++)
        d_judged.mean(d_places[k]) = points[nearest_of(points, d_payload[k])];
}

kernel::channel_window joint_decoder::find_window(const finished_frame& frame) const
{
    const auto& told = frame.report.channel;
    if (!told.empty() && !told[0].empty())
        return { frame.report.timing, int(told[0].size()) / frame.sps };
    return kernel::select_channel_window(d_streams,
                                         d_judged.mean,
                                         { 0, d_num_symbols },
                                         Eigen::VectorXd::Ones(d_num_symbols));
}

void joint_decoder::estimate_channel()
{
    d_channel = kernel::estimate_soft_channel(
        d_streams, d_judged, d_window, { 0, d_num_symbols });
}

void joint_decoder::equalize()
{
    double variance = 0.0;
    for (const Index place : d_places)
        variance += d_prior.variance(place);
    variance = std::max(variance / d_places.size(), LEAST_VARIANCE);
    const double noise = d_equalizer->equalize(d_streams,
                                               d_prior,
                                               d_window.timing,
                                               d_channel,
                                               variance,
                                               d_num_known_first,
                                               d_equalized);
    const auto& points = d_format.points();
    d_bits.log_priors(d_prior_ratios.data(), d_places.size(), d_log_likelihoods.data());
    float* likelihood = d_log_likelihoods.data();
    for (const Index place : d_places)
        for (const auto& point : points)
            *likelihood++ -= float(
                std::norm(d_equalized(place) - std::complex<double>(point)) / noise);
    d_bits.ratios(d_log_likelihoods.data(), d_places.size(), d_ratios.data());
    for (size_t k = 0; k < d_ratios.size(); k++)
        d_ratios[k] -= d_prior_ratios[k];
}

std::optional<packet> joint_decoder::decode_ratios()
{
    return d_format.decode_ratios(d_ratios.data(), d_judged_ratios.data());
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
