/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_RNN_H
#define INCLUDED_RESERVOIR_RNN_H

#include <gnuradio/reservoir/esn.h>

namespace gr {
namespace reservoir {

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
 * gr::reservoir::esn, but W, U and W_out all learn, by gradient descent on
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
 * eigenvalues of W some 100 N³ real ones an epoch (eigenvalues_every); a condition number needs a
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
 * The report has one entry an epoch of loss, held_out_loss, gradient_norm, eigenvalues and
 * condition_number; poles are the eigenvalues in the end. mse, evm_db and noise_variance are
 * over the held-out pilots, or, where none are held out, optimistic ones over the trained. The
 * output is not unbiased. It does not adapt between trainings.
 */
class RESERVOIR_API rnn : virtual public detector
{
public:
    typedef std::shared_ptr<rnn> sptr;

    /*!
     * \param num_neurons 1 to 1024
     * \param window symbol periods that the network sees at once, 1 to 1024
     * \param delay decision delay in symbols, 0 to 1023
     * \param activation "identity", "magnitude_tanh" or "split_tanh"
     * \param optimizer "gd", "momentum", "rmsprop" or "adam"
     * \param learning_rate above 0, at most 100
     * \param momentum of "momentum" only, 0 to below 1
     * \param epochs steps of descent, 0 (keep the weights as they are) to 1000000
     * \param gradient_clip largest norm of a gradient, longer ones are shortened to it; 0: none
     * \param spectral_radius of W at first, 0 to 2
     * \param train_poles whether W learns; false: its eigenvalues stay equal to the last bit
     * \param seed of the first weights, at least 0; W and U are those of the esn of this seed
     * \param num_inputs antennas, 1 to 64
     * \param num_outputs streams, 1 to 64
     * \param input_scaling norm of each neuron's input weights at first, 0 to 100
     * \param skip whether the readout sees the window too: y = W_out s + D window, D = 0 at first
     * \param warm_up first pilots that do not count in the loss (one always does): the window
     *        knows nothing from before the first pilot. At least 0
     * \param held_out share of the pilots that are not trained on, spread evenly, 0 to 0.5
     * \param patience stop after so many epochs without a lower held-out loss, and keep the
     *        weights of the lowest; needs held_out. 0: all epochs, the last weights
     * \param restarts trainings from seed, seed + 1, …, 1 to 1000; the one with the lowest
     *        held-out loss is kept, without held_out that with the lowest loss
     * \param condition_every a condition number every so many epochs; 0: never
     * \param eigenvalues_every eigenvalues of W every so many epochs; 0: never
     * \throws std::invalid_argument naming the parameter, its value and its range
     */
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
    virtual void set_weights(const rnn_weights& weights) = 0;
    /*!
     * \brief The following fits start from this network and its readout. Needs skip = true, as
     * the readout of an esn sees the window, and the same number of neurons, window, delay,
     * activation, inputs and outputs.
     * \throws std::invalid_argument if it is not trained or another network
     */
    virtual void start_from(const esn& network) = 0;
    //! The following fits start from the seed again.
    virtual void start_from_seed() = 0;
    /*!
     * \brief The trained weights; before training those that a fit would start from (drawn for
     * one sample a symbol and pilots of unit power).
     */
    virtual rnn_weights weights() const = 0;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_RNN_H */
