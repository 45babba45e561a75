/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_DENSE_RECURRENCE_H
#define INCLUDED_RESERVOIR_KERNEL_DENSE_RECURRENCE_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/kernel/activation.h>
#include <gnuradio/reservoir/kernel/random.h>
#include <gnuradio/reservoir/kernel/tapped_delay_window.h>
#include <Eigen/Core>
#include <complex>
#include <optional>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

namespace simd {
struct reservoir_block;
}

//! All of them, in no order. \throws std::runtime_error if they do not converge
RESERVOIR_API Eigen::VectorXcf eigenvalues(const Eigen::MatrixXcf& matrix);

//! Largest eigenvalue modulus. \throws std::runtime_error if the eigenvalues do not converge
RESERVOIR_API double spectral_radius(const Eigen::MatrixXcf& matrix);

/*!
 * \brief Recurrent weights of an echo state network (Jaeger, 2001): complex Gaussian, a
 * fraction `sparsity` of them zero, scaled to the given spectral radius.
 *
 * \throws std::invalid_argument if so many weights are zero that no radius can be reached
 */
RESERVOIR_API Eigen::MatrixXcf random_recurrent_weights(int num_neurons,
                                                        double spectral_radius,
                                                        double sparsity,
                                                        random& generator);

//! Input weights: complex Gaussian rows, each of Euclidean norm `scaling`.
RESERVOIR_API Eigen::MatrixXcf
random_input_weights(int num_neurons, int num_inputs, double scaling, random& generator);

/*!
 * \brief s[n] = f(W s[n−1] + U u[n]): N neurons, M inputs.
 *
 * N(N + M) complex multiply-adds per step. State starts at zero.
 */
class RESERVOIR_API dense_recurrence
{
public:
    /*!
     * \param recurrent W, N × N
     * \param input U, N × M
     * \param function f
     */
    dense_recurrence(const Eigen::MatrixXcf& recurrent,
                     const Eigen::MatrixXcf& input,
                     activation function);

    int num_neurons() const { return d_num_neurons; }
    int num_inputs() const { return d_num_inputs; }

    void reset();

    //! One step; M input values in split form.
    void step(const float* input_re, const float* input_im);

    //! The state in split form, padded with zeros to a multiple of 16 values.
    const float* state_re() const { return d_sum_re.data(); }
    const float* state_im() const { return d_sum_im.data(); }

    /*!
     * \brief Steps over symbols 0 … count−1 of a window, M = its taps as copy_taps() gives them.
     *
     * \param readout_re, readout_im the readout's weights of each output, padded as the state
     * \param outputs one row per output; zero where it would not be finite, as a linear network
     *        that is unstable makes it: the state is reset then
     */
    void run(const tapped_delay_window& window,
             size_t count,
             const std::vector<std::vector<float>>& readout_re,
             const std::vector<std::vector<float>>& readout_im,
             std::complex<float>* const* outputs);

    //! U u[n] of these symbols alone: count rows of state_re()'s length.
    void drive(const tapped_delay_window& window, size_t count, float* re, float* im);

    //! Steps over count × M inputs (row-major), count × N states out.
    void
    run(const std::complex<float>* inputs, size_t count, std::complex<float>* states);

private:
    simd::reservoir_block block_of(const tapped_delay_window& window, size_t count);

    const int d_num_neurons;
    const int d_num_inputs;
    const activation d_function;
    Eigen::ArrayXf d_weights_re, d_weights_im;   // [U W] by columns, rows padded; aligned
    std::vector<float> d_vector_re, d_vector_im; // [u[n]; s[n−1]]
    std::vector<float> d_sum_re, d_sum_im;       // the new state
    std::vector<float> d_next_re, d_next_im;
    std::vector<const float*> d_branch_re, d_branch_im, d_readout_re, d_readout_im;
};

/*!
 * \brief A linear reservoir in its eigenvectors: W = V diag(p) V⁻¹, so s = V z with
 * z_k[n] = p_k z_k[n−1] + (V⁻¹ U u[n])_k: a bank of first-order poles.
 */
struct RESERVOIR_API modal_form {
    std::vector<std::complex<float>> poles;
    Eigen::MatrixXcf modes; //!< V, N × N
    Eigen::MatrixXcf drive; //!< V⁻¹ U, N × M
};

/*!
 * Diagonalises a linear reservoir. Nothing is returned where V is too badly conditioned for
 * single precision (a defective W, as strong sparsity makes them) or a pole is not stable.
 */
RESERVOIR_API std::optional<modal_form> diagonalise(const Eigen::MatrixXcf& recurrent,
                                                    const Eigen::MatrixXcf& input);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_DENSE_RECURRENCE_H */
