/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/noise_whitener.h>
#include <gnuradio/reservoir/kernel/random.h>

#include <Eigen/LU>
#include <boost/test/unit_test.hpp>
#include <cmath>

namespace kernel = gr::reservoir::kernel;
using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;
using kernel::mimo_matrix;
using kernel::mimo_taps;
using kernel::noise_whitener;
using kernel::sample_streams;
typedef std::complex<double> cdouble;

namespace {

constexpr double ROUNDING = 1e-12;
constexpr Index SIZE = 1200, SEEN = 400, MOST = 8;

sample_streams white(kernel::random& generator, double deviation)
{
    sample_streams drawn(2, VectorXcd(SIZE));
    for (VectorXcd& antenna : drawn)
        for (cdouble& value : antenna)
            value = deviation * generator.complex_gaussian();
    return drawn;
}

// Of the samples that the fit has not seen.
MatrixXcd covariance(const sample_streams& streams)
{
    MatrixXcd rows(streams.size(), SIZE - SEEN);
    for (size_t r = 0; r < streams.size(); r++)
        rows.row(r) = streams[r].tail(SIZE - SEEN).transpose();
    return rows * rows.adjoint() / double(SIZE - SEEN);
}

mimo_matrix two_by_two(cdouble a, cdouble b, cdouble c, cdouble d)
{
    mimo_matrix made(2, 2);
    made << a, b, c, d;
    return made;
}

} // namespace

BOOST_AUTO_TEST_CASE(white_noise_is_left_alone)
{
    for (int seed = 1; seed <= 20; seed++) {
        kernel::random generator(seed);
        const sample_streams noise = white(generator, 0.1);
        const noise_whitener filter =
            kernel::fit_noise_whitener(noise, { 5, SEEN }, MOST);
        BOOST_TEST(filter.is_identity());
        BOOST_TEST((filter.apply(noise)[1] == noise[1]));
    }
}

// Another sign, transposition or conjugate of a coefficient would show.
BOOST_AUTO_TEST_CASE(autoregression_is_found)
{
    kernel::random generator(1);
    const mimo_matrix matrix =
        two_by_two({ 0.3, 0.5 }, { 0.2, -0.3 }, { 0.0, 0.1 }, { -0.4, 0.2 });
    sample_streams noise = white(generator, 1.0);
    for (Index n = 1; n < SIZE; n++) {
        const Eigen::Vector2cd before(noise[0](n - 1), noise[1](n - 1));
        const Eigen::Vector2cd predicted = matrix * before;
        noise[0](n) += predicted(0);
        noise[1](n) += predicted(1);
    }
    const noise_whitener filter = kernel::fit_noise_whitener(noise, { 0, SIZE }, MOST);
    BOOST_REQUIRE(filter.order() == 1);
    const MatrixXcd first = filter.taps()[0], second = filter.taps()[1];
    const MatrixXcd found = -first.inverse() * second;
    BOOST_TEST((found - matrix).norm() < 0.1 * matrix.norm());
}

// It stands 30 dB above the noise, and is predicted on samples that were not seen.
BOOST_AUTO_TEST_CASE(tone_is_taken_out)
{
    kernel::random generator(2);
    sample_streams noise = white(generator, 0.1);
    for (Index n = 0; n < SIZE; n++) {
        noise[0](n) += std::polar(3.0, 0.7 * n);
        noise[1](n) += std::polar(3.0, 0.7 * n + 2.0);
    }
    const noise_whitener filter = kernel::fit_noise_whitener(noise, { 3, SEEN }, MOST);
    BOOST_TEST(covariance(noise).trace().real() > 18.0);
    BOOST_TEST(covariance(filter.apply(noise)).trace().real() < 0.02 * 1.25);
}

BOOST_AUTO_TEST_CASE(noise_from_one_direction_needs_no_memory)
{
    kernel::random generator(3);
    sample_streams noise = white(generator, 0.1);
    for (Index n = 0; n < SIZE; n++) {
        const cdouble common = generator.complex_gaussian();
        noise[0](n) += common;
        noise[1](n) += cdouble(0.0, 1.0) * common;
    }
    const noise_whitener filter = kernel::fit_noise_whitener(noise, { 0, SEEN }, MOST);
    BOOST_TEST(!filter.is_identity());
    BOOST_TEST(filter.order() == 0);
    const MatrixXcd left = covariance(filter.apply(noise));
    BOOST_TEST(std::abs(left(0, 1)) < 0.15 * left(0, 0).real());
    BOOST_TEST(std::abs(left(0, 0).real() / left(1, 1).real() - 1.0) < 0.2);
}

BOOST_AUTO_TEST_CASE(undo_finds_the_channel_again)
{
    constexpr Index LENGTH = 5, STREAMS = 3;
    const noise_whitener filter({ two_by_two(1.2, { 0.0, 0.4 }, 0.1, 0.9),
                                  two_by_two({ 0.3, -0.2 }, 0.1, { 0.0, 0.5 }, -0.4),
                                  two_by_two(0.1, -0.2, { 0.2, 0.1 }, 0.3) });
    BOOST_REQUIRE(filter.order() == 2);
    kernel::random generator(4);
    mimo_taps taps = { LENGTH, MatrixXcd(LENGTH * STREAMS, 2) };
    for (cdouble& value : taps.values.reshaped())
        value = generator.complex_gaussian();
    mimo_taps filtered = { LENGTH + 2, MatrixXcd((LENGTH + 2) * STREAMS, 2) };
    for (Index j = 0; j < STREAMS; j++) {
        sample_streams response(2, VectorXcd::Zero(LENGTH + 2));
        for (Index r = 0; r < 2; r++)
            response[r].head(LENGTH) = taps.of(j).col(r);
        response = filter.apply(response);
        for (Index r = 0; r < 2; r++)
            filtered.values.block((LENGTH + 2) * j, r, LENGTH + 2, 1) = response[r];
    }
    BOOST_TEST((filter.undo(filtered, LENGTH).values - taps.values).norm() < ROUNDING);
    BOOST_TEST((noise_whitener().undo(taps, LENGTH).values == taps.values));
}

BOOST_AUTO_TEST_CASE(nothing_from_silence_or_few_samples)
{
    const sample_streams silence(2, VectorXcd::Zero(SIZE));
    BOOST_TEST(kernel::fit_noise_whitener(silence, { 0, SEEN }, MOST).is_identity());
    kernel::random generator(5);
    const sample_streams noise = white(generator, 1.0);
    BOOST_TEST(kernel::fit_noise_whitener(noise, { 0, 10 }, MOST).is_identity());
    BOOST_TEST(kernel::fit_noise_whitener(noise, { 9, 5 }, MOST).is_identity());
}
