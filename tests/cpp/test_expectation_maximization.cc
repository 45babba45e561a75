/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/expectation_maximization.h>
#include <gnuradio/reservoir/kernel/random.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>

namespace kernel = gr::reservoir::kernel;
namespace data = boost::unit_test::data;
using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;

namespace {

constexpr Index SYMBOLS = 148, FIRST_KNOWN = 61, LAST_KNOWN = 87, LENGTH = 7;
const VectorXcd BPSK = VectorXcd{ { -1.0, 1.0 } };
// two real streams; nothing between the first paths and the echo
const MatrixXcd CHANNEL{ { 0.3, -0.5 }, { 0.8, 0.4 }, { 0.2, -0.3 },
                         { 0.0, 0.0 },  { 0.3, 0.4 }, { -0.2, 0.1 } };

// A burst like GSM's; the channel's first path is late by so many symbols.
struct gsm_burst {
    std::vector<int> sent = std::vector<int>(SYMBOLS);
    std::vector<char> known = std::vector<char>(SYMBOLS);
    VectorXcd symbols = VectorXcd::Zero(SYMBOLS);
    kernel::sample_streams received =
        kernel::sample_streams(2, VectorXcd::Zero(SYMBOLS + 8));

    gsm_burst(Index first_lag, double noise, uint64_t seed)
    {
        kernel::random generator(seed);
        for (auto& stream : received)
            for (auto& sample : stream)
                sample = noise * std::sqrt(2.0) * generator.complex_gaussian().real();
        for (Index n = 0; n < SYMBOLS; n++) {
            sent[n] = generator.complex_gaussian().real() > 0.0;
            known[n] = n >= FIRST_KNOWN && n < LAST_KNOWN;
            if (known[n])
                symbols(n) = BPSK(sent[n]);
            for (Index q = 0; q < CHANNEL.cols(); q++)
                for (Index l = 0; l < CHANNEL.rows(); l++)
                    if (n + first_lag + l >= 0)
                        received[q](n + first_lag + l) += CHANNEL(l, q) * BPSK(sent[n]);
        }
    }
    kernel::partly_known_burst burst() const
    {
        return { received, symbols, known, BPSK, true };
    }
    int errors(const kernel::expected_burst& found) const
    {
        int count = 0;
        for (Index n = 0; n < SYMBOLS; n++)
            count += !known[n] && found.likeliest[n] != sent[n];
        return count;
    }
};

} // namespace

BOOST_DATA_TEST_CASE(channel_is_found_wherever_it_lies,
                     data::make({ -3, -1, 0, 1 }),
                     first_lag)
{
    const gsm_burst sent(first_lag, 0.03, 1);
    const kernel::expected_burst found =
        kernel::expect_and_maximize(sent.burst(), LENGTH, 3);
    BOOST_CHECK_EQUAL(found.window.length, LENGTH);
    BOOST_CHECK_EQUAL(sent.errors(found), 0);
    for (Index n = 0; n < SYMBOLS; n++)
        BOOST_CHECK_EQUAL(found.likeliest[n] < 0, bool(sent.known[n]));
    MatrixXcd taps = MatrixXcd::Zero(LENGTH, CHANNEL.cols());
    const Index before = first_lag + found.window.timing;
    BOOST_REQUIRE(before >= 0 && before <= 1);
    taps.middleRows(before, CHANNEL.rows()) = CHANNEL;
    BOOST_CHECK_SMALL((found.taps - taps).cwiseAbs().maxCoeff(), 0.02);
    BOOST_CHECK_CLOSE(found.noise_variance, 0.03 * 0.03, 25.0);
}

BOOST_AUTO_TEST_CASE(steps_make_errors_fewer)
{
    int once = 0, often = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        const gsm_burst sent(0, 0.5, seed);
        once += sent.errors(kernel::expect_and_maximize(sent.burst(), LENGTH, 1));
        often += sent.errors(kernel::expect_and_maximize(sent.burst(), LENGTH, 5));
    }
    BOOST_CHECK_GT(once, 0);
    BOOST_CHECK_LT(often, 0.8 * once);
}

BOOST_AUTO_TEST_CASE(window_that_is_told_stays)
{
    const gsm_burst sent(1, 0.1, 3);
    const kernel::expected_burst found =
        kernel::expect_and_maximize(sent.burst(), 8, 3, kernel::channel_window{ 0, 8 });
    BOOST_CHECK_EQUAL(found.window.timing, 0);
    BOOST_CHECK_EQUAL(found.window.length, 8);
    BOOST_CHECK_EQUAL(found.taps.rows(), 8);
    BOOST_CHECK_EQUAL(sent.errors(found), 0);
}

BOOST_AUTO_TEST_CASE(samples_that_there_are_not_say_nothing)
{
    gsm_burst sent(2, 0.03, 4);
    for (auto& stream : sent.received)
        stream.conservativeResize(SYMBOLS);
    const kernel::expected_burst found =
        kernel::expect_and_maximize(sent.burst(), LENGTH, 3);
    // the last symbols come with the samples that are missing
    for (Index n = 0; n < SYMBOLS - 4; n++)
        if (!sent.known[n])
            BOOST_CHECK_EQUAL(found.likeliest[n], sent.sent[n]);
}
