/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/soft_output.h"

#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::MatrixXcd;

namespace {

// A long frame is done in segments: of each, symbols before it start the algorithm, from decisions,
// and symbols after it end it.
constexpr Index SEGMENT = 1024, SHORT_SEGMENT = 64;
constexpr Index BRANCHES = Index(1) << 21; // that are stored at once
constexpr Index RUN_IN = 32, RUN_OUT = 48;
constexpr double LEAST_NOISE = 1e-5; // of the readout's output, unit power

} // namespace

void soft_model::add_still(const MatrixXcd& taps,
                           double noise_variance,
                           Index num_symbols)
{
    const double length = taps.rows(), num_streams = taps.cols();
    const double noise =
        std::max(noise_variance, 1e-4 * taps.squaredNorm() / num_streams);
    const double rows = std::max<double>(num_symbols, length + 1.0);
    add({ 0, symbols.values.size() }, taps, noise * (1.0 + length / rows));
}

row_range soft_model::part(row_range range, size_t b) const
{
    return { b == 0 ? range.first : std::max(blocks[b].symbols.first, range.first),
             b + 1 == blocks.size() ? range.last
                                    : std::min(blocks[b].symbols.last, range.last) };
}

Eigen::VectorXcd soft_output::readout_output(const configured_network& network,
                                             const soft_model& model,
                                             row_range range,
                                             double& variance)
{
    Eigen::VectorXcd found(range.size());
    configured_readout readout = model.readout;
    variance = 0.0;
    for (size_t b = 0; b < model.blocks.size(); b++) {
        const row_range here = model.part(range, b);
        if (here.size() <= 0)
            continue;
        network.configure_for(readout, model.blocks[b].taps, model.blocks[b].noise);
        variance += output_variance(readout) * here.size() / range.size();
        found.segment(here.first - range.first, here.size()) =
            network.output(readout, model.streams, model.symbols, here).cast<cdouble>();
    }
    return found;
}

soft_output::prefiltered soft_output::prefilter(const configured_network& network,
                                                const soft_model& model,
                                                row_range range) const
{
    // A real output has all of its noise where the points differ, a complex one half of it.
    const double share = network.settings().two_real_streams ? 2.0 : 1.0;
    prefiltered found;
    found.samples.resize(range.size());
    configured_readout readout = model.readout;
    for (size_t b = 0; b < model.blocks.size(); b++) {
        const row_range here = model.part(range, b);
        if (here.size() <= 0)
            continue;
        network.configure_for(readout, model.blocks[b].taps, model.blocks[b].noise);
        Eigen::MatrixXcf taps(readout.feedback.size() + 1, 1);
        taps(0) = gr_complex(readout.gain);
        taps.bottomRows(readout.feedback.size()) = -readout.feedback.cast<gr_complex>();
        const double noise = readout.gain.real() - std::norm(readout.gain);
        found.parts.push_back(
            { here, taps, float(share * std::max(noise, LEAST_NOISE)) });
        found.samples.segment(here.first - range.first, here.size()) =
            network.feedforward(readout, model.streams, here);
    }
    return found;
}

const std::vector<float>& soft_output::posteriors(const configured_network& network,
                                                  const soft_model& model,
                                                  const std::vector<char>& known,
                                                  row_range range,
                                                  const std::vector<float>& log_priors)
{
    const prefiltered input = prefilter(network, model, range);
    const Index length = input.parts[0].taps.rows();
    const size_t num_points = model.readout.points.size();
    if (!d_algorithm || length != d_length || num_points != d_num_points) {
        d_algorithm =
            std::make_unique<kernel::forward_backward>(num_points, length, STATES);
        d_length = length;
        d_num_points = num_points;
    }
    d_posteriors.resize(range.size() * num_points);
    const Index most =
        std::clamp<Index>(BRANCHES / (STATES * num_points), SHORT_SEGMENT, SEGMENT);
    for (Index first = range.first; first < range.last; first += most) {
        const row_range segment = { first, std::min(first + most, range.last) };
        const Index begin = std::max(first - RUN_IN, range.first);
        run(input,
            model,
            known,
            range,
            { begin, std::min(segment.last + RUN_OUT, range.last) },
            log_priors);
        d_of_segment.resize(d_algorithm->num_rows() * num_points);
        d_algorithm->posteriors(d_of_segment.data());
        std::copy_n(d_of_segment.begin() + (first - begin) * num_points,
                    segment.size() * num_points,
                    d_posteriors.begin() + (first - range.first) * num_points);
    }
    return d_posteriors;
}

// Forward through these symbols, from the decisions before them.
void soft_output::run(const prefiltered& input,
                      const soft_model& model,
                      const std::vector<char>& known,
                      row_range range,
                      row_range symbols,
                      const std::vector<float>& log_priors)
{
    const Eigen::VectorXcf points = model.readout.points.cast<gr_complex>();
    const auto sent = [&model](Index n) {
        return n < 0 ? gr_complex(0.0f)
                     : gr_complex(model.symbols.warped(n, model.readout.warp));
    };
    std::vector<gr_complex> past(d_length - 1);
    for (Index j = 0; j + 1 < d_length; j++)
        past[j] = sent(symbols.first - 1 - j);
    d_algorithm->start(past.data());
    for (const auto& part : input.parts) {
        const row_range here = { std::max(part.symbols.first, symbols.first),
                                 std::min(part.symbols.last, symbols.last) };
        if (here.size() <= 0)
            continue;
        d_algorithm->set_channel(part.taps, points.data());
        for (Index n = here.first; n < here.last; n++) {
            const Index k = n - range.first;
            const gr_complex* const sample = &input.samples(k);
            if (known[n])
                d_algorithm->step_known(sample, part.noise, sent(n));
            else
                d_algorithm->step(sample,
                                  part.noise,
                                  log_priors.empty() ? nullptr
                                                     : &log_priors[k * d_num_points]);
        }
    }
}

} // namespace reservoir
} // namespace gr
