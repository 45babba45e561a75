/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_CONVOLUTIONAL_LOOPS_H
#define INCLUDED_RESERVOIR_KERNEL_CONVOLUTIONAL_LOOPS_H

#include <cstddef>
#include <cstdint>

namespace gr {
namespace reservoir {
namespace kernel {
namespace simd {

/*!
 * The branches of a convolutional code of rate 1/2. A state's bits are the last K - 1 information
 * bits, the newest the least significant; of the new state 2 j + b, with input bit b, the old ones
 * are j and j + half. Four rows of branches, (b, oldest bit) = (0, 0), (0, 1), (1, 0), (1, 1), each
 * with all j.
 */
struct convolutional_branches {
    size_t half;          //!< of the states
    const float* sign[2]; //!< 4 half each: 0.5 where that coded bit is 1, else -0.5
    const uint32_t*
        place; //!< of a branch: a multiple of 4 plus 2 (first bit) + second bit
};

/*!
 * Log probabilities of the states after each step, of the best of them 0.
 * \param forward (steps + 1) x states; its first row is given
 */
void go_forward(const convolutional_branches& code,
                const float* ratios,
                size_t steps,
                float* forward);

/*!
 * The way back, with the a-posteriori ratios on it.
 * \param after states, of the last step; used up
 * \param room 10 half
 * \param coded 2 steps; null: not wanted
 * \param info num_info; null: not wanted
 */
void go_backward(const convolutional_branches& code,
                 const float* ratios,
                 size_t steps,
                 size_t num_info,
                 const float* forward,
                 float* after,
                 float* room,
                 float* coded,
                 float* info);

} // namespace simd
} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_CONVOLUTIONAL_LOOPS_H */
