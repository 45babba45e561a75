/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "peak.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "peak_simd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace peak {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Fifteen sums and the factor are what sixteen registers hold; they hide a latency of four at
// nearly four multiply-adds a cycle.
template <class T>
size_t multiply_add_of(size_t rounds, T factor, T& sum)
{
    const hn::ScalableTag<T> d;
    const auto a = hn::Set(d, factor);
    // different values, or the compiler would add once for all
    const auto start = [&](int k)
                           HWY_ATTR { return hn::Set(d, sum + static_cast<T>(k)); };
    auto s0 = start(0), s1 = start(1), s2 = start(2), s3 = start(3), s4 = start(4);
    auto s5 = start(5), s6 = start(6), s7 = start(7), s8 = start(8), s9 = start(9);
    auto s10 = start(10), s11 = start(11), s12 = start(12), s13 = start(13),
         s14 = start(14);
    for (size_t n = 0; n < rounds; n++) {
        s0 = hn::MulAdd(s0, a, s0);
        s1 = hn::MulAdd(s1, a, s1);
        s2 = hn::MulAdd(s2, a, s2);
        s3 = hn::MulAdd(s3, a, s3);
        s4 = hn::MulAdd(s4, a, s4);
        s5 = hn::MulAdd(s5, a, s5);
        s6 = hn::MulAdd(s6, a, s6);
        s7 = hn::MulAdd(s7, a, s7);
        s8 = hn::MulAdd(s8, a, s8);
        s9 = hn::MulAdd(s9, a, s9);
        s10 = hn::MulAdd(s10, a, s10);
        s11 = hn::MulAdd(s11, a, s11);
        s12 = hn::MulAdd(s12, a, s12);
        s13 = hn::MulAdd(s13, a, s13);
        s14 = hn::MulAdd(s14, a, s14);
    }
    const auto few = hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)),
                             hn::Add(hn::Add(s4, s5), hn::Add(s6, s7)));
    const auto rest = hn::Add(hn::Add(hn::Add(s8, s9), hn::Add(s10, s11)),
                              hn::Add(hn::Add(s12, s13), s14));
    sum = hn::GetLane(hn::Add(few, rest));
    return rounds * 15 * 2 * hn::Lanes(d);
}

size_t multiply_add_float(size_t rounds, float factor, float& sum)
{
    return multiply_add_of(rounds, factor, sum);
}

size_t multiply_add_double(size_t rounds, double factor, double& sum)
{
#if HWY_HAVE_FLOAT64
    return multiply_add_of(rounds, factor, sum);
#else
    for (size_t n = 0; n < rounds; n++)
        sum += sum * factor;
    return 2 * rounds;
#endif
}

} // namespace HWY_NAMESPACE
} // namespace peak
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace peak {

HWY_EXPORT(multiply_add_float);
HWY_EXPORT(multiply_add_double);

size_t multiply_add(size_t rounds, float factor, float& sum)
{
    return HWY_DYNAMIC_DISPATCH(multiply_add_float)(rounds, factor, sum);
}

size_t multiply_add(size_t rounds, double factor, double& sum)
{
    return HWY_DYNAMIC_DISPATCH(multiply_add_double)(rounds, factor, sum);
}

} // namespace peak
#endif
