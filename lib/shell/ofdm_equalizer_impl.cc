/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "shell/ofdm_equalizer_impl.h"

#include "check.h"
#include "overrun_tag.h"
#include "shell/commands.h"
#include "stream_end.h"
#include <gnuradio/io_signature.h>
#include <gnuradio/reservoir/kernel/oscillator.h>
#include <algorithm>
#include <cmath>
#include <utility>

namespace gr {
namespace reservoir {

namespace {

constexpr size_t MOST_RESERVED = 1 << 16; // samples

void require_detector(const ofdm_detector::sptr& detector)
{
    if (!detector)
        throw std::invalid_argument("detector = None: must be an ofdm_detector");
}

void require_data_symbols(long count)
{
    require_range<long>("num_data_symbols", count, 1, ofdm_equalizer::MAX_DATA_SYMBOLS);
}

void require_receivable(ofdm_frame_pattern& pattern, int num_data_symbols)
{
    require(pattern.of(pattern.symbols_in_front() + num_data_symbols) != nullptr,
            "grid",
            "one of frames without data, or without known carriers",
            "one with data, and with some carrier that is known on every stream and not "
            "zero on all");
}

} // namespace

ofdm_equalizer::sptr ofdm_equalizer::make(ofdm_detector::sptr detector,
                                          const ofdm_grid& grid,
                                          int num_data_symbols,
                                          const std::string& frame_start_tag,
                                          const std::string& length_tag_key,
                                          int workers)
{
    require_detector(detector);
    return gnuradio::make_block_sptr<ofdm_equalizer_impl>(
        detector,
        ofdm_frame_pattern(*detector, grid),
        num_data_symbols,
        frame_start_tag,
        length_tag_key,
        workers);
}

ofdm_equalizer::sptr ofdm_equalizer::make(ofdm_detector::sptr detector,
                                          const stream_matrix& pilots,
                                          int num_data_symbols,
                                          const std::string& frame_start_tag,
                                          const std::string& length_tag_key,
                                          int workers)
{
    require_detector(detector);
    return gnuradio::make_block_sptr<ofdm_equalizer_impl>(
        detector,
        ofdm_frame_pattern(*detector, pilots),
        num_data_symbols,
        frame_start_tag,
        length_tag_key,
        workers);
}

ofdm_equalizer_impl::ofdm_equalizer_impl(ofdm_detector::sptr detector,
                                         const ofdm_frame_pattern& pattern,
                                         int num_data_symbols,
                                         const std::string& frame_start_tag,
                                         const std::string& length_tag_key,
                                         int workers)
    : gr::block("ofdm_equalizer",
                gr::io_signature::make(
                    detector->num_rx(), detector->num_rx(), sizeof(gr_complex)),
                gr::io_signature::make(detector->num_tx(),
                                       detector->num_tx(),
                                       sizeof(gr_complex) * detector->fft_len())),
      d_detector(detector),
      d_pattern(std::make_shared<ofdm_frame_pattern>(pattern)),
      d_num_data_symbols(num_data_symbols),
      d_frame_start_key(pmt::mp(frame_start_tag)),
      d_length_key(length_tag_key.empty() ? pmt::PMT_NIL : pmt::mp(length_tag_key)),
      d_workers(workers),
      d_watch(frame_start_tag,
              1,
              int(std::min<size_t>(
                  detector->samples_of(pattern.symbols_in_front() +
                                       std::clamp(num_data_symbols, 1, MAX_DATA_SYMBOLS)),
                  1 << 30)),
              "what the pilots or the grid say is known")
{
    require_data_symbols(num_data_symbols);
    require_range("workers", workers, 1, 64);
    require(!frame_start_tag.empty(), "frame_start_tag", "''", "a tag's key");
    require(length_tag_key != frame_start_tag,
            "length_tag_key",
            length_tag_key,
            "another than frame_start_tag");
    require_receivable(*d_pattern, num_data_symbols);
    detector->claim();
    set_relative_rate(1, detector->samples_of(1));
    set_tag_propagation_policy(TPP_DONT);
    message_port_register_out(pmt::mp("report"));
    message_port_register_in(pmt::mp("command"));
    set_msg_handler(pmt::mp("command"),
                    [this](const pmt::pmt_t& message) { handle_command(message); });
}

void ofdm_equalizer_impl::set_num_data_symbols(int num_data_symbols)
{
    require_data_symbols(num_data_symbols);
    gr::thread::scoped_lock guard(d_setlock);
    require_receivable(*d_pattern, num_data_symbols);
    d_num_data_symbols = num_data_symbols;
}

int ofdm_equalizer_impl::num_data_symbols() const
{
    gr::thread::scoped_lock guard(const_cast<ofdm_equalizer_impl*>(this)->d_setlock);
    return d_num_data_symbols;
}

void ofdm_equalizer_impl::set_pilots(const ofdm_grid& grid)
{
    set_pattern(ofdm_frame_pattern(*d_detector, grid));
}

void ofdm_equalizer_impl::set_pilots(const stream_matrix& pilots)
{
    set_pattern(ofdm_frame_pattern(*d_detector, pilots));
}

// A frame that has begun keeps its own.
void ofdm_equalizer_impl::set_pattern(const ofdm_frame_pattern& pattern)
{
    const auto next = std::make_shared<ofdm_frame_pattern>(pattern);
    gr::thread::scoped_lock guard(d_setlock);
    require_receivable(*next, d_num_data_symbols);
    d_pattern = next;
}

void ofdm_equalizer_impl::handle_command(const pmt::pmt_t& message)
{
    const auto set_symbols = [this](const pmt::pmt_t& value) {
        const long count = pmt::to_long(value);
        require_data_symbols(count);
        set_num_data_symbols(int(count));
    };
    const std::string refused =
        carry_out_commands(message, { { "num_data_symbols", set_symbols } }, *d_detector);
    if (!refused.empty())
        d_logger->warn("{:s}", refused);
}

bool ofdm_equalizer_impl::start()
{
    // Offsets begin at 0 again when a flowgraph is started again.
    gr::thread::scoped_lock guard(d_setlock);
    d_frame_waits = false;
    d_taken = 0;
    d_in = {};
    d_out.clear();
    d_between.clear();
    d_counts = {};
    d_watch.run_begins(false);
    d_unsent.clear();
    if (d_workers > 1)
        d_pool = std::make_unique<pool>(d_detector, d_workers);
    return block::start();
}

bool ofdm_equalizer_impl::stop()
{
    gr::thread::scoped_lock guard(d_setlock);
    d_out.clear();
    d_pool.reset();
    return block::stop();
}

uint64_t ofdm_equalizer_impl::frames() const
{
    gr::thread::scoped_lock guard(const_cast<ofdm_equalizer_impl*>(this)->d_setlock);
    return d_counts.frames;
}

uint64_t ofdm_equalizer_impl::truncated_frames() const
{
    gr::thread::scoped_lock guard(const_cast<ofdm_equalizer_impl*>(this)->d_setlock);
    return d_counts.truncated_frames;
}

uint64_t ofdm_equalizer_impl::dropped_frames() const
{
    gr::thread::scoped_lock guard(const_cast<ofdm_equalizer_impl*>(this)->d_setlock);
    return d_counts.dropped_frames;
}

uint64_t ofdm_equalizer_impl::bad_lengths() const
{
    gr::thread::scoped_lock guard(const_cast<ofdm_equalizer_impl*>(this)->d_setlock);
    return d_counts.bad_lengths;
}

uint64_t ofdm_equalizer_impl::bad_samples() const { return d_detector->bad_samples(); }

training_report ofdm_equalizer_impl::report() const { return d_detector->report(); }

std::vector<std::string> ofdm_equalizer_impl::warnings() const
{
    gr::thread::scoped_lock guard(const_cast<ofdm_equalizer_impl*>(this)->d_setlock);
    return d_watch.told();
}

void ofdm_equalizer_impl::forecast(int, gr_vector_int& ninput_items_required)
{
    // Without input, work must still be called while a frame waits and to end the last one.
    const bool none = d_frame_waits || any_input_done(*detail());
    std::fill(ninput_items_required.begin(), ninput_items_required.end(), none ? 0 : 1);
}

// Tags in their order; on one sample those first that decide which frame the others belong to.
std::vector<ofdm_equalizer_impl::event> ofdm_equalizer_impl::events_in(uint64_t begin,
                                                                       uint64_t end)
{
    std::vector<event> events;
    for (int i = 0; i < d_detector->num_rx(); i++) {
        std::vector<gr::tag_t> tags;
        get_tags_in_range(tags, i, begin, end);
        for (const gr::tag_t& tag : tags)
            if (!pmt::eq(tag.key, d_length_key))
                events.push_back({ tag,
                                   i,
                                   i == 0 && pmt::eq(tag.key, d_frame_start_key),
                                   pmt::eq(tag.key, overrun_tag()) });
    }
    const auto order = [](const event& one) {
        return std::make_pair(one.tag.offset, !one.begins && !one.cuts);
    };
    std::stable_sort(
        events.begin(), events.end(), [&order](const event& a, const event& b) {
            return order(a) < order(b);
        });
    return events;
}

bool ofdm_equalizer_impl::hungry() const
{
    return d_workers > 1 ? d_out.size() < 2 * size_t(d_workers) : d_out.empty();
}

// As many samples as until enough frames wait.
void ofdm_equalizer_impl::take(const gr_vector_const_void_star& input_items, uint64_t end)
{
    for (const event& now : events_in(d_taken, end)) {
        collect(input_items, now.tag.offset);
        const bool inside = collecting() && now.tag.offset > d_in.begin;
        if (inside && (now.begins || now.cuts))
            end_frame();
        if (!hungry())
            return; // this tag comes again
        if (now.begins)
            begin_frame(now.tag);
        else
            d_watch.tag_comes(now.tag.key);
        if (!now.begins || collecting())
            keep(now);
    }
    collect(input_items, end);
}

void ofdm_equalizer_impl::collect(const gr_vector_const_void_star& input_items,
                                  uint64_t until)
{
    if (collecting()) {
        const uint64_t end = std::min(until, d_in.end);
        for (int r = 0; r < d_detector->num_rx(); r++) {
            const gr_complex* const samples =
                static_cast<const gr_complex*>(input_items[r]) +
                (d_taken - nitems_read(0));
            d_in.samples[r].insert(
                d_in.samples[r].end(), samples, samples + (end - d_taken));
        }
        d_taken = end;
        if (end == d_in.end)
            end_frame();
    }
    if (!collecting() && hungry())
        d_taken = until;
}

// Until it is known on which vector the tag goes.
void ofdm_equalizer_impl::keep(const event& now)
{
    if (collecting()) {
        d_in.tags.push_back(now);
        return;
    }
    d_between.erase(std::remove_if(d_between.begin(),
                                   d_between.end(),
                                   [&now](const event& other) {
                                       return other.input == now.input &&
                                              pmt::eq(other.tag.key, now.tag.key);
                                   }),
                    d_between.end());
    d_between.push_back(now);
}

void ofdm_equalizer_impl::refuse_length(const gr::tag_t& tag)
{
    if (d_counts.bad_lengths++ == 0)
        d_logger->warn(
            "{:s} = {:s} at sample {:d}: must be 1 to {:d} data symbols, or no "
            "number for num_data_symbols = {:d}; the frame is dropped. This is "
            "said once, bad_lengths() counts them",
            pmt::symbol_to_string(tag.key),
            pmt::write_string(tag.value),
            tag.offset,
            int(MAX_DATA_SYMBOLS),
            d_num_data_symbols);
}

void ofdm_equalizer_impl::begin_frame(const gr::tag_t& tag)
{
    if (collecting())
        return; // another tag on the same sample
    d_watch.mark_comes(tag.offset, false);
    const bool is_number = pmt::is_integer(tag.value) || pmt::is_uint64(tag.value);
    int64_t count = d_num_data_symbols;
    if (pmt::is_integer(tag.value))
        count = pmt::to_long(tag.value);
    else if (is_number)
        count = std::min<uint64_t>(pmt::to_uint64(tag.value), MAX_DATA_SYMBOLS + 1);
    if (count < 1 || count > MAX_DATA_SYMBOLS)
        return refuse_length(tag);
    const int num_symbols = d_pattern->symbols_in_front() + int(count);
    d_in.pattern = d_pattern;
    d_in.begin = tag.offset;
    d_in.end = tag.offset + d_detector->samples_of(num_symbols);
    d_in.samples.resize(d_detector->num_rx());
    for (auto& row : d_in.samples) {
        row.clear(); // of a short frame, all at once
        row.reserve(std::min<size_t>(d_in.end - d_in.begin, MOST_RESERVED));
    }
    d_in.tags = std::exchange(d_between, {});
}

// In carriers, as digital.ofdm_chanest_vcvc tells it and header and payload are parted with it.
double ofdm_equalizer_impl::carrier_offset() const
{
    static const pmt::pmt_t key = pmt::mp("ofdm_sync_carr_offset");
    for (const event& now : d_in.tags)
        if (now.tag.offset == d_in.begin && pmt::eq(now.tag.key, key) &&
            (pmt::is_integer(now.tag.value) || pmt::is_real(now.tag.value)))
            return pmt::to_double(now.tag.value);
    return 0.0;
}

// Receives what has come of it, or has it received.
void ofdm_equalizer_impl::end_frame()
{
    const bool whole = d_taken == d_in.end;
    // now that the samples are there: of what a tag says nothing may come
    const auto contents =
        d_in.pattern->of(d_detector->symbols_in(d_in.samples[0].size()));
    if (!contents) {
        d_counts.dropped_frames++;
        const incoming dropped = std::exchange(d_in, {});
        for (const event& tag : dropped.tags)
            if (!tag.begins)
                keep(tag);
        return;
    }
    const double carriers = carrier_offset();
    if (carriers != 0.0 && std::isfinite(carriers)) {
        const kernel::oscillator carrier(-carriers / d_detector->fft_len());
        for (auto& row : d_in.samples)
            carrier.turn(row.data(), 0, row.size(), row.data());
    }
    d_counts.frames++;
    d_counts.truncated_frames += !whole;
    outgoing frame;
    frame.offset = d_in.begin;
    frame.so_far = d_counts;
    frame.pattern = d_in.pattern;
    frame.data = contents->data;
    place_tags(frame);
    if (d_pool) {
        d_pool->start(
            [this, samples = std::move(d_in.samples), contents](ofdm_detector& receiver) {
                return receive_or_erase(receiver, samples, contents->known);
            });
    } else {
        reception received = receive_or_erase(*d_detector, d_in.samples, contents->known);
        finish(frame, std::move(received), d_detector->report());
    }
    d_out.push_back(std::move(frame));
    d_in = {};
}

// A detector may find nothing in a frame that it can be trained on: the stream goes on behind it.
ofdm_equalizer_impl::reception
ofdm_equalizer_impl::receive_or_erase(ofdm_detector& receiver,
                                      const stream_matrix& samples,
                                      const known_carriers& known) const
{
    try {
        return { receiver.receive(samples, known), {} };
    } catch (const std::exception& error) {
        return { known.values, error.what() };
    }
}

void ofdm_equalizer_impl::finish(outgoing& frame,
                                 reception received,
                                 const training_report& report)
{
    frame.symbols = std::move(received.symbols);
    const bool erased = !received.refused.empty();
    if (erased && d_counts.erased_frames++ == 0)
        d_logger->warn("a frame is erased: {:s}. This is said once, erased_frames in the "
                       "report counts them",
                       received.refused);
    frame.so_far.erased_frames = d_counts.erased_frames;
    // the detector still has the report of a frame before
    send_report(frame, erased ? training_report() : report);
}

// What workers have done; waits so long for it if nothing else can be put out.
void ofdm_equalizer_impl::gather(std::chrono::microseconds patience)
{
    while (pending() > 0 &&
           d_pool->ready(pending() == d_out.size() ? patience
                                                   : std::chrono::microseconds(0))) {
        outgoing& frame = d_out[d_out.size() - pending()];
        auto [received, report] = d_pool->take();
        finish(frame, std::move(received), report);
    }
}

void ofdm_equalizer_impl::place_tags(outgoing& frame) const
{
    if (!pmt::is_null(d_length_key)) {
        gr::tag_t length;
        length.offset = 0;
        length.key = d_length_key;
        length.value = pmt::from_long(frame.data.size());
        length.srcid = alias_pmt();
        frame.tags.push_back(length);
    }
    for (const event& now : d_in.tags) {
        const uint64_t into = std::max(now.tag.offset, d_in.begin) - d_in.begin;
        const auto after = std::upper_bound(
            frame.data.begin(), frame.data.end(), d_detector->symbols_in(into));
        gr::tag_t tag = now.tag;
        tag.offset = std::max<int>(after - frame.data.begin() - 1, 0);
        frame.tags.push_back(tag);
    }
}

// In the log, and in the next report.
void ofdm_equalizer_impl::say_warnings()
{
    for (const auto& news : d_watch.take_news()) {
        d_logger->warn("{:s}", news.text);
        d_unsent += (d_unsent.empty() ? "" : "\n") + news.text;
    }
}

void ofdm_equalizer_impl::send_report(const outgoing& frame,
                                      const training_report& report)
{
    d_watch.training_ended(report.mse);
    say_warnings();
    const std::string warning = std::exchange(d_unsent, {});
    const pmt::pmt_t port = pmt::mp("report");
    if (pmt::is_null(message_subscribers(port)))
        return;
    pmt::pmt_t dict = report.to_pmt();
    const auto add = [&dict](const char* key, uint64_t value) {
        dict = pmt::dict_add(dict, pmt::mp(key), pmt::from_uint64(value));
    };
    add("offset", frame.offset);
    add("frames", frame.so_far.frames);
    add("truncated_frames", frame.so_far.truncated_frames);
    add("dropped_frames", frame.so_far.dropped_frames);
    add("bad_lengths", frame.so_far.bad_lengths);
    add("erased_frames", frame.so_far.erased_frames);
    if (!warning.empty())
        dict = pmt::dict_add(dict, pmt::mp("warning"), pmt::mp(warning));
    message_port_pub(port, dict);
}

// Behind so many vectors of this call.
int ofdm_equalizer_impl::put_out(int before,
                                 int noutput_items,
                                 gr_vector_void_star& output_items)
{
    if (d_out.size() == pending())
        return 0;
    outgoing& frame = d_out.front();
    const size_t fft_len = d_detector->fft_len();
    const size_t zero =
        frame.pattern->place(0); // DC; what is behind the last place comes first
    const size_t count =
        std::min<size_t>(noutput_items - before, frame.data.size() - frame.next);
    for (int j = 0; j < d_detector->num_tx(); j++) {
        gr_complex* to = static_cast<gr_complex*>(output_items[j]) + before * fft_len;
        for (size_t n = 0; n < count; n++, to += fft_len) {
            const gr_complex* const from =
                frame.symbols[j].data() + frame.data[frame.next + n] * fft_len;
            std::copy(from, from + (fft_len - zero), to + zero);
            std::copy(from + (fft_len - zero), from + fft_len, to);
        }
    }
    const uint64_t first = nitems_written(0) + before - frame.next; // vector of the frame
    frame.next += count;
    for (; !frame.tags.empty() && frame.tags.front().offset < frame.next;
         frame.tags.pop_front()) {
        gr::tag_t tag = frame.tags.front();
        tag.offset += first;
        for (int j = 0; j < d_detector->num_tx(); j++)
            add_item_tag(j, tag);
    }
    if (frame.next == frame.data.size())
        d_out.pop_front();
    return count;
}

int ofdm_equalizer_impl::general_work(int noutput_items,
                                      gr_vector_int& ninput_items,
                                      gr_vector_const_void_star& input_items,
                                      gr_vector_void_star& output_items)
{
    gr::thread::scoped_lock guard(d_setlock);
    const uint64_t begin = nitems_read(0);
    const uint64_t end =
        begin + *std::min_element(ninput_items.begin(), ninput_items.end());
    int produced = 0;
    for (int last = -1; last != produced;) {
        last = produced;
        if (hungry())
            take(input_items, end);
        // Longer only while nothing else can be done: new samples may come meanwhile.
        const bool idle = d_taken == begin && produced == 0;
        gather(std::chrono::microseconds(idle ? 500 : 0));
        produced += put_out(produced, noutput_items, output_items);
    }
    consume_each(d_taken - begin);
    const bool ended = any_input_ended(*detail(), 0);
    if (ended && collecting())
        end_frame();
    d_watch.samples_came(d_taken);
    if (ended)
        d_watch.stream_ended(d_taken);
    say_warnings();
    d_frame_waits = !d_out.empty();
    if (ended && produced == 0 && d_out.empty())
        return WORK_DONE;
    return produced;
}

} // namespace reservoir
} // namespace gr
