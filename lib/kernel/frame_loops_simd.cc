/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel/frame_loops.h"

#include "kernel/inner_loops.h"
#include <algorithm>

// the order matters
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/frame_loops_simd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernel/activation-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace gr::reservoir::kernel::simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using state_tag = hn::CappedTag<float, ROW_PADDING>;
using state_vec = hn::Vec<state_tag>;

// y += W s for V = 1, 2 or 4 vectors of rows from `row` on
template <size_t V>
HWY_INLINE void add_recurrent(const three_products& w,
                              size_t padded_rows,
                              size_t neurons,
                              size_t row,
                              const float* s_re,
                              const float* s_im,
                              float* y_re,
                              float* y_im)
{
    const state_tag d;
    const size_t lanes = hn::Lanes(d);
    const auto first = [&](const float* y, size_t v) HWY_ATTR {
        return v < V ? hn::LoadU(d, y + row + v * lanes) : hn::Zero(d);
    };
    state_vec re0 = first(y_re, 0), im0 = first(y_im, 0), both0 = hn::Zero(d);
    state_vec re1 = first(y_re, 1), im1 = first(y_im, 1), both1 = both0;
    state_vec re2 = first(y_re, 2), im2 = first(y_im, 2), both2 = both0;
    state_vec re3 = first(y_re, 3), im3 = first(y_im, 3), both3 = both0;
    for (size_t k = 0; k < neurons; k++) {
        const state_vec sr = hn::Set(d, s_re[k]), si = hn::Set(d, s_im[k]);
        const state_vec sum = hn::Add(sr, si);
        const auto accumulate =
            [&](size_t v, state_vec& re, state_vec& im, state_vec& both) HWY_ATTR {
                const size_t at = k * padded_rows + row + v * lanes;
                both = hn::MulAdd(hn::Load(d, w.re + at), sum, both);
                re = hn::NegMulAdd(hn::Load(d, w.sum + at), si, re);
                im = hn::MulAdd(hn::Load(d, w.difference + at), sr, im);
            };
        accumulate(0, re0, im0, both0);
        if (V > 1)
            accumulate(1, re1, im1, both1);
        if (V > 2) {
            accumulate(2, re2, im2, both2);
            accumulate(3, re3, im3, both3);
        }
    }
    const auto last = [&](size_t v, state_vec re, state_vec im, state_vec both) HWY_ATTR {
        hn::StoreU(hn::Add(re, both), d, y_re + row + v * lanes);
        hn::StoreU(hn::Add(im, both), d, y_im + row + v * lanes);
    };
    last(0, re0, im0, both0);
    if (V > 1)
        last(1, re1, im1, both1);
    if (V > 2) {
        last(2, re2, im2, both2);
        last(3, re3, im3, both3);
    }
}

HWY_INLINE void
activate_row(activation function, size_t padded_rows, float* re, float* im)
{
    const state_tag d;
    for (size_t k = 0; k < padded_rows; k += hn::Lanes(d)) {
        auto x = hn::LoadU(d, re + k), y = hn::LoadU(d, im + k);
        if (function == activation::split_tanh) {
            x = hn::Tanh(d, x);
            y = hn::Tanh(d, y);
        } else if (function == activation::magnitude_tanh) {
            x = clamp_part(d, x);
            y = clamp_part(d, y);
            const auto scale = magnitude_tanh_scale(d, x, y);
            x = hn::Mul(x, scale);
            y = hn::Mul(y, scale);
        }
        hn::StoreU(x, d, re + k);
        hn::StoreU(y, d, im + k);
    }
}

