/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/detector.h>

#include "check.h"
#include "detector/saved_file.h"
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

} // namespace

pmt::pmt_t training_report::to_pmt() const
{
    pmt::pmt_t dict = pmt::make_dict();
    const auto add = [&dict](const char* key, const pmt::pmt_t& value) {
        dict = pmt::dict_add(dict, pmt::mp(key), value);
    };
    add("mse", pmt::from_double(mse));
    add("evm_db", pmt::from_double(evm_db));
    add("seconds", pmt::from_double(seconds));
    add("delay", pmt::from_long(delay));
    add("regularization", pmt::from_double(regularization));
    add("noise_variance", pmt::from_double(noise_variance));
    add("bad_samples", pmt::from_uint64(bad_samples));
    add("channel", rows_to_pmt(channel));
    add("poles", pmt::init_c32vector(poles.size(), poles));
    add("timing", pmt::from_long(timing));
    add("carrier_offset", pmt::from_double(carrier_offset));
    add("warp", pmt::init_c32vector(warp.size(), warp));
    add("residuals", pmt::init_f64vector(residuals.size(), residuals));
    add("refits", pmt::from_long(refits));
    add("tracked", pmt::from_bool(tracked));
    add("condition_number",
        pmt::init_f64vector(condition_number.size(), condition_number));
    if (best_epoch < 0) // nothing was descended
        return dict;
    add("loss", pmt::init_f64vector(loss.size(), loss));
    add("held_out_loss", pmt::init_f64vector(held_out_loss.size(), held_out_loss));
    add("gradient_norm", pmt::init_f64vector(gradient_norm.size(), gradient_norm));
    add("eigenvalues", rows_to_pmt(eigenvalues));
    add("jacobian_rank",
        pmt::init_s32vector(
            jacobian_rank.size(),
            std::vector<int32_t>(jacobian_rank.begin(), jacobian_rank.end())));
    add("recurrent_condition_number",
        pmt::init_f64vector(recurrent_condition_number.size(),
                            recurrent_condition_number));
    add("gram_condition_number",
        pmt::init_f64vector(gram_condition_number.size(), gram_condition_number));
    add("best_epoch", pmt::from_long(best_epoch));
    add("restart", pmt::from_long(restart));
    add("diverged", pmt::from_bool(diverged));
    add("cancelled", pmt::from_bool(cancelled));
    return dict;
}

pmt::pmt_t training_progress::to_pmt() const
{
    pmt::pmt_t dict = pmt::make_dict();
    const auto add = [&dict](const char* key, const pmt::pmt_t& value) {
        dict = pmt::dict_add(dict, pmt::mp(key), value);
    };
    add("restart", pmt::from_long(restart));
    add("epoch", pmt::from_long(epoch));
    add("epochs", pmt::from_long(epochs));
    add("loss", pmt::from_double(loss));
    add("held_out_loss", pmt::from_double(held_out_loss));
    add("gradient_norm", pmt::from_double(gradient_norm));
    add("condition_number", pmt::from_double(condition_number));
    add("eigenvalues", pmt::init_c32vector(eigenvalues.size(), eigenvalues));
    return dict;
}

detector::detector(int num_inputs, int num_outputs)
    : d_num_inputs(num_inputs), d_num_outputs(num_outputs)
{
    require(num_inputs >= 1 && num_inputs <= 64, "num_inputs", num_inputs, "1 to 64");
    require(num_outputs >= 1 && num_outputs <= 64, "num_outputs", num_outputs, "1 to 64");
}

detector::~detector() {}

bool detector::trained() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_report.trained;
}

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

uint64_t detector::bad_samples() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return do_bad_samples() + d_bad_samples_elsewhere;
}

training_report detector::report() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_report;
}

void detector::reset()
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    do_reset();
}

void detector::claim()
{
    if (d_claimed.exchange(true))
        throw std::invalid_argument(
            "detector = " + kind() +
            ": must not belong to another block already; make one for each");
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

void detector::set_channel(const stream_matrix& channel)
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    do_set_channel(channel);
    settings_changed();
}

void detector::set_power_delay_profile(const std::vector<double>& powers)
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    do_set_power_delay_profile(powers);
    settings_changed();
}

void detector::do_set_channel(const stream_matrix&)
{
    throw std::invalid_argument("channel: " + kind() + " does not use one");
}

void detector::do_set_power_delay_profile(const std::vector<double>&)
{
    throw std::invalid_argument("power_delay_profile: " + kind() + " does not use one");
}

void detector::set_progress(std::function<void(const training_progress&)> progress)
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    d_progress = std::move(progress);
}

detector::sptr detector::clone() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    const sptr copy = do_clone();
    // its own delay, as the state of a stream that adapts is not copied; all else is in files, or
    // only here, as the history of a training
    const int delay = copy->d_report.delay;
    copy->d_report = d_report;
    copy->d_report.delay = delay;
    return copy;
}

void detector::take_over(const detector& trained)
{
    require(
        trained.d_report.trained, "trained", "untrained", "a detector that was trained");
    require(trained.d_num_inputs == d_num_inputs &&
                trained.d_num_outputs == d_num_outputs,
            "trained",
            std::to_string(trained.d_num_inputs) + " inputs, " +
                std::to_string(trained.d_num_outputs) + " outputs",
            "of the same shape");
    do_adopt(trained);
    d_report = trained.d_report;
    d_sps = trained.d_sps;
}

void detector::adopt(const detector& trained)
{
    require(trained.kind() == kind(), "trained", trained.kind(), kind().c_str());
    require(&trained != this, "trained", "the same detector", "another one");
    const std::scoped_lock lock(d_mutex, trained.d_mutex);
    take_over(trained);
    d_report.bad_samples =
        std::max(d_report.bad_samples, do_bad_samples() + d_bad_samples_elsewhere);
}

