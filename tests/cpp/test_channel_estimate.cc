/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "gaussian.h"
#include <gnuradio/reservoir/kernel/channel_estimate.h>
#include <gnuradio/reservoir/kernel/timing_and_length.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>

namespace kernel = gr::reservoir::kernel;
namespace data = boost::unit_test::data;
using Eigen::VectorXcd;

namespace {

// two streams, neither real nor symmetric
Eigen::MatrixXcd two_channels()
{
    Eigen::MatrixXcd taps(3, 2);
    taps << std::complex<double>(0.9, 0.1), std::complex<double>(0.0, -0.7),
        std::complex<double>(-0.2, 0.5), std::complex<double>(0.4, 0.0),
        std::complex<double>(0.0, 0.3), std::complex<double>(0.1, 0.6);
    return taps;
}

} // namespace

BOOST_AUTO_TEST_CASE(delay_is_a_shift_with_zeros)
{
    const VectorXcd samples = gaussian(5, 1);
    BOOST_CHECK_EQUAL(kernel::delayed(samples, 2)(0), 0.0);
    BOOST_CHECK_EQUAL(kernel::delayed(samples, 2)(2), samples(0));
    BOOST_CHECK_EQUAL(kernel::delayed(samples, -2)(0), samples(2));
    BOOST_CHECK_EQUAL(kernel::delayed(samples, -2)(4), 0.0);
    BOOST_CHECK_EQUAL(kernel::delayed(samples, 9).norm(), 0.0);
    const auto matrix = kernel::lagged(samples, { 1, 4 }, 3, -1);
    BOOST_CHECK_EQUAL(matrix(0, 0), samples(2));
    BOOST_CHECK_EQUAL(matrix(0, 2), samples(0));
    BOOST_CHECK_EQUAL(matrix(2, 1), samples(3));
}

BOOST_AUTO_TEST_CASE(noiseless_channels_are_found)
{
    const VectorXcd sent = gaussian(200, 2);
    const auto received = kernel::channel_output(sent, two_channels());
    const std::complex<double> expected = two_channels()(0, 1) * sent(7) +
                                          two_channels()(1, 1) * sent(6) +
                                          two_channels()(2, 1) * sent(5);
    BOOST_CHECK_SMALL(std::abs(received[1](7) - expected), 1e-12);
    const auto found = kernel::estimate_channel(
        received, sent, { 2, 200 }, Eigen::VectorXd::Ones(200), 3, 0.0);
    BOOST_CHECK_SMALL((found.taps - two_channels()).norm(), 1e-9);
    BOOST_CHECK_SMALL(found.noise_variance, 1e-15);
    BOOST_CHECK_SMALL(kernel::forward_residual(received, sent, { 2, 200 }, 3), 1e-4);
}

BOOST_AUTO_TEST_CASE(noise_variance_counts_the_degrees_of_freedom)
{
    double sum = 0.0;
    constexpr int FRAMES = 400;
    for (int f = 0; f < FRAMES; f++) {
        const VectorXcd sent = gaussian(20, 10 + f);
        auto received = kernel::channel_output(sent, two_channels());
        received[0] += 0.5 * gaussian(20, 10000 + f);
        received[1] += 0.5 * gaussian(20, 20000 + f);
        sum += kernel::estimate_channel(
                   received, sent, { 2, 20 }, Eigen::VectorXd::Ones(20), 3, 0.0)
                   .noise_variance /
               FRAMES;
    }
    BOOST_CHECK_CLOSE(sum, 0.25, 4.0);
}

BOOST_AUTO_TEST_CASE(weights_choose_the_rows)
{
    const VectorXcd sent = gaussian(100, 3);
    auto received = kernel::channel_output(sent, two_channels());
    received[0].tail(50) += gaussian(50, 4);
    Eigen::VectorXd weights = Eigen::VectorXd::Ones(100);
    weights.tail(50).setZero();
    const auto found =
        kernel::estimate_channel(received, sent, { 2, 100 }, weights, 3, 0.0);
    BOOST_CHECK_SMALL((found.taps - two_channels()).norm(), 1e-9);
}

BOOST_DATA_TEST_CASE(timing_and_length_are_found,
                     data::make({ -7, -2, 0, 1, 3, 6 }),
                     timing)
{
    int right = 0;
    for (int f = 0; f < 40; f++) {
        const VectorXcd sent = gaussian(200, 100 + f);
        auto received = kernel::channel_output(sent, two_channels());
        for (size_t q = 0; q < 2; q++) {
            received[q] = kernel::delayed(received[q], -timing); // r[n] = s[n + timing]
            received[q] += 0.2 * gaussian(200, 500 + 2 * f + q);
        }
        // range 0 ... 180: what the delay pulls in at the end is known to the model
        const auto found = kernel::select_channel_window(
            received, sent, { 0, 180 }, Eigen::VectorXd::Ones(200));
        // too early a start costs taps that are zero: only the exact window is right
        right += timing >= -(16 - 1) && found.timing == timing && found.length == 3;
    }
    BOOST_CHECK_GE(right, 36);
}

BOOST_AUTO_TEST_CASE(few_symbols_give_one_tap)
{
    for (int count : { 1, 2, 3 }) {
        const VectorXcd sent = gaussian(count, 5);
        const auto found = kernel::select_channel_window(
            { sent }, sent, { 0, count }, Eigen::VectorXd::Ones(count));
        BOOST_CHECK_EQUAL(found.length, 1);
        BOOST_CHECK_EQUAL(found.timing, 0);
    }
}
