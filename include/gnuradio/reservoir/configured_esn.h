/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_CONFIGURED_ESN_H
#define INCLUDED_RESERVOIR_CONFIGURED_ESN_H

#include <gnuradio/reservoir/described.h>
#include <gnuradio/reservoir/detector.h>
#include <gnuradio/reservoir/kernel/channel_estimate.h>
#include <memory>

namespace gr {
namespace reservoir {

struct configured_settings;
struct configured_readout;
struct stream_readout;
class configured_network;
class joint_detector;
class single_stream;
class soft_output;
struct soft_model;

struct RESERVOIR_API configured_esn_parameters {
    static constexpr about_kind ABOUT = {
        "configured_esn",
        "Configured ESN",
        "Neural Network",
        "echo state network, reservoir computing, neural network, machine learning, "
        "decision feedback, per-survivor processing, MLSE",
        "Echo state network (ESN) with poles that are configured from the channel, which "
        "is estimated from the pilots, instead of drawn at random. Several hypotheses "
        "(survivors) of the past decisions are kept and fed back, and a whole frame is "
        "received again with its decisions as training (refits). A carrier offset, a "
        "saturating amplifier or receiver, a receiver's gain that jumps, and fading "
        "within the frame are found on the "
        "way. Several streams, from one or more antennas, are decided together.",
        "The one to take for frames on a single carrier.\n\n"
        "Where nothing is known but the pilots, set Training Sequence, Constellation "
        "and, "
        "for whole frames, Payload Length; the rest may stay as it is. Without a Payload "
        "Length there are no refits; the symbols of a stream with Decision Feedback are "
        "constellation points and come about 72 symbols late.",
        "With a Payload Length a clean constellation is no proof of a low symbol error "
        "rate: each symbol lies near the point that was decided, right or wrong. Believe "
        "the Symbol Error Meter, or the packets.",
        false,
        true,
        "feedback",
        { { { "channel",
              "vector",
              "from the next tag on the channel's impulse response is this but for a "
              "complex gain; empty: it is estimated" },
            { "power_delay_profile",
              "vector",
              "with poles from statistics, from the next tag on" } } }
    };

    constellation_points constellation;
    int channel_len = 0;
    bool feedback = true;
    int survivors = 8;
    int refits = 2;
    double prior_weight = 3.0;
    std::string poles = "estimate";
    std::vector<double> power_delay_profile = {};
    int num_neurons = 32;
    bool receiver_linearization = true;
    double max_frequency_offset = 5e-3;
    double phase_noise = 3e-5;
    std::string tracking = "auto";
    double rotation = 0.0;
    int num_inputs = 1;
    int num_outputs = 1;
    std::string output = "decided";