training_report detector::adopt_frame(const detector& clone, uint64_t bad_samples)
{
    const std::scoped_lock lock(d_mutex, clone.d_mutex);
    take_over(clone);
    d_report.bad_samples += do_bad_samples() + d_bad_samples_elsewhere - bad_samples;
    d_bad_samples_elsewhere += clone.do_bad_samples() - bad_samples;
    return d_report;
}

void detector::check_received(const stream_matrix& received) const
{
    require(received.size() == size_t(d_num_inputs),
            "received",
            std::to_string(received.size()) + " rows",
            ("num_inputs = " + std::to_string(d_num_inputs) + " rows").c_str());
    for (const auto& row : received)
        require(row.size() == received[0].size(),
                "received",
                std::to_string(row.size()) + " samples in a row",
                "of the same length in every row");
}

void detector::check_training(size_t num_samples,
                              const stream_matrix& pilots,
                              int sps) const
{
    require(sps >= 1 && sps <= 64, "sps", sps, "1 to 64");
    require(pilots.size() == size_t(d_num_outputs),
            "pilots",
            std::to_string(pilots.size()) + " rows",
            ("num_outputs = " + std::to_string(d_num_outputs) + " rows").c_str());
    require(!pilots[0].empty(), "pilots", "empty", "at least one symbol");
    for (const auto& row : pilots) {
        require(row.size() == pilots[0].size(),
                "pilots",
                std::to_string(row.size()) + " symbols in a row",
                "of the same length in every row");
        for (const auto& pilot : row)
            require(std::isfinite(pilot.real()) && std::isfinite(pilot.imag()),
                    "pilots",
                    pilot,
                    "finite");
    }
    const size_t needed = (pilots[0].size() - 1) * sps + 1;
    require(num_samples >= needed,
            "received",
            std::to_string(num_samples) + " samples",
            ("at least " + std::to_string(needed) + " for these pilots").c_str());
}

void detector::timed_fit(const gr_complex* const* received,
                         size_t num_samples,
                         const stream_matrix& pilots,
                         int sps)
{
    const auto start = std::chrono::steady_clock::now();
    const int before = std::exchange(d_sps, sps);
    try {
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
    check_received(received);
    return fit(row_pointers(received).data(), row_length(received), pilots, sps);
}

size_t detector::detect(const gr_complex* const* received,
                        size_t num_samples,
                        int sps,
                        gr_complex* const* symbols)
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    if (!d_report.trained)
        throw std::runtime_error("detect: nothing is learnt yet; call fit first");
    require(sps == d_sps,
            "sps",
            sps,
            ("what fit was given, " + std::to_string(d_sps)).c_str());
    return do_detect(received, num_samples, symbols);
}

stream_matrix detector::detect(const stream_matrix& received, int sps)
{
    check_received(received);
    require(sps >= 1, "sps", sps, "at least 1");
    const size_t length = row_length(received);
    stream_matrix symbols(d_num_outputs, std::vector<gr_complex>(length / sps + 1));
    const size_t count =
        detect(row_pointers(received).data(), length, sps, row_pointers(symbols).data());
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

    // Exactly the samples that the last symbol's decision reads; zeros where they end too early.
    const size_t needed = (num_symbols - 1 + d_report.delay) * sps + 1;
    const size_t given = std::min(needed, num_samples);
    const size_t count = do_detect(received, given, symbols);
    if (given == needed)
        return;
    const std::vector<gr_complex> zeros(needed - given);
    const std::vector<const gr_complex*> rows(d_num_inputs, zeros.data());
    std::vector<gr_complex*> rest(symbols, symbols + d_num_outputs);
    for (auto& row : rest)
        row += count;
    do_detect(rows.data(), zeros.size(), rest.data());
}

void detector::receive(const gr_complex* const* received,
                       size_t num_samples,
                       const stream_matrix& pilots,
                       int sps,
                       int payload_len,
                       gr_complex* const* symbols)
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    check_training(num_samples, pilots, sps);
    require(payload_len >= 0, "payload_len", payload_len, "at least 0");
    const size_t num_symbols = pilots[0].size() + payload_len;
    require(num_samples >= (num_symbols - 1) * sps + 1,
            "payload_len",
            payload_len,
            "no longer than what was received");
    const size_t look_ahead = std::max(LOOK_AHEAD, do_look_ahead());
    const size_t used = std::min(num_samples, (num_symbols + look_ahead) * sps);
    do_receive(received, used, pilots, sps, num_symbols, symbols);
}

stream_matrix detector::receive(const stream_matrix& received,
                                const stream_matrix& pilots,
                                int sps,
                                int payload_len)
{
    check_received(received);
    require(payload_len >= -1,
            "payload_len",
            payload_len,
            "at least 0, or -1 for all that came");
    const size_t length = row_length(received);
    check_training(length, pilots, sps);
    if (payload_len == -1)
        payload_len = (length + sps - 1) / sps - pilots[0].size();
    stream_matrix symbols(d_num_outputs,
                          std::vector<gr_complex>(pilots[0].size() + payload_len));
    receive(row_pointers(received).data(),
            length,
            pilots,
            sps,
            payload_len,
            row_pointers(symbols).data());
    return symbols;
}

void detector::save(const std::string& path) const
{
    pmt::pmt_t content;
    {
        const std::lock_guard<std::mutex> lock(d_mutex);
        content = pmt::dict_add(do_save(), pmt::mp("kind"), pmt::mp(kind()));
    }
    write_saved_file(path, content);
}

} // namespace reservoir
} // namespace gr
