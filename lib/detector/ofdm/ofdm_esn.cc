/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/ofdm_esn.h>

#include "detector/ofdm/carrier_detector.h"
#include "detector/ofdm/sample_network.h"
#include <gnuradio/reservoir/detector_kind.h>
#include <gnuradio/reservoir/kernel/carrier_attention.h>
#include <algorithm>
#include <vector>

namespace gr {
namespace reservoir {

using Eigen::Index;
using kernel::carrier_streams;
using kernel::row_range;

namespace {

// Those of the symbols behind the known ones, without their prefixes.
std::vector<row_range> samples_with_data(const ofdm_frame& frame)
{
    std::vector<row_range> found;
    for (Index n = frame.whole_symbols(); n < frame.num_symbols; n++) {
        const Index end = frame.transform->begin(n + 1);
        found.push_back({ end - frame.transform->fft_len(), end });
    }
    return found;
}

} // namespace

ofdm_esn::ofdm_esn(const ofdm_esn_parameters& p)
    : described(checked(p), p.num_rx, p.num_tx, p.fft_len, p.cp_len),
      d_network(std::make_unique<sample_network>(p))
{
}

ofdm_esn::~ofdm_esn() = default;

void ofdm_esn::classify(const ofdm_frame& frame, ofdm_result& found) const
{
    carrier_streams& symbols = found.symbols;
    std::vector<std::complex<double>> seen, sent;
    for (size_t j = 0; j < symbols.size(); j++)
        for (Index n = 0; n < frame.num_symbols; n++)
            for (Index k = 0; k < symbols[j].rows(); k++)
                if (frame.pilots->usable(k, n)) {
                    seen.push_back(symbols[j](k, n));
                    sent.push_back(frame.pilots->known[j](k, n));
                }
    const Eigen::VectorXcd points = frame.points(parameters().constellation);
    const Eigen::VectorXcf single = points.cast<gr_complex>();
    kernel::boundary_classifier classifier(
        *kernel::level_grid::of({ single.begin(), single.end() }));
    if (!classifier.fit(seen, sent))
        return;
    const kernel::point_slicer slicer(points);
    for (size_t j = 0; j < symbols.size(); j++)
        for (std::complex<double>& symbol : symbols[j].reshaped()) {
            const int decided = slicer.nearest(classifier.decide(symbol));
            if (decided != slicer.nearest(symbol))
                symbol = points(decided);
        }
}

// What the network makes of the samples, carrier by carrier.
void ofdm_esn::take_outputs(const ofdm_frame& frame, ofdm_result& found) const
{
    const ofdm_esn_parameters& p = parameters();
    std::vector<row_range> wanted = { { 0, frame.samples[0].size() } };
    if (!frame.outputs && !p.correct_carriers && !p.classifier)
        wanted = samples_with_data(frame);
    found.samples = d_network->outputs(frame.samples[0].size(), wanted);
    found.symbols = frame.carriers(found.samples);
    if (p.correct_carriers) {
        const auto fit =
            p.attention ? kernel::fit_carrier_attention : kernel::fit_carrier_correction;
        fit(found.symbols, frame.pilots->known, frame.pilots->usable)
            .apply(found.symbols);
        found.samples = frame.sent(found.symbols);
    }
    if (p.classifier)
        classify(frame, found);
    for (size_t j = 0; j < found.symbols.size(); j++)
        found.symbols[j] =
            frame.pilots->masks[j].select(frame.pilots->known[j], found.symbols[j]);
}

ofdm_result ofdm_esn::do_receive(const ofdm_frame& frame)
{
    const Index whole = frame.whole_symbols();
    carrier_streams known;
    if (whole > 0) {
        for (const Eigen::MatrixXcd& stream : frame.pilots->known)
            known.push_back(stream.leftCols(whole));
        d_network->read(frame.samples, frame.transform->begin(whole));
        d_network->fit(frame.sent(known));
    } else {
        carrier_streams received;
        for (const Eigen::MatrixXcd& antenna : frame.received())
            received.push_back(frame.pilots->usable.select(antenna, 0.0));
        for (const Eigen::MatrixXcd& stream : frame.pilots->known)
            known.push_back(frame.pilots->usable.select(stream, 0.0));
        d_network->read(frame.sent(received), frame.samples[0].size());
        d_network->fit(frame.sent(known));
        d_network->read_on(frame.samples);
    }
    ofdm_result found;
    found.mse = d_network->mse();
    take_outputs(frame, found);
    for (int pass = 0; pass < parameters().refits; pass++) {
        carrier_streams decided = found.symbols;
        carrier_detector(frame,
                         frame.points(parameters().constellation),
                         carrier_detector::method::lmmse)
            .slice(decided);
        d_network->refit(frame.sent(decided));
        take_outputs(frame, found);
        found.refits++;
    }
    found.noise_variance = d_network->noise_variance();
    if (!frame.outputs)
        found.samples.clear();
    return found;
}

detector_kind describe_ofdm_esn() { return describe_kind<ofdm_esn>(); }

} // namespace reservoir
} // namespace gr
