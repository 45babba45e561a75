/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// Included once for every instruction set, as Highway's own -inl.h files are.
#if defined(INCLUDED_RESERVOIR_KERNEL_ACTIVATION_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef INCLUDED_RESERVOIR_KERNEL_ACTIVATION_INL_H
#undef INCLUDED_RESERVOIR_KERNEL_ACTIVATION_INL_H
#else
#define INCLUDED_RESERVOIR_KERNEL_ACTIVATION_INL_H
#endif

#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace gr {
namespace reservoir {
namespace kernel {
namespace simd {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

//! Keeps |z|² finite in single precision; tanh is 1 long before.
template <class D, class V>
HWY_INLINE V clamp_part(D d, V x)
{
    const V limit = hn::Set(d, hn::TFromD<D>(1e15));
    return hn::Max(hn::Neg(limit), hn::Min(limit, x));
}

//! tanh|z|/|z| of a clamped z
template <class D, class V>
HWY_INLINE V magnitude_tanh_scale(D d, V x, V y)
{
    const V magnitude = hn::Sqrt(hn::MulAdd(x, x, hn::Mul(y, y)));
    const V small = hn::Set(d, hn::TFromD<D>(sizeof(hn::TFromD<D>) == 4 ? 1e-4 : 1e-8));
    return hn::IfThenElse(hn::Gt(magnitude, small), // below: 1 − |z|²/3 is 1
                          hn::Div(hn::Tanh(d, magnitude), magnitude),
                          hn::Set(d, hn::TFromD<D>(1)));
}

} // namespace HWY_NAMESPACE
} // namespace simd
} // namespace kernel
} // namespace reservoir
} // namespace gr
HWY_AFTER_NAMESPACE();

#endif /* INCLUDED_RESERVOIR_KERNEL_ACTIVATION_INL_H */
