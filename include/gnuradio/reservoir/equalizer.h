/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_EQUALIZER_H
#define INCLUDED_RESERVOIR_EQUALIZER_H

#include <gnuradio/block.h>
#include <gnuradio/digital/constellation.h>
#include <gnuradio/reservoir/detector.h>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief Equalizer block: trains a detector on each frame's training sequence and detects the
 * symbols; what digital.linear_equalizer is, with another way to train.
 * \ingroup reservoir
 *
 * \details
 * The sample that carries the training tag is the instant of the first training symbol. Output is
 * one symbol for every sps samples, the training symbols included, in the units of the training
 * sequence: output k counted from the tag is symbol k. The decision delay is handled inside.
 *
 * - Every training tag restarts the symbol grid and trains again.
 * - Of two training tags closer together than the training symbols, the later one holds: the
 *   training that the earlier one began is abandoned and counted in abandoned_trainings, and its
 *   symbols, up to the later tag, are passed through. A tag in the payload, after the last training
 *   symbol, cuts that frame short instead; it is received as far as it goes and counted in
 *   truncated_frames. So does a radio's overrun, a tag rx_time in a frame; what follows passes
 *   through until the next training tag.
 * - payload_len = 0: a stream; detection goes on until the next tag.
 * - payload_len > 0: the training and payload_len symbols are one frame, received in one piece and
 *   held back until it and 48 symbols of look-ahead are there. Samples between frames pass through.
 * - Before the first training, the sample at each symbol instant is passed through.
 * - At the end of the stream every whole frame comes out; missing look-ahead counts as zeros.
 * - Ports: detector.num_inputs() complex inputs (antennas), num_outputs() complex outputs
 *   (streams). Training tags on input 0 count. All other tags, of every input, go to every output,
 *   on the symbol of the last instant at or before them; the integer values of the length tags
 *   packet_len, tx_pkt_len and frame_len are divided by sps, rounded up.
 * - The output does not depend on how the scheduler cuts the stream.
 * - background_training = True: a copy of the detector is trained in a thread while the block goes
 *   on with the training before, and decides with the copy's weights as soon as they are there, in
 *   the middle of a segment if need be. Nothing is held back for it, frames neither; between frames
 *   symbols are detected as well. When pilots come faster than they can be trained on, newer pilots
 *   replace pilots that are still waiting (counted in skipped_trainings). The output then depends on
 *   the clock. Message port "report" has each epoch too: a dictionary with the fields of
 *   gr::reservoir::training_progress and offset.
 *
 * - workers = N: up to N frames are received at once, each by a copy of the detector in a thread
 *   of its own; up to N more wait, then the input does. Symbols, tags and reports come in their
 *   order and are the same as with one worker; trainings() counts frames as they begin. The copies
 *   know nothing of the detector's own set_tracking, set_progress and cancel.
 *
 * - use_history = True: of each frame the detector also gets the samples before the training tag,
 *   up to its look_back(), that are in the stream, without a radio's overrun between. Without it
 *   they count as zeros, and the first training symbols of a stream without gaps come out badly. A
 *   part of the previous frame may be among them. The symbols that were sent there stay unknown.
 *
 * - tag_at = N: the tag is on symbol N of the frame, counted from 0, as a correlator puts it on a
 *   midamble. Everything is held back by N symbols more. A tag that comes before symbol N of the
 *   stream is counted in abandoned_trainings.
 *
 * - soft_output = True: as many ports more as there are streams, after theirs, each with a vector of
 *   bits-per-symbol floats for every symbol: the log-likelihood ratios log P(1)/P(0) of its bits, the
 *   most significant first, as digital::constellation::calc_soft_dec orders them. They are natural
 *   logarithms, limited to +-8; +-8 is what the bits of known symbols have, and before the first
 *   training they are 0. All tags go there as well. fec.extended_decoder multiplies by 48 and clips
 *   to +-128, so it wants them at about a third.
 *
 * - hurry_above = N: a frame behind which more than N samples wait is received without refits, and
 *   counted in hurried_frames. For radios, at low signal-to-noise ratios, where refits take most
 *   of the time: more symbol errors instead of dropped frames. GNU Radio's buffers hold 8192
 *   samples, so N must be below that to have an effect. The output then depends on the clock.
 *
 * Message port "report" (out): a dictionary for each training, with the fields of
 * gr::reservoir::training_report and offset (sample of the first training symbol), trainings,
 * abandoned_trainings, truncated_frames, skipped_trainings, hurried_frames; and warning, a string,
 * only where there is one (several: one per line).
 *
 * Mistakes with which a flowgraph runs but its symbols are wrong are told once in a run: in the log,
 * in warnings() and in the next report's field warning. As long as nothing has been trained there is
 * no such report; then a dictionary with the warning and the four counts is sent alone.
 * - No training tag in the first 100000 samples (or four frames, if that is more), or in the whole
 *   of a shorter stream, while the detector is not trained; the sentence names the tags that came.
 * - A training error above −1.5 dB, as a mean of the last eight trainings: other symbols were sent
 *   than the training sequence, or fewer, or the tag is not on the first of them. The error is the
 *   report's mse over the power of the training symbols or, of a frame, one minus the coherence of
 *   those with what came out for them, if that is more. Of fewer trainings the mean is judged when no
 *   more come (then told in the log and in warnings() alone). A few frames that are noise do not
 *   matter. Told again after 100 good ones in a row. Not noticed with an rnn without held_out, and
 *   with fir and esn where there are fewer training symbols than weights: their error is small on
 *   any symbols.
 * - Two training tags closer together than the training, see above.
 * - A training that the detector refuses, as more condition numbers than memory allows. It is counted
 *   in abandoned_trainings. Samples pass through until the next training; with background_training the
 *   weights before hold.
 * - A training sequence that is coloured, as bits that are repeated three times are: a least-squares
 *   estimate of an 8-tap channel from it has at least 2.5 times the error variance that white
 *   symbols give (more for fewer than 48 symbols, and nothing is said below 16). Told by the
 *   constructor and by set_training_sequence.
 *
 * Message port "command" (in): dictionaries, or a single pair,
 * - {"freeze": bool}: tags restart grid and state, but nothing is trained any more;
 * - {"reset": true}: pass samples through until the next training;
 * - {"training_sequence": vector}: from the next tag on (c32vector, c64vector, a vector of numbers,
 *   or a vector of those, one per stream);
 * - {"channel": vector}, likewise, one per antenna: detector::set_channel;
 * - {"power_delay_profile": vector of real numbers}: detector::set_power_delay_profile.
 * A command that cannot be carried out is logged and changes nothing.
 */
