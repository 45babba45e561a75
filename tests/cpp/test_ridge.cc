/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/random.h>
#include <gnuradio/reservoir/kernel/ridge.h>

#include <Eigen/Dense>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace kernel = gr::reservoir::kernel;
namespace data = boost::unit_test::data;
using Eigen::MatrixXcd;
using Eigen::VectorXd;
using kernel::ridge;
using kernel::ridge_result;

namespace {

MatrixXcd gaussian_matrix(int rows, int columns, uint64_t seed)
{
    kernel::random generator(seed);
    MatrixXcd matrix(rows, columns);
    for (int k = 0; k < columns; k++)
        for (int p = 0; p < rows; p++)
            matrix(p, k) = generator.complex_gaussian();
    return matrix;
}

// Singular values from 1 down to 10^-decades, equally spaced in their logarithm.
MatrixXcd graded_matrix(int rows, int columns, double decades, uint64_t seed)
{
    const Eigen::JacobiSVD<MatrixXcd> svd(gaussian_matrix(rows, columns, seed),
                                          Eigen::ComputeThinU | Eigen::ComputeThinV);
    const int rank = std::min(rows, columns);
    VectorXd singular(rank);
    for (int k = 0; k < rank; k++)
        singular(k) = std::pow(10.0, -decades * k / (rank - 1));
    return svd.matrixU() * singular.asDiagonal() * svd.matrixV().adjoint();
}

VectorXd column_rms(const MatrixXcd& features)
{
    return (features.colwise().norm() / std::sqrt(double(features.rows()))).transpose();
}

// The rows [features; sqrt(penalty) diag(rms)] against [targets; 0], by Householder QR.
MatrixXcd augmented_solve(const MatrixXcd& features,
                          const MatrixXcd& targets,
                          const VectorXd& rms,
                          double penalty)
{
    const auto size = features.cols();
    MatrixXcd rows = MatrixXcd::Zero(features.rows() + size, size);
    rows.topRows(features.rows()) = features;
    rows.bottomRows(size).diagonal() =
        (std::sqrt(penalty) * rms).cast<std::complex<double>>();
    MatrixXcd right = MatrixXcd::Zero(rows.rows(), targets.cols());
    right.topRows(targets.rows()) = targets;
    return rows.colPivHouseholderQr().solve(right);
}

MatrixXcd without_row(const MatrixXcd& matrix, int row)
{
    MatrixXcd rest(matrix.rows() - 1, matrix.cols());
    rest << matrix.topRows(row), matrix.bottomRows(matrix.rows() - 1 - row);
    return rest;
}

double relative_error(const MatrixXcd& value, const MatrixXcd& expected)
{
    return (value - expected).norm() / expected.norm();
}

} // namespace

BOOST_AUTO_TEST_CASE(identity_gives_identity)
{
    const MatrixXcd eye = MatrixXcd::Identity(6, 6);
    const ridge_result result = ridge(eye).solve(eye, 0.0);
    BOOST_CHECK_SMALL((result.weights - eye).norm(), 1e-12);
    BOOST_CHECK_EQUAL(result.regularization, 0.0);
}

BOOST_AUTO_TEST_CASE(weights_are_not_conjugated)
{
    const MatrixXcd features = gaussian_matrix(30, 4, 1);
    const MatrixXcd weights = gaussian_matrix(4, 2, 2);
    const ridge_result result = ridge(features).solve(features * weights, 0.0);
    BOOST_CHECK_SMALL(relative_error(result.weights, weights), 1e-12);
    BOOST_CHECK_SMALL(result.leave_one_out_mse, 1e-24);
}

