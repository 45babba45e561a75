/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// One duty: the loops over samples of inner_loops.h (filter, matrix times window, pole bank).

#include "kernel/inner_loops.h"

#include <cfloat>
#include <cmath>

// the order matters
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/inner_loops_simd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
#include "kernel/activation-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace gr::reservoir::kernel::simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Weights turn smaller samples into denormal numbers, with which the receiver takes up to 60 times as long. In
// silence a recursive filter in front of it ends in such samples. (Samples that were scaled to unit power.)
constexpr float SMALLEST_SAMPLE = 1e-25F;

size_t deinterleave(const std::complex<float>* in,
                    size_t stride,
                    size_t count,
                    float gain,
                    float* re,
                    float* im)
{
    const float* pairs = reinterpret_cast<const float*>(in);
    int bad = 0;
    for (size_t k = 0; k < count; k++) { // a plain loop: the compiler vectorises it
        const float x = gain * pairs[2 * k * stride];
        const float y = gain * pairs[2 * k * stride + 1];
        const int finite = int(std::fabs(x) <= FLT_MAX) & int(std::fabs(y) <= FLT_MAX);
        re[k] = finite && std::fabs(x) >= SMALLEST_SAMPLE ? x : 0.0F;
        im[k] = finite && std::fabs(y) >= SMALLEST_SAMPLE ? y : 0.0F;
        bad += !finite;
    }
    return bad;
}

// sum += w x
template <class V>
HWY_INLINE void accumulate(V w_re, V w_im, V x_re, V x_im, V& sum_re, V& sum_im)
{
    sum_re = hn::NegMulAdd(w_im, x_im, hn::MulAdd(w_re, x_re, sum_re));
    sum_im = hn::MulAdd(w_im, x_re, hn::MulAdd(w_re, x_im, sum_im));
}

/*
 * One group of V = 1 or 4 vectors of outputs; the taps run in the same order for every output.
 * Loads are what limits the loop: tap m of one vector meets the samples that tap m + lanes of
 * the vector before it meets, so these two taps go together.
 */
template <size_t V>
HWY_INLINE void fir_group(const float* const* x_re,
                          const float* const* x_im,
                          size_t num_branches,
                          size_t taps,
                          const float* w_re,
                          const float* w_im,
                          size_t n,
                          float* out)
{
    const hn::CappedTag<float, ROW_PADDING> d;
    using vec = hn::Vec<decltype(d)>;
    const size_t lanes = hn::Lanes(d);
    const vec zero = hn::Zero(d);
    vec re0 = zero, re1 = zero, re2 = zero, re3 = zero;
    vec im0 = zero, im1 = zero, im2 = zero, im3 = zero;
    for (size_t b = 0; b < num_branches; b++, w_re += taps, w_im += taps) {
        size_t m = 0;
        while (m + 2 * lanes <= taps) {
            for (const size_t end = m + lanes; m < end; m++) {
                const float* xr = x_re[b] + n + m;
                const float* xi = x_im[b] + n + m;
                const vec ar = hn::Set(d, w_re[m]), ai = hn::Set(d, w_im[m]);
                const vec br = hn::Set(d, w_re[m + lanes]),
                          bi = hn::Set(d, w_im[m + lanes]);
                vec r = hn::LoadU(d, xr);
                vec i = hn::LoadU(d, xi);
                const auto accumulate_both = [&](size_t v, vec& re, vec& im) HWY_ATTR {
                    accumulate(ar, ai, r, i, re, im);
                    r = hn::LoadU(d, xr + (v + 1) * lanes);
                    i = hn::LoadU(d, xi + (v + 1) * lanes);
                    accumulate(br, bi, r, i, re, im);
                };
                accumulate_both(0, re0, im0);
                if (V > 1) {
                    accumulate_both(1, re1, im1);
                    accumulate_both(2, re2, im2);
                    accumulate_both(3, re3, im3);
                }
            }
            m += lanes;
        }
        for (; m < taps; m++) {
            const float* xr = x_re[b] + n + m;
            const float* xi = x_im[b] + n + m;
            const vec wr = hn::Set(d, w_re[m]), wi = hn::Set(d, w_im[m]);
            accumulate(wr, wi, hn::LoadU(d, xr), hn::LoadU(d, xi), re0, im0);
            if (V > 1) {
                const auto accumulate_one = [&](size_t v, vec& re, vec& im) HWY_ATTR {
                    const vec r = hn::LoadU(d, xr + v * lanes);
                    accumulate(wr, wi, r, hn::LoadU(d, xi + v * lanes), re, im);
                };
                accumulate_one(1, re1, im1);
                accumulate_one(2, re2, im2);
                accumulate_one(3, re3, im3);
            }
        }
    }
    hn::StoreInterleaved2(re0, im0, d, out);
    if (V > 1) {
        hn::StoreInterleaved2(re1, im1, d, out + 2 * lanes);
        hn::StoreInterleaved2(re2, im2, d, out + 4 * lanes);
        hn::StoreInterleaved2(re3, im3, d, out + 6 * lanes);
    }
}

