/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/ldpc_code.h>

#include "check.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {
namespace kernel {

namespace {

constexpr size_t WORD_BITS = 64;

size_t words_of(size_t bits) { return (bits + WORD_BITS - 1) / WORD_BITS; }

bool has_bit(const uint64_t* row, size_t bit)
{
    return row[bit / WORD_BITS] >> bit % WORD_BITS & 1;
}

void flip_bit(uint64_t* row, size_t bit)
{
    row[bit / WORD_BITS] ^= uint64_t(1) << bit % WORD_BITS;
}

bool is_odd(uint64_t bits)
{
    for (int shift = 32; shift > 0; shift /= 2)
        bits ^= bits >> shift;
    return bits & 1;
}

} // namespace

ldpc_code::ldpc_code(size_t num_coded, const parity_checks& checks)
    : d_num_coded(num_coded), d_checks(checks)
{
    require_range<size_t>("num_coded", num_coded, 1, MAX_SIZE);
    require_range<size_t>("number of checks", checks.size(), 0, MAX_SIZE);
    std::vector<bool> seen(num_coded);
    for (const auto& check : checks) {
        for (const uint32_t bit : check) {
            require_range<size_t>("checks element", bit, 0, num_coded - 1);
            require(!seen[bit], "checks element", bit, "once in a check");
            seen[bit] = true;
        }
        for (const uint32_t bit : check)
            seen[bit] = false;
    }
    eliminate();
    if (num_info() == 0)
        throw std::invalid_argument("its parity checks leave no information bit");
}

void ldpc_code::eliminate()
{
    const size_t length = words_of(d_num_coded);
    std::vector<uint64_t> bits(d_checks.size() * length);
    std::vector<uint64_t*> rows;
    for (size_t m = 0; m < d_checks.size(); m++) {
        rows.push_back(&bits[m * length]);
        for (const uint32_t bit : d_checks[m])
            flip_bit(rows[m], bit);
    }
    for (size_t bit = d_num_coded; bit-- > 0;) {
        const size_t rank = d_parity_places.size();
        const auto pivot =
            std::find_if(rows.begin() + rank, rows.end(), [bit](const uint64_t* row) {
                return has_bit(row, bit);
            });
        if (pivot == rows.end()) {
            d_info_places.push_back(uint32_t(bit));
            continue;
        }
        std::swap(rows[rank], *pivot);
        for (size_t m = 0; m < rows.size(); m++)
            if (m != rank && has_bit(rows[m], bit))
                for (size_t word = 0; word < length; word++)
                    rows[m][word] ^= rows[rank][word];
        d_parity_places.push_back(uint32_t(bit));
    }
    std::reverse(d_info_places.begin(), d_info_places.end());

    d_row_words = words_of(num_info());
    d_parity.resize(d_parity_places.size() * d_row_words);
    for (size_t m = 0; m < d_parity_places.size(); m++)
        for (size_t k = 0; k < num_info(); k++)
            if (has_bit(rows[m], d_info_places[k]))
                flip_bit(&d_parity[m * d_row_words], k);
}

void ldpc_code::encode(const uint8_t* info, uint8_t* coded) const
{
    std::vector<uint64_t> word(d_row_words);
    for (size_t k = 0; k < num_info(); k++) {
        coded[d_info_places[k]] = info[k];
        if (info[k])
            flip_bit(word.data(), k);
    }
    const uint64_t* row = d_parity.data();
    for (const uint32_t place : d_parity_places) {
        uint64_t sum = 0;
        for (size_t k = 0; k < d_row_words; k++)
            sum ^= word[k] & *row++;
        coded[place] = is_odd(sum);
    }
}

sum_product_decoder::sum_product_decoder(ldpc_code::sptr code, int iterations)
    : d_code(code), d_iterations(iterations)
{
    require_range("iterations", iterations, 1, 1000000);
    size_t ones = 0, most = 0;
    for (const auto& check : code->checks()) {
        ones += check.size();
        most = std::max(most, check.size());
    }
    d_judged.resize(code->num_coded());
    d_messages.resize(ones);
    d_short.resize(most);
    d_ahead.resize(most + 1);
}

bool sum_product_decoder::decode(const float* ratios, float* coded)
{
    std::copy_n(ratios, d_judged.size(), d_judged.begin());
    std::fill(d_messages.begin(), d_messages.end(), 0.0);
    bool found = false;
    for (int k = 0; k < d_iterations && !found; k++) {
        double* messages = d_messages.data();
        for (const auto& bits : d_code->checks()) {
            update(bits, messages);
            messages += bits.size();
        }
        found = is_word();
    }
    std::copy(d_judged.begin(), d_judged.end(), coded);
    return found;
}

// How far tanh of half a ratio is from one, d_short, tells sure bits apart where the tanh itself would
// round to one. The tanh of a sum of bits is the product of theirs: two that are short by a and b give
// one that is short by a + b - a b.
void sum_product_decoder::update(const std::vector<uint32_t>& bits, double* messages)
{
    constexpr double SUREST = 300.0;
    static const double LEAST = 2.0 / (1.0 + std::exp(SUREST));
    const size_t count = bits.size();
    bool odd = false;
    d_ahead[count] = 0.0;
    for (size_t k = count; k-- > 0;) {
        double& judged = d_judged[bits[k]];
        judged -= messages[k];
        odd ^= judged > 0.0;
        d_short[k] = 2.0 / (1.0 + std::exp(std::min(std::abs(judged), SUREST)));
        d_ahead[k] = d_ahead[k + 1] + d_short[k] - d_ahead[k + 1] * d_short[k];
    }
    double behind = 0.0;
    for (size_t k = 0; k < count; k++) {
        double& judged = d_judged[bits[k]];
        const double others =
            std::max(behind + d_ahead[k + 1] - behind * d_ahead[k + 1], LEAST);
        const double sure = std::log((2.0 - others) / others);
        messages[k] = odd != (judged > 0.0) ? sure : -sure;
        judged += messages[k];
        behind += d_short[k] - behind * d_short[k];
    }
}

bool sum_product_decoder::is_word() const
{
    for (const auto& bits : d_code->checks()) {
        bool odd = false;
        for (const uint32_t bit : bits)
            odd ^= d_judged[bit] > 0.0;
        if (odd)
            return false;
    }
    return true;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
