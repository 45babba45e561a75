/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * One duty: the linear algebra of split_matrix.h, from its sums over columns (Gram matrix, products)
 * to what is made of them (Cholesky factor, triangular solution, tridiagonal form). The parts share
 * the sums, which must be inlined, so they are one file.
 */

#include "kernel/split_matrix.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <utility>

// the order matters
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/split_matrix_simd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace gr::reservoir::kernel::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Two vectors of rows and two columns of sums, real and imaginary parts apart, are what keeps
// two units for multiply-adds busy; half a panel, or all of it, at four numbers in a vector.
using tag = hn::CappedTag<double, PANEL / 2>;
using vec = hn::Vec<tag>;

// sum += x y or x conj(y)
template <bool CONJUGATE>
HWY_INLINE void
accumulate(vec x_re, vec x_im, vec y_re, vec y_im, vec& sum_re, vec& sum_im)
{
    sum_re = hn::MulAdd(x_re, y_re, sum_re);
    sum_im = hn::MulAdd(x_im, y_re, sum_im);
    if constexpr (CONJUGATE) {
        sum_re = hn::MulAdd(x_im, y_im, sum_re);
        sum_im = hn::NegMulAdd(x_re, y_im, sum_im);
    } else {
        sum_re = hn::NegMulAdd(x_im, y_im, sum_re);
        sum_im = hn::MulAdd(x_re, y_im, sum_im);
    }
}

// sum -= x conj(y)
HWY_INLINE void remove(vec x_re, vec x_im, vec y_re, vec y_im, vec& sum_re, vec& sum_im)
{
    sum_re = hn::NegMulAdd(x_re, y_re, sum_re);
    sum_im = hn::NegMulAdd(x_im, y_re, sum_im);
    sum_re = hn::NegMulAdd(x_im, y_im, sum_re);
    sum_im = hn::MulAdd(x_re, y_im, sum_im);
}

// Numbers that meet the columns of a panel one after the other.
struct scalars {
    const double* re;
    const double* im;
    size_t stride;
};

HWY_INLINE scalars row_of(const double* element)
{
    return { element, element + PANEL, split_matrix::COLUMN };
}

// Two vectors of rows of the columns one after the other, of which re and im are the first.
struct strided_columns {
    const double* re;
    const double* im;
    size_t stride;
};

HWY_INLINE strided_columns rows_of(const double* column)
{
    return { column, column + PANEL, split_matrix::COLUMN };
}

template <bool CONJUGATE>
HWY_INLINE void sum_products(strided_columns a,
                             size_t count,
                             scalars s,
                             scalars t,
                             vec& s_re0,
                             vec& s_re1,
                             vec& s_im0,
                             vec& s_im1,
                             vec& t_re0,
                             vec& t_re1,
                             vec& t_im0,
                             vec& t_im1)
{
    const tag d;
    const size_t lanes = hn::Lanes(d);
    s_re0 = s_re1 = s_im0 = s_im1 = t_re0 = t_re1 = t_im0 = t_im1 = hn::Zero(d);
    for (size_t k = 0; k < count; k++, a.re += a.stride, a.im += a.stride) {
        const vec re0 = hn::LoadU(d, a.re), re1 = hn::LoadU(d, a.re + lanes);
        const vec im0 = hn::LoadU(d, a.im), im1 = hn::LoadU(d, a.im + lanes);
        const vec s_re = hn::Set(d, s.re[k * s.stride]),
                  s_im = hn::Set(d, s.im[k * s.stride]);
        accumulate<CONJUGATE>(re0, im0, s_re, s_im, s_re0, s_im0);
        accumulate<CONJUGATE>(re1, im1, s_re, s_im, s_re1, s_im1);
        const vec t_re = hn::Set(d, t.re[k * t.stride]),
                  t_im = hn::Set(d, t.im[k * t.stride]);
        accumulate<CONJUGATE>(re0, im0, t_re, t_im, t_re0, t_im0);
        accumulate<CONJUGATE>(re1, im1, t_re, t_im, t_re1, t_im1);
    }
}

// The sums of a panel: visit(0 for s or 1 for t, place in the column of a panel, sum).
template <bool CONJUGATE, class Visit>
HWY_INLINE void
visit_products(strided_columns a, size_t count, scalars s, scalars t, Visit visit)
{
    const tag d;
    const size_t lanes = hn::Lanes(d);
    vec s_re0, s_re1, s_im0, s_im1, t_re0, t_re1, t_im0, t_im1;
    for (size_t r = 0; r < PANEL; r += 2 * lanes) {
        sum_products<CONJUGATE>({ a.re + r, a.im + r, a.stride },
                                count,
                                s,
                                t,
                                s_re0,
                                s_re1,
                                s_im0,
                                s_im1,
                                t_re0,
                                t_re1,
                                t_im0,
                                t_im1);
        visit(0, r, s_re0);
        visit(0, r + lanes, s_re1);
        visit(0, PANEL + r, s_im0);
        visit(0, PANEL + r + lanes, s_im1);
        visit(1, r, t_re0);
        visit(1, r + lanes, t_re1);
        visit(1, PANEL + r, t_im0);
        visit(1, PANEL + r + lanes, t_im1);
    }
}