void fir(const float* const* x_re,
         const float* const* x_im,
         size_t num_branches,
         size_t taps,
         const float* w_re,
         const float* w_im,
         size_t count,
         std::complex<float>* out)
{
    const hn::CappedTag<float, ROW_PADDING> d;
    const size_t lanes = hn::Lanes(d);
    float* const pairs = reinterpret_cast<float*>(out);
    size_t n = 0;
    for (; n + 4 * lanes <= count; n += 4 * lanes)
        fir_group<4>(x_re, x_im, num_branches, taps, w_re, w_im, n, pairs + 2 * n);
    for (; n + lanes <= count; n += lanes)
        fir_group<1>(x_re, x_im, num_branches, taps, w_re, w_im, n, pairs + 2 * n);
    if (n == count)
        return;
    float last[2 * ROW_PADDING];
    fir_group<1>(x_re, x_im, num_branches, taps, w_re, w_im, n, last);
    for (size_t k = 0; k < 2 * (count - n); k++)
        pairs[2 * n + k] = last[k];
}

// y = A v for v in pieces, A of padded_rows by columns
struct product {
    const float* a_re;
    const float* a_im;
    size_t padded_rows;
    // first what each branch holds from n on, window values, then v[0 … columns): the state comes
    // last, so that a step can begin before the one before it has ended
    const float* v_re;
    const float* v_im;
    size_t columns;
    const float* const* x_re;
    const float* const* x_im;
    size_t num_branches;
    size_t window;
};

// V = 1 or 4 vectors of rows, from row on
template <size_t V>
HWY_INLINE void
multiply_group(const product& p, size_t n, size_t row, float* y_re, float* y_im)
{
    const hn::CappedTag<float, ROW_PADDING> d;
    using vec = hn::Vec<decltype(d)>;
    const size_t lanes = hn::Lanes(d);
    const vec zero = hn::Zero(d);
    vec re0 = zero, re1 = zero, re2 = zero, re3 = zero;
    vec im0 = zero, im1 = zero, im2 = zero, im3 = zero;
    const float* column_re = p.a_re + row;
    const float* column_im = p.a_im + row;
    const auto multiply_columns = [&](const float* v_re,
                                      const float* v_im,
                                      size_t count) HWY_ATTR {
        for (size_t j = 0; j < count; j++) {
            const vec vr = hn::Set(d, v_re[j]), vi = hn::Set(d, v_im[j]);
            accumulate(
                vr, vi, hn::LoadU(d, column_re), hn::LoadU(d, column_im), re0, im0);
            if (V > 1) {
                const auto accumulate_row = [&](size_t v, vec& re, vec& im) HWY_ATTR {
                    const vec ar = hn::LoadU(d, column_re + v * lanes);
                    accumulate(vr, vi, ar, hn::LoadU(d, column_im + v * lanes), re, im);
                };
                accumulate_row(1, re1, im1);
                accumulate_row(2, re2, im2);
                accumulate_row(3, re3, im3);
            }
            column_re += p.padded_rows;
            column_im += p.padded_rows;
        }
    };
    for (size_t b = 0; b < p.num_branches; b++)
        multiply_columns(p.x_re[b] + n, p.x_im[b] + n, p.window);
    multiply_columns(p.v_re, p.v_im, p.columns);
    hn::StoreU(re0, d, y_re + row);
    hn::StoreU(im0, d, y_im + row);
    if (V > 1) {
        hn::StoreU(re1, d, y_re + row + lanes);
        hn::StoreU(im1, d, y_im + row + lanes);
        hn::StoreU(re2, d, y_re + row + 2 * lanes);
        hn::StoreU(im2, d, y_im + row + 2 * lanes);
        hn::StoreU(re3, d, y_re + row + 3 * lanes);
        hn::StoreU(im3, d, y_im + row + 3 * lanes);
    }
}

