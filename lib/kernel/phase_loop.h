/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_PHASE_LOOP_H
#define INCLUDED_RESERVOIR_KERNEL_PHASE_LOOP_H

#include <gnuradio/reservoir/kernel/survivor_search.h>
#include <algorithm>
#include <complex>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * The phase loop of survivor_search (its header has the equations) for a single path; the search
 * itself has it for a vector of survivors.
 */
struct phase_loop {
    const float alpha, beta, scale;
    float theta, nu;
    std::complex<float> turn; //!< exp(-i theta)

    phase_loop(const survivor_model& model,
               float power,
               float first_theta,
               float first_nu)
        : alpha(model.alpha), beta(model.beta), scale(1.0f / power)
    {
        start(first_theta, first_nu);
    }
    void start(float new_theta, float new_nu)
    {
        theta = new_theta;
        nu = new_nu;
        turn = std::polar(1.0f, -theta);
    }
    //! turned: the output by turn, and what it would be without noise and phase.
    void follow(std::complex<float> turned, std::complex<float> wanted)
    {
        if (!(alpha > 0.0f))
            return;
        const float error = std::clamp(
            (turned.imag() * wanted.real() - turned.real() * wanted.imag()) * scale,
            -0.5f,
            0.5f);
        nu += beta * error;
        const float step = alpha * error + nu, square = step * step;
        theta += step;
        const float cosine =
            1.0f - square * (0.5f - square * (1.0f / 24.0f - square * (1.0f / 720.0f)));
        const float sine =
            step * (1.0f - square * (1.0f / 6.0f - square * (1.0f / 120.0f)));
        const float re = turn.real() * cosine + turn.imag() * sine;
        const float im = turn.imag() * cosine - turn.real() * sine;
        const float trim = 1.5f - 0.5f * (re * re + im * im); // back to unit modulus
        turn = { trim * re, trim * im };
    }
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_PHASE_LOOP_H */
