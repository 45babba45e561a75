/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/channel_drift.h>
#include <gnuradio/reservoir/kernel/random.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

namespace kernel = gr::reservoir::kernel;
using Eigen::Index;
using Eigen::MatrixXcd;
using kernel::channel_drift;
using kernel::mimo_taps;
typedef std::complex<double> cdouble;

namespace {

constexpr Index N = 64, LENGTH = 4, STREAMS = 2, ANTENNAS = 3, SYMBOLS = 16;
constexpr double RIDGE =
    0.015; // of an estimate, at most: the kernel's is 0.01 of the diagonal

MatrixXcd drawn(kernel::random& generator, Index rows, Index columns)
{
    MatrixXcd made(rows, columns);
    for (cdouble& value : made.reshaped())
        value = generator.complex_gaussian();
    return made;
}

// What a symbol lacks whose channel has these taps more than was thought.
MatrixXcd left_of(const MatrixXcd& sent, const mimo_taps& taps)
{
    const auto responses = taps.responses(N);
    MatrixXcd left(N, ANTENNAS);
    for (Index k = 0; k < N; k++)
        left.row(k) = (responses[k] * sent.row(k).transpose()).transpose();
    return left;
}

// Taps that are start + n step at symbol n.
channel_drift moving(const MatrixXcd& start,
                     const MatrixXcd& step,
                     double deviation,
                     kernel::random& generator)
{
    channel_drift drift(N, LENGTH);
    for (Index n = 0; n < SYMBOLS; n++) {
        const MatrixXcd sent = drawn(generator, N, STREAMS);
        const mimo_taps taps = { LENGTH, start + double(n) * step };
        drift.add(left_of(sent, taps) + deviation * drawn(generator, N, ANTENNAS), sent);
    }
    return drift;
}

} // namespace

BOOST_AUTO_TEST_CASE(taps_of_a_channel_that_is_another)
{
    kernel::random generator(1);
    const MatrixXcd taps = drawn(generator, LENGTH * STREAMS, ANTENNAS);
    channel_drift drift = moving(taps, 0.0 * taps, 0.0, generator);
    BOOST_TEST(drift.num_symbols() == SYMBOLS);
    BOOST_TEST(drift.correlation() > 0.8);
    for (const Index place : { Index(0), Index(9), SYMBOLS })
        BOOST_TEST((drift.around(place, 0.7).values - taps).norm() < RIDGE * taps.norm());
    BOOST_TEST((drift.around(0, 0.0, 1).values - taps).norm() < 2 * RIDGE * taps.norm());
}

BOOST_AUTO_TEST_CASE(a_symbol_that_is_left_out_does_not_count)
{
    kernel::random generator(2);
    channel_drift drift(N, LENGTH);
    const MatrixXcd one = drawn(generator, LENGTH * STREAMS, ANTENNAS);
    for (Index n = 0; n < 3; n++) {
        const MatrixXcd sent = drawn(generator, N, STREAMS);
        drift.add(left_of(sent, { LENGTH, n == 1 ? MatrixXcd(5.0 * one) : one }), sent);
    }
    BOOST_TEST((drift.around(1, 0.5, 1).values - one).norm() < RIDGE * one.norm());
    BOOST_TEST((drift.around(1, 0.5).values - one).norm() > one.norm());
}

BOOST_AUTO_TEST_CASE(noise_is_no_drift)
{
    const MatrixXcd none = MatrixXcd::Zero(LENGTH * STREAMS, ANTENNAS);
    for (int seed = 1; seed <= 10; seed++) {
        kernel::random generator(seed);
        channel_drift drift = moving(none, none, 0.1, generator);
        BOOST_TEST(std::abs(drift.correlation()) < 0.2);
        BOOST_TEST(drift.likeliest().empty());
    }
}

BOOST_AUTO_TEST_CASE(drift_is_followed)
{
    kernel::random generator(3);
    const MatrixXcd step = 0.02 * drawn(generator, LENGTH * STREAMS, ANTENNAS);
    const MatrixXcd start =
        -0.5 * (SYMBOLS - 1) * step; // on average, the channel is right
    channel_drift drift = moving(start, step, 0.05, generator);
    const auto found = drift.likeliest();
    BOOST_REQUIRE(Index(found.size()) == SYMBOLS);
    double error = 0.0, moved = 0.0;
    for (Index n = 0; n < SYMBOLS; n++) {
        const MatrixXcd taps = start + double(n) * step;
        error += (found[n].values - taps).squaredNorm();
        moved += taps.squaredNorm();
    }
    BOOST_TEST(error < 0.05 * moved);
}

// Six weights, for each symbol a sum over all of them and a factorisation.
BOOST_AUTO_TEST_CASE(work_grows_with_symbols_and_unknowns)
{
    BOOST_TEST(channel_drift::work(16, 32) == 6.0 * 16 * (16 * 32 * 32 + 32 * 32 * 32));
    BOOST_TEST(channel_drift::work(100, 120) > 100 * channel_drift::work(16, 32));
}