    template <class Self, class Visit>
    static void visit(Self& self, Visit&& visit)
    {
        const auto network = [](const char* name, const char* text) {
            return parameter(name, text).on("Network");
        };
        const auto impairment = [](const char* name, const char* text) {
            return parameter(name, text).on("Impairments").seldom();
        };
        visit(
            self.constellation,
            parameter("constellation",
                      "what is decided, at the scale of the training sequence or at unit "
                      "power"));
        visit(self.channel_len,
              network(
                  "channel_len",
                  "taps of the channel, the first at the symbol's instant; at most half "
                  "the pilots are used")
                  .within(1, 64)
                  .or_else(0, "timing and length by the Bayesian information criterion")
                  .in("symbols")
                  .labelled("Channel Length")
                  .shown_when("poles != 'statistics'")
                  .on_block_when("channel_len != 0"));
        visit(
            self.feedback,
            network("feedback",
                    "on, decisions are fed back; off, the trained network is one linear "
                    "filter and fits any waveform")
                .labelled("Decision Feedback"));
        visit(self.survivors,
              network("survivors", "hypotheses that are kept; time grows with them")
                  .within(1, 256)
                  .shown_when("feedback"));
        visit(self.refits,
              network(
                  "refits",
                  "passes over a frame with its own decisions as training; the pass that "
                  "explains the samples best is kept")
                  .within(0, 16)
                  .shown_when("feedback or poles == 'statistics' and refits != 0")
                  .on_block_when("payload_len > 0"));
        visit(
            self.prior_weight,
            network("prior_weight",
                    "weight of the channel's model against the pilots in the first pass; "
                    "refits choose theirs by leave-one-out")
                .within(0, 1e6)
                .seldom());
        visit(self.poles,
              network("poles",
                      "from the channel's estimate, or from its statistics without an "
                      "estimate")
                  .one_of(parameter::word{ "estimate", "From the channel's estimate" },
                          parameter::word{ "statistics", "From its statistics" })
                  .shown_when("not feedback or poles == 'statistics'")
                  .seldom());
        visit(self.power_delay_profile,
              network("power_delay_profile",
                      "mean powers of the channel's taps, for poles from statistics")
                  .at_least(0)
                  .shown_when("poles == 'statistics' or len(power_delay_profile) > 0"));
        visit(self.num_neurons,
              network("num_neurons", "poles that are placed from statistics")
                  .within(1, 64)
                  .labelled("Num. Neurons")
                  .shown_when("poles == 'statistics'"));
        visit(
            self.receiver_linearization,
            impairment("receiver_linearization",
                       "fit and undo a saturating receiver: a limiter behind the noise, "
                       "or one in "
                       "front of it (multi-level constellations, one sample per symbol)")
                .shown_when("feedback"));
        visit(
            self.max_frequency_offset,
            impairment("max_frequency_offset", "carrier offset that is searched; 0: none")
                .within(0, 0.5)
                .in("cycles per symbol")
                .labelled("Max. Frequency Offset"));
        visit(self.phase_noise,
              impairment("phase_noise", "variance of the phase steps; 0: no phase loop")
                  .within(0, 0.1)
                  .in("rad² per symbol")
                  .shown_when("feedback"));
        visit(self.tracking,
              impairment(
                  "tracking",
                  "follow a fading channel over a frame: 'auto' where one channel does "
                  "not explain it, 'off', or 'on': always tried")
                  .one_of(parameter::word{ "auto", "Automatic" },
                          parameter::word{ "off", "Off" },
                          parameter::word{ "on", "On" })
                  .shown_when("feedback or tracking == 'on'"));
        visit(
            self.rotation,
            parameter("rotation",
                      "by which the constellation turns from symbol to symbol: pi/2 for "
                      "pi/2-BPSK, MSK and GMSK, pi/4 for pi/4-DQPSK (points of QPSK); "
                      "pilots and symbols are given without it")
                .on("Network")
                .seldom()
                .within(-3.1416, 3.1416)
                .in("radians per symbol")
                .shown_when("feedback or rotation != 0"));
        visit(self.num_inputs, NUM_INPUTS);
        visit(self.num_outputs, NUM_OUTPUTS.within(1, 8));
        visit(self.output,
              network("output",
                      "symbols that come out with decision feedback: what was decided, "
                      "in a frame with what a matched filter makes of the residual, or "
                      "what the readout made of the samples before that was decided")
                  .one_of(parameter::word{ "decided", "Decided" },
                          parameter::word{ "forward", "Before the decision" })
                  .shown_when("feedback")
                  .seldom());
    }

