/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/packet_format.h>

#include "check.h"
#include "link/alist_file.h"
#include "link/unit_power_points.h"
#include <gnuradio/digital/crc.h>
#include <gnuradio/digital/lfsr.h>
#include <gnuradio/fec/cc_decoder.h>
#include <gnuradio/fec/cc_encoder.h>
#include <gnuradio/reservoir/kernel/convolutional_bcjr.h>
#include <gnuradio/reservoir/kernel/ldpc_code.h>
#include <gnuradio/reservoir/kernel/soft_bits.h>
#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <numeric>

namespace gr {
namespace reservoir {

namespace {

constexpr size_t HEADER_LEN = 4; // length and sequence number
constexpr size_t CRC_LEN = 4;
constexpr size_t OVERHEAD = HEADER_LEN + CRC_LEN;
const std::string LDPC = "ldpc:"; // before the name of an alist file
constexpr int CONSTRAINT_LEN = 7; // of the code of rate 1/2
constexpr int CODE_TAIL = CONSTRAINT_LEN - 1;
const std::vector<int> POLYNOMIALS = { 79, 109 };

std::vector<gr_complex>
labelled_points(const gr::digital::constellation_sptr& constellation)
{
    const auto points = unit_power_points(constellation);
    if ((points.size() & (points.size() - 1)) != 0)
        reject_argument("constellation size", points.size(), "2, 4, 8 ... points");
    if (!constellation->apply_pre_diff_code())
        return points;
    const auto code = constellation->pre_diff_code();
    if (code.size() != points.size())
        reject_argument("constellation pre_diff_code length",
                        code.size(),
                        "that of the points, " + std::to_string(points.size()));
    std::vector<gr_complex> labelled;
    for (const int point : code) {
        require_range<int>(
            "constellation pre_diff_code element", point, 0, int(points.size()) - 1);
        labelled.push_back(points[point]);
    }
    return labelled;
}

// The first bits of the register x^9 + x^5 + 1 that starts with ones.
std::vector<uint8_t> whitening(size_t count)
{
    gr::digital::lfsr shift_register(0x21, 0x1FF, 8);
    std::vector<uint8_t> bits(count);
    for (auto& bit : bits)
        bit = shift_register.next_bit();
    return bits;
}

// Symbols that are wrong one after another are spread: the stride has no common divisor.
std::vector<uint32_t> interleaving(size_t count)
{
    size_t stride = size_t(std::sqrt(double(count))) | 1;
    while (std::gcd(stride, count) > 1)
        stride += 2 - count % 2;
    std::vector<uint32_t> order(count);
    for (size_t k = 0; k < count; k++)
        order[k] = uint32_t(k * stride % count);
    return order;
}

void put_big_endian(uint64_t value, size_t bytes, uint8_t* to)
{
    for (size_t k = bytes; k-- > 0; value >>= 8)
        to[k] = uint8_t(value);
}

kernel::ldpc_code::sptr load_ldpc_code(const std::string& code)
{
    try {
        std::ifstream file(find_alist(code.substr(LDPC.size())));
        return read_alist(file);
    } catch (const std::invalid_argument& error) {
        reject_argument(
            "code",
            "'" + code + "'",
            std::string("'ldpc:' and the alist file of a parity-check matrix, but ") +
                error.what());
    }
}

uint64_t big_endian(const uint8_t* from, size_t bytes)
{
    uint64_t value = 0;
    for (size_t k = 0; k < bytes; k++)
        value = value << 8 | from[k];
    return value;
}

} // namespace

class packet_format::layout
{
public:
    layout(const gr::digital::constellation_sptr& constellation_,
           int payload_length,
           const std::string& code_name,
           kernel::ldpc_code::sptr ldpc_code = nullptr)
        : constellation(constellation_),
          points(labelled_points(constellation)),
          payload_len(payload_length),
          code(code_name),
          bits_per_symbol(constellation->bits_per_symbol()),
          ldpc(ldpc_code),
          crc(32, 0x04C11DB7, 0xFFFFFFFF, 0xFFFFFFFF, true, true)
    {
        require_range("payload_len", payload_len, 1, MAX_SYMBOLS);
        const int num_bits = payload_len * bits_per_symbol;
        const int available = available_bits(num_bits);
        capacity = available / 8 - int(OVERHEAD);
        if (capacity < 1 || capacity >= 1 << 16)
            reject_argument("payload_len",
                            payload_len,
                            "such that 1 ... 65535 bytes of data fit; with " +
                                std::to_string(points.size()) + " points and code '" +
                                code + "' " + std::to_string(capacity) + " do");
        num_info = 8 * (capacity + OVERHEAD);
        num_coded = num_info;
        if (code == "cc") {
            encoder = fec::code::cc_encoder::make(
                num_info, CONSTRAINT_LEN, 2, POLYNOMIALS, 0, CC_TERMINATED);
            decoder = fec::code::cc_decoder::make(
                num_info, CONSTRAINT_LEN, 2, POLYNOMIALS, 0, 0, CC_TERMINATED);
            num_coded = encoder->get_output_size();
        } else if (ldpc) {
            num_info = available; // with what is left of the last byte
            num_coded = num_words * ldpc->num_coded();
            sum_product.emplace(ldpc);
        }
        white = whitening(num_bits);
        order = interleaving(num_bits);
    }

