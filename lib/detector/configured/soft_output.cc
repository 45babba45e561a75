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

namespace {

// A long frame is done in segments: of each, symbols before it start the algorithm, from decisions,
// and symbols after it end it.
constexpr Index SEGMENT = 1024;
constexpr Index RUN_IN = 32, RUN_OUT = 48;
constexpr double LEAST_NOISE = 1e-5; // of the readout's output, unit power

} // namespace

void soft_model::set_channel(const kernel::channel_estimate& channel, Index num_symbols)
{
    const double length = channel.taps.rows(), num_streams = channel.taps.cols();
    taps = { channel.taps };
    noise = { std::max(channel.noise_variance,
                       1e-4 * channel.taps.squaredNorm() / num_streams) *
              (1.0 + length / std::max<double>(num_symbols, length + 1.0)) };
    first = 0;
    block = symbols.values.size();
}

// Symbols of the range in block b; the first and the last block reach to its ends.
row_range soft_model::part(row_range range, size_t b) const
{
    return { b == 0 ? range.first : std::max<Index>(first + b * block, range.first),
             b + 1 == taps.size()
                 ? range.last
                 : std::min<Index>(first + (b + 1) * block, range.last) };
}

Eigen::VectorXcd soft_output::readout_output(const configured_network& network,
                                             const soft_model& model,
                                             row_range range,
                                             double& variance)
{
    Eigen::VectorXcd found(range.size());
    configured_readout readout = model.readout;
    variance = 0.0;
    for (size_t b = 0; b < model.taps.size(); b++) {
        const row_range here = model.part(range, b);
        if (here.size() <= 0)
            continue;
        network.configure_for(readout, model.taps[b], model.noise[b]);
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
    prefiltered found;
    found.samples.resize(range.size());
    configured_readout readout = model.readout;
    for (size_t b = 0; b < model.taps.size(); b++) {
        const row_range here = model.part(range, b);
        network.configure_for(readout, model.taps[b], model.noise[b]);
        Eigen::MatrixXcf taps(readout.feedback.size() + 1, 1);
        taps(0) = gr_complex(readout.gain);
        taps.bottomRows(readout.feedback.size()) = -readout.feedback.cast<gr_complex>();
        found.taps.push_back(taps);
        found.noise.push_back(
            std::max(readout.gain.real() - std::norm(readout.gain), LEAST_NOISE));
        if (here.size() > 0)
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
    const Index length = input.taps[0].rows();
    const size_t num_points = model.readout.points.size();
    if (!d_algorithm || length != d_length || num_points != d_num_points) {
        d_algorithm =
            std::make_unique<kernel::forward_backward>(num_points, length, STATES);
        d_length = length;
        d_num_points = num_points;
    }
    const Eigen::VectorXcf points = model.readout.points.cast<gr_complex>();
    std::vector<gr_complex> past(length - 1);
    d_posteriors.resize(range.size() * num_points);
    for (Index first = range.first; first < range.last; first += SEGMENT) {
        const Index last = std::min(first + SEGMENT, range.last);
        const Index begin = std::max(first - RUN_IN, range.first);
        const Index end = std::min(last + RUN_OUT, range.last);
        for (Index j = 0; j + 1 < length; j++) {
            const Index n = begin - 1 - j;
            past[j] = n < 0 ? gr_complex(0.0f)
                            : gr_complex(model.symbols.warped(n, model.readout.warp));
        }
        d_algorithm->start(past.data());
        size_t set = model.taps.size(); // block whose channel is set: none
        for (Index n = begin; n < end; n++) {
            const size_t block = std::clamp<Index>(
                (n - model.first) / model.block, 0, model.taps.size() - 1);
            if (block != set)
                d_algorithm->set_channel(input.taps[block], points.data());
            set = block;
            const Index k = n - range.first;
            if (known[n])
                d_algorithm->step_known(
                    &input.samples(k),
                    input.noise[block],
                    gr_complex(model.symbols.warped(n, model.readout.warp)));
            else
                d_algorithm->step(&input.samples(k),
                                  input.noise[block],
                                  log_priors.empty() ? nullptr
                                                     : &log_priors[k * num_points]);
        }
        d_of_segment.resize(d_algorithm->num_rows() * num_points);
        d_algorithm->posteriors(d_of_segment.data());
        std::copy_n(d_of_segment.begin() + (first - begin) * num_points,
                    (last - first) * num_points,
                    d_posteriors.begin() + (first - range.first) * num_points);
    }
    return d_posteriors;
}

} // namespace reservoir
} // namespace gr
