/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "link/block_fading_cc_impl.h"

#include "check.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <cmath>
#include <cstring>

namespace gr {
namespace reservoir {

namespace {

constexpr size_t MAX_TAPS = 1024;
const pmt::pmt_t CHANNEL_TAG = pmt::mp("channel");

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

bool is_finite(const gr_complex& z)
{
    return std::isfinite(z.real()) && std::isfinite(z.imag());
}

//! The powers scaled to sum 1.
std::vector<double> checked_profile(std::vector<double> profile)
{
    require_range<size_t>("power_delay_profile length", profile.size(), 1, MAX_TAPS);
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

} // namespace

void block_fading_cc_impl::wave_bank::resize(size_t count)
{
    for (auto* values : { &frequency, &phase, &step_re, &step_im, &re, &im })
        values->assign(count, 0.0);
}

void block_fading_cc_impl::wave_bank::set_exactly(uint64_t n)
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

void block_fading_cc_impl::wave_bank::advance()
{
    const size_t count = re.size();
    for (size_t w = 0; w < count; ++w) {
        const double next_re = re[w] * step_re[w] - im[w] * step_im[w];
        im[w] = re[w] * step_im[w] + im[w] * step_re[w];
        re[w] = next_re;
    }
}

block_fading_cc::sptr
block_fading_cc::make(const std::vector<double>& power_delay_profile,
                      const taps_t& taps,
                      int num_tx,
                      int num_rx,
                      const std::string& redraw_tag,
                      int64_t frame_len,
                      double doppler,
                      int64_t seed,
                      bool normalize,
                      double frequency_offset)
{
    // before the ports are made: their numbers make the signature
    check_ports("num_tx", num_tx);
    check_ports("num_rx", num_rx);
    return gnuradio::make_block_sptr<block_fading_cc_impl>(power_delay_profile,
                                                           taps,
                                                           num_tx,
                                                           num_rx,
                                                           redraw_tag,
                                                           frame_len,
                                                           doppler,
                                                           seed,
                                                           normalize,
                                                           frequency_offset);
}

block_fading_cc_impl::block_fading_cc_impl(const std::vector<double>& power_delay_profile,
                                           const taps_t& taps,
                                           int num_tx,
                                           int num_rx,
                                           const std::string& redraw_tag,
                                           int64_t frame_len,
                                           double doppler,
                                           int64_t seed,
                                           bool normalize,
                                           double frequency_offset)
    : gr::sync_block("block_fading_cc",
                     gr::io_signature::make(num_tx, num_tx, sizeof(gr_complex)),
                     gr::io_signature::make(num_rx, num_rx, sizeof(gr_complex))),
      d_num_tx(num_tx),
      d_num_rx(num_rx),
      d_redraw_tag(pmt::intern(redraw_tag)),
      d_redraw_at_tags(frame_len == 0 && !redraw_tag.empty()),
      d_frame_len(frame_len),
      d_doppler(doppler),
      d_normalize(normalize),
      d_random(check_seed(seed)),
      d_lines(num_tx, std::vector<gr_complex>(BLOCK_LEN))
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
        check_taps(taps);
        take_taps(taps);
    } else {
        d_profile = checked_profile(power_delay_profile);
    }
    d_carrier.resize(1);
    d_carrier.frequency[0] = frequency_offset;
    set_tag_propagation_policy(TPP_DONT);
}

void block_fading_cc_impl::check_taps(const taps_t& taps) const
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

void block_fading_cc_impl::take_taps(const taps_t& taps)
{
    d_profile.clear();
    d_moving = false;
    set_num_taps(static_cast<int>(taps[0][0].size()));
    d_taps.clear();
    for (const auto& output : taps)
        for (const auto& response : output)
            d_taps.insert(d_taps.end(), response.begin(), response.end());
    d_announce = true;
}

// What the delay lines hold stays where it is; what they never held is zero.
void block_fading_cc_impl::set_num_taps(int num_taps)
{
    if (num_taps == d_num_taps)
        return;
    const int old_memory = std::max(d_num_taps - 1, 0);
    const int memory = num_taps - 1;
    for (auto& line : d_lines) {
        std::vector<gr_complex> longer(memory + BLOCK_LEN);
        const int kept = std::min(memory, old_memory);
        std::copy(line.begin() + old_memory - kept,
                  line.begin() + old_memory,
                  longer.begin() + memory - kept);
        line.swap(longer);
    }
    d_num_taps = num_taps;
}

void block_fading_cc_impl::set_taps(const taps_t& taps)
{
    check_taps(taps);
    gr::thread::scoped_lock lock(d_setlock);
    take_taps(taps);
}

void block_fading_cc_impl::set_power_delay_profile(
    const std::vector<double>& power_delay_profile)
{
    auto profile = checked_profile(power_delay_profile);
    gr::thread::scoped_lock lock(d_setlock);
    d_profile = std::move(profile);
}

void block_fading_cc_impl::set_frequency_offset(double frequency_offset)
{
    require_range("frequency_offset", frequency_offset, -0.5, 0.5);
    gr::thread::scoped_lock lock(d_setlock);
    const double cycles = d_carrier.frequency[0] * static_cast<double>(d_carrier_index) +
                          d_carrier.phase[0];
    d_carrier.phase[0] = cycles - std::floor(cycles);
    d_carrier.frequency[0] = frequency_offset;
    d_carrier_index = 0;
}

block_fading_cc::taps_t block_fading_cc_impl::taps()
{
    gr::thread::scoped_lock lock(d_setlock);
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

void block_fading_cc_impl::begin_frame()
{
    d_index = 0;
    d_started = true;
    d_announce = true;
    if (d_profile.empty())
        return;
    set_num_taps(static_cast<int>(d_profile.size()));
    d_taps.resize(size_t(d_num_rx) * d_num_tx * d_num_taps);
    d_moving = d_doppler > 0.0;
    if (d_moving)
        draw_moving();
    else
        draw_static();
}

void block_fading_cc_impl::draw_static()
{
    std::vector<std::complex<double>> response(d_num_taps);
    for (size_t first = 0; first < d_taps.size(); first += d_num_taps) {
        double energy = 0.0;
        for (int l = 0; l < d_num_taps; ++l) {
            response[l] = std::sqrt(d_profile[l]) * d_random.complex_gaussian();
            energy += std::norm(response[l]);
        }
        const double scale = d_normalize && energy > 0.0 ? 1.0 / std::sqrt(energy) : 1.0;
        for (int l = 0; l < d_num_taps; ++l)
            d_taps[first + l] = gr_complex(scale * response[l]);
    }
}

void block_fading_cc_impl::draw_moving()
{
    d_waves.resize(d_taps.size() * NUM_WAVES);
    d_tap_scale.resize(d_taps.size());
    d_moving_taps.resize(d_taps.size() * BLOCK_LEN);
    for (size_t w = 0; w < d_waves.re.size(); ++w) {
        d_waves.frequency[w] = d_doppler * std::cos(2.0 * M_PI * d_random.uniform());
        d_waves.phase[w] = d_random.uniform();
    }
    for (size_t tap = 0; tap < d_taps.size(); ++tap)
        d_tap_scale[tap] = std::sqrt(d_profile[tap % d_num_taps] / NUM_WAVES);

    if (d_normalize) {
        // the mean energy over the frame, from up to 64 of its samples
        const int64_t len = d_frame_len > 0 ? d_frame_len : NORM_LEN;
        const int64_t points = std::min<int64_t>(len, 64);
        std::vector<double> energy(d_num_rx * d_num_tx, 0.0);
        for (int64_t i = 0; i < points; ++i) {
            d_waves.set_exactly(i * len / points);
            for (size_t tap = 0; tap < d_taps.size(); ++tap)
                energy[tap / d_num_taps] +=
                    std::norm(std::complex<double>(moving_tap(tap))) / points;
        }
        for (size_t tap = 0; tap < d_taps.size(); ++tap)
            d_tap_scale[tap] /= std::sqrt(energy[tap / d_num_taps]);
    }
    d_waves.set_exactly(0);
    for (size_t tap = 0; tap < d_taps.size(); ++tap)
        d_taps[tap] = moving_tap(tap);
}

gr_complex block_fading_cc_impl::moving_tap(size_t tap) const
{
    const double* re = &d_waves.re[tap * NUM_WAVES];
    const double* im = &d_waves.im[tap * NUM_WAVES];
    double sum_re = 0.0;
    double sum_im = 0.0;
    for (int w = 0; w < NUM_WAVES; ++w) {
        sum_re += re[w];
        sum_im += im[w];
    }
    return gr_complex(d_tap_scale[tap] * sum_re, d_tap_scale[tap] * sum_im);
}

// The taps of the next len samples. The waves are always those of sample d_index.
void block_fading_cc_impl::move_taps(int len)
{
    for (int n = 0; n < len; ++n) {
        for (size_t tap = 0; tap < d_taps.size(); ++tap)
            d_moving_taps[tap * BLOCK_LEN + n] = moving_tap(tap);
        const uint64_t next = d_index + n + 1;
        if (next % EXACT_EVERY == 0)
            d_waves.set_exactly(next);
        else
            d_waves.advance();
    }
}

void block_fading_cc_impl::filter_block(int len,
                                        int offset,
                                        const gr_vector_const_void_star& input_items,
                                        gr_vector_void_star& output_items)
{
    const int memory = d_num_taps - 1;
    for (int t = 0; t < d_num_tx; ++t) {
        const auto* in = static_cast<const gr_complex*>(input_items[t]) + offset;
        auto* line = d_lines[t].data() + memory;
        for (int n = 0; n < len; ++n)
            line[n] = is_finite(in[n]) ? in[n] : gr_complex(0.0f, 0.0f);
    }
    if (d_moving)
        move_taps(len);

    // Each output sample adds its products in the same order wherever the block begins.
    for (int r = 0; r < d_num_rx; ++r) {
        auto* out = static_cast<gr_complex*>(output_items[r]) + offset;
        auto* y = reinterpret_cast<float*>(out);
        std::fill(out, out + len, gr_complex(0.0f, 0.0f));
        for (int t = 0; t < d_num_tx; ++t) {
            for (int l = 0; l < d_num_taps; ++l) {
                const size_t tap = size_t(r * d_num_tx + t) * d_num_taps + l;
                const auto* x =
                    reinterpret_cast<const float*>(d_lines[t].data() + memory - l);
                if (d_moving) {
                    const auto* h =
                        reinterpret_cast<const float*>(&d_moving_taps[tap * BLOCK_LEN]);
                    for (int n = 0; n < len; ++n) {
                        y[2 * n] += h[2 * n] * x[2 * n] - h[2 * n + 1] * x[2 * n + 1];
                        y[2 * n + 1] += h[2 * n] * x[2 * n + 1] + h[2 * n + 1] * x[2 * n];
                    }
                } else {
                    const float re = d_taps[tap].real();
                    const float im = d_taps[tap].imag();
                    for (int n = 0; n < len; ++n) {
                        y[2 * n] += re * x[2 * n] - im * x[2 * n + 1];
                        y[2 * n + 1] += re * x[2 * n + 1] + im * x[2 * n];
                    }
                }
            }
        }
    }
    for (auto& line : d_lines)
        std::memmove(line.data(), line.data() + len, memory * sizeof(gr_complex));
}

void block_fading_cc_impl::turn(int len, int offset, gr_vector_void_star& output_items)
{
    if (d_carrier.frequency[0] == 0.0 && d_carrier.phase[0] == 0.0)
        return;
    for (int n = 0; n < len; ++n, ++d_carrier_index) {
        if (d_carrier_index % EXACT_EVERY == 0)
            d_carrier.set_exactly(d_carrier_index);
        const float re = static_cast<float>(d_carrier.re[0]);
        const float im = static_cast<float>(d_carrier.im[0]);
        for (auto* items : output_items) {
            auto& y = static_cast<gr_complex*>(items)[offset + n];
            y = gr_complex(re * y.real() - im * y.imag(), re * y.imag() + im * y.real());
        }
        d_carrier.advance();
    }
}

pmt::pmt_t block_fading_cc_impl::taps_as_pmt() const
{
    if (d_num_rx == 1 && d_num_tx == 1)
        return pmt::init_c32vector(d_taps.size(), d_taps);
    auto outputs = pmt::make_vector(d_num_rx, pmt::PMT_NIL);
    for (int r = 0; r < d_num_rx; ++r) {
        auto inputs = pmt::make_vector(d_num_tx, pmt::PMT_NIL);
        for (int t = 0; t < d_num_tx; ++t) {
            const auto* first = &d_taps[size_t(r * d_num_tx + t) * d_num_taps];
            pmt::vector_set(inputs, t, pmt::init_c32vector(d_num_taps, first));
        }
        pmt::vector_set(outputs, r, inputs);
    }
    return outputs;
}

// Passes all tags and collects where frames start (d_starts, ascending).
void block_fading_cc_impl::pass_tags(int noutput_items)
{
    d_starts.clear();
    d_passed.clear();
    for (int t = 0; t < d_num_tx; ++t) {
        get_tags_in_window(d_tags, t, 0, noutput_items);
        for (const auto& tag : d_tags) {
            if (t == 0 && d_redraw_at_tags && pmt::eq(tag.key, d_redraw_tag))
                d_starts.push_back(static_cast<int>(tag.offset - nitems_read(0)));
            const auto same = [&tag](const gr::tag_t& other) {
                return tag.offset == other.offset && pmt::equal(tag.key, other.key) &&
                       pmt::equal(tag.value, other.value);
            };
            if (t > 0 && std::any_of(d_passed.begin(), d_passed.end(), same))
                continue;
            if (d_num_tx > 1)
                d_passed.push_back(tag);
            for (int r = 0; r < d_num_rx; ++r)
                add_item_tag(r, tag);
        }
    }
    std::sort(d_starts.begin(), d_starts.end());
}

int block_fading_cc_impl::work(int noutput_items,
                               gr_vector_const_void_star& input_items,
                               gr_vector_void_star& output_items)
{
    gr::thread::scoped_lock lock(d_setlock);
    pass_tags(noutput_items);

    auto next_start = d_starts.begin();
    for (int done = 0; done < noutput_items;) {
        bool frame_start = !d_started;
        for (; next_start != d_starts.end() && *next_start == done; ++next_start)
            frame_start = true;
        if (d_frame_len > 0 && d_index == static_cast<uint64_t>(d_frame_len))
            frame_start = true;
        if (frame_start)
            begin_frame();
        if (d_announce) {
            add_item_tag(
                0, nitems_written(0) + done, CHANNEL_TAG, taps_as_pmt(), alias_pmt());
            d_announce = false;
        }

        int len = std::min(noutput_items - done, BLOCK_LEN);
        if (next_start != d_starts.end())
            len = std::min(len, *next_start - done);
        if (d_frame_len > 0)
            len = static_cast<int>(
                std::min<int64_t>(len, d_frame_len - static_cast<int64_t>(d_index)));
        filter_block(len, done, input_items, output_items);
        turn(len, done, output_items);
        d_index += len;
        done += len;
    }
    return noutput_items;
}

} // namespace reservoir
} // namespace gr
