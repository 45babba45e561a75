/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_SYMBOL_ERROR_METER_IMPL_H
#define INCLUDED_RESERVOIR_SYMBOL_ERROR_METER_IMPL_H

#include <gnuradio/reservoir/symbol_error_meter.h>
#include <deque>

namespace gr {
namespace reservoir {

class symbol_error_meter_impl : public symbol_error_meter
{
private:
    static constexpr size_t MAX_FRAME_COUNTS = size_t(1) << 20;

    struct counts {
        uint64_t symbols = 0;
        uint64_t symbol_errors = 0;
        uint64_t bits = 0;
        uint64_t bit_errors = 0;
        uint64_t nonfinite = 0;
        double error_power = 0.0;
        double reference_power = 0.0;

        void add(const counts& other);
        double ser() const;
        double ber() const;
        double evm_db() const;
    };

    const gr::reservoir::frame_source::sptr d_source;
    const std::vector<gr_complex> d_points;
    const std::vector<unsigned> d_labels; // the bits of each point
    const unsigned d_bits_per_symbol;
    const int d_num_pilots;
    const int d_payload_len;
    const uint64_t d_warmup_frames;
    const pmt::pmt_t d_frame_tag;
    const pmt::pmt_t d_report_port;

    bool d_in_frame = false;
    bool d_counted = false; // the frame under way is past the warm-up
    uint64_t d_frame = 0;
    int d_position = 0; // in the frame
    std::vector<int> d_sent;
    counts d_current;

    counts d_total;
    uint64_t d_started_frames = 0;
    uint64_t d_complete_frames = 0;
    uint64_t d_incomplete_frames = 0;
    std::deque<std::pair<uint64_t, uint64_t>> d_frame_counts;

    std::vector<gr::tag_t> d_tags;

    void begin_frame(uint64_t frame);
    void drop_frame();
    void finish_frame();
    void count_symbol(const gr_complex& symbol, int sent);
    pmt::pmt_t report() const;

public:
    symbol_error_meter_impl(gr::digital::constellation_sptr constellation,
                            gr::reservoir::frame_source::sptr frame_source,
                            int warmup_frames,
                            const std::string& frame_tag);

    uint64_t total_frames() override;
    uint64_t total_symbols() override;
    uint64_t symbol_errors() override;
    uint64_t total_bits() override;
    uint64_t bit_errors() override;
    uint64_t nonfinite_symbols() override;
    uint64_t incomplete_frames() override;
    double ser() override;
    double ber() override;
    double evm_db() override;
    std::vector<std::pair<uint64_t, uint64_t>> frame_ser() override;
    void reset() override;

    bool stop() override;
    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_SYMBOL_ERROR_METER_IMPL_H */
