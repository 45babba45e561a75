/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel/recurrent_loops.h"

#include "kernel/inner_loops.h"

// the order matters
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/recurrent_loops_simd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernel/activation-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace gr::reservoir::kernel::simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/*
 * One column of Y += A B, V vectors of rows. The four real products have sums of their own: a sum
 * of two products would wait twice as long for its last value. For AB* only the signs change.
 */
template <size_t V, class T>
HWY_INLINE void accumulate_column(const T* a_re,
                                  const T* a_im,
                                  size_t a_step,
                                  const T* b_re,
                                  const T* b_im,
                                  size_t b_step,
                                  bool conjugate,
                                  size_t inner,
                                  T* y_re,
                                  T* y_im)
{
    const hn::CappedTag<T, ROW_PADDING> d;
    using vec = hn::Vec<decltype(d)>;
    const size_t lanes = hn::Lanes(d);
    vec rr0 = hn::Zero(d), ii0 = rr0, ri0 = rr0, ir0 = rr0;
    vec rr1 = rr0, ii1 = rr0, ri1 = rr0, ir1 = rr0;
    for (size_t k = 0; k < inner; k++) {
        const vec br = hn::Set(d, b_re[k * b_step]);
        const vec bi = hn::Set(d, b_im[k * b_step]);
        const auto accumulate =
            [&](size_t v, vec& rr, vec& ii, vec& ri, vec& ir) HWY_ATTR {
                const vec ar = hn::LoadU(d, a_re + k * a_step + v * lanes);
                const vec ai = hn::LoadU(d, a_im + k * a_step + v * lanes);
                rr = hn::MulAdd(ar, br, rr);
                ii = hn::MulAdd(ai, bi, ii);
                ri = hn::MulAdd(ar, bi, ri);
                ir = hn::MulAdd(ai, br, ir);
            };
        accumulate(0, rr0, ii0, ri0, ir0);
        if (V > 1)
            accumulate(1, rr1, ii1, ri1, ir1);
    }
    const auto add = [&](size_t v, vec rr, vec ii, vec ri, vec ir) HWY_ATTR {
        const vec re = conjugate ? hn::Add(rr, ii) : hn::Sub(rr, ii);
        const vec im = conjugate ? hn::Sub(ir, ri) : hn::Add(ir, ri);
        hn::StoreU(hn::Add(re, hn::LoadU(d, y_re + v * lanes)), d, y_re + v * lanes);
        hn::StoreU(hn::Add(im, hn::LoadU(d, y_im + v * lanes)), d, y_im + v * lanes);
    };
    add(0, rr0, ii0, ri0, ir0);
    if (V > 1)
        add(1, rr1, ii1, ri1, ir1);
}

template <class T>
HWY_INLINE void multiply_add_any(const split_view<T>& a,
                                 const split_view<T>& b,
                                 factor kind,
                                 size_t rows,
                                 size_t inner,
                                 size_t columns,
                                 const split_view<T>& y)
{
    constexpr size_t INNER = 64; // that many columns of A stay in the first-level cache
    const hn::CappedTag<T, ROW_PADDING> d;
    const size_t lanes = hn::Lanes(d);
    const bool conjugate = kind == factor::conjugate;
    for (size_t k = 0; k < inner; k += INNER) {
        const size_t count = HWY_MIN(INNER, inner - k);
        for (size_t j = 0; j < columns; j++) {
            const size_t b_first = k * b.row_step + j * b.column_step;
            const auto part = [&](size_t row, auto width) HWY_ATTR {
                const size_t a_first = k * a.column_step + row;
                const size_t y_first = j * y.column_step + row;
                accumulate_column<decltype(width)::value>(a.re + a_first,
                                                          a.im + a_first,
                                                          a.column_step,
                                                          b.re + b_first,
                                                          b.im + b_first,
                                                          b.row_step,
                                                          conjugate,
                                                          count,
                                                          y.re + y_first,
                                                          y.im + y_first);
            };
            size_t row = 0;
            for (; row + 2 * lanes <= rows; row += 2 * lanes)
                part(row, std::integral_constant<size_t, 2>());
            if (row < rows)
                part(row, std::integral_constant<size_t, 1>());
        }
    }
}