// G = X X^H, or G += X X^H, of some columns of X
void gram(const split_matrix& x, size_t first, size_t count, bool adds, split_matrix& g)
{
    const tag d;
    for (size_t p = 0; p < x.num_panels(); p++)
        for (size_t j = 0; j < std::min(PANEL * (p + 1), g.columns()); j += 2)
            visit_products<true>(
                rows_of(x.column(p, first)),
                count,
                row_of(x.element(j, first)),
                row_of(x.element(j + 1, first)),
                [&, column = g.column(p, j)](size_t next, size_t place, vec sum)
                    HWY_ATTR {
                        double* const to = column + next * split_matrix::COLUMN + place;
                        hn::Store(adds ? hn::Add(hn::Load(d, to), sum) : sum, d, to);
                    });
}

/*
 * x_j = (x_j - Σ_{k<j} x_k conj(l_jk)) / l_jj for the columns j < size of one panel, from left to
 * right, two at a time. Those before `first`, an even number, are zero.
 */
HWY_INLINE void solve_panel(const split_matrix& lower,
                            const double* inverse,
                            size_t size,
                            double* x,
                            size_t first = 0)
{
    const tag d;
    const size_t lanes = hn::Lanes(d);
    vec re0, re1, im0, im1, next_re0, next_re1, next_im0, next_im1;
    for (size_t r = 0; r < PANEL; r += 2 * lanes) {
        double* const rows = x + r;
        for (size_t j = first; j < size; j += 2) {
            sum_products<true>(rows_of(rows + first * split_matrix::COLUMN),
                               j - first,
                               row_of(lower.element(j, first)),
                               row_of(lower.element(j + 1, first)),
                               re0,
                               re1,
                               im0,
                               im1,
                               next_re0,
                               next_re1,
                               next_im0,
                               next_im1);
            double* const column = rows + j * split_matrix::COLUMN;
            const vec scale = hn::Set(d, inverse[j]);
            const auto finish = [&](vec& sum, double* to, vec by) HWY_ATTR {
                sum = hn::Mul(hn::Sub(hn::Load(d, to), sum), by);
                hn::Store(sum, d, to);
            };
            finish(re0, column, scale);
            finish(re1, column + lanes, scale);
            finish(im0, column + PANEL, scale);
            finish(im1, column + PANEL + lanes, scale);
            const double* const beside = lower.element(j + 1, j);
            const vec l_re = hn::Set(d, beside[0]), l_im = hn::Set(d, beside[PANEL]);
            accumulate<true>(re0, im0, l_re, l_im, next_re0, next_im0);
            accumulate<true>(re1, im1, l_re, l_im, next_re1, next_im1);
            double* const next = column + split_matrix::COLUMN;
            const vec next_scale = hn::Set(d, inverse[j + 1]);
            finish(next_re0, next, next_scale);
            finish(next_re1, next + lanes, next_scale);
            finish(next_im0, next + PANEL, next_scale);
            finish(next_im1, next + PANEL + lanes, next_scale);
        }
    }
}

void solve_rows(const split_matrix& lower, const double* inverse, split_matrix& x)
{
    for (size_t p = 0; p < x.num_panels(); p++)
        solve_panel(lower, inverse, lower.columns(), x.column(p, 0));
}

void cholesky(split_matrix& g, double mu, double* inverse)
{
    const tag d;
    for (size_t p = 0; p < g.num_panels(); p++) {
        const size_t begin = p * PANEL, end = std::min(begin + PANEL, g.columns());
        solve_panel(g, inverse, begin, g.column(p, 0));
        // the block on the diagonal: first what the columns left of it take away
        for (size_t j = begin; j < end; j += 2)
            visit_products<true>(
                rows_of(g.column(p, 0)),
                begin,
                row_of(g.element(j, 0)),
                row_of(g.element(j + 1, 0)),
                [&, column = g.column(p, j)](size_t next, size_t place, vec sum)
                    HWY_ATTR {
                        double* const to = column + next * split_matrix::COLUMN + place;
                        hn::Store(hn::Sub(hn::Load(d, to), sum), d, to);
                    });
        // eight columns of eight rows, one after the other
        for (size_t j = begin; j < end; j++) {
            const size_t row = j - begin;
            double* const column = g.column(p, j);
            const double root = j < g.rows() ? std::sqrt(column[row] + mu) : 1.0;
            inverse[j] = 1.0 / root;
            column[row] = root;
            column[PANEL + row] = 0.0;
            for (size_t i = row + 1; i < PANEL; i++) {
                column[i] *= inverse[j];
                column[PANEL + i] *= inverse[j];
            }
            for (size_t k = j + 1; k < end; k++) {
                const double re = column[k - begin], im = column[PANEL + k - begin];
                double* const later = g.column(p, k);
                for (size_t i = k - begin; i < PANEL; i++) {
                    later[i] -= column[i] * re + column[PANEL + i] * im;
                    later[PANEL + i] -= column[PANEL + i] * re - column[i] * im;
                }
            }
        }
    }
}

// Σ_i conj(x_i) y_i over rows; x a column of panels that lie stride values apart
HWY_INLINE std::complex<double> dot(const double* x,
                                    size_t stride,
                                    size_t num_panels,
                                    const double* y_re,
                                    const double* y_im)
{
    const tag d;
    const size_t lanes = hn::Lanes(d);
    vec re0 = hn::Zero(d), im0 = re0, re1 = re0, im1 = re0;
    for (size_t p = 0; p < num_panels; p++, x += stride, y_re += PANEL, y_im += PANEL)
        for (size_t r = 0; r < PANEL; r += 2 * lanes) {
            const size_t l = r + lanes;
            accumulate<true>(hn::Load(d, y_re + r),
                             hn::Load(d, y_im + r),
                             hn::Load(d, x + r),
                             hn::Load(d, x + PANEL + r),
                             re0,
                             im0);
            accumulate<true>(hn::Load(d, y_re + l),
                             hn::Load(d, y_im + l),
                             hn::Load(d, x + l),
                             hn::Load(d, x + PANEL + l),
                             re1,
                             im1);
        }
    return { hn::GetLane(hn::SumOfLanes(d, hn::Add(re0, re1))),
             hn::GetLane(hn::SumOfLanes(d, hn::Add(im0, im1))) };
}

