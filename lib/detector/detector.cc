/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/detector.h>

#include "check.h"
#include "detector/finite_values.h"
#include "detector/saved_file.h"
#include "detector/soft_demapper.h"
#include "detector/training_samples.h"
#include <gnuradio/reservoir/parameter.h>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace gr {
namespace reservoir {

namespace {

std::vector<const gr_complex*> row_pointers(const stream_matrix& rows)
{
    std::vector<const gr_complex*> pointers;
    for (const auto& row : rows)
        pointers.push_back(row.data());
    return pointers;
}

std::vector<gr_complex*> row_pointers(stream_matrix& rows)
{
    std::vector<gr_complex*> pointers;
    for (auto& row : rows)
        pointers.push_back(row.data());
    return pointers;
}

size_t row_length(const stream_matrix& rows) { return rows.empty() ? 0 : rows[0].size(); }

// Before anything is reserved for it.
void check_payload(int payload_len, size_t num_samples)
{
    require(payload_len < 0 || size_t(payload_len) <= num_samples,
            "payload_len",
            payload_len,
            "no longer than what was received");
}

} // namespace

detector::detector(int num_inputs, int num_outputs) : trainable(num_inputs, num_outputs)
{
}

detector::~detector() {}

int detector::trained_sps() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_report.trained ? d_sps : 0;
}

int detector::delay() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_report.delay;
}

detector::sptr detector::clone() const
{
    const sptr copy = std::dynamic_pointer_cast<detector>(do_clone());
    const std::lock_guard<std::mutex> lock(d_mutex);
    if (d_demapper)
        copy->d_demapper = std::make_unique<soft_demapper>(*d_demapper);
    return copy;
}

void detector::set_soft_output(digital::constellation_sptr constellation,
                               const stream_matrix& pilots)
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    const constellation_points* const own = do_constellation();
    d_demapper.reset();
    if (constellation) {
        const constellation_points given(constellation);
        require(!own || (given.points == own->points && given.labels == own->labels),
                "constellation",
                "another one",
                ("None, or that of the " + kind()).c_str());
        d_demapper = std::make_unique<soft_demapper>(given);
    } else if (own) {
        d_demapper = std::make_unique<soft_demapper>(*own);
    }
    if (d_demapper && !pilots.empty())
        d_demapper->fit_scale(pilots);
    settings_changed();
}

int detector::soft_bits_per_symbol() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_demapper ? d_demapper->bits() : 0;
}

void detector::check_soft_output() const
{
    require(d_demapper != nullptr,
            "constellation",
            "None",
            ("given for the soft output of " + kind()).c_str());
}

double detector::noise_variance(int output) const
{
    const auto& each = d_report.noise_variances;
    return each.size() == size_t(num_outputs()) ? each[output] : d_report.noise_variance;
}

void detector::do_soft_output(soft_demapper& demapper,
                              size_t count,
                              const symbol_rows& rows)
{
    for (int o = 0; o < num_outputs(); o++)
        demapper.demap(rows.symbols[o],
                       count,
                       noise_variance(o),
                       rows.prior_llrs ? rows.prior_llrs[o] : nullptr,
                       rows.llrs[o]);
}

void detector::set_tracking(digital::constellation_sptr constellation)
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    do_set_tracking(constellation);
}

void detector::do_set_tracking(digital::constellation_sptr constellation)
{
    if (constellation)
        throw std::invalid_argument("adapt_after_training = true: must be false for " +
                                    kind() + ", which does not adapt");
}

void detector::set_effort(effort next)
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    d_effort = next;
}

void detector::set_channel(const stream_matrix& channel)
{
    command("channel", rows_to_pmt(channel));
}

void detector::set_power_delay_profile(const std::vector<double>& powers)
{
    command("power_delay_profile", pmt::init_f64vector(powers.size(), powers));
}

void detector::check_samples(const char* name, const stream_matrix& received) const
{
    require(received.size() == size_t(num_inputs()),
            name,
            std::to_string(received.size()) + " rows",
            ("num_inputs = " + std::to_string(num_inputs()) + " rows").c_str());
    for (const auto& row : received)
        require(row.size() == received[0].size(),
                name,
                std::to_string(row.size()) + " samples in a row",
                "of the same length in every row");
}

