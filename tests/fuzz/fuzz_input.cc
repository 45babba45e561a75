/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "fuzz_input.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <stdexcept>
#include <utility>

using namespace gr::reservoir;

namespace {

constexpr double INF = std::numeric_limits<double>::infinity();
constexpr double NONE = std::numeric_limits<double>::quiet_NaN();

gr_complex qpsk_point(unsigned bits)
{
    return { bits & 1 ? 1.0F : -1.0F, bits & 2 ? 1.0F : -1.0F };
}

// What takes long when it is large; the default may be large already.
bool costs(const std::string& name)
{
    static const std::vector<std::string> names = {
        "num_taps",  "num_neurons", "window",   "epochs",          "restarts",
        "survivors", "refits",      "patience", "condition_every", "fft_len",
        "cp_len",    "delay",       "num_rx",   "num_tx",          "num_inputs",
        "warm_up",   "num_outputs"
    };
    return std::find(names.begin(), names.end(), name) != names.end();
}

} // namespace

int64_t fuzz_input::integer(int64_t least, int64_t most)
{
    uint64_t value = 0;
    for (uint64_t range = most - least; range > 0; range >>= 8)
        value = value << 8 | byte();
    return least + int64_t(value % (uint64_t(most - least) + 1));
}

double fuzz_input::real()
{
    static const std::vector<double> strange = {
        0.0,   -0.0,  1.0,    -1.0, 0.5, NONE,  INF,   -INF, 3e38,
        1e-42, 1e300, 1e-310, 1e-7, 1e9, 65536, -1e-9, 3.5,  0x1p63
    };
    const uint8_t choice = byte();
    return choice < 128 ? strange[choice % strange.size()] : (choice - 192) / 16.0;
}

std::string fuzz_input::text(size_t most)
{
    std::string found(integer(0, most), ' ');
    for (char& letter : found)
        letter = char(byte());
    return found;
}

std::vector<uint8_t> fuzz_input::rest()
{
    return { std::exchange(d_next, d_end), d_end };
}

std::vector<gr_complex> fuzz_input::samples(size_t count)
{
    const uint8_t waveform = byte();
    const float level =
        one_of<float>({ 1.0F, 1.0F, 1e-20F, 1e-42F, 1e18F, 1e30F, 3e38F, 0.01F });
    std::minstd_rand random(byte() + 1);
    std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
    std::vector<gr_complex> found(count);
    for (gr_complex& sample : found)
        switch (waveform % 4) {
        case 0:
            break;
        case 1:
            sample = level;
            break;
        case 2:
            sample = level * gr_complex(uniform(random), uniform(random));
            break;
        default:
            sample = level * qpsk_point(random() >> 8);
        }
    for (int spots = byte() % 4; spots > 0 && count > 0; spots--) {
        const size_t at = integer(0, count - 1);
        const float re = float(std::clamp(real(), -3.4e38, 3.4e38)),
                    im = re > 1 ? -re : 0;
        found[at] = flag() ? gr_complex(re, im) : gr_complex(im, INF);
    }
    return found;
}

stream_matrix fuzz_input::sample_rows(size_t rows, size_t count)
{
    stream_matrix found;
    for (size_t row = 0; row < rows; row++)
        found.push_back(samples(count));
    return found;
}

stream_matrix fuzz_input::pilots(size_t rows, size_t count)
{
    if (seldom())
        return sample_rows(rows, count);
    std::minstd_rand random(byte() + 1);
    stream_matrix found(rows, std::vector<gr_complex>(count));
    for (auto& row : found)
        for (gr_complex& symbol : row)
            symbol = qpsk_point(random() >> 8);
    return found;
}

gr::digital::constellation_sptr fuzz_input::constellation()
{
    using namespace gr::digital;
    switch (byte() % 6) {
    case 0:
        return nullptr;
    case 1:
        return constellation_bpsk::make();
    case 2:
        return constellation_8psk::make();
    case 3:
        return constellation_16qam::make();
    case 4:
        return constellation_psk::make(
            samples(4), { 0, 1, 2, 3 }, unsigned(integer(1, 8)));
    default:
        return constellation_qpsk::make();
    }
}

