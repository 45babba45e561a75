/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel/normal_equations.h"

#include "kernel/ridge_grid.h"
#include "kernel/split_matrix.h"
#include <algorithm>
#include <utility>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Eigen::MatrixXcd;

namespace {

constexpr double LEAST_ONE_MINUS_SHARE = 1e-3;
// What rounding of sums in single precision leaves of an error.
constexpr double LEAST_RESIDUAL = 1e-12;

double inflation_of(double share)
{
    return 1.0 / std::max(1.0 - share, LEAST_ONE_MINUS_SHARE);
}

// Features by their inverse root mean square and penalty; a feature of zeros stays one.
ArrayXd inverse_scales(const normal_equations& sums, const ArrayXd& penalties)
{
    const ArrayXd squares = sums.gram.diagonal().real().array();
    return (squares > 1e-300)
        .select((sums.rows / (squares.max(1e-300) * penalties)).sqrt(), 0.0);
}

// D G D: the lower half, and the upper one in the panels of the diagonal
split_matrix scaled_gram(const MatrixXcd& gram, const ArrayXd& scales)
{
    const Index size = gram.rows();
    split_matrix out(size, size + size % 2);
    for (Index k = 0; k < Index(out.columns()); k++)
        for (size_t p = k / PANEL; p < out.num_panels(); p++) {
            double* const to = out.column(p, k);
            const Index first = p * PANEL;
            if (first > k && first + Index(PANEL) <= size) { // most of it
                const std::complex<double>* const from = &gram(first, k);
                for (Index r = 0; r < Index(PANEL); r++) {
                    const double scale = scales(first + r) * scales(k);
                    to[r] = scale * from[r].real();
                    to[PANEL + r] = scale * from[r].imag();
                }
                continue;
            }
            for (Index r = 0; r < Index(PANEL); r++) {
                const Index i = first + r;
                std::complex<double> value = 0.0;
                if (i < size && k < size)
                    value = scales(i) * scales(k) *
                            (i >= k ? gram(i, k) : std::conj(gram(k, i)));
                to[r] = value.real();
                to[PANEL + r] = value.imag();
            }
        }
    return out;
}

// (D A^H Y)^H, as rows
split_matrix scaled_cross(const MatrixXcd& cross, const ArrayXd& scales)
{
    return { (scales.matrix().asDiagonal() * cross).adjoint(),
             size_t(cross.rows() + cross.rows() % 2) };
}

// Of the solution of (D G D + mu I) v = D A^H Y.
ridge_fit fit_of(const MatrixXcd& v,
                 const ArrayXd& scales,
                 const Eigen::Ref<const MatrixXcd>& cross,
                 const ArrayXd& energy,
                 double mu,
                 double share)
{
    ridge_fit fit;
    fit.weights = scales.matrix().asDiagonal() * v;
    fit.share = share;
    fit.overlap = (cross.conjugate().array() * fit.weights.array()).colwise().sum();
    fit.power = (fit.overlap.real() - mu * v.colwise().squaredNorm().transpose().array())
                    .max(0.0);
    fit.residual =
        (energy - 2.0 * fit.overlap.real() + fit.power).max(LEAST_RESIDUAL * energy);
    return fit;
}

} // namespace

double ridge_fit::inflation() const { return inflation_of(share); }

ridge_path::ridge_path(const normal_equations& sums, const ArrayXd& penalties)
    : d_cross(sums.cross),
      d_energy(sums.energy),
      d_rows(sums.rows),
      d_scales(inverse_scales(sums, penalties)),
      d_form(tridiagonalize(scaled_gram(sums.gram, d_scales))),
      d_turned(scaled_cross(sums.cross, d_scales))
{
    turn_rows(d_form, d_turned);
}

ArrayXXd ridge_path::errors(const ArrayXd& lambdas) const
{
    const Index size = d_cross.rows();
    const ArrayXd mus = d_rows * lambdas.max(LEAST_REGULARIZATION_OF_SUMS);
    const grid_factors factors(d_form, mus);
    const ArrayXd shares = (double(size) - mus * factors.inverse_traces()) / d_rows;
    ArrayXXd found(lambdas.size(), d_cross.cols());
    ArrayXd part(size);
    for (Index o = 0; o < found.cols(); o++) {
        ArrayXd explained = ArrayXd::Zero(lambdas.size()), power = explained;
        for (const size_t which : { size_t(0), PANEL }) {
            for (Index k = 0; k < size; k++)
                part(k) = d_turned.element(o, k)[which];
            const ArrayXXd solution = factors.solve(part);
            explained += (solution.colwise() * part).colwise().sum().transpose();
            power += solution.square().colwise().sum().transpose();
        }
        found.col(o) =
            (d_energy(o) - explained - mus * power).max(LEAST_RESIDUAL * d_energy(o)) *
            shares.unaryExpr(&inflation_of).square();
    }
    return found;
}

ridge_fit ridge_path::fit(double lambda, Index first, Index count) const
{
    const Index size = d_cross.rows();
    const ArrayXd mu =
        ArrayXd::Constant(1, d_rows * std::max(lambda, LEAST_REGULARIZATION_OF_SUMS));
    const grid_factors factors(d_form, mu);
    split_columns solved(size, count);
    ArrayXd part(size);
    for (Index o = 0; o < count; o++)
        for (const size_t which : { size_t(0), PANEL }) {
            for (Index k = 0; k < size; k++)
                part(k) = d_turned.element(first + o, k)[which];
            if (which == 0)
                solved.re.col(o).head(size) = factors.solve(part);
            else
                solved.im.col(o).head(size) = -factors.solve(part);
        }
    turn(d_form, solved);
    const double share = (double(size) - mu(0) * factors.inverse_traces()(0)) / d_rows;
    return fit_of(solved.joined(size),
                  d_scales,
                  d_cross.middleCols(first, count),
                  d_energy.segment(first, count),
                  mu(0),
                  share);
}

ridge_fit fit_ridge(const normal_equations& sums, const ArrayXd& penalties, double lambda)
{
    const Index size = sums.gram.rows(), outputs = sums.cross.cols();
    const double mu = sums.rows * std::max(lambda, LEAST_REGULARIZATION_OF_SUMS);
    const ArrayXd scales = inverse_scales(sums, penalties);
    const cholesky_factor factor = cholesky(scaled_gram(sums.gram, scales), mu);
    split_matrix solved = scaled_cross(sums.cross, scales);
    solve_rows(factor, solved);
    split_columns columns(size, outputs);
    for (Index o = 0; o < outputs; o++)
        for (Index k = 0; k < size; k++) {
            columns.re(k, o) = solved.element(o, k)[0];
            columns.im(k, o) = -solved.element(o, k)[PANEL];
        }
    solve_adjoint(factor, columns);
    const double share = (double(size) - mu * inverse_trace(factor)) / sums.rows;
    return fit_of(columns.joined(size), scales, sums.cross, sums.energy, mu, share);
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