void solve_adjoint(const split_matrix& lower,
                   const double* inverse,
                   double* y_re,
                   double* y_im)
{
    // the solution grows from below; above it is zero, which leaves the rest of a panel out
    const size_t size = lower.columns();
    Eigen::ArrayXd re = Eigen::ArrayXd::Zero(whole_panels(size));
    Eigen::ArrayXd im = Eigen::ArrayXd::Zero(whole_panels(size));
    for (size_t j = size; j-- > 0;) {
        const size_t p = j / PANEL;
        const std::complex<double> known = dot(lower.column(p, j),
                                               size * split_matrix::COLUMN,
                                               lower.num_panels() - p,
                                               re.data() + p * PANEL,
                                               im.data() + p * PANEL);
        re(j) = (y_re[j] - known.real()) * inverse[j];
        im(j) = (y_im[j] - known.imag()) * inverse[j];
    }
    std::copy_n(re.data(), size, y_re);
    std::copy_n(im.data(), size, y_im);
}

void adjoint_product(const split_matrix& x,
                     const double* y_re,
                     const double* y_im,
                     double* out_re,
                     double* out_im)
{
    for (size_t k = 0; k < x.columns(); k++) {
        const std::complex<double> sum = dot(x.column(0, k),
                                             x.columns() * split_matrix::COLUMN,
                                             x.num_panels(),
                                             y_re,
                                             y_im);
        out_re[k] = sum.real();
        out_im[k] = sum.imag();
    }
}

// Σ_k a_k y_k of a panel of rows, for two y at once
HWY_INLINE void product_of_panel(strided_columns a,
                                 size_t count,
                                 const double* const* y_re,
                                 const double* const* y_im,
                                 size_t row,
                                 double* const* out_re,
                                 double* const* out_im)
{
    const tag d;
    visit_products<false>(a,
                          count,
                          { y_re[0], y_im[0], 1 },
                          { y_re[1], y_im[1], 1 },
                          [&](size_t next, size_t place, vec sum) HWY_ATTR {
                              double* const* const out = place < PANEL ? out_re : out_im;
                              hn::Store(sum, d, out[next] + row + place % PANEL);
                          });
}

// Two vectors at once.
void product(const split_matrix& x,
             const double* const* y_re,
             const double* const* y_im,
             double* const* out_re,
             double* const* out_im)
{
    for (size_t p = 0; p < x.num_panels(); p++)
        product_of_panel(
            rows_of(x.column(p, 0)), x.columns(), y_re, y_im, p * PANEL, out_re, out_im);
}

// Two filters at once; each column of what they see lies one sample behind the one before.
void filter_bank(const double* x_re,
                 const double* x_im,
                 size_t rows,
                 size_t taps,
                 const double* const* filter_re,
                 const double* const* filter_im,
                 double* const* out_re,
                 double* const* out_im)
{
    for (size_t row = 0; row < rows; row += PANEL)
        product_of_panel({ x_re + row, x_im + row, 1 },
                         taps,
                         filter_re,
                         filter_im,
                         row,
                         out_re,
                         out_im);
}

// Σ_k |x_k|² of eight rows
HWY_INLINE void panel_powers(const double* x, size_t columns, double* powers)
{
    double sums[PANEL] = {};
    for (size_t k = 0; k < columns; k++, x += split_matrix::COLUMN)
        for (size_t r = 0; r < PANEL; r++) // a plain loop: the compiler vectorises it
            sums[r] += x[r] * x[r] + x[PANEL + r] * x[PANEL + r];
    std::copy_n(sums, PANEL, powers);
}

void row_powers(const split_matrix& x, double* powers)
{
    for (size_t p = 0; p < x.num_panels(); p++)
        panel_powers(x.column(p, 0), x.columns(), powers + p * PANEL);
}

void solved_row_powers(const split_matrix& lower,
                       const double* inverse,
                       const split_matrix& x,
                       double* powers)
{
    const size_t size = lower.columns();
    Eigen::ArrayXd panel(size * split_matrix::COLUMN);
    for (size_t p = 0; p < x.num_panels(); p++) {
        std::copy_n(x.column(p, 0), panel.size(), panel.data());
        solve_panel(lower, inverse, size, panel.data());
        panel_powers(panel.data(), size, powers + p * PANEL);
    }
}

void inverse_row_powers(const split_matrix& lower, const double* inverse, double* powers)
{
    const size_t size = lower.rows();
    Eigen::ArrayXd panel(lower.columns() * split_matrix::COLUMN);
    for (size_t p = 0; p < lower.num_panels(); p++) {
        const size_t first = p * PANEL; // what is left of it is zero
        double* const begin = panel.data() + first * split_matrix::COLUMN;
        std::fill(begin, panel.data() + panel.size(), 0.0);
        for (size_t r = 0; r < std::min(PANEL, size - first); r++)
            begin[r * split_matrix::COLUMN + r] = 1.0;
        solve_panel(lower, inverse, lower.columns(), panel.data(), first);
        panel_powers(begin, size - first, powers + first);
    }
}

