/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel/survivor_loops.h"

#include <algorithm>
#include <cstring>
#include <limits>

// the order matters
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/survivor_loops_simd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace gr::reservoir::kernel::simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

typedef hn::CappedTag<float, SURVIVOR_PADDING> float_tag;
typedef hn::CappedTag<int32_t, SURVIVOR_PADDING> int_tag;

// What each survivor expects of its past, the feedforward output in its phase, and all costs.
HWY_INLINE void predict(survivors& s, std::complex<float> f, continuations choice)
{
    const float_tag d;
    const auto f_re = hn::Set(d, f.real()), f_im = hn::Set(d, f.imag());
    const size_t feedback = s.model.feedback.size(), points = choice.count;
    const std::complex<float>* const weights = choice.feedback;
    const std::complex<float>* const centroids = choice.centroids;
    for (size_t k = 0; k < s.stride; k += hn::Lanes(d)) {
        auto sum_re = hn::Zero(d), sum_im = hn::Zero(d);
        const float* past_re = s.past_re.data();
        const float* past_im = s.past_im.data();
        for (size_t j = 0; j < feedback; j++, past_re += s.stride, past_im += s.stride) {
            const auto b_re = hn::Set(d, weights[j].real()),
                       b_im = hn::Set(d, weights[j].imag());
            const auto re = hn::Load(d, past_re + k), im = hn::Load(d, past_im + k);
            sum_re = hn::Add(sum_re, hn::MulSub(b_re, re, hn::Mul(b_im, im)));
            sum_im = hn::Add(sum_im, hn::MulAdd(b_re, im, hn::Mul(b_im, re)));
        }
        float* const now = s.now.data() + k;
        const auto turn_re = hn::Load(d, now + survivors::TURN_RE * s.stride);
        const auto turn_im = hn::Load(d, now + survivors::TURN_IM * s.stride);
        const auto rotated_re = hn::MulSub(f_re, turn_re, hn::Mul(f_im, turn_im));
        const auto rotated_im = hn::MulAdd(f_re, turn_im, hn::Mul(f_im, turn_re));
        const auto y_re = hn::Add(rotated_re, sum_re);
        const auto y_im = hn::Add(rotated_im, sum_im);
        const auto metric = hn::Load(d, &s.metric[k]);
        float* costs = s.costs.data() + k;
        for (size_t m = 0; m < points; m++, costs += s.stride) {
            const auto re = hn::Sub(y_re, hn::Set(d, centroids[m].real()));
            const auto im = hn::Sub(y_im, hn::Set(d, centroids[m].imag()));
            auto before = metric;
            if (choice.penalties)
                before = hn::Add(before, hn::Set(d, choice.penalties[m]));
            hn::Store(hn::Add(hn::MulAdd(re, re, hn::Mul(im, im)), before), d, costs);
        }
        hn::Store(sum_re, d, now + survivors::SUM_RE * s.stride);
        hn::Store(sum_im, d, now + survivors::SUM_IM * s.stride);
        hn::Store(rotated_re, d, now + survivors::ROTATED_RE * s.stride);
        hn::Store(rotated_im, d, now + survivors::ROTATED_IM * s.stride);
    }
}

// How many of the keys are smaller than each of V = 1 or 4 vectors of them, from block on.
template <size_t V>
HWY_INLINE void rank(const int32_t* keys, size_t count, size_t block, int32_t* ranks)
{
    const int_tag d;
    const size_t lanes = hn::Lanes(d);
    const auto own = [&](size_t v)
                         HWY_ATTR { return hn::Load(d, keys + block + v * lanes); };
    const auto zero = hn::Zero(d);
    const auto own0 = own(0);
    const auto own1 = V > 1 ? own(1) : zero, own2 = V > 1 ? own(2) : zero,
               own3 = V > 1 ? own(3) : zero;
    auto smaller0 = zero, smaller1 = zero, smaller2 = zero, smaller3 = zero;
    for (size_t j = 0; j < count; j++) {
        const auto key = hn::Set(d, keys[j]);
        // true is −1
        smaller0 = hn::Sub(smaller0, hn::VecFromMask(d, hn::Lt(key, own0)));
        if (V > 1) {
            smaller1 = hn::Sub(smaller1, hn::VecFromMask(d, hn::Lt(key, own1)));
            smaller2 = hn::Sub(smaller2, hn::VecFromMask(d, hn::Lt(key, own2)));
            smaller3 = hn::Sub(smaller3, hn::VecFromMask(d, hn::Lt(key, own3)));
        }
    }
    hn::Store(smaller0, d, ranks + block);
    if (V > 1) {
        hn::Store(smaller1, d, ranks + block + lanes);
        hn::Store(smaller2, d, ranks + block + 2 * lanes);
        hn::Store(smaller3, d, ranks + block + 3 * lanes);
    }
}

