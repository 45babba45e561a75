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
            for (Index r = 0; r < Index(PANEL); r++) {
                const Index i = p * PANEL + r;
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

} // namespace

double ridge_fit::inflation() const { return inflation_of(share); }

ArrayXXd cross_validation_errors(const normal_equations& sums,
                                 const ArrayXd& penalties,
                                 const ArrayXd& lambdas)
{
    const Index size = sums.gram.rows();
    const ArrayXd scales = inverse_scales(sums, penalties);
    const tridiagonal_form form = tridiagonalize(scaled_gram(sums.gram, scales));
    split_matrix turned = scaled_cross(sums.cross, scales);
    turn_rows(form, turned); // (Q^H D A^H Y)^H

    const ArrayXd mus = sums.rows * lambdas.max(LEAST_REGULARIZATION_OF_SUMS);
    const grid_factors factors(form, mus);
    const ArrayXd shares = (double(size) - mus * factors.inverse_traces()) / sums.rows;
    ArrayXXd errors(lambdas.size(), sums.cross.cols());
    ArrayXd part(size);
    for (Index o = 0; o < errors.cols(); o++) {
        ArrayXd explained = ArrayXd::Zero(lambdas.size()), power = explained;
        for (const size_t which : { size_t(0), PANEL }) {
            for (Index k = 0; k < size; k++)
                part(k) = turned.element(o, k)[which];
            const ArrayXXd solution = factors.solve(part);
            explained += (solution.colwise() * part).colwise().sum().transpose();
            power += solution.square().colwise().sum().transpose();
        }
        errors.col(o) = (sums.energy(o) - explained - mus * power)
                            .max(LEAST_RESIDUAL * sums.energy(o)) *
                        shares.unaryExpr(&inflation_of).square();
    }
    return errors;
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
    const MatrixXcd v = columns.joined(size);

    ridge_fit fit;
    fit.weights = scales.matrix().asDiagonal() * v;
    fit.share = (double(size) - mu * inverse_trace(factor)) / sums.rows;
    // (D G D + mu I) v = D A^H Y
    fit.overlap = (sums.cross.conjugate().array() * fit.weights.array()).colwise().sum();
    fit.power = (fit.overlap.real() - mu * v.colwise().squaredNorm().transpose().array())
                    .max(0.0);
    fit.residual = (sums.energy - 2.0 * fit.overlap.real() + fit.power)
                       .max(LEAST_RESIDUAL * sums.energy);
    return fit;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
