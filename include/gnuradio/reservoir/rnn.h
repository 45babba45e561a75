/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_RNN_H
#define INCLUDED_RESERVOIR_RNN_H

#include <gnuradio/reservoir/esn.h>
#include <gnuradio/reservoir/kernel/activation.h>
#include <gnuradio/reservoir/kernel/bptt_network.h>
#include <optional>

namespace gr {
namespace reservoir {

class windowed_network;
struct training_sequence;
struct trained_network;

struct RESERVOIR_API rnn_parameters {
    static constexpr about_kind ABOUT = {
        "rnn",
        "RNN",
        "Neural Network",
        "recurrent neural network, machine learning, deep learning, BPTT",
        "Recurrent neural network (RNN) of which everything is trained, on the training "
        "sequence of each frame, by back-propagation through time and gradient descent.",
        "Compare with the ESN Equalizer, whose network is fixed: with few pilots that "
        "does better, at a tenth of the cost or less.\n\n"
        "Training blocks the flowgraph, unless it is in the background: about 0.05 ms "
        "per epoch for 32 neurons and 64 pilots, and 0.7 ms for the eigenvalues.",
        "",
        true,
        false
    };
    static constexpr int MANY = 1000000;

    int num_neurons = 32;
    int window = 8;
    int delay = 4;
    std::string activation = "split_tanh";
    std::string optimizer = "adam";
    double learning_rate = 3e-3;
    double momentum = 0.9;
    int epochs = 300;
    double gradient_clip = 0.0;
    double spectral_radius = 0.9;
    bool train_poles = true;
    int64_t seed = 1;
    int num_inputs = 1;
    int num_outputs = 1;
    double input_scaling = 0.5;
    bool skip = false;
    int warm_up = 0;
    double held_out = 0.0;
    int patience = 0;
    int restarts = 1;
    int condition_every = 0;
    int eigenvalues_every = 1;

    template <class Self, class Visit>
    static void visit(Self& self, Visit&& visit)
    {
        const auto network = [](const char* name, const char* text) {
            return parameter(name, text).on("Network");
        };
        const auto training = [](const char* name, const char* text) {
            return parameter(name, text).on("Training");
        };
        visit(self.num_neurons,
              network("num_neurons", "neurons of the network")
                  .within(1, 1024)
                  .labelled("Num. Neurons"));
        visit(self.window,
              network("window", "what the network sees at once")
                  .within(1, 1024)
                  .in("symbol periods"));
        visit(self.delay,
              network("delay", "decision delay")
                  .within(0, 1023)
                  .in("symbols")
                  .labelled("Decision Delay"));
        visit(self.activation,
              ACTIVATION.explained(
                  "of the neurons; with 'identity' the network is a linear filter, "
                  "unstable where a pole leaves the unit circle"));
        visit(self.optimizer,
              training("optimizer", "as torch has them")
                  .one_of(parameter::word{ "gd", "Gradient descent" },
                          parameter::word{ "momentum", "Momentum" },
                          parameter::word{ "rmsprop", "RMSProp" },
                          parameter::word{ "adam", "Adam" }));
        visit(self.learning_rate,
              training("learning_rate", "step, for samples and symbols of unit power")
                  .above(0)
                  .at_most(100));
        visit(self.momentum,
              training("momentum", "of the optimizer 'momentum'")
                  .at_least(0)
                  .below(1)
                  .shown_when("optimizer == 'momentum'"));
        visit(self.epochs,
              training("epochs", "steps of descent; 0 keeps the weights as they are")
                  .within(0, MANY));
        visit(self.gradient_clip,
              training("gradient_clip",
                       "largest norm of a gradient, longer ones are shortened to it; 0: "
                       "none")
                  .at_least(0)
                  .seldom());
        visit(self.spectral_radius,
              network("spectral_radius",
                      "largest eigenvalue modulus of the recurrent weights at first")
                  .within(0, 2)
                  .seldom());
        visit(self.train_poles,
              training("train_poles",
                       "whether the recurrent weights are trained; if not, their "
                       "eigenvalues stay equal to the last bit")
                  .seldom());
        visit(self.seed,
              SEED.explained("of the first weights; the recurrent and input weights are "
                             "those of the esn of this seed"));
        visit(self.num_inputs, NUM_INPUTS);
        visit(self.num_outputs, NUM_OUTPUTS);
        visit(self.input_scaling,
              network("input_scaling", "norm of each neuron's input weights at first")
                  .within(0, 100)
                  .seldom());
        visit(self.skip,
              network("skip",
                      "whether the readout sees the window too; its weights are 0 at "
                      "first")
                  .labelled("Readout Sees Window")
                  .seldom());
        visit(self.warm_up,
              training("warm_up",
                       "first pilots that do not count in the loss (one always does): "
                       "the window knows nothing from before the first pilot")
                  .within(0, MANY)
                  .labelled("Warm-up")
                  .seldom());
        visit(self.held_out,
              training("held_out",
                       "share of the pilots that are not trained on, spread evenly")
                  .within(0, 0.5)
                  .labelled("Held-out Pilots")
                  .seldom());
        visit(self.patience,
              training("patience",
                       "stop after so many epochs without a lower held-out loss, and "
                       "keep the weights of the lowest; 0: all epochs, the last weights")
                  .within(0, MANY)
                  .shown_when("held_out > 0 or patience")
                  .seldom());
        visit(self.restarts,
              training("restarts",
                       "trainings from seed, seed + 1, …; the one with the lowest "
                       "held-out loss (without held_out: loss) is kept")
                  .within(1, 1000)
                  .seldom());
        visit(self.condition_every,
              training("condition_every",
                       "a condition number in the report every so many epochs, which "
                       "takes up to seconds each; 0: never")
                  .within(0, MANY)
                  .labelled("Condition Number Every")
                  .seldom());
        visit(self.eigenvalues_every,
              training("eigenvalues_every",
                       "eigenvalues of the recurrent weights in the report every so "
                       "many epochs; 0: never")
                  .within(0, MANY)
                  .seldom());
    }

