/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_NORMAL_EQUATIONS_H
#define INCLUDED_RESERVOIR_KERNEL_NORMAL_EQUATIONS_H

#include <gnuradio/reservoir/api.h>
#include <Eigen/Core>

namespace gr {
namespace reservoir {
namespace kernel {

//! All that least squares needs of its rows, features A and targets Y.
struct normal_equations {
    Eigen::MatrixXcd gram;  //!< A^H A; its lower half counts
    Eigen::MatrixXcd cross; //!< A^H Y
    Eigen::ArrayXd energy;  //!< of each target, the sum of |y|^2
    double rows;            //!< number of rows, or the sum of their weights
};

/*!
 * \brief A ridge regression, and what generalized cross-validation (Golub, Heath and Wahba, 1979) says of
 * its errors.
 *
 * Leave-one-out divides each row's error by one minus the row's own share in its prediction. Here all rows
 * are given the mean share, which needs no pass over the rows: their predictions without themselves
 * are y + (prediction - y) / (1 - share).
 */
struct RESERVOIR_API ridge_fit {
    Eigen::MatrixXcd weights; //!< features x targets
    double share;             //!< trace(A (A^H A + ...)^-1 A^H) / rows
    Eigen::ArrayXcd overlap;  //!< of each target, the sum of conj(y) prediction
    Eigen::ArrayXd power;     //!< ... of |prediction|^2
    Eigen::ArrayXd residual;  //!< ... of |y - prediction|^2

    //! 1 / (1 - share)
    double inflation() const;
};

//! \name Least is the smallest lambda that sums in single precision allow; smaller ones count as it
//! \{
constexpr double LEAST_REGULARIZATION_OF_SUMS = 1e-7;

/*!
 * \brief The errors of a ridge regression for several lambda, from one tridiagonal form of the Gram matrix
 * (Elden, 1977).
 *
 * \param penalties of the features: minimises ||A v - Y||^2 + lambda Σ_k penalty_k p_k |v_k|^2, p_k being
 *        the sum of the squares of feature k
 * \return for each lambda and target, residual and inflation as of its ridge_fit: residual inflation^2
 */
RESERVOIR_API Eigen::ArrayXXd cross_validation_errors(const normal_equations& sums,
                                                      const Eigen::ArrayXd& penalties,
                                                      const Eigen::ArrayXd& lambdas);

//! For one lambda, by a Cholesky factor.
RESERVOIR_API ridge_fit fit_ridge(const normal_equations& sums,
                                  const Eigen::ArrayXd& penalties,
                                  double lambda);
//! \}

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_NORMAL_EQUATIONS_H */