class RESERVOIR_API equalizer : virtual public gr::block
{
public:
    typedef std::shared_ptr<equalizer> sptr;

    /*!
     * \param detector what is trained; belongs to this block from now on
     * \param sps samples per symbol, 1 to 64
     * \param training_sequence known symbols, one row per stream, at least one symbol; NaN for those
     *        between them that are not known, with detector.takes_unknown_pilots()
     * \param training_start_tag key of the tag on the first training sample
     * \param payload_len symbols after the training that make up a frame; 0: a stream
     * \param adapt_after_training go on training on decisions; needs a constellation
     * \param constellation for these decisions, and the soft output's bits
     * \param background_training train in a thread of its own; for the rnn, which takes long
     * \param workers threads that receive frames, 1 to 64; 1: the block's own. More than one need
     *        payload_len > 0, without adapt_after_training and background_training
     * \param use_history the samples before the training tag are used where the stream has them,
     *        instead of counting as zeros; needs payload_len > 0, without background_training
     * \param hurry_above samples that wait behind a frame, 0 to 2^30, above which its refits are left
     *        out; 0: never. Needs payload_len > 0, without background_training, and a detector
     *        with refits_frames()
     * \param tag_at symbol of the frame, or of a stream's training, that carries the tag, 0 to 2^20
     * \param soft_output one more port per stream, see above; detectors without a constellation of
     *        their own need one here
     * \throws std::invalid_argument naming the parameter, its value and its range
     */
    static sptr make(detector::sptr detector,
                     int sps,
                     const stream_matrix& training_sequence,
                     const std::string& training_start_tag = "corr_est",
                     int payload_len = 0,
                     bool adapt_after_training = false,
                     digital::constellation_sptr constellation = nullptr,
                     bool background_training = false,
                     int workers = 1,
                     bool use_history = false,
                     int hurry_above = 0,
                     int tag_at = 0,
                     bool soft_output = false);
    /*!
     * \brief The same with known symbols anywhere in the frame.
     * \param payload_len symbols of the frame that are not known, at least 1; known.length(payload_len)
     *        symbols are received in one piece. 0 with a periodic pattern: it goes on from a tag to
     *        the next one that is not in step, an overrun or the end, in pieces of 512 symbols or
     *        a period, if that is more, which begin and end within the longest run of known symbols
     */
    static sptr make(detector::sptr detector,
                     int sps,
                     const known_symbols& known,
                     const std::string& training_start_tag,
                     int payload_len,
                     int workers = 1,
                     bool use_history = false,
                     int hurry_above = 0,
                     int tag_at = 0,
                     bool soft_output = false,
                     digital::constellation_sptr constellation = nullptr);

    //! New training symbols, from the next tag on.
    virtual void set_training_sequence(const stream_matrix& training_sequence) = 0;
    virtual stream_matrix training_sequence() const = 0;
    virtual void set_adapt_after_training(bool adapt) = 0;
    virtual bool adapt_after_training() const = 0;
    //! As the command "freeze".
    virtual void set_freeze(bool freeze) = 0;
    virtual bool freeze() const = 0;
    //! As the command "reset".
    virtual void reset_training() = 0;

    virtual uint64_t trainings() const = 0;
    //! Trainings cut short by a newer training tag or the end of the stream, or refused by the detector.
    virtual uint64_t abandoned_trainings() const = 0;
    //! Frames whose payload was cut short.
    virtual uint64_t truncated_frames() const = 0;
    //! In the background: trainings that never began because newer pilots came.
    virtual uint64_t skipped_trainings() const = 0;
    //! Frames received without refits, as too many samples waited.
    virtual uint64_t hurried_frames() const = 0;
    //! Samples that were not finite.
    virtual uint64_t bad_samples() const = 0;
    //! The last training's report.
    virtual training_report report() const = 0;
    //! What was told in this run, the last sentence of each kind; the training sequence's stays.
    virtual std::vector<std::string> warnings() const = 0;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_EQUALIZER_H */
