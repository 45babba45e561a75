/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/ofdm_esn.h>

#include "detector/ofdm/carrier_detector.h"
#include <gnuradio/reservoir/detector_kind.h>
#include <gnuradio/reservoir/kernel/carrier_attention.h>
#include <algorithm>

namespace gr {
namespace reservoir {

using Eigen::Index;
using kernel::carrier_streams;
using kernel::sample_streams;

namespace {

esn_parameters network_parameters(const ofdm_esn_parameters& p, int delay)
{
    esn_parameters network;
    network.num_neurons = p.num_neurons;
    network.window = p.window;
    network.delay = delay;
    network.spectral_radius = p.spectral_radius;
    network.input_scaling = p.input_scaling;
    network.regularization = p.regularization;
    network.seed = p.seed;
    network.num_inputs = p.num_rx;
    network.num_outputs = p.num_tx;
    return network;
}

stream_matrix rows_of(const sample_streams& streams, Index zeros_behind = 0)
{
    stream_matrix rows;
    for (const Eigen::VectorXcd& stream : streams) {
        const Eigen::VectorXcf values = stream.cast<gr_complex>();
        rows.emplace_back(values.begin(), values.end());
        rows.back().resize(values.size() + zeros_behind);
    }
    return rows;
}

} // namespace

ofdm_esn::ofdm_esn(const ofdm_esn_parameters& p)
    : described(checked(p), p.num_rx, p.num_tx, p.fft_len, p.cp_len)
{
    std::vector<int> delays = { p.delay };
    if (p.delay < 0)
        delays = { 5 * p.window / 16, p.window / 2 };
    for (const int delay : delays)
        d_networks.push_back(std::make_shared<esn>(network_parameters(p, delay)));
}

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

// What the network makes of all samples, carrier by carrier.
void ofdm_esn::take_outputs(detector& network,
                            const ofdm_frame& frame,
                            ofdm_result& found) const
{
    const Index size = frame.samples[0].size();
    const stream_matrix rows =
        network.detect(rows_of(frame.samples, network.look_ahead()));
    found.samples.clear();
    for (const auto& row : rows)
        found.samples.push_back(Eigen::Map<const Eigen::VectorXcf>(row.data(), size)
                                    .cast<std::complex<double>>());
    found.symbols = frame.carriers(found.samples);
    if (parameters().correct_carriers) {
        const auto fit = parameters().attention ? kernel::fit_carrier_attention
                                                : kernel::fit_carrier_correction;
        fit(found.symbols, frame.pilots->known, frame.pilots->usable)
            .apply(found.symbols);
        found.samples = frame.sent(found.symbols);
    }
    if (parameters().classifier)
        classify(frame, found);
    for (size_t j = 0; j < found.symbols.size(); j++)
        found.symbols[j] =
            frame.pilots->masks[j].select(frame.pilots->known[j], found.symbols[j]);
}

ofdm_result ofdm_esn::do_receive(const ofdm_frame& frame)
{
    stream_matrix seen = rows_of(frame.samples), wanted;
    const Index whole = frame.whole_symbols();
    carrier_streams known;
    if (whole > 0) {
        for (const Eigen::MatrixXcd& stream : frame.pilots->known)
            known.push_back(stream.leftCols(whole));
    } else {
        carrier_streams received;
        for (const Eigen::MatrixXcd& antenna : frame.received)
            received.push_back(frame.pilots->usable.select(antenna, 0.0));
        seen = rows_of(frame.sent(received));
        for (const Eigen::MatrixXcd& stream : frame.pilots->known)
            known.push_back(frame.pilots->usable.select(stream, 0.0));
    }
    wanted = rows_of(frame.sent(known));

    detector* best = nullptr;
    for (const detector::sptr& network : d_networks) {
        network->fit(seen, wanted);
        if (!best || network->report().mse < best->report().mse)
            best = network.get();
    }
    ofdm_result found;
    found.mse = best->report().mse;
    take_outputs(*best, frame, found);
    for (int pass = 0; pass < parameters().refits; pass++) {
        carrier_streams decided = found.symbols;
        carrier_detector(frame,
                         frame.points(parameters().constellation),
                         carrier_detector::method::lmmse)
            .slice(decided);
        best->fit(rows_of(frame.samples), rows_of(frame.sent(decided)));
        take_outputs(*best, frame, found);
        found.refits++;
    }
    found.noise_variance = best->report().noise_variance;
    return found;
}

detector_kind describe_ofdm_esn() { return describe_kind<ofdm_esn>(); }

} // namespace reservoir
} // namespace gr
