/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/ofdm/sample_conditioner.h"

#include "kernel/signal_loops.h"
#include <gnuradio/reservoir/kernel/mixer_image.h>
#include <gnuradio/reservoir/kernel/phase_walk.h>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::VectorXcd;
using Eigen::VectorXd;
using kernel::row_range;
using kernel::sample_streams;

namespace {

constexpr Index MOST_ORDER = 8; // of the noise's prediction

void turn(sample_streams& streams, const VectorXd& phase)
{
    for (VectorXcd& stream : streams)
        kernel::simd::turn_back(
            stream.data(), phase.data(), stream.size(), stream.data());
}

// Those before the first sample and behind the last count as zero.
row_range whole_rows(const kernel::mimo_taps& taps, const sample_streams& sent)
{
    return { taps.length - 1, sent[0].size() };
}

} // namespace

kernel::mimo_taps sample_conditioner::own(const kernel::mimo_taps& taps,
                                          Index length) const
{
    return d_whitener.undo(taps, length > 0 ? length : taps.length);
}

bool sample_conditioner::learn(const kernel::amplified_channel& model,
                               const sample_streams& sent,
                               bool known,
                               bool still)
{
    const bool before = !d_conditioned.empty();
    if (!known && !before)
        return false;
    const row_range rows = whole_rows(model.taps, sent);
    const sample_streams filtered = model.output(sent);
    sample_streams expected = filtered;
    if (!d_whitener.is_identity()) {
        kernel::amplified_channel unfiltered = model;
        unfiltered.taps = d_whitener.undo(model.taps, model.taps.length);
        expected = unfiltered.output(sent);
    }
    if (known || has_image())
        find_image(expected, rows);
    if (known || d_phase.size() > 0)
        find_phase(filtered, rows);
    if (still && (known || !d_whitener.is_identity()))
        find_noise(expected, rows);
    apply();
    return before || !d_conditioned.empty();
}

void sample_conditioner::find_image(const sample_streams& expected, row_range rows)
{
    sample_streams turned = expected;
    if (d_phase.size() > 0)
        turn(turned, -d_phase);
    d_image = kernel::fit_mixer_image(d_frame.samples, turned, rows);
}

// With noise that is white; none where the model does not say what was received.
void sample_conditioner::find_phase(const sample_streams& expected, row_range rows)
{
    constexpr double MOST_LEFT = 0.25; // of the energy
    const sample_streams seen = d_whitener.apply(without_image());
    double energy = 0.0, left = 0.0;
    for (size_t r = 0; r < seen.size(); r++) {
        energy += expected[r].segment(rows.first, rows.size()).squaredNorm();
        left += (samples()[r].segment(rows.first, rows.size()) -
                 expected[r].segment(rows.first, rows.size()))
                    .squaredNorm();
    }
    VectorXd phase;
    if (left < MOST_LEFT * energy)
        phase = kernel::fit_phase_walk(seen, expected, rows);
    d_phase.resize(phase.size() > 0 ? seen[0].size() : 0);
    if (phase.size() > 0)
        d_phase << phase,
            VectorXd::Constant(d_phase.size() - phase.size(), phase(phase.size() - 1));
}

void sample_conditioner::find_noise(const sample_streams& expected, row_range rows)
{
    sample_streams noise = without_image();
    if (d_phase.size() > 0)
        turn(noise, d_phase);
    for (size_t r = 0; r < noise.size(); r++)
        noise[r].head(rows.last) -= expected[r];
    d_whitener = kernel::fit_noise_whitener(noise, rows, MOST_ORDER);
}

sample_streams sample_conditioner::without_image() const
{
    return has_image() ? kernel::without_image(d_frame.samples, d_image)
                       : d_frame.samples;
}

void sample_conditioner::turn_back(const VectorXd& angles)
{
    if (d_phase.size() == 0)
        d_phase.setZero(d_frame.samples[0].size());
    for (Index n = 0; n < angles.size(); n++) {
        const Index begin = d_frame.transform->begin(n);
        d_phase.segment(begin, d_frame.transform->begin(n + 1) - begin).array() +=
            angles(n);
    }
    apply();
}

void sample_conditioner::apply()
{
    d_conditioned.clear();
    if (!has_image() && d_phase.size() == 0 && d_whitener.is_identity())
        return;
    d_conditioned = without_image();
    if (d_phase.size() > 0)
        turn(d_conditioned, d_phase);
    d_conditioned = d_whitener.apply(d_conditioned);
    d_carriers = d_frame.carriers(d_conditioned);
}

} // namespace reservoir
} // namespace gr
