/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/joint_stream.h"

#include <gnuradio/reservoir/configured_esn.h>
#include <algorithm>
#include <complex>
#include <limits>

namespace gr {
namespace reservoir {

namespace {

constexpr int64_t DECIDED_LATER = configured_esn::DECISION_LAG;
constexpr uint16_t NO_PATH = std::numeric_limits<uint16_t>::max();

} // namespace

joint_stream::joint_stream(const joint_stream_readout& readout)
    : configured_stream(readout),
      d_weights(readout.weights),
      d_rows((DECIDED_LATER + 1) * readout.weights.streams()),
      d_search(readout.weights.model),
      d_filtered(FILTERED * readout.weights.streams()),
      d_parents(d_rows * readout.weights.model.survivors),
      d_points(d_parents.size()),
      d_phases(d_parents.size()),
      d_inputs(d_rows),
      d_path(d_rows, NO_PATH),
      d_last_put(d_last.size())
{
}

size_t joint_stream::detect(const gr_complex* const* received,
                            size_t num_samples,
                            gr_complex* const* symbols,
                            gr_complex* const* outputs)
{
    const int64_t num_known = num_pilots() / int64_t(d_weights.streams());
    const int64_t complete = append(received, num_samples);
    // symbol n reads samples n - timing, ..., n + FUTURE - timing
    const int64_t end = complete - configured_network::FUTURE + d_readout.timing;
    size_t produced = 0;
    while (d_next < end) {
        const size_t count = std::min<int64_t>(FILTERED, end - d_next);
        for (size_t place = 0; place < d_weights.streams(); place++)
            filter(d_next, count, &d_filtered[place * FILTERED], place);
        for (size_t k = 0; k < count; k++, d_next++) {
            if (d_next < num_known)
                read_pilots(k);
            else
                decide(k);
            if (d_next >= DECIDED_LATER)
                release(d_next - DECIDED_LATER, symbols, outputs, produced++);
        }
    }
    discard(d_next - d_readout.timing);
    return produced;
}

void joint_stream::remember(std::vector<gr_complex>& past, gr_complex symbol) const
{
    if (past.empty())
        return;
    std::copy_backward(past.begin(), past.end() - 1, past.end());
    past[0] = symbol;
}

void joint_stream::read_pilots(size_t k)
{
    for (size_t place = 0; place < d_weights.streams(); place++) {
        gr_complex sum = d_filtered[place * FILTERED + k];
        for (size_t j = 0; j < d_last.size(); j++)
            sum += d_weights.feedback[place][j] * d_last[j];
        d_pilot_output.push_back(d_weights.unbiased(place, sum));
        remember(d_last, d_readout.pilots[d_next * d_weights.streams() + place]);
    }
}

void joint_stream::decide(size_t k)
{
    if (d_steps == 0) {
        d_search.start(d_last.data());
        d_last_put = d_last;
    }
    for (size_t place = 0; place < d_weights.streams(); place++, d_steps++) {
        const size_t row = d_steps % d_rows, first = row * d_weights.model.survivors;
        d_inputs[row] = d_filtered[place * FILTERED + k];
        d_search.step(d_inputs[row],
                      d_weights.at(place),
                      &d_parents[first],
                      &d_points[first],
                      &d_phases[first]);
    }
}

void joint_stream::trace_back()
{
    const size_t width = d_weights.model.survivors;
    size_t survivor = d_search.best(), row = (d_steps - 1) % d_rows;
    for (size_t traced = 0; traced < d_rows; traced++) {
        // where it meets the path that was traced before, the rest is the same
        if (traced >= d_weights.streams() && d_path[row] == survivor)
            return;
        d_path[row] = survivor;
        survivor = d_parents[row * width + survivor];
        row = (row > 0 ? row : d_rows) - 1;
    }
}

void joint_stream::release(int64_t symbol,
                           gr_complex* const* symbols,
                           gr_complex* const* outputs,
                           size_t to)
{
    const size_t places = d_weights.streams(), width = d_weights.model.survivors;
    const size_t first = symbol * places; // counted from the first pilot
    const bool known = first < size_t(num_pilots());
    const float scale = d_readout.symbol_scale;
    if (!known)
        trace_back();
    for (size_t place = 0; place < places; place++) {
        const int stream = d_weights.order[place];
        if (known) {
            const gr_complex output = d_pilot_output[first + place];
            symbols[stream][to] = scale * output;
            if (outputs)
                outputs[stream][to] = output;
            continue;
        }
        const size_t row = (first - num_pilots() + place) % d_rows;
        const size_t at = row * width + d_path[row];
        symbols[stream][to] = scale * d_readout.unit_points[d_points[at]];
        gr_complex sum = d_inputs[row] * std::polar(1.0f, -d_last_phase);
        for (size_t j = 0; outputs && j < d_last_put.size(); j++)
            sum += d_weights.feedback[place][j] * d_last_put[j];
        if (outputs)
            outputs[stream][to] = d_weights.unbiased(place, sum);
        d_last_phase = d_phases[at];
        remember(d_last_put, d_weights.model.points[d_points[at]]);
    }
}

} // namespace reservoir
} // namespace gr
