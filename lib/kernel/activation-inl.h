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

// the order matters
// clang-format off
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace gr::reservoir::kernel::simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

//! Keeps |z|² finite in single precision; tanh is 1 long before.
template <class D, class V>
HWY_INLINE V clamp_part(D d, V x)
{
    const V limit = hn::Set(d, hn::TFromD<D>(1e15));
    return hn::Max(hn::Neg(limit), hn::Min(limit, x));
}

//! tanh|z|/|z| of a clamped z: a smooth function of |z|², to 4e-7 in single precision
template <class D, class V>
HWY_INLINE V magnitude_tanh_scale(D d, V x, V y)
{
    const V square = hn::MulAdd(x, x, hn::Mul(y, y));
    if constexpr (sizeof(hn::TFromD<D>) == 4) {
        // The rational function that is nearest to it up to |z| = 9, relatively; found by
        // reweighted least squares (Lawson, 1961). tanh is 1 beyond.
        constexpr float P[] = {
            1.0F, 0.133810258F, 0.0034955882F, 2.06090802e-05F, 1.33546524e-08F
        };
        constexpr float Q[] = {
            1.0F, 0.467143414F, 0.0258769827F, 0.00032856348F, 7.77655588e-07F
        };
        const V limit = hn::Set(d, 81.0F);
        const V s = hn::Min(square, limit);
        V p = hn::Set(d, P[4]), q = hn::Set(d, Q[4]);
        for (int k = 3; k >= 0; k--) {
            p = hn::MulAdd(p, s, hn::Set(d, P[k]));
            q = hn::MulAdd(q, s, hn::Set(d, Q[k]));
        }
        const V scale = hn::Div(p, q);
        const auto within = hn::Lt(square, limit);
        if (HWY_LIKELY(hn::AllTrue(d, within)))
            return scale;
        return hn::IfThenElse(within, scale, hn::Div(hn::Set(d, 1.0F), hn::Sqrt(square)));
    } else {
        const V magnitude = hn::Sqrt(square);
        // below: 1 − |z|²/3 is 1
        return hn::IfThenElse(hn::Gt(magnitude, hn::Set(d, 1e-8)),
                              hn::Div(hn::Tanh(d, magnitude), magnitude),
                              hn::Set(d, 1.0));
    }
}

} // namespace gr::reservoir::kernel::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif /* INCLUDED_RESERVOIR_KERNEL_ACTIVATION_INL_H */
