/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_BPTT_NETWORK_H
#define INCLUDED_RESERVOIR_KERNEL_BPTT_NETWORK_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/kernel/activation.h>
#include <Eigen/Core>
#include <complex>
#include <cstddef>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

//! Weights of a recurrent network, or the gradient by each of them.
template <class T>
struct network_weights {
    typedef Eigen::Matrix<std::complex<T>, Eigen::Dynamic, Eigen::Dynamic> matrix;

    matrix recurrent; //!< W, N × N
    matrix input;     //!< U, N × M
    matrix readout;   //!< W_out, O × N
    matrix skip;      //!< D, O × M; no element where the readout does not see the input

    template <class S>
    network_weights<S> cast() const
    {
        return { recurrent.template cast<std::complex<S>>(),
                 input.template cast<std::complex<S>>(),
                 readout.template cast<std::complex<S>>(),
                 skip.template cast<std::complex<S>>() };
    }
};

/*!
 * \brief Complex recurrent network and its gradient by back-propagation through time.
 *
 * \details
 * s[t] = f(W s[t−1] + U u[t]), y[t] = W_out s[t] (+ D u[t]), s[0] = 0, over a training sequence
 * of T steps with targets x[t]; N neurons, M inputs, O outputs. The loss is
 *
 *     L = Σ_t w[t] ‖y[t] − x[t]‖² / (O Σ_t w[t]),
 *
 * with a weight for each step: zero where a step is warm-up or held out. The gradient runs over
 * the whole sequence (Werbos, 1990):
 *
 *     dz[t] = f'(z[t]) · (Wᴴ dz[t+1] + 2 w[t]/(O Σw) W_outᴴ e[t]),
 *     G_W = Σ dz[t] s[t−1]ᴴ,  G_U = Σ dz[t] u[t]ᴴ,  G_out = 2/(O Σw) Σ w[t] e[t] s[t]ᴴ.
 *
 * Gradients by a complex weight are ∂L/∂Re + i ∂L/∂Im, twice the derivative by the conjugate
 * (Brandwood, 1983). The activations are not holomorphic: f'·ds stands for
 * tanh'(Re z) Re ds + i tanh'(Im z) Im ds (split_tanh), and g ds + (g'/|z|) z Re(z* ds) with
 * g = tanh|z|/|z| (magnitude_tanh).
 *
 * Weights and gradients lie in one array of real numbers, the recurrent ones first, padded with
 * zeros that stay zero; an optimizer can work on it as it is.
 *
 * Costs about 3 N² + 2 N M + 3 N O complex multiply-adds per step. Nothing is allocated after
 * set_sequence. T is float or double.
 */
template <class T>
class RESERVOIR_API bptt_network
{
public:
    typedef typename network_weights<T>::matrix matrix;

    //! \throws std::invalid_argument if the shapes do not fit
    bptt_network(const network_weights<T>& weights, activation function);

    int num_neurons() const { return d_neurons; }
    int num_inputs() const { return d_inputs; }
    int num_outputs() const { return d_outputs; }

    /*!
     * \brief The training sequence.
     * \param inputs M × T
     * \param targets O × T
     * \param step_weights T values of at least 0, one of them positive
     * \throws std::invalid_argument if the shapes do not fit
     */
    void set_sequence(const matrix& inputs,
                      const matrix& targets,
                      const std::vector<T>& step_weights);

    //! Runs over the sequence; returns the loss.
    double forward();
    //! After forward(): the loss with other step weights.
    double loss(const std::vector<T>& step_weights) const;
    //! After forward(): the gradient; without by_recurrent that by W is left out (zero).
    void backward(bool by_recurrent = true);

    /*!
     * \brief Derivatives of the errors, the rows of the least-squares problem: 2JᵀJ is the
     * Gauss–Newton approximation of the Hessian (with step weights of 0 and 1, up to a factor).
     *
     * Rows are the real and imaginary parts of every output at every step of positive weight,
     * columns those of every weight (without W's unless by_recurrent). Goes backwards once for
     * every row: T/2 times the cost of a gradient. Spoils the gradient.
     */
    Eigen::MatrixXd jacobian(bool by_recurrent = true);

    //! \name Weights and gradient as real numbers, W's part first.
    //! \{
    std::vector<T>& parameters() { return d_parameters; }
    const std::vector<T>& parameters() const { return d_parameters; }
    std::vector<T>& gradient() { return d_gradient; }
    const std::vector<T>& gradient() const { return d_gradient; }
    size_t recurrent_size() const { return d_input.offset; }
    //! \}

    void set_weights(const network_weights<T>& weights);
    network_weights<T> weights() const { return unpack(d_parameters); }
    network_weights<T> gradient_weights() const { return unpack(d_gradient); }

    //! After forward(): N × T, O × T.
    matrix states() const;
    matrix outputs() const;

private:
    // A matrix by columns in an array of real numbers: all real parts, then all imaginary ones.
    struct block {
        size_t rows = 0;
        size_t columns = 0;
        size_t offset = 0;
        size_t padded_rows() const;
        size_t part() const { return padded_rows() * columns; }
        size_t end() const { return offset + 2 * part(); }
    };
    network_weights<T> unpack(const std::vector<T>& values) const;
    //! Back-propagates d_error, of which only the first steps count.
    void back_propagate(size_t steps, bool by_recurrent);

    int d_neurons, d_inputs, d_outputs;
    activation d_function;
    // The readout and the skip are kept as adjoints, N × O and M × O.
    block d_recurrent, d_input, d_readout, d_skip;
    std::vector<T> d_parameters, d_gradient;

    // of the sequence; columns count from 1 where there is an initial one
    size_t d_steps = 0;
    std::vector<T> d_weights;
    double d_total_weight = 0.0;
    block d_u, d_state, d_row; // shapes: inputs, states, one row per output
    std::vector<T> d_inputs_split, d_targets, d_output, d_error;
    std::vector<T> d_sums, d_states, d_slopes, d_deltas;
    std::vector<T> d_adjoint; // Wᴴ
};

extern template class bptt_network<float>;
extern template class bptt_network<double>;

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_BPTT_NETWORK_H */