    const gr::digital::constellation_sptr constellation;
    const std::vector<gr_complex> points;
    const int payload_len;
    const std::string code;
    const int bits_per_symbol;
    kernel::ldpc_code::sptr ldpc; // none with another code
    int capacity;

    std::vector<gr_complex> encode(const std::vector<uint8_t>& data, int sequence)
    {
        std::vector<uint8_t> bytes(capacity + OVERHEAD);
        put_big_endian(data.size(), 2, &bytes[0]);
        put_big_endian(sequence, 2, &bytes[2]);
        std::copy(data.begin(), data.end(), bytes.begin() + HEADER_LEN);
        const size_t body = bytes.size() - CRC_LEN;
        put_big_endian(crc.compute(bytes.data(), body), CRC_LEN, &bytes[body]);

        std::vector<uint8_t> info(white.begin(), white.begin() + num_info);
        for (size_t k = 0; k < 8 * bytes.size(); k++)
            info[k] ^= bytes[k / 8] >> (7 - k % 8) & 1;
        std::vector<uint8_t> bits = white; // what is left over
        if (encoder)
            encoder->generic_work(info.data(), bits.data());
        else if (ldpc)
            for (size_t word = 0; word < num_words; word++)
                ldpc->encode(&info[word * ldpc->num_info()],
                             &bits[word * ldpc->num_coded()]);
        else
            std::copy(info.begin(), info.end(), bits.begin());

        std::vector<gr_complex> symbols;
        symbols.reserve(payload_len);
        for (size_t k = 0; k < order.size();) {
            unsigned label = 0;
            for (int bit = 0; bit < bits_per_symbol; bit++)
                label = label << 1 | bits[order[k++]];
            symbols.push_back(points[label]);
        }
        return symbols;
    }

    //! Mean squared distance to the nearest points; prepares what packet_of_decisions reads.
    double decide(const gr_complex* symbols)
    {
        if (code == "none")
            return decide_hard(symbols);
        const double error = decide_softly(symbols);
        if (ldpc && std::isfinite(error))
            divide_by_noise(symbols, error);
        return error;
    }

    std::optional<packet> packet_of_decisions()
    {
        if (decoder) {
            run_viterbi();
        } else if (ldpc) {
            run_sum_product();
            decide_info();
        }
        return packet_of_info();
    }

    std::optional<packet> packet_of_info()
    {
        std::vector<uint8_t> bytes(capacity + OVERHEAD, 0);
        for (size_t k = 0; k < 8 * bytes.size(); k++)
            bytes[k / 8] = uint8_t(bytes[k / 8] << 1 | (info[k] ^ white[k]));
        const size_t body = bytes.size() - CRC_LEN;
        const size_t length = big_endian(&bytes[0], 2);
        if (length > size_t(capacity) ||
            crc.compute(bytes.data(), body) != big_endian(&bytes[body], CRC_LEN))
            return std::nullopt;
        const auto data = bytes.begin() + HEADER_LEN;
        return packet{ { data, data + length }, int(big_endian(&bytes[2], 2)) };
    }

