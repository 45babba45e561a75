/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel/signal_loops.h"

#include <algorithm>

// the order matters
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/signal_loops_simd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace gr::reservoir::kernel::simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
typedef std::complex<double> cdouble;

// Real and imaginary parts in turn, as complex numbers lie: half as many of them as lanes, none
// without vectors, where the loops for the rest do everything.
const hn::CappedTag<double, 8> D;
using vec = hn::Vec<decltype(D)>;

HWY_INLINE const double* parts(const cdouble* x)
{
    return reinterpret_cast<const double*>(x);
}

HWY_INLINE double* parts(cdouble* x) { return reinterpret_cast<double*>(x); }

// Both sums are made of whole vectors: conj(x) y is x·y, and x·(y with its parts exchanged), there
// the imaginary parts' share taken away at the end.
template <size_t LAGS>
HWY_INLINE void
correlate_some(const cdouble* x, const cdouble* y, size_t count, cdouble* sums)
{
    const size_t step = hn::Lanes(D) / 2;
    vec re0 = hn::Zero(D), im0 = re0, re1 = re0, im1 = re0;
    vec re2 = re0, im2 = re0, re3 = re0, im3 = re0;
    size_t n = 0;
    for (; step > 0 && n + step <= count; n += step) {
        const vec now = hn::LoadU(D, parts(y + n));
        const vec exchanged = hn::Reverse2(D, now);
        const auto accumulate = [&](size_t lag, vec& re, vec& im) HWY_ATTR {
            const vec before = hn::LoadU(D, parts(x + n) - 2 * lag);
            re = hn::MulAdd(before, now, re);
            im = hn::MulAdd(before, exchanged, im);
        };
        accumulate(0, re0, im0);
        if (LAGS > 1)
            accumulate(1, re1, im1);
        if (LAGS > 2)
            accumulate(2, re2, im2);
        if (LAGS > 3)
            accumulate(3, re3, im3);
    }
    const auto finish = [&](size_t lag, vec re, vec im) HWY_ATTR {
        const vec zero = hn::Zero(D);
        cdouble sum(hn::GetLane(hn::SumOfLanes(D, re)),
                    hn::GetLane(hn::SumOfLanes(D, hn::OddEven(hn::Sub(zero, im), im))));
        for (size_t k = n; k < count; k++) {
            const double* before = parts(x + k) - 2 * lag;
            sum += cdouble(before[0] * y[k].real() + before[1] * y[k].imag(),
                           before[0] * y[k].imag() - before[1] * y[k].real());
        }
        sums[lag] = sum;
    };
    finish(0, re0, im0);
    if (LAGS > 1)
        finish(1, re1, im1);
    if (LAGS > 2)
        finish(2, re2, im2);
    if (LAGS > 3)
        finish(3, re3, im3);
}

void correlate(
    const cdouble* x, const cdouble* y, size_t count, size_t lags, cdouble* sums)
{
    size_t lag = 0;
    for (; lag + 4 <= lags; lag += 4)
        correlate_some<4>(x - lag, y, count, sums + lag);
    if (lags - lag == 3)
        correlate_some<3>(x - lag, y, count, sums + lag);
    else if (lags - lag == 2)
        correlate_some<2>(x - lag, y, count, sums + lag);
    else if (lags - lag == 1)
        correlate_some<1>(x - lag, y, count, sums + lag);
}

// h x is Re(h)·x, and Im(h)·x with its parts exchanged, there the real part taken away.
template <size_t VECTORS>
HWY_INLINE void
add_filtered_vectors(const cdouble* x, const cdouble* h, size_t taps, cdouble* y)
{
    const size_t lanes = hn::Lanes(D);
    vec straight0 = hn::LoadU(D, parts(y)), crossed0 = hn::Zero(D);
    vec straight1 = straight0, crossed1 = crossed0;
    if (VECTORS > 1)
        straight1 = hn::LoadU(D, parts(y) + lanes);
    for (size_t l = 0; l < taps; l++) {
        const vec re = hn::Set(D, h[l].real()), im = hn::Set(D, h[l].imag());
        const double* before = parts(x) - 2 * l;
        const vec x0 = hn::LoadU(D, before);
        straight0 = hn::MulAdd(re, x0, straight0);
        crossed0 = hn::MulAdd(im, x0, crossed0);
        if (VECTORS > 1) {
            const vec x1 = hn::LoadU(D, before + lanes);
            straight1 = hn::MulAdd(re, x1, straight1);
            crossed1 = hn::MulAdd(im, x1, crossed1);
        }
    }
    const auto store = [&](vec straight, vec crossed, size_t at) HWY_ATTR {
        const vec turned = hn::Reverse2(D, crossed); // −Im·Im in even lanes
        hn::StoreU(hn::OddEven(hn::Add(straight, turned), hn::Sub(straight, turned)),
                   D,
                   parts(y) + at);
    };
    store(straight0, crossed0, 0);
    if (VECTORS > 1)
        store(straight1, crossed1, lanes);
}

