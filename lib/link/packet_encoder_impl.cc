/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "link/packet_encoder_impl.h"

#include "check.h"
#include <gnuradio/io_signature.h>
#include <gnuradio/reservoir/kernel/burst_detector.h>
#include <algorithm>
#include <cmath>
#include <utility>

namespace gr {
namespace reservoir {

namespace {

std::vector<gr_complex> preamble_and(const std::vector<gr_complex>& pilots)
{
    require_range<size_t>("pilots length", pilots.size(), 1, packet_format::MAX_SYMBOLS);
    for (const auto& pilot : pilots)
        if (!(std::isfinite(pilot.real()) && std::isfinite(pilot.imag())))
            reject_argument("pilots element", pilot, "finite");
    auto start = kernel::burst_preamble();
    start.insert(start.end(), pilots.begin(), pilots.end());
    return start;
}

} // namespace

packet_encoder::sptr packet_encoder::make(gr::digital::constellation_sptr constellation,
                                          const std::vector<gr_complex>& pilots,
                                          int payload_len,
                                          const std::string& code,
                                          int gap,
                                          bool continuous,
                                          int max_queue)
{
    return gnuradio::make_block_sptr<packet_encoder_impl>(
        constellation, pilots, payload_len, code, gap, continuous, max_queue);
}

packet_encoder_impl::packet_encoder_impl(
    const gr::digital::constellation_sptr& constellation,
    const std::vector<gr_complex>& pilots,
    int payload_len,
    const std::string& code,
    int gap,
    bool continuous,
    int max_queue)
    : gr::sync_block("packet_encoder",
                     gr::io_signature::make(0, 0, 0),
                     gr::io_signature::make(1, 1, sizeof(gr_complex))),
      d_format(constellation, payload_len, code),
      d_start(preamble_and(pilots)),
      d_num_pilots(pilots.size()),
      d_gap(gap),
      d_continuous(continuous),
      d_max_queue(max_queue)
{
    require_range("gap", gap, 0, packet_format::MAX_SYMBOLS);
    require_range("max_queue", max_queue, 1, 65536);
    const auto port = pmt::mp("pdus");
    message_port_register_in(port);
    set_msg_handler(port, [this](const pmt::pmt_t& message) { receive(message); });
}

bool packet_encoder_impl::send(const std::vector<uint8_t>& data,
                               std::chrono::microseconds patience)
{
    if (data.size() > size_t(capacity()))
        reject_argument(
            "data length", data.size(), "at most " + std::to_string(capacity()));
    std::unique_lock lock(d_mutex);
    if (!d_changed.wait_for(
            lock, patience, [this] { return d_queue.size() < d_max_queue; }))
        return false;
    d_queue.push_back(data);
    d_changed.notify_all();
    return true;
}

void packet_encoder_impl::receive(const pmt::pmt_t& message)
{
    if (pmt::eq(message, pmt::PMT_EOF)) {
        finish();
        return;
    }
    const auto bytes = pmt::is_pair(message) ? pmt::cdr(message) : message;
    if (!pmt::is_u8vector(bytes)) {
        if (d_refused++ == 0)
            d_logger->warn("a message that is no PDU of bytes was refused; the next ones "
                           "are counted in refused()");
        return;
    }
    const auto data = pmt::u8vector_elements(bytes);
    if (data.size() > size_t(capacity())) {
        if (d_refused++ == 0)
            d_logger->warn("a packet of {} bytes was refused: at most {} fit; the next "
                           "ones are counted in refused()",
                           data.size(),
                           capacity());
    } else if (!send(data, std::chrono::microseconds(0)) && d_dropped++ == 0) {
        d_logger->warn(
            "a packet was dropped: the queue is full; send() waits for a place, "
            "the next ones are counted in dropped()");
    }
}

// From the queue, else the tail that is owed.
packet_encoder_impl::next
packet_encoder_impl::begin_next(std::chrono::microseconds patience)
{
    const bool finishing = d_finishing; // before the queue is looked at
    std::vector<uint8_t> data;
    {
        std::unique_lock lock(d_mutex);
        if (d_changed.wait_for(lock, patience, [this] { return !d_queue.empty(); })) {
            data = std::move(d_queue.front());
            d_queue.pop_front();
            d_changed.notify_all();
        } else if (!d_owes_tail) {
            return finishing ? next::ended : next::none_yet;
        } else {
            d_owes_tail = false;
            d_burst.assign(TAIL, 0.0F);
            d_position = 0;
            return next::tail;
        }
    }
    const auto symbols = d_format.encode(data, d_packets % packet_format::SEQUENCES);
    d_burst = d_start;
    d_burst.insert(d_burst.end(), symbols.begin(), symbols.end());
    d_burst.resize(d_burst.size() + d_gap);
    d_position = 0;
    d_owes_tail = true;
    return next::burst;
}

void packet_encoder_impl::tag_burst(uint64_t offset)
{
    const auto number = pmt::from_uint64(d_packets);
    auto frame = pmt::make_dict();
    frame = pmt::dict_add(frame, pmt::mp("frame"), number);
    frame = pmt::dict_add(frame, pmt::mp("pilots"), pmt::from_long(d_num_pilots));
    frame =
        pmt::dict_add(frame, pmt::mp("payload"), pmt::from_long(d_format.payload_len()));
    add_item_tag(0, offset, pmt::mp("burst_start"), number, alias_pmt());
    add_item_tag(0,
                 offset + d_start.size() - d_num_pilots,
                 pmt::mp("frame_start"),
                 frame,
                 alias_pmt());
}

int packet_encoder_impl::work(int noutput_items,
                              gr_vector_const_void_star&,
                              gr_vector_void_star& output_items)
{
    // Not without end: the scheduler learns only between two calls that nobody reads any more.
    constexpr auto PATIENCE = std::chrono::milliseconds(2);
    auto* out = static_cast<gr_complex*>(output_items[0]);
    int done = 0;
    while (done < noutput_items) {
        if (d_position == d_burst.size()) {
            const bool idle = done == 0 && !d_owes_tail && !d_continuous;
            switch (begin_next(idle ? PATIENCE : PATIENCE * 0)) {
            case next::ended:
                return done > 0 ? done : WORK_DONE;
            case next::none_yet:
                if (d_continuous && done == 0) {
                    done = std::min(noutput_items, TAIL);
                    std::fill_n(out, done, gr_complex(0.0F));
                }
                return done;
            case next::burst:
                tag_burst(nitems_written(0) + done);
                d_packets++;
                break;
            case next::tail:
                break;
            }
        }
        const size_t count =
            std::min<size_t>(noutput_items - done, d_burst.size() - d_position);
        std::copy_n(d_burst.begin() + d_position, count, out + done);
        done += count;
        d_position += count;
    }
    return done;
}

} // namespace reservoir
} // namespace gr