    template <class Rule>
    void rules(Rule&& rule) const
    {
        rule(patience == 0 || held_out > 0.0,
             "patience",
             "0 where no pilots are held out (held_out = 0)",
             "patience == 0 or held_out > 0");
    }
};

/*!
 * \brief Weights of a recurrent network: for samples scaled to unit power, giving symbols in the
 * units of the pilots. M = num_inputs · sps · window.
 */
struct RESERVOIR_API rnn_weights {
    stream_matrix recurrent; //!< W, num_neurons rows and columns
    //! U, num_neurons rows of M: input-major, newest sample first
    stream_matrix input;
    stream_matrix readout; //!< W_out, num_outputs rows of num_neurons
    stream_matrix skip;    //!< D, num_outputs rows of M, as U; no row without `skip`
};

/*!
 * \brief Recurrent network of which everything is trained, by back-propagation through time.
 *
 * \details
 * s[n] = f(W s[n−1] + U [r[n], …, r[n−window+1]]), y[n−delay] = W_out s[n]: the state equation of
 * gr::reservoir::esn, but W, U and W_out are all trained, by gradient descent on
 * mean |y − x|² over the pilots and streams. The gradient runs back through the whole training
 * sequence (Werbos, 1990); it is ∂L/∂Re + i ∂L/∂Im, twice the derivative by the conjugate
 * (Brandwood, 1983), and the optimizers treat real and imaginary parts as parameters of their
 * own, as torch does: gd, momentum, rmsprop, adam (Kingma and Ba, 2015). Samples and pilots are
 * scaled to unit power first, so that learning rates do not depend on the level; losses are of
 * these symbols. A small step of gd lowers the loss by learning_rate · gradient_norm².
 *
 * Every fit starts from the seed, or from weights that set_weights() or start_from() gave:
 * there the poles of a configured or random echo state network can be fine-tuned.
 *
 * Training costs about 3 N² + 2 N M complex multiply-adds a pilot and epoch (N neurons); the
 * eigenvalues of W some 100 N³ real ones per epoch (eigenvalues_every); a condition number needs a
 * gradient for every real and imaginary part of an output and the singular values of all of
 * them: with 32 neurons about 0.03 s for 64 pilots, 1.5 s for 512. Detection costs as much as that
 * of an esn without its window.
 *
 * Descent is not convex and its problem is badly conditioned: with few pilots expect less than
 * of least squares on a fixed network, at ten times its
 * cost, or a hundred with the eigenvalues. The poles may leave the unit
 * circle: a tanh network stays bounded, a linear one then blows up and starts again from zero
 * where it overflows. Where weights become non-finite in training the last ones with a finite
 * loss are kept. Training is chaotic in the last bits: two machines agree only in the first epochs.
 *
 * The report has one entry per epoch of loss, held_out_loss, gradient_norm, eigenvalues and
 * condition_number; poles are the eigenvalues in the end. mse, evm_db and noise_variance are
 * over the held-out pilots, or, where none are held out, optimistic ones over the trained. The
 * output is not unbiased. It does not adapt between trainings.
 */
class RESERVOIR_API rnn : public described<rnn, rnn_parameters, detector>
{
public:
    typedef std::shared_ptr<rnn> sptr;

