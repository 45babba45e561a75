/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/ldpc_code.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>

namespace kernel = gr::reservoir::kernel;
using kernel::ldpc_code;

namespace {

bool is_word(const ldpc_code::parity_checks& checks, const std::vector<uint8_t>& bits)
{
    for (const auto& check : checks) {
        int sum = 0;
        for (const uint32_t bit : check)
            sum += bits[bit];
        if (sum % 2)
            return false;
    }
    return true;
}

std::vector<uint8_t> bits_of(unsigned number, size_t count)
{
    std::vector<uint8_t> bits(count);
    for (size_t k = 0; k < count; k++)
        bits[k] = number >> k & 1;
    return bits;
}

// log p(1) / p(0) of all bits, by adding up every word
std::vector<double> by_all_words(const ldpc_code::parity_checks& checks,
                                 const std::vector<float>& ratios)
{
    std::vector<double> sums[2];
    for (auto& sum : sums)
        sum.resize(ratios.size());
    for (unsigned number = 0; number < 1u << ratios.size(); number++) {
        const auto bits = bits_of(number, ratios.size());
        if (!is_word(checks, bits))
            continue;
        double metric = 0.0;
        for (size_t k = 0; k < bits.size(); k++)
            metric += bits[k] * double(ratios[k]);
        for (size_t k = 0; k < bits.size(); k++)
            sums[bits[k]][k] += std::exp(metric);
    }
    std::vector<double> found(ratios.size());
    for (size_t k = 0; k < found.size(); k++)
        found[k] = std::log(sums[1][k] / sums[0][k]);
    return found;
}

const ldpc_code::parity_checks HAMMING = { { 0, 1, 2, 4 },
                                           { 0, 1, 3, 5 },
                                           { 0, 2, 3, 6 } };
const ldpc_code::parity_checks TREE = { { 0, 1, 2 }, { 2, 3, 4, 7 }, { 4, 5, 6 } };
const ldpc_code::parity_checks DEPENDENT = {
    { 0, 1, 2 }, { 2, 3, 4 }, { 0, 1, 3, 4 }, {}, { 0, 1, 2 }
};

} // namespace

BOOST_AUTO_TEST_CASE(every_information_gives_a_word_of_its_own)
{
    for (const auto& checks : { HAMMING, TREE, DEPENDENT }) {
        const ldpc_code code(8, checks);
        const size_t rank = checks.size() == 5 ? 2 : 3;
        BOOST_TEST_REQUIRE(code.num_info() == 8 - rank);
        for (unsigned number = 0; number < 1u << code.num_info(); number++) {
            const auto info = bits_of(number, code.num_info());
            std::vector<uint8_t> coded(8, 9);
            code.encode(info.data(), coded.data());
            BOOST_TEST(is_word(checks, coded));
            for (size_t k = 0; k < info.size(); k++)
                BOOST_TEST(coded[code.info_places()[k]] == info[k]);
        }
    }
}

BOOST_AUTO_TEST_CASE(without_cycles_ratios_are_exact)
{
    const auto code = std::make_shared<const ldpc_code>(8, TREE);
    kernel::sum_product_decoder decoder(code, 20);
    std::mt19937 engine(1);
    int compared = 0;
    for (int trial = 0; trial < 400; trial++) {
        std::vector<float> ratios(8), coded(8);
        for (float& ratio : ratios)
            ratio = float(int(engine() % 4001) - 2000) / 1000.0F;
        if (decoder.decode(ratios.data(), coded.data()))
            continue; // it stops as soon as it has a word
        const auto expected = by_all_words(TREE, ratios);
        for (size_t k = 0; k < 8; k++)
            BOOST_TEST(std::abs(coded[k] - expected[k]) < 1e-4);
        compared++;
    }
    BOOST_TEST(compared >= 10);
}

BOOST_AUTO_TEST_CASE(sure_and_unknown_bits)
{
    const auto code = std::make_shared<const ldpc_code>(8, HAMMING);
    kernel::sum_product_decoder decoder(code);
    const std::vector<uint8_t> info = { 1, 0, 1, 1, 0 };
    std::vector<uint8_t> sent(8);
    code->encode(info.data(), sent.data());
    for (const float sure : { 1.0F, 20.0F, 80.0F })
        for (size_t unknown = 0; unknown < 7; unknown++) {
            std::vector<float> ratios(8), coded(8);
            for (size_t k = 0; k < 8; k++)
                ratios[k] = k == unknown ? 0.0F : sent[k] ? sure : -sure;
            BOOST_TEST(decoder.decode(ratios.data(), coded.data()));
            for (size_t k = 0; k < 8; k++) {
                BOOST_TEST(std::isfinite(coded[k]));
                BOOST_TEST((coded[k] > 0.0F) == bool(sent[k]));
            }
        }
}

BOOST_AUTO_TEST_CASE(what_is_no_code)
{
    BOOST_CHECK_THROW(ldpc_code(0, {}), std::invalid_argument);
    BOOST_CHECK_THROW(ldpc_code(ldpc_code::MAX_SIZE + 1, {}), std::invalid_argument);
    BOOST_CHECK_THROW(ldpc_code(4, { { 0, 4 } }), std::invalid_argument);
    BOOST_CHECK_THROW(ldpc_code(4, { { 1, 1 } }), std::invalid_argument);
    BOOST_CHECK_THROW(ldpc_code(2, { { 0 }, { 1 } }), std::invalid_argument);
    const auto code = std::make_shared<const ldpc_code>(2, ldpc_code::parity_checks{});
    BOOST_CHECK_THROW(kernel::sum_product_decoder(code, 0), std::invalid_argument);
}
