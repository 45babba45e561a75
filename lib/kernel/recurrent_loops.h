/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_RECURRENT_LOOPS_H
#define INCLUDED_RESERVOIR_KERNEL_RECURRENT_LOOPS_H

#include <gnuradio/reservoir/kernel/activation.h>
#include <cstddef>

namespace gr {
namespace reservoir {
namespace kernel {
namespace simd {

/*!
 * \brief A complex matrix in memory, real and imaginary parts apart; element (i, j) at
 * i·row_step + j·column_step. Matrices by columns are padded to simd::padded(rows) values per column.
 */
template <class T>
struct split_view {
    T* re;
    T* im;
    size_t row_step;
    size_t column_step;
};

enum class factor { as_it_is, conjugate };

/*
 * The loops of back-propagation through time; T is float or double. A, S, Y, Z and the rest are by
 * columns (row_step 1), `rows` and `neurons` are the
 * padded ones, `inner` is the number of neurons without padding.
 */

//! Y += A B or A B*; A is rows × inner, B inner × columns with any steps.
template <class T>
void multiply_add(const split_view<T>& a,
                  const split_view<T>& b,
                  factor kind,
                  size_t rows,
                  size_t inner,
                  size_t columns,
                  const split_view<T>& y);

//! y[t] += aᴴ s[t], t = 0 … steps−1; a is one column, y a row.
template <class T>
void project(const split_view<T>& a,
             const split_view<T>& s,
             size_t rows,
             size_t steps,
             const split_view<T>& y);

/*!
 * z[t] += W s[t−1], s[t] = f(z[t]), t = 1 … steps: z holds U u on entry; column 0 of s is the
 * initial state. For magnitude_tanh column t of slope.re keeps tanh|z|/|z|.
 */
template <class T>
void run_forward(activation function,
                 const split_view<T>& recurrent,
                 size_t neurons,
                 size_t inner,
                 size_t steps,
                 const split_view<T>& z,
                 const split_view<T>& s,
                 const split_view<T>& slope);

/*!
 * dz[t] = f'(z[t]) · (dz[t] + Wᴴ dz[t+1]), t = steps … 1, in place; `adjoint` is Wᴴ, z, s and
 * slope are as run_forward left them.
 */
template <class T>
void run_backward(activation function,
                  const split_view<T>& adjoint,
                  size_t neurons,
                  size_t inner,
                  size_t steps,
                  const split_view<T>& z,
                  const split_view<T>& s,
                  const split_view<T>& slope,
                  const split_view<T>& dz);

} // namespace simd
} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_RECURRENT_LOOPS_H */