/*
 * A candidate's key is its cost, whose bits sort as the cost does because it is not negative. Its
 * last bits, 2^-17 of it, give way to a number so that no two are equal: as many keys are before
 * a candidate's as are smaller.
 */
HWY_INLINE void rank_keys(survivors& s, size_t count)
{
    const size_t lanes = hn::Lanes(int_tag());
    int32_t* const keys = s.keys.data();
    const size_t padded = (count + lanes - 1) / lanes * lanes;
    std::fill(keys + count, keys + padded, std::numeric_limits<int32_t>::max());
    size_t block = 0;
    for (; block + 4 * lanes <= padded; block += 4 * lanes)
        rank<4>(keys, count, block, s.ranks.data());
    for (; block < padded; block += lanes)
        rank<1>(keys, count, block, s.ranks.data());
}

// Writes the keys of costs, from number on.
template <class D, class V>
HWY_INLINE void store_keys(D d, V costs, size_t number, int32_t* keys)
{
    const auto bits =
        hn::And(hn::BitCast(d, costs), hn::Set(d, ~int32_t(MAX_RANKED - 1)));
    hn::Store(hn::Or(bits, hn::Iota(d, int32_t(number))), d, keys + number);
}

// Candidates that cost no more than the dearest of the survivors' cheapest: each survivor has one,
// so that at least alive are found. Returns how many, or more than MAX_RANKED.
HWY_INLINE size_t find_few(survivors& s, size_t count)
{
    const float_tag d;
    const size_t lanes = hn::Lanes(d);
    const float* const costs = s.costs.data();
    auto dearest = hn::Zero(d);
    for (size_t k = 0; k < s.stride; k += lanes) {
        auto cheapest = hn::Load(d, costs + k);
        for (size_t c = k + s.stride; c < count; c += s.stride)
            cheapest = hn::Min(cheapest, hn::Load(d, costs + c));
        const size_t left = std::min(s.alive - std::min(k, s.alive), lanes);
        dearest = hn::Max(dearest, hn::IfThenElseZero(hn::FirstN(d, left), cheapest));
    }
    const auto bound = hn::MaxOfLanes(d, dearest);
    size_t found = 0;
    for (size_t begin = 0; begin < count; begin += 64) {
        // 64 candidates, a bit for each that is within the bound
        const size_t end = std::min(begin + 64, count);
        uint64_t within = 0;
        for (size_t c = begin; c < end; c += lanes) {
            uint8_t bits[8] = {};
            hn::StoreMaskBits(d, hn::Le(hn::Load(d, costs + c), bound), bits);
            within |= uint64_t(bits[0]) << (c - begin);
        }
        if (found + hwy::PopCount(within) > MAX_RANKED)
            return MAX_RANKED + 1;
        for (; within != 0; within &= within - 1)
            s.few[found++] = begin + hwy::Num0BitsBelowLS1Bit_Nonzero64(within);
    }
    return found;
}

// The cheapest candidates to order, the best one first.
HWY_INLINE void select(survivors& s, size_t count, size_t kept)
{
    const float_tag d;
    const int_tag di;
    const size_t lanes = hn::Lanes(d);
    const float* const costs = s.costs.data();
    int32_t* const keys = s.keys.data();
    int32_t* const order = s.order.data();
    if (count <= MAX_RANKED) {
        for (size_t c = 0; c < count; c += lanes)
            store_keys(di, hn::Load(d, costs + c), c, keys);
        rank_keys(s, count);
        for (size_t c = 0; c < count; c++)
            order[s.ranks[c]] = c;
        return;
    }
    if (kept <= s.alive) {
        const size_t few = find_few(s, count);
        if (few <= MAX_RANKED) {
            const int32_t* const numbers = s.few.data();
            // what lies beyond few are numbers found earlier: candidates too
            for (size_t c = 0; c < few; c += lanes)
                store_keys(
                    di, hn::GatherIndex(d, costs, hn::Load(di, numbers + c)), c, keys);
            rank_keys(s, few);
            for (size_t c = 0; c < few; c++)
                order[s.ranks[c]] = numbers[c];
            return;
        }
    }
    sort_candidates(s, count, kept);
}

