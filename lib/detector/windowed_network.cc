/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/windowed_network.h"

#include "kernel/inner_loops.h"
#include <algorithm>
#include <utility>

namespace gr {
namespace reservoir {

using kernel::tapped_delay_window;

windowed_network::windowed_network(int num_inputs,
                                   int num_outputs,
                                   int window,
                                   recurrence_maker make_recurrence)
    : d_num_inputs(num_inputs),
      d_num_outputs(num_outputs),
      d_window_length(window),
      d_make_recurrence(std::move(make_recurrence))
{
}

bool windowed_network::configure(int sps)
{
    if (d_window && d_window->sps() == sps)
        return false;
    d_window = std::make_unique<tapped_delay_window>(d_num_inputs, sps, d_window_length);
    const int taps = d_window->num_taps();
    d_branch_re.clear();
    d_branch_im.clear();
    for (int b = 0; b < d_window->num_branches(); b++) {
        d_branch_re.push_back(d_window->re(b));
        d_branch_im.push_back(d_window->im(b));
    }
    d_input_re.resize(taps);
    d_input_im.resize(taps);
    d_filtered.resize(tapped_delay_window::BLOCK);
    d_recurrent.resize(d_num_outputs * tapped_delay_window::BLOCK);
    d_recurrent_rows.resize(d_num_outputs);
    rebuild();
    return true;
}

void windowed_network::rebuild()
{
    if (!d_make_recurrence)
        return;
    d_recurrence = d_make_recurrence(*d_window);
    d_state.resize(num_neurons());
}

void windowed_network::reset(size_t held_back)
{
    if (d_window)
        d_window->reset();
    if (d_recurrence)
        d_recurrence->reset();
    d_held_back = held_back;
}

void windowed_network::set_output_weights(const Eigen::MatrixXcf& weights)
{
    if (d_recurrence)
        d_recurrence->set_readout(weights.topRows(num_neurons()));
    d_taps_re.clear();
    d_taps_im.clear();
    if (weights.rows() == num_neurons())
        return;
    const int window = d_window->window();
    d_taps_re.assign(d_num_outputs, std::vector<float>(d_window->num_taps()));
    d_taps_im = d_taps_re;
    for (int o = 0; o < d_num_outputs; o++) {
        for (int b = 0; b < d_window->num_branches(); b++) {
            for (int age = 0; age < window; age++) {
                const gr_complex tap =
                    weights(num_neurons() + d_window->tap_index(b, age), o);
                d_taps_re[o][b * window + window - 1 - age] = tap.real();
                d_taps_im[o][b * window + window - 1 - age] = tap.imag();
            }
        }
    }
}

void windowed_network::next_features(size_t n, std::complex<double>* features)
{
    if (d_recurrence) {
        d_window->copy_taps(n, d_input_re.data(), d_input_im.data());
        d_recurrence->step(d_input_re.data(), d_input_im.data());
        d_recurrence->copy_state(d_state.data());
        features = std::copy(d_state.begin(), d_state.end(), features);
    }
    const int window = d_window->window();
    for (int b = 0; b < d_window->num_branches(); b++)
        for (int age = 0; age < window; age++) {
            const size_t place = n + window - 1 - age;
            features[d_window->tap_index(b, age)] = { d_window->re(b)[place],
                                                      d_window->im(b)[place] };
        }
}

size_t windowed_network::detect(const gr_complex* const* received,
                                size_t num_samples,
                                gr_complex* const* symbols,
                                const block_reader& read)
{
    size_t produced = 0;
    for (size_t written = 0; written < num_samples;) {
        written += d_window->write(received, written, num_samples - written);
        const size_t count = d_window->symbols();
        const size_t skip = std::min(count, d_held_back);
        read(count, symbols, skip, produced);
        d_held_back -= skip;
        produced += count - skip;
        d_window->discard();
    }
    d_bad_samples += d_window->take_bad_samples();
    return produced;
}

size_t windowed_network::detect(const gr_complex* const* received,
                                size_t num_samples,
                                gr_complex* const* symbols)
{
    return detect(
        received,
        num_samples,
        symbols,
        [this](size_t count, gr_complex* const* rows, size_t skip, size_t place) {
            read_block(count, rows, skip, place);
        });
}

void windowed_network::read_block(size_t count,
                                  gr_complex* const* symbols,
                                  size_t skip,
                                  size_t place)
{
    constexpr size_t BLOCK = tapped_delay_window::BLOCK;
    if (d_recurrence) {
        for (int o = 0; o < d_num_outputs; o++)
            d_recurrent_rows[o] = d_recurrent.data() + o * BLOCK;
        d_recurrence->run(*d_window, count, d_recurrent_rows.data());
    }
    for (int o = 0; o < d_num_outputs; o++) {
        const gr_complex* output = d_recurrent.data() + o * BLOCK;
        if (!d_taps_re.empty()) {
            kernel::simd::fir(d_branch_re.data(),
                              d_branch_im.data(),
                              d_branch_re.size(),
                              d_window->window(),
                              d_taps_re[o].data(),
                              d_taps_im[o].data(),
                              count,
                              d_filtered.data());
            if (d_recurrence)
                for (size_t n = 0; n < count; n++)
                    d_filtered[n] += output[n];
            output = d_filtered.data();
        }
        std::copy(output + skip, output + count, symbols[o] + place);
    }
}

} // namespace reservoir
} // namespace gr