BOOST_DATA_TEST_CASE(agrees_with_the_augmented_system,
                     (data::make({ 20, 64, 8, 32 }) ^ data::make({ 5, 56, 30, 56 })) *
                         data::make({ 1e-5, 1e-2, 10.0 }),
                     rows,
                     columns,
                     lambda)
{
    // rows >= columns is solved in the primal, rows < columns in the dual
    const MatrixXcd features = gaussian_matrix(rows, columns, 3);
    const MatrixXcd targets = gaussian_matrix(rows, 2, 4);
    const MatrixXcd expected =
        augmented_solve(features, targets, column_rms(features), lambda * rows);
    BOOST_CHECK_SMALL(
        relative_error(ridge(features).solve(targets, lambda).weights, expected), 1e-9);
}

BOOST_DATA_TEST_CASE(leave_one_out_equals_refits,
                     (data::make({ 20, 8 }) ^ data::make({ 5, 30 })) *
                         data::make({ 1e-5, 0.05, 0.5, 10.0 }),
                     rows,
                     columns,
                     lambda)
{
    const MatrixXcd features = gaussian_matrix(rows, columns, 5);
    const MatrixXcd targets = gaussian_matrix(rows, 2, 6);
    const ridge_result result = ridge(features).solve(targets, lambda);
    MatrixXcd expected(rows, 2);
    for (int p = 0; p < rows; p++)
        expected.row(p) = features.row(p) * augmented_solve(without_row(features, p),
                                                            without_row(targets, p),
                                                            column_rms(features),
                                                            lambda * rows);
    BOOST_CHECK_SMALL(relative_error(result.leave_one_out, expected), 1e-9);
    BOOST_CHECK_CLOSE(result.leave_one_out_mse,
                      (targets - result.leave_one_out).squaredNorm() / (2.0 * rows),
                      1e-9);
}

// As many free columns as rows fit all of them, whatever the others do.
BOOST_AUTO_TEST_CASE(leave_one_out_sees_that_free_columns_fit_everything)
{
    const ridge regression(gaussian_matrix(4, 30, 5), { 0, 1, 2, 3, 4 });
    const MatrixXcd targets = gaussian_matrix(4, 2, 6);
    for (const double lambda : { -1.0, 1e-5, 1.0 })
        BOOST_CHECK_GT(regression.solve(targets, lambda).leave_one_out_mse, 0.1);
}

// Free columns are what a ridge towards F g gives with the g that makes its objective least.
BOOST_AUTO_TEST_CASE(free_columns_are_a_ridge_towards_their_best_gains)
{
    const MatrixXcd a = gaussian_matrix(40, 12, 1), y = gaussian_matrix(40, 2, 2);
    const std::vector<Eigen::Index> free = { 3, 7 };
    const double lambda = 0.3, mu = lambda * 40;
    MatrixXcd scaled = a * column_rms(a).cwiseInverse().asDiagonal();
    const MatrixXcd c = scaled(Eigen::all, free);
    // what is left of the objective once everything but g is minimised: (y − c g)^H M (y − c g)
    const MatrixXcd identity = MatrixXcd::Identity(40, 40);
    const MatrixXcd m = (scaled * scaled.adjoint() / mu + identity).inverse();
    const MatrixXcd g = (c.adjoint() * m * c).ldlt().solve(c.adjoint() * m * y);
    MatrixXcd v = scaled.adjoint() * m * (y - c * g) / mu; // ridge on what F g leaves
    v.row(3) += g.row(0);
    v.row(7) += g.row(1);
    const MatrixXcd expected = column_rms(a).cwiseInverse().asDiagonal() * v;
    const ridge_result found = ridge(a, free).solve(y, lambda);
    BOOST_TEST((found.weights - expected).norm() < 1e-4 * expected.norm());
    // with a penalty without end the rest is zero
    const MatrixXcd alone = ridge(a, { 3 }).solve(y, 1e4).weights;
    BOOST_TEST(alone.topRows(3).norm() < 1e-3 * alone.row(3).norm());
}

