/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "link/frame_gate_impl.h"

#include "check.h"
#include "overrun_tag.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <chrono>
#include <utility>

namespace gr {
namespace reservoir {

// ---------------------------------------------------------------------- the queue

void waiting_frames::begin_putting()
{
    const std::lock_guard lock(d_mutex);
    d_runs_of_puts++;
}

void waiting_frames::end_putting()
{
    const std::lock_guard lock(d_mutex);
    d_complete = d_runs_of_puts;
    d_changed.notify_all();
}

void waiting_frames::begin_taking()
{
    const std::lock_guard lock(d_mutex);
    d_runs_of_takes++;
}

void waiting_frames::end_taking()
{
    const std::lock_guard lock(d_mutex);
    d_abandoned = d_runs_of_takes;
    d_frames.clear();
    d_changed.notify_all();
}

bool waiting_frames::put(frame&& added, bool wait)
{
    std::unique_lock lock(d_mutex);
    const auto abandoned = [this] { return d_abandoned == d_runs_of_puts; };
    if (wait)
        d_changed.wait(lock,
                       [&] { return abandoned() || d_frames.size() < d_max_frames; });
    if (abandoned() || d_frames.size() == d_max_frames)
        return false;
    d_frames.push_back(std::move(added));
    d_changed.notify_all();
    return true;
}

waiting_frames::outcome waiting_frames::take(frame& taken)
{
    // Not without end: the scheduler learns only between two calls that nobody reads any more.
    constexpr auto PATIENCE = std::chrono::milliseconds(10);
    std::unique_lock lock(d_mutex);
    const auto complete = [this] { return d_complete == d_runs_of_takes; };
    d_changed.wait_for(lock, PATIENCE, [&] { return complete() || !d_frames.empty(); });
    if (d_frames.empty())
        return complete() ? outcome::ended : outcome::none_yet;
    taken = std::move(d_frames.front());
    d_frames.pop_front();
    d_changed.notify_all();
    return outcome::taken;
}

// ---------------------------------------------------------------------- its two ends

frame_gate_entry::frame_gate_entry(size_t frame_len,
                                   const std::string& training_tag,
                                   std::shared_ptr<waiting_frames> frames,
                                   size_t max_open,
                                   bool drop)
    : gr::sync_block("frame_gate_entry",
                     gr::io_signature::make(1, 1, sizeof(gr_complex)),
                     gr::io_signature::make(0, 0, 0)),
      d_frame_len(frame_len),
      d_training_tag(pmt::mp(training_tag)),
      d_frames(std::move(frames)),
      d_max_open(max_open),
      d_drop(drop)
{
}

bool frame_gate_entry::start()
{
    d_frames->begin_putting();
    return sync_block::start();
}

bool frame_gate_entry::stop()
{
    for (auto& frame : d_open) // the rest is zeros
        pass(std::move(frame));
    d_open.clear();
    d_frames->end_putting();
    return sync_block::stop();
}

void frame_gate_entry::pass(waiting_frames::frame&& complete)
{
    (d_frames->put(std::move(complete), !d_drop) ? d_passed : d_dropped)++;
}

void frame_gate_entry::open(const pmt::pmt_t& tag_value)
{
    if (!d_open.empty() && d_open.back().filled == 0)
        return; // another antenna's tag
    if (d_open.size() == d_max_open)
        d_dropped++;
    else
        d_open.push_back({ std::vector<gr_complex>(d_frame_len), 0, tag_value });
}

void frame_gate_entry::fill(const gr_complex* samples, size_t count)
{
    for (auto& frame : d_open) {
        const size_t taken = std::min(count, d_frame_len - frame.filled);
        std::copy_n(samples, taken, frame.samples.begin() + frame.filled);
        frame.filled += taken;
    }
    for (; !d_open.empty() && d_open.front().filled == d_frame_len; d_open.pop_front())
        pass(std::move(d_open.front()));
}

// All that have begun before the present sample.
void frame_gate_entry::cut()
{
    for (; !d_open.empty() && d_open.front().filled > 0; d_open.pop_front())
        d_truncated++;
}

int frame_gate_entry::work(int noutput_items,
                           gr_vector_const_void_star& input_items,
                           gr_vector_void_star&)
{
    const auto in = static_cast<const gr_complex*>(input_items[0]);
    get_tags_in_window(d_tags, 0, 0, noutput_items);
    std::stable_sort(d_tags.begin(), d_tags.end(), gr::tag_t::offset_compare);
    size_t done = 0;
    const auto fill_until = [&](size_t end) {
        fill(in + done, end - done);
        done = end;
    };
    for (const auto& tag : d_tags) {
        const bool opens = pmt::eq(tag.key, d_training_tag);
        if (!opens && !pmt::eq(tag.key, overrun_tag()))
            continue;
        fill_until(tag.offset - nitems_read(0));
        if (opens)
            open(tag.value);
        else
            cut();
    }
    fill_until(noutput_items);
    return noutput_items;
}

frame_gate_exit::frame_gate_exit(const std::string& training_tag,
                                 std::shared_ptr<waiting_frames> frames)
    : gr::sync_block("frame_gate_exit",
                     gr::io_signature::make(0, 0, 0),
                     gr::io_signature::make(1, 1, sizeof(gr_complex))),
      d_training_tag(pmt::mp(training_tag)),
      d_frames(std::move(frames))
{
}

bool frame_gate_exit::start()
{
    d_frames->begin_taking();
    d_frame = {};
    d_position = 0;
    return sync_block::start();
}

bool frame_gate_exit::stop()
{
    d_frames->end_taking();
    return sync_block::stop();
}

int frame_gate_exit::work(int noutput_items,
                          gr_vector_const_void_star&,
                          gr_vector_void_star& output_items)
{
    if (d_position == d_frame.samples.size()) {
        switch (d_frames->take(d_frame)) {
        case waiting_frames::outcome::ended:
            return WORK_DONE;
        case waiting_frames::outcome::none_yet:
            return 0;
        case waiting_frames::outcome::taken:
            d_position = 0;
            add_item_tag(0, nitems_written(0), d_training_tag, d_frame.tag_value);
        }
    }
    const size_t count =
        std::min<size_t>(noutput_items, d_frame.samples.size() - d_position);
    std::copy_n(d_frame.samples.begin() + d_position,
                count,
                static_cast<gr_complex*>(output_items[0]));
    d_position += count;
    return count;
}

// ---------------------------------------------------------------------- the block

frame_gate::sptr frame_gate::make(int frame_len,
                                  const std::string& training_tag,
                                  int max_frames,
                                  bool drop)
{
    require_range("frame_len", frame_len, 1, 1 << 22);
    require(!training_tag.empty(), "training_tag", "''", "a tag's key");
    require_range("max_frames", max_frames, 1, 65536);
    return gnuradio::make_block_sptr<frame_gate_impl>(
        frame_len, training_tag, max_frames, drop);
}

frame_gate_impl::frame_gate_impl(int frame_len,
                                 const std::string& training_tag,
                                 int max_frames,
                                 bool drop)
    : gr::hier_block2("frame_gate",
                      gr::io_signature::make(1, 1, sizeof(gr_complex)),
                      gr::io_signature::make(1, 1, sizeof(gr_complex)))
{
    const auto frames = std::make_shared<waiting_frames>(max_frames);
    d_entry = gnuradio::make_block_sptr<frame_gate_entry>(
        frame_len, training_tag, frames, max_frames, drop);
    connect(self(), 0, d_entry, 0);
    connect(
        gnuradio::make_block_sptr<frame_gate_exit>(training_tag, frames), 0, self(), 0);
}

} // namespace reservoir
} // namespace gr
