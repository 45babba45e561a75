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
 * One row of a trellis. Branches stand by newest symbol, oldest symbol, and the states between
 * them, which are beside each other.
 */
struct trellis_row {
    size_t order;          //!< points
    size_t between;        //!< states with the oldest symbol taken away
    const float* metric;   //!< between x order: of the old states
    const float* energy;   //!< order x order x between: |expected|² of all streams
    const float* twice_re; //!< streams x order x order x between: 2 Re expected
    const float* twice_im;
    size_t streams;
    const float* sample_re; //!< streams, times weight
    const float* sample_im;
    float weight;
};

/*!
 * next[m · between + s] = least over k of metric[s · order + k] + weight · energy − 2 Re(sample
 * conj(expected)), oldest the k. by_oldest is room for the states.
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