BOOST_AUTO_TEST_CASE(scaling_a_column_scales_its_weight)
{
    const MatrixXcd features = gaussian_matrix(25, 4, 7);
    const MatrixXcd targets = gaussian_matrix(25, 1, 8);
    VectorXd scale(4);
    scale << 1e-9, 1.0, 1e6, 1e120;
    const ridge_result plain = ridge(features).solve(targets, -1.0);
    const ridge_result scaled = ridge(features * scale.asDiagonal()).solve(targets, -1.0);
    BOOST_CHECK_SMALL(relative_error(scale.asDiagonal() * scaled.weights, plain.weights),
                      1e-12);
    BOOST_CHECK_EQUAL(scaled.regularization, plain.regularization);
    BOOST_CHECK_CLOSE(scaled.leave_one_out_mse, plain.leave_one_out_mse, 1e-9);
}

BOOST_AUTO_TEST_CASE(duplicated_column_shares_the_weight)
{
    MatrixXcd features = gaussian_matrix(30, 4, 9);
    features.col(3) = features.col(1);
    const MatrixXcd targets = gaussian_matrix(30, 1, 10);
    const MatrixXcd weights = ridge(features).solve(targets, 0.0).weights;
    const MatrixXcd three =
        features.leftCols(3).colPivHouseholderQr().solve(targets); // without the copy
    BOOST_CHECK_SMALL(std::abs(weights(0) - three(0)), 1e-10);
    BOOST_CHECK_SMALL(std::abs(weights(1) - 0.5 * three(1)), 1e-10);
    BOOST_CHECK_SMALL(std::abs(weights(3) - 0.5 * three(1)), 1e-10);
}

BOOST_DATA_TEST_CASE(accurate_on_ill_conditioned_features,
                     (data::make({ 40, 24 }) ^ data::make({ 24, 40 })) *
                         data::make({ 9.0, 14.0 }),
                     rows,
                     columns,
                     decades)
{
    const MatrixXcd features = graded_matrix(rows, columns, decades, 11);
    const MatrixXcd targets = gaussian_matrix(rows, 1, 12);
    const ridge solver(features);
    const VectorXd rms = column_rms(features);

    const MatrixXcd expected = augmented_solve(features, targets, rms, 1e-5 * rows);
    // what counts as zero below 1e-10 of the greatest would have had a weight of this order
    const double tolerance = decades > 10.0 ? 1e-7 : 1e-9;
    BOOST_CHECK_SMALL(relative_error(solver.solve(targets, 1e-5).weights, expected),
                      tolerance);

    // lambda = 0 against the pseudo-inverse with the same rank decision
    const MatrixXcd normalised = features * rms.cwiseInverse().asDiagonal();
    Eigen::JacobiSVD<MatrixXcd> svd(normalised,
                                    Eigen::ComputeThinU | Eigen::ComputeThinV);
    svd.setThreshold(1e-10);
    const MatrixXcd fitted = normalised * svd.solve(targets);
    const MatrixXcd weights = solver.solve(targets, 0.0).weights;
    BOOST_CHECK_SMALL(relative_error(features * weights, fitted), 1e-4);
    BOOST_CHECK_SMALL(
        (rms.asDiagonal() * weights).norm() / svd.solve(targets).norm() - 1.0, 1e-4);
}

BOOST_DATA_TEST_CASE(consistent_system_is_solved_to_the_condition_number,
                     data::make({ 2.0, 5.0, 8.0 }),
                     decades)
{
    // a backward stable solver: error of order epsilon times the condition number
    const MatrixXcd features = graded_matrix(64, 24, decades, 13);
    const MatrixXcd weights = gaussian_matrix(24, 1, 14);
    const MatrixXcd found = ridge(features).solve(features * weights, 0.0).weights;
    BOOST_CHECK_SMALL(relative_error(found, weights), 1e-13 * std::pow(10.0, decades));
}

BOOST_AUTO_TEST_CASE(rank_deficient_with_least_regularization)
{
    MatrixXcd features = gaussian_matrix(64, 30, 15) * gaussian_matrix(30, 56, 16);
    const MatrixXcd targets = gaussian_matrix(64, 2, 17);
    const MatrixXcd expected =
        augmented_solve(features, targets, column_rms(features), 1e-5 * 64);
    BOOST_CHECK_SMALL(
        relative_error(ridge(features).solve(targets, 1e-5).weights, expected), 1e-8);
}

