/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_RLS_H
#define INCLUDED_RESERVOIR_KERNEL_RLS_H

#include <gnuradio/reservoir/api.h>
#include <Eigen/Core>
#include <complex>
#include <cstdint>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief Recursive least squares with exponential forgetting, in square-root form (Potter, 1963).
 *
 * Outputs y_m = sum_k phi_k w_km; all share P = S S^H, the inverse of the information matrix,
 * which therefore cannot become indefinite. With a = conj(phi), f = S^H a, the forgetting
 * factor g and alpha = g + |f|^2, one update is
 *
 *     w += S f e / alpha,   S <- (S - S f f^H / (alpha + sqrt(g alpha))) / sqrt(g),
 *
 * after which w minimises sum_n g^(N-n) |e[n]|^2 + g^N sum_k precision_k |w_k - w_k[0]|^2
 * (Haykin, Adaptive Filter Theory). It costs of the order of K^2 for K features.
 *
 * What a radio needs beside the textbook:
 *  - An update with features or errors that are not finite, or whose energy is not, is skipped
 *    and counted.
 *  - Silence (feature energy 1e-9 of its exponential mean or less) forgets nothing (g = 1).
 *  - Where trace(P) would exceed 1e6 times its value after the reset, the directions that are
 *    not excited are winding up. The update then forgets in the excited direction only
 *    (Kulhavy, 1987): it tracks on, though more slowly, while the others wait:
 *    w += S f e / (1 + |f|^2), S <- S - S f f^H (1 - 1/sqrt(g (1 + |f|^2))) / |f|^2.
 *    If that too would exceed the bound, nothing is forgotten.
 */
class RESERVOIR_API rls
{
public:
    /*!
     * \param num_features at least 1
     * \param num_outputs at least 1
     * \param forgetting 0 < forgetting <= 1, for each update
     * \throws std::invalid_argument out of these ranges
     *
     * Starts as after reset with a precision of 1 for every feature.
     */
    rls(int num_features, int num_outputs, double forgetting);

    /*!
     * \brief Start again: weights zero, nothing skipped.
     *
     * \param prior_precision diagonal of the initial information matrix, one value per feature,
     *        positive and finite
     * \throws std::invalid_argument for another length or another value
     */
    void reset(const Eigen::VectorXd& prior_precision);

    /*!
     * \brief Go on from these weights, with the covariance as it is.
     *
     * \param weights features x outputs, finite
     * \throws std::invalid_argument for another shape or value
     */
    void set_weights(const Eigen::MatrixXcd& weights);

    //! features x outputs
    const Eigen::MatrixXcd& weights() const { return d_weights; }

    //! \param features num_features values  \param outputs room for num_outputs values
    void predict(const std::complex<double>* features,
                 std::complex<double>* outputs) const;

    /*!
     * \param features num_features values, those given to predict
     * \param errors num_outputs values: desired - predicted, with the weights before this update
     */
    void update(const std::complex<double>* features, const std::complex<double>* errors);

    //! Updates skipped since the last reset because they were not finite.
    uint64_t skipped() const { return d_skipped; }

    //! P = S S^H, features x features (allocates; for inspection).
    Eigen::MatrixXcd covariance() const;

private:
    // S <- scale (S - shrink g f^H), w += g e / gain_divisor, with g = S f
    struct step {
        double gain_divisor;
        double shrink;
        double scale;
        double trace;
    };
    static step exponential_step(double trace, double f2, double g2, double forgetting);
    static step directional_step(double trace, double f2, double g2, double forgetting);
    bool is_silent(double energy);
    void project(const std::complex<double>* features);
    step choose_step(double f2, double g2, bool silent) const;
    void apply(const step& s, const std::complex<double>* errors);

    double d_forgetting;
    Eigen::MatrixXcd d_weights; // features x outputs
    Eigen::MatrixXcd d_root;    // S
    Eigen::VectorXcd d_conj;    // a
    Eigen::VectorXcd d_f;       // S^H a
    Eigen::VectorXcd d_g;       // S f
    double d_trace = 0.0;       // of P
    double d_trace_bound = 0.0;
    double d_mean_energy = 0.0;
    uint64_t d_skipped = 0;
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_RLS_H */
