/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_PACKET_RECEIVER_IMPL_H
#define INCLUDED_RESERVOIR_PACKET_RECEIVER_IMPL_H

#include "link/packet_log.h"
#include "shell/frame_receiver.h"
#include <gnuradio/reservoir/packet_receiver.h>
#include <atomic>
#include <deque>
#include <memory>
#include <utility>

namespace gr {
namespace reservoir {

class packet_receiver_impl : public packet_receiver
{
public:
    packet_receiver_impl(coded_receiver::sptr receiver,
                         int sps,
                         const std::vector<gr_complex>& training_sequence,
                         const std::string& training_tag,
                         int workers);

    uint64_t frames() const override { return d_log.frames(); }
    uint64_t packets() const override { return d_log.packets(); }
    uint64_t gained() const override { return d_gained; }
    uint64_t crc_failures() const override { return d_log.crc_failures(); }
    uint64_t lost() const override { return d_log.lost(); }
    uint64_t truncated() const override { return d_log.truncated(); }
    double packet_error_rate() const override { return d_log.packet_error_rate(); }
    means take_means() override { return d_log.take_means(); }
    void set_handler(handler called) override { d_log.set_handler(std::move(called)); }

    bool start() override;
    bool stop() override;
    void forecast(int noutput_items, gr_vector_int& ninput_items_required) override;
    int general_work(int noutput_items,
                     gr_vector_int& ninput_items,
                     gr_vector_const_void_star& input_items,
                     gr_vector_void_star& output_items) override;

private:
    std::unique_ptr<frame_receiver> make_frame_receiver();
    void take(const gr_vector_const_void_star& input_items, int count);
    void end_stream();
    void tell();
    void count_cut(const frame_receiver::counts& counts);
    pmt::pmt_t info_of(uint64_t offset);

    const coded_receiver::sptr d_receiver;
    const int d_sps;
    const stream_matrix d_training;
    const pmt::pmt_t d_training_key;
    const int d_workers;
    std::unique_ptr<frame_receiver> d_frames;
    bool d_ended = false;
    bool d_refusal_told = false;
    uint64_t d_cut = 0; // frames of this run that were cut short and have been counted
    std::deque<std::pair<uint64_t, pmt::pmt_t>> d_infos; // of frames, by first sample
    std::vector<gr::tag_t> d_tags;
    std::vector<gr_complex> d_unused; // symbols
    std::atomic<uint64_t> d_gained{ 0 };
    packet_log d_log;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_PACKET_RECEIVER_IMPL_H */