    //! Prepares what packet_of_info reads.
    void decode_ratios(const float* given, float* a_posteriori)
    {
        ratios.resize(order.size());
        for (size_t k = 0; k < order.size(); k++)
            ratios[order[k]] = given[k];
        kernel::clip_ratios(ratios.data(), ratios.size(), CERTAIN);
        informed.resize(num_info);
        judged = ratios;
        if (decoder) {
            if (!soft_decoder)
                soft_decoder.emplace(POLYNOMIALS, CONSTRAINT_LEN, num_info);
            soft_decoder->decode(ratios.data(), judged.data(), informed.data());
        } else if (ldpc) {
            run_sum_product();
        } else {
            std::copy_n(ratios.begin(), num_info, informed.begin());
        }
        decide_info();
        if (!a_posteriori)
            return;
        for (size_t k = num_coded; k < judged.size(); k++)
            judged[k] = white[k] ? CERTAIN : -CERTAIN;
        for (size_t k = 0; k < order.size(); k++)
            a_posteriori[k] = judged[order[k]];
    }

private:
    gr::digital::crc crc;
    size_t num_info;
    size_t num_coded;
    fec::generic_encoder::sptr encoder; // none without a code
    fec::generic_decoder::sptr decoder;
    size_t num_words = 0; // of ldpc
    std::optional<kernel::sum_product_decoder> sum_product;
    std::vector<uint8_t> white;
    std::vector<uint32_t> order; // of the payload's bit k: its place among the coded bits

    std::vector<uint8_t> info; // a bit each, whitened
    std::vector<float> ratios; // of the coded bits, 1 is positive
    std::vector<uint8_t> soft; // the same in eight bits
    std::optional<kernel::convolutional_bcjr> soft_decoder;
    std::vector<float> judged;   // ratios of the coded bits, given the code
    std::vector<float> informed; // of the information bits
    std::vector<float> nearest;  // squared distances, by bit: to points where it is 0, 1

    float distance(gr_complex symbol, size_t label) const
    {
        const float re = symbol.real() - points[label].real();
        const float im = symbol.imag() - points[label].imag();
        return re * re + im * im;
    }

    double decide_hard(const gr_complex* symbols)
    {
        info.resize(order.size()); // with what is left over
        double sum = 0.0;
        const uint32_t* place = order.data();
        for (int n = 0; n < payload_len; n++) {
            size_t decided = 0;
            float least = distance(symbols[n], 0);
            for (size_t label = 1; label < points.size(); label++) {
                const float other = distance(symbols[n], label);
                if (other < least) {
                    least = other;
                    decided = label;
                }
            }
            sum += least;
            for (int bit = bits_per_symbol; bit-- > 0;)
                info[*place++] = decided >> bit & 1;
        }
        return sum / payload_len;
    }

    // Log-likelihood ratios of the bits, max-log, times the noise variance.
    double decide_softly(const gr_complex* symbols)
    {
        ratios.resize(order.size());
        nearest.resize(2 * bits_per_symbol);
        double sum = 0.0;
        const uint32_t* place = order.data();
        for (int n = 0; n < payload_len; n++) {
            std::fill(
                nearest.begin(), nearest.end(), std::numeric_limits<float>::infinity());
            for (size_t label = 0; label < points.size(); label++) {
                const float here = distance(symbols[n], label);
                for (int bit = 0; bit < bits_per_symbol; bit++) {
                    float& least = nearest[2 * bit + (label >> bit & 1)];
                    least = std::min(least, here);
                }
            }
            sum += std::min(nearest[0], nearest[1]);
            for (int bit = bits_per_symbol; bit-- > 0;)
                ratios[*place++] = nearest[2 * bit] - nearest[2 * bit + 1];
        }
        return sum / payload_len;
    }

    //! Bits that the code leaves to the packet.
    int available_bits(int num_bits)
    {
        if (code == "none")
            return num_bits;
        if (code == "cc")
            return num_bits / 2 - CODE_TAIL;
        require(code.compare(0, LDPC.size(), LDPC) == 0,
                "code",
                "'" + code + "'",
                "one of 'none', 'cc', 'ldpc:FILE'");
        if (!ldpc)
            ldpc = load_ldpc_code(code);
        num_words = num_bits / ldpc->num_coded();
        if (num_words == 0)
            reject_argument("payload_len",
                            payload_len,
                            "such that a code word of " +
                                std::to_string(ldpc->num_coded()) + " bits fits");
        return int(num_words * ldpc->num_info());
    }

