/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_CONFIGURED_ESN_H
#define INCLUDED_RESERVOIR_CONFIGURED_ESN_H

#include <gnuradio/reservoir/detector.h>

namespace gr {
namespace reservoir {

/*!
 * \brief Echo state network whose poles are configured from the channel instead of drawn at random.
 *
 * \details
 * A linear recurrent neuron is a first-order recursive filter, its feedback weight a pole. The
 * channel is estimated from the pilots by least squares, its timing and length chosen by the
 * Bayesian information criterion; the poles are the roots inside the unit circle of
 * H(z) H^*(1/z^*) + sigma^2, those of the infinite minimum-mean-square-error equalizer; the
 * neurons are an orthonormal Takenaka–Malmquist cascade on these poles. The readout is least
 * squares drawn to the model's own solution,
 *
 *     w = (Phi^H Phi + kappa n R + eps)^-1 (Phi^H x + kappa n c),
 *
 * R and c in closed form from the channel. After training the network is one FIR filter.
 *
 * With feedback the network looks ahead only and the last decisions are fed back; several
 * survivors of the past decisions are kept (the M-algorithm, Anderson and Mohan, 1984), each with
 * a phase loop of its own (Raheli, Polydoros and Tzou, 1995). receive() then goes over the frame
 * again with its decisions as training, `refits` times, and keeps the pass whose decisions
 * explain the samples best (least forward-model residual). On the way it fits a transmitter's
 * amplifier (multi-level constellations, at least 96 known symbols), a receiver's saturation, a
 * carrier offset, and follows a fading channel block by block.
 *
 * Symbols are where the pilots put them although the channel may begin up to 6 symbols later or 8
 * earlier. The output of receive() with feedback is
 * z[n] = x[n] + sum_l conj(h_l) e[n+l] / ||h||^2, x the decision and e the forward residual, or x
 * itself in the last symbols of a frame and where slicing z would give another decision: slicing
 * gives the decisions. noise_variance is that of z.
 *
 * fit() and detect() with feedback (streams) make no refit: decisions come with a fixed lag of
 * DECISION_LAG symbols and are constellation points; pilots come out as the readout makes them.
 * The carrier offset that the pilots show is taken out; a saturated receiver is not linearised.
 * set_tracking (adapt_after_training in the equalizer) with feedback makes it follow a fading
 * channel: every DECISION_LAG symbols channel, poles and readout are configured anew from the
 * last decisions, weighted exp(-age / memory), of five memories the one that predicted best. A
 * block waits for 16 symbols more, through which the survivors are searched before it is decided:
 * on a deep notch an early decision is wrong, and tracking then follows it. It decides by its own
 * constellation.
 *
 * What is known of the channel from outside is told by set_channel: the first pass (and the first
 * block of a tracked frame or stream) uses it but for one complex gain, refits estimate as usual;
 * with fewer pilots than taps it is not used. Two special cases are the textbook's equalizers:
 * prior_weight = 1e6 without refits is the MMSE linear equalizer (feedback = False) or, with
 * survivors = 1, the MMSE decision feedback equalizer, of the channel estimated or told. With
 * prior_weight = 0 and survivors = 1 it is a decision feedback equalizer trained by least squares.
 * Maximum likelihood: kernel::viterbi_equalizer with the report's channel or the true one.
 * set_power_delay_profile replaces the profile of poles = "statistics".
 *
 * Without feedback detect() is the FIR filter, at any waveform. After receive(), too, the next
 * detect() starts at symbol 0, with the last pass's readout.
 *
 * With feedback a symbol costs FUTURE + 1 = 41 complex multiply-adds an antenna and sampling
 * phase, and survivors x (channel length + points) in the search; a refit costs about
 * symbols x (features)^2, features being twice the channel's length. Every frame is received
 * with and without the offset that the pilots show (max_frequency_offset = 0 halves the time).
 *
 * The report's regularization is kappa, its delay what detect() holds back, its noise_variance
 * that of the output.
 *
 * Limits: one stream (num_outputs = 1); without feedback it does not adapt between trainings;
 * with poles = "statistics" neither feedback nor refits.
 */
class RESERVOIR_API configured_esn : virtual public detector
{
public:
    typedef std::shared_ptr<configured_esn> sptr;

    //! Symbols that a streaming decision waits for later ones, beyond the readout's look-ahead.
    static constexpr int DECISION_LAG = 32;

    /*!
     * \param constellation what is decided; null: QPSK
     * \param channel_len taps, 1 to 64, the first at the symbol's instant (at most half the pilots
     *        are used); 0: timing and length by the Bayesian information criterion
     * \param feedback whether decisions are fed back
     * \param survivors hypotheses that are kept, 1 to 256
     * \param refits decision-directed passes of receive(), 0 to 16
     * \param prior_weight kappa of the first pass, 0 to 1e6; refits choose by leave-one-out
     * \param poles "estimate", or "statistics": from power_delay_profile, no channel estimate
     * \param power_delay_profile mean powers of the channel's taps; for "statistics" only
     * \param num_neurons poles that "statistics" places, 1 to 64
     * \param receiver_linearization fit a saturating receiver (multi-level constellations, one
     *        sample a symbol)
     * \param max_frequency_offset carrier offset that is searched, cycles/symbol, 0 to 0.5
     * \param phase_noise variance of the phase steps, rad²/symbol, 0 to 0.1; 0: no phase loop
     * \param tracking of a fading channel in receive() with feedback: "auto" (payloads above 1024
     *        symbols, or where one channel does not explain the frame), "off" or "on" (always
     *        tried). Up to 1024 symbols the least final prediction error (Akaike, 1969) of one
     *        channel and a tracked one decides
     * \param num_inputs antennas, 1 to 64
     * \param num_outputs 1
     * \throws std::invalid_argument naming the parameter, its value and its range
     */
    static sptr make(digital::constellation_sptr constellation = nullptr,
                     int channel_len = 0,
                     bool feedback = true,
                     int survivors = 8,
                     int refits = 2,
                     double prior_weight = 3.0,
                     const std::string& poles = "estimate",
                     const std::vector<double>& power_delay_profile = {},
                     int num_neurons = 32,
                     bool receiver_linearization = true,
                     double max_frequency_offset = 5e-3,
                     double phase_noise = 3e-5,
                     const std::string& tracking = "auto",
                     int num_inputs = 1,
                     int num_outputs = 1);

    //! Points of the constellation, as given.
    virtual std::vector<gr_complex> points() const = 0;
    //! Labels of the points: digital::constellation::pre_diff_code, or 0, 1, ….
    virtual std::vector<int> labels() const = 0;
    /*!
     * \brief The FIR filter that the trained network is, before feedback, for samples of unit
     * power: one row an antenna and sampling phase (antenna-major), oldest sample first. Its
     * output at symbol n begins with sample n - filter_start(). Empty before training.
     */
    virtual stream_matrix filter() const = 0;
    virtual int filter_start() const = 0;
    //! Weights of the last decisions, newest first.
    virtual std::vector<gr_complex> feedback_weights() const = 0;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_CONFIGURED_ESN_H */
