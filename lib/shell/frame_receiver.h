/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_FRAME_RECEIVER_H
#define INCLUDED_RESERVOIR_FRAME_RECEIVER_H

#include "shell/background_trainer.h"
#include "shell/finished_frame.h"
#include "shell/frame_workers.h"
#include "shell/sample_buffer.h"
#include "shell/symbol_queue.h"
#include <gnuradio/reservoir/detector.h>
#include <any>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief Turns a stream of samples with training marks into a stream of symbols: decides what is
 * done with each segment, and when.
 *
 * Each mark starts a segment with a symbol grid of its own; a segment of n samples gives
 * ⌈n / sps⌉ symbols, whatever is done with them: passed through before any training, held
 * back until the training is there, detected. All decisions depend on sample offsets alone, never
 * on how the samples were cut into pieces.
 *
 * Is not responsible for the scheduler, ports or tags (equalizer_impl), for storing samples
 * (sample_buffer), for the order of the symbols (symbol_queue), nor for threads
 * (background_trainer, frame_workers).
 *
 * With a trainer nothing is held back for the training: detection goes on with the weights
 * before, and changes to the new ones when they are there, which depends on the clock.
 *
 * With workers frames are received at once, several of them; what comes out is the same.
 */
class RESERVOIR_API frame_receiver
{
public:
    /*!
     * payload_len 0, and all pilots known: each segment is a stream. Otherwise training + payload is
     * one frame, of which a pattern may know the last symbols.
     * \param use_history whether a frame's detector gets the samples before the mark, as far as
     *        the stream has them without a gap
     * \param hurry_above samples that wait behind a frame, above which its refits are left out;
     *        0: never
     * \param soft_output whether the symbols' bits are wanted: 0 before any training, as sure as can be
     *        where they are known
     * \param finish what is done with each whole frame as well; empty: nothing
     */
    frame_receiver(detector::sptr detector,
                   int sps,
                   const stream_matrix& pilots,
                   int payload_len,
                   std::unique_ptr<background_trainer> trainer = nullptr,
                   std::unique_ptr<frame_workers> workers = nullptr,
                   bool use_history = false,
                   uint64_t hurry_above = 0,
                   bool soft_output = false,
                   frame_finisher finish = {});

    //! \name Input
    //! \{
    void push(const gr_complex* const* samples, size_t count);
    //! The first pilot is at this sample. Ascending; a repeated offset counts once.
    void mark(uint64_t offset);
    /*!
     * Samples are missing before this one, as after a radio's overrun: a frame that has begun and not
     * ended is truncated there, and the samples pass through until the next mark. Not before the
     * last mark.
     */
    void cut(uint64_t offset);
    //! No more samples will come.
    void finish();
    //! \}

    //! The symbol that a tag at this sample belongs to: the last instant ≤ it. Not before the last mark.
    uint64_t symbol_of(uint64_t offset) const;

    //! \name Output
    //! \{
    //! Symbols that pop can deliver.
    size_t available() const { return d_symbols.available(); }
    //! Whether so much waits behind a pending frame that it should be waited for.
    bool congested() const;
    //! First sample of the oldest segment of which a training is still to come.
    uint64_t open_since() const
    {
        return pending() ? d_pending.front().offset : d_segment.start;
    }
    //! Whether workers have frames that are not available yet.
    bool pending() const { return !d_pending.empty(); }
    //! Makes available what workers have done; waits so long for the next frame if nothing else is.
    void gather(std::chrono::microseconds patience);
    //! llrs: rows for the soft bits, see symbol_rows; null: not wanted
    size_t pop(gr_complex* const* symbols, size_t max, float* const* llrs = nullptr)
    {
        return d_symbols.pop(symbols, max, llrs);
    }
    //! \}

    //! \name Control
    //! \{
    void set_pilots(const stream_matrix& pilots) { d_pilots = pilots; }
    const stream_matrix& pilots() const { return d_pilots; }
    //! Frozen: marks restart the grid and the state, but nothing is trained.
    void set_frozen(bool frozen);
    bool frozen() const { return d_frozen; }
    //! Counts a training of which not all samples are in the stream.
    void abandon_early() { d_counts.abandoned_trainings++; }
    //! Passes samples through until the next training.
    void forget();
    //! No more trainings begin; those that run are given up, at the end of an epoch. Symbols that
    //! are pending will not come.
    void stop_training();
    //! \}

