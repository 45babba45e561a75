/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel/ridge_grid.h"
#include "kernel/split_matrix.h"
#include <gnuradio/reservoir/kernel/ridge.h>

#include <Eigen/Dense>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

namespace {

constexpr double RANK_TOLERANCE = 1e-10;
constexpr double ZERO_COLUMN_RMS = 1e-150;
// Where 1 - hat is a difference (no more features than rows, or by the SVD), less than this is rounding.
constexpr double LEAST_ONE_MINUS_HAT = 1e-9;
constexpr double FREE = 1e3; // a free column's scale: its penalty is 1e-6 of the others'
// Below it the Gram matrix, whose small eigenvalues are wrong by epsilon, is not enough.
constexpr double LEAST_REGULARIZATION_OF_GRAM = 1e-7;

std::string shape(const Eigen::MatrixXcd& matrix)
{
    return std::to_string(matrix.rows()) + " x " + std::to_string(matrix.cols());
}

using real_columns = Eigen::Map<const Eigen::ArrayXXd>;

// Real and imaginary parts below each other: for real loops, which take a quarter of the time.
real_columns parts(const Eigen::MatrixXcd& matrix)
{
    return { reinterpret_cast<const double*>(matrix.data()),
             2 * matrix.rows(),
             matrix.cols() };
}

void require_finite(const Eigen::MatrixXcd& matrix, double power, const std::string& name)
{
    if (matrix.size() == 0)
        throw std::invalid_argument(name + " is " + shape(matrix) +
                                    ": must be at least 1 x 1");
    if (!std::isfinite(power) && !matrix.allFinite())
        throw std::invalid_argument(name + ": every value must be finite");
}

// Eigen's stableNorm does the same at ten times the cost.
double rms(const Eigen::VectorXcd& column)
{
    const double largest = std::max(column.real().cwiseAbs().maxCoeff(),
                                    column.imag().cwiseAbs().maxCoeff());
    if (largest == 0.0)
        return 0.0;
    return largest * (column / largest).norm() /
           std::sqrt(static_cast<double>(column.size()));
}

// D: one over the rms of each column, zero for a zero column
Eigen::VectorXd inverse_column_rms(const Eigen::MatrixXcd& features,
                                   const Eigen::ArrayXd& powers)
{
    Eigen::VectorXd inverse(features.cols());
    for (Eigen::Index k = 0; k < features.cols(); k++) {
        const double mean = powers(k) / static_cast<double>(features.rows());
        // no part has lost its digits
        const bool is_usual = mean > 1e-200 && mean < 1e200;
        const double column_rms = is_usual ? std::sqrt(mean) : rms(features.col(k));
        inverse(k) = column_rms > ZERO_COLUMN_RMS ? 1.0 / column_rms : 0.0;
    }
    return inverse;
}

struct thin_svd {
    Eigen::MatrixXcd left; // rows x rank
    Eigen::ArrayXd singular;
    Eigen::MatrixXcd right; // columns x rank
};

/*
 * Thin singular value decomposition of a tall matrix by eigenvectors of T^H T, in grades.
 *
 * Squaring loses what lies below sqrt(epsilon) of the greatest singular value. So one grade
 * keeps only the singular values within 1e-3 of its greatest, takes them as the norms of T V
 * (not as roots of eigenvalues), and leaves the others to the next grade, which decomposes
 * T restricted to the remaining right vectors and freed of the left ones already found. A
 * grade loses at most six digits of sixteen in the orthogonality of U; four reach 1e-10.
 *
 * Why not BDCSVD: it takes twice as long (64 x 56: 2.1 ms against 1.1 ms; 512 x 56: 12 ms against
 * 5 ms) and JacobiSVD ten times, where one grade does, as it does for most features.
 */
thin_svd graded_svd(Eigen::MatrixXcd image)
{
    constexpr double GRADE = 1e-3;
    const Eigen::Index columns = image.cols();
    thin_svd svd{ Eigen::MatrixXcd(image.rows(), columns),
                  Eigen::ArrayXd(columns),
                  Eigen::MatrixXcd(columns, columns) };
    // invariant: image = T * remaining, orthogonal to the left vectors found; empty: the identity
    Eigen::MatrixXcd remaining;
    Eigen::Index rank = 0;
    double greatest = 0.0;

    while (image.cols() > 0) {
        Eigen::MatrixXcd gram = Eigen::MatrixXcd::Zero(image.cols(), image.cols());
        gram.selfadjointView<Eigen::Lower>().rankUpdate(image.adjoint());
        // reads its lower half
        const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXcd> eigen(gram);
        const Eigen::VectorXd& squares = eigen.eigenvalues(); // ascending
        const double grade_greatest =
            std::sqrt(std::max(squares(squares.size() - 1), 0.0));
        greatest = std::max(greatest, grade_greatest);
        if (!(grade_greatest > RANK_TOLERANCE * greatest))
            break;

        Eigen::Index kept = 1;
        while (kept < squares.size() &&
               squares(squares.size() - 1 - kept) > std::pow(GRADE * grade_greatest, 2))
            kept++;
        const Eigen::Index left_over = squares.size() - kept;
        image *= eigen.eigenvectors();
        remaining = remaining.size() == 0
                        ? eigen.eigenvectors()
                        : Eigen::MatrixXcd(remaining * eigen.eigenvectors());
        for (Eigen::Index j = squares.size() - 1; j >= left_over; j--) {
            const double singular = image.col(j).norm();
            if (!(singular > RANK_TOLERANCE * greatest))
                continue;
            svd.left.col(rank) = image.col(j) / singular;
            svd.singular(rank) = singular;
            svd.right.col(rank) = remaining.col(j);
            rank++;
        }
        if (left_over == 0)
            break;
        remaining = remaining.leftCols(left_over).eval();
        image = image.leftCols(left_over).eval();
        const auto found = svd.left.leftCols(rank);
        image -= found * (found.adjoint() * image).eval();
    }

    svd.left.conservativeResize(Eigen::NoChange, rank);
    svd.singular.conservativeResize(rank);
    svd.right.conservativeResize(Eigen::NoChange, rank);
    return svd;
}

ridge_result make_result(const Eigen::MatrixXcd& targets,
                         const Eigen::MatrixXcd& residuals,
                         double lambda)
{
    ridge_result result;
    result.regularization = lambda;
    result.leave_one_out_mse =
        residuals.squaredNorm() / static_cast<double>(residuals.size());
    result.leave_one_out = targets - residuals;
    return result;
}

/*
 * With G the smaller of the Gram matrices A^H A (tall: no more features than rows) and A A^H,
 * B = A (tall) or I, and mu = lambda P, everything follows from R = (G + mu I)^-1:
 *
 *     tall:  prediction B R B^H Y,        hat_i = b_i R b_i^H,             v = R B^H Y,
 *     wide:  residual   mu R Y,           1 - hat_i = mu e_i R e_i^H,      v = A^H R Y.
 */
struct gram_problem {
    const Eigen::MatrixXcd& features; // A
    const Eigen::MatrixXcd& targets;  // Y
    bool is_tall = features.rows() >= features.cols();
    split_matrix gram;

