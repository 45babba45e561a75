/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel/overlap_save.h"

#include "kernel/inner_loops.h"
#include <algorithm>
#include <cmath>

// the order matters
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/overlap_save_simd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace gr::reservoir::kernel::simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using transform_tag = hn::CappedTag<float, ROW_PADDING>;
using transform_vec = hn::Vec<transform_tag>;

// Vectors stand alone: where their length is not known to the compiler they cannot be members.
HWY_INLINE void turn(float cosine, float sine, transform_vec& re, transform_vec& im)
{
    const transform_tag d;
    const transform_vec c = hn::Set(d, cosine), s = hn::Set(d, sine);
    const transform_vec turned = hn::NegMulAdd(im, s, hn::Mul(re, c));
    im = hn::MulAdd(im, c, hn::Mul(re, s));
    re = turned;
}

// Decimation in frequency: carriers come out in bit-reversed order. Values of one time or carrier
// form a row of ROW_PADDING, of which the first `columns` are transformed.
void transform_columns(const float* cosine,
                       const float* sine,
                       size_t size,
                       size_t columns,
                       float* re,
                       float* im)
{
    const transform_tag d;
    for (size_t half = size / 2; half > 0; half /= 2)
        for (size_t first = 0; first < size; first += 2 * half)
            for (size_t j = 0; j < half; j++) {
                const float c = cosine[j * (size / 2 / half)];
                const float s = -sine[j * (size / 2 / half)];
                const size_t one = (first + j) * ROW_PADDING;
                const size_t other = one + half * ROW_PADDING;
                for (size_t k = 0; k < columns; k += hn::Lanes(d)) {
                    const auto xr = hn::Load(d, re + one + k);
                    const auto xi = hn::Load(d, im + one + k);
                    const auto yr = hn::Load(d, re + other + k);
                    const auto yi = hn::Load(d, im + other + k);
                    hn::Store(hn::Add(xr, yr), d, re + one + k);
                    hn::Store(hn::Add(xi, yi), d, im + one + k);
                    auto zr = hn::Sub(xr, yr), zi = hn::Sub(xi, yi);
                    turn(c, s, zr, zi);
                    hn::Store(zr, d, re + other + k);
                    hn::Store(zi, d, im + other + k);
                }
            }
}

// Two stages of decimation in time, the inverse of the above, on rows of a single vector.
template <bool FIRST>
HWY_INLINE void inverse_stages(const float* cosine,
                               const float* sine,
                               size_t size,
                               size_t quarter,
                               float* re,
                               float* im)
{
    const transform_tag d;
    const size_t lanes = hn::Lanes(d), step = quarter * lanes;
    for (size_t j = 0; j < quarter; j++) {
        const size_t k = j * (size / 4 / quarter);
        for (size_t first = j; first < size; first += 4 * quarter) {
            float* const r = re + first * lanes;
            float* const i = im + first * lanes;
            const transform_vec re0 = hn::Load(d, r), im0 = hn::Load(d, i);
            transform_vec re1 = hn::Load(d, r + step), im1 = hn::Load(d, i + step);
            transform_vec re2 = hn::Load(d, r + 2 * step),
                          im2 = hn::Load(d, i + 2 * step);
            transform_vec re3 = hn::Load(d, r + 3 * step),
                          im3 = hn::Load(d, i + 3 * step);
            if constexpr (!FIRST) {
                turn(cosine[2 * k], sine[2 * k], re1, im1);
                turn(cosine[k], sine[k], re2, im2);
                turn(cosine[3 * k], sine[3 * k], re3, im3);
            }
            const transform_vec even_re = hn::Add(re0, re1), even_im = hn::Add(im0, im1);
            const transform_vec odd_re = hn::Sub(re0, re1), odd_im = hn::Sub(im0, im1);
            const transform_vec sum_re = hn::Add(re2, re3), sum_im = hn::Add(im2, im3);
            const transform_vec rest_re = hn::Sub(re2, re3), rest_im = hn::Sub(im2, im3);
            hn::Store(hn::Add(even_re, sum_re), d, r);
            hn::Store(hn::Add(even_im, sum_im), d, i);
            hn::Store(hn::Sub(odd_re, rest_im), d, r + step); // j times the rest
            hn::Store(hn::Add(odd_im, rest_re), d, i + step);
            hn::Store(hn::Sub(even_re, sum_re), d, r + 2 * step);
            hn::Store(hn::Sub(even_im, sum_im), d, i + 2 * step);
            hn::Store(hn::Add(odd_re, rest_im), d, r + 3 * step);
            hn::Store(hn::Sub(odd_im, rest_re), d, i + 3 * step);
        }
    }
}

