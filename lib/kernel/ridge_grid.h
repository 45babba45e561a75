/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_RIDGE_GRID_H
#define INCLUDED_RESERVOIR_KERNEL_RIDGE_GRID_H

#include "kernel/split_matrix.h"
#include <Eigen/Core>
#include <cmath>

namespace gr {
namespace reservoir {
namespace kernel {

//! The lambda that are tried where one is to be chosen: 10^-5, 10^-4.5, ..., 10^1.5.
inline Eigen::ArrayXd ridge_grid()
{
    constexpr int GRID_SIZE = 14;
    Eigen::ArrayXd lambdas(GRID_SIZE);
    for (int i = 0; i < GRID_SIZE; i++)
        lambdas(i) = std::pow(10.0, -5.0 + 0.5 * i);
    return lambdas;
}

//! T + mu I = L D L^T for several mu.
struct grid_factors {
    Eigen::ArrayXXd ratios; // mus x columns: what stands left of the diagonal of L
    Eigen::ArrayXXd inverse_pivots;

    grid_factors(const tridiagonal_form& form, const Eigen::ArrayXd& mus)
        : ratios(mus.size(), form.diagonal.size()),
          inverse_pivots(mus.size(), form.diagonal.size())
    {
        ratios.col(0).setZero();
        inverse_pivots.col(0) = (mus + form.diagonal(0)).inverse();
        for (Eigen::Index k = 1; k < ratios.cols(); k++) {
            ratios.col(k) = form.beside(k - 1) * inverse_pivots.col(k - 1);
            inverse_pivots.col(k) =
                (mus + form.diagonal(k) - form.beside(k - 1) * ratios.col(k)).inverse();
        }
    }

    //! (T + mu I)^-1 c for one part of c: columns x mus
    Eigen::ArrayXXd solve(const Eigen::ArrayXd& c) const
    {
        Eigen::ArrayXXd solution(ratios.rows(), ratios.cols());
        solution.col(0).setConstant(c(0));
        for (Eigen::Index k = 1; k < ratios.cols(); k++)
            solution.col(k) = c(k) - ratios.col(k) * solution.col(k - 1);
        solution *= inverse_pivots;
        for (Eigen::Index k = ratios.cols() - 1; k-- > 0;)
            solution.col(k) -= ratios.col(k + 1) * solution.col(k + 1);
        return solution.transpose();
    }

    //! The trace of (T + mu I)^-1 = L^-T D^-1 L^-1, whose diagonal follows from its last value.
    Eigen::ArrayXd inverse_traces() const
    {
        Eigen::ArrayXd value = inverse_pivots.col(ratios.cols() - 1), sum = value;
        for (Eigen::Index k = ratios.cols() - 1; k-- > 0;) {
            value = inverse_pivots.col(k) + ratios.col(k + 1).square() * value;
            sum += value;
        }
        return sum;
    }
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_RIDGE_GRID_H */