HWY_INLINE void multiply_rows(const product& p, size_t n, float* y_re, float* y_im)
{
    const hn::CappedTag<float, ROW_PADDING> d;
    const size_t lanes = hn::Lanes(d);
    size_t row = 0;
    for (; row + 4 * lanes <= p.padded_rows; row += 4 * lanes)
        multiply_group<4>(p, n, row, y_re, y_im);
    for (; row < p.padded_rows; row += lanes)
        multiply_group<1>(p, n, row, y_re, y_im);
}

void multiply(const float* a_re,
              const float* a_im,
              size_t padded_rows,
              size_t columns,
              const float* v_re,
              const float* v_im,
              float* y_re,
              float* y_im)
{
    const product p = { a_re,    a_im,    padded_rows, v_re, v_im,
                        columns, nullptr, nullptr,     0,    0 };
    multiply_rows(p, 0, y_re, y_im);
}

// V = 1 or 4 vectors of rows, a at the first of them
template <size_t V>
HWY_INLINE void multiply_real_group(const float* a,
                                    size_t padded_rows,
                                    size_t columns,
                                    const float* v_re,
                                    const float* v_im,
                                    float* y_re,
                                    float* y_im)
{
    const hn::CappedTag<float, ROW_PADDING> d;
    using vec = hn::Vec<decltype(d)>;
    const size_t lanes = hn::Lanes(d);
    const vec zero = hn::Zero(d);
    vec re0 = zero, re1 = zero, re2 = zero, re3 = zero;
    vec im0 = zero, im1 = zero, im2 = zero, im3 = zero;
    for (size_t j = 0; j < columns; j++, a += padded_rows) {
        const vec vr = hn::Set(d, v_re[j]), vi = hn::Set(d, v_im[j]);
        const auto accumulate_row = [&](size_t v, vec& re, vec& im) HWY_ATTR {
            const vec row = hn::LoadU(d, a + v * lanes);
            re = hn::MulAdd(row, vr, re);
            im = hn::MulAdd(row, vi, im);
        };
        accumulate_row(0, re0, im0);
        if (V > 1) {
            accumulate_row(1, re1, im1);
            accumulate_row(2, re2, im2);
            accumulate_row(3, re3, im3);
        }
    }
    hn::StoreU(re0, d, y_re);
    hn::StoreU(im0, d, y_im);
    if (V > 1) {
        hn::StoreU(re1, d, y_re + lanes);
        hn::StoreU(im1, d, y_im + lanes);
        hn::StoreU(re2, d, y_re + 2 * lanes);
        hn::StoreU(im2, d, y_im + 2 * lanes);
        hn::StoreU(re3, d, y_re + 3 * lanes);
        hn::StoreU(im3, d, y_im + 3 * lanes);
    }
}

void multiply_real(const float* a,
                   size_t padded_rows,
                   size_t columns,
                   const float* v_re,
                   const float* v_im,
                   float* y_re,
                   float* y_im)
{
    const hn::CappedTag<float, ROW_PADDING> d;
    const size_t lanes = hn::Lanes(d);
    size_t row = 0;
    for (; row + 4 * lanes <= padded_rows; row += 4 * lanes)
        multiply_real_group<4>(
            a + row, padded_rows, columns, v_re, v_im, y_re + row, y_im + row);
    for (; row < padded_rows; row += lanes)
        multiply_real_group<1>(
            a + row, padded_rows, columns, v_re, v_im, y_re + row, y_im + row);
}

void magnitude_tanh(size_t count, float* re, float* im)
{
    const hn::CappedTag<float, ROW_PADDING> d;
    for (size_t k = 0; k < count; k += hn::Lanes(d)) {
        const auto x = clamp_part(d, hn::LoadU(d, re + k));
        const auto y = clamp_part(d, hn::LoadU(d, im + k));
        const auto scale = magnitude_tanh_scale(d, x, y);
        hn::StoreU(hn::Mul(x, scale), d, re + k);
        hn::StoreU(hn::Mul(y, scale), d, im + k);
    }
}

