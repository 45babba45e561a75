/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/ridge.h>

#include <Eigen/Dense>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

namespace gr {
namespace reservoir {
namespace kernel {

namespace {

constexpr double RANK_TOLERANCE = 1e-10;
constexpr double ZERO_COLUMN_RMS = 1e-150;
constexpr double LEAST_ONE_MINUS_HAT = 1e-3;
constexpr int GRID_SIZE = 14;
// Below it the Gram matrix, whose small eigenvalues are wrong by epsilon, is not enough.
constexpr double LEAST_REGULARIZATION_OF_GRAM = 1e-7;

double grid_point(int index) { return std::pow(10.0, -5.0 + 0.5 * index); }

std::string shape(const Eigen::MatrixXcd& matrix)
{
    return std::to_string(matrix.rows()) + " x " + std::to_string(matrix.cols());
}

void require_finite(const Eigen::MatrixXcd& matrix, const std::string& name)
{
    if (matrix.size() == 0)
        throw std::invalid_argument(name + " is " + shape(matrix) + ": must be at least 1 x 1");
    if (!matrix.allFinite())
        throw std::invalid_argument(name + ": every value must be finite");
}

// Eigen's stableNorm does the same at ten times the cost.
double rms(const Eigen::VectorXcd& column)
{
    const double largest = std::max(column.real().cwiseAbs().maxCoeff(),
                                    column.imag().cwiseAbs().maxCoeff());
    if (largest == 0.0)
        return 0.0;
    return largest * (column / largest).norm() / std::sqrt(static_cast<double>(column.size()));
}

// D: one over the rms of each column, zero for a zero column
Eigen::VectorXd inverse_column_rms(const Eigen::MatrixXcd& features)
{
    Eigen::VectorXd inverse(features.cols());
    for (Eigen::Index k = 0; k < features.cols(); k++) {
        const double column_rms = rms(features.col(k));
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
        const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXcd> eigen(gram); // reads its lower half
        const Eigen::VectorXd& squares = eigen.eigenvalues(); // ascending
        const double grade_greatest = std::sqrt(std::max(squares(squares.size() - 1), 0.0));
        greatest = std::max(greatest, grade_greatest);
        if (!(grade_greatest > RANK_TOLERANCE * greatest))
            break;

        Eigen::Index kept = 1;
        while (kept < squares.size() &&
               squares(squares.size() - 1 - kept) > std::pow(GRADE * grade_greatest, 2))
            kept++;
        const Eigen::Index left_over = squares.size() - kept;
        image *= eigen.eigenvectors();
        remaining = remaining.size() == 0 ? eigen.eigenvectors()
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
    Eigen::MatrixXcd gram = Eigen::MatrixXcd::Zero(std::min(features.rows(), features.cols()),
                                                   std::min(features.rows(), features.cols()));

    gram_problem(const Eigen::MatrixXcd& a, const Eigen::MatrixXcd& y) : features(a), targets(y)
    {
        auto lower = gram.selfadjointView<Eigen::Lower>();
        if (is_tall)
            lower.rankUpdate(features.adjoint());
        else
            lower.rankUpdate(features);
    }

    double mu(double lambda) const { return lambda * features.rows(); }

    //! power: of each row of B, b_i R b_i^H; image: B R B^H Y
    Eigen::MatrixXcd leave_one_out_residuals(const Eigen::ArrayXd& power,
                                             const Eigen::MatrixXcd& image,
                                             double lambda) const
    {
        const Eigen::ArrayXd one_minus_hat =
            is_tall ? 1.0 - power : Eigen::ArrayXd(mu(lambda) * power);
        const Eigen::VectorXd divisor =
            one_minus_hat.max(LEAST_ONE_MINUS_HAT).inverse().matrix();
        if (is_tall)
            return divisor.asDiagonal() * (targets - image);
        return divisor.asDiagonal() * (mu(lambda) * image);
    }
};

ridge_result make_result(const Eigen::MatrixXcd& targets,
                         const Eigen::MatrixXcd& residuals,
                         double lambda)
{
    ridge_result result;
    result.regularization = lambda;
    result.leave_one_out_mse = residuals.squaredNorm() / static_cast<double>(residuals.size());
    result.leave_one_out = targets - residuals;
    return result;
}

// One lambda: by the Cholesky factor of G + mu I.
ridge_result solve_cholesky(gram_problem problem, double lambda)
{
    problem.gram.diagonal().array() += problem.mu(lambda);
    const Eigen::LLT<Eigen::Ref<Eigen::MatrixXcd>> factor(problem.gram);
    // L^-1 B^H
    Eigen::MatrixXcd whitened =
        problem.is_tall
            ? Eigen::MatrixXcd(problem.features.adjoint())
            : Eigen::MatrixXcd::Identity(problem.gram.rows(), problem.gram.rows());
    factor.matrixL().solveInPlace(whitened);
    Eigen::MatrixXcd coefficients = whitened * problem.targets;
    const Eigen::MatrixXcd image = whitened.adjoint() * coefficients;
    ridge_result result = make_result(
        problem.targets,
        problem.leave_one_out_residuals(
            whitened.colwise().squaredNorm().transpose(), image, lambda),
        lambda);
    if (problem.is_tall)
        result.weights = factor.matrixU().solve(coefficients);
    else
        result.weights = problem.features.adjoint() * image;
    return result;
}

/*
 * Many lambda: by the tridiagonal form of the Gram matrix, G = Q T Q^H, T real. A lambda then
 * costs a few operations for each element of B Q, and no eigenvectors are needed: they take
 * twice as long as all the rest (Elden, 1977, does the same with a bidiagonal form).
 */
ridge_result solve_tridiagonal(const gram_problem& problem)
{
    const Eigen::Tridiagonalization<Eigen::MatrixXcd> form(problem.gram);
    const Eigen::VectorXd diagonal = form.diagonal(), beside = form.subDiagonal();
    const Eigen::Index size = diagonal.size(), rows = problem.features.rows();
    Eigen::MatrixXcd turned; // B Q
    if (problem.is_tall) {
        turned = problem.features;
        turned.applyOnTheRight(form.matrixQ());
    } else {
        turned = form.matrixQ();
    }
    Eigen::MatrixXd parts(2 * rows, size); // real and imaginary, for plain real loops
    for (Eigen::Index k = 0; k < size; k++) {
        parts.col(k).head(rows) = turned.col(k).real();
        parts.col(k).tail(rows) = turned.col(k).imag();
    }
    const Eigen::MatrixXcd coefficients = turned.adjoint() * problem.targets;

    ridge_result best;
    Eigen::MatrixXcd best_image, best_inverse;
    Eigen::VectorXd pivots(size), ratios(size); // T + mu I = L diag(pivots) L^T
    Eigen::ArrayXd whitened(2 * rows), power(2 * rows);
    for (int i = 0; i < GRID_SIZE; i++) {
        const double lambda = grid_point(i);
        Eigen::MatrixXcd inverse = coefficients; // becomes (T + mu I)^-1 Q^H B^H Y
        for (Eigen::Index k = 0; k < size; k++) {
            ratios(k) = k > 0 ? beside(k - 1) / pivots(k - 1) : 0.0;
            pivots(k) = diagonal(k) + problem.mu(lambda) - (k > 0 ? ratios(k) * beside(k - 1) : 0.0);
            if (k > 0) {
                whitened = parts.col(k).array() - ratios(k) * whitened;
                inverse.row(k) -= ratios(k) * inverse.row(k - 1);
                power += whitened.square() * (1.0 / pivots(k));
            } else {
                whitened = parts.col(0).array();
                power = whitened.square() * (1.0 / pivots(0));
            }
        }
        for (Eigen::Index k = size; k-- > 0;) {
            inverse.row(k) /= pivots(k);
            if (k + 1 < size)
                inverse.row(k) -= ratios(k + 1) * inverse.row(k + 1);
        }
        Eigen::MatrixXcd image = turned * inverse;
        ridge_result found = make_result(
            problem.targets,
            problem.leave_one_out_residuals(
                power.head(rows) + power.tail(rows), image, lambda),
            lambda);
        if (i == 0 || found.leave_one_out_mse < best.leave_one_out_mse) {
            best = std::move(found);
            best_image.swap(image);
            best_inverse.swap(inverse);
        }
    }
    if (problem.is_tall)
        best.weights = form.matrixQ() * best_inverse;
    else
        best.weights = problem.features.adjoint() * best_image;
    return best;
}

// Little or no lambda, which leaves the accuracy to the decomposition of A itself.
ridge_result
solve_svd(const Eigen::MatrixXcd& features, const Eigen::MatrixXcd& targets, double lambda)
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
    const Eigen::VectorXd filter = (shrinkage / svd.singular).matrix(); // s / (s^2 + lambda P)
    result.weights = svd.right * (filter.asDiagonal() * coefficients).eval();
    return result;
}

} // namespace

ridge::ridge(const Eigen::MatrixXcd& features)
{
    require_finite(features, "features");
    d_inverse_rms = inverse_column_rms(features);
    d_features = features * d_inverse_rms.asDiagonal();
}

ridge_result ridge::solve(const Eigen::MatrixXcd& targets, double regularization) const
{
    require_finite(targets, "targets");
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