    template <class Rule>
    void rules(Rule&& rule) const
    {
        const bool statistics = poles == "statistics";
        rule(!statistics || !feedback,
             "feedback",
             "False with poles = 'statistics'",
             "poles != 'statistics' or not feedback");
        rule(!statistics || refits == 0,
             "refits",
             "0 with poles = 'statistics'",
             "poles != 'statistics' or refits == 0");
        rule(statistics || power_delay_profile.empty(),
             "power_delay_profile",
             "empty unless poles = 'statistics'",
             "poles == 'statistics' or len(power_delay_profile) == 0");
        rule(!statistics ||
                 (power_delay_profile.size() >= 2 && power_delay_profile.front() > 0.0 &&
                  power_delay_profile.back() > 0.0),
             "power_delay_profile",
             "at least two powers, the first and the last above 0, with poles = "
             "'statistics'",
             "poles != 'statistics' or len(power_delay_profile) > 1 and "
             "power_delay_profile[0] > 0 and power_delay_profile[-1] > 0");
        rule(rotation == 0.0 || feedback,
             "rotation",
             "0 without feedback",
             "feedback or rotation == 0");
        rule(tracking != "on" || feedback,
             "tracking",
             "'auto' or 'off' without feedback",
             "feedback or tracking != 'on'");
        rule(num_outputs == 1 || feedback,
             "feedback",
             "True with num_outputs > 1; fir and esn are without",
             "num_outputs == 1 or feedback");
        rule(num_outputs == 1 || rotation == 0.0,
             "rotation",
             "0 with num_outputs > 1",
             "num_outputs == 1 or rotation == 0");
        rule(num_outputs == 1 || tracking != "on",
             "tracking",
             "'auto' or 'off' with num_outputs > 1",
             "num_outputs == 1 or tracking != 'on'");
    }
};

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
 * a phase loop of its own (Raheli, Polydoros and Tzou, 1995), but one alone wherever the choice is
 * clear: where the second best point costs 10 (several amplitudes: 24) times the mean squared
 * error more. receive() goes over the frame again, with its decisions as training, only as far as
 * that pays. A pass settles the frame if every symbol is sure (its output's squared distance from
 * the nearest other point exceeds that from its own by .05 of the points' least squared distance)
 * and the forward-model residual is below 1.5 times the pilots'. Otherwise all sequences of
 * symbols are searched with the channel that the decisions show (the Viterbi algorithm, up to 4096
 * branches: six taps for QPSK), at most three times, as long as they explain the samples better;
 * then, and with longer channels at once, up to `refits` passes follow, the best of which by the
 * residual is kept, and a search with four times the survivors. Of two carrier hypotheses the one
 * with the lesser residual after the first pass goes on. On the way it fits a transmitter's
 * amplifier (multi-level constellations, at least 96 known symbols) and a receiver's saturation, in
 * front of the noise (multi-level constellations) or behind it: a limiter there is undone before all
 * else, and the frame received once more with the limit that its decisions show.
 *
 * A frame is received with one channel first. Where parts of it show channels of their own (by the
 * Bayesian information criterion), or one channel leaves clearly more than the pilots' noise, it
 * is followed block by block: memories of several lengths, the longer ones with a linear trend,
 * predict the channel of the next 32 symbols, and the one that has predicted best is used. Blocks
 * that are not sure are decided again from the decisions on both sides. Of the two ways the one
 * with the lesser final prediction error (Akaike, 1969) is kept.
 *
 * Where the power of an antenna jumps within a frame (kernel::find_power_steps), the frame is received once
 * more with all parts at the level of the first one, and with one stream behind pilots again with the places
 * and complex gains that its decisions show. Which of them explains the samples best is kept, so that
 * pilots may be stronger than the payload.
 *
 * Known symbols may be anywhere in a frame (known_symbols; with feedback). Runs of unknown symbols are
 * cut into blocks of at most 48. A block's channel is interpolated from what is known, or decided
 * already, on both sides, with weights that fall with the distance (48, 128 or 384 symbols, or
 * none) and perhaps a linear trend; timing, length and weights are those that predict best what
 * they were not fitted on, and weak taps are drawn to zero by their mean power (automatic
 * relevance determination, MacKay, 1994). Filter and feedback follow from the channel alone, an
 * endless prior_weight; the survivors go on through the known symbols behind a block, or all
 * sequences are searched where they are few (256 branches: eight taps for two points). What comes
 * before the first known symbols that fill a channel is received backwards in time. Then all
 * again with the decisions, `refits` times at most.
 *
 * A constellation that turns by `rotation` per symbol is turned back first. If its points lie on a
 * line (pi/2-BPSK, linearised MSK and GMSK), real and imaginary part are received as two streams:
 * the noise across the line is told from that along it.
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
 * channel: every DECISION_LAG symbols poles and readout are configured again for the channel that
 * the memories predict, as in a frame that is followed. A block waits for 16 symbols more, through which the survivors are searched before it is decided:
 * on a deep notch an early decision is wrong, and tracking then follows it. It decides by its own
 * constellation.
 *
 * Several streams (num_outputs) are received jointly. Their channels are estimated together, with one
 * timing and length; the noise of the antennas is made white by what the estimate leaves. Every
 * stream has the poles of its own spectral factor, summed over the antennas, and every antenna a
 * bank of all of them. The readout follows from the channel alone (an endless prior_weight): with B
 * what the neurons see of an instant's symbols and R the covariance of what else they see that is
 * not decided yet, the errors have the covariance (I + B^H R^-1 B)^-1. The stream with the least
 * error is decided first and fed back to the others of the instant (Wolniansky et al., 1998), so that
 * the errors of all decisions are white, and the survivors go through the streams of an instant one
 * after another, by the sum of |y - x|^2 / error - |x|^2, which is that of the likeliest sequence
 * (Cioffi et al., 1995). The carrier's phase, which all streams have in common, is followed as with
 * one. Up to `refits` passes follow, until one decides as the one before. Their soft bits are those
 * of the readout's output before each decision. A search costs symbols x streams x survivors x
 * (streams x channel length + points), the filters of a pass (streams x channel length x antennas)^3.
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
 * With feedback a symbol costs FUTURE + 1 = 41 complex multiply-adds per antenna and sampling
 * phase, and in the search channel length + points, times the survivors where the choice is not
 * clear; a refit costs about symbols x (features)^2, features being twice the channel's length, and
 * all sequences points^(channel length) additions per symbol. A frame that does not convince is
 * tried with and without the offset that the pilots show.
 *
 * The report's regularization is kappa, its delay what detect() holds back, its noise_variance
 * that of the output, of several streams their mean. Its channel has a row per antenna, of several
 * streams those of the first stream first.
 *
 * Limits: without feedback it does not adapt between trainings; with poles = "statistics" neither
 * feedback nor refits. With several streams all known symbols must be in front, the channel is neither
 * followed nor told from outside, and amplifiers are not modelled.
 */
class RESERVOIR_API configured_esn
    : public described<configured_esn, configured_esn_parameters, detector>
{
public:
    typedef std::shared_ptr<configured_esn> sptr;

    //! Symbols that a streaming decision waits for later ones, beyond the readout's look-ahead.
    static constexpr int DECISION_LAG = 32;

    //! \throws std::invalid_argument naming the parameter, its value and its range
    explicit configured_esn(const configured_esn_parameters& parameters);
    ~configured_esn() override;
    //! Parameters one by one, as configured_esn_parameters has them; a null constellation is QPSK.
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
                     double rotation = 0.0,
                     int num_inputs = 1,
                     int num_outputs = 1,
                     const std::string& output = "decided");

    bool refits_frames() const override { return d_parameters.refits > 0; }
    //! Not without decisions: they stand for the symbols between those known.
    bool takes_unknown_pilots() const override
    {
        return d_parameters.feedback && d_parameters.poles == "estimate" &&
               d_parameters.num_outputs == 1;
    }
    //! Points of the constellation, as given.
    std::vector<gr_complex> points() const { return d_parameters.constellation.points; }
    //! Labels of the points' bits, see kernel::bit_labels.
    std::vector<int> labels() const { return d_parameters.constellation.labels; }
    /*!
     * \brief The FIR filter that the trained network is, before feedback, for samples of unit
     * power: one row per antenna and sampling phase (antenna-major), oldest sample first. Its
     * output at symbol n begins with sample n - filter_start(). Empty before training.
     */
    stream_matrix filter() const;
    int filter_start() const;
    //! Weights of the last decisions, newest first.
    std::vector<gr_complex> feedback_weights() const;

protected:
    int do_look_ahead() const override;
    int do_look_back() const override;
    uint64_t do_bad_samples() const override { return d_bad_samples; }
    void do_reset() override;
    training_report do_fit(const gr_complex* const* received,
                           size_t num_samples,
                           const stream_matrix& pilots,
                           int sps) override;
    size_t do_detect(const gr_complex* const* received,
                     size_t num_samples,
                     gr_complex* const* symbols) override;
    void do_receive(const gr_complex* const* received,
                    size_t num_samples,
                    const stream_matrix& pilots,
                    int sps,
                    size_t num_symbols,
                    gr_complex* const* symbols) override;
    const constellation_points* do_constellation() const override
    {
        return &d_parameters.constellation;
    }
    void do_soft_output(soft_demapper& demapper,
                        size_t count,
                        const symbol_rows& rows) override;
    void do_set_tracking(digital::constellation_sptr constellation) override;
    void do_command(const std::string& name, const pmt::pmt_t& value) override;
    pmt::pmt_t do_save() const override;
    void do_restore(const pmt::pmt_t& saved) override;
    void do_adopt(const trainable& trained) override;

private:
    //! Scales of this training; returns the pilots at unit power.
    std::vector<std::complex<double>> prepare(const gr_complex* const* received,
                                              size_t num_samples,
                                              const stream_matrix& pilots,
                                              int sps);
    //! \name The readout for detect(); what is known of the carrier is taken out of the streams.
    //! \{
    configured_readout fit_prefix(const configured_network& network,
                                  kernel::sample_streams& streams,
                                  const std::vector<std::complex<double>>& known);
    configured_readout fit_pattern(const configured_network& network,
                                   kernel::sample_streams& streams,
                                   const std::vector<std::complex<double>>& known);
    //! \}
    void use_channel(const stream_matrix& channel);
    void use_power_delay_profile(const std::vector<double>& powers);
    configured_settings settings() const;
    //! Takes over a readout for detect().
    void use(const configured_network& network, const configured_readout& readout);
    void demap_output(soft_demapper& demapper, size_t count, const symbol_rows& rows);
    bool forward() const { return d_parameters.output == "forward"; }
    training_report describe(const configured_readout& readout,
                             double noise_variance) const;

    std::vector<double> d_power_delay_profile;
    stream_matrix d_known_channel; // as it was given
    bool d_track_next = false;     // from the next training on
    bool d_tracking = false;
    uint64_t d_bad_samples = 0;
    const std::unique_ptr<stream_readout> d_readout; // of the last training
    std::unique_ptr<single_stream> d_stream;         // made when the first sample comes
    std::unique_ptr<joint_detector> d_joint; // with several streams, instead of all above
    // of the frame that was received last, where its soft output is wanted
    std::shared_ptr<const soft_model> d_soft_model;
    std::vector<char> d_known; // of its symbols
    std::unique_ptr<soft_output> d_soft_output;
    // of the symbols that detect gave last, where they are wanted
    std::vector<gr_complex> d_readout_output;
    std::vector<float> d_output_variance;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_CONFIGURED_ESN_H */
