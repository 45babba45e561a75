/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "link/packet_decoder_impl.h"

#include "check.h"
#include "overrun_tag.h"
#include <gnuradio/io_signature.h>
#include <algorithm>

namespace gr {
namespace reservoir {

packet_decoder::sptr packet_decoder::make(gr::digital::constellation_sptr constellation,
                                          int num_pilots,
                                          int payload_len,
                                          const std::string& code,
                                          const std::string& training_tag)
{
    return gnuradio::make_block_sptr<packet_decoder_impl>(
        constellation, num_pilots, payload_len, code, training_tag);
}

packet_decoder_impl::packet_decoder_impl(
    const gr::digital::constellation_sptr& constellation,
    int num_pilots,
    int payload_len,
    const std::string& code,
    const std::string& training_tag)
    : gr::sync_block("packet_decoder",
                     gr::io_signature::make(1, 1, sizeof(gr_complex)),
                     gr::io_signature::make(0, 0, 0)),
      d_format(constellation, payload_len, code),
      d_num_pilots(num_pilots),
      d_training_tag(pmt::mp(training_tag)),
      d_info(pmt::make_dict()),
      d_log([this](const pmt::pmt_t& port, const pmt::pmt_t& message) {
          message_port_pub(port, message);
      })
{
    require_range("num_pilots", num_pilots, 0, packet_format::MAX_SYMBOLS);
    require(!training_tag.empty(), "training_tag", "''", "a tag's key");
    d_frame.resize(num_pilots + payload_len);
    message_port_register_out(packet_log::pdu_port());
    message_port_register_out(packet_log::report_port());
}

void packet_decoder_impl::begin_frame(const pmt::pmt_t& tag_value)
{
    d_filled = 0;
    d_info = tag_info(tag_value);
}

void packet_decoder_impl::cut_frame()
{
    d_log.frames_were_cut(d_filled.has_value());
    d_filled.reset();
}

void packet_decoder_impl::take(const gr_complex* symbols, size_t count)
{
    if (!d_filled)
        return;
    count = std::min(count, d_frame.size() - *d_filled);
    std::copy_n(symbols, count, d_frame.begin() + *d_filled);
    *d_filled += count;
    if (*d_filled == d_frame.size()) {
        d_filled.reset();
        const auto decoded = d_format.decode(&d_frame[d_num_pilots]);
        d_log.frame_ended(decoded.packet, decoded.evm_db, d_info);
    }
}

bool packet_decoder_impl::stop()
{
    cut_frame();
    return sync_block::stop();
}

int packet_decoder_impl::work(int noutput_items,
                              gr_vector_const_void_star& input_items,
                              gr_vector_void_star&)
{
    const auto* in = static_cast<const gr_complex*>(input_items[0]);
    get_tags_in_window(d_tags, 0, 0, noutput_items);
    std::stable_sort(d_tags.begin(), d_tags.end(), gr::tag_t::offset_compare);
    size_t position = 0;
    for (const auto& tag : d_tags) {
        const bool begins = pmt::eq(tag.key, d_training_tag);
        if (!begins && !pmt::eq(tag.key, overrun_tag()))
            continue;
        // of another antenna, or on the frame's own first symbol
        if (d_filled == 0U && tag.offset - nitems_read(0) == position)
            continue;
        const size_t here = tag.offset - nitems_read(0);
        take(in + position, here - position);
        position = here;
        cut_frame();
        if (begins)
            begin_frame(tag.value);
    }
    take(in + position, noutput_items - position);
    return noutput_items;
}

} // namespace reservoir
} // namespace gr
