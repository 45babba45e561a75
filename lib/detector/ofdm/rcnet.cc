/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/rcnet.h>

#include "detector/ofdm/ofdm_frame.h"
#include <gnuradio/reservoir/detector_kind.h>
#include <gnuradio/reservoir/ofdm_esn.h>
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {

using Eigen::Index;
using kernel::carrier_mask;
using kernel::carrier_streams;
using kernel::sample_streams;

void check_value(const parameter& about, const ofdm_stages& value)
{
    for (size_t k = 0; k < value.size(); k++)
        if (!value[k])
            refuse_parameter(std::string(about.name) + "[" + std::to_string(k) + "]",
                             "None",
                             "an OFDM detector");
}

pmt::pmt_t value_to_pmt(const ofdm_stages& value)
{
    const pmt::pmt_t saved = pmt::make_vector(value.size(), pmt::PMT_NIL);
    for (size_t k = 0; k < value.size(); k++)
        pmt::vector_set(saved, k, value[k]->description());
    return saved;
}

void value_from_pmt(const pmt::pmt_t& saved, ofdm_stages& value)
{
    value.clear();
    for (size_t k = 0; k < pmt::length(saved); k++)
        value.push_back(ofdm_detector_from(pmt::vector_ref(saved, k)));
}

std::string value_to_string(const ofdm_stages& value)
{
    std::string text;
    for (const ofdm_detector::sptr& stage : value)
        text += (text.empty() ? "" : ", ") + stage->kind() + " of " +
                std::to_string(stage->num_rx()) + " x " + std::to_string(stage->num_tx());
    return "[" + text + "]";
}

namespace {

ofdm_detector::sptr network_stage(const rcnet_parameters& p, bool first)
{
    ofdm_esn_parameters network;
    network.fft_len = p.fft_len;
    network.cp_len = p.cp_len;
    network.num_rx = p.num_rx;
    network.num_tx = p.num_tx;
    if (!first) {
        network.num_rx += p.num_tx;
        network.window = 8;
        network.delay = 4;
        network.input_scaling = 0.5;
        network.seed = 2;
    }
    return std::make_shared<ofdm_esn>(network);
}

// Known carriers in two halves, as far as possible of different symbols.
std::vector<carrier_mask> halves(const ofdm_frame& frame)
{
    const carrier_mask none = carrier_mask::Constant(
        frame.pilots->usable.rows(), frame.pilots->usable.cols(), false);
    std::vector<carrier_mask> parts(2, none);
    const bool by_symbol = frame.pilots->usable.colwise().any().count() > 1;
    size_t turn = 0;
    for (Index n = 0; n < frame.pilots->usable.cols(); n++) {
        if (!frame.pilots->usable.col(n).any())
            continue;
        for (Index k = 0; k < frame.pilots->usable.rows(); k++)
            if (frame.pilots->usable(k, n))
                parts[by_symbol ? turn % 2 : turn++ % 2](k, n) = true;
        turn += by_symbol;
    }
    return parts;
}

// Estimates of every symbol, those that are known among them.
carrier_streams
all_estimates(ofdm_detector& stage, const ofdm_frame& frame, carrier_streams symbols)
{
    for (const carrier_mask& hidden : halves(frame)) {
        ofdm_frame rest = frame;
        const auto pattern = std::make_shared<pilot_pattern>(*frame.pilots, hidden);
        if (!pattern->usable.any())
            continue;
        rest.pilots = pattern;
        const ofdm_result found = stage.receive_frame(rest);
        for (size_t j = 0; j < symbols.size(); j++)
            symbols[j] = hidden.select(found.symbols[j], symbols[j]);
    }
    return symbols;
}

// The antennas, and below them what a stage made of them.
ofdm_frame with_outputs(const ofdm_frame& frame, const sample_streams& outputs)
{
    ofdm_frame next = frame;
    const Index size = frame.samples[0].size();
    double power = 0.0;
    for (const Eigen::VectorXcd& stream : outputs)
        power += stream.squaredNorm() / (double(size) * double(outputs.size()));
    const double scale =
        power > 0.0 && std::isfinite(power) ? 1.0 / std::sqrt(power) : 0.0;
    sample_streams scaled;
    for (const Eigen::VectorXcd& stream : outputs)
        scaled.push_back(scale > 0.0 ? (stream * scale).eval()
                                     : Eigen::VectorXcd::Zero(size).eval());
    next.samples.insert(next.samples.end(), scaled.begin(), scaled.end());
    next.set_received({});
    return next;
}

} // namespace

rcnet_parameters rcnet_parameters::of(const ofdm_stages& stages)
{
    rcnet_parameters parameters;
    parameters.stages = stages;
    if (!stages.empty() && stages[0]) {
        parameters.fft_len = stages[0]->fft_len();
        parameters.cp_len = stages[0]->cp_len();
        parameters.num_rx = stages[0]->num_rx();
        parameters.num_tx = stages[0]->num_tx();
    }
    return parameters;
}

rcnet::rcnet(const rcnet_parameters& p)
    : described(checked(p), p.num_rx, p.num_tx, p.fft_len, p.cp_len)
{
    for (const ofdm_detector::sptr& stage : p.stages)
        d_stages.push_back(ofdm_detector_from(stage->description()));
    if (p.stages.empty())
        d_stages = { network_stage(p, true), network_stage(p, false) };
}

ofdm_result rcnet::do_receive(const ofdm_frame& frame)
{
    ofdm_frame seen = frame;
    ofdm_result found;
    for (size_t k = 0; k < d_stages.size(); k++) {
        if (k > 0)
            seen = with_outputs(
                frame,
                found.samples.empty()
                    ? frame.sent(all_estimates(*d_stages[k - 1], seen, found.symbols))
                    : found.samples);
        const bool last = k + 1 == d_stages.size();
        seen.soft = frame.soft && last;
        seen.outputs = frame.outputs || !last;
        found = d_stages[k]->receive_frame(seen);
    }
    return found;
}

detector_kind describe_rcnet() { return describe_kind<rcnet>(); }

} // namespace reservoir
} // namespace gr
