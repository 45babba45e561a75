/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel/split_matrix.h"
#include <gnuradio/reservoir/kernel/model_prior.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;

model_moments model_gram(const MatrixXcd& functionals,
                         Index past,
                         const MatrixXcd& taps,
                         double noise_variance,
                         Index num_feedback)
{
    const Index rows = functionals.rows();
    const Index width = functionals.cols();
    const Index length = taps.rows();
    const Index streams = taps.cols();
    const Index size = streams * rows;

    // features as functionals of the symbols x[n-past-length+1], ..., x[n+future]
    MatrixXcd symbols = MatrixXcd::Zero(size, width + length - 1);
    for (Index q = 0; q < streams; q++)
        for (Index l = 0; l < length; l++)
            symbols.block(q * rows, length - 1 - l, rows, width) +=
                taps(l, q) * functionals;
    const Index now = past + length - 1;

    MatrixXcd features = symbols * symbols.adjoint();
    const MatrixXcd noise = noise_variance * functionals * functionals.adjoint();
    for (Index q = 0; q < streams; q++)
        features.block(q * rows, q * rows, rows, rows) += noise;

    model_moments moments;
    moments.gram = MatrixXcd::Identity(size + num_feedback, size + num_feedback);
    moments.gram.topLeftCorner(size, size) = features.conjugate();
    moments.cross = VectorXcd::Zero(size + num_feedback);
    moments.cross.head(size) = symbols.col(now).conjugate();
    for (Index j = 1; j <= num_feedback; j++) {
        moments.gram.block(0, size + j - 1, size, 1) = symbols.col(now - j).conjugate();
        moments.gram.block(size + j - 1, 0, 1, size) = symbols.col(now - j).transpose();
    }
    return moments;
}

prior_ridge_result prior_ridge(const MatrixXcd& features,
                               const VectorXcd& targets,
                               const Eigen::VectorXd& weights,
                               const model_moments& prior,
                               const std::vector<double>& prior_weights)
{
    const Index rows = features.rows(), size = features.cols();
    const double total = weights.sum();
    const MatrixXcd gram = lower_half(adjoint_gram(features, weights));
    const split_matrix regressors(features, size + size % 2);
    const VectorXcd cross =
        adjoint_product(regressors, split_columns(weights.asDiagonal() * targets))
            .joined(size);
    const Eigen::VectorXd loading =
        1e-4 * (gram.diagonal().real() + total * prior.gram.diagonal().real()).array() +
        1e-9;

    prior_ridge_result best;
    best.leave_one_out_mse = std::numeric_limits<double>::infinity();
    MatrixXcd best_matrix;
    VectorXcd best_left_out;
    for (const double kappa : prior_weights) {
        MatrixXcd matrix = gram + kappa * total * prior.gram;
        matrix.diagonal() += loading.cast<std::complex<double>>();
        const cholesky_factor factor =
            cholesky(split_matrix(matrix, regressors.columns()), 0.0);
        const VectorXcd right = cross + kappa * total * prior.cross;
        split_matrix row(right.adjoint(), regressors.columns());
        solve_rows(factor, row); // (L^-1 right)^H
        split_columns solution(size, 1);
        for (Index k = 0; k < size; k++) {
            solution.re(k) = row.element(0, k)[0];
            solution.im(k) = -row.element(0, k)[PANEL];
        }
        solve_adjoint(factor, solution);
        const VectorXcd residual = targets - product(regressors, solution).joined(rows);
        // over one minus the row's own share
        const Eigen::VectorXd others =
            (1.0 - weights.array() * solved_row_powers(factor, regressors).head(rows))
                .max(1e-3)
                .inverse();
        const VectorXcd left_out = others.asDiagonal() * residual;
        const double mse =
            (weights.array() * left_out.array().abs2()).sum() / std::max(total, 1e-12);
        if (mse < best.leave_one_out_mse || !best.weights.size()) {
            best.weights = solution.joined(size);
            best.leave_one_out_mse = mse;
            best.prior_weight = kappa;
            best_left_out = left_out;
            best_matrix.swap(matrix);
        }
    }
    best.leave_one_out = targets - best_left_out;
    best.condition_number =
        1.0 / std::max(Eigen::LLT<MatrixXcd>(best_matrix).rcond(), 1e-300);
    return best;
}

std::complex<double> centroid_gain(const VectorXcd& estimates,
                                   const VectorXcd& symbols,
                                   const Eigen::VectorXd& weights)
{
    const double power = (weights.array() * symbols.array().abs2()).sum();
    if (!(power > 0.0))
        return 1.0;
    const std::complex<double> gain = (weights.array().cast<std::complex<double>>() *
                                       symbols.array().conjugate() * estimates.array())
                                          .sum() /
                                      power;
    return std::abs(gain) < 0.05 ? 0.05 : gain;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
