/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_BLOCK_FADING_CC_IMPL_H
#define INCLUDED_RESERVOIR_BLOCK_FADING_CC_IMPL_H

#include <gnuradio/reservoir/block_fading_cc.h>
#include <gnuradio/reservoir/kernel/random.h>
#include <complex>

namespace gr {
namespace reservoir {

class block_fading_cc_impl : public block_fading_cc
{
private:
    static constexpr int BLOCK_LEN = 512;     // samples worked on at a time
    static constexpr int EXACT_EVERY = 256;   // samples between exact phases
    static constexpr int NUM_WAVES = 16;      // of a tap with Doppler
    static constexpr int64_t NORM_LEN = 1024; // samples of mean energy without frame_len

    //! exp(i (2 pi frequency n + phase)) of many waves, for n = 0, 1, 2, ...
    struct wave_bank {
        std::vector<double> frequency; // cycles/sample
        std::vector<double> phase;     // cycles
        std::vector<double> step_re, step_im;
        std::vector<double> re, im;

        void resize(size_t count);
        //! The waves at sample n, with steps that lead on from there.
        void set_exactly(uint64_t n);
        void advance();
    };

    const int d_num_tx;
    const int d_num_rx;
    const pmt::pmt_t d_redraw_tag;
    const bool d_redraw_at_tags;
    const int64_t d_frame_len;
    const double d_doppler;
    const bool d_normalize;
    kernel::random d_random;

    std::vector<double> d_profile; // of the next frame; empty: fixed taps
    int d_num_taps = 0;            // of the current frame
    // h_rtl at [(r * num_tx + t) * num_taps + l], of the current frame's first sample
    std::vector<gr_complex> d_taps;
    bool d_started = false;
    bool d_announce = false; // the next sample carries a channel tag
    uint64_t d_index = 0;    // of the next sample in its frame

    bool d_moving = false; // the current frame has Doppler
    wave_bank d_waves;     // NUM_WAVES neighbours a tap
    std::vector<double> d_tap_scale;
    std::vector<gr_complex> d_moving_taps; // [tap index][sample of the block]

    wave_bank d_carrier; // one wave
    uint64_t d_carrier_index = 0;

    // for each input the last num_taps - 1 samples, then the block at work
    std::vector<std::vector<gr_complex>> d_lines;

    std::vector<gr::tag_t> d_tags;
    std::vector<gr::tag_t> d_passed;
    std::vector<int> d_starts;

    void check_taps(const taps_t& taps) const;
    void take_taps(const taps_t& taps);
    void set_num_taps(int num_taps);
    void begin_frame();
    void draw_static();
    void draw_moving();
    void move_taps(int len);
    gr_complex moving_tap(size_t tap) const;
    pmt::pmt_t taps_as_pmt() const;
    void pass_tags(int noutput_items);
    void filter_block(int len,
                      int offset,
                      const gr_vector_const_void_star& input_items,
                      gr_vector_void_star& output_items);
    void turn(int len, int offset, gr_vector_void_star& output_items);

public:
    block_fading_cc_impl(const std::vector<double>& power_delay_profile,
                         const taps_t& taps,
                         int num_tx,
                         int num_rx,
                         const std::string& redraw_tag,
                         int64_t frame_len,
                         double doppler,
                         int64_t seed,
                         bool normalize,
                         double frequency_offset);

    void set_taps(const taps_t& taps) override;
    void set_power_delay_profile(const std::vector<double>& power_delay_profile) override;
    void set_frequency_offset(double frequency_offset) override;
    taps_t taps() override;

    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_BLOCK_FADING_CC_IMPL_H */