    gram_problem(const Eigen::MatrixXcd& a, const Eigen::MatrixXcd& y)
        : features(a),
          targets(y),
          gram(is_tall ? adjoint_gram(a, Eigen::VectorXd::Ones(a.rows()))
                       : kernel::gram(split_matrix(a, a.cols())))
    {
    }

    //! B, and zeros where the Gram matrix has a column more
    split_matrix rows() const
    {
        if (is_tall)
            return { features, gram.columns() };
        return { Eigen::MatrixXcd::Identity(features.rows(), features.rows()),
                 gram.columns() };
    }

    double mu(double lambda) const { return lambda * features.rows(); }

    /*!
     * \param power of each row of B, b_i R b_i^H
     * \param image B R B^H Y
     */
    Eigen::MatrixXcd leave_one_out_residuals(const Eigen::ArrayXd& power,
                                             const Eigen::MatrixXcd& image) const
    {
        const auto of_rows = power.head(features.rows());
        if (!is_tall) // mu cancels
            return of_rows.inverse().matrix().asDiagonal() * image;
        return (1.0 - of_rows).max(LEAST_ONE_MINUS_HAT).inverse().matrix().asDiagonal() *
               (targets - image);
    }
};

// One lambda: by the Cholesky factor of G + mu I.
ridge_result solve_cholesky(gram_problem problem, double lambda)
{
    split_matrix whitened = problem.rows();
    const cholesky_factor factor = cholesky(std::move(problem.gram), problem.mu(lambda));
    solve_rows(factor, whitened);
    split_columns coefficients =
        adjoint_product(whitened, split_columns(problem.targets));
    const Eigen::MatrixXcd image =
        product(whitened, coefficients).joined(problem.features.rows());
    ridge_result result =
        make_result(problem.targets,
                    problem.leave_one_out_residuals(row_powers(whitened), image),
                    lambda);
    if (problem.is_tall) {
        solve_adjoint(factor, coefficients);
        result.weights = coefficients.joined(problem.features.cols());
    } else {
        result.weights = problem.features.adjoint() * image;
    }
    return result;
}

/*
 * Many lambda: by the tridiagonal form of the Gram matrix, G = Q T Q^H, T real. A lambda then
 * costs a few operations for each element of B Q, and no eigenvectors are needed: they take
 * twice as long as all the rest (Elden, 1977, does the same with a bidiagonal form).
 */
ridge_result solve_tridiagonal(gram_problem problem)
{
    split_matrix turned = problem.rows();
    const Eigen::Index rows = problem.features.rows(), size = problem.gram.rows();
    const Eigen::Index outputs = problem.targets.cols();
    const tridiagonal_form form = tridiagonalize(std::move(problem.gram));
    turn_rows(form, turned); // B Q
    const split_columns coefficients =
        adjoint_product(turned, split_columns(problem.targets));

    const Eigen::ArrayXd lambdas = ridge_grid();
    const grid_factors factors(form, problem.mu(1.0) * lambdas);
    const Eigen::ArrayXXd powers =
        whitened_powers(turned, factors.ratios, factors.inverse_pivots);

    // of every output: (T + mu I)^-1 Q^H B^H y, and B Q times that, one column per lambda
    std::vector<split_columns> solutions, images;
    for (Eigen::Index o = 0; o < outputs; o++) {
        split_columns solution(turned.columns(), lambdas.size());
        solution.re.topRows(size) = factors.solve(coefficients.re.col(o).head(size));
        solution.im.topRows(size) = factors.solve(coefficients.im.col(o).head(size));
        images.push_back(product(turned, solution));
        solutions.push_back(std::move(solution));
    }
    const auto at = [](const std::vector<split_columns>& all, Eigen::Index i) {
        split_columns found(all[0].re.rows(), all.size());
        for (size_t o = 0; o < all.size(); o++) {
            found.re.col(o) = all[o].re.col(i);
            found.im.col(o) = all[o].im.col(i);
        }
        return found;
    };

    Eigen::MatrixXcd least;
    Eigen::Index best = 0;
    for (Eigen::Index i = 0; i < lambdas.size(); i++) {
        Eigen::MatrixXcd residuals =
            problem.leave_one_out_residuals(powers.col(i), at(images, i).joined(rows));
        if (i > 0 && !(residuals.squaredNorm() < least.squaredNorm()))
            continue;
        least.swap(residuals);
        best = i;
    }
    ridge_result result = make_result(problem.targets, least, lambdas(best));
    if (problem.is_tall) {
        split_columns weights = at(solutions, best);
        turn(form, weights);
        result.weights = weights.joined(size);
    } else {
        result.weights = problem.features.adjoint() * at(images, best).joined(rows);
    }
    return result;
}

// Little or no lambda, which leaves the accuracy to the decomposition of A itself.
ridge_result solve_svd(const Eigen::MatrixXcd& features,
                       const Eigen::MatrixXcd& targets,
                       double lambda)
{
    const bool is_tall = features.rows() >= features.cols();
    thin_svd svd = graded_svd(is_tall ? features : Eigen::MatrixXcd(features.adjoint()));
    if (!is_tall)
        std::swap(svd.left, svd.right);
    const Eigen::ArrayXd squares = svd.singular.square();
    const Eigen::ArrayXd shrinkage = squares / (squares + lambda * features.rows());
    const Eigen::MatrixXcd coefficients = svd.left.adjoint() * targets;
    const Eigen::VectorXd hat = svd.left.cwiseAbs2() * shrinkage.matrix();
    const Eigen::VectorXd divisor =
        (1.0 - hat.array()).max(LEAST_ONE_MINUS_HAT).inverse().matrix();
    const Eigen::MatrixXcd residuals =
        targets - svd.left * (shrinkage.matrix().asDiagonal() * coefficients).eval();
    ridge_result result = make_result(targets, divisor.asDiagonal() * residuals, lambda);
    // s / (s^2 + lambda P)
    const Eigen::VectorXd filter = (shrinkage / svd.singular).matrix();
    result.weights = svd.right * (filter.asDiagonal() * coefficients).eval();
    return result;
}

} // namespace

