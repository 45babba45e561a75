/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/ofdm_detector.h>

#include "check.h"
#include "detector/finite_values.h"
#include "detector/ofdm/frame_channel.h"
#include <gnuradio/reservoir/kernel/soft_bits.h>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <utility>

namespace gr {
namespace reservoir {

using Eigen::Index;

namespace {

stream_matrix in_units_of(const known_carriers& known,
                          const ofdm_frame& frame,
                          const ofdm_result& found)
{
    stream_matrix out = known.values;
    const double scale = frame.pilots->known_scale;
    for (size_t j = 0; j < out.size(); j++) {
        if (frame.pilots->alike()) {
            for (const carrier_run& run : frame.pilots->data())
                Eigen::Map<Eigen::VectorXcf>(
                    out[j].data() + known.fft_len * run.symbol + run.first, run.count) =
                    (found.symbols[j].col(run.symbol).segment(run.first, run.count) *
                     scale)
                        .cast<gr_complex>();
            continue;
        }
        const auto symbols = found.symbols[j].reshaped();
        for (size_t i = 0; i < out[j].size(); i++)
            if (!known.known[j][i])
                out[j][i] = gr_complex(symbols(i) * scale);
    }
    for (auto& row : out)
        erase_infinite(row.data(), row.size());
    return out;
}

// The first values; those that are not finite count as zero, and are counted. energy: what they add to it.
Eigen::VectorXcd
finite(const std::vector<gr_complex>& row, size_t size, uint64_t& bad, double& energy)
{
    Eigen::VectorXcd values =
        Eigen::Map<const Eigen::VectorXcf>(row.data(), size).cast<std::complex<double>>();
    double own = values.squaredNorm();
    if (!std::isfinite(own)) {
        for (std::complex<double>& value : values)
            if (!std::isfinite(value.real()) || !std::isfinite(value.imag())) {
                value = 0.0;
                bad++;
            }
        own = values.squaredNorm();
    }
    energy += own;
    return values;
}

void require_some(const kernel::carrier_mask& usable)
{
    require(usable.any(),
            "pilots",
            "none",
            "known on some carrier of every stream, and not zero on all");
}

} // namespace

ofdm_detector::ofdm_detector(int num_rx,
                             int num_tx,
                             int fft_len,
                             const std::vector<int>& cp_len)
    : trainable(num_rx, num_tx),
      d_fft_len(fft_len),
      d_cp_len(cp_len),
      d_transform(std::make_shared<kernel::ofdm_transform>(fft_len, cp_len))
{
}

ofdm_detector::~ofdm_detector() = default;

ofdm_detector::sptr ofdm_detector::clone() const
{
    return std::dynamic_pointer_cast<ofdm_detector>(do_clone());
}

int ofdm_detector::symbols_in(size_t num_samples) const
{
    return int(d_transform->num_symbols(num_samples));
}

size_t ofdm_detector::samples_of(int num_symbols) const
{
    return d_transform->begin(num_symbols);
}

void ofdm_detector::check(const stream_matrix& received,
                          const known_carriers& known) const
{
    require(
        received.size() == size_t(num_rx()),
        "received",
        std::to_string(received.size()) + " rows",
        ("a row for each of num_rx = " + std::to_string(num_rx()) + " antennas").c_str());
    check_known(known);
    const size_t wanted = samples_of(known.num_symbols);
    for (const auto& row : received)
        require(row.size() >= wanted,
                "received",
                std::to_string(row.size()) + " samples",
                ("at least the " + std::to_string(wanted) + " of " +
                 std::to_string(known.num_symbols) + " symbols")
                    .c_str());
}

void ofdm_detector::check_known(const known_carriers& known) const
{
    require(known.values.size() == size_t(num_tx()),
            "pilots",
            "those of " + std::to_string(known.values.size()) + " streams",
            ("those of num_tx = " + std::to_string(num_tx()) + " streams").c_str());
    require(known.fft_len == d_fft_len,
            "pilots",
            "those of fft_len = " + std::to_string(known.fft_len),
            ("those of fft_len = " + std::to_string(d_fft_len)).c_str());
}

void ofdm_detector::check_carriers(const stream_matrix& carriers,
                                   const stream_matrix& initial_taps,
                                   const known_carriers& known) const
{
    if (!takes_carriers())
        throw std::invalid_argument(
            "equalize: " + kind() +
            " is trained on samples, which carriers do not have; " +
            "give receive the samples in front of the FFT, or take ofdm_lmmse or "
            "ofdm_configured");
    const auto require_rows = [](const char* name,
                                 const stream_matrix& rows,
                                 size_t count,
                                 size_t size,
                                 const std::string& what) {
        bool fits = rows.size() == count;
        for (const auto& row : rows)
            fits = fits && row.size() == size;
        require(fits,
                name,
                std::to_string(rows.size()) + " rows of " +
                    std::to_string(rows.empty() ? 0 : rows[0].size()) + " values",
                (std::to_string(count) + " rows of " + std::to_string(size) +
                 " values, " + what)
                    .c_str());
    };
    require(known.num_symbols >= 1, "carriers", "no symbols", "1 symbol or more");
    require_rows("carriers",
                 carriers,
                 num_rx(),
                 size_t(known.num_symbols) * d_fft_len,
                 "num_rx of the frame's symbols");
    if (!initial_taps.empty())
        require_rows("initial_taps",
                     initial_taps,
                     num_tx() * num_rx(),
                     d_fft_len,
                     "num_tx * num_rx of fft_len carriers");
    check_known(known);
}

ofdm_frame ofdm_detector::prepare(const stream_matrix& received,
                                  const known_carriers& known)
{
    ofdm_frame frame;
    frame.pilots = pilots_of(known);
    require_some(frame.pilots->usable);
    frame.transform = d_transform;
    frame.num_symbols = known.num_symbols;
    const Index size = frame.transform->begin(known.num_symbols);
    double power = 0.0;
    for (const auto& row : received) {
        frame.samples.push_back(finite(row, size, d_bad_samples, power));
    }
    const double count = double(size) * double(received.size());
    frame.received_scale = power > 0.0 ? std::sqrt(power / count) : 1.0;
    for (auto& samples : frame.samples)
        samples *= 1.0 / frame.received_scale;
    return frame;
}

ofdm_frame ofdm_detector::prepare_carriers(const stream_matrix& carriers,
                                           const stream_matrix& initial_taps,
                                           const known_carriers& known)
{
    ofdm_frame frame;
    frame.transform = d_transform;
    frame.num_symbols = known.num_symbols;
    double power = 0.0;
    kernel::carrier_streams seen;
    for (const auto& row : carriers) {
        seen.push_back(finite(row, row.size(), d_bad_samples, power)
                           .reshaped(d_fft_len, known.num_symbols));
    }
    const double count = double(carriers[0].size()) * double(carriers.size());
    frame.received_scale = power > 0.0 ? std::sqrt(power / count) : 1.0;
    frame.pilots = pilots_of(known);
    Index begin = 0; // of the channel; it is turned so that its first tap is at 0
    if (!initial_taps.empty()) {
        frame.taps = taps_of_carriers(initial_taps, num_rx(), begin);
        require(frame.channel_is_given(),
                "initial_taps",
                "all zero or not finite",
                "known on some carrier");
        frame.taps.values *= frame.pilots->known_scale / frame.received_scale;
    } else {
        require_some(frame.pilots->usable);
    }
    for (Eigen::MatrixXcd& antenna : seen)
        for (Index k = 0; k < d_fft_len; k++)
            antenna.row(k) *=
                std::polar(1.0 / frame.received_scale,
                           2.0 * M_PI * double(begin * k) / double(d_fft_len));
    frame.set_received(std::move(seen));
    return frame;
}

std::shared_ptr<const pilot_pattern> ofdm_detector::pilots_of(const known_carriers& known)
{
    if (!d_pilots || !(d_known == known)) {
        d_pilots = std::make_shared<pilot_pattern>(known, do_constellation());
        d_known = known;
    }
    return d_pilots;
}

void ofdm_detector::make_report(const ofdm_frame& frame,
                                const ofdm_result& found,
                                double seconds)
{
    training_report report;
    report.trained = true;
    report.seconds = seconds;
    report.noise_variance =
        found.noise_variance * frame.pilots->known_scale * frame.pilots->known_scale;
    report.evm_db = 10.0 * std::log10(std::max(found.noise_variance, 1e-12));
    report.mse = found.mse;
    report.bad_samples = d_bad_samples;
    report.refits = found.refits;
    report.level_steps = found.num_level_steps;
    report.residuals = found.residuals;
    for (double& residual : report.residuals)
        residual *= frame.received_scale * frame.received_scale;
    const double scale = frame.received_scale / frame.pilots->known_scale;
    const int antennas = found.taps.length > 0 ? num_rx() : 0; // none was estimated
    for (int r = 0; r < antennas; r++)
        for (int j = 0; j < num_tx(); j++) {
            const Eigen::VectorXcf taps =
                (found.taps.of(j).col(r) * scale).cast<gr_complex>();
            report.channel.emplace_back(taps.begin(), taps.end());
        }
    d_report = report;
}

template <class Prepare>
std::pair<ofdm_frame, ofdm_result> ofdm_detector::run(Prepare&& prepare_frame, bool soft)
{
    const auto begin = std::chrono::steady_clock::now();
    ofdm_frame frame = prepare_frame();
    frame.soft = soft;
    ofdm_result found = do_receive(frame);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    make_report(frame, found, took.count());
    return { std::move(frame), std::move(found) };
}

stream_matrix ofdm_detector::receive(const stream_matrix& received,
                                     const known_carriers& known)
{
    check(received, known);
    const std::lock_guard<std::mutex> lock(d_mutex);
    const auto [frame, found] = run([&] { return prepare(received, known); }, false);
    return in_units_of(known, frame, found);
}

stream_matrix ofdm_detector::equalize(const stream_matrix& carriers,
                                      const stream_matrix& initial_taps,
                                      const known_carriers& known)
{
    check_carriers(carriers, initial_taps, known);
    const std::lock_guard<std::mutex> lock(d_mutex);
    const auto [frame, found] =
        run([&] { return prepare_carriers(carriers, initial_taps, known); }, false);
    return in_units_of(known, frame, found);
}

int ofdm_detector::soft_bits_per_symbol() const
{
    return kernel::soft_bits(do_constellation().labels).bits();
}

namespace {

// What a network makes of silence is not what was sent. Symbol k is length values of every row, up to end(k).
template <class End>
void forget_empty_symbols(const stream_matrix& rows,
                          size_t length,
                          size_t num_symbols,
                          End end,
                          soft_symbols& out)
{
    const size_t bits = out.llrs[0].size() / num_symbols;
    for (size_t k = 0; k < num_symbols; k++) {
        const bool empty = std::all_of(rows.begin(), rows.end(), [&](const auto& row) {
            const auto last = row.begin() + end(k);
            return std::all_of(last - length, last, is_nothing);
        });
        for (size_t j = 0; empty && j < out.llrs.size(); j++)
            std::fill_n(out.llrs[j].begin() + k * bits, bits, 0.0F);
    }
}

} // namespace

soft_symbols ofdm_detector::receive_softly(const stream_matrix& received,
                                           const known_carriers& known)
{
    check(received, known);
    soft_bits_per_symbol(); // refuses labels
    const std::lock_guard<std::mutex> lock(d_mutex);
    const auto [frame, found] = run([&] { return prepare(received, known); }, true);
    soft_symbols out = with_bits(known, frame, found);
    forget_empty_symbols(
        received,
        d_fft_len,
        known.num_symbols,
        [this](size_t k) { return samples_of(k + 1); }, // behind the prefix
        out);
    return out;
}

soft_symbols ofdm_detector::equalize_softly(const stream_matrix& carriers,
                                            const stream_matrix& initial_taps,
                                            const known_carriers& known)
{
    check_carriers(carriers, initial_taps, known);
    soft_bits_per_symbol(); // refuses labels
    const std::lock_guard<std::mutex> lock(d_mutex);
    const auto [frame, found] =
        run([&] { return prepare_carriers(carriers, initial_taps, known); }, true);
    soft_symbols out = with_bits(known, frame, found);
    forget_empty_symbols(
        carriers,
        d_fft_len,
        known.num_symbols,
        [this](size_t k) { return (k + 1) * d_fft_len; },
        out);
    return out;
}

soft_symbols ofdm_detector::with_bits(const known_carriers& known,
                                      const ofdm_frame& frame,
                                      const ofdm_result& found) const
{
    const kernel::soft_bits bits(do_constellation().labels);
    soft_symbols out;
    out.symbols = in_units_of(known, frame, found);
    const Eigen::VectorXcd points = frame.points(do_constellation());
    Eigen::VectorXf of_points(points.size());
    for (int j = 0; j < num_tx(); j++) {
        const auto symbols = found.symbols[j].reshaped();
        std::vector<float> llrs(symbols.size() * bits.bits(), 0.0f);
        for (Index i = 0; i < symbols.size(); i++) {
            if (known.known[j][i])
                continue;
            if (!found.log_likelihoods.empty())
                of_points = found.log_likelihoods[j].col(i);
            else
                of_points = -((points.array() - symbols(i)).abs2() /
                              std::max(found.noise_variance, 1e-12))
                                 .cast<float>();
            bits.ratios(of_points.data(), 1, llrs.data() + i * bits.bits());
        }
        kernel::clip_ratios(llrs.data(), llrs.size(), detector::MAX_LLR);
        out.llrs.push_back(std::move(llrs));
    }
    return out;
}

training_report ofdm_detector::fit(const stream_matrix& received,
                                   const known_carriers& known)
{
    check(received, known);
    const std::lock_guard<std::mutex> lock(d_mutex);
    run([&] { return prepare(received, known); }, false);
    return d_report;
}

pmt::pmt_t ofdm_detector::description() const
{
    const pmt::pmt_t kind_only =
        pmt::dict_add(pmt::make_dict(), pmt::mp("kind"), pmt::mp(kind()));
    return pmt::dict_add(kind_only, pmt::mp("parameters"), do_parameters());
}

ofdm_result ofdm_detector::receive_frame(const ofdm_frame& frame)
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return do_receive(frame);
}

pmt::pmt_t ofdm_detector::do_save() const { return pmt::make_dict(); }

void ofdm_detector::do_restore(const pmt::pmt_t&) {}

void ofdm_detector::do_adopt(const trainable&) {}

} // namespace reservoir
} // namespace gr