void detector::check_training(size_t num_samples,
                              const stream_matrix& pilots,
                              int sps) const
{
    require(sps >= 1 && sps <= 64, "sps", sps, "1 to 64");
    require(pilots.size() == size_t(num_outputs()),
            "pilots",
            std::to_string(pilots.size()) + " rows",
            ("num_outputs = " + std::to_string(num_outputs()) + " rows").c_str());
    require(!pilots[0].empty(), "pilots", "empty", "at least one symbol");
    check_pilots("pilots", pilots);
    const size_t needed = (pilots[0].size() - 1) * sps + 1;
    require(num_samples >= needed,
            "received",
            std::to_string(num_samples) + " samples",
            ("at least " + std::to_string(needed) + " for these pilots").c_str());
}

void detector::check_pilots(const char* name, const stream_matrix& pilots) const
{
    bool gaps = false;
    for (const auto& row : pilots) {
        require(row.size() == pilots[0].size(),
                name,
                std::to_string(row.size()) + " symbols in a row",
                "of the same length in every row");
        for (const auto& pilot : row) {
            if (has_finite_parts(pilot))
                continue;
            require(takes_unknown_pilots() || is_known(pilot),
                    name,
                    pilot,
                    ("finite; " + kind() + " needs all known symbols in front").c_str());
            require(!is_known(pilot), name, pilot, "finite");
            gaps = true;
        }
    }
    if (!gaps)
        return;
    try {
        known_symbols checked(pilots);
    } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(std::string(name) + ": " + error.what());
    }
}

void detector::timed_fit(const gr_complex* const* received,
                         size_t num_samples,
                         const stream_matrix& pilots,
                         int sps)
{
    const auto start = std::chrono::steady_clock::now();
    const int before = std::exchange(d_sps, sps);
    try {
        if (d_demapper)
            d_demapper->fit_scale(pilots);
        d_report = do_fit(received, num_samples, pilots, sps);
    } catch (...) {
        d_sps = before;
        throw;
    }
    d_report.trained = true;
    d_report.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

training_report detector::fit(const gr_complex* const* received,
                              size_t num_samples,
                              const stream_matrix& pilots,
                              int sps)
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    check_training(num_samples, pilots, sps);
    timed_fit(received, num_samples, pilots, sps);
    return d_report;
}

training_report
detector::fit(const stream_matrix& received, const stream_matrix& pilots, int sps)
{
    check_samples("received", received);
    return fit(row_pointers(received).data(), row_length(received), pilots, sps);
}

size_t detector::detect(const gr_complex* const* received,
                        size_t num_samples,
                        int sps,
                        const symbol_rows& rows)
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    if (!d_report.trained)
        throw std::runtime_error("detect: nothing is trained yet; call fit first");
    require(sps == d_sps,
            "sps",
            sps,
            ("what fit was given, " + std::to_string(d_sps)).c_str());
    if (rows.llrs)
        check_soft_output();
    d_soft_wanted = rows.llrs;
    const size_t count = do_detect(received, num_samples, rows.symbols);
    for (int o = 0; o < num_outputs(); o++)
        erase_infinite(rows.symbols[o], count);
    if (rows.llrs)
        do_soft_output(*d_demapper, count, rows);
    fill_noise_variance(count, rows);
    return count;
}

void detector::fill_noise_variance(size_t count, const symbol_rows& rows) const
{
    if (rows.noise_variance)
        for (int o = 0; o < num_outputs(); o++)
            std::fill_n(rows.noise_variance[o], count, float(d_report.noise_variance));
}

stream_matrix detector::detect(const stream_matrix& received, int sps)
{
    check_samples("received", received);
    require(sps >= 1, "sps", sps, "at least 1");
    const size_t length = row_length(received);
    stream_matrix symbols(num_outputs(), std::vector<gr_complex>(length / sps + 1));
    const size_t count = detect(
        row_pointers(received).data(), length, sps, { row_pointers(symbols).data() });
    for (auto& row : symbols)
        row.resize(count);
    return symbols;
}

