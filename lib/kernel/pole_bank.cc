/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/pole_bank.h>

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

pole_bank::pole_bank(const std::vector<std::complex<float>>& poles)
    : d_state_re(poles.size()), d_state_im(poles.size()), d_state(poles.size())
{
    require_stable(poles);
    for (const auto& pole : poles) {
        d_pole_re.push_back(pole.real());
        d_pole_im.push_back(pole.imag());
    }
}

void pole_bank::reset()
{
    std::fill(d_state_re.begin(), d_state_re.end(), 0.0f);
    std::fill(d_state_im.begin(), d_state_im.end(), 0.0f);
    std::fill(d_state.begin(), d_state.end(), 0.0f);
}

void pole_bank::step(const std::complex<float>* drive)
{
    const size_t size = d_state.size();
    const float* const pole_re = d_pole_re.data();
    const float* const pole_im = d_pole_im.data();
    float* const state_re = d_state_re.data();
    float* const state_im = d_state_im.data();
    std::complex<float>* const state = d_state.data();
    for (size_t k = 0; k < size; k++) {
        const float re = pole_re[k] * state_re[k] - pole_im[k] * state_im[k] + drive[k].real();
        const float im = pole_re[k] * state_im[k] + pole_im[k] * state_re[k] + drive[k].imag();
        state_re[k] = flush(re);
        state_im[k] = flush(im);
        state[k] = { state_re[k], state_im[k] };
    }
}

void pole_bank::advance(std::complex<float> input, std::complex<float>* states)
{
    const size_t size = d_state.size();
    const float* const pole_re = d_pole_re.data();
    const float* const pole_im = d_pole_im.data();
    float* const state_re = d_state_re.data();
    float* const state_im = d_state_im.data();
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
