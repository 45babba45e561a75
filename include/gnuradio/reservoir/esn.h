/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_ESN_H
#define INCLUDED_RESERVOIR_ESN_H

#include <gnuradio/reservoir/described.h>
#include <gnuradio/reservoir/least_squares_detector.h>
#include <Eigen/Core>

namespace gr {
namespace reservoir {

class recurrence;
namespace kernel {
class tapped_delay_window;
}

struct RESERVOIR_API esn_parameters {
    static constexpr about_kind ABOUT = {
        "esn",
        "ESN",
        "Neural Network",
        "echo state network, reservoir computing, neural network, machine learning",
        "Echo state network (ESN): a fixed random recurrent network; only its readout is "
        "trained, by least squares, on the training sequence of each frame.",
        "A random network is about as good as an FIR filter of the same window: compare "
        "with the FIR Equalizer. Window and delay matter more than neurons.",
        COLOURED_PILOTS,
        false,
        true
    };

    int num_neurons = 32;
    int window = 24;
    int delay = 12;
    double spectral_radius = 0.4;
    double sparsity = 0.0;
    double input_scaling = 0.05;
    std::string activation = "magnitude_tanh";
    double regularization = -1.0;
    std::string update = "ls";
    double forgetting = 1.0;
    int64_t seed = 1;
    int num_inputs = 1;
    int num_outputs = 1;
    std::string prior = "zero";

    template <class Self, class Visit>
    static void visit(Self& self, Visit&& visit)
    {
        visit(self.num_neurons,
              parameter("num_neurons", "neurons of the network")
                  .within(1, 1024)
                  .labelled("Num. Neurons")
                  .on("Network"));
        visit(self.window,
              parameter("window", "what the network and the readout see")
                  .within(1, 1024)
                  .in("symbol periods")
                  .on("Network"));
        visit(self.delay, READOUT_DELAY.on("Network"));
        visit(self.spectral_radius,
              parameter("spectral_radius",
                        "largest eigenvalue modulus of the recurrent weights")
                  .within(0, 2)
                  .on("Network")
                  .seldom());
        visit(self.sparsity,
              parameter("sparsity", "fraction of the recurrent weights that are zero")
                  .at_least(0)
                  .below(1)
                  .on("Network")
                  .seldom());
        visit(self.input_scaling,
              parameter("input_scaling",
                        "norm of each neuron's input weights, for samples of unit power")
                  .within(0, 100)
                  .on("Network")
                  .seldom());
        visit(self.activation,
              ACTIVATION.explained(
                  "of the neurons; with 'identity' the network is a bank of one-pole "
                  "filters"));
        visit(self.regularization, READOUT_REGULARIZATION);
        visit(self.update, READOUT_UPDATE);
        visit(self.forgetting, READOUT_FORGETTING);
        visit(self.seed,
              SEED.explained("of the random weights; the same network on every machine"));
        visit(self.num_inputs, NUM_INPUTS);
        visit(self.num_outputs, NUM_OUTPUTS);
        visit(self.prior, READOUT_PRIOR);
    }

    template <class Rule>
    void rules(Rule&& rule) const
    {
        rule(delay < window,
             "delay",
             "0 to window - 1, or -1 to search",
             "delay < window");
        rule(activation != "identity" || spectral_radius < 1.0,
             "spectral_radius",
             "below 1 with activation 'identity', or the network is unstable",
             "activation != 'identity' or spectral_radius < 1");
    }
};

/*!
 * \brief Echo state network: a fixed random recurrent network whose readout is trained by least
 * squares.
 *
 * \details
 * s[n] = f(W s[n−1] + U [r[n], …, r[n−window+1]]) (Jaeger, 2001; with an input window as in
 * Zhou, Liu, Ekpo and Yi, 2020); the readout sees [s; window] and is trained exactly as in
 * gr::reservoir::fir, whose notes on regularization, bias and tracking hold here too. Inputs are
 * scaled to unit power over the training, so the level of the signal does not matter. Costs
 * N (N + M) + N + M complex multiply-adds per symbol, with N neurons and
 * M = num_inputs · sps · window. With activation "identity" the network is diagonalised and runs
 * as a bank of poles: N M + 2N + M.
 *
 * A linear or nearly linear random network is about as good as an FIR filter of its window.
 */
class RESERVOIR_API esn : public described<esn, esn_parameters, least_squares_detector>
{
public:
    typedef std::shared_ptr<esn> sptr;

    //! \throws std::invalid_argument naming the parameter, its value and its range
    explicit esn(const esn_parameters& parameters);
    //! Parameters one by one, as esn_parameters has them.
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
                     int num_outputs = 1,
                     const std::string& prior = "zero");

    //! The activation's name, as make() takes it.
    std::string activation() const { return d_parameters.activation; }
    //! W, num_neurons rows.
    stream_matrix recurrent_weights() const;
    /*!
     * \brief U for the given sps, num_neurons rows of M weights: input-major, newest sample first.
     */
    stream_matrix input_weights(int sps = 1) const;
    /*!
     * \brief Readout weights, one row per output: [neurons; window]. Empty before training.
     */
    stream_matrix readout() const { return readout_weights(); }
    /*!
     * \brief The states, one row per neuron, for samples that are already scaled; starts from zero
     * and does not touch the detector's own state.
     */
    stream_matrix states(const stream_matrix& received, int sps = 1) const;

protected:
    bool do_has_parameters_of(const trainable& other) const override;
    training_report do_fit(const gr_complex* const* received,
                           size_t num_samples,
                           const stream_matrix& pilots,
                           int sps) override;
    pmt::pmt_t do_save() const override;
    void do_restore(const pmt::pmt_t& saved) override;

private:
    Eigen::MatrixXcf draw_input_weights(int sps) const;
    std::unique_ptr<recurrence>
    make_recurrence(const kernel::tapped_delay_window& window) const;

    Eigen::MatrixXcf d_recurrent_weights;
    std::vector<gr_complex> d_poles; // their eigenvalues
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_ESN_H */