/*
 * The outputs of a row of filters over one block. Spectra of filters and of blocks: a row per carrier,
 * the inputs behind one another.
 */
void filter_block(const float* filters_re,
                  const float* filters_im,
                  const float* block_re,
                  const float* block_im,
                  size_t num_inputs,
                  const float* cosine,
                  const float* sine,
                  size_t size,
                  float* work_re,
                  float* work_im,
                  size_t skip,
                  size_t count,
                  size_t padded_rows,
                  float* y_re,
                  float* y_im)
{
    const transform_tag d;
    const size_t lanes = hn::Lanes(d), input = size * ROW_PADDING;
    for (size_t k = 0; k < ROW_PADDING; k += lanes) {
        for (size_t f = 0; f < size; f++) {
            const size_t place = f * ROW_PADDING;
            transform_vec sum_re = hn::Zero(d), sum_im = sum_re;
            for (size_t a = 0; a < num_inputs; a++) {
                const size_t at = a * input + place;
                const transform_vec hr = hn::Load(d, filters_re + at + k);
                const transform_vec hi = hn::Load(d, filters_im + at + k);
                const transform_vec re = hn::Set(d, block_re[at]);
                const transform_vec im = hn::Set(d, block_im[at]);
                sum_re = hn::NegMulAdd(hi, im, hn::MulAdd(hr, re, sum_re));
                sum_im = hn::MulAdd(hi, re, hn::MulAdd(hr, im, sum_im));
            }
            hn::Store(sum_re, d, work_re + f * lanes);
            hn::Store(sum_im, d, work_im + f * lanes);
        }
        inverse_stages<true>(cosine, sine, size, 1, work_re, work_im);
        for (size_t quarter = 4; quarter < size; quarter *= 4)
            inverse_stages<false>(cosine, sine, size, quarter, work_re, work_im);
        for (size_t n = 0; n < count; n++) {
            const size_t from = (skip + n) * lanes, to = n * padded_rows + k;
            hn::StoreU(hn::Load(d, work_re + from), d, y_re + to);
            hn::StoreU(hn::Load(d, work_im + from), d, y_im + to);
        }
    }
}

} // namespace gr::reservoir::kernel::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace gr::reservoir::kernel::simd {
HWY_EXPORT(transform_columns);
HWY_EXPORT(filter_block);
} // namespace gr::reservoir::kernel::simd