void split_tanh(size_t count, float* re, float* im)
{
    const hn::CappedTag<float, ROW_PADDING> d;
    for (size_t k = 0; k < count; k += hn::Lanes(d)) {
        hn::StoreU(hn::Tanh(d, hn::LoadU(d, re + k)), d, re + k);
        hn::StoreU(hn::Tanh(d, hn::LoadU(d, im + k)), d, im + k);
    }
}

std::complex<float> dot(const float* a_re,
                        const float* a_im,
                        const float* b_re,
                        const float* b_im,
                        size_t count)
{
    const hn::CappedTag<float, ROW_PADDING> d;
    auto re = hn::Zero(d), im = re;
    for (size_t k = 0; k < count; k += hn::Lanes(d))
        accumulate(hn::LoadU(d, a_re + k),
                   hn::LoadU(d, a_im + k),
                   hn::LoadU(d, b_re + k),
                   hn::LoadU(d, b_im + k),
                   re,
                   im);
    return { hn::GetLane(hn::SumOfLanes(d, re)), hn::GetLane(hn::SumOfLanes(d, im)) };
}

void drive_reservoir(const reservoir_block& block, float* y_re, float* y_im)
{
    const size_t rows = block.padded_rows;
    const product inputs = { block.weights_re, block.weights_im, rows,
                             nullptr,          nullptr,          0,
                             block.x_re,       block.x_im,       block.num_branches,
                             block.window };
    for (size_t n = 0; n < block.count; n++)
        multiply_rows(inputs, n, y_re + n * rows, y_im + n * rows);
}

void run_reservoir(const reservoir_block& block,
                   float* state_re,
                   float* state_im,
                   float* next_re,
                   float* next_im)
{
    product p = { block.weights_re,   block.weights_im, block.padded_rows, state_re,
                  state_im,           block.neurons,    block.x_re,        block.x_im,
                  block.num_branches, block.window };
    const auto copy = [&](const float* from, float* to) {
        for (size_t k = 0; k < block.padded_rows; k++)
            to[k] = from[k];
    };
    for (size_t n = 0; n < block.count; n++) {
        multiply_rows(p, n, next_re, next_im);
        if (block.function == activation::magnitude_tanh)
            magnitude_tanh(block.padded_rows, next_re, next_im);
        else if (block.function == activation::split_tanh)
            split_tanh(block.padded_rows, next_re, next_im);
        bool all_finite = true;
        for (size_t o = 0; o < block.num_outputs; o++) {
            const std::complex<float> output = dot(next_re,
                                                   next_im,
                                                   block.readout_re[o],
                                                   block.readout_im[o],
                                                   block.padded_rows);
            block.outputs[o][n] = output;
            all_finite &= std::fabs(output.real()) <= FLT_MAX &&
                          std::fabs(output.imag()) <= FLT_MAX;
        }
        copy(next_re, state_re);
        copy(next_im, state_im);
        if (all_finite)
            continue;
        for (size_t k = 0; k < block.padded_rows; k++)
            state_re[k] = state_im[k] = 0.0F;
        for (size_t o = 0; o < block.num_outputs; o++)
            block.outputs[o][n] = 0.0F;
    }
}

constexpr size_t POLE_BLOCK = 32; // symbols

template <activation F, class D, class V>
HWY_INLINE void activate_vector(D d, V& re, V& im)
{
    if constexpr (F == activation::magnitude_tanh) {
        const V x = clamp_part(d, re), y = clamp_part(d, im);
        const V scale = magnitude_tanh_scale(d, x, y);
        re = hn::Mul(x, scale);
        im = hn::Mul(y, scale);
    } else if constexpr (F == activation::split_tanh) {
        re = hn::Tanh(d, re);
        im = hn::Tanh(d, im);
    }
}

/*
 * V = 1 or 2 vectors of poles over some symbols, their share of the readout added to the sums that
 * the poles before them left. Two hide each other's latency; what belongs to them stays in
 * registers.
 */
