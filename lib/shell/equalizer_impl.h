/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_EQUALIZER_IMPL_H
#define INCLUDED_RESERVOIR_EQUALIZER_IMPL_H

#include "shell/frame_receiver.h"
#include "shell/mistake_watch.h"
#include <gnuradio/reservoir/equalizer.h>
#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

class equalizer_impl : public equalizer
{
public:
    //! Of frames that go on without tags of their own.
    struct repetition {
        int lead;   // symbols from a tag to the first frame
        int period; // of the pattern, symbols; 0: one frame per tag
    };
    equalizer_impl(detector::sptr detector,
                   int sps,
                   const stream_matrix& training_sequence,
                   const std::string& training_start_tag,
                   int payload_len,
                   bool adapt_after_training,
                   digital::constellation_sptr constellation,
                   bool background_training,
                   int workers,
                   bool use_history,
                   int hurry_above,
                   int tag_at,
                   bool soft_output,
                   const repetition& again = { 0, 0 });

    void set_training_sequence(const stream_matrix& training_sequence) override;
    stream_matrix training_sequence() const override;
    void set_adapt_after_training(bool adapt) override;
    bool adapt_after_training() const override;
    void set_freeze(bool freeze) override;
    bool freeze() const override;
    void reset_training() override;

    uint64_t trainings() const override;
    uint64_t abandoned_trainings() const override;
    uint64_t truncated_frames() const override;
    uint64_t skipped_trainings() const override;
    uint64_t hurried_frames() const override;
    uint64_t bad_samples() const override;
    training_report report() const override;
    std::vector<std::string> warnings() const override;

    bool start() override;
    bool stop() override;
    void forecast(int noutput_items, gr_vector_int& ninput_items_required) override;
    int general_work(int noutput_items,
                     gr_vector_int& ninput_items,
                     gr_vector_const_void_star& input_items,
                     gr_vector_void_star& output_items) override;

private:
    std::unique_ptr<frame_receiver> make_receiver(const stream_matrix& training_sequence);
    void check_training_sequence(const stream_matrix& training_sequence) const;
    void handle_command(const pmt::pmt_t& message);
    uint64_t held_until(uint64_t came, bool ended) const;
    void take_tags(int num_items);
    void place_tags(uint64_t until);
    struct event;
    void insert(const event& next);
    void mark(const event& begins);
    void repeat_from(uint64_t offset);
    void end_repetition();
    void push(const gr_vector_const_void_star& input_items, int count, uint64_t until);
    void send_tags(size_t produced);
    void say_warnings();
    void send_reports();
    void send_warnings();
    void send_report(const training_report* report,
                     uint64_t offset,
                     const frame_receiver::counts& counts);

    const detector::sptr d_detector;
    const int d_sps;
    const pmt::pmt_t d_training_key;
    const int d_payload_len;
    const digital::constellation_sptr d_constellation;
    const bool d_background_training;
    const int d_workers;
    const bool d_use_history;
    const int d_hurry_above;
    const bool d_soft_output;
    const uint64_t d_hold; // samples from a burst's first to its tag
    const repetition d_again;
    const uint64_t d_frame; // samples
    bool d_adapt;
    std::unique_ptr<frame_receiver> d_receiver;
    mistake_watch d_watch;
    std::vector<mistake_watch::warning> d_unsent; // wait for the next report
    std::atomic_bool d_symbols_wait{ false }; // or will; for forecast, which has no lock
    // What happens at a sample: a burst begins, or a tag is there
    struct event {
        uint64_t offset;
        enum { BURST_OF_TAG, NEXT_BURST, TAG } kind; // in their order on a sample
        gr::tag_t tag;
    };
    bool d_repeats = false;       // frames go on
    uint64_t d_repeats_from = 0;  // the last frame's first sample
    std::deque<event> d_events;   // of samples that are held back, in their order
    sample_buffer d_held;         // where there is a d_hold
    uint64_t d_pushed = 0;        // samples that the receiver has
    std::deque<gr::tag_t> d_tags; // at their output symbol, not yet sent
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_EQUALIZER_IMPL_H */
