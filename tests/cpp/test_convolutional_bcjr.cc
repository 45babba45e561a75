/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "targets.h"
#include <gnuradio/reservoir/kernel/convolutional_bcjr.h>
#include <gnuradio/reservoir/kernel/random.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <bitset>
#include <cmath>

namespace kernel = gr::reservoir::kernel;
namespace bdata = boost::unit_test::data;

namespace {

std::vector<uint8_t>
encoded(std::vector<uint8_t> info, const std::vector<int>& polynomials, int length)
{
    info.resize(info.size() + length - 1, 0);
    std::vector<uint8_t> coded;
    int state = 0;
    for (const uint8_t bit : info) {
        state = (state << 1 | bit) & ((1 << length) - 1);
        for (const int polynomial : polynomials)
            coded.push_back(std::bitset<16>(state & polynomial).count() % 2);
    }
    return coded;
}

// log p(1) / p(0) of all bits, by adding up every word
struct by_all_words {
    std::vector<double> coded, info;

    by_all_words(const std::vector<float>& ratios,
                 size_t num_info,
                 const std::vector<int>& polynomials,
                 int length)
    {
        std::vector<double> coded_sums[2], info_sums[2];
        for (int bit = 0; bit < 2; bit++) {
            coded_sums[bit].resize(ratios.size());
            info_sums[bit].resize(num_info);
        }
        for (unsigned word = 0; word < 1u << num_info; word++) {
            std::vector<uint8_t> bits(num_info);
            for (size_t k = 0; k < num_info; k++)
                bits[k] = word >> k & 1;
            const auto sent = encoded(bits, polynomials, length);
            double metric = 0.0;
            for (size_t k = 0; k < sent.size(); k++)
                metric += sent[k] * double(ratios[k]);
            for (size_t k = 0; k < sent.size(); k++)
                coded_sums[sent[k]][k] += std::exp(metric);
            for (size_t k = 0; k < num_info; k++)
                info_sums[bits[k]][k] += std::exp(metric);
        }
        for (size_t k = 0; k < ratios.size(); k++)
            coded.push_back(std::log(coded_sums[1][k] / coded_sums[0][k]));
        for (size_t k = 0; k < num_info; k++)
            info.push_back(std::log(info_sums[1][k] / info_sums[0][k]));
    }
};

struct code {
    std::vector<int> polynomials;
    int length;
};
std::ostream& operator<<(std::ostream& out, const code& shown)
{
    return out << shown.polynomials[0] << ", " << shown.polynomials[1] << ", K "
               << shown.length;
}

// those of K = 6 have no ones at their ends
const std::vector<code> CODES = { { { 7, 5 }, 3 },    { { 15, 13 }, 4 },
                                  { { 23, 19 }, 5 },  { { 22, 12 }, 6 },
                                  { { 79, 109 }, 7 }, { { 369, 491 }, 9 } };

} // namespace

BOOST_DATA_TEST_CASE(ratios_are_those_of_all_words_added_up, bdata::make(CODES), tried)
{
    constexpr size_t NUM_INFO = 9;
    kernel::convolutional_bcjr decoder(tried.polynomials, tried.length, NUM_INFO);
    BOOST_REQUIRE_EQUAL(decoder.num_coded(), 2 * (NUM_INFO + tried.length - 1));
    kernel::random generator(3);
    std::vector<float> ratios(decoder.num_coded());
    for (auto& ratio : ratios)
        ratio = float(1.5 * generator.gaussian());
    const by_all_words expected(ratios, NUM_INFO, tried.polynomials, tried.length);
    for_each_target([&] {
        std::vector<float> coded(ratios.size()), info(NUM_INFO);
        for (int again = 0; again < 2; again++) { // nothing is left of the call before
            decoder.decode(ratios.data(), coded.data(), info.data());
            for (size_t k = 0; k < coded.size(); k++) {
                if (std::isfinite(expected.coded[k]))
                    BOOST_CHECK_SMALL(coded[k] - expected.coded[k], 0.02);
                else // the bit is the same in all words
                    BOOST_CHECK_GT(coded[k] / (expected.coded[k] > 0 ? 1.0 : -1.0), 1e5);
            }
            for (size_t k = 0; k < info.size(); k++)
                BOOST_CHECK_SMALL(info[k] - expected.info[k], 0.02);
        }
    });
}

// What is certain beforehand must not overflow, and a wrong certainty must be outvoted.
BOOST_AUTO_TEST_CASE(large_ratios_stay_finite)
{
    constexpr size_t NUM_INFO = 200;
    kernel::convolutional_bcjr decoder({ 79, 109 }, 7, NUM_INFO);
    kernel::random generator(4);
    std::vector<uint8_t> bits(NUM_INFO);
    for (auto& bit : bits)
        bit = generator.gaussian() > 0.0;
    const auto sent = encoded(bits, { 79, 109 }, 7);
    for (const float size : { 20.0f, 1000.0f }) {
        std::vector<float> ratios(sent.size()), coded(sent.size()), info(NUM_INFO);
        for (size_t k = 0; k < sent.size(); k++)
            ratios[k] = (sent[k] ? size : -size) * (k % 31 == 5 ? -1.0f : 1.0f);
        decoder.decode(ratios.data(), coded.data(), info.data());
        for (size_t k = 0; k < sent.size(); k++) {
            BOOST_REQUIRE(std::isfinite(coded[k]));
            BOOST_CHECK_EQUAL(coded[k] > 0.0f, bool(sent[k]));
        }
        for (size_t k = 0; k < NUM_INFO; k++)
            BOOST_CHECK_EQUAL(info[k] > 0.0f, bool(bits[k]));
    }
}

// One output may be left out, and then the other is the same.
BOOST_AUTO_TEST_CASE(what_is_not_wanted_need_not_be_taken)
{
    kernel::convolutional_bcjr decoder({ 79, 109 }, 7, 40);
    kernel::random generator(5);
    std::vector<float> ratios(decoder.num_coded()), both(ratios.size()), info(40);
    for (auto& ratio : ratios)
        ratio = float(generator.gaussian());
    decoder.decode(ratios.data(), both.data(), info.data());
    std::vector<float> coded(ratios.size()), alone(40);
    decoder.decode(ratios.data(), coded.data(), nullptr);
    decoder.decode(ratios.data(), nullptr, alone.data());
    BOOST_TEST(coded == both, boost::test_tools::per_element());
    BOOST_TEST(alone == info, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(bad_arguments_are_refused)
{
    const auto refused = [](std::vector<int> polynomials, int length, size_t num_info) {
        BOOST_CHECK_THROW(kernel::convolutional_bcjr(polynomials, length, num_info),
                          std::invalid_argument);
    };
    refused({ 79, 109 }, 2, 10);
    refused({ 79, 109 }, 10, 10);
    refused({ 79, 109 }, 7, 0);
    refused({ 79 }, 7, 10);
    refused({ 79, 79 }, 7, 10);
    refused({ 79, 128 }, 7, 10);
    refused({ 0, 109 }, 7, 10);
}
