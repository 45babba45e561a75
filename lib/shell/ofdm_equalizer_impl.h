/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_OFDM_EQUALIZER_IMPL_H
#define INCLUDED_RESERVOIR_OFDM_EQUALIZER_IMPL_H

#include "shell/ofdm_frame_pattern.h"
#include <gnuradio/reservoir/ofdm_equalizer.h>
#include <atomic>
#include <deque>
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
                        const std::string& length_tag_key);

    uint64_t frames() const override;
    uint64_t truncated_frames() const override;
    uint64_t dropped_frames() const override;
    uint64_t bad_lengths() const override;
    uint64_t bad_samples() const override;
    training_report report() const override;

    bool start() override;
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
    };
    //! A tag of some input.
    struct event {
        gr::tag_t tag;
        int input;
        bool begins, cuts; // a frame
    };
    //! What has come of a frame so far.
    struct incoming {
        uint64_t begin = 0,
                 end = 0; // samples; nothing is collected where they are the same
        known_carriers known;
        stream_matrix samples;
        std::vector<event> tags;
    };
    //! A frame on its way out.
    struct outgoing {
        stream_matrix symbols;
        std::vector<int> data;      // of the symbols, those that come out
        size_t next = 0;            // of these
        std::deque<gr::tag_t> tags; // their offsets count data symbols
    };

    bool collecting() const { return d_in.begin != d_in.end; }
    bool frame_waits() const { return d_out.next < d_out.data.size(); }
    std::vector<event> events_in(uint64_t begin, uint64_t end);
    int take(const gr_vector_const_void_star& input_items, int count);
    void collect(const gr_vector_const_void_star& input_items, uint64_t until);
    void keep(const event& now);
    void begin_frame(const gr::tag_t& tag);
    void end_frame();
    void place_tags();
    void refuse_length(const gr::tag_t& tag);
    void send_report();
    bool any_input_done() const;
    bool input_ended() const;
    int put_out(int noutput_items, gr_vector_void_star& output_items);

    const ofdm_detector::sptr d_detector;
    const ofdm_frame_pattern d_pattern;
    const int d_num_data_symbols;
    const pmt::pmt_t d_frame_start_key;
    const pmt::pmt_t d_length_key;           // null: no such tags
    std::atomic_bool d_frame_waits{ false }; // for forecast, which has no lock
    uint64_t d_taken = 0;                    // samples
    incoming d_in;
    outgoing d_out;
    std::vector<event> d_between; // tags for the next frame, of each key and input one
    counts d_counts;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_OFDM_EQUALIZER_IMPL_H */