    // The variance that makes the symbols most likely, by expectation maximisation; the distance to
    // the nearest points hides part of it.
    double noise_variance(const gr_complex* symbols, double nearest_error)
    {
        constexpr double LEAST = 1e-4;
        constexpr int STEPS = 5;
        double variance = std::max(2.0 * nearest_error, LEAST);
        for (int step = 0; step < STEPS; step++) {
            double sum = 0.0;
            for (int n = 0; n < payload_len; n++) {
                float least = std::numeric_limits<float>::infinity();
                for (size_t label = 0; label < points.size(); label++)
                    least = std::min(least, distance(symbols[n], label));
                double mass = 0.0, error = 0.0;
                for (size_t label = 0; label < points.size(); label++) {
                    const double here = distance(symbols[n], label);
                    const double weight = std::exp((least - here) / variance);
                    mass += weight;
                    error += weight * here;
                }
                sum += error / mass;
            }
            variance = std::max(sum / payload_len, LEAST);
        }
        return variance;
    }

    void divide_by_noise(const gr_complex* symbols, double nearest_error)
    {
        const float certainty = float(1.0 / noise_variance(symbols, nearest_error));
        for (float& ratio : ratios)
            ratio *= certainty;
        kernel::clip_ratios(ratios.data(), ratios.size(), CERTAIN);
    }

    void decide_info()
    {
        info.resize(std::max(info.size(), num_info));
        for (size_t k = 0; k < num_info; k++)
            info[k] = informed[k] > 0.0F;
    }

    void run_sum_product()
    {
        judged.resize(ratios.size());
        informed.resize(num_info);
        for (size_t word = 0; word < num_words; word++) {
            float* coded = &judged[word * ldpc->num_coded()];
            sum_product->decode(&ratios[word * ldpc->num_coded()], coded);
            float* information = &informed[word * ldpc->num_info()];
            for (const uint32_t place : ldpc->info_places())
                *information++ = coded[place];
        }
    }

    void run_viterbi()
    {
        // The noise variance is a factor common to the frame, which moves no decision of the
        // Viterbi algorithm; only the eight bits it works on must be filled.
        double sum = 0.0;
        for (size_t k = 0; k < num_coded; k++)
            sum += std::abs(ratios[k]);
        const float scale = float(50.0 / std::max(sum / num_coded, 1e-9));
        soft.resize(num_coded);
        for (size_t k = 0; k < num_coded; k++)
            soft[k] = uint8_t(
                std::clamp(std::nearbyint(127.5F + scale * ratios[k]), 0.0F, 255.0F));
        info.resize(num_info + 64); // the decoder writes beyond its frame
        decoder->generic_work(soft.data(), info.data());
    }
};

packet_format::packet_format(const gr::digital::constellation_sptr& constellation,
                             int payload_len,
                             const std::string& code)
    : d_layout(std::make_unique<layout>(constellation, payload_len, code))
{
}

packet_format::packet_format(const packet_format& other)
    : d_layout(std::make_unique<layout>(other.d_layout->constellation,
                                        other.payload_len(),
                                        other.code(),
                                        other.d_layout->ldpc))
{
}

packet_format::~packet_format() = default;
packet_format::packet_format(packet_format&&) noexcept = default;

const std::vector<gr_complex>& packet_format::points() const { return d_layout->points; }

int packet_format::payload_len() const { return d_layout->payload_len; }

const std::string& packet_format::code() const { return d_layout->code; }

int packet_format::bits_per_symbol() const { return d_layout->bits_per_symbol; }

int packet_format::capacity() const { return d_layout->capacity; }

std::vector<gr_complex> packet_format::encode(const std::vector<uint8_t>& data,
                                              int sequence)
{
    if (data.size() > size_t(capacity()))
        reject_argument(
            "data length", data.size(), "at most " + std::to_string(capacity()));
    require_range("sequence", sequence, 0, SEQUENCES - 1);
    return d_layout->encode(data, sequence);
}

packet_format::decoded packet_format::decode(const gr_complex* symbols)
{
    const double error = d_layout->decide(symbols);
    if (!std::isfinite(error))
        return { std::nullopt, std::numeric_limits<double>::quiet_NaN() };
    return { d_layout->packet_of_decisions(), 10.0 * std::log10(std::max(error, 1e-12)) };
}

std::optional<packet> packet_format::decode_ratios(const float* ratios,
                                                   float* a_posteriori)
{
    d_layout->decode_ratios(ratios, a_posteriori);
    return d_layout->packet_of_info();
}

} // namespace reservoir
} // namespace gr