// to[k] = from[parents[k]]; both have room for a multiple of eight.
HWY_INLINE void
inherit(const float* from, const uint8_t* parents, size_t count, float* to)
{
    const float_tag d;
    if (count <= 8 && hn::Lanes(d) == 8) {
        const hn::Rebind<uint8_t, int_tag> bytes;
        const auto places = hn::PromoteTo(int_tag(), hn::LoadU(bytes, parents));
        const auto values =
            hn::TableLookupLanes(hn::Load(d, from), hn::IndicesFromVec(d, places));
        hn::Store(values, d, to);
        return;
    }
    for (size_t k = 0; k < count; k++)
        to[k] = from[parents[k]];
}

// re[k] + i im[k] = table[which[k]]; all have room for a multiple of eight.
HWY_INLINE void look_up(const std::complex<float>* table,
                        const uint16_t* which,
                        size_t count,
                        float* re,
                        float* im)
{
    const float_tag d;
    if (count <= 8 && hn::Lanes(d) == 8) {
        const hn::Rebind<uint16_t, int_tag> shorts;
        const auto places =
            hn::ShiftLeft<1>(hn::PromoteTo(int_tag(), hn::LoadU(shorts, which)));
        const float* const parts = reinterpret_cast<const float*>(table);
        hn::Store(hn::GatherIndex(d, parts, places), d, re);
        hn::Store(hn::GatherIndex(d, parts + 1, places), d, im);
        return;
    }
    for (size_t k = 0; k < count; k++) {
        re[k] = table[which[k]].real();
        im[k] = table[which[k]].imag();
    }
}

// What the cheapest candidates cost over the first, which by its key may not be quite the least,
// which survivors they continue, with which points. Up to eight, what is not kept continues the first
// with the first: vectors of eight look up all of them.
HWY_INLINE void take_over(survivors& s, size_t kept)
{
    const float_tag d;
    const float least = s.costs[s.order[0]];
    if (s.stride == 8 && hn::Lanes(d) == 8) {
        const int_tag di;
        const auto numbers =
            hn::IfThenElseZero(hn::FirstN(di, kept), hn::Load(di, s.order.data()));
        const auto over =
            hn::Sub(hn::GatherIndex(d, s.costs.data(), numbers), hn::Set(d, least));
        const auto infinite = hn::Set(d, std::numeric_limits<float>::infinity());
        const auto metric = hn::Max(over, hn::Zero(d));
        hn::Store(
            hn::IfThenElse(hn::FirstN(d, kept), metric, infinite), d, s.metric.data());
        const hn::Rebind<uint16_t, int_tag> shorts;
        const hn::Rebind<uint8_t, int_tag> bytes;
        hn::StoreU(
            hn::DemoteTo(shorts, hn::ShiftRight<3>(numbers)), shorts, s.points.data());
        hn::StoreU(hn::DemoteTo(bytes, hn::And(numbers, hn::Set(di, 7))),
                   bytes,
                   s.parents.data());
        return;
    }
    for (size_t k = 0; k < kept; k++) {
        const uint32_t number = s.order[k];
        s.metric[k] = std::max(s.costs[number] - least, 0.0f);
        s.parents[k] = number % s.stride;
        s.points[k] = number / s.stride;
    }
    for (size_t k = kept; k < SURVIVOR_PADDING; k++)
        s.parents[k] = s.points[k] = 0;
}

