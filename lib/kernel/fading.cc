/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/fading.h>

#include "check.h"
#include "kernel/named.h"
#include <algorithm>
#include <cmath>
#include <cstring>

namespace gr {
namespace reservoir {
namespace kernel {

namespace {

const names_of<bool, 2> SPECTRA = { { false, "clarke" }, { true, "gaussian" } };

int check_ports(const char* name, int ports)
{
    require_range(name, ports, 1, 16);
    return ports;
}

uint64_t check_seed(int64_t seed)
{
    if (seed < 0)
        reject_argument("seed", seed, "at least 0");
    return static_cast<uint64_t>(seed);
}

bool is_finite(const std::complex<float>& z)
{
    return std::isfinite(z.real()) && std::isfinite(z.imag());
}

//! The powers scaled to sum 1.
std::vector<double> checked_profile(std::vector<double> profile)
{
    require_range<size_t>(
        "power_delay_profile length", profile.size(), 1, fading::MAX_TAPS);
    double sum = 0.0;
    for (double power : profile) {
        if (!(power >= 0.0 && std::isfinite(power)))
            reject_argument(
                "power_delay_profile element", power, "finite and at least 0");
        sum += power;
    }
    if (!(sum > 0.0 && std::isfinite(sum)))
        reject_argument("power_delay_profile sum", sum, "finite and above 0");
    for (double& power : profile)
        power /= sum;
    return profile;
}

void check_number_of_paths(const std::vector<double>& profile, size_t delays)
{
    if (profile.size() != delays)
        reject_argument("power_delay_profile length",
                        profile.size(),
                        "the number of path_delays, " + std::to_string(delays));
}

constexpr double MAX_DELAY = 1000.0; // samples
constexpr double KAISER_SHAPE = 6.0;

//! Modified Bessel function of order 0, by its power series.
double bessel_i0(double x)
{
    double term = 1.0, sum = 1.0;
    for (int k = 1; k < 40; ++k) {
        term *= 0.25 * x * x / (double(k) * k);
        sum += term;
    }
    return sum;
}

/*!
 * Samples -half + 1 ... half of sin(pi t) / (pi t), t = n - delay, under a Kaiser window (T. Laakso
 * et al., "Splitting the unit delay", 1996), scaled to gain 1 at frequency 0.
 *
 * Up to 0.35 cycles/sample gain and delay are right to about 0.002.
 */
std::vector<float> fractional_delay(double delay, size_t half)
{
    std::vector<double> pulse;
    double sum = 0.0;
    for (size_t i = 0; i < 2 * half; ++i) {
        const double t = double(i) - double(half - 1) - delay;
        const double inside = 1.0 - (t / half) * (t / half);
        const double window =
            inside > 0.0 ? bessel_i0(KAISER_SHAPE * std::sqrt(inside)) : 0.0;
        const double sinc = std::abs(t) < 1e-12 ? 1.0 : std::sin(M_PI * t) / (M_PI * t);
        pulse.push_back(sinc * window);
        sum += pulse.back();
    }
    std::vector<float> samples;
    for (double value : pulse)
        samples.push_back(static_cast<float>(value / sum));
    return samples;
}

} // namespace

void fading::wave_bank::resize(size_t count)
{
    for (auto* values : { &frequency, &phase, &step_re, &step_im, &re, &im })
        values->assign(count, 0.0);
}

void fading::wave_bank::set_exactly(uint64_t n)
{
    for (size_t w = 0; w < re.size(); ++w) {
        const double cycles = frequency[w] * static_cast<double>(n);
        const double angle = 2.0 * M_PI * (cycles - std::floor(cycles) + phase[w]);
        re[w] = std::cos(angle);
        im[w] = std::sin(angle);
        step_re[w] = std::cos(2.0 * M_PI * frequency[w]);
        step_im[w] = std::sin(2.0 * M_PI * frequency[w]);
    }
}

void fading::wave_bank::advance()
{
    const size_t count = re.size();
    for (size_t w = 0; w < count; ++w) {
        const double next_re = re[w] * step_re[w] - im[w] * step_im[w];
        im[w] = re[w] * step_im[w] + im[w] * step_re[w];
        re[w] = next_re;
    }
}

fading::fading(const std::vector<double>& power_delay_profile,
               const taps_t& taps,
               int num_tx,
               int num_rx,
               int64_t frame_len,
               double doppler,
               int64_t seed,
               bool normalize,
               double frequency_offset,
               const std::string& doppler_spectrum,
               const std::vector<double>& path_delays)
    : d_num_tx(check_ports("num_tx", num_tx)),
      d_num_rx(check_ports("num_rx", num_rx)),
      d_frame_len(frame_len),
      d_doppler(doppler),
      d_gaussian(from_name("doppler_spectrum", doppler_spectrum, SPECTRA)),
      d_normalize(normalize),
      d_random(check_seed(seed)),
      d_carrier(frequency_offset),
      d_turning(frequency_offset != 0.0),
      d_lines(num_tx, std::vector<sample_t>(BLOCK))
{
    require_range<int64_t>("frame_len", frame_len, 0, int64_t(1) << 40);
    require_range("doppler", doppler, 0.0, 0.5);
    require_range("frequency_offset", frequency_offset, -0.5, 0.5);
    if (power_delay_profile.empty() == taps.empty())
        reject_argument("power_delay_profile, taps",
                        taps.empty() ? "neither" : "both",
                        "exactly one of the two");
    if (!taps.empty()) {
        if (doppler > 0.0)
            reject_argument("doppler", doppler, "0 with fixed taps");
        if (!path_delays.empty())
            reject_argument(
                "path_delays length", path_delays.size(), "0 with fixed taps");
        set_taps(taps);
    } else {
        d_profile = checked_profile(power_delay_profile);
        set_path_delays(path_delays);
    }
}

void fading::set_path_delays(const std::vector<double>& path_delays)
{
    if (path_delays.empty())
        return;
    check_number_of_paths(d_profile, path_delays.size());
    for (double delay : path_delays) {
        require_range("path_delays element", delay, 0.0, MAX_DELAY);
        const double whole = std::floor(delay);
        d_spread.push_back({ static_cast<size_t>(whole) + 1,
                             fractional_delay(delay - whole, HALF_FILTER) });
    }
}

void fading::check_taps(const taps_t& taps) const
{
    if (taps.size() != static_cast<size_t>(d_num_rx))
        reject_argument(
            "taps outputs", taps.size(), "num_rx = " + std::to_string(d_num_rx));
    const size_t num_taps = taps[0].empty() ? 0 : taps[0][0].size();
    for (const auto& output : taps) {
        if (output.size() != static_cast<size_t>(d_num_tx))
            reject_argument(
                "taps inputs", output.size(), "num_tx = " + std::to_string(d_num_tx));
        for (const auto& response : output) {
            require_range<size_t>("taps length", response.size(), 1, MAX_TAPS);
            if (response.size() != num_taps)
                reject_argument("taps length",
                                response.size(),
                                "the same for all inputs and outputs");
            for (const auto& tap : response)
                if (!is_finite(tap))
                    reject_argument("taps element", tap, "finite");
        }
    }
}

void fading::set_taps(const taps_t& taps)
{
    if (!d_spread.empty())
        reject_argument("taps length", taps.size(), "0 where path_delays are given");
    check_taps(taps);
    d_profile.clear();
    d_moving = false;
    set_num_taps(taps[0][0].size());
    d_taps.clear();
    for (const auto& output : taps)
        for (const auto& response : output)
            d_taps.insert(d_taps.end(), response.begin(), response.end());
}

// What the delay lines hold stays where it is; what they never held is zero.
void fading::set_num_taps(size_t num_taps)
{
    if (num_taps == d_num_taps)
        return;
    const size_t old_memory = std::max<size_t>(d_num_taps, 1) - 1;
    const size_t memory = num_taps - 1;
    for (auto& line : d_lines) {
        std::vector<sample_t> longer(memory + BLOCK);
        const size_t kept = std::min(memory, old_memory);
        std::copy(line.begin() + old_memory - kept,
                  line.begin() + old_memory,
                  longer.begin() + memory - kept);
        line.swap(longer);
    }
    d_num_taps = num_taps;
}

void fading::set_power_delay_profile(const std::vector<double>& power_delay_profile)
{
    auto profile = checked_profile(power_delay_profile);
    if (!d_spread.empty())
        check_number_of_paths(profile, d_spread.size());
    d_profile.swap(profile);
}

void fading::set_frequency_offset(double frequency_offset)
{
    require_range("frequency_offset", frequency_offset, -0.5, 0.5);
    const double phase = d_carrier.phase(d_carrier_index);
    d_carrier = oscillator(frequency_offset, phase);
    d_turning = frequency_offset != 0.0 || phase != 0.0;
    d_carrier_index = 0;
}

fading::taps_t fading::taps() const
{
    taps_t taps;
    if (d_taps.empty())
        return taps;
    auto first = d_taps.begin();
    taps.resize(d_num_rx);
    for (auto& output : taps) {
        for (int t = 0; t < d_num_tx; ++t, first += d_num_taps)
            output.emplace_back(first, first + d_num_taps);
    }
    return taps;
}

void fading::begin_frame()
{
    d_index = 0;
    d_extra_len = d_started ? 0 : latency();
    d_started = true;
    if (d_profile.empty())
        return;
    d_num_paths = d_profile.size();
    size_t num_taps = d_num_paths;
    for (const auto& pulse : d_spread)
        num_taps = std::max(num_taps, pulse.first_tap + pulse.samples.size());
    set_num_taps(num_taps);
    const size_t responses = size_t(d_num_rx) * d_num_tx;
    d_gains.resize(responses * d_num_paths);
    d_taps.resize(responses * d_num_taps);
    d_moving = d_doppler > 0.0;
    if (d_moving)
        draw_moving();
    else
        draw_static();
    to_taps(d_gains.data(), d_taps.data(), 1);
}

// From one gain for each path to the taps, of which neighbours are so many samples apart.
void fading::to_taps(const sample_t* gains, sample_t* taps, size_t stride) const
{
    if (d_spread.empty()) {
        for (size_t path = 0; path < d_gains.size(); ++path)
            taps[path * stride] = gains[path];
        return;
    }
    for (size_t tap = 0; tap < d_taps.size(); ++tap)
        taps[tap * stride] = sample_t(0.0f, 0.0f);
    for (size_t path = 0; path < d_gains.size(); ++path) {
        const auto& pulse = d_spread[path % d_num_paths];
        const size_t first = path / d_num_paths * d_num_taps + pulse.first_tap;
        for (size_t i = 0; i < pulse.samples.size(); ++i)
            taps[(first + i) * stride] += pulse.samples[i] * gains[path];
    }
}

uint64_t fading::left_in_frame() const
{
    if (!d_started)
        return 0;
    return d_frame_len > 0 ? d_frame_len + d_extra_len - d_index : NO_END;
}

void fading::draw_static()
{
    std::vector<std::complex<double>> response(d_num_paths);
    for (size_t first = 0; first < d_gains.size(); first += d_num_paths) {
        double energy = 0.0;
        for (size_t l = 0; l < d_num_paths; ++l) {
            response[l] = std::sqrt(d_profile[l]) * d_random.complex_gaussian();
            energy += std::norm(response[l]);
        }
        const double scale = d_normalize && energy > 0.0 ? 1.0 / std::sqrt(energy) : 1.0;
        for (size_t l = 0; l < d_num_paths; ++l)
            d_gains[first + l] = sample_t(scale * response[l]);
    }
}

void fading::draw_moving()
{
    d_waves.resize(d_gains.size() * NUM_WAVES);
    d_scale.resize(d_gains.size());
    d_moving_taps.resize(d_taps.size() * BLOCK);
    for (size_t w = 0; w < d_waves.re.size(); ++w) {
        d_waves.frequency[w] =
            d_doppler * (d_gaussian ? 0.5 * d_random.gaussian()
                                    : std::cos(2.0 * M_PI * d_random.uniform()));
        d_waves.phase[w] = d_random.uniform();
    }
    for (size_t path = 0; path < d_gains.size(); ++path)
        d_scale[path] = std::sqrt(d_profile[path % d_num_paths] / NUM_WAVES);

    if (d_normalize) {
        // the mean energy over the frame, from up to 64 of its samples
        const int64_t len = d_frame_len > 0 ? d_frame_len : NORM_LEN;
        const int64_t points = std::min<int64_t>(len, 64);
        std::vector<double> energy(d_num_rx * d_num_tx, 0.0);
        for (int64_t i = 0; i < points; ++i) {
            d_waves.set_exactly(i * len / points);
            for (size_t path = 0; path < d_gains.size(); ++path)
                energy[path / d_num_paths] +=
                    std::norm(std::complex<double>(moving_gain(path))) / points;
        }
        for (size_t path = 0; path < d_gains.size(); ++path)
            d_scale[path] /= std::sqrt(energy[path / d_num_paths]);
    }
    d_waves.set_exactly(0);
    for (size_t path = 0; path < d_gains.size(); ++path)
        d_gains[path] = moving_gain(path);
}

fading::sample_t fading::moving_gain(size_t path) const
{
    const double* re = &d_waves.re[path * NUM_WAVES];
    const double* im = &d_waves.im[path * NUM_WAVES];
    double sum_re = 0.0;
    double sum_im = 0.0;
    for (size_t w = 0; w < NUM_WAVES; ++w) {
        sum_re += re[w];
        sum_im += im[w];
    }
    return sample_t(d_scale[path] * sum_re, d_scale[path] * sum_im);
}

// The taps of the next len samples. The waves are always those of sample d_index.
void fading::move_taps(size_t len)
{
    for (size_t n = 0; n < len; ++n) {
        for (size_t path = 0; path < d_gains.size(); ++path)
            d_gains[path] = moving_gain(path);
        to_taps(d_gains.data(), &d_moving_taps[n], BLOCK);
        const uint64_t next = d_index + n + 1;
        if (next % EXACT_EVERY == 0)
            d_waves.set_exactly(next);
        else
            d_waves.advance();
    }
}

void fading::filter(const sample_t* const* in,
                    size_t offset,
                    size_t len,
                    sample_t* const* out)
{
    const size_t memory = d_num_taps - 1;
    for (int t = 0; t < d_num_tx; ++t) {
        const sample_t* samples = in[t] + offset;
        auto* line = d_lines[t].data() + memory;
        for (size_t n = 0; n < len; ++n)
            line[n] = is_finite(samples[n]) ? samples[n] : sample_t(0.0f, 0.0f);
    }
    if (d_moving)
        move_taps(len);

    // Each output sample adds its products in the same order wherever the block begins.
    for (int r = 0; r < d_num_rx; ++r) {
        sample_t* sum = out[r] + offset;
        auto* y = reinterpret_cast<float*>(sum);
        std::fill(sum, sum + len, sample_t(0.0f, 0.0f));
        for (int t = 0; t < d_num_tx; ++t) {
            for (size_t l = 0; l < d_num_taps; ++l) {
                const size_t tap = size_t(r * d_num_tx + t) * d_num_taps + l;
                const auto* x =
                    reinterpret_cast<const float*>(d_lines[t].data() + memory - l);
                if (d_moving) {
                    const auto* h =
                        reinterpret_cast<const float*>(&d_moving_taps[tap * BLOCK]);
                    for (size_t n = 0; n < len; ++n) {
                        y[2 * n] += h[2 * n] * x[2 * n] - h[2 * n + 1] * x[2 * n + 1];
                        y[2 * n + 1] += h[2 * n] * x[2 * n + 1] + h[2 * n + 1] * x[2 * n];
                    }
                } else {
                    const float re = d_taps[tap].real();
                    const float im = d_taps[tap].imag();
                    for (size_t n = 0; n < len; ++n) {
                        y[2 * n] += re * x[2 * n] - im * x[2 * n + 1];
                        y[2 * n + 1] += re * x[2 * n + 1] + im * x[2 * n];
                    }
                }
            }
        }
    }
    for (auto& line : d_lines)
        std::memmove(line.data(), line.data() + len, memory * sizeof(sample_t));
}

void fading::pass(const sample_t* const* in, size_t count, sample_t* const* out)
{
    for (size_t done = 0; done < count;) {
        if (left_in_frame() == 0)
            begin_frame();
        const size_t len =
            std::min({ uint64_t(count - done), uint64_t(BLOCK), left_in_frame() });
        filter(in, done, len, out);
        if (d_turning)
            for (int r = 0; r < d_num_rx; ++r)
                d_carrier.turn(out[r] + done, d_carrier_index, len, out[r] + done);
        d_carrier_index += len;
        d_index += len;
        done += len;
    }
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