template <size_t V, activation F>
HWY_INLINE void run_poles(const pole_bank_block& block,
                          size_t begin,
                          size_t end,
                          size_t k,
                          float* state_re,
                          float* state_im,
                          float* sums_re,
                          float* sums_im)
{
    const hn::CappedTag<float, ROW_PADDING> d;
    using vec = hn::Vec<decltype(d)>;
    const size_t lanes = hn::Lanes(d);
    const size_t l = V > 1 ? k + lanes : k;
    const vec pole_re0 = hn::Load(d, block.pole_re + k),
              pole_im0 = hn::Load(d, block.pole_im + k);
    const vec pole_re1 = hn::Load(d, block.pole_re + l),
              pole_im1 = hn::Load(d, block.pole_im + l);
    const vec w_re0 = hn::Load(d, block.readout_re + k),
              w_im0 = hn::Load(d, block.readout_im + k);
    const vec w_re1 = hn::Load(d, block.readout_re + l),
              w_im1 = hn::Load(d, block.readout_im + l);
    vec re0 = hn::Load(d, state_re + k), im0 = hn::Load(d, state_im + k);
    vec re1 = hn::Load(d, state_re + l), im1 = hn::Load(d, state_im + l);
    const auto advance =
        [&](vec pole_re, vec pole_im, vec u_re, vec u_im, vec& re, vec& im) HWY_ATTR {
            accumulate(pole_re, pole_im, re, im, u_re, u_im);
            activate_vector<F>(d, u_re, u_im);
            re = u_re;
            im = u_im;
        };
    for (size_t n = begin; n < end; n++) {
        float* const sum_re = sums_re + (n - begin) * lanes;
        float* const sum_im = sums_im + (n - begin) * lanes;
        vec y_re = hn::Zero(d), y_im = y_re;
        if (k > 0) {
            y_re = hn::Load(d, sum_re);
            y_im = hn::Load(d, sum_im);
        }
        if (block.input_re) {
            const vec u_re = hn::Set(d, block.input_re[n]),
                      u_im = hn::Set(d, block.input_im[n]);
            advance(pole_re0, pole_im0, u_re, u_im, re0, im0);
            if (V > 1)
                advance(pole_re1, pole_im1, u_re, u_im, re1, im1);
        } else {
            const float* u_re = block.drive_re + n * block.padded_poles;
            const float* u_im = block.drive_im + n * block.padded_poles;
            advance(pole_re0,
                    pole_im0,
                    hn::Load(d, u_re + k),
                    hn::Load(d, u_im + k),
                    re0,
                    im0);
            if (V > 1)
                advance(pole_re1,
                        pole_im1,
                        hn::Load(d, u_re + l),
                        hn::Load(d, u_im + l),
                        re1,
                        im1);
        }
        accumulate(w_re0, w_im0, re0, im0, y_re, y_im);
        if (V > 1)
            accumulate(w_re1, w_im1, re1, im1, y_re, y_im);
        hn::Store(y_re, d, sum_re);
        hn::Store(y_im, d, sum_im);
    }
    const bool flushes = (block.first + end) % POLE_BLOCK == 0;
    const auto keep = [&](vec part, float* to) HWY_ATTR {
        const auto small = hn::Lt(hn::Abs(part), hn::Set(d, 1e-30F));
        hn::Store(flushes ? hn::IfThenZeroElse(small, part) : part, d, to);
    };
    keep(re0, state_re + k);
    keep(im0, state_im + k);
    if (V > 1) {
        keep(re1, state_re + l);
        keep(im1, state_im + l);
    }
}

template <activation F>
HWY_INLINE void run_bank(const pole_bank_block& block,
                         float* state_re,
                         float* state_im,
                         std::complex<float>* out)
{
    const hn::CappedTag<float, ROW_PADDING> d;
    const size_t lanes = hn::Lanes(d);
    HWY_ALIGN float sums_re[POLE_BLOCK * ROW_PADDING];
    HWY_ALIGN float sums_im[POLE_BLOCK * ROW_PADDING];
    for (size_t begin = 0; begin < block.count;) {
        const size_t left = POLE_BLOCK - (block.first + begin) % POLE_BLOCK;
        const size_t end = HWY_MIN(begin + left, block.count);
        size_t k = 0;
        for (; k + 2 * lanes <= block.padded_poles; k += 2 * lanes)
            run_poles<2, F>(block, begin, end, k, state_re, state_im, sums_re, sums_im);
        if (k < block.padded_poles)
            run_poles<1, F>(block, begin, end, k, state_re, state_im, sums_re, sums_im);
        for (size_t n = begin; n < end; n++) {
            const auto y_re = hn::Load(d, sums_re + (n - begin) * lanes);
            const auto y_im = hn::Load(d, sums_im + (n - begin) * lanes);
            out[n] = { hn::GetLane(hn::SumOfLanes(d, y_re)),
                       hn::GetLane(hn::SumOfLanes(d, y_im)) };
        }
        begin = end;
    }
}

