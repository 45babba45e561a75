/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_PACKET_DECODER_IMPL_H
#define INCLUDED_RESERVOIR_PACKET_DECODER_IMPL_H

#include "link/packet_log.h"
#include <gnuradio/reservoir/packet_decoder.h>
#include <gnuradio/reservoir/packet_format.h>
#include <optional>
#include <utility>
#include <vector>

namespace gr {
namespace reservoir {

class packet_decoder_impl : public packet_decoder
{
public:
    packet_decoder_impl(const gr::digital::constellation_sptr& constellation,
                        int num_pilots,
                        int payload_len,
                        const std::string& code,
                        const std::string& training_tag);

    uint64_t frames() const override { return d_log.frames(); }
    uint64_t packets() const override { return d_log.packets(); }
    uint64_t crc_failures() const override { return d_log.crc_failures(); }
    uint64_t lost() const override { return d_log.lost(); }
    uint64_t truncated() const override { return d_log.truncated(); }
    double packet_error_rate() const override { return d_log.packet_error_rate(); }
    means take_means() override { return d_log.take_means(); }
    void set_handler(handler called) override { d_log.set_handler(std::move(called)); }

    bool stop() override;
    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

private:
    void begin_frame(const pmt::pmt_t& tag_value);
    void cut_frame();
    void take(const gr_complex* symbols, size_t count);

    packet_format d_format;
    const size_t d_num_pilots;
    const pmt::pmt_t d_training_tag;
    std::vector<gr::tag_t> d_tags;
    std::vector<gr_complex> d_frame;
    std::optional<size_t>
        d_filled;      // symbols of the frame that are there, if one has begun
    pmt::pmt_t d_info; // a dictionary of what its tag says
    packet_log d_log;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_PACKET_DECODER_IMPL_H */