void detector::do_receive(const gr_complex* const* received,
                          size_t num_samples,
                          const stream_matrix& pilots,
                          int sps,
                          size_t num_symbols,
                          gr_complex* const* symbols)
{
    timed_fit(received, num_samples, pilots, sps);
    const size_t before = d_history * sps;
    std::vector<const gr_complex*> first(received, received + num_inputs());
    for (auto& row : first)
        row -= before;

    // Exactly the samples that the last symbol's decision reads; zeros where they end too early.
    const size_t needed = (num_symbols - 1 + d_report.delay) * sps + 1;
    const size_t given = std::min(needed, num_samples);
    const size_t count = do_detect(first.data(), before + given, symbols);
    if (given == needed)
        return;
    const std::vector<gr_complex> zeros(needed - given);
    const std::vector<const gr_complex*> rows(num_inputs(), zeros.data());
    std::vector<gr_complex*> rest(symbols, symbols + num_outputs());
    for (auto& row : rest)
        row += count;
    do_detect(rows.data(), zeros.size(), rest.data());
}

void detector::receive(const gr_complex* const* received,
                       size_t num_samples,
                       const stream_matrix& pilots,
                       int sps,
                       int payload_len,
                       const symbol_rows& rows,
                       size_t num_history)
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    require(sps >= 1 && sps <= 64, "sps", sps, "1 to 64");
    const size_t before = num_history * sps;
    require(num_samples >= before, "history", num_history, "no longer than what came");
    num_samples -= before;
    check_training(num_samples, pilots, sps);
    require(payload_len >= 0, "payload_len", payload_len, "at least 0");
    const size_t num_symbols = pilots[0].size() + payload_len;
    require(num_samples >= (num_symbols - 1) * sps + 1,
            "payload_len",
            payload_len,
            "no longer than what was received");
    const size_t look_ahead = std::max(LOOK_AHEAD, do_look_ahead());
    const size_t used = std::min(num_samples, (num_symbols + look_ahead) * sps);
    std::vector<const gr_complex*> first(received, received + num_inputs());
    for (auto& row : first)
        row += before;
    if (rows.llrs) {
        check_soft_output();
        d_demapper->fit_scale(pilots);
    }
    d_soft_wanted = rows.llrs;
    d_history = std::min<size_t>(num_history, do_look_back());
    try {
        do_receive(first.data(), used, pilots, sps, num_symbols, rows.symbols);
    } catch (...) {
        d_history = 0;
        throw;
    }
    d_history = 0;
    for (int o = 0; o < num_outputs(); o++)
        erase_infinite(rows.symbols[o], num_symbols);
    fill_noise_variance(num_symbols, rows);
    if (rows.llrs)
        do_soft_output(*d_demapper, num_symbols, rows);
    doubt_gaps(symbols_in_gaps(first.data(), num_inputs(), used, sps, num_symbols),
               pilots,
               rows);
    if (rows.llrs)
        set_known(pilots, 0, num_symbols, rows.llrs);
}

// Some detectors fit a channel to silence, and are then sure of wrong symbols.
void detector::doubt_gaps(const std::vector<bool>& in_gap,
                          const stream_matrix& pilots,
                          const symbol_rows& rows)
{
    bool lost = false;
    for (int o = 0; o < num_outputs(); o++)
        for (size_t k = 0; k < in_gap.size(); k++) {
            if (!in_gap[k] || (k < pilots[o].size() && is_known(pilots[o][k])))
                continue;
            lost = true;
            if (rows.llrs)
                std::fill_n(
                    rows.llrs[o] + k * d_demapper->bits(), d_demapper->bits(), 0.0F);
        }
    if (lost && !std::isnan(d_report.confidence))
        d_report.confidence = 0.0;
}

void detector::set_known(const stream_matrix& pilots,
                         size_t first,
                         size_t count,
                         float* const* llrs) const
{
    const size_t last = std::min(first + count, pilots[0].size());
    for (size_t o = 0; o < pilots.size(); o++)
        for (size_t k = first; k < last; k++)
            if (is_known(pilots[o][k]))
                d_demapper->demap_known(pilots[o][k],
                                        llrs[o] + (k - first) * d_demapper->bits());
}

void detector::demap_known(const stream_matrix& pilots,
                           size_t first,
                           size_t count,
                           float* const* llrs) const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    check_soft_output();
    set_known(pilots, first, count, llrs);
}

stream_matrix detector::receive(const stream_matrix& received,
                                const stream_matrix& pilots,
                                int sps,
                                int payload_len,
                                const stream_matrix& history)
{
    return receive_rows(received, pilots, sps, payload_len, history, nullptr, {});
}