void run_pole_bank(const pole_bank_block& block,
                   float* state_re,
                   float* state_im,
                   std::complex<float>* out)
{
    switch (block.function) {
    case activation::identity:
        return run_bank<activation::identity>(block, state_re, state_im, out);
    case activation::magnitude_tanh:
        return run_bank<activation::magnitude_tanh>(block, state_re, state_im, out);
    case activation::split_tanh:
        return run_bank<activation::split_tanh>(block, state_re, state_im, out);
    }
}

} // namespace gr::reservoir::kernel::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace gr::reservoir::kernel::simd {

HWY_EXPORT(deinterleave);
HWY_EXPORT(fir);
HWY_EXPORT(multiply);
HWY_EXPORT(multiply_real);
HWY_EXPORT(magnitude_tanh);
HWY_EXPORT(split_tanh);
HWY_EXPORT(dot);
HWY_EXPORT(drive_reservoir);
HWY_EXPORT(run_reservoir);
HWY_EXPORT(run_pole_bank);

size_t deinterleave(const std::complex<float>* in,
                    size_t stride,
                    size_t count,
                    float gain,
                    float* re,
                    float* im)
{
    return HWY_DYNAMIC_DISPATCH(deinterleave)(in, stride, count, gain, re, im);
}

void fir(const float* const* x_re,
         const float* const* x_im,
         size_t num_branches,
         size_t taps,
         const float* w_re,
         const float* w_im,
         size_t count,
         std::complex<float>* out)
{
    HWY_DYNAMIC_DISPATCH(fir)(x_re, x_im, num_branches, taps, w_re, w_im, count, out);
}

void multiply(const float* a_re,
              const float* a_im,
              size_t padded_rows,
              size_t columns,
              const float* v_re,
              const float* v_im,
              float* y_re,
              float* y_im)
{
    HWY_DYNAMIC_DISPATCH(multiply)
    (a_re, a_im, padded_rows, columns, v_re, v_im, y_re, y_im);
}

void multiply_real(const float* a,
                   size_t padded_rows,
                   size_t columns,
                   const float* v_re,
                   const float* v_im,
                   float* y_re,
                   float* y_im)
{
    HWY_DYNAMIC_DISPATCH(multiply_real)
    (a, padded_rows, columns, v_re, v_im, y_re, y_im);
}

void activate(activation function, size_t count, float* re, float* im)
{
    switch (function) {
    case activation::identity:
        break;
    case activation::magnitude_tanh:
        HWY_DYNAMIC_DISPATCH(magnitude_tanh)(count, re, im);
        break;
    case activation::split_tanh:
        HWY_DYNAMIC_DISPATCH(split_tanh)(count, re, im);
        break;
    }
}

std::complex<float> dot(const float* a_re,
                        const float* a_im,
                        const float* b_re,
                        const float* b_im,
                        size_t count)
{
    return HWY_DYNAMIC_DISPATCH(dot)(a_re, a_im, b_re, b_im, count);
}

void drive_reservoir(const reservoir_block& block, float* y_re, float* y_im)
{
    HWY_DYNAMIC_DISPATCH(drive_reservoir)(block, y_re, y_im);
}

void run_reservoir(const reservoir_block& block,
                   float* state_re,
                   float* state_im,
                   float* next_re,
                   float* next_im)
{
    HWY_DYNAMIC_DISPATCH(run_reservoir)(block, state_re, state_im, next_re, next_im);
}

void run_pole_bank(const pole_bank_block& block,
                   float* state_re,
                   float* state_im,
                   std::complex<float>* out)
{
    HWY_DYNAMIC_DISPATCH(run_pole_bank)(block, state_re, state_im, out);
}

} // namespace gr::reservoir::kernel::simd

#endif
