/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_TRELLIS_LOOPS_H
#define INCLUDED_RESERVOIR_KERNEL_TRELLIS_LOOPS_H

#include <cstddef>
#include <cstdint>

namespace gr {
namespace reservoir {
namespace kernel {
namespace simd {

/*!
 * One row of a trellis. A branch is a newest symbol, the symbols between and the oldest one; what
 * is expected of it is the sum of what the three give. Arrays are streams x order or streams x
 * between.
 */
struct trellis_row {
    size_t order;        //!< points
    size_t between;      //!< states with the oldest symbol taken away
    const float* metric; //!< between x order: of the old states
    size_t streams;
    const float* newest_re; //!< the sample less what each newest symbol gives
    const float* newest_im;
    const float* between_re; //!< what the symbols between give
    const float* between_im;
    const float* oldest_re; //!< what the oldest symbol gives, times twice the weight
    const float* oldest_im;
    const float* oldest_energy; //!< its energy over all streams, times weight
    float weight;
};

/*!
 * next[m · between + s] = least over k of metric[s · order + k] + weight |sample − expected|²,
 * oldest that k. by_oldest is room for the states.
 */
void continue_paths(const trellis_row& row,
                    float* by_oldest,
                    float* next,
                    uint8_t* oldest);

} // namespace simd
} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_TRELLIS_LOOPS_H */
