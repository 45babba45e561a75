/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/amplified_channel.h>
#include <gnuradio/reservoir/kernel/random.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cmath>
#include <vector>

namespace kernel = gr::reservoir::kernel;
using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;
using kernel::amplified_channel;
using kernel::row_range;
using kernel::sample_streams;
typedef std::complex<double> cdouble;

namespace {

constexpr double ROUNDING = 1e-12;

sample_streams random_samples(kernel::random& generator, Index streams, Index size)
{
    sample_streams drawn(streams, VectorXcd(size));
    for (VectorXcd& stream : drawn)
        for (cdouble& value : stream)
            value = generator.complex_gaussian();
    return drawn;
}

// c_1 and c_2 of a stream.
MatrixXcd polynomial(std::vector<cdouble> coefficients, Index streams)
{
    const Eigen::Map<const VectorXcd> column(coefficients.data(), coefficients.size());
    MatrixXcd all = column.replicate(1, streams);
    for (Index j = 0; j < streams; j++)
        all.col(j) *= 1.0 - 0.2 * double(j); // no two amplifiers are alike
    return all;
}

amplified_channel random_channel(kernel::random& generator,
                                 Index length,
                                 Index antennas,
                                 const MatrixXcd& coefficients)
{
    amplified_channel made;
    const Index streams = coefficients.cols();
    made.taps = { length, MatrixXcd(length * streams, antennas) };
    for (cdouble& value : made.taps.values.reshaped())
        value = generator.complex_gaussian() / std::sqrt(double(length * streams));
    made.coefficients = coefficients;
    made.largest = Eigen::VectorXd::Constant(streams, 1e3);
    return made;
}

// The model as it is written.
sample_streams direct(const amplified_channel& model, const sample_streams& sent)
{
    const Index antennas = model.taps.values.cols(), size = sent[0].size();
    sample_streams out(antennas, VectorXcd::Zero(size));
    for (Index r = 0; r < antennas; r++)
        for (Index n = 0; n < size; n++)
            for (Index j = 0; j < Index(sent.size()); j++)
                for (Index l = 0; l < std::min(model.taps.length, n + 1); l++) {
                    const cdouble s = sent[j](n - l);
                    const double size = std::min(std::abs(s), model.largest(j));
                    cdouble gain = 1.0;
                    for (Index q = 0; q < model.coefficients.rows(); q++)
                        gain += model.coefficients(q, j) * std::pow(size, 2.0 * (q + 1));
                    out[r](n) +=
                        model.taps.values(model.taps.length * j + l, r) * s * gain;
                }
    return out;
}

sample_streams
with_noise(sample_streams samples, double deviation, kernel::random& generator)
{
    for (VectorXcd& stream : samples)
        for (cdouble& value : stream)
            value += deviation * generator.complex_gaussian();
    return samples;
}

// Root of the mean power of a - b, over that of b.
double difference(const sample_streams& a, const sample_streams& b)
{
    double error = 0.0, energy = 0.0;
    for (size_t r = 0; r < a.size(); r++) {
        error += (a[r] - b[r]).squaredNorm();
        energy += b[r].squaredNorm();
    }
    return std::sqrt(error / energy);
}

} // namespace

BOOST_DATA_TEST_CASE(output_is_the_model,
                     boost::unit_test::data::xrange(0, 4) *
                         boost::unit_test::data::make({ 1, 2, 9 }),
                     count,
                     length)
{
    kernel::random generator(1);
    for (const Index streams : { 1, 3 }) {
        MatrixXcd coefficients = MatrixXcd::Zero(count, streams);
        for (cdouble& value : coefficients.reshaped())
            value = 0.1 * generator.complex_gaussian();
        amplified_channel model = random_channel(generator, length, 2, coefficients);
        const auto sent = random_samples(generator, streams, 40);
        const auto wanted = direct(model, sent);
        BOOST_REQUIRE(model.output(sent).size() == 2u);
        BOOST_TEST(difference(model.output(sent), wanted) < ROUNDING);
    }
}