soft_symbols detector::receive_softly(const stream_matrix& received,
                                      const stream_matrix& pilots,
                                      int sps,
                                      int payload_len,
                                      const stream_matrix& history,
                                      const std::vector<std::vector<float>>& prior_llrs)
{
    soft_symbols found;
    found.symbols = receive_rows(
        received, pilots, sps, payload_len, history, &found.llrs, prior_llrs);
    return found;
}

stream_matrix detector::receive_rows(const stream_matrix& received,
                                     const stream_matrix& pilots,
                                     int sps,
                                     int payload_len,
                                     const stream_matrix& history,
                                     std::vector<std::vector<float>>* llrs,
                                     const std::vector<std::vector<float>>& prior_llrs)
{
    check_samples("received", received);
    if (!history.empty())
        check_samples("history", history);
    require(payload_len >= -1,
            "payload_len",
            payload_len,
            "at least 0, or -1 for all that came");
    const size_t length = row_length(received);
    check_training(length, pilots, sps);
    if (payload_len == -1)
        payload_len = (length + sps - 1) / sps - pilots[0].size();
    check_payload(payload_len, length);
    stream_matrix symbols(num_outputs(),
                          std::vector<gr_complex>(pilots[0].size() + payload_len));
    const size_t periods = std::min<size_t>(row_length(history) / sps, do_look_back());
    stream_matrix joined;
    for (size_t a = 0; a < received.size() && periods > 0; a++) {
        joined.emplace_back(history[a].end() - periods * sps, history[a].end());
        joined[a].insert(joined[a].end(), received[a].begin(), received[a].end());
    }
    std::vector<float*> soft;
    std::vector<const float*> priors;
    if (llrs) {
        check_soft_output();
        const size_t size = symbols[0].size() * d_demapper->bits();
        llrs->assign(num_outputs(), std::vector<float>(size));
        for (auto& row : *llrs)
            soft.push_back(row.data());
        require(prior_llrs.empty() || prior_llrs.size() == size_t(num_outputs()),
                "prior_llrs",
                std::to_string(prior_llrs.size()) + " rows",
                ("num_outputs = " + std::to_string(num_outputs()) + " rows").c_str());
        for (const auto& row : prior_llrs) {
            require(row.size() == size,
                    "prior_llrs",
                    std::to_string(row.size()) + " values in a row",
                    ("one for each symbol and bit, " + std::to_string(size)).c_str());
            priors.push_back(row.data());
        }
    }
    receive(row_pointers(periods > 0 ? joined : received).data(),
            periods * sps + length,
            pilots,
            sps,
            payload_len,
            { row_pointers(symbols).data(),
              nullptr,
              llrs ? soft.data() : nullptr,
              priors.empty() ? nullptr : priors.data() },
            periods);
    return symbols;
}

namespace {

// Symbols of a frame with such a pattern.
size_t frame_length(const known_symbols& known,
                    const stream_matrix& received,
                    int sps,
                    int payload_len)
{
    require(sps >= 1, "sps", sps, "at least 1");
    require(payload_len >= -1,
            "payload_len",
            payload_len,
            "at least 0, or -1 for all that came");
    check_payload(payload_len, row_length(received));
    return payload_len == -1 ? (row_length(received) + sps - 1) / sps
                             : known.length(payload_len);
}

} // namespace

soft_symbols detector::receive_softly(const stream_matrix& received,
                                      const known_symbols& known,
                                      int sps,
                                      int payload_len,
                                      const stream_matrix& history,
                                      const std::vector<std::vector<float>>& prior_llrs)
{
    const size_t length = frame_length(known, received, sps, payload_len);
    const stream_matrix training = known.training(length);
    return receive_softly(
        received, training, sps, length - training[0].size(), history, prior_llrs);
}

stream_matrix detector::receive(const stream_matrix& received,
                                const known_symbols& known,
                                int sps,
                                int payload_len,
                                const stream_matrix& history)
{
    const size_t length = frame_length(known, received, sps, payload_len);
    const stream_matrix training = known.training(length);
    return receive(received, training, sps, length - training[0].size(), history);
}

} // namespace reservoir
} // namespace gr