pmt::pmt_t fuzz_input::value(int depth)
{
    switch (byte() % (depth < 4 ? 20 : 15)) {
    case 0:
        return pmt::PMT_NIL;
    case 1:
        return pmt::from_bool(flag());
    case 2:
        return pmt::from_long(integer(-2, 300));
    case 3:
        return pmt::from_long(integer(INT64_MIN / 2, INT64_MAX / 2));
    case 4:
        return pmt::from_uint64(integer(-1, 1000));
    case 5:
        return pmt::from_double(real());
    case 6:
        return pmt::from_complex(real(), real());
    case 7:
        return pmt::mp(text(20));
    case 8: {
        const auto values = samples(byte() % 40);
        return pmt::init_c32vector(values.size(), values);
    }
    case 9: {
        std::vector<double> values(byte() % 6);
        std::generate(values.begin(), values.end(), [this] { return real(); });
        return pmt::init_f64vector(values.size(), values);
    }
    case 10: {
        const auto values = samples(byte() % 10);
        return pmt::init_c64vector(
            values.size(),
            std::vector<std::complex<double>>(values.begin(), values.end()));
    }
    case 11:
        return pmt::make_f32vector(byte() % 10, float(integer(0, 3)));
    case 12:
        return pmt::make_u8vector(byte(), byte());
    case 13:
        return pmt::init_s32vector(2, std::vector<int32_t>{ byte(), -byte() });
    case 14:
        return pmt::PMT_EOF;
    case 15:
        return pmt::cons(value(depth + 1), value(depth + 1));
    case 16:
    case 17: {
        const auto vector = pmt::make_vector(byte() % 5, pmt::PMT_NIL);
        for (size_t k = 0; k < pmt::length(vector); k++)
            pmt::vector_set(vector, k, value(depth + 1));
        return vector;
    }
    case 18:
        return pmt::make_tuple(value(depth + 1), value(depth + 1));
    default:
        return pmt::dict_add(pmt::make_dict(), value(depth + 1), value(depth + 1));
    }
}

double fuzz_input::real_parameter(const gr::reservoir::parameter& about)
{
    const double low = std::max(about.low, -10.0), high = std::min(about.high, 10.0);
    switch (byte() % 8) {
    case 0:
        return about.low;
    case 1:
        return about.high;
    case 2:
        return real();
    case 3:
        return about.special;
    default:
        return low + (high - low) * byte() / 255.0;
    }
}

pmt::pmt_t fuzz_input::number(const gr::reservoir::parameter& about)
{
    const int64_t low = int64_t(std::max(about.low, -1e6));
    const uint8_t choice = byte();
    if (choice < 16)
        return pmt::from_long(low - 1);
    if (choice < 32 && about.high < 1e15)
        return pmt::from_long(int64_t(about.high) + 1);
    if (choice < 48 && about.special == about.special)
        return pmt::from_long(int64_t(about.special));
    if (choice < 64 && !costs(about.name))
        return pmt::from_long(int64_t(std::min(about.high, 0x1p62)));
    if (about.name == std::string("condition_every")) // takes minutes in this build
        return pmt::from_long(0);
    return pmt::from_long(low + choice % 9);
}

pmt::pmt_t fuzz_input::parameter(const described_parameter& described)
{
    const auto& about = described.about;
    switch (described.type) {
    case parameter_type::integer:
        return number(about);
    case parameter_type::real:
        return pmt::from_double(real_parameter(about));
    case parameter_type::truth:
        return pmt::from_bool(flag());
    case parameter_type::word: {
        const auto& word = about.words[byte() % about.words.size()];
        return pmt::mp(word.value ? word.value : "nonsense");
    }
    case parameter_type::integers: {
        std::vector<int32_t> values(1 + byte() % 3);
        for (auto& value : values)
            value = int32_t(pmt::to_long(number(about)));
        return pmt::init_s32vector(values.size(), values);
    }
    case parameter_type::reals: {
        std::vector<double> values(byte() % 6);
        for (auto& value : values)
            value = real_parameter(about);
        return pmt::init_f64vector(values.size(), values);
    }
    case parameter_type::constellation:
        return value_to_pmt(constellation_points(constellation()));
    default: // of detectors that are made of others
        return described.standard;
    }
}

