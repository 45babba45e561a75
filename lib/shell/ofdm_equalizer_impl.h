/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_OFDM_EQUALIZER_IMPL_H
#define INCLUDED_RESERVOIR_OFDM_EQUALIZER_IMPL_H

#include "shell/detector_pool.h"
#include "shell/mistake_watch.h"
#include "shell/ofdm_frame_pattern.h"
#include <gnuradio/reservoir/ofdm_equalizer.h>
#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

class ofdm_equalizer_impl : public ofdm_equalizer
{
public:
    ofdm_equalizer_impl(ofdm_detector::sptr detector,
                        const ofdm_frame_pattern& pattern,
                        int num_data_symbols,
                        const std::string& frame_start_tag,
                        const std::string& length_tag_key,
                        int workers);

    void set_num_data_symbols(int num_data_symbols) override;
    int num_data_symbols() const override;
    void set_pilots(const ofdm_grid& grid) override;
    void set_pilots(const stream_matrix& pilots) override;

    uint64_t frames() const override;
    uint64_t truncated_frames() const override;
    uint64_t dropped_frames() const override;
    uint64_t bad_lengths() const override;
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
    struct counts {
        uint64_t frames = 0;
        uint64_t truncated_frames = 0;
        uint64_t dropped_frames = 0;
        uint64_t bad_lengths = 0;
        uint64_t erased_frames = 0;
    };
    //! A tag of some input.
    struct event {
        gr::tag_t tag;
        int input;
        bool begins, cuts; // a frame
    };
    typedef std::shared_ptr<ofdm_frame_pattern> pattern_sptr;
    //! What has come of a frame so far.
    struct incoming {
        pattern_sptr pattern;
        uint64_t begin = 0,
                 end = 0; // samples; nothing is collected where they are the same
        stream_matrix samples;
        std::vector<event> tags;
    };
    //! A frame that was received, or will be.
    struct outgoing {
        uint64_t offset; // of its first sample
        counts so_far;
        pattern_sptr pattern;
        stream_matrix symbols;
        std::vector<int> data;      // of the symbols, those that come out
        size_t next = 0;            // of these
        std::deque<gr::tag_t> tags; // their offsets count data symbols
    };
    //! What a detector made of a frame.
    struct reception {
        stream_matrix symbols;
        std::string refused; // why the frame is erased
    };
    typedef detector_pool<ofdm_detector, reception> pool;

    void set_pattern(const ofdm_frame_pattern& pattern);
    void handle_command(const pmt::pmt_t& message);
    bool collecting() const { return d_in.begin != d_in.end; }
    //! Frames that workers have.
    size_t pending() const { return d_pool ? d_pool->size() : 0; }
    //! Whether so few frames wait that samples are taken.
    bool hungry() const;
    std::vector<event> events_in(uint64_t begin, uint64_t end);
    void take(const gr_vector_const_void_star& input_items, uint64_t end);
    void collect(const gr_vector_const_void_star& input_items, uint64_t until);
    void keep(const event& now);
    void begin_frame(const gr::tag_t& tag);
    void end_frame();
    void place_tags(outgoing& frame) const;
    //! Zeros on the carriers that are not known where the detector refuses the frame; of any thread.
    reception receive_or_erase(ofdm_detector& receiver,
                               const stream_matrix& samples,
                               const known_carriers& known) const;
    void finish(outgoing& frame, reception received, const training_report& report);
    void gather(std::chrono::microseconds patience);
    void refuse_length(const gr::tag_t& tag);
    void send_report(const outgoing& frame, const training_report& report);
    void say_warnings();
    double carrier_offset() const;
    int put_out(int before, int noutput_items, gr_vector_void_star& output_items);

    const ofdm_detector::sptr d_detector;
    pattern_sptr d_pattern; // of the next frame
    int d_num_data_symbols; // of the next frame
    const pmt::pmt_t d_frame_start_key;
    const pmt::pmt_t d_length_key; // null: no such tags
    const int d_workers;
    std::unique_ptr<pool> d_pool;            // of several workers
    std::atomic_bool d_frame_waits{ false }; // or will; for forecast, which has no lock
    uint64_t d_taken = 0;                    // samples
    incoming d_in;
    std::deque<outgoing> d_out;   // the oldest first; the last ones are pending
    std::vector<event> d_between; // tags for the next frame, of each key and input one
    counts d_counts;
    mistake_watch d_watch;
    std::string d_unsent; // warnings, a line each
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_OFDM_EQUALIZER_IMPL_H */