BOOST_DATA_TEST_CASE(grid_choice_is_the_least_error,
                     data::make({ 0.01, 0.3, 3.0 }),
                     noise)
{
    const MatrixXcd features = gaussian_matrix(24, 16, 18);
    const MatrixXcd targets =
        features * gaussian_matrix(16, 2, 19) + noise * gaussian_matrix(24, 2, 20);
    const ridge solver(features);
    const ridge_result chosen = solver.solve(targets, -1.0);
    bool in_grid = false;
    for (int i = 0; i < 14; i++) {
        const double lambda = std::pow(10.0, -5.0 + 0.5 * i);
        const ridge_result fixed = solver.solve(targets, lambda);
        // a search and a given lambda are solved in different ways
        BOOST_CHECK_GE(fixed.leave_one_out_mse * (1.0 + 1e-12), chosen.leave_one_out_mse);
        if (lambda == chosen.regularization) {
            in_grid = true;
            BOOST_CHECK_SMALL(relative_error(fixed.weights, chosen.weights), 1e-12);
        }
    }
    BOOST_CHECK(in_grid);
}

BOOST_DATA_TEST_CASE(degenerate_shapes_and_values,
                     data::make({ 1, 1, 7, 5 }) ^ data::make({ 1, 6, 1, 3 }),
                     rows,
                     columns)
{
    const MatrixXcd targets = gaussian_matrix(rows, 2, 21);
    for (const double scale : { 0.0, 1.0, 1e-200, 1e150 }) {
        const MatrixXcd features = scale * gaussian_matrix(rows, columns, 22);
        for (const double lambda : { -1.0, 0.0, 1.0 }) {
            for (const double target_scale : { 0.0, 1.0 }) {
                const ridge_result result =
                    ridge(features).solve(target_scale * targets, lambda);
                BOOST_CHECK(result.weights.rows() == columns &&
                            result.weights.cols() == 2);
                BOOST_CHECK(result.weights.allFinite());
                BOOST_CHECK(result.leave_one_out.allFinite());
                BOOST_CHECK(std::isfinite(result.leave_one_out_mse));
                if (scale == 0.0 || target_scale == 0.0)
                    BOOST_CHECK_EQUAL(result.weights.norm(), 0.0);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(zero_column_has_weight_zero)
{
    MatrixXcd features = gaussian_matrix(20, 4, 23);
    features.col(2).setZero();
    const MatrixXcd targets = gaussian_matrix(20, 1, 24);
    const ridge_result result = ridge(features).solve(targets, -1.0);
    BOOST_CHECK_EQUAL(std::abs(result.weights(2)), 0.0);
    BOOST_CHECK_GT(std::abs(result.weights(1)), 0.0);
}

BOOST_AUTO_TEST_CASE(bad_arguments)
{
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double inf = std::numeric_limits<double>::infinity();
    MatrixXcd features = gaussian_matrix(5, 2, 25);
    const MatrixXcd targets = gaussian_matrix(5, 1, 26);
    const ridge solver(features);
    BOOST_CHECK_THROW(ridge(MatrixXcd(0, 2)), std::invalid_argument);
    BOOST_CHECK_THROW(ridge(MatrixXcd(5, 0)), std::invalid_argument);
    BOOST_CHECK_THROW(solver.solve(MatrixXcd(5, 0), 0.0), std::invalid_argument);
    BOOST_CHECK_THROW(solver.solve(gaussian_matrix(4, 1, 27), 0.0),
                      std::invalid_argument);
    BOOST_CHECK_THROW(solver.solve(targets, nan), std::invalid_argument);
    BOOST_CHECK_THROW(solver.solve(targets, inf), std::invalid_argument);
    BOOST_CHECK_THROW(solver.solve(targets * nan, 0.0), std::invalid_argument);
    features(3, 1) = { 0.0, inf };
    BOOST_CHECK_THROW(ridge{ features }, std::invalid_argument);
}