BOOST_AUTO_TEST_CASE(gain_stays_beyond_the_largest)
{
    kernel::random generator(2);
    amplified_channel model =
        random_channel(generator, 3, 2, polynomial({ -0.2, 0.01 }, 2));
    model.largest << 0.8, 1.5;
    const auto sent = random_samples(generator, 2, 200);
    BOOST_TEST(difference(model.output(sent), direct(model, sent)) < ROUNDING);
    // twice as much beyond it is twice as much behind it
    const sample_streams far(2, VectorXcd::Constant(20, 4.0));
    const sample_streams twice(2, VectorXcd::Constant(20, 8.0));
    for (Index r = 0; r < 2; r++)
        BOOST_TEST((2.0 * model.output(far)[r] - model.output(twice)[r]).norm() <
                   ROUNDING * model.output(twice)[r].norm());
}

// The fit's ridges are 1e-3 of the energy: of the channel's taps, and of all that the polynomial adds.
BOOST_DATA_TEST_CASE(without_noise_the_model_is_found,
                     boost::unit_test::data::make({ 1, 2 }) *
                         boost::unit_test::data::make({ 0, 6 }),
                     streams,
                     length)
{
    constexpr double RIDGE = 1e-3;
    const cdouble gain(1.5, -0.7); // of the amplifiers, which the channel takes
    kernel::random generator(3);
    for (const auto& curve : { std::vector<cdouble>{ { -0.08, 0.05 } },
                               { { -0.15, 0.05 }, { 0.012, -0.004 } } }) {
        const int count = int(curve.size());
        amplified_channel model =
            random_channel(generator, 6, 2, polynomial(curve, streams));
        model.taps.values *= gain;
        model.taps.values.bottomRows(1).setConstant(0.3);
        const auto sent = random_samples(generator, streams, 2000);
        const auto received = direct(model, sent);
        const auto found = kernel::fit_amplified_channel(
            received, sent, { 9, 2000 }, 10, length, count, count);
        BOOST_TEST(found.coefficients.rows() == count);
        BOOST_TEST(found.taps.length == 6);
        BOOST_TEST(difference(found.output(sent), received) < 10 * RIDGE);
        // with |s|^4 the columns are collinear: the ridge counts some 25 times
        const double share = count > 1 ? 50 * RIDGE : 5 * RIDGE;
        BOOST_TEST((found.coefficients - model.coefficients).norm() <
                   share * model.coefficients.norm());
        BOOST_TEST((found.taps.values - model.taps.values).norm() <
                   share * model.taps.values.norm());
    }
}

BOOST_AUTO_TEST_CASE(no_coefficients_for_a_linear_link)
{
    kernel::random generator(4);
    for (int run = 0; run < 10; run++) {
        const amplified_channel model =
            random_channel(generator, 4, 2, MatrixXcd::Zero(0, 2));
        const auto sent = random_samples(generator, 2, 320);
        const auto received = with_noise(direct(model, sent), 0.03, generator);
        const auto found =
            kernel::fit_amplified_channel(received, sent, { 15, 320 }, 16, 0, 2);
        BOOST_TEST(found.coefficients.rows() == 0);
        BOOST_TEST(found.coefficients.cols() == 2);
        BOOST_TEST(found.taps.length == 4);
        // of 2 * (305 - 8) complex values, four standard deviations
        BOOST_TEST(std::abs(found.noise_variance / (0.03 * 0.03) - 1.0) <
                   4.0 / std::sqrt(2.0 * (305 - 8)));
        // those that are wanted all the same are small
        const auto forced =
            kernel::fit_amplified_channel(received, sent, { 15, 320 }, 16, 0, 2, 1);
        BOOST_TEST(forced.coefficients.rows() >= 1);
        BOOST_TEST(forced.coefficients.norm() < 0.05);
    }
}

BOOST_AUTO_TEST_CASE(some_coefficients_for_an_amplifier)
{
    kernel::random generator(5);
    for (int run = 0; run < 10; run++) {
        const amplified_channel model =
            random_channel(generator, 4, 2, polynomial({ -0.1 }, 2));
        const auto sent = random_samples(generator, 2, 320);
        const auto received = with_noise(direct(model, sent), 0.05, generator);
        const auto found =
            kernel::fit_amplified_channel(received, sent, { 15, 320 }, 16, 0, 2);
        BOOST_TEST(found.coefficients.rows() >= 1);
        // most of what the amplifier adds is taken away: without a model, 0.1^2 E|s|^6 = 0.06 and more
        amplified_channel linear = found;
        linear.coefficients.resize(0, 2);
        const auto wanted = direct(model, sent);
        BOOST_TEST(difference(found.output(sent), wanted) <
                   0.5 * difference(linear.output(sent), wanted));
        BOOST_TEST(found.noise_variance < 2.0 * 0.05 * 0.05);
    }
}

