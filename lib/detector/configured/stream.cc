/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/stream.h"

#include "detector/configured/network.h"
#include "kernel/inner_loops.h"
#include <gnuradio/reservoir/configured_esn.h>
#include <gnuradio/reservoir/kernel/oscillator.h>
#include <algorithm>
#include <cmath>
#include <utility>

namespace gr {
namespace reservoir {

namespace {

constexpr int FUTURE = configured_network::FUTURE;
constexpr int64_t LAG = configured_esn::DECISION_LAG;
constexpr size_t RING = LAG + 1; // symbols whose survivors are kept
constexpr uint16_t NOT_TRACED = 0xffff;
constexpr int64_t UNUSED = 4096; // symbols that are gathered before they are thrown away

} // namespace

int stream_readout::delay() const
{
    return FUTURE - timing + (sps > 1) + (feedback ? LAG : 0);
}

configured_stream::~configured_stream() {}

configured_stream::configured_stream(const stream_readout& readout)
    : d_readout(readout),
      d_last(readout.model.feedback.size(), 0.0f),
      d_filtered(FILTERED),
      d_first(std::min(-readout.past - readout.timing, 0))
{
    d_re.assign(readout.num_inputs * readout.sps, std::vector<float>(-d_first, 0.0f));
    d_im = d_re;
    d_rows_re.resize(d_re.size());
    d_rows_im.resize(d_im.size());
    // without feedback the filter's outputs are the symbols
    const gr_complex scale = readout.feedback
                                 ? gr_complex(1.0f)
                                 : gr_complex(readout.symbol_scale) / readout.gain;
    for (const auto& row : readout.filter) {
        for (const auto& tap : row) {
            d_taps_re.push_back((tap * scale).real());
            d_taps_im.push_back((tap * scale).imag());
        }
    }
}

uint64_t configured_stream::take_bad_samples() { return std::exchange(d_bad_samples, 0); }

int64_t configured_stream::append(const gr_complex* const* received, size_t num_samples)
{
    const int sps = d_readout.sps;
    for (int a = 0; a < d_readout.num_inputs; a++) {
        const gr_complex* samples = received[a];
        // from the sample's number, so that pieces give the same
        if (d_readout.frequency != 0.0) {
            d_derotated.resize(num_samples);
            kernel::oscillator(-d_readout.frequency / sps)
                .turn(samples, d_num_samples, num_samples, d_derotated.data());
            samples = d_derotated.data();
        }
        for (size_t first = 0; first < std::min<size_t>(num_samples, sps); first++) {
            const size_t stream = a * sps + (d_num_samples + first) % sps;
            const size_t size = d_re[stream].size();
            const size_t added = (num_samples - first + sps - 1) / sps;
            d_re[stream].resize(size + added);
            d_im[stream].resize(size + added);
            d_bad_samples += kernel::simd::deinterleave(samples + first,
                                                        sps,
                                                        added,
                                                        d_readout.input_gain,
                                                        &d_re[stream][size],
                                                        &d_im[stream][size]);
        }
    }
    d_num_samples += num_samples;
    return d_first + int64_t(d_re.back().size());
}

void configured_stream::filter(int64_t first,
                               size_t count,
                               gr_complex* filtered,
                               size_t number)
{
    constexpr size_t READABLE = 64; // beyond the end, see simd::fir
    const size_t start = first - d_readout.past - d_readout.timing - d_first;
    for (size_t q = 0; q < d_re.size(); q++) {
        for (auto* samples : { &d_re[q], &d_im[q] })
            samples->resize(samples->size() + READABLE);
        d_rows_re[q] = &d_re[q][start];
        d_rows_im[q] = &d_im[q][start];
    }
    const size_t taps = d_readout.past + 1 + FUTURE;
    const size_t before = number * d_re.size() * taps;
    kernel::simd::fir(d_rows_re.data(),
                      d_rows_im.data(),
                      d_rows_re.size(),
                      taps,
                      d_taps_re.data() + before,
                      d_taps_im.data() + before,
                      count,
                      filtered);
    for (auto* streams : { &d_re, &d_im })
        for (auto& samples : *streams)
            samples.resize(samples.size() - READABLE);
}

void configured_stream::filter_pilots(int64_t end)
{
    end = std::min(end, num_pilots());
    while (d_next < end) {
        const size_t count = std::min<int64_t>(FILTERED, end - d_next);
        filter(d_next, count, d_filtered.data());
        for (size_t k = 0; k < count; k++, d_next++)
            d_pilot_output.push_back(pilot_output(d_filtered[k]));
    }
}

// What the readout makes of a pilot, those before it fed back.
gr_complex configured_stream::pilot_output(gr_complex filtered)
{
    gr_complex sum = filtered;
    for (size_t j = 0; j < d_last.size(); j++)
        sum += d_readout.model.feedback[j] * d_last[j];
    if (!d_last.empty()) {
        std::rotate(d_last.begin(), d_last.end() - 1, d_last.end());
        d_last[0] = d_readout.pilots[d_next];
    }
    return sum / d_readout.gain;
}

void configured_stream::discard(int64_t before)
{
    const int64_t unused = before - d_first;
    if (unused <= UNUSED)
        return;
    for (auto* streams : { &d_re, &d_im })
        for (auto& samples : *streams)
            samples.erase(samples.begin(), samples.begin() + unused);
    d_first += unused;
}

void configured_stream::copy_samples(size_t q,
                                     int64_t first,
                                     size_t count,
                                     std::complex<double>* to) const
{
    const float* re = &d_re[q][first - d_first];
    const float* im = &d_im[q][first - d_first];
    for (size_t n = 0; n < count; n++)
        to[n] = { re[n], im[n] };
}

fixed_stream::fixed_stream(const stream_readout& readout)
    : single_stream(readout), d_filtered(FILTERED)
{
    if (!readout.feedback || readout.model.points.empty())
        return;
    d_search = std::make_unique<kernel::survivor_search>(readout.model);
    d_parents.assign(RING * readout.model.survivors, 0);
    d_symbols.assign(d_parents.size(), 0);
    d_path.assign(RING, NOT_TRACED);
    d_inputs.assign(RING, 0.0f);
    d_phases.assign(d_parents.size(), 0.0f);
    d_last_put.assign(d_last.size(), 0.0f);
}

fixed_stream::~fixed_stream() {}

size_t fixed_stream::detect(const gr_complex* const* received,
                            size_t num_samples,
                            gr_complex* symbols,
                            readout_output output)
{
    const int64_t complete = append(received, num_samples);
    // symbol n reads samples n - past - timing, ..., n + FUTURE - timing
    const int64_t end = complete - FUTURE + d_readout.timing;
    size_t produced = 0;
    if (d_readout.feedback) {
        produced = search(end, symbols, output);
    } else if (d_next < end) {
        produced = end - d_next;
        filter(d_next, produced, symbols);
        d_next = end;
        for (size_t k = 0; output.symbols && k < produced; k++)
            output.symbols[k] = symbols[k] / float(d_readout.symbol_scale);
    }
    if (output.variances)
        std::fill_n(output.variances, produced, d_readout.output_variance);
    discard(d_next - d_readout.past - d_readout.timing);
    return produced;
}

size_t fixed_stream::search(int64_t end, gr_complex* symbols, readout_output output)
{
    const float scale = d_readout.symbol_scale;
    size_t produced = 0;
    const int64_t released = std::max<int64_t>(d_next - LAG, 0);
    filter_pilots(end);
    const auto put_pilot = [&](int64_t n) {
        if (output.symbols)
            output.symbols[produced] = d_pilot_output[n];
        symbols[produced++] = scale * d_pilot_output[n];
    };
    for (int64_t n = released; n < d_next - LAG; n++)
        put_pilot(n);
    while (d_next < end) {
        const size_t count = std::min<int64_t>(FILTERED, end - d_next);
        filter(d_next, count, d_filtered.data());
        for (size_t k = 0; k < count; k++, d_next++) {
            if (d_decided == 0)
                d_search->start(d_last.data());
            const size_t row = d_decided % RING, first = row * d_readout.model.survivors;
            d_inputs[row] = d_filtered[k];
            d_search->step(d_filtered[k],
                           &d_parents[first],
                           &d_symbols[first],
                           output.symbols ? &d_phases[first] : nullptr);
            d_decided++;
            const int64_t n = d_next - LAG;
            if (n < 0)
                continue;
            if (n < num_pilots()) {
                put_pilot(n);
                continue;
            }
            const uint16_t decided = traced_back();
            if (output.symbols)
                output.symbols[produced] = output_of(decided);
            symbols[produced++] = scale * d_readout.unit_points[decided];
        }
    }
    return produced;
}

gr_complex fixed_stream::output_of(uint16_t decided)
{
    const kernel::survivor_model& model = d_readout.model;
    const size_t row = d_decided % RING; // the oldest
    if (d_decided == RING) {             // the payload's first symbol
        d_last_phase = 0.0f;
        d_last_put = d_last;
    }
    gr_complex sum = d_inputs[row] * std::polar(1.0f, -d_last_phase);
    for (size_t j = 0; j < d_last_put.size(); j++)
        sum += model.feedback[j] * d_last_put[j];
    d_last_phase = d_phases[row * model.survivors + d_path[row]];
    if (!d_last_put.empty()) {
        std::rotate(d_last_put.begin(), d_last_put.end() - 1, d_last_put.end());
        d_last_put[0] = model.points[decided];
    }
    return sum / d_readout.gain;
}

uint16_t fixed_stream::traced_back()
{
    const size_t width = d_readout.model.survivors;
    size_t survivor = d_search->best();
    size_t row = (d_decided - 1) % RING;
    const size_t oldest = (row + 1) % RING;
    // Where it meets the path that was traced for the symbol before, the rest is the same.
    while (row != oldest) {
        d_path[row] = survivor;
        survivor = d_parents[row * width + survivor];
        row = (row > 0 ? row : RING) - 1;
        if (d_path[row] == survivor)
            break;
    }
    if (row == oldest)
        d_path[row] = survivor;
    return d_symbols[oldest * width + d_path[oldest]];
}

} // namespace reservoir
} // namespace gr
