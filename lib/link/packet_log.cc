/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "link/packet_log.h"

#include <cmath>
#include <limits>
#include <utility>

namespace gr {
namespace reservoir {

namespace {

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

const pmt::pmt_t& packet_log::pdu_port()
{
    static const pmt::pmt_t port = pmt::mp("pdus");
    return port;
}

const pmt::pmt_t& packet_log::report_port()
{
    static const pmt::pmt_t port = pmt::mp("report");
    return port;
}

pmt::pmt_t tag_info(const pmt::pmt_t& value)
{
    return pmt::is_dict(value) && !pmt::is_null(value) ? value : pmt::make_dict();
}

double packet_log::packet_error_rate() const
{
    const double lost = d_lost, total = lost + d_packets;
    return total > 0.0 ? lost / total : std::numeric_limits<double>::quiet_NaN();
}

void packet_log::sum::add(double value)
{
    if (!std::isfinite(value))
        return;
    total += value;
    count++;
}

double packet_log::sum::mean() const
{
    return count > 0 ? total / count : std::numeric_limits<double>::quiet_NaN();
}

packet_log::means packet_log::take_means()
{
    const std::lock_guard lock(d_mutex);
    const sums taken = std::exchange(d_sums, sums());
    return { taken.snr_db.mean(), taken.cfo.mean(), taken.evm_db.mean() };
}

void packet_log::set_handler(handler called)
{
    auto changed = std::make_shared<const handler>(std::move(called));
    const std::lock_guard lock(d_mutex);
    d_handler.swap(changed); // the old one ends when nothing is locked
}

void packet_log::frame_ended(const std::optional<packet>& found,
                             double evm_db,
                             const pmt::pmt_t& info,
                             const pmt::pmt_t& more)
{
    d_frames++;
    if (found)
        deliver(*found, evm_db, info);
    else
        d_crc_failures++;
    {
        const std::lock_guard lock(d_mutex);
        d_sums.snr_db.add(number(info, SNR_KEY));
        d_sums.cfo.add(number(info, CFO_KEY));
        d_sums.evm_db.add(evm_db);
    }
    report(evm_db, info, more);
}

void packet_log::deliver(const packet& found, double evm_db, const pmt::pmt_t& info)
{
    count_sequence(found.sequence);
    auto metadata = pmt::dict_add(info, EVM_KEY, pmt::from_double(evm_db));
    metadata = pmt::dict_add(metadata, SEQUENCE_KEY, pmt::from_long(found.sequence));
    d_publish(
        pdu_port(),
        pmt::cons(metadata, pmt::init_u8vector(found.data.size(), found.data.data())));
    std::shared_ptr<const handler> called;
    {
        const std::lock_guard lock(d_mutex);
        called = d_handler;
    }
    if (called && *called)
        (*called)(found.data, metadata);
}

void packet_log::count_sequence(int sequence)
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

void packet_log::report(double evm_db, const pmt::pmt_t& info, const pmt::pmt_t& more)
{
    auto dict = more;
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
        if (pmt::dict_has_key(info, key))
            add(key, pmt::dict_ref(info, key, pmt::PMT_NIL));
    d_publish(report_port(), dict);
}

} // namespace reservoir
} // namespace gr