struct split_vector {
    double* re;
    double* im;
};

/*
 * Column j of a matrix, and column j + 1 of two: -= v conj(w_j) + w conj(v_j), which the last
 * reflection left to be done, from row j on; then, of the new column, its share of the product
 * with a new vector u: p_i += a_ij u_j for i >= j, and sums_j = Σ_{i>j} conj(a_ij) u_i. What lies
 * above row j in the same vector becomes zero.
 */
template <size_t COLUMNS>
HWY_INLINE void update_and_multiply(split_matrix& g,
                                    size_t j,
                                    split_vector v,
                                    split_vector w,
                                    split_vector u,
                                    split_vector p,
                                    split_vector sums)
{
    const tag d;
    const size_t lanes = hn::Lanes(d);
    const size_t l = j + COLUMNS - 1;
    const size_t size = g.rows(), stride = g.columns() * split_matrix::COLUMN;
    const size_t first = j / lanes * lanes;
    const auto row = hn::Iota(d, static_cast<double>(first));
    const auto wanted0 = hn::Ge(row, hn::Set(d, static_cast<double>(j)));
    const auto wanted1 = hn::Ge(row, hn::Set(d, static_cast<double>(l)));
    vec sum_re0 = hn::Zero(d), sum_im0 = sum_re0, sum_re1 = sum_re0, sum_im1 = sum_re0;
    double* panel = g.column(j / PANEL, j);
    for (size_t i = first; i < size; panel += stride)
        do {
            double* const a = panel + i % PANEL;
            const vec v_re = hn::Load(d, v.re + i), v_im = hn::Load(d, v.im + i);
            const vec w_re = hn::Load(d, w.re + i), w_im = hn::Load(d, w.im + i);
            const vec x_re = hn::Load(d, u.re + i), x_im = hn::Load(d, u.im + i);
            vec p_re = hn::Load(d, p.re + i), p_im = hn::Load(d, p.im + i);
            const auto column = [&](size_t k,
                                    auto wanted,
                                    double* at,
                                    vec& sum_re,
                                    vec& sum_im) HWY_ATTR {
                vec re = hn::Load(d, at), im = hn::Load(d, at + PANEL);
                remove(v_re, v_im, hn::Set(d, w.re[k]), hn::Set(d, w.im[k]), re, im);
                remove(w_re, w_im, hn::Set(d, v.re[k]), hn::Set(d, v.im[k]), re, im);
                if (i == first) {
                    re = hn::IfThenElseZero(wanted, re);
                    im = hn::IfThenElseZero(wanted, im);
                }
                hn::Store(re, d, at);
                hn::Store(im, d, at + PANEL);
                accumulate<false>(
                    re, im, hn::Set(d, u.re[k]), hn::Set(d, u.im[k]), p_re, p_im);
                accumulate<true>(x_re, x_im, re, im, sum_re, sum_im);
            };
            column(j, wanted0, a, sum_re0, sum_im0);
            if constexpr (COLUMNS > 1)
                column(l, wanted1, a + split_matrix::COLUMN, sum_re1, sum_im1);
            hn::Store(p_re, d, p.re + i);
            hn::Store(p_im, d, p.im + i);
            i += lanes;
        } while (i % PANEL != 0);
    const auto store = [&](size_t k, vec sum_re, vec sum_im) HWY_ATTR {
        const double pivot = *g.element(k, k); // is in both sums
        sums.re[k] = hn::GetLane(hn::SumOfLanes(d, sum_re)) - pivot * u.re[k];
        sums.im[k] = hn::GetLane(hn::SumOfLanes(d, sum_im)) - pivot * u.im[k];
    };
    store(j, sum_re0, sum_im0);
    if constexpr (COLUMNS > 1)
        store(l, sum_re1, sum_im1);
}