template <class T>
HWY_INLINE void project_any(const split_view<T>& a,
                            const split_view<T>& s,
                            size_t rows,
                            size_t steps,
                            const split_view<T>& y)
{
    const hn::CappedTag<T, ROW_PADDING> d;
    using vec = hn::Vec<decltype(d)>;
    for (size_t t = 0; t < steps; t++) {
        vec re = hn::Zero(d), im = re;
        for (size_t k = 0; k < rows; k += hn::Lanes(d)) {
            const vec ar = hn::LoadU(d, a.re + k);
            const vec ai = hn::LoadU(d, a.im + k);
            const vec sr = hn::LoadU(d, s.re + t * s.column_step + k);
            const vec si = hn::LoadU(d, s.im + t * s.column_step + k);
            re = hn::MulAdd(ai, si, hn::MulAdd(ar, sr, re));
            im = hn::NegMulAdd(ai, sr, hn::MulAdd(ar, si, im));
        }
        y.re[t * y.column_step] += hn::GetLane(hn::SumOfLanes(d, re));
        y.im[t * y.column_step] += hn::GetLane(hn::SumOfLanes(d, im));
    }
}

template <class T>
HWY_INLINE void activate_column(activation function,
                                size_t neurons,
                                const T* z_re,
                                const T* z_im,
                                T* s_re,
                                T* s_im,
                                T* slope)
{
    const hn::CappedTag<T, ROW_PADDING> d;
    for (size_t k = 0; k < neurons; k += hn::Lanes(d)) {
        auto x = hn::LoadU(d, z_re + k);
        auto y = hn::LoadU(d, z_im + k);
        if (function == activation::split_tanh) {
            x = hn::Tanh(d, x);
            y = hn::Tanh(d, y);
        } else if (function == activation::magnitude_tanh) {
            x = clamp_part(d, x);
            y = clamp_part(d, y);
            const auto scale = magnitude_tanh_scale(d, x, y);
            hn::StoreU(scale, d, slope + k);
            x = hn::Mul(x, scale);
            y = hn::Mul(y, scale);
        }
        hn::StoreU(x, d, s_re + k);
        hn::StoreU(y, d, s_im + k);
    }
}

/*
 * (g'/|z|) = (1 − tanh²|z| − g)/|z|² with g = tanh|z|/|z|; the difference cancels for small |z|,
 * where the series −2/3 + 8/15 |z|² − 34/105 |z|⁴ + 496/2835 |z|⁶ is as good.
 */
template <class D, class V>
HWY_INLINE V slope_derivative(D d, V slope, V magnitude2)
{
    using T = hn::TFromD<D>;
    const V one = hn::Set(d, T(1));
    V series = hn::Set(d, T(496.0 / 2835));
    for (const double coefficient : { -34.0 / 105, 8.0 / 15, -2.0 / 3 })
        series = hn::MulAdd(series, magnitude2, hn::Set(d, T(coefficient)));
    const V sech2 = hn::Sub(one, hn::Mul(hn::Mul(slope, slope), magnitude2));
    const V limit = hn::Set(d, T(sizeof(T) == 4 ? 0.0625 : 0.0025)); // of |z|²
    const V quotient = hn::Div(hn::Sub(sech2, slope), hn::Max(magnitude2, limit));
    return hn::IfThenElse(hn::Lt(magnitude2, limit), series, quotient);
}

