/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/interpolated_channel.h"
#include <gnuradio/reservoir/kernel/random.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

namespace kernel = gr::reservoir::kernel;
using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;
using gr::reservoir::interpolated_channel;
using gr::reservoir::local_channel;
using gr::reservoir::tracking_memory;

namespace {

constexpr Index SYMBOLS = 480, LENGTH = 3, TIMING = 1;
constexpr tracking_memory ENDLESS = { 1e9, false }, WITH_TREND = { 128.0, true };

MatrixXcd drawn(Index rows, Index columns, uint64_t seed)
{
    kernel::random generator(seed);
    MatrixXcd values(rows, columns);
    for (auto& value : values.reshaped())
        value = generator.complex_gaussian();
    return values;
}

// Taps h + s n / SYMBOLS of symbol n; 16 symbols are known after every 32.
struct moving_burst {
    MatrixXcd h = drawn(LENGTH, 2, 1), s;
    VectorXcd sent = drawn(SYMBOLS, 1, 3);
    std::vector<char> there = std::vector<char>(SYMBOLS);
    kernel::sample_streams received = { VectorXcd::Zero(SYMBOLS + 8),
                                        VectorXcd::Zero(SYMBOLS + 8) };

    explicit moving_burst(double speed) : s(speed * drawn(LENGTH, 2, 2))
    {
        for (Index n = 0; n < SYMBOLS; n++) {
            there[n] = n % 48 >= 32;
            for (Index q = 0; q < 2; q++)
                for (Index l = 0; l < std::min(n + 1, LENGTH); l++)
                    received[q](n) += at(n)(l, q) * sent(n - l);
        }
        for (auto& stream : received) // timing: one sample early
            stream.head(SYMBOLS) = stream.segment(TIMING, SYMBOLS).eval();
    }
    MatrixXcd at(double n) const { return h + n / SYMBOLS * s; }
    interpolated_channel channel() const
    {
        return { received, { TIMING, LENGTH }, sent, there };
    }
};

} // namespace

BOOST_AUTO_TEST_CASE(rows_count_whose_symbols_are_all_there)
{
    const moving_burst burst(0.0);
    // of 16 symbols in a row all but the first two, in two streams
    BOOST_TEST(burst.channel().rows({ 0, SYMBOLS }) == 2.0 * 10 * 14);
    auto none = burst;
    std::fill(none.there.begin(), none.there.end(), false);
    BOOST_TEST(none.channel().rows({ 0, SYMBOLS }) == 0.0);
}

BOOST_AUTO_TEST_CASE(a_channel_that_stands_still_is_found_from_the_known_symbols)
{
    const moving_burst burst(0.0);
    for (const tracking_memory memory : { ENDLESS, WITH_TREND, { 48.0, false } }) {
        const local_channel found = burst.channel().around({ 192, 224 }, memory);
        BOOST_TEST((found.taps - burst.h).norm() < 5e-3 * burst.h.norm());
    }
}

BOOST_AUTO_TEST_CASE(a_trend_follows_a_channel_that_moves)
{
    const moving_burst burst(2.0);
    const local_channel with = burst.channel().around({ 0, 32 }, WITH_TREND);
    const local_channel without = burst.channel().around({ 0, 32 }, { 128.0, false });
    for (const double n : { 0.0, 16.0, 32.0 })
        BOOST_TEST((with.at(n) - burst.at(n)).norm() <
                   0.15 * (without.at(n) - burst.at(n)).norm());
}

BOOST_AUTO_TEST_CASE(what_is_learnt_counts)
{
    moving_burst burst(0.0);
    interpolated_channel channel = burst.channel();
    std::fill(burst.there.begin(), burst.there.begin() + 96, true);
    channel.learn(burst.sent, burst.there, { 0, 32 });
    channel.learn(burst.sent, burst.there, { 48, 80 });
    const interpolated_channel whole = burst.channel();
    BOOST_TEST(channel.rows({ 0, SYMBOLS }) == whole.rows({ 0, SYMBOLS }));
    const auto taps = [](const interpolated_channel& of) {
        return of.around({ 0, 32 }, ENDLESS).taps;
    };
    BOOST_TEST((taps(channel) - taps(whole)).norm() < 1e-12);
}

BOOST_AUTO_TEST_CASE(a_block_is_judged_by_what_was_not_fitted_on_it)
{
    moving_burst burst(0.0);
    for (auto& stream : burst.received) // another channel in one known run
        stream.segment(224, 16) *= -1.0;
    const interpolated_channel channel = burst.channel();
    const kernel::row_range run = { 224, 240 };
    const auto left = [&](bool own) {
        return channel.residual(run, channel.around(run, { 8.0, false }, own));
    };
    BOOST_TEST(left(true) < 0.1 * left(false));
}

BOOST_AUTO_TEST_CASE(nothing_known_is_no_channel)
{
    moving_burst burst(0.0);
    std::fill(burst.there.begin(), burst.there.end(), false);
    for (const tracking_memory memory : { ENDLESS, WITH_TREND }) {
        const local_channel found = burst.channel().around({ 96, 144 }, memory);
        BOOST_TEST(found.taps.norm() == 0.0);
        BOOST_TEST(found.noise_variance > 0.0);
        BOOST_TEST(std::isfinite(found.noise_variance));
    }
}
