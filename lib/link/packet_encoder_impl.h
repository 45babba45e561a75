/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_PACKET_ENCODER_IMPL_H
#define INCLUDED_RESERVOIR_PACKET_ENCODER_IMPL_H

#include <gnuradio/reservoir/packet_encoder.h>
#include <gnuradio/reservoir/packet_format.h>
#include <condition_variable>
#include <atomic>
#include <deque>
#include <mutex>

namespace gr {
namespace reservoir {

class packet_encoder_impl : public packet_encoder
{
public:
    packet_encoder_impl(const gr::digital::constellation_sptr& constellation,
                        const std::vector<gr_complex>& pilots,
                        int payload_len,
                        const std::string& code,
                        int gap,
                        bool continuous,
                        int max_queue);

    int capacity() const override { return d_format.capacity(); }
    uint64_t packets() const override { return d_packets; }
    uint64_t refused() const override { return d_refused; }
    uint64_t dropped() const override { return d_dropped; }
    bool send(const std::vector<uint8_t>& data,
              std::chrono::microseconds patience) override;
    void finish() override { d_finishing = true; }

    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

private:
    enum class next { burst, tail, none_yet, ended };

    void receive(const pmt::pmt_t& message);
    next begin_next(std::chrono::microseconds patience);
    void tag_burst(uint64_t offset);

    packet_format d_format;
    const std::vector<gr_complex> d_start; // preamble and pilots
    const size_t d_num_pilots;
    const size_t d_gap;
    const bool d_continuous;
    const size_t d_max_queue;

    std::mutex d_mutex;
    std::condition_variable d_changed;
    std::deque<std::vector<uint8_t>> d_queue;
    std::atomic<bool> d_finishing{ false };

    std::vector<gr_complex> d_burst; // what is being sent
    size_t d_position = 0;
    bool d_owes_tail = false; // before the block may wait
    std::atomic<uint64_t> d_packets{ 0 };
    std::atomic<uint64_t> d_refused{ 0 };
    std::atomic<uint64_t> d_dropped{ 0 };
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_PACKET_ENCODER_IMPL_H */
