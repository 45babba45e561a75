/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel/convolutional_loops.h"

#include <algorithm>

// the order matters
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/convolutional_loops_simd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace gr::reservoir::kernel::simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// max*(a, b) = max + log(1 + exp(−|a − b|)); t³ times a minimax polynomial, 0 from |a − b| = 8 on.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V log_sum(D d, V a, V b)
{
    const auto more = hn::Max(a, b), less = hn::Min(a, b);
    const auto t =
        hn::Max(hn::NegMulAdd(hn::Set(d, 0.125F), hn::Sub(more, less), hn::Set(d, 1.0F)),
                hn::Zero(d));
    const auto curve =
        hn::MulAdd(hn::MulAdd(hn::Set(d, 1.86662F), t, hn::Set(d, -1.6987692F)),
                   t,
                   hn::Set(d, 0.5260051F));
    return hn::MulAdd(hn::Mul(hn::Mul(t, t), t), curve, more);
}

// Those of even number to a, of odd number to b.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void load_pairs(D d, const float* from, V& a, V& b)
{
    if constexpr (hn::MaxLanes(D()) == 1) {
        a = hn::Set(d, from[0]);
        b = hn::Set(d, from[1]);
    } else {
        hn::LoadInterleaved2(d, from, a, b);
    }
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE void store_pairs(D d, V a, V b, float* to)
{
    if constexpr (hn::MaxLanes(D()) == 1) {
        to[0] = hn::GetLane(a);
        to[1] = hn::GetLane(b);
    } else {
        hn::StoreInterleaved2(a, b, d, to);
    }
}

template <class D>
HWY_INLINE hn::Vec<D>
branch_metric(D d, const convolutional_branches& code, const float* ratios, size_t branch)
{
    return hn::MulAdd(
        hn::LoadU(d, code.sign[0] + branch),
        hn::Set(d, ratios[0]),
        hn::Mul(hn::LoadU(d, code.sign[1] + branch), hn::Set(d, ratios[1])));
}

template <class D>
HWY_INLINE void subtract(D d, float value, size_t size, float* from)
{
    for (size_t k = 0; k < size; k += hn::Lanes(d))
        hn::StoreU(hn::Sub(hn::LoadU(d, from + k), hn::Set(d, value)), d, from + k);
}

template <class D>
HWY_INLINE void step_forward(D d,
                             const convolutional_branches& code,
                             const float* ratios,
                             const float* before,
                             float* after)
{
    const size_t half = code.half;
    auto most = hn::Set(d, before[0] - 1e9F);
    for (size_t j = 0; j < half; j += hn::Lanes(d)) {
        const auto low = hn::LoadU(d, before + j), high = hn::LoadU(d, before + half + j);
        const auto by = [&](size_t row) HWY_ATTR {
            return branch_metric(d, code, ratios, row * half + j);
        };
        const auto even = log_sum(d, hn::Add(low, by(0)), hn::Add(high, by(1)));
        const auto odd = log_sum(d, hn::Add(low, by(2)), hn::Add(high, by(3)));
        most = hn::Max(most, hn::Max(even, odd));
        store_pairs(d, even, odd, after + 2 * j);
    }
    subtract(d, hn::GetLane(hn::MaxOfLanes(d, most)), 2 * half, after);
}

// before: also the branches' sums with after, their metrics added, in four rows
template <class D>
HWY_INLINE void step_backward(D d,
                              const convolutional_branches& code,
                              const float* ratios,
                              const float* after,
                              float* sums,
                              float* before)
{
    const size_t half = code.half;
    auto most = hn::Set(d, after[0] - 1e9F);
    for (size_t j = 0; j < half; j += hn::Lanes(d)) {
        auto even = hn::Zero(d), odd = even;
        load_pairs(d, after + 2 * j, even, odd);
        const auto to = [&](size_t row, hn::Vec<D> state) HWY_ATTR {
            const auto sum =
                hn::Add(state, branch_metric(d, code, ratios, row * half + j));
            hn::StoreU(sum, d, sums + row * half + j);
            return sum;
        };
        const auto low = log_sum(d, to(0, even), to(2, odd));
        const auto high = log_sum(d, to(1, even), to(3, odd));
        most = hn::Max(most, hn::Max(low, high));
        hn::StoreU(low, d, before + j);
        hn::StoreU(high, d, before + half + j);
    }
    subtract(d, hn::GetLane(hn::MaxOfLanes(d, most)), 2 * half, before);
}

// max* of those of equal number modulo width; size over width is a power of two
template <class D>
HWY_INLINE void fold(D d, float* values, size_t size, size_t width)
{
    const hn::CappedTag<float, 1> one;
    while (size > width) {
        size /= 2;
        size_t k = 0;
        for (; k + hn::Lanes(d) <= size; k += hn::Lanes(d))
            hn::StoreU(
                log_sum(d, hn::LoadU(d, values + k), hn::LoadU(d, values + size + k)),
                d,
                values + k);
        for (; k < size; k++)
            hn::StoreU(log_sum(one,
                               hn::LoadU(one, values + k),
                               hn::LoadU(one, values + size + k)),
                       one,
                       values + k);
    }
}

HWY_INLINE float log_sum_of(float a, float b)
{
    const hn::CappedTag<float, 1> one;
    return hn::GetLane(log_sum(one, hn::Set(one, a), hn::Set(one, b)));
}

template <class D>
HWY_INLINE void sum_coded(D d,
                          const convolutional_branches& code,
                          const float* before,
                          const float* sums,
                          float* sorted,
                          float* coded)
{
    const size_t half = code.half;
    for (size_t row = 0; row < 4; row++) {
        const float* states = before + row % 2 * half;
        const float* branches = sums + row * half;
        const uint32_t* place = code.place + row * half;
        for (size_t j = 0; j < half; j++)
            sorted[place[j]] = states[j] + branches[j];
    }
    fold(d, sorted, 4 * half, 4);
    coded[0] = log_sum_of(sorted[2], sorted[3]) - log_sum_of(sorted[0], sorted[1]);
    coded[1] = log_sum_of(sorted[1], sorted[3]) - log_sum_of(sorted[0], sorted[2]);
}

// The input bit is the new state's least significant one.
template <class D>
HWY_INLINE float
sum_info(D d, const float* forward, const float* after, size_t states, float* sums)
{
    for (size_t k = 0; k < states; k += hn::Lanes(d))
        hn::StoreU(
            hn::Add(hn::LoadU(d, forward + k), hn::LoadU(d, after + k)), d, sums + k);
    fold(d, sums, states, 2);
    return sums[1] - sums[0];
}

template <class D>
HWY_INLINE void all_forward(D d,
                            const convolutional_branches& code,
                            const float* ratios,
                            size_t steps,
                            float* forward)
{
    const size_t states = 2 * code.half;
    for (size_t step = 0; step < steps; step++)
        step_forward(d,
                     code,
                     ratios + 2 * step,
                     forward + step * states,
                     forward + (step + 1) * states);
}

template <class D>
HWY_INLINE void all_backward(D d,
                             const convolutional_branches& code,
                             const float* ratios,
                             size_t steps,
                             size_t num_info,
                             const float* forward,
                             float* after,
                             float* room,
                             float* coded,
                             float* info)
{
    const size_t half = code.half, states = 2 * half;
    float* before = room;
    float* sums = room + states;
    float* sorted = sums + 4 * half;
    for (size_t step = steps; step-- > 0;) {
        if (info && step < num_info)
            info[step] =
                sum_info(d, forward + (step + 1) * states, after, states, sorted);
        step_backward(d, code, ratios + 2 * step, after, sums, before);
        if (coded)
            sum_coded(d, code, forward + step * states, sums, sorted, coded + 2 * step);
        std::swap(after, before);
    }
}

void go_forward(const convolutional_branches& code,
                const float* ratios,
                size_t steps,
                float* forward)
{
    const hn::CappedTag<float, 8> d;
    if (code.half % hn::Lanes(d) == 0)
        all_forward(d, code, ratios, steps, forward);
    else
        all_forward(hn::CappedTag<float, 1>(), code, ratios, steps, forward);
}

void go_backward(const convolutional_branches& code,
                 const float* ratios,
                 size_t steps,
                 size_t num_info,
                 const float* forward,
                 float* after,
                 float* room,
                 float* coded,
                 float* info)
{
    const hn::CappedTag<float, 8> d;
    if (code.half % hn::Lanes(d) == 0)
        all_backward(d, code, ratios, steps, num_info, forward, after, room, coded, info);
    else
        all_backward(hn::CappedTag<float, 1>(),
                     code,
                     ratios,
                     steps,
                     num_info,
                     forward,
                     after,
                     room,
                     coded,
                     info);
}

} // namespace gr::reservoir::kernel::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gr::reservoir::kernel::simd {

HWY_EXPORT(go_forward);
HWY_EXPORT(go_backward);

void go_forward(const convolutional_branches& code,
                const float* ratios,
                size_t steps,
                float* forward)
{
    HWY_DYNAMIC_DISPATCH(go_forward)(code, ratios, steps, forward);
}

void go_backward(const convolutional_branches& code,
                 const float* ratios,
                 size_t steps,
                 size_t num_info,
                 const float* forward,
                 float* after,
                 float* room,
                 float* coded,
                 float* info)
{
    HWY_DYNAMIC_DISPATCH(go_backward)
    (code, ratios, steps, num_info, forward, after, room, coded, info);
}

} // namespace gr::reservoir::kernel::simd
#endif
