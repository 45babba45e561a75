/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "shell/mistake_watch.h"

#include "shell/pilot_colour.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <utility>

namespace gr {
namespace reservoir {

namespace {

// -1.5 dB. Zeros instead of the pilots would make an error of 1; with other pilots than were sent it
// is 0.9 to 1, with half of them about 0.8. A filter on 64 right pilots makes 0.5 at 5 dB SNR.
constexpr double HIGH_ERROR = 0.71;

std::string decibels(double value)
{
    char text[32];
    std::snprintf(text, sizeof(text), "%.1f dB", value);
    return text;
}

} // namespace

mistake_watch::mistake_watch(const std::string& training_key,
                             int sps,
                             int payload_len,
                             const std::string& what)
    : d_training_key(training_key), d_sps(sps), d_payload_len(payload_len), d_what(what)
{
}

void mistake_watch::tell(mistake kind, const std::string& text)
{
    d_told[size_t(kind)] = text;
    d_news.push_back({ kind, text });
}

std::vector<mistake_watch::warning> mistake_watch::take_news()
{
    return std::exchange(d_news, {});
}

std::vector<std::string> mistake_watch::told() const
{
    std::vector<std::string> texts;
    for (const auto& text : d_told)
        if (!text.empty())
            texts.push_back(text);
    return texts;
}

void mistake_watch::run_begins(bool trained)
{
    for (const mistake kind : { mistake::no_tag,
                                mistake::tags_too_close,
                                mistake::high_error,
                                mistake::refused_training })
        d_told[size_t(kind)].clear();
    d_needs_mark = !trained;
    d_other_keys.clear();
    d_last_trains = false;
    d_errors.clear();
    d_good_in_a_row = 0;
    d_high_error_told = false;
}

void mistake_watch::pilots_change(const stream_matrix& pilots)
{
    d_num_pilots = pilots[0].size();
    if (was_told(mistake::coloured_pilots) || !is_coloured(pilots))
        return;
    constexpr double MOST = 60.0;
    const double loss = 10.0 * std::log10(noise_enhancement(pilots));
    tell(mistake::coloured_pilots,
         "training_sequence is coloured: least squares estimates an 8-tap channel " +
             (loss > MOST ? "more than " + decibels(MOST) : decibels(loss)) +
             " worse than with white symbols; send symbols that do not repeat "
             "(random_pilots), or use configured_esn, which suffers least");
}

void mistake_watch::mark_comes(uint64_t offset, bool training)
{
    samples_came(offset); // however the samples are cut into pieces
    const uint64_t distance = offset - d_last_mark;
    // as the frame receiver: fewer symbol instants between them than there are pilots
    if (d_last_trains && distance > 0 && distance <= (d_num_pilots - 1) * d_sps &&
        !was_told(mistake::tags_too_close))
        tell(mistake::tags_too_close,
             "two training tags '" + d_training_key + "' are " +
                 std::to_string(distance) + " samples apart, closer than the " +
                 std::to_string((d_num_pilots - 1) * d_sps + 1) +
                 " of the training: the later one holds and the earlier training is "
                 "abandoned; raise the threshold of what finds the frames, or shorten "
                 "training_sequence");
    d_needs_mark = false;
    d_last_mark = offset;
    d_last_trains = training;
}

void mistake_watch::tag_comes(const pmt::pmt_t& key)
{
    constexpr size_t MANY = 4;
    if (!d_needs_mark || d_other_keys.size() >= MANY || !pmt::is_symbol(key))
        return;
    const std::string name = pmt::symbol_to_string(key);
    if (std::find(d_other_keys.begin(), d_other_keys.end(), name) == d_other_keys.end())
        d_other_keys.push_back(name);
}

void mistake_watch::miss_tag(const std::string& where)
{
    std::string others;
    for (const auto& key : d_other_keys)
        others += (others.empty() ? " (tags that came: '" : ", '") + key +
                  (key == d_training_key ? "' on another input than 0" : "'");
    tell(mistake::no_tag,
         "no training tag '" + d_training_key + "' in the " + where +
             ": does the frame source write that key?" +
             (others.empty() ? "" : others + ")"));
    d_needs_mark = false;
}

uint64_t mistake_watch::patience() const
{
    constexpr uint64_t SAMPLES = 100000;
    constexpr uint64_t FRAMES = 4;
    return std::max(SAMPLES, FRAMES * (d_num_pilots + d_payload_len) * d_sps);
}

void mistake_watch::samples_came(uint64_t count)
{
    if (d_needs_mark && count >= patience())
        miss_tag("first " + std::to_string(patience()) + " samples");
    if (!d_errors.empty() && count >= d_last_mark + patience())
        check_errors(); // no more trainings seem to come
}

void mistake_watch::stream_ended(uint64_t count)
{
    // a stream too short for a training need not have a tag
    if (d_needs_mark && count > (d_num_pilots - 1) * d_sps)
        miss_tag(std::to_string(count) + " samples of the stream");
    if (!d_errors.empty())
        check_errors();
}

void mistake_watch::training_ended(double error)
{
    // What finds frames may take noise for one now and then, and in noise some trainings fail.
    constexpr size_t MANY = 8;
    constexpr int MANY_GOOD = 100;
    if (std::isnan(error))
        return;
    d_errors.push_back(std::min(error, 1.0)); // one that diverged is no worse than none
    if (d_errors.size() > MANY)
        d_errors.pop_front();
    d_good_in_a_row = error > HIGH_ERROR ? 0 : std::min(d_good_in_a_row + 1, MANY_GOOD);
    if (d_good_in_a_row == MANY_GOOD)
        d_high_error_told = false;
    if (d_errors.size() == MANY)
        check_errors();
}

void mistake_watch::training_refused(const std::string& why)
{
    if (!was_told(mistake::refused_training))
        tell(mistake::refused_training,
             "a training is abandoned, and its samples pass through: " + why);
}

double mistake_watch::mean_error() const
{
    return std::accumulate(d_errors.begin(), d_errors.end(), 0.0) / d_errors.size();
}

void mistake_watch::check_errors()
{
    const double error = mean_error();
    if (!(error > HIGH_ERROR) || std::exchange(d_high_error_told, true))
        return;
    tell(mistake::high_error,
         "training error " + decibels(10.0 * std::log10(error)) + ": is " + d_what +
             " what was sent, and does the tag '" + d_training_key +
             "' mark its first sample?");
}

} // namespace reservoir
} // namespace gr
