/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel/trellis_loops.h"

#include <limits>

// the order matters
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/trellis_loops_simd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace gr::reservoir::kernel::simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// |u − e|² of u, the sample less newest and between, and the oldest's e is |u|² + |e|² − 2 Re(u e*):
// the energy of e is in the metric already, that of u comes last. U streams, or as many as there are.
template <size_t U, class D>
HWY_INLINE void continue_some(D d,
                              const trellis_row& row,
                              const float* by_oldest,
                              size_t newest,
                              size_t first,
                              float* next,
                              uint8_t* oldest)
{
    const hn::RebindToSigned<D> di;
    const hn::Rebind<uint8_t, D> bytes;
    const size_t streams = U > 0 ? U : row.streams;
    const auto left = [&](const float* from, const float* part, size_t q) HWY_ATTR {
        return hn::Sub(hn::Set(d, from[q * row.order + newest]),
                       hn::LoadU(d, part + q * row.between + first));
    };
    auto re = left(row.newest_re, row.between_re, 0);
    auto im = left(row.newest_im, row.between_im, 0);
    auto energy = hn::MulAdd(re, re, hn::Mul(im, im));
    auto least = hn::Set(d, std::numeric_limits<float>::infinity());
    auto which = hn::Zero(di);
    for (size_t k = 0; k < row.order; k++) {
        auto cost = hn::LoadU(d, by_oldest + k * row.between + first);
        cost = hn::NegMulAdd(hn::Set(d, row.oldest_re[k]), re, cost);
        cost = hn::NegMulAdd(hn::Set(d, row.oldest_im[k]), im, cost);
        for (size_t q = 1; q < streams; q++) {
            cost = hn::NegMulAdd(hn::Set(d, row.oldest_re[q * row.order + k]),
                                 left(row.newest_re, row.between_re, q),
                                 cost);
            cost = hn::NegMulAdd(hn::Set(d, row.oldest_im[q * row.order + k]),
                                 left(row.newest_im, row.between_im, q),
                                 cost);
        }
        const auto less = hn::Lt(cost, least);
        least = hn::Min(cost, least);
        which = hn::IfThenElse(
            hn::RebindMask(di, less), hn::Set(di, static_cast<int32_t>(k)), which);
    }
    for (size_t q = 1; q < streams; q++) {
        re = left(row.newest_re, row.between_re, q);
        im = left(row.newest_im, row.between_im, q);
        energy = hn::MulAdd(re, re, hn::MulAdd(im, im, energy));
    }
    const size_t state = newest * row.between + first;
    hn::StoreU(hn::MulAdd(hn::Set(d, row.weight), energy, least), d, next + state);
    hn::StoreU(hn::DemoteTo(bytes, which), bytes, oldest + state);
}

// by_oldest[k · between + s] = metric[s · order + k] + energy of k
void sort_by_oldest(const trellis_row& row, float* by_oldest)
{
    const hn::CappedTag<float, 8> d;
    const size_t lanes = hn::Lanes(d), between = row.between;
    const float *const metric = row.metric, *const energy = row.oldest_energy;
    size_t first = 0;
    for (; row.order == 4 && first + lanes <= between; first += lanes) {
        auto k0 = hn::Zero(d), k1 = k0, k2 = k0, k3 = k0;
        hn::LoadInterleaved4(d, metric + 4 * first, k0, k1, k2, k3);
        const auto store = [&](size_t k, decltype(k0) value) HWY_ATTR {
            hn::StoreU(hn::Add(value, hn::Set(d, energy[k])),
                       d,
                       by_oldest + k * between + first);
        };
        store(0, k0);
        store(1, k1);
        store(2, k2);
        store(3, k3);
    }
    for (; first < between; first++)
        for (size_t k = 0; k < row.order; k++)
            by_oldest[k * between + first] = metric[first * row.order + k] + energy[k];
}

template <size_t U>
HWY_INLINE void
continue_all(const trellis_row& row, const float* by_oldest, float* next, uint8_t* oldest)
{
    const hn::CappedTag<float, 8> d;
    const hn::CappedTag<float, 1> one;
    const size_t lanes = hn::Lanes(d);
    for (size_t newest = 0; newest < row.order; newest++) {
        size_t first = 0;
        for (; first + lanes <= row.between; first += lanes)
            continue_some<U>(d, row, by_oldest, newest, first, next, oldest);
        for (; first < row.between; first++)
            continue_some<U>(one, row, by_oldest, newest, first, next, oldest);
    }
}

void continue_paths(const trellis_row& row,
                    float* by_oldest,
                    float* next,
                    uint8_t* oldest)
{
    sort_by_oldest(row, by_oldest);
    if (row.streams == 1)
        continue_all<1>(row, by_oldest, next, oldest);
    else
        continue_all<0>(row, by_oldest, next, oldest);
}

} // namespace gr::reservoir::kernel::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gr::reservoir::kernel::simd {

HWY_EXPORT(continue_paths);

void continue_paths(const trellis_row& row,
                    float* by_oldest,
                    float* next,
                    uint8_t* oldest)
{
    HWY_DYNAMIC_DISPATCH(continue_paths)(row, by_oldest, next, oldest);
}

} // namespace gr::reservoir::kernel::simd
#endif
