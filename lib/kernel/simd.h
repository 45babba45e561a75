/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_SIMD_H
#define INCLUDED_RESERVOIR_KERNEL_SIMD_H

#include <gnuradio/reservoir/kernel/activation.h>
#include <complex>
#include <cstddef>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * The inner loops, compiled for every instruction set and dispatched at run time (Highway).
 * Each output is computed by the same instructions in the same order wherever it stands in a
 * call, so that cutting a stream into pieces changes no bit.
 */
namespace simd {

//! Rows of a matrix are padded to a multiple of this many floats (the widest vector).
constexpr size_t ROW_PADDING = 16;
constexpr size_t padded(size_t rows)
{
    return (rows + ROW_PADDING - 1) / ROW_PADDING * ROW_PADDING;
}

//! re[k] + i·im[k] = gain · in[k·stride], zero where that is not finite. Returns how many were not.
RESERVOIR_API size_t deinterleave(const std::complex<float>* in,
                                  size_t stride,
                                  size_t count,
                                  float gain,
                                  float* re,
                                  float* im);

/*!
 * out[n] (+)= Σ_b Σ_m w[b·taps + m] x_b[n + m], n = 0 … count−1: the FIR filters of all
 * branches, summed. x_b is readable 64 elements beyond its end; w in split form.
 */
RESERVOIR_API void fir(const float* const* x_re,
                       const float* const* x_im,
                       size_t num_branches,
                       size_t taps,
                       const float* w_re,
                       const float* w_im,
                       size_t count,
                       std::complex<float>* out);

/*!
 * y = A v. A is stored by columns of padded(rows) floats, real and imaginary parts apart;
 * y has padded(rows) elements, aligned as the caller likes.
 */
RESERVOIR_API void multiply(const float* a_re,
                            const float* a_im,
                            size_t padded_rows,
                            size_t columns,
                            const float* v_re,
                            const float* v_im,
                            float* y_re,
                            float* y_im);

//! z = f(z), elementwise over count (a multiple of ROW_PADDING) values.
RESERVOIR_API void activate(activation function, size_t count, float* re, float* im);

//! Σ_k a[k] b[k] (no conjugate) over count (a multiple of ROW_PADDING) values.
RESERVOIR_API std::complex<float> dot(const float* a_re,
                                      const float* a_im,
                                      const float* b_re,
                                      const float* b_im,
                                      size_t count);

} // namespace simd
} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_SIMD_H */
