/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_FRAME_LOOPS_H
#define INCLUDED_RESERVOIR_KERNEL_FRAME_LOOPS_H

#include <gnuradio/reservoir/kernel/activation.h>
#include <complex>
#include <cstddef>

namespace gr {
namespace reservoir {
namespace kernel {
namespace simd {

/*
 * The loops of a network whose states over a whole frame are kept: a row of padded neurons per instant,
 * real and imaginary parts apart. Padding is zero.
 */

/*!
 * A complex matrix W for products of three real ones instead of four: with P = Re W (Re s + Im s),
 * Re Ws = P − (Re W + Im W) Im s and Im Ws = P + (Im W − Re W) Re s. By columns of padded rows.
 */
struct three_products {
    const float* re;
    const float* sum;        //!< Re W + Im W
    const float* difference; //!< Im W − Re W
};

//! Rows of inputs u[n], which states s[n] come to stand in place of.
struct state_rows {
    float* re;
    float* im;
    const float* last_re; //!< s[−1]; null: zero
    const float* last_im;
};

/*!
 * s[n] = f(W s[n−1] + u[n]), n = 0 … count−1, for some chains of states, in turns: while one waits for what
 * follows from its last product another one has work.
 */
void run_states(activation function,
                const three_products& recurrent,
                size_t padded_rows,
                size_t neurons,
                size_t count,
                const state_rows* chains,
                size_t num_chains);

//! Values that meet the rows of states one after the other.
struct value_sequence {
    const float* re;
    const float* im;
    size_t step;
};

/*!
 * sums[c][k] += Σ_n conj(s_k[n]) x_c[n], n = 0 … count−1: a row of padded neurons per sequence x_c.
 * In single precision over 128 instants, which are then added in double precision. The first sequences
 * are the states themselves: their sums for neurons k > c, which are those of the others, may be left out.
 */
void correlate_states(const float* re,
                      const float* im,
                      size_t padded_rows,
                      size_t count,
                      const value_sequence* sequences,
                      size_t num_sequences,
                      double* sums_re,
                      double* sums_im);

//! out[n] += Σ_k w_k s_k[n].
void read_states(const float* re,
                 const float* im,
                 size_t padded_rows,
                 size_t count,
                 const float* weights_re,
                 const float* weights_im,
                 std::complex<float>* out);

} // namespace simd
} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_FRAME_LOOPS_H */
