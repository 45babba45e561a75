/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/tapped_delay_window.h>

#include "kernel/inner_loops.h"
#include <algorithm>
#include <cstring>

namespace gr {
namespace reservoir {
namespace kernel {

tapped_delay_window::tapped_delay_window(int num_inputs, int sps, int window)
    : d_num_inputs(num_inputs), d_sps(sps), d_window(window)
{
    // history, the block, the symbol that is not complete yet, and what SIMD code reads beyond
    const size_t length = (window - 1) + BLOCK + 1 + 64;
    d_re.assign(num_branches(), std::vector<float>(length, 0.0F));
    d_im = d_re;
    reset();
}

void tapped_delay_window::reset()
{
    for (auto* part : { &d_re, &d_im })
        for (auto& branch : *part)
            std::fill(branch.begin(), branch.end(), 0.0F);
    // The first sample is a symbol instant: as if the sps − 1 before it had come already.
    d_written = d_sps - 1;
}

size_t tapped_delay_window::symbols() const { return d_written / d_sps; }

size_t tapped_delay_window::write(const std::complex<float>* const* in,
                                  size_t offset,
                                  size_t count)
{
    const size_t taken = std::min(count, BLOCK * d_sps - d_written);
    // Sample c since the block began belongs to symbol c / sps, branch sps − 1 − c % sps.
    for (size_t first = 0; first < std::min<size_t>(taken, d_sps); first++) {
        const size_t c = d_written + first;
        const size_t phase = d_sps - 1 - c % d_sps;
        const size_t place = c / d_sps + d_window - 1;
        const size_t number = (taken - first + d_sps - 1) / d_sps;
        for (int a = 0; a < d_num_inputs; a++) {
            const size_t branch = a * d_sps + phase;
            float* re = d_re[branch].data() + place;
            float* im = d_im[branch].data() + place;
            if (in == nullptr) {
                std::fill_n(re, number, 0.0F);
                std::fill_n(im, number, 0.0F);
            } else {
                d_bad_samples += simd::deinterleave(
                    in[a] + offset + first, d_sps, number, d_gain, re, im);
            }
        }
    }
    d_written += taken;
    return taken;
}

void tapped_delay_window::copy_taps(size_t n, float* re, float* im) const
{
    for (int b = 0; b < num_branches(); b++) {
        std::memcpy(re + b * d_window, d_re[b].data() + n, d_window * sizeof(float));
        std::memcpy(im + b * d_window, d_im[b].data() + n, d_window * sizeof(float));
    }
}

void tapped_delay_window::discard()
{
    const size_t done = symbols();
    for (auto* part : { &d_re, &d_im })
        for (auto& branch : *part)
            std::memmove(branch.data(), branch.data() + done, d_window * sizeof(float));
    d_written -= done * d_sps;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