    struct counts {
        uint64_t trainings = 0;
        uint64_t abandoned_trainings = 0;
        uint64_t truncated_frames = 0;
        uint64_t skipped_trainings = 0; // newer ones came before they could begin
        uint64_t hurried_frames = 0;    // without refits
    };
    struct training {
        uint64_t offset; // of the first pilot's sample
        training_report report;
        frame_receiver::counts counts; // this one included
        /*!
         * Of the pilots, over their power: 1 if they tell the detector nothing. The report's mse
         * or, of a frame, the share of the pilots that what came out does not explain, if that is
         * more: some detectors measure a frame on their decisions, which agree with each other
         * even where the pilots are not what was sent. NaN if unknown.
         */
        double error;
        std::any finished{}; // what finish returned; empty where the frame was truncated
    };
    //! Trainings since the last call.
    std::vector<training> take_trainings();
    //! Why the detector could not be trained, since the last call: such trainings are abandoned.
    std::vector<std::string> take_refusals();

    const counts& so_far() const { return d_counts; }

private:
    enum class state { passing, training, detecting };
    struct grid {
        uint64_t start;     // first sample
        uint64_t first;     // its symbol's number in the output
        bool marked = true; // false: it is what follows a frame that was cut
        uint64_t since = 0; // from this sample on none is missing
    };
    static constexpr uint64_t UNKNOWN = ~uint64_t(0);
    //! Symbols that new weights see before the first that they decide.
    static constexpr uint64_t HISTORY = 64;

    void advance();
    void announce(uint64_t offset, bool marked);
    bool step();
    void begin_segment(const grid& segment);
    uint64_t symbols_between(uint64_t start, uint64_t end) const;
    uint64_t segment_length() const; // in symbols; UNKNOWN until the next mark or the end
    bool pass();
    bool train_stream();
    bool train_frame(uint64_t length);
    bool cut_pattern(uint64_t length);
    uint64_t history() const; // of the segment, symbol periods
    void receive_elsewhere(uint64_t samples, uint64_t symbols, bool hurry, bool cut);
    void gather_next();
    void gather_all();
    void trained(uint64_t offset, double unexplained = training_report::NONE);
    bool refuse(const std::string& why, bool cut = false);
    void receive_frame(uint64_t samples, uint64_t symbols, bool hurry, bool cut);
    bool usable() const;
    uint64_t training_length() const; // in samples, look-ahead included
    bool collect();
    void count_truncated();
    void take_over();
    bool detect();
    void take_symbols(size_t count);
    bool abandon();
    void discard_samples();
    uint64_t samples_there() const { return d_samples.end() - d_segment.start; }

    //! A frame that a worker has; places for its symbols are reserved.
    struct pending_frame {
        uint64_t offset;
        stream_matrix pilots;
        frame_receiver::counts counts;
        bool cut; // by the next mark or the end
    };

    const detector::sptr d_detector;
    const int d_sps;
    const size_t d_payload_len;
    const bool d_frames; // else streams
    const bool d_use_history;
    const uint64_t d_hurry_above;
    const frame_finisher d_finish;
    std::unique_ptr<background_trainer> d_trainer;
    std::unique_ptr<frame_workers> d_workers;
    std::deque<pending_frame> d_pending; // the oldest first
    stream_matrix d_pilots;
    bool d_frozen = false;
    bool d_forgotten = false;

    sample_buffer d_samples;
    symbol_queue d_symbols;
    bool d_finished = false;

    std::deque<grid> d_marks;      // segments that have not begun
    uint64_t d_gap = 0;            // the last cut
    grid d_last{ 0, 0, false };    // the last that was announced
    grid d_segment{ 0, 0, false }; // the one being worked on
    state d_state = state::passing;
    stream_matrix d_segment_pilots;
    uint64_t d_emitted = 0;    // symbols of the segment
    uint64_t d_fed = 0;        // sample that the detector gets next
    uint64_t d_again = 0;      // symbols that the detector will give, but are out already
    bool d_collecting = false; // pilots for the trainer
    bool d_end_unknown = false; // of a frame whose payload may be cut short

    std::vector<training> d_trainings;
    std::vector<std::string> d_refusals;
    counts d_counts;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_FRAME_RECEIVER_H */