// One duty: Householder's reduction to tridiagonal form (Golub and Van Loan, 8.3.1). The update of a
// step and the product of the next one share a pass over the matrix.
void tridiagonalize(split_matrix& g,
                    double* diagonal,
                    double* beside,
                    double* reflections_re,
                    double* reflections_im,
                    std::complex<double>* tau)
{
    using complex = std::complex<double>;
    const tag d;
    const size_t lanes = hn::Lanes(d);
    const size_t size = g.rows(), padded = whole_panels(size);
    Eigen::ArrayXXd room = Eigen::ArrayXXd::Zero(padded, 8);
    const auto vector = [&](int k) {
        return split_vector{ &room(0, k), &room(0, k + 1) };
    };
    const split_vector v = vector(0), w = vector(2), p = vector(4), sums = vector(6);
    for (size_t k = 0; k < size; k++) {
        // column k, updated as update_and_multiply does with those behind it
        double* const u_re = reflections_re + k * padded;
        double* const u_im = reflections_im + k * padded;
        for (size_t i = k / lanes * lanes; i < padded; i += lanes) {
            const double* const a = g.element(i, k);
            vec re = hn::Load(d, a), im = hn::Load(d, a + PANEL);
            remove(hn::Load(d, v.re + i),
                   hn::Load(d, v.im + i),
                   hn::Set(d, w.re[k]),
                   hn::Set(d, w.im[k]),
                   re,
                   im);
            remove(hn::Load(d, w.re + i),
                   hn::Load(d, w.im + i),
                   hn::Set(d, v.re[k]),
                   hn::Set(d, v.im[k]),
                   re,
                   im);
            hn::Store(re, d, u_re + i);
            hn::Store(im, d, u_im + i);
        }
        diagonal[k] = u_re[k];
        beside[k] = 0.0;
        if (k + 1 == size) {
            std::fill_n(u_re, padded, 0.0);
            std::fill_n(u_im, padded, 0.0);
            break;
        }

        // reflect what is below the diagonal to one real value
        const complex head(u_re[k + 1], u_im[k + 1]);
        const size_t first = (k + 1) / lanes * lanes;
        std::fill(u_re + k / lanes * lanes, u_re + k + 2, 0.0);
        std::fill(u_im + k / lanes * lanes, u_im + k + 2, 0.0);
        vec powers = hn::Zero(d);
        for (size_t i = first; i < padded; i += lanes) {
            const vec re = hn::Load(d, u_re + i), im = hn::Load(d, u_im + i);
            powers = hn::MulAdd(re, re, hn::MulAdd(im, im, powers));
        }
        const double power = hn::GetLane(hn::SumOfLanes(d, powers));
        beside[k] = head.real();
        if (power > 0.0 || head.imag() != 0.0) {
            const double length = std::sqrt(power + std::norm(head));
            beside[k] = head.real() > 0.0 ? -length : length;
            tau[k] = (beside[k] - head) / beside[k];
            const complex scale = 1.0 / (head - beside[k]);
            const vec scale_re = hn::Set(d, scale.real()),
                      scale_im = hn::Set(d, scale.imag());
            for (size_t i = first; i < padded; i += lanes) {
                vec re = hn::Zero(d), im = re;
                accumulate<false>(hn::Load(d, u_re + i),
                                  hn::Load(d, u_im + i),
                                  scale_re,
                                  scale_im,
                                  re,
                                  im);
                hn::Store(re, d, u_re + i);
                hn::Store(im, d, u_im + i);
            }
        }
        u_re[k + 1] = 1.0;

        // p = A u, w = tau p - |tau|^2/2 (p^H u) u
        std::fill(p.re + first, p.re + padded, 0.0);
        std::fill(p.im + first, p.im + padded, 0.0);
        sums.re[k] = sums.im[k] = 0.0;
        size_t j = k + 1;
        for (; j + 1 < size; j += 2)
            update_and_multiply<2>(g, j, v, w, { u_re, u_im }, p, sums);
        if (j < size)
            update_and_multiply<1>(g, j, v, w, { u_re, u_im }, p, sums);
        vec overlap_re = hn::Zero(d), overlap_im = overlap_re;
        for (size_t i = first; i < padded; i += lanes) {
            const vec re = hn::Add(hn::Load(d, p.re + i), hn::Load(d, sums.re + i));
            const vec im = hn::Add(hn::Load(d, p.im + i), hn::Load(d, sums.im + i));
            accumulate<true>(hn::Load(d, u_re + i),
                             hn::Load(d, u_im + i),
                             re,
                             im,
                             overlap_re,
                             overlap_im);
            hn::Store(re, d, p.re + i);
            hn::Store(im, d, p.im + i);
        }
        const double half = -0.5 * std::norm(tau[k]);
        const vec shift_re = hn::Mul(hn::Set(d, half), hn::SumOfLanes(d, overlap_re));
        const vec shift_im = hn::Mul(hn::Set(d, half), hn::SumOfLanes(d, overlap_im));
        const vec tau_re = hn::Set(d, tau[k].real()), tau_im = hn::Set(d, tau[k].imag());
        v.re[k] = v.im[k] = w.re[k] = w.im[k] = 0.0;
        for (size_t i = first; i < padded; i += lanes) {
            const vec re = hn::Load(d, u_re + i), im = hn::Load(d, u_im + i);
            vec w_re = hn::Zero(d), w_im = w_re;
            accumulate<false>(re, im, shift_re, shift_im, w_re, w_im);
            accumulate<false>(
                hn::Load(d, p.re + i), hn::Load(d, p.im + i), tau_re, tau_im, w_re, w_im);
            hn::Store(re, d, v.re + i);
            hn::Store(im, d, v.im + i);
            hn::Store(w_re, d, w.re + i);
            hn::Store(w_im, d, w.im + i);
        }
    }
}

// Q y: the last reflection first.
void turn(const double* v_re,
          const double* v_im,
          const std::complex<double>* tau,
          size_t size,
          double* y_re,
          double* y_im)
{
    const tag d;
    const size_t lanes = hn::Lanes(d);
    const size_t padded = whole_panels(size);
    for (size_t k = size - 1; k-- > 0;) {
        const double* const re = v_re + k * padded;
        const double* const im = v_im + k * padded;
        vec sum_re = hn::Zero(d), sum_im = sum_re; // v^H y
        const size_t first = (k + 1) / lanes * lanes;
        for (size_t i = first; i < padded; i += lanes)
            accumulate<true>(hn::Load(d, y_re + i),
                             hn::Load(d, y_im + i),
                             hn::Load(d, re + i),
                             hn::Load(d, im + i),
                             sum_re,
                             sum_im);
        vec by_re = hn::Zero(d), by_im = by_re;
        accumulate<false>(hn::SumOfLanes(d, sum_re),
                          hn::SumOfLanes(d, sum_im),
                          hn::Set(d, -tau[k].real()),
                          hn::Set(d, -tau[k].imag()),
                          by_re,
                          by_im);
        for (size_t i = first; i < padded; i += lanes) {
            vec to_re = hn::Load(d, y_re + i), to_im = hn::Load(d, y_im + i);
            accumulate<false>(
                hn::Load(d, re + i), hn::Load(d, im + i), by_re, by_im, to_re, to_im);
            hn::Store(to_re, d, y_re + i);
            hn::Store(to_im, d, y_im + i);
        }
    }
}

