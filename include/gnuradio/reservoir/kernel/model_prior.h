/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_MODEL_PRIOR_H
#define INCLUDED_RESERVOIR_KERNEL_MODEL_PRIOR_H

#include <gnuradio/reservoir/api.h>
#include <Eigen/Core>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

//! Second moments of the features that a channel model predicts.
struct model_moments {
    Eigen::MatrixXcd gram;  //!< R = E[conj(phi) phi^T]
    Eigen::VectorXcd cross; //!< c = E[conj(phi) x]
};

/*!
 * \brief Gram matrix and cross-correlation of an equalizer's features in closed form.
 *
 * Features of stream q are T [r_q[n-past], ..., r_q[n+future]] with r_q = h_q * x + noise, white
 * x of unit power; then come num_feedback decisions x[n-1], x[n-2], .... With H_q the
 * convolution matrix of h_q, R = (T H)(T H)^H + sigma^2 T T^H, conjugated, and c the conjugate
 * of the column of T H that belongs to x[n].
 *
 * \param functionals T: features of a stream x (past + 1 + future)
 * \param past samples before the symbol that T sees
 * \param taps length x streams
 * \param noise_variance of one stream, white and independent between streams
 * \param num_feedback at most length - 1 + past
 */
RESERVOIR_API model_moments model_gram(const Eigen::MatrixXcd& functionals,
                                       Eigen::Index past,
                                       const Eigen::MatrixXcd& taps,
                                       double noise_variance,
                                       Eigen::Index num_feedback);

//! What prior_ridge finds.
struct prior_ridge_result {
    Eigen::VectorXcd weights;       //!< y = phi^T weights, not conjugated
    Eigen::VectorXcd leave_one_out; //!< each row predicted by the fit without it
    double leave_one_out_mse;       //!< weighted mean
    double prior_weight;            //!< kappa that was chosen
    double condition_number;        //!< of the matrix that was solved with it
};

/*!
 * \brief Least squares drawn to the solution of a model.
 *
 * w = (A^H W A + kappa n R + eps)^-1 (A^H W y + kappa n c), n = sum of the weights W,
 * eps = 1e-4 (diag A^H W A + n diag R): with few rows the model's equalizer, with many the least
 * squares one. Of the kappas given the one with the least leave-one-out error is used.
 *
 * \param features A: rows x features
 * \param targets y
 * \param weights one per row, at least 0
 * \param prior R and c
 * \param prior_weights kappas, at least one
 */
RESERVOIR_API prior_ridge_result prior_ridge(const Eigen::MatrixXcd& features,
                                             const Eigen::VectorXcd& targets,
                                             const Eigen::VectorXd& weights,
                                             const model_moments& prior,
                                             const std::vector<double>& prior_weights);

/*!
 * \brief The complex gain a of estimate = a x + error: where the centroids a c_m of the decisions
 * lie. Its modulus is not let below 0.05.
 */
RESERVOIR_API std::complex<double> centroid_gain(const Eigen::VectorXcd& estimates,
                                                 const Eigen::VectorXcd& symbols,
                                                 const Eigen::VectorXd& weights);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_MODEL_PRIOR_H */
