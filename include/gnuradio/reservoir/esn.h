/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_ESN_H
#define INCLUDED_RESERVOIR_ESN_H

#include <gnuradio/reservoir/detector.h>

namespace gr {
namespace reservoir {

/*!
 * \brief Echo state network: a fixed random recurrent network whose readout is trained by least
 * squares.
 *
 * \details
 * s[n] = f(W s[n−1] + U [r[n], …, r[n−window+1]]) (Jaeger, 2001; with an input window as in
 * Zhou, Liu, Ekpo and Yi, 2020); the readout sees [s; window] and is trained exactly as in
 * gr::reservoir::fir, whose notes on regularization, bias and tracking hold here too. Inputs are
 * scaled to unit power over the training, so the level of the signal does not matter. Costs
 * N (N + M) + N + M complex multiply-adds a symbol, with N neurons and
 * M = num_inputs · sps · window. With activation "identity" the network is diagonalised and runs
 * as a bank of poles: N M + 2N + M.
 *
 * A linear or nearly linear random network is about as good as an FIR filter of its window.
 */
class RESERVOIR_API esn : virtual public detector
{
public:
    typedef std::shared_ptr<esn> sptr;

    /*!
     * \param num_neurons 1 to 1024
     * \param window symbol periods that the network and the readout see, 1 to 1024
     * \param delay decision delay in symbols, 0 to window − 1; −1: the one with the least
     *        leave-one-out error
     * \param spectral_radius largest eigenvalue modulus of W, 0 to 2; below 1 for "identity"
     * \param sparsity fraction of the recurrent weights that are zero, 0 to below 1
     * \param input_scaling norm of each neuron's input weights, 0 to 100
     * \param activation "identity", "magnitude_tanh" or "split_tanh"
     * \param regularization λ ≥ 0 as in fir; −1: leave-one-out
     * \param update "ls" or "rls", as in fir
     * \param forgetting above 0.5, at most 1
     * \param seed of the random weights, at least 0; the same network on every machine
     * \param num_inputs antennas, 1 to 64
     * \param num_outputs streams, 1 to 64
     * \throws std::invalid_argument naming the parameter, its value and its range
     */
    static sptr make(int num_neurons = 32,
                     int window = 24,
                     int delay = 12,
                     double spectral_radius = 0.4,
                     double sparsity = 0.0,
                     double input_scaling = 0.05,
                     const std::string& activation = "magnitude_tanh",
                     double regularization = -1.0,
                     const std::string& update = "ls",
                     double forgetting = 1.0,
                     int64_t seed = 1,
                     int num_inputs = 1,
                     int num_outputs = 1);

    //! The activation's name, as make() takes it.
    virtual std::string activation() const = 0;
    //! W, num_neurons rows.
    virtual stream_matrix recurrent_weights() const = 0;
    /*!
     * \brief U for the given sps, num_neurons rows of M weights: input-major, newest sample first.
     */
    virtual stream_matrix input_weights(int sps = 1) const = 0;
    /*!
     * \brief Readout weights, one row an output: [neurons; window]. Empty before training.
     */
    virtual stream_matrix readout() const = 0;
    /*!
     * \brief The states, one row a neuron, for samples that are already scaled; starts from zero
     * and does not touch the detector's own state.
     */
    virtual stream_matrix states(const stream_matrix& received, int sps = 1) const = 0;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_ESN_H */