// Two reflections at a time: one product and one update for both.
void turn_rows(const double* v_re,
               const double* v_im,
               const std::complex<double>* tau,
               size_t size,
               split_matrix& x)
{
    const tag d;
    const size_t lanes = hn::Lanes(d);
    const size_t padded = whole_panels(size);
    for (size_t k = 0; k + 1 < size; k += 2) {
        const double* const re = v_re + k * padded;
        const double* const im = v_im + k * padded;
        const double* const next_re = re + padded;
        const double* const next_im = im + padded;
        std::complex<double> overlap = 0.0; // v^H v_next
        for (size_t j = k + 1; j < size; j++)
            overlap += std::complex<double>(re[j] * next_re[j] + im[j] * next_im[j],
                                            re[j] * next_im[j] - im[j] * next_re[j]);
        const auto scale = [&](std::complex<double> by, vec& z_re, vec& z_im) HWY_ATTR {
            const vec by_re = hn::Set(d, by.real()), by_im = hn::Set(d, by.imag());
            const vec was = z_re;
            z_re = hn::NegMulAdd(z_im, by_im, hn::Mul(z_re, by_re));
            z_im = hn::MulAdd(was, by_im, hn::Mul(z_im, by_re));
        };
        const vec overlap_re = hn::Set(d, -overlap.real());
        const vec overlap_im = hn::Set(d, -overlap.imag());
        for (size_t p = 0; p < x.num_panels(); p++)
            for (size_t r = 0; r < PANEL; r += 2 * lanes) {
                double* const rows = x.column(p, 0) + r;
                vec z_re0, z_re1, z_im0, z_im1, y_re0, y_re1, y_im0, y_im1;
                sum_products<false>(rows_of(rows + (k + 1) * split_matrix::COLUMN),
                                    size - k - 1,
                                    { re + k + 1, im + k + 1, 1 },
                                    { next_re + k + 1, next_im + k + 1, 1 },
                                    z_re0,
                                    z_re1,
                                    z_im0,
                                    z_im1,
                                    y_re0,
                                    y_re1,
                                    y_im0,
                                    y_im1);
                scale(tau[k], z_re0, z_im0);
                scale(tau[k], z_re1, z_im1);
                accumulate<false>(z_re0, z_im0, overlap_re, overlap_im, y_re0, y_im0);
                accumulate<false>(z_re1, z_im1, overlap_re, overlap_im, y_re1, y_im1);
                scale(tau[k + 1], y_re0, y_im0);
                scale(tau[k + 1], y_re1, y_im1);
                for (size_t j = k + 1; j < size; j++) {
                    double* const at = rows + j * split_matrix::COLUMN;
                    vec re0 = hn::Load(d, at), re1 = hn::Load(d, at + lanes);
                    vec im0 = hn::Load(d, at + PANEL),
                        im1 = hn::Load(d, at + PANEL + lanes);
                    const vec u_re = hn::Set(d, re[j]), u_im = hn::Set(d, im[j]);
                    remove(z_re0, z_im0, u_re, u_im, re0, im0);
                    remove(z_re1, z_im1, u_re, u_im, re1, im1);
                    const vec t_re = hn::Set(d, next_re[j]),
                              t_im = hn::Set(d, next_im[j]);
                    remove(y_re0, y_im0, t_re, t_im, re0, im0);
                    remove(y_re1, y_im1, t_re, t_im, re1, im1);
                    hn::Store(re0, d, at);
                    hn::Store(re1, d, at + lanes);
                    hn::Store(im0, d, at + PANEL);
                    hn::Store(im1, d, at + PANEL + lanes);
                }
            }
    }
}

void whitened_powers(const split_matrix& x,
                     const double* ratios,
                     const double* inverse_pivots,
                     size_t stride,
                     size_t columns,
                     double* powers)
{
    const tag d;
    const size_t lanes = hn::Lanes(d);
    for (size_t p = 0; p < x.num_panels(); p++)
        for (size_t r = 0; r < PANEL; r += 2 * lanes) {
            const double* at = x.column(p, 0) + r;
            vec re0 = hn::Zero(d), re1 = re0, im0 = re0, im1 = re0, sum0 = re0,
                sum1 = re0;
            for (size_t k = 0; k < columns; k++, at += split_matrix::COLUMN) {
                const vec ratio = hn::Set(d, ratios[k * stride]);
                const vec inverse = hn::Set(d, inverse_pivots[k * stride]);
                re0 = hn::NegMulAdd(ratio, re0, hn::Load(d, at));
                re1 = hn::NegMulAdd(ratio, re1, hn::Load(d, at + lanes));
                im0 = hn::NegMulAdd(ratio, im0, hn::Load(d, at + PANEL));
                im1 = hn::NegMulAdd(ratio, im1, hn::Load(d, at + PANEL + lanes));
                sum0 = hn::MulAdd(inverse, hn::MulAdd(re0, re0, hn::Mul(im0, im0)), sum0);
                sum1 = hn::MulAdd(inverse, hn::MulAdd(re1, re1, hn::Mul(im1, im1)), sum1);
            }
            hn::Store(sum0, d, powers + p * PANEL + r);
            hn::Store(sum1, d, powers + p * PANEL + r + lanes);
        }
}

} // namespace gr::reservoir::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace gr::reservoir::kernel {