// The state before, or null, to the state that is put in place of the input.
HWY_INLINE void step(activation function,
                     const three_products& recurrent,
                     size_t padded_rows,
                     size_t neurons,
                     const float* last_re,
                     const float* last_im,
                     float* re,
                     float* im)
{
    const size_t lanes = hn::Lanes(state_tag());
    const auto add = [&](auto width, size_t row) HWY_ATTR {
        add_recurrent<decltype(width)::value>(
            recurrent, padded_rows, neurons, row, last_re, last_im, re, im);
    };
    size_t row = last_re != nullptr ? 0 : padded_rows;
    for (; row + 4 * lanes <= padded_rows; row += 4 * lanes)
        add(std::integral_constant<size_t, 4>(), row);
    for (; row + 2 * lanes <= padded_rows; row += 2 * lanes)
        add(std::integral_constant<size_t, 2>(), row);
    for (; row < padded_rows; row += lanes)
        add(std::integral_constant<size_t, 1>(), row);
    if (function != activation::identity)
        activate_row(function, padded_rows, re, im);
}

void run_states(activation function,
                const three_products& recurrent,
                size_t padded_rows,
                size_t neurons,
                size_t count,
                const state_rows* chains,
                size_t num_chains)
{
    for (size_t n = 0; n < count; n++)
        for (size_t c = 0; c < num_chains; c++) {
            const state_rows& rows = chains[c];
            float* const re = rows.re + n * padded_rows;
            float* const im = rows.im + n * padded_rows;
            step(function,
                 recurrent,
                 padded_rows,
                 neurons,
                 n > 0 ? re - padded_rows : rows.last_re,
                 n > 0 ? im - padded_rows : rows.last_im,
                 re,
                 im);
        }
}

constexpr size_t INSTANTS = 128; // whose rows stay in the first-level cache

// conj(s) x summed for two vectors of neurons and C = 1 or 3 sequences
template <size_t C>
HWY_INLINE void correlate_tile(const float* s_re,
                               const float* s_im,
                               size_t padded_rows,
                               size_t count,
                               const value_sequence* x,
                               size_t first,
                               float* sums)
{
    const state_tag d;
    const size_t lanes = hn::Lanes(d);
    state_vec re00 = hn::Zero(d), im00 = re00, re01 = re00, im01 = re00;
    state_vec re10 = re00, im10 = re00, re11 = re00, im11 = re00;
    state_vec re20 = re00, im20 = re00, re21 = re00, im21 = re00;
    const size_t other = lanes < ROW_PADDING ? lanes : 0;
    for (size_t n = 0; n < count; n++, s_re += padded_rows, s_im += padded_rows) {
        const state_vec r0 = hn::LoadU(d, s_re), r1 = hn::LoadU(d, s_re + other);
        const state_vec i0 = hn::LoadU(d, s_im), i1 = hn::LoadU(d, s_im + other);
        const auto accumulate = [&](const value_sequence& c,
                                    state_vec& re0,
                                    state_vec& im0,
                                    state_vec& re1,
                                    state_vec& im1) HWY_ATTR {
            const size_t at = (first + n) * c.step;
            const state_vec xr = hn::Set(d, c.re[at]), xi = hn::Set(d, c.im[at]);
            re0 = hn::MulAdd(i0, xi, hn::MulAdd(r0, xr, re0));
            im0 = hn::NegMulAdd(i0, xr, hn::MulAdd(r0, xi, im0));
            re1 = hn::MulAdd(i1, xi, hn::MulAdd(r1, xr, re1));
            im1 = hn::NegMulAdd(i1, xr, hn::MulAdd(r1, xi, im1));
        };
        accumulate(x[0], re00, im00, re01, im01);
        if (C > 1) {
            accumulate(x[1], re10, im10, re11, im11);
            accumulate(x[2], re20, im20, re21, im21);
        }
    }
    const auto store = [&](state_vec re0, state_vec im0, state_vec re1, state_vec im1)
                           HWY_ATTR {
                               hn::StoreU(re0, d, sums);
                               hn::StoreU(re1, d, sums + other);
                               hn::StoreU(im0, d, sums + ROW_PADDING);
                               hn::StoreU(im1, d, sums + ROW_PADDING + other);
                               sums += 2 * ROW_PADDING;
                           };
    store(re00, im00, re01, im01);
    if (C > 1) {
        store(re10, im10, re11, im11);
        store(re20, im20, re21, im21);
    }
}