pmt::pmt_t fuzz_input::parameters(const detector_kind& kind)
{
    pmt::pmt_t chosen = pmt::make_dict();
    for (const auto& described : kind.parameters) {
        const std::string name = described.about.name;
        pmt::pmt_t value = described.standard;
        if (name == "epochs" || name == "fft_len")
            value = pmt::from_long(name == "epochs" ? 3 : 16);
        if (name == "cp_len")
            value = pmt::init_s32vector(1, std::vector<int32_t>{ 4 });
        if (name == "survivors")
            value = pmt::from_long(4);
        if (byte() % 4 == 1)
            value = parameter(described);
        chosen = pmt::dict_add(chosen, pmt::mp(name), value);
    }
    return chosen;
}

namespace {
std::string last_detector; // for whoever reads what was found
}

void expect(bool holds, const char* what)
{
    if (holds)
        return;
    std::fprintf(stderr, "it does not hold that %s\n%s\n", what, last_detector.c_str());
    std::abort();
}

void expect_message(const std::exception& error)
{
    expect(std::strlen(error.what()) > 12, "a refusal says why");
}

bool all_finite(const stream_matrix& rows)
{
    for (const auto& row : rows)
        for (const auto& value : row)
            if (!std::isfinite(value.real()) || !std::isfinite(value.imag()))
                return false;
    return true;
}

bool same_bits(const stream_matrix& a, const stream_matrix& b)
{
    if (a.size() != b.size())
        return false;
    for (size_t row = 0; row < a.size(); row++)
        if (a[row].size() != b[row].size() ||
            std::memcmp(a[row].data(), b[row].data(), a[row].size() * sizeof(gr_complex)))
            return false;
    return true;
}

trainable::sptr make_detector(fuzz_input& input, const std::vector<detector_kind>& kinds)
{
    const detector_kind& kind = kinds[input.byte() % kinds.size()];
    trainable::sptr made;
    const pmt::pmt_t parameters = input.parameters(kind);
    last_detector = kind.about.name + (" " + pmt::write_string(parameters));
    refused_or_done([&] { made = kind.make(parameters); });
    return made;
}

detector::sptr make_symbol_detector(fuzz_input& input)
{
    return std::dynamic_pointer_cast<detector>(make_detector(input, detector_kinds()));
}

clean_frame::clean_frame(const detector& receiver, int samples_per_symbol)
    : sps(samples_per_symbol)
{
    std::minstd_rand random(7);
    stream_matrix sent(receiver.num_outputs(),
                       std::vector<gr_complex>(PILOTS + PAYLOAD + 64));
    for (auto& row : sent)
        for (gr_complex& symbol : row)
            symbol = qpsk_point(random() >> 8);
    const auto tap = [&random] { return float(random() % 2001) / 1000.0F - 1.0F; };
    received.assign(receiver.num_inputs(), std::vector<gr_complex>(sent[0].size() * sps));
    for (auto& row : received)
        for (const auto& symbols : sent) {
            const gr_complex first(tap(), tap()), second(0.4F * tap(), 0.4F * tap());
            for (size_t k = 0; k < symbols.size(); k++)
                for (int phase = 0; phase < sps; phase++)
                    row[k * sps + phase] += first * symbols[k] +
                                            (k > 0 ? second * symbols[k - 1] : 0.0F) +
                                            gr_complex(0.05F * tap(), 0.05F * tap());
        }
    for (const auto& row : sent)
        pilots.emplace_back(row.begin(), row.begin() + PILOTS);
}