HWY_EXPORT(gram);
HWY_EXPORT(cholesky);
HWY_EXPORT(solve_rows);
HWY_EXPORT(solve_adjoint);
HWY_EXPORT(adjoint_product);
HWY_EXPORT(product);
HWY_EXPORT(filter_bank);
HWY_EXPORT(row_powers);
HWY_EXPORT(solved_row_powers);
HWY_EXPORT(inverse_row_powers);
HWY_EXPORT(tridiagonalize);
HWY_EXPORT(turn);
HWY_EXPORT(turn_rows);
HWY_EXPORT(whitened_powers);

split_matrix::split_matrix(const Eigen::MatrixXcd& matrix, size_t columns)
    : split_matrix(matrix.rows(), columns)
{
    const size_t given = matrix.cols();
    for (size_t p = 0; p < num_panels(); p++) {
        const size_t first = p * PANEL, count = std::min(PANEL, d_rows - first);
        for (size_t k = 0; k < given; k++) {
            const std::complex<double>* const from = matrix.data() + k * d_rows + first;
            double* const to = column(p, k);
            for (size_t r = 0; r < count; r++) {
                to[r] = from[r].real();
                to[PANEL + r] = from[r].imag();
            }
            for (size_t r = count; r < PANEL; r++)
                to[r] = to[PANEL + r] = 0.0;
        }
        if (given < d_columns)
            std::fill_n(column(p, given), (d_columns - given) * COLUMN, 0.0);
    }
}

split_columns::split_columns(const Eigen::MatrixXcd& matrix)
    : split_columns(matrix.rows(), matrix.cols())
{
    re.topRows(matrix.rows()) = matrix.real();
    im.topRows(matrix.rows()) = matrix.imag();
}

Eigen::MatrixXcd split_columns::joined(size_t rows) const
{
    Eigen::MatrixXcd matrix(rows, re.cols());
    matrix.real() = re.topRows(rows);
    matrix.imag() = im.topRows(rows);
    return matrix;
}

namespace {

// Columns at a time that a Gram matrix is summed over: two panels of them stay in the first cache.
constexpr size_t BLOCK = 64;

// Two columns are made at a time; rows beyond those of x are zero.
split_matrix even(size_t size) { return { size, size + size % 2 }; }

} // namespace

split_matrix gram(const split_matrix& x)
{
    split_matrix g = even(x.rows());
    for (size_t first = 0; first < x.columns(); first += BLOCK)
        HWY_DYNAMIC_DISPATCH(gram)
    (x, first, std::min(BLOCK, x.columns() - first), first > 0, g);
    return g;
}

split_matrix adjoint_gram(const Eigen::MatrixXcd& matrix, const Eigen::VectorXd& weights)
{
    const size_t rows = matrix.rows(), size = matrix.cols();
    split_matrix g = even(size);
    if (rows == 0)
        std::fill_n(
            g.column(0, 0), g.num_panels() * g.columns() * split_matrix::COLUMN, 0.0);
    split_matrix x(size, std::min(BLOCK, rows)); // some rows, as columns of X
    if (rows > 0 && size % PANEL != 0)
        std::fill_n(
            x.column(x.num_panels() - 1, 0), x.columns() * split_matrix::COLUMN, 0.0);
    double scale[BLOCK];
    for (size_t first = 0; first < rows; first += BLOCK) {
        const size_t count = std::min(BLOCK, rows - first);
        for (size_t k = 0; k < count; k++)
            scale[k] = std::sqrt(weights(first + k));
        for (size_t i = 0; i < size; i++) {
            const std::complex<double>* const from = matrix.data() + i * rows + first;
            double* const to = x.column(i / PANEL, 0) + i % PANEL;
            for (size_t k = 0; k < count; k++) {
                to[k * split_matrix::COLUMN] = scale[k] * from[k].real();
                to[k * split_matrix::COLUMN + PANEL] = -scale[k] * from[k].imag();
            }
        }
        HWY_DYNAMIC_DISPATCH(gram)(x, 0, count, first > 0, g);
    }
    return g;
}

Eigen::MatrixXcd lower_half(const split_matrix& g)
{
    Eigen::MatrixXcd matrix = Eigen::MatrixXcd::Zero(g.rows(), g.rows());
    for (size_t k = 0; k < g.rows(); k++)
        for (size_t i = k; i < g.rows(); i++)
            matrix(i, k) = { g.element(i, k)[0], g.element(i, k)[PANEL] };
    return matrix;
}

cholesky_factor cholesky(split_matrix g, double mu)
{
    Eigen::ArrayXd inverse(g.columns());
    HWY_DYNAMIC_DISPATCH(cholesky)(g, mu, inverse.data());
    return { std::move(g), std::move(inverse) };
}

void solve_rows(const cholesky_factor& factor, split_matrix& x)
{
    HWY_DYNAMIC_DISPATCH(solve_rows)(factor.lower, factor.inverse_diagonal.data(), x);
}

void solve_adjoint(const cholesky_factor& factor, split_columns& y)
{
    for (Eigen::Index o = 0; o < y.re.cols(); o++)
        HWY_DYNAMIC_DISPATCH(solve_adjoint)
    (factor.lower,
     factor.inverse_diagonal.data(),
     y.re.col(o).data(),
     y.im.col(o).data());
}

