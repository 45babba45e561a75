/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_PACKET_LOG_H
#define INCLUDED_RESERVOIR_PACKET_LOG_H

#include <gnuradio/reservoir/packet_decoder.h>
#include <gnuradio/reservoir/packet_format.h>
#include <pmt/pmt.h>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace gr {
namespace reservoir {

/*!
 * \brief Counts frames and packets, and tells of them: PDUs, reports, a handler.
 *
 * Counts and means may be read from any thread; the rest is for the block's.
 */
class packet_log
{
public:
    typedef packet_decoder::handler handler;
    typedef packet_decoder::means means;
    typedef std::function<void(const pmt::pmt_t& port, const pmt::pmt_t& message)>
        publisher;

    static const pmt::pmt_t& pdu_port();
    static const pmt::pmt_t& report_port();

    explicit packet_log(publisher publish) : d_publish(std::move(publish)) {}

    /*!
     * \brief A whole frame was decoded: sends its packet, if there is one, and a report.
     * \param info a dictionary of what its tag says
     * \param more entries of the report
     */
    void frame_ended(const std::optional<packet>& found,
                     double evm_db,
                     const pmt::pmt_t& info,
                     const pmt::pmt_t& more = pmt::make_dict());
    void frames_were_cut(uint64_t count) { d_truncated += count; }

    uint64_t frames() const { return d_frames; }
    uint64_t packets() const { return d_packets; }
    uint64_t crc_failures() const { return d_crc_failures; }
    uint64_t lost() const { return d_lost; }
    uint64_t truncated() const { return d_truncated; }
    double packet_error_rate() const;
    means take_means();
    void set_handler(handler called);

private:
    struct sum {
        double total = 0.0;
        uint64_t count = 0;
        void add(double value);
        double mean() const;
    };
    struct sums {
        sum snr_db, cfo, evm_db;
    };

    void deliver(const packet& found, double evm_db, const pmt::pmt_t& info);
    void count_sequence(int sequence);
    void report(double evm_db, const pmt::pmt_t& info, const pmt::pmt_t& more);

    const publisher d_publish;
    std::optional<int> d_last_sequence;
    std::atomic<uint64_t> d_frames{ 0 };
    std::atomic<uint64_t> d_packets{ 0 };
    std::atomic<uint64_t> d_crc_failures{ 0 };
    std::atomic<uint64_t> d_lost{ 0 };
    std::atomic<uint64_t> d_truncated{ 0 };

    std::mutex d_mutex; // of what follows; not held while the handler runs
    sums d_sums;
    std::shared_ptr<const handler> d_handler;
};

//! What a training tag says of its frame: its value, if that is a dictionary.
pmt::pmt_t tag_info(const pmt::pmt_t& value);

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_PACKET_LOG_H */
