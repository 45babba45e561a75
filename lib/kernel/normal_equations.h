/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_NORMAL_EQUATIONS_H
#define INCLUDED_RESERVOIR_KERNEL_NORMAL_EQUATIONS_H

#include "kernel/split_matrix.h"
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
 * \brief Ridge regressions for any lambda, from one tridiagonal form of the Gram matrix (Elden, 1977).
 */
class RESERVOIR_API ridge_path
{
public:
    /*!
     * \param penalties of the features: minimises ||A v - Y||^2 + lambda Σ_k penalty_k p_k |v_k|^2, p_k
     *        being the sum of the squares of feature k
     */
    ridge_path(const normal_equations& sums, const Eigen::ArrayXd& penalties);

    //! For each lambda and target, residual and inflation as of its fit: residual inflation^2.
    Eigen::ArrayXXd errors(const Eigen::ArrayXd& lambdas) const;
    //! For one lambda, of some of the targets.
    ridge_fit fit(double lambda, Eigen::Index first, Eigen::Index count) const;

private:
    const Eigen::MatrixXcd d_cross;
    const Eigen::ArrayXd d_energy;
    const double d_rows;
    const Eigen::ArrayXd d_scales; // of features, D
    const tridiagonal_form d_form; // Q T Q^H of D A^H A D
    split_matrix d_turned;         // (Q^H D A^H Y)^H
};

//! The same for one lambda, by a Cholesky factor.
RESERVOIR_API ridge_fit fit_ridge(const normal_equations& sums,
                                  const Eigen::ArrayXd& penalties,
                                  double lambda);
//! \}

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_NORMAL_EQUATIONS_H */