split_columns adjoint_product(const split_matrix& x, const split_columns& y)
{
    split_columns out(x.columns(), y.re.cols());
    for (Eigen::Index o = 0; o < y.re.cols(); o++)
        HWY_DYNAMIC_DISPATCH(adjoint_product)
    (x,
     y.re.col(o).data(),
     y.im.col(o).data(),
     out.re.col(o).data(),
     out.im.col(o).data());
    return out;
}

namespace {

// Two columns of in, and of out, at a time; the last one twice where their number is odd.
template <class Function>
void two_at_a_time(const split_columns& in, split_columns& out, Function function)
{
    for (Eigen::Index k = 0; k < in.re.cols(); k += 2) {
        const Eigen::Index next = std::min(k + 1, in.re.cols() - 1);
        const double* const re[] = { in.re.col(k).data(), in.re.col(next).data() };
        const double* const im[] = { in.im.col(k).data(), in.im.col(next).data() };
        double* const out_re[] = { out.re.col(k).data(), out.re.col(next).data() };
        double* const out_im[] = { out.im.col(k).data(), out.im.col(next).data() };
        function(re, im, out_re, out_im);
    }
}

} // namespace

split_columns product(const split_matrix& x, const split_columns& y)
{
    split_columns out(x.rows(), y.re.cols());
    two_at_a_time(y, out, [&](auto re, auto im, auto out_re, auto out_im) {
        HWY_DYNAMIC_DISPATCH(product)(x, re, im, out_re, out_im);
    });
    return out;
}

Eigen::MatrixXcd filter_bank(const Eigen::VectorXcd& samples,
                             Eigen::Index first,
                             Eigen::Index rows,
                             const Eigen::MatrixXcd& filters)
{
    const Eigen::Index taps = filters.cols(), end = first + rows + taps - 1;
    split_columns seen(whole_panels(rows) + taps, 1);
    const Eigen::Index begin = std::max<Eigen::Index>(first, 0);
    const Eigen::Index count = std::min(end, samples.size()) - begin;
    if (count > 0) {
        seen.re.col(0).segment(begin - first, count) =
            samples.segment(begin, count).real().array();
        seen.im.col(0).segment(begin - first, count) =
            samples.segment(begin, count).imag().array();
    }
    split_columns out(rows, filters.rows());
    two_at_a_time(
        split_columns(filters.transpose()),
        out,
        [&](auto re, auto im, auto out_re, auto out_im) {
            HWY_DYNAMIC_DISPATCH(filter_bank)
            (seen.re.data(), seen.im.data(), rows, taps, re, im, out_re, out_im);
        });
    return out.joined(rows);
}

Eigen::ArrayXd solved_row_powers(const cholesky_factor& factor, const split_matrix& x)
{
    Eigen::ArrayXd powers(x.num_panels() * PANEL);
    HWY_DYNAMIC_DISPATCH(solved_row_powers)
    (factor.lower, factor.inverse_diagonal.data(), x, powers.data());
    return powers;
}

double inverse_trace(const cholesky_factor& factor)
{
    Eigen::ArrayXd powers(factor.lower.num_panels() * PANEL);
    HWY_DYNAMIC_DISPATCH(inverse_row_powers)
    (factor.lower, factor.inverse_diagonal.data(), powers.data());
    return powers.head(factor.lower.rows()).sum();
}

Eigen::ArrayXd row_powers(const split_matrix& x)
{
    Eigen::ArrayXd powers(x.num_panels() * PANEL);
    HWY_DYNAMIC_DISPATCH(row_powers)(x, powers.data());
    return powers;
}

tridiagonal_form tridiagonalize(split_matrix g)
{
    const size_t size = g.rows();
    tridiagonal_form form{ Eigen::ArrayXd(size),
                           Eigen::ArrayXd(size),
                           split_columns(size, size + size % 2),
                           Eigen::ArrayXcd::Zero(size + size % 2) };
    HWY_DYNAMIC_DISPATCH(tridiagonalize)
    (g,
     form.diagonal.data(),
     form.beside.data(),
     form.v.re.data(),
     form.v.im.data(),
     form.tau.data());
    return form;
}

void turn_rows(const tridiagonal_form& form, split_matrix& x)
{
    HWY_DYNAMIC_DISPATCH(turn_rows)
    (form.v.re.data(), form.v.im.data(), form.tau.data(), form.diagonal.size(), x);
}

void turn(const tridiagonal_form& form, split_columns& y)
{
    for (Eigen::Index o = 0; o < y.re.cols(); o++)
        HWY_DYNAMIC_DISPATCH(turn)
    (form.v.re.data(),
     form.v.im.data(),
     form.tau.data(),
     form.diagonal.size(),
     y.re.col(o).data(),
     y.im.col(o).data());
}

Eigen::ArrayXXd whitened_powers(const split_matrix& x,
                                const Eigen::ArrayXXd& ratios,
                                const Eigen::ArrayXXd& inverse_pivots)
{
    Eigen::ArrayXXd powers(x.num_panels() * PANEL, ratios.rows());
    for (Eigen::Index i = 0; i < ratios.rows(); i++)
        HWY_DYNAMIC_DISPATCH(whitened_powers)
    (x,
     &ratios(i, 0),
     &inverse_pivots(i, 0),
     ratios.rows(),
     ratios.cols(),
     &powers(0, i));
    return powers;
}

} // namespace gr::reservoir::kernel

#endif
