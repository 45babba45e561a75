/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_PACKET_DECODER_IMPL_H
#define INCLUDED_RESERVOIR_PACKET_DECODER_IMPL_H

#include <gnuradio/reservoir/packet_decoder.h>
#include <gnuradio/reservoir/packet_format.h>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

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

    uint64_t frames() const override { return d_frames; }
    uint64_t packets() const override { return d_packets; }
    uint64_t crc_failures() const override { return d_crc_failures; }
    uint64_t lost() const override { return d_lost; }
    uint64_t truncated() const override { return d_truncated; }
    double packet_error_rate() const override;
    means take_means() override;
    void set_handler(handler called) override;

    bool stop() override;
    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

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

    void begin_frame(const pmt::pmt_t& tag_value);
    void cut_frame();
    void take(const gr_complex* symbols, size_t count);
    void finish_frame();
    void deliver(const packet& found, double evm_db);
    void count_sequence(int sequence);
    void report(double evm_db);

    packet_format d_format;
    const size_t d_num_pilots;
    const pmt::pmt_t d_training_tag;
    std::vector<gr::tag_t> d_tags;
    std::vector<gr_complex> d_frame;
    std::optional<size_t>
        d_filled;      // symbols of the frame that are there, if one has begun
    pmt::pmt_t d_info; // a dictionary of what its tag says
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

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_PACKET_DECODER_IMPL_H */
