/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/pole_bank.h>

#include "kernel/inner_loops.h"
#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>

namespace gr {
namespace reservoir {
namespace kernel {

namespace {

constexpr float SMALLEST_STATE = 1e-30f;

float flush(float x) { return std::abs(x) < SMALLEST_STATE ? 0.0f : x; }

void require_stable(const std::vector<std::complex<float>>& poles)
{
    for (size_t k = 0; k < poles.size(); k++) {
        const double modulus = std::abs(std::complex<double>(poles[k]));
        if (!(modulus < 1.0)) {
            std::ostringstream message;
            message.precision(9);
            message << "poles[" << k << "] = " << poles[k] << ", of modulus " << modulus
                    << ": must lie inside the unit circle";
            throw std::invalid_argument(message.str());
        }
    }
}

} // namespace

pole_bank::padded_values::padded_values(const std::vector<std::complex<float>>& values)
    : re(Eigen::ArrayXf::Zero(simd::padded(values.size()))), im(re)
{
    for (size_t k = 0; k < values.size(); k++) {
        re(k) = values[k].real();
        im(k) = values[k].imag();
    }
}

pole_bank::pole_bank(const std::vector<std::complex<float>>& poles)
    : d_poles(poles),
      d_states(std::vector<std::complex<float>>(poles.size())),
      d_state(poles.size())
{
    require_stable(poles);
}

void pole_bank::reset()
{
    d_states.re.setZero();
    d_states.im.setZero();
    std::fill(d_state.begin(), d_state.end(), 0.0f);
    d_symbols = 0;
}

void pole_bank::step(const std::complex<float>* drive)
{
    const size_t size = d_state.size();
    const float* const pole_re = d_poles.re.data();
    const float* const pole_im = d_poles.im.data();
    float* const state_re = d_states.re.data();
    float* const state_im = d_states.im.data();
    std::complex<float>* const state = d_state.data();
    for (size_t k = 0; k < size; k++) {
        const float re =
            pole_re[k] * state_re[k] - pole_im[k] * state_im[k] + drive[k].real();
        const float im =
            pole_re[k] * state_im[k] + pole_im[k] * state_re[k] + drive[k].imag();
        state_re[k] = flush(re);
        state_im[k] = flush(im);
        state[k] = { state_re[k], state_im[k] };
    }
}

void pole_bank::advance(std::complex<float> input, std::complex<float>* states)
{
    const size_t size = d_state.size();
    const float* const pole_re = d_poles.re.data();
    const float* const pole_im = d_poles.im.data();
    float* const state_re = d_states.re.data();
    float* const state_im = d_states.im.data();
    const float input_re = input.real();
    const float input_im = input.imag();
    for (size_t k = 0; k < size; k++) {
        const float re = pole_re[k] * state_re[k] - pole_im[k] * state_im[k] + input_re;
        const float im = pole_re[k] * state_im[k] + pole_im[k] * state_re[k] + input_im;
        state_re[k] = flush(re);
        state_im[k] = flush(im);
    }
    for (size_t k = 0; k < size; k++)
        states[k] = { state_re[k], state_im[k] };
}

void pole_bank::run(const std::complex<float>* input,
                    size_t count,
                    std::complex<float>* states)
{
    const size_t size = d_state.size();
    for (size_t n = 0; n < count; n++)
        advance(input[n], states + n * size);
    if (count > 0)
        std::copy_n(states + (count - 1) * size, size, d_state.begin());
}

void pole_bank::run(const float* drive_re,
                    const float* drive_im,
                    size_t count,
                    const padded_values& readout,
                    std::complex<float>* outputs)
{
    if (d_state.empty()) {
        std::fill_n(outputs, count, 0.0f);
        return;
    }
    simd::run_pole_bank({ d_poles.re.data(),
                          d_poles.im.data(),
                          size_t(d_poles.re.size()),
                          activation::identity,
                          nullptr,
                          nullptr,
                          drive_re,
                          drive_im,
                          readout.re.data(),
                          readout.im.data(),
                          d_symbols,
                          count },
                        d_states.re.data(),
                        d_states.im.data(),
                        outputs);
    d_symbols += count;
    for (size_t k = 0; k < d_state.size(); k++)
        d_state[k] = { d_states.re(k), d_states.im(k) };
}

void pole_bank::run_anticausal(const std::vector<std::complex<float>>& poles,
                               const std::complex<float>* input,
                               size_t count,
                               std::complex<float>* states)
{
    pole_bank backward(poles);
    for (size_t n = count; n-- > 0;)
        backward.advance(input[n], states + n * poles.size());
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