//! ds -> dz, in place
template <class T>
HWY_INLINE void differentiate_column(activation function,
                                     size_t neurons,
                                     const T* z_re,
                                     const T* z_im,
                                     const T* s_re,
                                     const T* s_im,
                                     const T* slope,
                                     T* dz_re,
                                     T* dz_im)
{
    if (function == activation::identity)
        return;
    const hn::CappedTag<T, ROW_PADDING> d;
    for (size_t k = 0; k < neurons; k += hn::Lanes(d)) {
        auto x = hn::LoadU(d, dz_re + k);
        auto y = hn::LoadU(d, dz_im + k);
        if (function == activation::split_tanh) { // tanh' = 1 − tanh²
            const auto sr = hn::LoadU(d, s_re + k);
            const auto si = hn::LoadU(d, s_im + k);
            x = hn::Mul(x, hn::NegMulAdd(sr, sr, hn::Set(d, T(1))));
            y = hn::Mul(y, hn::NegMulAdd(si, si, hn::Set(d, T(1))));
        } else { // g ds + (g'/|z|) z Re(z* ds)
            const auto zr = clamp_part(d, hn::LoadU(d, z_re + k));
            const auto zi = clamp_part(d, hn::LoadU(d, z_im + k));
            const auto g = hn::LoadU(d, slope + k);
            const auto magnitude2 = hn::MulAdd(zr, zr, hn::Mul(zi, zi));
            const auto radial = hn::Mul(slope_derivative(d, g, magnitude2),
                                        hn::MulAdd(zr, x, hn::Mul(zi, y)));
            x = hn::MulAdd(radial, zr, hn::Mul(g, x));
            y = hn::MulAdd(radial, zi, hn::Mul(g, y));
        }
        hn::StoreU(x, d, dz_re + k);
        hn::StoreU(y, d, dz_im + k);
    }
}

template <class T>
HWY_INLINE split_view<T> column(const split_view<T>& a, size_t t)
{
    return { a.re + t * a.column_step, a.im + t * a.column_step, 1, a.column_step };
}

template <class T>
HWY_INLINE void run_forward_any(activation function,
                                const split_view<T>& recurrent,
                                size_t neurons,
                                size_t inner,
                                size_t steps,
                                const split_view<T>& z,
                                const split_view<T>& s,
                                const split_view<T>& slope)
{
    for (size_t t = 1; t <= steps; t++) {
        const auto zt = column(z, t);
        const auto st = column(s, t);
        multiply_add_any(
            recurrent, column(s, t - 1), factor::as_it_is, neurons, inner, 1, zt);
        activate_column(function,
                        neurons,
                        zt.re,
                        zt.im,
                        st.re,
                        st.im,
                        slope.re + t * slope.column_step);
    }
}

template <class T>
HWY_INLINE void run_backward_any(activation function,
                                 const split_view<T>& adjoint,
                                 size_t neurons,
                                 size_t inner,
                                 size_t steps,
                                 const split_view<T>& z,
                                 const split_view<T>& s,
                                 const split_view<T>& slope,
                                 const split_view<T>& dz)
{
    for (size_t t = steps; t > 0; t--) {
        const auto dzt = column(dz, t);
        if (t < steps)
            multiply_add_any(
                adjoint, column(dz, t + 1), factor::as_it_is, neurons, inner, 1, dzt);
        differentiate_column(function,
                             neurons,
                             column(z, t).re,
                             column(z, t).im,
                             column(s, t).re,
                             column(s, t).im,
                             slope.re + t * slope.column_step,
                             dzt.re,
                             dzt.im);
    }
}