void add_filtered(
    const cdouble* x, const cdouble* h, size_t taps, size_t count, cdouble* y)
{
    const size_t step = hn::Lanes(D) / 2;
    size_t n = 0;
    for (; step > 0 && n + 2 * step <= count; n += 2 * step)
        add_filtered_vectors<2>(x + n, h, taps, y + n);
    for (; step > 0 && n + step <= count; n += step)
        add_filtered_vectors<1>(x + n, h, taps, y + n);
    for (; n < count; n++) {
        double re = y[n].real(), im = y[n].imag();
        for (size_t l = 0; l < taps; l++) {
            const double* before = parts(x + n) - 2 * l;
            re += h[l].real() * before[0] - h[l].imag() * before[1];
            im += h[l].real() * before[1] + h[l].imag() * before[0];
        }
        y[n] = { re, im };
    }
}

HWY_INLINE void turn_vector(const double* x, const double* phase, double* y)
{
    vec re, im;
    hn::LoadInterleaved2(D, x, re, im);
    const vec angle = hn::LoadU(D, phase);
    const vec c = hn::Cos(D, angle), s = hn::Sin(D, angle);
    hn::StoreInterleaved2(
        hn::MulAdd(re, c, hn::Mul(im, s)), hn::NegMulAdd(re, s, hn::Mul(im, c)), D, y);
}

void turn_back(const cdouble* x, const double* phase, size_t count, cdouble* y)
{
    const size_t lanes = hn::Lanes(D);
    size_t n = 0;
    for (; n + lanes <= count; n += lanes)
        turn_vector(parts(x + n), phase + n, parts(y + n));
    if (n == count)
        return;
    cdouble some[8] = {};
    double angle[8] = {};
    std::copy(x + n, x + count, some);
    std::copy(phase + n, phase + count, angle);
    turn_vector(parts(some), angle, parts(some));
    std::copy(some, some + (count - n), y + n);
}

HWY_INLINE void angle_vector(const double* x, double* angle)
{
    vec re, im;
    hn::LoadInterleaved2(D, x, re, im);
    const vec zero = hn::Zero(D);
    const vec across = hn::Abs(re), up = hn::Abs(im);
    const vec greater = hn::Max(across, up), less = hn::Min(across, up);
    const vec slope = hn::Div(less, hn::Max(greater, hn::Set(D, 1e-300)));
    vec found = hn::Atan(D, slope);
    found = hn::IfThenElse(
        hn::Gt(up, across), hn::Sub(hn::Set(D, 1.5707963267948966), found), found);
    found = hn::IfThenElse(
        hn::Lt(re, zero), hn::Sub(hn::Set(D, 3.141592653589793), found), found);
    hn::StoreU(hn::CopySign(found, im), D, angle);
}

void angles(const cdouble* x, size_t count, double* angle)
{
    const size_t lanes = hn::Lanes(D);
    size_t n = 0;
    for (; n + lanes <= count; n += lanes)
        angle_vector(parts(x + n), angle + n);
    if (n == count)
        return;
    cdouble some[8] = {};
    double found[8];
    std::copy(x + n, x + count, some);
    angle_vector(parts(some), found);
    std::copy(found, found + (count - n), angle + n);
}

} // namespace gr::reservoir::kernel::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gr::reservoir::kernel::simd {

HWY_EXPORT(correlate);
HWY_EXPORT(add_filtered);
HWY_EXPORT(turn_back);
HWY_EXPORT(angles);

void correlate(const std::complex<double>* x,
               const std::complex<double>* y,
               size_t count,
               size_t lags,
               std::complex<double>* sums)
{
    HWY_DYNAMIC_DISPATCH(correlate)(x, y, count, lags, sums);
}

void add_filtered(const std::complex<double>* x,
                  const std::complex<double>* h,
                  size_t taps,
                  size_t count,
                  std::complex<double>* y)
{
    HWY_DYNAMIC_DISPATCH(add_filtered)(x, h, taps, count, y);
}

void turn_back(const std::complex<double>* x,
               const double* phase,
               size_t count,
               std::complex<double>* y)
{
    HWY_DYNAMIC_DISPATCH(turn_back)(x, phase, count, y);
}

void angles(const std::complex<double>* x, size_t count, double* angle)
{
    HWY_DYNAMIC_DISPATCH(angles)(x, count, angle);
}

} // namespace gr::reservoir::kernel::simd
#endif
