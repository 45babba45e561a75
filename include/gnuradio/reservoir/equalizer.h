/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_EQUALIZER_H
#define INCLUDED_RESERVOIR_EQUALIZER_H

#include <gnuradio/block.h>
#include <gnuradio/digital/constellation.h>
#include <gnuradio/reservoir/detector.h>

namespace gr {
namespace reservoir {

/*!
 * \brief Equalizer block: trains a detector on each frame's training sequence and detects the
 * symbols; what digital.linear_equalizer is, with another learner.
 * \ingroup reservoir
 *
 * \details
 * The sample that carries the training tag is the instant of the first training symbol. Output is
 * one symbol for every sps samples, the training symbols included, in the units of the training
 * sequence: output k counted from the tag is symbol k. The decision delay is handled inside.
 *
 * - Every training tag restarts the symbol grid and trains anew. One that comes before the last
 *   training symbol abandons the old training (counted); its symbols are passed through.
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
 *   on with what was learnt before, and decides with what the copy has learnt as soon as that is
 *   there, in the middle of a segment if need be. Nothing is held back for it, frames neither;
 *   between frames symbols are detected as well. When pilots come faster than they are learnt,
 *   the newest wait and older ones that wait are skipped (counted). The output then depends on the
 *   clock. Message port "report" has each epoch too: a dictionary with the fields of
 *   gr::reservoir::training_progress and offset.
 *
 * - workers = N: up to N frames are received at once, each by a copy of the detector in a thread
 *   of its own; up to N more wait, then the input does. Symbols, tags and reports come in their
 *   order and are the same as with one worker; trainings() counts frames as they begin. The copies
 *   know nothing of the detector's own set_tracking, set_progress and cancel.
 *
 * Message port "report" (out): a dictionary for each training, with the fields of
 * gr::reservoir::training_report and offset (sample of the first training symbol), trainings,
 * abandoned_trainings, truncated_frames, skipped_trainings.
 *
 * Message port "command" (in): dictionaries, or a single pair,
 * - {"freeze": bool}: tags restart grid and state but nothing is learnt any more;
 * - {"reset": true}: pass samples through until the next training;
 * - {"training_sequence": vector}: from the next tag on (c32vector, c64vector, a vector of numbers,
 *   or a vector of those, one a stream);
 * - {"channel": vector}, likewise one an antenna: detector::set_channel;
 * - {"power_delay_profile": vector of real numbers}: detector::set_power_delay_profile.
 * A command that cannot be carried out is logged and changes nothing.
 */
class RESERVOIR_API equalizer : virtual public gr::block
{
public:
    typedef std::shared_ptr<equalizer> sptr;

    /*!
     * \param detector what learns; belongs to this block from now on
     * \param sps samples a symbol, 1 to 64
     * \param training_sequence known symbols, one row a stream, at least one symbol
     * \param training_start_tag key of the tag on the first training sample
     * \param payload_len symbols after the training that make up a frame; 0: a stream
     * \param adapt_after_training go on learning from decisions; needs a constellation
     * \param constellation for these decisions
     * \param background_training train in a thread of its own; for the rnn, which takes long
     * \param workers threads that receive frames, 1 to 64; 1: the block's own. More than one need
     *        payload_len > 0, without adapt_after_training and background_training
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
                     int workers = 1);

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
    //! Trainings cut short by a new tag or the end of the stream.
    virtual uint64_t abandoned_trainings() const = 0;
    //! Frames whose payload was cut short.
    virtual uint64_t truncated_frames() const = 0;
    //! In the background: trainings that never began because newer pilots came.
    virtual uint64_t skipped_trainings() const = 0;
    //! Samples that were not finite.
    virtual uint64_t bad_samples() const = 0;
    //! The last training's report.
    virtual training_report report() const = 0;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_EQUALIZER_H */
