/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_INNER_LOOPS_H
#define INCLUDED_RESERVOIR_KERNEL_INNER_LOOPS_H

#include <gnuradio/reservoir/kernel/activation.h>
#include <complex>
#include <cstddef>
#include <cstdint>

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
//! Parts whose magnitude is below 1e-25 become 0 as well.
RESERVOIR_API size_t deinterleave(const std::complex<float>* in,
                                  size_t stride,
                                  size_t count,
                                  float gain,
                                  float* re,
                                  float* im);

/*!
 * out[n] = Σ_b Σ_m w[b·taps + m] x_b[n + m], n = 0 … count−1: the FIR filters of all
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

//! The same for a real A, stored as the real parts are there.
RESERVOIR_API void multiply_real(const float* a,
                                 size_t padded_rows,
                                 size_t columns,
                                 const float* v_re,
                                 const float* v_im,
                                 float* y_re,
                                 float* y_im);

//! A dense reservoir and its readouts over a block of symbols.
struct reservoir_block {
    const float* weights_re; //!< by columns of padded_rows: input, then recurrent weights
    const float* weights_im;
    size_t padded_rows;
    size_t neurons;
    activation function;
    //! branches, as for fir: the inputs of symbol n are x_b[n … n + window)
    const float* const* x_re;
    const float* const* x_im;
    size_t num_branches;
    size_t window;
    size_t count;
    const float* const* readout_re; //!< per output: padded_rows weights of the state
    const float* const* readout_im;
    size_t num_outputs;
    std::complex<float>* const* outputs;
};

//! y[n] = U u[n], what the inputs alone make of a block; count rows of padded_rows.
RESERVOIR_API void
drive_reservoir(const reservoir_block& block, float* y_re, float* y_im);

/*!
 * s[n] = f(W s[n−1] + U u[n]), outputs[o][n] = Σ_k w_k s_k[n]. The state is read from and left in
 * state, of padded_rows; next is room for as many. Where an output is not finite it is zero, and
 * so is the state behind it.
 */
RESERVOIR_API void run_reservoir(const reservoir_block& block,
                                 float* state_re,
                                 float* state_im,
                                 float* next_re,
                                 float* next_im);

//! A bank of poles and one readout over a block of symbols; all arrays aligned to 64 bytes.
struct pole_bank_block {
    const float* pole_re; //!< padded with zeros
    const float* pole_im;
    size_t padded_poles;
    activation function;
    const float* input_re; //!< count values, the same for all poles; or null:
    const float* input_im;
    const float* drive_re; //!< count rows of padded_poles
    const float* drive_im;
    const float* readout_re; //!< padded_poles weights
    const float* readout_im;
    //! number of the block's first symbol; decides when subnormals are looked for
    uint64_t first;
    size_t count;
};

/*!
 * s_k[n] = f(p_k s_k[n−1] + u_k[n]), out[n] = Σ_k w_k s_k[n]. The state, padded, is read and left.
 * After every 32nd symbol parts of it below 1e-30 become zero.
 */
RESERVOIR_API void run_pole_bank(const pole_bank_block& block,
                                 float* state_re,
                                 float* state_im,
                                 std::complex<float>* out);

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

#endif /* INCLUDED_RESERVOIR_KERNEL_INNER_LOOPS_H */
