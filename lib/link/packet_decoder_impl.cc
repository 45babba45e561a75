/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "link/packet_decoder_impl.h"

#include "check.h"
#include "overrun_tag.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace gr {
namespace reservoir {

namespace {

const pmt::pmt_t PDU_PORT = pmt::mp("pdus");
const pmt::pmt_t PACKET_REPORT_PORT = pmt::mp("report");
const pmt::pmt_t SNR_KEY = pmt::mp("snr_db");
const pmt::pmt_t CFO_KEY = pmt::mp("cfo");
const pmt::pmt_t EVM_KEY = pmt::mp("evm_db");
const pmt::pmt_t SEQUENCE_KEY = pmt::mp("sequence");

double number(const pmt::pmt_t& dict, const pmt::pmt_t& key)
{
    const auto value = pmt::dict_ref(dict, key, pmt::PMT_NIL);
    return pmt::is_real(value) || pmt::is_integer(value)
               ? pmt::to_double(value)
               : std::numeric_limits<double>::quiet_NaN();
}

} // namespace

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
      d_info(pmt::make_dict())
{
    require_range("num_pilots", num_pilots, 0, packet_format::MAX_SYMBOLS);
    require(!training_tag.empty(), "training_tag", "''", "a tag's key");
    d_frame.resize(num_pilots + payload_len);
    message_port_register_out(PDU_PORT);
    message_port_register_out(PACKET_REPORT_PORT);
}

double packet_decoder_impl::packet_error_rate() const
{
    const double lost = d_lost, total = lost + d_packets;
    return total > 0.0 ? lost / total : std::numeric_limits<double>::quiet_NaN();
}

void packet_decoder_impl::sum::add(double value)
{
    if (!std::isfinite(value))
        return;
    total += value;
    count++;
}

double packet_decoder_impl::sum::mean() const
{
    return count > 0 ? total / count : std::numeric_limits<double>::quiet_NaN();
}

packet_decoder::means packet_decoder_impl::take_means()
{
    const std::lock_guard lock(d_mutex);
    const sums taken = std::exchange(d_sums, sums());
    return { taken.snr_db.mean(), taken.cfo.mean(), taken.evm_db.mean() };
}

void packet_decoder_impl::set_handler(handler called)
{
    auto changed = std::make_shared<const handler>(std::move(called));
    const std::lock_guard lock(d_mutex);
    d_handler.swap(changed); // the old one ends when nothing is locked
}

void packet_decoder_impl::begin_frame(const pmt::pmt_t& tag_value)
{
    d_filled = 0;
    const bool tells = pmt::is_dict(tag_value) && !pmt::is_null(tag_value);
    d_info = tells ? tag_value : pmt::make_dict();
}

void packet_decoder_impl::cut_frame()
{
    d_truncated += d_filled.has_value();
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
        finish_frame();
    }
}

void packet_decoder_impl::finish_frame()
{
    d_frames++;
    const auto decoded = d_format.decode(&d_frame[d_num_pilots]);
    if (decoded.packet)
        deliver(*decoded.packet, decoded.evm_db);
    else
        d_crc_failures++;
    {
        const std::lock_guard lock(d_mutex);
        d_sums.snr_db.add(number(d_info, SNR_KEY));
        d_sums.cfo.add(number(d_info, CFO_KEY));
        d_sums.evm_db.add(decoded.evm_db);
    }
    report(decoded.evm_db);
}

void packet_decoder_impl::deliver(const packet& found, double evm_db)
{
    count_sequence(found.sequence);
    auto metadata = pmt::dict_add(d_info, EVM_KEY, pmt::from_double(evm_db));
    metadata = pmt::dict_add(metadata, SEQUENCE_KEY, pmt::from_long(found.sequence));
    message_port_pub(
        PDU_PORT,
        pmt::cons(metadata, pmt::init_u8vector(found.data.size(), found.data.data())));
    std::shared_ptr<const handler> called;
    {
        const std::lock_guard lock(d_mutex);
        called = d_handler;
    }
    if (called && *called)
        (*called)(found.data, metadata);
}

void packet_decoder_impl::count_sequence(int sequence)
{
    constexpr int MODULUS = packet_format::SEQUENCES;
    d_packets++;
    if (d_last_sequence) {
        const int missing = (sequence - *d_last_sequence - 1 + 2 * MODULUS) % MODULUS;
        if (missing < MODULUS / 2)
            d_lost += missing;
    }
    d_last_sequence = sequence;
}

void packet_decoder_impl::report(double evm_db)
{
    auto dict = pmt::make_dict();
    const auto add = [&dict](const pmt::pmt_t& key, const pmt::pmt_t& value) {
        dict = pmt::dict_add(dict, key, value);
    };
    add(pmt::mp("frames"), pmt::from_uint64(d_frames));
    add(pmt::mp("packets"), pmt::from_uint64(d_packets));
    add(pmt::mp("crc_failures"), pmt::from_uint64(d_crc_failures));
    add(pmt::mp("lost"), pmt::from_uint64(d_lost));
    add(pmt::mp("truncated"), pmt::from_uint64(d_truncated));
    add(EVM_KEY, pmt::from_double(evm_db));
    for (const auto& key : { SNR_KEY, CFO_KEY })
        if (pmt::dict_has_key(d_info, key))
            add(key, pmt::dict_ref(d_info, key, pmt::PMT_NIL));
    message_port_pub(PACKET_REPORT_PORT, dict);
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
        const size_t here = tag.offset - nitems_read(0);
        take(in + position, here - position);
        position = here;
        if (begins) {
            cut_frame();
            begin_frame(tag.value);
        } else if (d_filled && *d_filled > 0) { // not on the frame's own first symbol
            cut_frame();
        }
    }
    take(in + position, noutput_items - position);
    return noutput_items;
}

} // namespace reservoir
} // namespace gr
