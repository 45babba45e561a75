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
namespace gr {
namespace reservoir {
namespace kernel {
namespace simd {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// States first, first + 1, ... of one newest symbol, as many as the tag has lanes.
template <class D>
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
    const size_t branches = row.order * row.order * row.between;
    const auto weight = hn::Set(d, row.weight);
    auto least = hn::Set(d, std::numeric_limits<float>::infinity());
    auto which = hn::Zero(di);
    for (size_t k = 0; k < row.order; k++) {
        const size_t branch = (newest * row.order + k) * row.between + first;
        auto cost = hn::MulAdd(weight,
                               hn::LoadU(d, row.energy + branch),
                               hn::LoadU(d, by_oldest + k * row.between + first));
        for (size_t q = 0; q < row.streams; q++) {
            const float* const re = row.twice_re + q * branches + branch;
            const float* const im = row.twice_im + q * branches + branch;
            cost = hn::NegMulAdd(hn::Set(d, row.sample_re[q]), hn::LoadU(d, re), cost);
            cost = hn::NegMulAdd(hn::Set(d, row.sample_im[q]), hn::LoadU(d, im), cost);
        }
        const auto less = hn::Lt(cost, least);
        least = hn::Min(cost, least);
        which = hn::IfThenElse(
            hn::RebindMask(di, less), hn::Set(di, static_cast<int32_t>(k)), which);
    }
    const size_t state = newest * row.between + first;
    hn::StoreU(least, d, next + state);
    hn::StoreU(hn::DemoteTo(bytes, which), bytes, oldest + state);
}

// by_oldest[k · between + s] = metric[s · order + k]
void sort_by_oldest(const float* metric, size_t order, size_t between, float* by_oldest)
{
    const hn::CappedTag<float, 8> d;
    const size_t lanes = hn::Lanes(d);
    size_t first = 0;
    for (; order == 4 && first + lanes <= between; first += lanes) {
        auto k0 = hn::Zero(d), k1 = k0, k2 = k0, k3 = k0;
        hn::LoadInterleaved4(d, metric + 4 * first, k0, k1, k2, k3);
        hn::StoreU(k0, d, by_oldest + first);
        hn::StoreU(k1, d, by_oldest + between + first);
        hn::StoreU(k2, d, by_oldest + 2 * between + first);
        hn::StoreU(k3, d, by_oldest + 3 * between + first);
    }
    for (; first < between; first++)
        for (size_t k = 0; k < order; k++)
            by_oldest[k * between + first] = metric[first * order + k];
}

void continue_paths(const trellis_row& row,
                    float* by_oldest,
                    float* next,
                    uint8_t* oldest)
{
    sort_by_oldest(row.metric, row.order, row.between, by_oldest);
    const hn::CappedTag<float, 8> d;
    const hn::CappedTag<float, 1> one;
    const size_t lanes = hn::Lanes(d);
    for (size_t newest = 0; newest < row.order; newest++) {
        size_t first = 0;
        for (; first + lanes <= row.between; first += lanes)
            continue_some(d, row, by_oldest, newest, first, next, oldest);
        for (; first < row.between; first++)
            continue_some(one, row, by_oldest, newest, first, next, oldest);
    }
}

} // namespace HWY_NAMESPACE
} // namespace simd
} // namespace kernel
} // namespace reservoir
} // namespace gr
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gr {
namespace reservoir {
namespace kernel {
namespace simd {

HWY_EXPORT(continue_paths);

void continue_paths(const trellis_row& row,
                    float* by_oldest,
                    float* next,
                    uint8_t* oldest)
{
    HWY_DYNAMIC_DISPATCH(continue_paths)(row, by_oldest, next, oldest);
}

} // namespace simd
} // namespace kernel
} // namespace reservoir
} // namespace gr
#endif
