/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_FRAME_GATE_IMPL_H
#define INCLUDED_RESERVOIR_FRAME_GATE_IMPL_H

#include <gnuradio/reservoir/frame_gate.h>
#include <gnuradio/sync_block.h>
#include <condition_variable>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * A bounded queue that ends: by who puts frames in, or by who takes them. Each run begins at both
 * ends, in either order; runs are counted, so that the end of the last one ends no new one.
 */
class waiting_frames
{
public:
    struct frame {
        std::vector<gr_complex> samples;
        size_t filled = 0;
        pmt::pmt_t tag_value;
    };

    explicit waiting_frames(size_t max_frames) : d_max_frames(max_frames) {}

    void begin_putting();
    void end_putting();
    void begin_taking();
    void end_taking();
    //! False where the frame found no place.
    bool put(frame&& added, bool wait);
    enum class outcome { taken, none_yet, ended };
    //! Waits some milliseconds.
    outcome take(frame& taken);

private:
    const size_t d_max_frames;
    std::mutex d_mutex;
    std::condition_variable d_changed;
    std::deque<frame> d_frames;
    int d_runs_of_puts = 0;
    int d_runs_of_takes = 0;
    int d_complete = 0;  // runs to which nothing more is put
    int d_abandoned = 0; // runs from which nothing more is taken
};

class frame_gate_entry : public gr::sync_block
{
public:
    frame_gate_entry(size_t frame_len,
                     const std::string& training_tag,
                     std::shared_ptr<waiting_frames> frames,
                     size_t max_open,
                     bool drop);

    uint64_t passed() const { return d_passed; }
    uint64_t dropped() const { return d_dropped; }
    uint64_t truncated() const { return d_truncated; }

    bool start() override;
    bool stop() override;
    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

private:
    void open(const pmt::pmt_t& tag_value);
    void fill(const gr_complex* samples, size_t count);
    void cut();
    void pass(waiting_frames::frame&& complete);

    const size_t d_frame_len;
    const pmt::pmt_t d_training_tag;
    const std::shared_ptr<waiting_frames> d_frames;
    const size_t d_max_open;
    const bool d_drop;
    std::deque<waiting_frames::frame> d_open; // not yet complete, the oldest first
    std::vector<gr::tag_t> d_tags;
    std::atomic<uint64_t> d_passed{ 0 };
    std::atomic<uint64_t> d_dropped{ 0 };
    std::atomic<uint64_t> d_truncated{ 0 };
};

class frame_gate_exit : public gr::sync_block
{
public:
    frame_gate_exit(const std::string& training_tag,
                    std::shared_ptr<waiting_frames> frames);

    bool start() override;
    bool stop() override;
    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

private:
    const pmt::pmt_t d_training_tag;
    const std::shared_ptr<waiting_frames> d_frames;
    waiting_frames::frame d_frame;
    size_t d_position = 0;
};

class frame_gate_impl : public frame_gate
{
public:
    frame_gate_impl(int frame_len,
                    const std::string& training_tag,
                    int max_frames,
                    bool drop);

    uint64_t passed() const override { return d_entry->passed(); }
    uint64_t dropped() const override { return d_entry->dropped(); }
    uint64_t truncated() const override { return d_entry->truncated(); }

private:
    std::shared_ptr<frame_gate_entry> d_entry;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_FRAME_GATE_IMPL_H */