    //! \throws std::invalid_argument naming the parameter, its value and its range
    explicit rnn(const rnn_parameters& parameters);
    ~rnn() override;
    //! Parameters one by one, as rnn_parameters has them.
    static sptr make(int num_neurons = 32,
                     int window = 8,
                     int delay = 4,
                     const std::string& activation = "split_tanh",
                     const std::string& optimizer = "adam",
                     double learning_rate = 3e-3,
                     double momentum = 0.9,
                     int epochs = 300,
                     double gradient_clip = 0.0,
                     double spectral_radius = 0.9,
                     bool train_poles = true,
                     int64_t seed = 1,
                     int num_inputs = 1,
                     int num_outputs = 1,
                     double input_scaling = 0.5,
                     bool skip = false,
                     int warm_up = 0,
                     double held_out = 0.0,
                     int patience = 0,
                     int restarts = 1,
                     int condition_every = 0,
                     int eigenvalues_every = 1);

    /*!
     * \brief Weights that the following fits start from (their first restart).
     * \throws std::invalid_argument if the shapes do not fit or a weight is not finite
     */
    void set_weights(const rnn_weights& weights);
    /*!
     * \brief The following fits start from this network and its readout. Needs skip = true, as
     * the readout of an esn sees the window, and the same number of neurons, window, delay,
     * activation, inputs and outputs.
     * \throws std::invalid_argument if it is not trained or another network
     */
    void start_from(const esn& network);
    //! The following fits start from the seed again.
    void start_from_seed();
    /*!
     * \brief The trained weights; before training those that a fit would start from (drawn for
     * one sample per symbol and pilots of unit power).
     */
    rnn_weights weights() const;
    bool takes_unknown_pilots() const override { return true; }

protected:
    int do_look_ahead() const override { return d_parameters.delay; }
    int do_look_back() const override;
    uint64_t do_bad_samples() const override;
    void do_reset() override;
    training_report do_fit(const gr_complex* const* received,
                           size_t num_samples,
                           const stream_matrix& pilots,
                           int sps) override;
    size_t do_detect(const gr_complex* const* received,
                     size_t num_samples,
                     gr_complex* const* symbols) override;
    pmt::pmt_t do_save() const override;
    void do_restore(const pmt::pmt_t& saved) override;
    void do_adopt(const trainable& trained) override;

private:
    // Taps in the user's order, the readout in the units of the pilots.
    typedef kernel::network_weights<float> weight_matrices;

    //! \throws std::invalid_argument if the shapes do not fit
    void check_weights(const weight_matrices& weights) const;
    weight_matrices draw(int restart, int sps) const;
    weight_matrices start(int restart, int sps) const;
    //! The pilots' steps begin with step history() + delay; scale is the pilots' rms.
    training_sequence sequence(kernel::tapped_delay_window& window,
                               const gr_complex* const* received,
                               size_t num_samples,
                               const Eigen::MatrixXcd& pilots,
                               const std::vector<Eigen::Index>& positions,
                               double scale) const;
    trained_network train(const training_sequence& training,
                          const kernel::tapped_delay_window& window,
                          double scale) const;
    void use(const weight_matrices& weights, int sps, float input_gain);

    const kernel::activation d_activation;
    std::optional<weight_matrices> d_start;
    weight_matrices d_trained;
    const std::unique_ptr<windowed_network> d_network;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_RNN_H */