namespace gr::reservoir::kernel {

namespace {

// A power of four, which takes no stage of its own for a factor of two; three quarters of a block or
// more are outputs.
size_t block_size(size_t taps)
{
    size_t size = 16;
    while (size < 4 * taps)
        size *= 4;
    return size;
}

} // namespace

using simd::ROW_PADDING;

overlap_save::overlap_save(const Eigen::MatrixXcf& filters, int num_inputs)
    : d_num_inputs(num_inputs),
      d_taps(filters.cols() / num_inputs),
      d_size(block_size(d_taps)),
      d_groups(simd::padded(filters.rows()) / ROW_PADDING),
      d_cosine(d_size),
      d_sine(d_size),
      d_filters_re(Eigen::ArrayXf::Zero(d_groups * d_num_inputs * d_size * ROW_PADDING)),
      d_filters_im(d_filters_re),
      d_blocks_re(Eigen::ArrayXf::Zero(d_num_inputs * d_size * ROW_PADDING)),
      d_blocks_im(d_blocks_re),
      d_work_re(d_size * ROW_PADDING),
      d_work_im(d_work_re.size())
{
    for (size_t k = 0; k < d_size; k++) {
        d_cosine(k) = std::cos(2.0 * M_PI * k / d_size);
        d_sine(k) = std::sin(2.0 * M_PI * k / d_size);
    }
    for (size_t group = 0; group < d_groups; group++)
        for (size_t a = 0; a < d_num_inputs; a++) {
            float* const re = spectrum(d_filters_re, group, a);
            float* const im = spectrum(d_filters_im, group, a);
            const size_t first = group * ROW_PADDING;
            const size_t count = std::min<size_t>(ROW_PADDING, filters.rows() - first);
            for (size_t l = 0; l < d_taps; l++)
                for (size_t k = 0; k < count; k++) {
                    const auto tap = filters(first + k, a * d_taps + l) / float(d_size);
                    re[l * ROW_PADDING + k] = tap.real();
                    im[l * ROW_PADDING + k] = tap.imag();
                }
            HWY_DYNAMIC_DISPATCH(simd::transform_columns)
            (d_cosine.data(), d_sine.data(), d_size, ROW_PADDING, re, im);
        }
}

float* overlap_save::spectrum(Eigen::ArrayXf& of, size_t group, size_t input)
{
    return of.data() + (group * d_num_inputs + input) * d_size * ROW_PADDING;
}

void overlap_save::run(const float* const* x_re,
                       const float* const* x_im,
                       size_t count,
                       float* y_re,
                       float* y_im)
{
    const size_t skip = d_taps - 1, per_block = d_size - skip;
    const size_t rows = d_groups * ROW_PADDING;
    for (size_t begin = 0; begin < count; begin += ROW_PADDING * per_block) {
        const size_t left = count - begin;
        const size_t blocks = std::min(ROW_PADDING, (left + per_block - 1) / per_block);
        for (size_t a = 0; a < d_num_inputs; a++) {
            float* const re = spectrum(d_blocks_re, 0, a);
            float* const im = spectrum(d_blocks_im, 0, a);
            // columns of other blocks stay as they are: nothing reads what becomes of them
            for (size_t b = 0; b < blocks; b++) {
                const ptrdiff_t oldest =
                    ptrdiff_t(begin + b * per_block) - ptrdiff_t(skip);
                const size_t there = std::min(d_size, left + skip - b * per_block);
                for (size_t n = 0; n < there; n++) {
                    re[n * ROW_PADDING + b] = x_re[a][oldest + ptrdiff_t(n)];
                    im[n * ROW_PADDING + b] = x_im[a][oldest + ptrdiff_t(n)];
                }
                for (size_t n = there; n < d_size; n++)
                    re[n * ROW_PADDING + b] = im[n * ROW_PADDING + b] = 0.0F;
            }
            HWY_DYNAMIC_DISPATCH(simd::transform_columns)
            (d_cosine.data(), d_sine.data(), d_size, blocks, re, im);
        }
        for (size_t group = 0; group < d_groups; group++)
            for (size_t b = 0; b < blocks; b++) {
                const size_t first = begin + b * per_block;
                const size_t to = first * rows + group * ROW_PADDING;
                HWY_DYNAMIC_DISPATCH(simd::filter_block)
                (spectrum(d_filters_re, group, 0),
                 spectrum(d_filters_im, group, 0),
                 d_blocks_re.data() + b,
                 d_blocks_im.data() + b,
                 d_num_inputs,
                 d_cosine.data(),
                 d_sine.data(),
                 d_size,
                 d_work_re.data(),
                 d_work_im.data(),
                 skip,
                 std::min(per_block, count - first),
                 rows,
                 y_re + to,
                 y_im + to);
            }
    }
}

} // namespace gr::reservoir::kernel

#endif
