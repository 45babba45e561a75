/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/network_detector.h"

#include "kernel/inner_loops.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {

using kernel::tapped_delay_window;

network_detector::network_detector(int window)
    : detector(1, 1), d_window_length(window) // the most derived class sets the base
{
}

std::unique_ptr<recurrence> network_detector::make_network(int, int) const
{
    return nullptr;
}

void network_detector::configure(int sps)
{
    if (d_window && d_window->sps() == sps)
        return;
    d_window = std::make_unique<tapped_delay_window>(num_inputs(), sps, d_window_length);
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
    d_recurrent.resize(num_outputs() * tapped_delay_window::BLOCK);
    d_recurrent_rows.resize(num_outputs());
    rebuild_network();
}

void network_detector::rebuild_network()
{
    d_network = make_network(d_window->sps(), d_window->num_taps());
}

void network_detector::do_reset()
{
    if (d_window)
        d_window->reset();
    if (d_network)
        d_network->reset();
    d_held_back = d_report.delay;
}

void network_detector::step_network(size_t n)
{
    d_window->copy_taps(n, d_input_re.data(), d_input_im.data());
    d_network->step(d_input_re.data(), d_input_im.data());
}

void network_detector::set_output_weights(const Eigen::MatrixXcf& weights)
{
    if (d_network)
        d_network->set_readout(weights.topRows(num_neurons()));
    d_taps_re.clear();
    d_taps_im.clear();
    if (weights.rows() == num_neurons())
        return;
    const int window = d_window->window();
    d_taps_re.assign(num_outputs(), std::vector<float>(d_window->num_taps()));
    d_taps_im = d_taps_re;
    for (int o = 0; o < num_outputs(); o++) {
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

size_t network_detector::do_detect(const gr_complex* const* received,
                                   size_t num_samples,
                                   gr_complex* const* symbols)
{
    size_t produced = 0;
    for (size_t written = 0; written < num_samples;) {
        written += d_window->write(received, written, num_samples - written);
        const size_t count = d_window->symbols();
        const size_t skip = std::min(count, d_held_back);
        detect_block(count, symbols, skip, produced);
        d_held_back -= skip;
        produced += count - skip;
        d_window->discard();
    }
    d_bad_samples += d_window->take_bad_samples();
    return produced;
}

void network_detector::detect_block(size_t count,
                                    gr_complex* const* symbols,
                                    size_t skip,
                                    size_t place)
{
    constexpr size_t BLOCK = tapped_delay_window::BLOCK;
    if (d_network) {
        for (int o = 0; o < num_outputs(); o++)
            d_recurrent_rows[o] = d_recurrent.data() + o * BLOCK;
        d_network->run(*d_window, count, d_recurrent_rows.data());
    }
    for (int o = 0; o < num_outputs(); o++) {
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
            if (d_network)
                for (size_t n = 0; n < count; n++)
                    d_filtered[n] += output[n];
            output = d_filtered.data();
        }
        std::copy(output + skip, output + count, symbols[o] + place);
    }
}

} // namespace reservoir
} // namespace gr
