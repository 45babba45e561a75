/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_RIDGE_H
#define INCLUDED_RESERVOIR_KERNEL_RIDGE_H

#include <gnuradio/reservoir/api.h>
#include <Eigen/Core>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

//! What ridge::solve finds.
struct ridge_result {
    //! features x outputs: y = row * weights, not conjugated
    Eigen::MatrixXcd weights;
    double regularization; //!< the lambda used
    //! mean |e|^2 over rows and outputs, each row left out once
    double leave_one_out_mse;
    //! rows x outputs: each row predicted by the fit without it
    Eigen::MatrixXcd leave_one_out;
};

/*!
 * \brief Ridge regression (Hoerl and Kennard, 1970) with exact leave-one-out errors.
 *
 * With A the features, their columns scaled to unit rms by the diagonal D, and P rows:
 *
 *     minimise ||A D v - Y||^2 + lambda P ||v||^2,   weights = D v.
 *
 * With hat = diag(A D ((A D)^H A D + lambda P I)^-1 (A D)^H), the residual of a row under the fit
 * without that row is its plain residual divided by 1 - hat (Allen's PRESS, 1974). With lambda = 0 and
 * no more rows than features it says nothing.
 *
 * Some columns may be free: the penalty then leaves them out, lambda P ||v - F g||^2 in place of
 * lambda P ||v||^2, with F the unit vectors of these columns and the gains g fitted with v by least
 * squares, which is a ridge that draws v to F g instead of to zero. The g of the minimum is the
 * free part of v itself, so that, with B the other columns of A D, C the free ones and
 * M = lambda P (B B^H + lambda P I)^-1,
 *
 *     g = (C^H M C)^-1 C^H M Y,     v elsewhere = (B^H B + lambda P I)^-1 B^H (Y - C g)
 *
 * (a ridge towards a point: Swindel, 1976; the part that is projected out: Frisch and Waugh, 1933).
 * It is computed with a penalty on the free columns that is 1e-6 of the others'.
 *
 * A given lambda is solved by a Cholesky factor, all lambda of a search from one tridiagonal form
 * of the Gram matrix, lambda below 1e-7 by a singular value decomposition, where singular values
 * below 1e-10 of the greatest count as zero. A column of rms below 1e-150 counts as zero and has
 * weight zero.
 */
class RESERVOIR_API ridge
{
public:
    /*!
     * \param features rows x features, at least 1 x 1
     * \param free columns that the penalty leaves out
     * \throws std::invalid_argument if features are empty or not finite
     */
    explicit ridge(const Eigen::MatrixXcd& features,
                   const std::vector<Eigen::Index>& free = {});

    /*!
     * \brief The weights for the given targets.
     *
     * \param targets rows x outputs, at least one output
     * \param regularization lambda; 0 gives least squares, of minimum norm (of v) where the
     *        features are rank deficient; a negative one is chosen from
     *        10^-5, 10^-4.5, ..., 10^1.5 by the least leave-one-out error over all outputs
     * \throws std::invalid_argument if the shapes disagree or a value is not finite
     */
    ridge_result solve(const Eigen::MatrixXcd& targets, double regularization) const;

private:
    Eigen::MatrixXcd d_features;   // A D
    Eigen::VectorXd d_inverse_rms; // D
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_RIDGE_H */