// One step of every survivor's phase loop, from what its parent saw.
HWY_INLINE void
follow_phase(survivors& s, const std::complex<float>* centroids, size_t kept)
{
    look_up(centroids, s.points.data(), kept, s.wanted_re.data(), s.wanted_im.data());
    const float_tag d;
    const auto alpha = hn::Set(d, s.model.alpha), beta = hn::Set(d, s.model.beta);
    const auto scale = hn::Set(d, 1.0f / s.model.power);
    const auto half = hn::Set(d, 0.5f), one = hn::Set(d, 1.0f);
    for (size_t k = 0; k < s.stride; k += hn::Lanes(d)) {
        float* const now = s.now.data() + k;
        const auto wanted_re = hn::Sub(hn::Load(d, &s.wanted_re[k]),
                                       hn::Load(d, now + survivors::SUM_RE * s.stride));
        const auto wanted_im = hn::Sub(hn::Load(d, &s.wanted_im[k]),
                                       hn::Load(d, now + survivors::SUM_IM * s.stride));
        const auto rotated_re = hn::Load(d, now + survivors::ROTATED_RE * s.stride);
        const auto rotated_im = hn::Load(d, now + survivors::ROTATED_IM * s.stride);
        auto error = hn::Mul(
            hn::MulSub(rotated_im, wanted_re, hn::Mul(rotated_re, wanted_im)), scale);
        error = hn::Min(hn::Max(error, hn::Neg(half)), half);
        const auto nu =
            hn::MulAdd(beta, error, hn::Load(d, now + survivors::NU * s.stride));
        hn::Store(nu, d, now + survivors::NU * s.stride);
        const auto step = hn::MulAdd(alpha, error, nu);
        hn::Store(hn::Add(hn::Load(d, now + survivors::THETA * s.stride), step),
                  d,
                  now + survivors::THETA * s.stride);
        // exp(−i step), to single precision for |step| < 0.5
        const auto square = hn::Mul(step, step);
        auto cosine = hn::Set(d, 1.0f / 720.0f);
        cosine = hn::NegMulAdd(square, cosine, hn::Set(d, 1.0f / 24.0f));
        cosine = hn::NegMulAdd(square, cosine, half);
        cosine = hn::NegMulAdd(square, cosine, one);
        auto sine = hn::Set(d, 1.0f / 5040.0f);
        sine = hn::NegMulAdd(square, sine, hn::Set(d, 1.0f / 120.0f));
        sine = hn::NegMulAdd(square, sine, hn::Set(d, 1.0f / 6.0f));
        sine = hn::Mul(step, hn::NegMulAdd(square, sine, one));
        const auto turn_re = hn::Load(d, now + survivors::TURN_RE * s.stride);
        const auto turn_im = hn::Load(d, now + survivors::TURN_IM * s.stride);
        const auto re = hn::MulAdd(turn_re, cosine, hn::Mul(turn_im, sine));
        const auto im = hn::MulSub(turn_im, cosine, hn::Mul(turn_re, sine));
        // back to unit modulus
        const auto trim =
            hn::NegMulAdd(half, hn::MulAdd(re, re, hn::Mul(im, im)), hn::Set(d, 1.5f));
        hn::Store(hn::Mul(trim, re), d, now + survivors::TURN_RE * s.stride);
        hn::Store(hn::Mul(trim, im), d, now + survivors::TURN_IM * s.stride);
    }
}

// The past of every survivor, its newest point in front.
HWY_INLINE void remember(survivors& s, const std::complex<float>* points, size_t kept)
{
    const size_t feedback = s.model.feedback.size();
    if (feedback == 0)
        return;
    look_up(points, s.points.data(), kept, s.next_re.data(), s.next_im.data());
    for (size_t j = 1; j < feedback; j++) {
        const size_t from = (j - 1) * s.stride, to = j * s.stride;
        inherit(&s.past_re[from], s.parents.data(), kept, &s.next_re[to]);
        inherit(&s.past_im[from], s.parents.data(), kept, &s.next_im[to]);
    }
    s.past_re.swap(s.next_re);
    s.past_im.swap(s.next_im);
}

void continue_survivors(survivors& s, std::complex<float> f, continuations choice)
{
    predict(s, f, choice);
    const size_t kept = std::min<size_t>(s.model.survivors, s.alive * choice.count);
    select(s, choice.count * s.stride, kept);
    take_over(s, kept);

    std::swap(s.now, s.before);
    const bool loop = s.model.alpha > 0.0f;
    const size_t rows = loop ? survivors::NUM_ROWS : survivors::ROTATED_RE;
    for (size_t row = 0; row < rows; row++)
        inherit(
            &s.before[row * s.stride], s.parents.data(), kept, &s.now[row * s.stride]);
    if (loop)
        follow_phase(s, choice.centroids, kept);
    remember(s, choice.points, kept);
    s.alive = kept;
}

} // namespace gr::reservoir::kernel::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace gr::reservoir::kernel::simd {

HWY_EXPORT(continue_survivors);

void continue_survivors(survivors& s, std::complex<float> f, continuations choice)
{
    HWY_DYNAMIC_DISPATCH(continue_survivors)(s, f, choice);
}

} // namespace gr::reservoir::kernel::simd

#endif