ridge::ridge(const Eigen::MatrixXcd& features, const std::vector<Eigen::Index>& free)
{
    const Eigen::ArrayXd powers = parts(features).square().colwise().sum().transpose();
    require_finite(features, powers.sum(), "features");
    d_inverse_rms = inverse_column_rms(features, powers);
    for (const Eigen::Index column : free)
        d_inverse_rms(column) *= FREE;
    d_features.resize(features.rows(), features.cols());
    Eigen::Map<Eigen::MatrixXd>(reinterpret_cast<double*>(d_features.data()),
                                2 * features.rows(),
                                features.cols()) =
        parts(features).matrix() * d_inverse_rms.asDiagonal();
}

ridge_result ridge::solve(const Eigen::MatrixXcd& targets, double regularization) const
{
    require_finite(targets, parts(targets).square().sum(), "targets");
    if (targets.rows() != d_features.rows())
        throw std::invalid_argument("targets is " + shape(targets) + ": must have " +
                                    std::to_string(d_features.rows()) +
                                    " rows, as the features");
    if (!std::isfinite(regularization))
        throw std::invalid_argument("regularization = " + std::to_string(regularization) +
                                    ": must be finite");

    ridge_result result;
    if (regularization < 0.0)
        result = solve_tridiagonal({ d_features, targets });
    else if (regularization >= LEAST_REGULARIZATION_OF_GRAM)
        result = solve_cholesky({ d_features, targets }, regularization);
    else
        result = solve_svd(d_features, targets, regularization);
    result.weights = d_inverse_rms.asDiagonal() * result.weights;
    return result;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
