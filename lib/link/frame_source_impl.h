/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_FRAME_SOURCE_IMPL_H
#define INCLUDED_RESERVOIR_FRAME_SOURCE_IMPL_H

#include <gnuradio/reservoir/frame_source.h>

namespace gr {
namespace reservoir {

class frame_source_impl : public frame_source
{
private:
    const std::vector<gr_complex> d_points;
    const int d_num_preamble;
    const int d_num_pilots;
    const int d_payload_len;
    const uint64_t d_num_frames;
    const uint64_t d_seed;
    const pmt::pmt_t d_frame_tag;    // nil: none
    const pmt::pmt_t d_training_tag; // nil: none

    uint64_t d_frame = 0;
    int d_position = 0;                   // in the frame
    std::vector<gr_complex> d_frame_data; // the frame at work; its gap stays zero

    int payload_start() const { return d_num_preamble + d_num_pilots; }
    void begin_frame();
    void tag_frame(uint64_t offset);

public:
    frame_source_impl(gr::digital::constellation_sptr constellation,
                      const std::vector<gr_complex>& pilots,
                      int payload_len,
                      int gap,
                      int64_t num_frames,
                      int64_t seed,
                      const std::string& frame_tag,
                      const std::string& training_tag,
                      const std::vector<gr_complex>& preamble);

    std::vector<int> payload_indices(int64_t frame) const override;
    std::vector<gr_complex> pilots() const override;
    std::vector<gr_complex> preamble() const override;
    std::vector<gr_complex> points() const override { return d_points; }
    int payload_length() const override { return d_payload_len; }
    int frame_length() const override { return static_cast<int>(d_frame_data.size()); }
    void reset() override;

    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_FRAME_SOURCE_IMPL_H */
