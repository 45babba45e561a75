/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/remembered_channel.h"
#include <gnuradio/reservoir/kernel/random.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

namespace kernel = gr::reservoir::kernel;
using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;
using gr::reservoir::remembered_channel;

namespace {

constexpr Index SYMBOLS = 3200, BLOCK = 32, LENGTH = 3;

MatrixXcd gaussian(Index rows, Index columns, uint64_t seed)
{
    kernel::random generator(seed);
    MatrixXcd values(rows, columns);
    for (auto& value : values.reshaped())
        value = generator.complex_gaussian();
    return values;
}

// Taps h + s n / SYMBOLS of symbol n.
struct moving_channel {
    MatrixXcd h = gaussian(LENGTH, 2, 1), s = gaussian(LENGTH, 2, 2);
    VectorXcd sent = gaussian(SYMBOLS, 1, 3);
    kernel::sample_streams received = { VectorXcd::Zero(SYMBOLS),
                                        VectorXcd::Zero(SYMBOLS) };

    moving_channel()
    {
        for (Index n = LENGTH; n < SYMBOLS; n++)
            for (Index q = 0; q < 2; q++)
                for (Index l = 0; l < LENGTH; l++)
                    received[q](n) += at(n)(l, q) * sent(n - l);
    }
    MatrixXcd at(double n) const { return h + n / SYMBOLS * s; }

    // how far from the channel such a memory is ahead of all blocks
    double distance(gr::reservoir::tracking_memory memory, double ahead) const
    {
        remembered_channel channel(memory, LENGTH, 2);
        for (Index first = 0; first < SYMBOLS; first += BLOCK)
            channel.add(
                kernel::sum_lags(received, 0, sent, { first, first + BLOCK }, LENGTH),
                BLOCK);
        return (channel.taps(ahead) - at(SYMBOLS + ahead)).norm() / s.norm();
    }
};

} // namespace

BOOST_AUTO_TEST_CASE(with_a_trend_it_does_not_lag)
{
    const moving_channel channel;
    for (const double memory : { 100.0, 400.0 }) {
        const double lag = (memory + 16.0) / SYMBOLS;
        BOOST_TEST(channel.distance({ memory, false }, 16.0) > 0.7 * lag);
        BOOST_TEST(channel.distance({ memory, true }, 16.0) < 0.2 * lag);
    }
}

BOOST_AUTO_TEST_CASE(a_memory_is_of_the_sums_exponentially_weighted)
{
    const moving_channel channel;
    remembered_channel remembered({ 96.0, false }, LENGTH, 2);
    Eigen::VectorXd weights(SYMBOLS);
    for (Index n = 0; n < SYMBOLS; n++)
        weights(n) = std::exp(-double(SYMBOLS - (n / BLOCK + 1) * BLOCK) / 96.0);
    for (Index first = 0; first < SYMBOLS; first += BLOCK)
        remembered.add(
            kernel::sum_lags(
                channel.received, 0, channel.sent, { first, first + BLOCK }, LENGTH),
            BLOCK);
    const auto expected = kernel::sum_lags(
        channel.received, 0, channel.sent, { 0, SYMBOLS }, LENGTH, 0, weights);
    BOOST_CHECK_SMALL((remembered.sums().gram - expected.gram).norm(), 1e-9);
    BOOST_CHECK_SMALL((remembered.sums().cross - expected.cross).norm(), 1e-9);
    BOOST_CHECK_SMALL((remembered.taps(0.0) - expected.taps()).norm(), 1e-9);
}