// Highway's tables hold plain functions.
#define RESERVOIR_DEFINE_LOOPS(T, suffix)                                            \
    void multiply_add_##suffix(const split_view<T>& a,                               \
                               const split_view<T>& b,                               \
                               factor kind,                                          \
                               size_t rows,                                          \
                               size_t inner,                                         \
                               size_t columns,                                       \
                               const split_view<T>& y)                               \
    {                                                                                \
        multiply_add_any(a, b, kind, rows, inner, columns, y);                       \
    }                                                                                \
    void project_##suffix(const split_view<T>& a,                                    \
                          const split_view<T>& s,                                    \
                          size_t rows,                                               \
                          size_t steps,                                              \
                          const split_view<T>& y)                                    \
    {                                                                                \
        project_any(a, s, rows, steps, y);                                           \
    }                                                                                \
    void run_forward_##suffix(activation function,                                   \
                              const split_view<T>& recurrent,                        \
                              size_t neurons,                                        \
                              size_t inner,                                          \
                              size_t steps,                                          \
                              const split_view<T>& z,                                \
                              const split_view<T>& s,                                \
                              const split_view<T>& slope)                            \
    {                                                                                \
        run_forward_any(function, recurrent, neurons, inner, steps, z, s, slope);    \
    }                                                                                \
    void run_backward_##suffix(activation function,                                  \
                               const split_view<T>& adjoint,                         \
                               size_t neurons,                                       \
                               size_t inner,                                         \
                               size_t steps,                                         \
                               const split_view<T>& z,                               \
                               const split_view<T>& s,                               \
                               const split_view<T>& slope,                           \
                               const split_view<T>& dz)                              \
    {                                                                                \
        run_backward_any(function, adjoint, neurons, inner, steps, z, s, slope, dz); \
    }
RESERVOIR_DEFINE_LOOPS(float, f32)
RESERVOIR_DEFINE_LOOPS(double, f64)
#undef RESERVOIR_DEFINE_LOOPS

} // namespace gr::reservoir::kernel::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace gr::reservoir::kernel::simd {

#define RESERVOIR_DISPATCH_LOOPS(T, suffix)                           \
    HWY_EXPORT(multiply_add_##suffix);                                \
    HWY_EXPORT(project_##suffix);                                     \
    HWY_EXPORT(run_forward_##suffix);                                 \
    HWY_EXPORT(run_backward_##suffix);                                \
    template <>                                                       \
    void multiply_add(const split_view<T>& a,                         \
                      const split_view<T>& b,                         \
                      factor kind,                                    \
                      size_t rows,                                    \
                      size_t inner,                                   \
                      size_t columns,                                 \
                      const split_view<T>& y)                         \
    {                                                                 \
        HWY_DYNAMIC_DISPATCH(multiply_add_##suffix)                   \
        (a, b, kind, rows, inner, columns, y);                        \
    }                                                                 \
    template <>                                                       \
    void project(const split_view<T>& a,                              \
                 const split_view<T>& s,                              \
                 size_t rows,                                         \
                 size_t steps,                                        \
                 const split_view<T>& y)                              \
    {                                                                 \
        HWY_DYNAMIC_DISPATCH(project_##suffix)(a, s, rows, steps, y); \
    }                                                                 \
    template <>                                                       \
    void run_forward(activation function,                             \
                     const split_view<T>& recurrent,                  \
                     size_t neurons,                                  \
                     size_t inner,                                    \
                     size_t steps,                                    \
                     const split_view<T>& z,                          \
                     const split_view<T>& s,                          \
                     const split_view<T>& slope)                      \
    {                                                                 \
        HWY_DYNAMIC_DISPATCH(run_forward_##suffix)                    \
        (function, recurrent, neurons, inner, steps, z, s, slope);    \
    }                                                                 \
    template <>                                                       \
    void run_backward(activation function,                            \
                      const split_view<T>& adjoint,                   \
                      size_t neurons,                                 \
                      size_t inner,                                   \
                      size_t steps,                                   \
                      const split_view<T>& z,                         \
                      const split_view<T>& s,                         \
                      const split_view<T>& slope,                     \
                      const split_view<T>& dz)                        \
    {                                                                 \
        HWY_DYNAMIC_DISPATCH(run_backward_##suffix)                   \
        (function, adjoint, neurons, inner, steps, z, s, slope, dz);  \
    }
RESERVOIR_DISPATCH_LOOPS(float, f32)
RESERVOIR_DISPATCH_LOOPS(double, f64)
#undef RESERVOIR_DISPATCH_LOOPS

} // namespace gr::reservoir::kernel::simd

#endif