BOOST_AUTO_TEST_CASE(a_given_length_is_kept)
{
    kernel::random generator(6);
    const amplified_channel model =
        random_channel(generator, 4, 2, polynomial({ -0.1 }, 2));
    const auto sent = random_samples(generator, 2, 320);
    const auto received = with_noise(direct(model, sent), 0.05, generator);
    for (const Index length : { 1, 4, 7, 16 }) {
        const auto found =
            kernel::fit_amplified_channel(received, sent, { 15, 320 }, 16, length, 2);
        BOOST_TEST(found.taps.length == length);
        BOOST_TEST(found.taps.values.rows() == 2 * length);
    }
}

// What is received outside of the rows does not count, what is sent before them does.
BOOST_AUTO_TEST_CASE(rows_may_begin_inside)
{
    kernel::random generator(7);
    const amplified_channel model =
        random_channel(generator, 5, 2, polynomial({ -0.1 }, 2));
    auto sent = random_samples(generator, 2, 600);
    auto received = with_noise(direct(model, sent), 0.01, generator);
    const row_range rows = { 120, 500 };
    const auto fit = [&] {
        return kernel::fit_amplified_channel(received, sent, rows, 8, 0, 1, 1);
    };
    const amplified_channel found = fit();
    BOOST_TEST(found.taps.length == 5);
    BOOST_TEST(difference(found.output(sent), direct(model, sent)) < 0.02);
    for (size_t i = 0; i < 2; i++) {
        received[i].head(rows.first).setConstant(30.0);
        received[i].tail(600 - rows.last).setConstant(-30.0);
        sent[i].head(rows.first - 7).setConstant(0.1); // seven lags before are needed
        sent[i].tail(600 - rows.last).setConstant(9.0);
    }
    const amplified_channel again = fit();
    BOOST_TEST((again.taps.values - found.taps.values).norm() < ROUNDING);
    BOOST_TEST((again.coefficients - found.coefficients).norm() < ROUNDING);
    BOOST_TEST(again.largest.maxCoeff() < 9.0);
    sent[0](rows.first - 4) = 0.0;
    BOOST_TEST((fit().taps.values - found.taps.values).norm() > 1e-4);
}

BOOST_AUTO_TEST_CASE(largest_is_that_which_was_seen)
{
    kernel::random generator(8);
    const amplified_channel model =
        random_channel(generator, 3, 2, polynomial({ -0.1 }, 2));
    const auto sent = random_samples(generator, 2, 300);
    const auto found =
        kernel::fit_amplified_channel(direct(model, sent), sent, { 7, 300 }, 8, 0, 2);
    for (Index j = 0; j < 2; j++)
        BOOST_TEST(found.largest(j) == sent[j].cwiseAbs().maxCoeff(),
                   boost::test_tools::tolerance(ROUNDING));
}

BOOST_AUTO_TEST_CASE(silence_and_few_samples_are_fitted_somehow)
{
    kernel::random generator(9);
    auto sent = random_samples(generator, 2, 40);
    const auto check =
        [&](const sample_streams& received, row_range rows, Index longest) {
            const auto found =
                kernel::fit_amplified_channel(received, sent, rows, longest, 0, 2);
            BOOST_TEST(found.taps.length >= 1);
            BOOST_TEST(found.taps.values.allFinite());
            BOOST_TEST(found.coefficients.allFinite());
            BOOST_TEST(std::isfinite(found.noise_variance));
        };
    check(sample_streams(2, VectorXcd::Zero(40)), { 7, 40 }, 8);
    check(random_samples(generator, 2, 40), { 9, 40 }, 10);
    check(random_samples(generator, 2, 40), { 0, 3 }, 1);
    sent[1].setZero(); // an antenna that is silent
    check(random_samples(generator, 2, 40), { 7, 40 }, 8);
    sent[0].setOnes(); // all powers are the same
    check(random_samples(generator, 2, 40), { 7, 40 }, 8);
}
