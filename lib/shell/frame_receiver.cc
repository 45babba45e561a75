/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "shell/frame_receiver.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gr {
namespace reservoir {

namespace {

double mean_power(const stream_matrix& pilots)
{
    double power = 0.0;
    size_t known = 0;
    for (const auto& row : pilots)
        for (const auto& pilot : row)
            if (is_known(pilot)) {
                power += std::norm(pilot);
                known++;
            }
    return power / known;
}

// The share of the pilots' power that is not in what came out for them, at the best gain: one
// minus their coherence.
double unexplained(const gr_complex* const* symbols, const stream_matrix& pilots)
{
    double rest = 0.0, total = 0.0;
    for (size_t o = 0; o < pilots.size(); o++) {
        std::complex<double> product = 0.0;
        double power = 0.0, of_pilots = 0.0;
        for (size_t k = 0; k < pilots[o].size(); k++) {
            if (!is_known(pilots[o][k]))
                continue;
            product += std::conj(symbols[o][k]) * pilots[o][k];
            power += std::norm(symbols[o][k]);
            of_pilots += std::norm(pilots[o][k]);
        }
        rest += of_pilots - (power > 0.0 ? std::norm(product) / power : 0.0);
        total += of_pilots;
    }
    return rest / total;
}

detector::effort effort_of(bool hurry)
{
    return hurry ? detector::effort::quick : detector::effort::full;
}

} // namespace

frame_receiver::frame_receiver(detector::sptr detector,
                               int sps,
                               const stream_matrix& pilots,
                               int payload_len,
                               std::unique_ptr<background_trainer> trainer,
                               std::unique_ptr<frame_workers> workers,
                               bool use_history,
                               uint64_t hurry_above,
                               bool soft_output,
                               frame_finisher finish)
    : d_detector(detector),
      d_sps(sps),
      d_payload_len(payload_len),
      d_frames(payload_len > 0 || !all_known(pilots)),
      d_use_history(use_history),
      d_hurry_above(hurry_above),
      d_finish(std::move(finish)),
      d_trainer(std::move(trainer)),
      d_workers(std::move(workers)),
      d_pilots(pilots),
      d_samples(detector->num_inputs()),
      d_symbols(detector->num_outputs(),
                soft_output ? detector->soft_bits_per_symbol() : 0)
{
    // A detector that was trained before (loaded from a file, say) works from the first sample.
    if (d_detector->trained_sps() == sps) {
        d_detector->reset();
        d_state = state::detecting;
    }
}

uint64_t frame_receiver::symbols_between(uint64_t start, uint64_t end) const
{
    return (end - start + d_sps - 1) / d_sps;
}

void frame_receiver::mark(uint64_t offset)
{
    if (d_marks.empty() || offset > d_last.start)
        announce(offset, true);
}

void frame_receiver::cut(uint64_t offset)
{
    d_gap = offset;
    if (!d_marks.empty() && d_marks.back().start == offset)
        d_marks.back().since = offset;
    const uint64_t frame = (d_pilots[0].size() + d_payload_len) * d_sps;
    if (d_frames && d_last.marked && offset > d_last.start &&
        offset < d_last.start + frame)
        announce(offset, false);
}

void frame_receiver::announce(uint64_t offset, bool marked)
{
    d_last = {
        offset, d_last.first + symbols_between(d_last.start, offset), marked, d_gap
    };
    d_marks.push_back(d_last);
}

uint64_t frame_receiver::symbol_of(uint64_t offset) const
{
    return d_last.first + (offset - d_last.start) / d_sps;
}

void frame_receiver::push(const gr_complex* const* samples, size_t count)
{
    d_samples.push(samples, count);
    advance();
}

void frame_receiver::finish()
{
    d_finished = true;
    advance();
}

bool frame_receiver::congested() const
{
    // symbols; the workers bound the frames themselves
    constexpr size_t BETWEEN_FRAMES = 1 << 16;
    return pending() &&
           d_symbols.size() >
               BETWEEN_FRAMES + d_pending.size() * (d_pilots[0].size() + d_payload_len);
}

void frame_receiver::gather(std::chrono::microseconds patience)
{
    while (pending() &&
           d_workers->ready(available() > 0 ? std::chrono::microseconds(0) : patience))
        gather_next();
}

void frame_receiver::gather_next()
{
    const pending_frame frame = d_pending.front();
    d_pending.pop_front(); // first: take may throw
    const uint64_t place = d_symbols.release();
    const frame_workers::result found = d_workers->take();
    d_symbols.write(place, found.received.symbols, found.received.llrs);
    if (!found.refused.empty()) {
        d_counts.trainings--;
        refuse(found.refused, frame.cut);
        for (auto& later : d_pending) {
            later.counts.trainings--;
            later.counts.truncated_frames -= frame.cut;
            later.counts.abandoned_trainings++;
        }
        return;
    }
    d_forgotten = false;
    std::vector<const gr_complex*> rows;
    for (const auto& row : found.received.symbols)
        rows.push_back(row.data());
    const double error = std::fmax(found.report.mse / mean_power(frame.pilots),
                                   unexplained(rows.data(), frame.pilots));
    d_trainings.push_back(
        { frame.offset, found.report, frame.counts, error, found.finished });
}

void frame_receiver::gather_all()
{
    while (pending())
        gather_next();
}

std::vector<frame_receiver::training> frame_receiver::take_trainings()
{
    return std::exchange(d_trainings, {});
}

std::vector<std::string> frame_receiver::take_refusals()
{
    return std::exchange(d_refusals, {});
}

void frame_receiver::set_frozen(bool frozen)
{
    d_frozen = frozen;
    if (frozen && d_trainer)
        d_trainer->abort();
}

void frame_receiver::forget()
{
    gather_all();
    if (d_trainer)
        d_trainer->abort();
    d_forgotten = true;
    if (d_state == state::detecting)
        d_state = state::passing;
}

void frame_receiver::stop_training()
{
    d_trainer.reset();
    d_symbols.drop_reserved();
    d_pending.clear();
    d_workers.reset();
    d_collecting = false;
}

uint64_t frame_receiver::segment_length() const
{
    if (!d_marks.empty())
        return symbols_between(d_segment.start, d_marks.front().start);
    return d_finished ? symbols_between(d_segment.start, d_samples.end()) : UNKNOWN;
}

void frame_receiver::begin_segment(const grid& segment)
{
    if (d_frozen)
        gather_all(); // what the detector decides with
    d_segment = segment;
    d_emitted = 0;
    d_fed = segment.start;
    d_again = 0;
    d_segment_pilots = d_pilots;
    d_collecting = segment.marked && d_trainer && !d_frozen;
    d_end_unknown = d_collecting && d_frames;
    if (!d_frozen && !d_trainer) {
        d_state = segment.marked ? state::training : state::passing;
    } else if (usable()) {
        d_state = state::detecting;
        d_detector->reset();
    } else {
        d_state = state::passing;
    }
}

bool frame_receiver::usable() const
{
    return !d_forgotten && d_detector->trained_sps() == d_sps;
}

void frame_receiver::advance()
{
    while (step()) {
    }
    discard_samples();
}

// One move; false when only more samples help.
bool frame_receiver::step()
{
    if (d_trainer)
        take_over();
    if (d_collecting && collect())
        return true;
    count_truncated();
    if (d_emitted == segment_length()) {
        if (d_marks.empty() || d_collecting)
            return false;
        begin_segment(d_marks.front());
        d_marks.pop_front();
        return true;
    }
    switch (d_state) {
    case state::passing:
        return pass();
    case state::training:
        return d_frames ? train_frame(segment_length()) : train_stream();
    case state::detecting:
        return detect();
    }
    return false;
}

// The sample at each symbol instant goes out as it is.
bool frame_receiver::pass()
{
    const uint64_t here =
        std::min(segment_length(), symbols_between(d_segment.start, d_samples.end()));
    if (here <= d_emitted)
        return false;
    const size_t count = here - d_emitted;
    gr_complex* const* out = d_symbols.append(count);
    pass_through(d_samples.from(d_segment.start + d_emitted * d_sps),
                 d_samples.num_rows(),
                 d_sps,
                 out,
                 d_detector->num_outputs(),
                 count);
    d_emitted += count;
    return true;
}

bool frame_receiver::abandon()
{
    d_counts.abandoned_trainings++;
    d_state = state::passing;
    return true;
}

// Weights that were there before may be half replaced.
bool frame_receiver::refuse(const std::string& why, bool cut)
{
    d_refusals.push_back(why);
    d_forgotten = true;
    d_counts.truncated_frames -= cut; // abandoned instead
    d_counts.abandoned_trainings++;
    return true;
}

void frame_receiver::trained(uint64_t offset, double unexplained)
{
    d_forgotten = false;
    d_counts.trainings++;
    const training_report report = d_detector->report();
    const double error = std::fmax(report.mse / mean_power(d_pilots), unexplained);
    d_trainings.push_back({ offset, report, d_counts, error });
}

uint64_t frame_receiver::training_length() const
{
    return (d_segment_pilots[0].size() - 1 + d_detector->look_ahead()) * d_sps + 1;
}

bool frame_receiver::train_stream()
{
    const size_t num_pilots = d_segment_pilots[0].size();
    if (segment_length() < num_pilots)
        return abandon();
    const uint64_t needed = training_length();
    const uint64_t there = samples_there();
    if (there < needed && !d_finished)
        return false;
    try {
        d_detector->fit(d_samples.from(d_segment.start),
                        std::min(there, needed),
                        d_segment_pilots,
                        d_sps);
    } catch (const std::exception& error) {
        d_state = state::passing;
        return refuse(error.what());
    }
    trained(d_segment.start);
    d_state = state::detecting;
    return true;
}

// Hands the pilots and their look-ahead to the trainer, once they are there.
bool frame_receiver::collect()
{
    if (segment_length() < d_segment_pilots[0].size()) {
        d_counts.abandoned_trainings++;
        d_collecting = false;
        return true;
    }
    const uint64_t needed = training_length();
    const uint64_t there = samples_there();
    if (there < needed && !d_finished)
        return false;
    d_counts.skipped_trainings +=
        d_trainer->start({ d_samples.copy(d_segment.start, std::min(there, needed)),
                           d_segment_pilots,
                           d_sps,
                           d_segment.start });
    d_collecting = false;
    return true;
}

void frame_receiver::count_truncated()
{
    const uint64_t length = segment_length();
    if (!d_end_unknown || length == UNKNOWN)
        return;
    const size_t num_pilots = d_segment_pilots[0].size();
    d_counts.truncated_frames +=
        length >= num_pilots && length < num_pilots + d_payload_len;
    d_end_unknown = false;
}

// What was trained meanwhile decides from the next symbol on, having seen some before it.
void frame_receiver::take_over()
{
    const auto found = d_trainer->take();
    if (!found)
        return;
    if (!found->refused.empty()) { // the weights before hold
        d_refusals.push_back(found->refused);
        d_counts.abandoned_trainings++;
        return;
    }
    d_detector->adopt(*found->trained);
    trained(found->offset);
    const uint64_t next = d_segment.start + d_emitted * d_sps;
    d_again = std::min({ d_emitted, HISTORY, (next - d_samples.begin()) / d_sps });
    d_fed = next - d_again * d_sps;
    d_state = state::detecting;
}

bool frame_receiver::train_frame(uint64_t length)
{
    const uint64_t whole = d_segment_pilots[0].size() + d_payload_len;
    if (length < d_segment_pilots[0].size() && !cut_pattern(length))
        return abandon();
    const uint64_t symbols = std::min(length, whole);
    const uint64_t needed =
        (symbols + std::max(detector::LOOK_AHEAD, d_detector->look_ahead())) * d_sps;
    const uint64_t there = samples_there();
    if (there < needed && !d_finished)
        return false;
    const bool cut = symbols < whole;
    d_counts.truncated_frames += cut;
    const bool hurry = d_hurry_above > 0 && there > needed + d_hurry_above;
    d_counts.hurried_frames += hurry;
    d_state = state::passing; // until the next mark
    const uint64_t samples = std::min(there, needed);
    if (d_workers) {
        receive_elsewhere(samples, symbols, hurry, cut);
    } else {
        try {
            receive_frame(samples, symbols, hurry, cut);
        } catch (const std::exception& error) { // all of the segment passes through
            d_symbols.keep(0, 0);
            return refuse(error.what(), cut);
        }
    }
    d_emitted = symbols;
    return true;
}

void frame_receiver::receive_frame(uint64_t samples,
                                   uint64_t symbols,
                                   bool hurry,
                                   bool cut)
{
    gr_complex* const* out = d_symbols.append(symbols);
    const uint64_t before = history() * d_sps;
    const auto receive = [&] {
        d_detector->receive(d_samples.from(d_segment.start - before),
                            before + samples,
                            d_segment_pilots,
                            d_sps,
                            symbols - d_segment_pilots[0].size(),
                            { out, nullptr, d_symbols.llrs() },
                            history());
    };
    const auto receive_and_finish = [&] {
        receive();
        const training_report report = d_detector->report();
        return d_finish.finish({ d_samples.from(d_segment.start),
                                 d_detector->num_inputs(),
                                 samples,
                                 d_sps,
                                 d_segment_pilots,
                                 out,
                                 symbols,
                                 report });
    };
    std::any finished;
    if (!cut && d_finish) {
        finished = receive_until_enough(*d_detector, receive_and_finish, d_finish.again);
    } else {
        const with_effort wanted(*d_detector, effort_of(hurry));
        receive();
    }
    trained(d_segment.start, unexplained(out, d_segment_pilots));
    d_trainings.back().finished = finished;
}

// Of a pattern, half of the known symbols are enough. Returns whether they are there.
bool frame_receiver::cut_pattern(uint64_t length)
{
    const auto known_before = [this](size_t end) {
        const auto& row = d_segment_pilots[0];
        return std::count_if(row.begin(), row.begin() + end, is_known);
    };
    if (all_known(d_segment_pilots) ||
        2 * known_before(length) < known_before(d_segment_pilots[0].size()))
        return false;
    while (!is_known(d_segment_pilots[0][length - 1]))
        length--;
    for (auto& row : d_segment_pilots)
        row.resize(length);
    return true;
}

// By offsets alone: what is still stored depends on how the samples came.
uint64_t frame_receiver::history() const
{
    return d_use_history ? std::min<uint64_t>(d_detector->look_back(),
                                              (d_segment.start - d_segment.since) / d_sps)
                         : 0;
}

void frame_receiver::receive_elsewhere(uint64_t samples,
                                       uint64_t symbols,
                                       bool hurry,
                                       bool cut)
{
    if (d_workers->full())
        gather_next();
    const uint64_t before = history() * d_sps;
    d_workers->start({ d_samples.copy(d_segment.start, samples),
                       d_segment_pilots,
                       d_sps,
                       size_t(symbols - d_segment_pilots[0].size()),
                       d_samples.copy(d_segment.start - before, before),
                       effort_of(hurry),
                       d_symbols.llrs() != nullptr,
                       cut ? frame_finisher() : d_finish });
    d_counts.trainings++;
    d_pending.push_back({ d_segment.start, d_segment_pilots, d_counts, cut });
    d_symbols.reserve(symbols);
}

bool frame_receiver::detect()
{
    // Up to the look-ahead of the segment's last symbol, which may lie beyond the next mark.
    const uint64_t length = segment_length();
    const uint64_t held_back = d_detector->delay();
    const uint64_t last = length == UNKNOWN
                              ? UNKNOWN
                              : d_segment.start + (length - 1 + held_back) * d_sps + 1;
    const uint64_t until = std::min(last, d_samples.end());
    if (until > d_fed) {
        const size_t count = until - d_fed;
        gr_complex* const* out = d_symbols.append(count / d_sps + 1);
        take_symbols(d_detector->detect(
            d_samples.from(d_fed), count, d_sps, { out, nullptr, d_symbols.llrs() }));
        d_fed = until;
        return true;
    }
    if (!d_finished)
        return false;
    // The stream has ended: what the last symbols look ahead to counts as zero.
    const std::vector<gr_complex> zeros(last - d_fed);
    const std::vector<const gr_complex*> rows(d_samples.num_rows(), zeros.data());
    gr_complex* const* out = d_symbols.append(zeros.size() / d_sps + 1);
    take_symbols(d_detector->detect(
        rows.data(), zeros.size(), d_sps, { out, nullptr, d_symbols.llrs() }));
    d_fed = last;
    return true;
}

// The detector has appended so many symbols; not all of them need be new.
void frame_receiver::take_symbols(size_t count)
{
    const size_t old = std::min<uint64_t>(count, d_again);
    d_symbols.keep(old, count - old);
    if (d_segment.marked && d_symbols.llrs())
        d_detector->demap_known(
            d_segment_pilots, d_emitted, count - old, d_symbols.llrs());
    d_again -= old;
    d_emitted += count - old;
}

// Keeps what the oldest symbol that is not out yet, or the next segment, still needs, and what the
// detector may look back to from there.
void frame_receiver::discard_samples()
{
    const uint64_t seen = d_trainer ? std::min(HISTORY, d_emitted) : 0;
    uint64_t keep =
        std::min(d_samples.end(), d_segment.start + (d_emitted - seen) * d_sps);
    if (d_collecting)
        keep = std::min(keep, d_segment.start);
    if (!d_marks.empty())
        keep = std::min(keep, d_marks.front().start);
    if (d_use_history)
        keep -= std::min<uint64_t>(keep, d_detector->look_back() * d_sps);
    d_samples.discard(std::max(keep, d_samples.begin()));
}

} // namespace reservoir
} // namespace gr
