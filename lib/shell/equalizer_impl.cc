/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "shell/equalizer_impl.h"

#include "check.h"
#include "overrun_tag.h"
#include "pmt_values.h"
#include "shell/commands.h"
#include "stream_end.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace gr {
namespace reservoir {

namespace {

void require_detector(const detector::sptr& trained)
{
    require(trained != nullptr, "detector", "None", "a detector");
}

} // namespace

equalizer::sptr equalizer::make(detector::sptr detector,
                                int sps,
                                const stream_matrix& training_sequence,
                                const std::string& training_start_tag,
                                int payload_len,
                                bool adapt_after_training,
                                digital::constellation_sptr constellation,
                                bool background_training,
                                int workers,
                                bool use_history,
                                int hurry_above,
                                int tag_at,
                                bool soft_output)
{
    require_detector(detector);
    require(!training_sequence.empty(),
            "training_sequence",
            "empty",
            "a row of symbols for each stream");
    return gnuradio::make_block_sptr<equalizer_impl>(detector,
                                                     sps,
                                                     training_sequence,
                                                     training_start_tag,
                                                     payload_len,
                                                     adapt_after_training,
                                                     constellation,
                                                     background_training,
                                                     workers,
                                                     use_history,
                                                     hurry_above,
                                                     tag_at,
                                                     soft_output);
}

namespace {

// Whole periods of an endless stream that are received in one piece, symbols.
size_t length_of_part(const known_symbols& known)
{
    constexpr size_t ENOUGH = 512;
    return (ENOUGH + known.size() - 1) / known.size() * known.size();
}

} // namespace

equalizer::sptr equalizer::make(detector::sptr detector,
                                int sps,
                                const known_symbols& known,
                                const std::string& training_start_tag,
                                int payload_len,
                                int workers,
                                bool use_history,
                                int hurry_above,
                                int tag_at,
                                bool soft_output,
                                digital::constellation_sptr constellation)
{
    require_detector(detector);
    const bool endless = known.periodic() && payload_len == 0;
    require(endless || (payload_len >= 1 && payload_len <= 1 << 24),
            "payload_len",
            payload_len,
            "1 to 2^24 with known_symbols, or 0 where they are periodic");
    const size_t begin = endless ? known.cut() : 0;
    const size_t length = endless ? length_of_part(known) : known.length(payload_len);
    const stream_matrix training = (endless ? known.from(begin) : known).training(length);
    equalizer_impl::repetition again = { 0, 0 };
    if (endless) {
        const int period = known.size();
        require_range("tag_at", tag_at, 0, period - 1);
        again = { (int(begin) - tag_at + period) % period, period };
    }
    return gnuradio::make_block_sptr<equalizer_impl>(detector,
                                                     sps,
                                                     training,
                                                     training_start_tag,
                                                     int(length - training[0].size()),
                                                     false,
                                                     constellation,
                                                     false,
                                                     workers,
                                                     use_history,
                                                     hurry_above,
                                                     endless ? 0 : tag_at,
                                                     soft_output,
                                                     again);
}

namespace {

// Symbols, then soft bits where they are wanted: the detector knows from here on of which.
io_signature::sptr outputs_of(detector& trained,
                              const digital::constellation_sptr& constellation,
                              const stream_matrix& training_sequence,
                              bool soft_output)
{
    std::vector<int> sizes(trained.num_outputs(), sizeof(gr_complex));
    if (soft_output) {
        trained.set_soft_output(constellation, training_sequence);
        require(trained.soft_bits_per_symbol() > 0,
                "constellation",
                "None",
                ("given with soft_output for " + trained.kind()).c_str());
        sizes.insert(sizes.end(),
                     trained.num_outputs(),
                     sizeof(float) * trained.soft_bits_per_symbol());
    }
    return io_signature::makev(sizes.size(), sizes.size(), sizes);
}

} // namespace

equalizer_impl::equalizer_impl(detector::sptr detector,
                               int sps,
                               const stream_matrix& training_sequence,
                               const std::string& training_start_tag,
                               int payload_len,
                               bool adapt_after_training,
                               digital::constellation_sptr constellation,
                               bool background_training,
                               int workers,
                               bool use_history,
                               int hurry_above,
                               int tag_at,
                               bool soft_output,
                               const repetition& again)
    : gr::block("equalizer",
                gr::io_signature::make(
                    detector->num_inputs(), detector->num_inputs(), sizeof(gr_complex)),
                outputs_of(*detector, constellation, training_sequence, soft_output)),
      d_detector(detector),
      d_sps(sps),
      d_training_key(pmt::mp(training_start_tag)),
      d_payload_len(payload_len),
      d_constellation(constellation),
      d_background_training(background_training),
      d_workers(workers),
      d_use_history(use_history),
      d_hurry_above(hurry_above),
      d_soft_output(soft_output),
      d_hold(uint64_t(tag_at) * sps),
      d_again(again),
      d_frame((training_sequence[0].size() + payload_len) * sps),
      d_adapt(false),
      d_watch(training_start_tag, sps, payload_len),
      d_held(detector->num_inputs())
{
    require(sps >= 1 && sps <= 64, "sps", sps, "1 to 64");
    check_training_sequence(training_sequence);
    require(!training_start_tag.empty(), "training_start_tag", "''", "a tag's key");
    require(payload_len >= 0 && payload_len <= 1 << 24,
            "payload_len",
            payload_len,
            "0 to 2^24");
    require_range("workers", workers, 1, 64);
    const bool frames = payload_len > 0 || !all_known(training_sequence);
    require(workers == 1 || frames, "workers", workers, "1 with payload_len = 0");
    require(workers == 1 || !background_training,
            "workers",
            workers,
            "1 with background_training");
    require(
        !use_history || frames, "use_history", use_history, "False with payload_len = 0");
    require(!use_history || !background_training,
            "use_history",
            use_history,
            "False with background_training");
    require_range("tag_at", tag_at, 0, 1 << 20);
    require(tag_at < int(training_sequence[0].size() + payload_len),
            "tag_at",
            tag_at,
            "a symbol of the frame");
    require(hurry_above >= 0 && hurry_above <= 1 << 30,
            "hurry_above",
            hurry_above,
            "0 to 2^30");
    require(
        hurry_above == 0 || frames, "hurry_above", hurry_above, "0 with payload_len = 0");
    require(hurry_above == 0 || !background_training,
            "hurry_above",
            hurry_above,
            "0 with background_training");
    require(hurry_above == 0 || detector->refits_frames(),
            "hurry_above",
            hurry_above,
            ("0 with " + detector->kind() + " as it is set: it makes no refits").c_str());
    if (adapt_after_training)
        set_adapt_after_training(true);
    d_receiver = make_receiver(training_sequence);
    detector->claim();
    d_watch.pilots_change(training_sequence);
    say_warnings();

    set_relative_rate(1, sps);
    set_tag_propagation_policy(TPP_DONT);
    message_port_register_out(pmt::mp("report"));
    message_port_register_in(pmt::mp("command"));
    set_msg_handler(pmt::mp("command"),
                    [this](const pmt::pmt_t& message) { handle_command(message); });
}

std::unique_ptr<frame_receiver>
equalizer_impl::make_receiver(const stream_matrix& training_sequence)
{
    std::unique_ptr<background_trainer> trainer;
    if (d_background_training)
        trainer = std::make_unique<background_trainer>(
            d_detector, [this](uint64_t offset, const training_progress& progress) {
                message_port_pub(pmt::mp("report"),
                                 pmt::dict_add(progress.to_pmt(),
                                               pmt::mp("offset"),
                                               pmt::from_uint64(offset)));
            });
    std::unique_ptr<frame_workers> workers;
    if (d_workers > 1)
        workers = std::make_unique<frame_workers>(d_detector, d_workers);
    return std::make_unique<frame_receiver>(d_detector,
                                            d_sps,
                                            training_sequence,
                                            d_payload_len,
                                            std::move(trainer),
                                            std::move(workers),
                                            d_use_history,
                                            d_hurry_above,
                                            d_soft_output);
}

void equalizer_impl::check_training_sequence(const stream_matrix& training_sequence) const
{
    require(
        training_sequence.size() == size_t(d_detector->num_outputs()),
        "training_sequence",
        std::to_string(training_sequence.size()) + " rows",
        ("num_outputs = " + std::to_string(d_detector->num_outputs()) + " rows").c_str());
    for (const auto& row : training_sequence)
        require(!row.empty(), "training_sequence", "empty", "at least one symbol");
    d_detector->check_pilots("training_sequence", training_sequence);
}

namespace {

// That of the pilots is told before a run, and stays.
bool is_of_a_run(const mistake_watch::warning& warning)
{
    return warning.kind != mistake_watch::mistake::coloured_pilots;
}

} // namespace

bool equalizer_impl::start()
{
    // Offsets begin at 0 again when a flowgraph is started again.
    gr::thread::scoped_lock guard(d_setlock);
    const bool frozen = d_receiver->frozen();
    d_receiver = make_receiver(d_receiver->pilots());
    d_receiver->set_frozen(frozen);
    d_symbols_wait = false;
    d_tags.clear();
    d_events.clear();
    d_held = sample_buffer(d_detector->num_inputs());
    d_pushed = 0;
    d_repeats = false;
    d_watch.run_begins(d_detector->trained_sps() == d_sps);
    d_unsent.erase(std::remove_if(d_unsent.begin(), d_unsent.end(), is_of_a_run),
                   d_unsent.end()); // of the run before
    return block::start();
}

bool equalizer_impl::stop()
{
    gr::thread::scoped_lock guard(d_setlock);
    d_receiver->stop_training();
    return block::stop();
}

void equalizer_impl::set_training_sequence(const stream_matrix& training_sequence)
{
    check_training_sequence(training_sequence);
    gr::thread::scoped_lock guard(d_setlock);
    d_receiver->set_pilots(training_sequence);
    d_watch.pilots_change(training_sequence);
    say_warnings();
}

stream_matrix equalizer_impl::training_sequence() const
{
    gr::thread::scoped_lock guard(const_cast<equalizer_impl*>(this)->d_setlock);
    return d_receiver->pilots();
}

void equalizer_impl::set_adapt_after_training(bool adapt)
{
    require(!adapt || d_constellation, "constellation", "None", "given when adapting");
    require(
        !adapt || d_workers == 1, "workers", d_workers, "1 with adapt_after_training");
    gr::thread::scoped_lock guard(d_setlock);
    d_detector->set_tracking(adapt ? d_constellation : nullptr);
    d_adapt = adapt;
}

bool equalizer_impl::adapt_after_training() const
{
    gr::thread::scoped_lock guard(const_cast<equalizer_impl*>(this)->d_setlock);
    return d_adapt;
}

void equalizer_impl::set_freeze(bool freeze)
{
    gr::thread::scoped_lock guard(d_setlock);
    d_receiver->set_frozen(freeze);
    if (d_adapt) // tracking goes on with the next training after a thaw
        d_detector->set_tracking(freeze ? nullptr : d_constellation);
}

bool equalizer_impl::freeze() const
{
    gr::thread::scoped_lock guard(const_cast<equalizer_impl*>(this)->d_setlock);
    return d_receiver->frozen();
}

void equalizer_impl::reset_training()
{
    gr::thread::scoped_lock guard(d_setlock);
    d_receiver->forget();
}

uint64_t equalizer_impl::trainings() const
{
    gr::thread::scoped_lock guard(const_cast<equalizer_impl*>(this)->d_setlock);
    return d_receiver->so_far().trainings;
}

uint64_t equalizer_impl::abandoned_trainings() const
{
    gr::thread::scoped_lock guard(const_cast<equalizer_impl*>(this)->d_setlock);
    return d_receiver->so_far().abandoned_trainings;
}

uint64_t equalizer_impl::truncated_frames() const
{
    gr::thread::scoped_lock guard(const_cast<equalizer_impl*>(this)->d_setlock);
    return d_receiver->so_far().truncated_frames;
}

uint64_t equalizer_impl::skipped_trainings() const
{
    gr::thread::scoped_lock guard(const_cast<equalizer_impl*>(this)->d_setlock);
    return d_receiver->so_far().skipped_trainings;
}

uint64_t equalizer_impl::hurried_frames() const
{
    gr::thread::scoped_lock guard(const_cast<equalizer_impl*>(this)->d_setlock);
    return d_receiver->so_far().hurried_frames;
}

uint64_t equalizer_impl::bad_samples() const { return d_detector->bad_samples(); }

training_report equalizer_impl::report() const { return d_detector->report(); }

std::vector<std::string> equalizer_impl::warnings() const
{
    gr::thread::scoped_lock guard(const_cast<equalizer_impl*>(this)->d_setlock);
    return d_watch.told();
}

void equalizer_impl::handle_command(const pmt::pmt_t& message)
{
    const std::vector<shell_command> own = {
        { "freeze", [this](const pmt::pmt_t& value) { set_freeze(truth(value)); } },
        { "reset",
          [this](const pmt::pmt_t& value) { truth(value) ? reset_training() : void(); } },
        { "training_sequence",
          [this](const pmt::pmt_t& value) {
              set_training_sequence(complex_rows(value));
          } }
    };
    const std::string refused = carry_out_commands(message, own, *d_detector);
    if (!refused.empty())
        d_logger->warn("{:s}", refused);
}

void equalizer_impl::forecast(int, gr_vector_int& ninput_items_required)
{
    // Without input, work must still be called while symbols wait and to end the last frame.
    const bool none = d_symbols_wait || any_input_done(*detail());
    std::fill(ninput_items_required.begin(), ninput_items_required.end(), none ? 0 : 1);
}

namespace {

// A length counted in samples, at a tag, is one in symbols behind the block.
void rescale_length(gr::tag_t& tag, int sps)
{
    static const pmt::pmt_t keys[] = { pmt::mp("packet_len"),
                                       pmt::mp("tx_pkt_len"),
                                       pmt::mp("frame_len") };
    const bool is_length =
        std::any_of(std::begin(keys), std::end(keys), [&tag](const auto& key) {
            return pmt::eq(key, tag.key);
        });
    if (!is_length)
        return;
    // of any number, so without adding sps first
    const auto in_symbols = [sps](auto length) {
        return length / sps + (length % sps != 0);
    };
    if (pmt::is_uint64(tag.value))
        tag.value = pmt::from_uint64(in_symbols(pmt::to_uint64(tag.value)));
    else if (pmt::is_integer(tag.value) && pmt::to_long(tag.value) > 0)
        tag.value = pmt::from_long(in_symbols(pmt::to_long(tag.value)));
}

} // namespace

// Samples of which it is known whether a burst begins there.
uint64_t equalizer_impl::held_until(uint64_t came, bool ended) const
{
    return ended ? came : std::max(d_pushed, came - std::min(came, d_hold));
}

void equalizer_impl::insert(const event& next)
{
    const auto comes_before = [](const event& a, const event& b) {
        return std::make_pair(a.offset, a.kind) < std::make_pair(b.offset, b.kind);
    };
    d_events.insert(
        std::upper_bound(d_events.begin(), d_events.end(), next, comes_before), next);
}

void equalizer_impl::take_tags(int num_items)
{
    for (int i = 0; i < d_detector->num_inputs(); i++) {
        std::vector<gr::tag_t> tags;
        get_tags_in_range(tags, i, nitems_read(i), nitems_read(i) + num_items);
        for (const auto& tag : tags) {
            if (i == 0 && pmt::eq(tag.key, d_training_key))
                insert({ tag.offset - std::min(tag.offset, d_hold) +
                             uint64_t(d_again.lead) * d_sps,
                         event::BURST_OF_TAG,
                         tag });
            insert({ tag.offset, event::TAG, tag });
        }
    }
}

void equalizer_impl::mark(const event& begins)
{
    if (begins.kind == event::BURST_OF_TAG && begins.tag.offset < d_hold) {
        d_receiver->abandon_early();
        d_watch.mark_comes(0, false);
        return;
    }
    d_receiver->mark(begins.offset);
    d_watch.mark_comes(begins.offset, !d_receiver->frozen());
    if (d_again.period > 0)
        repeat_from(begins.offset);
}

void equalizer_impl::repeat_from(uint64_t offset)
{
    end_repetition();
    d_repeats = true;
    d_repeats_from = offset;
    insert({ offset + d_frame, event::NEXT_BURST, {} });
}

void equalizer_impl::end_repetition()
{
    d_repeats = false;
    d_events.erase(
        std::remove_if(d_events.begin(),
                       d_events.end(),
                       [](const event& next) { return next.kind == event::NEXT_BURST; }),
        d_events.end());
}

// Announces the training marks and places every tag on its symbol.
void equalizer_impl::place_tags(uint64_t until)
{
    const uint64_t period = uint64_t(d_again.period) * d_sps;
    while (!d_events.empty() && d_events.front().offset < until) {
        event now = d_events.front();
        d_events.pop_front();
        if (now.kind != event::TAG) {
            // a tag that says what goes on anyway
            if (now.kind == event::NEXT_BURST || !d_repeats ||
                (now.offset - d_repeats_from) % period != 0)
                mark(now);
            continue;
        }
        gr::tag_t& tag = now.tag;
        if (!pmt::eq(tag.key, d_training_key))
            d_watch.tag_comes(tag.key);
        if (pmt::eq(tag.key, overrun_tag())) {
            d_receiver->cut(tag.offset);
            end_repetition();
        }
        rescale_length(tag, d_sps);
        tag.offset = d_receiver->symbol_of(tag.offset);
        d_tags.push_back(tag);
    }
}

void equalizer_impl::push(const gr_vector_const_void_star& input_items,
                          int count,
                          uint64_t until)
{
    const auto samples = reinterpret_cast<const gr_complex* const*>(input_items.data());
    if (d_hold > 0)
        d_held.push(samples, count);
    if (until == d_pushed)
        return;
    d_receiver->push(d_hold > 0 ? d_held.from(d_pushed) : samples, until - d_pushed);
    d_pushed = until;
    if (d_hold > 0)
        d_held.discard(until);
}

void equalizer_impl::send_tags(size_t produced)
{
    const uint64_t end = nitems_written(0) + produced;
    for (; !d_tags.empty() && d_tags.front().offset < end; d_tags.pop_front())
        for (int o = 0; o < d_detector->num_outputs() * (d_soft_output ? 2 : 1); o++)
            add_item_tag(o, d_tags.front());
}

void equalizer_impl::say_warnings()
{
    for (const auto& news : d_watch.take_news()) {
        d_logger->warn("{}", news.text);
        d_unsent.push_back(news);
    }
}

void equalizer_impl::send_reports()
{
    for (const auto& why : d_receiver->take_refusals())
        d_watch.training_refused(why);
    const auto trainings = d_receiver->take_trainings();
    for (const auto& training : trainings) {
        d_watch.training_ended(training.error);
        say_warnings();
        send_report(&training.report, training.offset, training.counts);
    }
}

void equalizer_impl::send_warnings()
{
    say_warnings();
    // As long as nothing is trained, there is no other report that a warning could be in. That of
    // the pilots can wait.
    const bool urgent = std::any_of(d_unsent.begin(), d_unsent.end(), is_of_a_run);
    if (urgent && d_receiver->so_far().trainings == 0)
        send_report(nullptr, 0, d_receiver->so_far());
}

// A training's, or without one that of a warning alone.
void equalizer_impl::send_report(const training_report* report,
                                 uint64_t offset,
                                 const frame_receiver::counts& counts)
{
    const auto warnings = std::exchange(d_unsent, {});
    const pmt::pmt_t port = pmt::mp("report");
    // to make a report that nobody reads would cost a tenth of a short training
    if (pmt::is_null(message_subscribers(port)))
        return;
    pmt::pmt_t dict = report ? report->to_pmt() : pmt::make_dict();
    const auto add = [&dict](const char* key, uint64_t value) {
        dict = pmt::dict_add(dict, pmt::mp(key), pmt::from_uint64(value));
    };
    if (report)
        add("offset", offset);
    add("trainings", counts.trainings);
    add("abandoned_trainings", counts.abandoned_trainings);
    add("truncated_frames", counts.truncated_frames);
    add("skipped_trainings", counts.skipped_trainings);
    add("hurried_frames", counts.hurried_frames);
    std::string text;
    for (const auto& warning : warnings)
        text += (text.empty() ? "" : "\n") + warning.text;
    if (!text.empty())
        dict = pmt::dict_add(dict, pmt::mp("warning"), pmt::mp(text));
    message_port_pub(port, dict);
}

int equalizer_impl::general_work(int noutput_items,
                                 gr_vector_int& ninput_items,
                                 gr_vector_const_void_star& input_items,
                                 gr_vector_void_star& output_items)
{
    gr::thread::scoped_lock guard(d_setlock);
    // As long as enough symbols wait, no samples are taken: that bounds what is stored.
    const bool hungry =
        d_receiver->available() < size_t(noutput_items) && !d_receiver->congested();
    const int count =
        hungry ? *std::min_element(ninput_items.begin(), ninput_items.end()) : 0;
    const bool ended = any_input_ended(*detail(), count);
    const uint64_t came = held_until(nitems_read(0) + count, ended);
    if (count > 0)
        take_tags(count);
    place_tags(came);
    push(input_items, count, came);
    if (ended)
        d_receiver->finish();
    consume_each(count);
    // Longer only while nothing else can be done: new samples may come meanwhile.
    d_receiver->gather(std::chrono::microseconds(count == 0 ? 500 : 0));

    void* const* const rows = output_items.data();
    const size_t produced = d_receiver->pop(
        reinterpret_cast<gr_complex* const*>(rows),
        noutput_items,
        d_soft_output ? reinterpret_cast<float* const*>(rows + d_detector->num_outputs())
                      : nullptr);
    send_tags(produced);
    send_reports();
    if (!d_receiver->pending()) { // no training of these samples is still to come
        d_watch.samples_came(came);
        if (ended)
            d_watch.stream_ended(came);
    }
    send_warnings();
    d_symbols_wait = d_receiver->available() > 0 || d_receiver->pending();
    if (ended && produced == 0 && !d_symbols_wait)
        return WORK_DONE;
    return produced;
}

} // namespace reservoir
} // namespace gr