void correlate_states(const float* re,
                      const float* im,
                      size_t padded_rows,
                      size_t count,
                      const value_sequence* sequences,
                      size_t num_sequences,
                      double* sums_re,
                      double* sums_im)
{
    const size_t lanes = hn::Lanes(state_tag());
    const size_t neurons = std::min(2 * lanes, ROW_PADDING); // of a tile
    float sums[3 * 2 * ROW_PADDING];
    for (size_t first = 0; first < count; first += INSTANTS) {
        const size_t instants = std::min(INSTANTS, count - first);
        for (size_t k = 0; k < padded_rows; k += neurons) {
            const size_t from = first * padded_rows + k;
            // of the states, those before tile k have these sums themselves
            for (size_t c = k; c < num_sequences;) {
                const bool three = c + 3 <= num_sequences;
                if (three)
                    correlate_tile<3>(re + from,
                                      im + from,
                                      padded_rows,
                                      instants,
                                      sequences + c,
                                      first,
                                      sums);
                else
                    correlate_tile<1>(re + from,
                                      im + from,
                                      padded_rows,
                                      instants,
                                      sequences + c,
                                      first,
                                      sums);
                for (size_t i = 0; i < (three ? 3U : 1U); i++, c++)
                    for (size_t v = 0; v < neurons; v++) {
                        const size_t to = c * padded_rows + k + v;
                        sums_re[to] += sums[2 * i * ROW_PADDING + v];
                        sums_im[to] += sums[(2 * i + 1) * ROW_PADDING + v];
                    }
            }
        }
    }
}

void read_states(const float* re,
                 const float* im,
                 size_t padded_rows,
                 size_t count,
                 const float* weights_re,
                 const float* weights_im,
                 std::complex<float>* out)
{
    const state_tag d;
    for (size_t n = 0; n < count; n++, re += padded_rows, im += padded_rows) {
        state_vec sum_re = hn::Zero(d), sum_im = sum_re;
        for (size_t k = 0; k < padded_rows; k += hn::Lanes(d)) {
            const state_vec sr = hn::LoadU(d, re + k), si = hn::LoadU(d, im + k);
            const state_vec wr = hn::LoadU(d, weights_re + k);
            const state_vec wi = hn::LoadU(d, weights_im + k);
            sum_re = hn::NegMulAdd(si, wi, hn::MulAdd(sr, wr, sum_re));
            sum_im = hn::MulAdd(si, wr, hn::MulAdd(sr, wi, sum_im));
        }
        out[n] += std::complex<float>(hn::GetLane(hn::SumOfLanes(d, sum_re)),
                                      hn::GetLane(hn::SumOfLanes(d, sum_im)));
    }
}

} // namespace gr::reservoir::kernel::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace gr::reservoir::kernel::simd {

HWY_EXPORT(run_states);
HWY_EXPORT(correlate_states);
HWY_EXPORT(read_states);

void run_states(activation function,
                const three_products& recurrent,
                size_t padded_rows,
                size_t neurons,
                size_t count,
                const state_rows* chains,
                size_t num_chains)
{
    HWY_DYNAMIC_DISPATCH(run_states)
    (function, recurrent, padded_rows, neurons, count, chains, num_chains);
}

void correlate_states(const float* re,
                      const float* im,
                      size_t padded_rows,
                      size_t count,
                      const value_sequence* sequences,
                      size_t num_sequences,
                      double* sums_re,
                      double* sums_im)
{
    HWY_DYNAMIC_DISPATCH(correlate_states)
    (re, im, padded_rows, count, sequences, num_sequences, sums_re, sums_im);
}

void read_states(const float* re,
                 const float* im,
                 size_t padded_rows,
                 size_t count,
                 const float* weights_re,
                 const float* weights_im,
                 std::complex<float>* out)
{
    HWY_DYNAMIC_DISPATCH(read_states)
    (re, im, padded_rows, count, weights_re, weights_im, out);
}

} // namespace gr::reservoir::kernel::simd

#endif
