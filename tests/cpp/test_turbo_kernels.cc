/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/lmmse_equalizer.h>
#include <gnuradio/reservoir/kernel/random.h>
#include <gnuradio/reservoir/kernel/soft_channel.h>

#include <Eigen/Dense>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <complex>

namespace kernel = gr::reservoir::kernel;
using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

namespace {

constexpr Index COUNT = 200;

VectorXcd gaussian_samples(Index count, kernel::random& generator)
{
    VectorXcd samples(count);
    for (auto& sample : samples)
        sample = generator.complex_gaussian();
    return samples;
}

VectorXcd qpsk_symbols(Index count, kernel::random& generator)
{
    VectorXcd symbols(count);
    for (auto& symbol : symbols)
        symbol = { generator.gaussian() > 0.0 ? M_SQRT1_2 : -M_SQRT1_2,
                   generator.gaussian() > 0.0 ? M_SQRT1_2 : -M_SQRT1_2 };
    return symbols;
}

MatrixXcd mixed_taps(Index streams)
{
    MatrixXcd taps(4, streams);
    taps.col(0) << std::complex<double>(0.4, -0.2), 1.0, std::complex<double>(0.0, 0.45),
        -0.2;
    if (streams == 2)
        taps.col(1) << 0.1, std::complex<double>(-0.7, 0.3), 0.5,
            std::complex<double>(0.0, 0.3);
    return taps;
}

// Half of the symbols known for certain, the others in part.
kernel::soft_symbols half_known(const VectorXcd& sent, kernel::random& generator)
{
    kernel::soft_symbols symbols = { sent, VectorXd::Zero(sent.size()) };
    for (Index n = 0; n < sent.size(); n += 2) {
        symbols.mean(n) *= 0.5 + 0.1 * generator.gaussian();
        symbols.variance(n) = 1.0 - std::norm(symbols.mean(n));
    }
    return symbols;
}

double worst(const VectorXcd& a, const VectorXcd& b)
{
    return (a - b).cwiseAbs().maxCoeff();
}

} // namespace

BOOST_AUTO_TEST_CASE(channel_estimate_solves_the_equations_it_states)
{
    constexpr int LENGTH = 4, TIMING = 2;
    constexpr double RIDGE = 1e-3;
    kernel::random generator(1);
    const VectorXcd sent = qpsk_symbols(COUNT, generator);
    const auto symbols = half_known(sent, generator);
    kernel::sample_streams received =
        kernel::delayed(kernel::channel_output(sent, mixed_taps(2)), -TIMING);
    for (auto& stream : received)
        stream += 0.3 * gaussian_samples(COUNT, generator);
    for (const bool weighted : { false, true }) {
        VectorXd weights = VectorXd::Ones(COUNT);
        for (Index n = 0; weighted && n < COUNT; n++)
            weights(n) = std::exp(-std::abs(n - 80.0) / 50.0);
        const kernel::row_range rows = { 0, COUNT - 20 };
        const auto found = kernel::estimate_soft_channel(received,
                                                         symbols,
                                                         { TIMING, LENGTH },
                                                         rows,
                                                         weighted ? weights : VectorXd(),
                                                         RIDGE);
        MatrixXcd gram = MatrixXcd::Zero(LENGTH, LENGTH);
        MatrixXcd cross = MatrixXcd::Zero(LENGTH, 2);
        double total = 0.0, squares = 0.0;
        const auto lags = [&](Index n) -> VectorXcd {
            return symbols.mean.segment(n - LENGTH + 1, LENGTH).reverse();
        };
        for (Index n = LENGTH - 1; n < rows.last; n++) {
            gram += weights(n) * lags(n).conjugate() * lags(n).transpose();
            for (Index l = 0; l < LENGTH; l++)
                gram(l, l) += weights(n) * symbols.variance(n - l);
            for (Index q = 0; q < 2; q++)
                cross.col(q) +=
                    weights(n) * received[q](n - TIMING) * lags(n).conjugate();
            total += weights(n);
            squares += weights(n) * weights(n);
        }
        gram.diagonal().array() += RIDGE * total;
        const MatrixXcd taps = gram.ldlt().solve(cross);
        BOOST_CHECK_SMALL((found.taps - taps).norm(), 1e-9);
        for (Index q = 0; q < 2; q++) {
            double left = 0.0;
            for (Index n = LENGTH - 1; n < rows.last; n++) {
                left += weights(n) * std::norm(received[q](n - TIMING) -
                                               (lags(n).transpose() * taps.col(q))(0));
                for (Index l = 0; l < LENGTH; l++)
                    left += weights(n) * symbols.variance(n - l) * std::norm(taps(l, q));
            }
            const double count = total * total / squares;
            const double expected =
                left / total / (1.0 - LENGTH / count) * (1.0 + LENGTH / count);
            BOOST_CHECK_CLOSE(found.noise_variance(q), expected, 1e-6);
        }
    }
}

// Expectation maximisation stays at the truth: with what the true channel and noise tell of the
// symbols both come out again, although many decisions would be wrong.
BOOST_AUTO_TEST_CASE(channel_and_noise_stay_where_they_are_right)
{
    constexpr Index MANY = 40000;
    constexpr double NOISE = 1.2;
    const std::complex<double> tap(0.6, -0.8);
    kernel::random generator(2);
    const VectorXcd sent = qpsk_symbols(MANY, generator);
    const VectorXcd noise = gaussian_samples(MANY, generator);
    const VectorXcd received = tap * sent + std::sqrt(NOISE) * noise;
    kernel::soft_symbols symbols = { VectorXcd(MANY), VectorXd(MANY) };
    for (Index n = 0; n < MANY; n++) {
        const auto matched = std::conj(tap) * received(n) * (2.0 * M_SQRT1_2 / NOISE);
        symbols.mean(n) = M_SQRT1_2 * std::complex<double>(std::tanh(matched.real()),
                                                           std::tanh(matched.imag()));
        symbols.variance(n) = 1.0 - std::norm(symbols.mean(n));
    }
    const auto found = kernel::estimate_soft_channel(
        { received }, symbols, { 0, 1 }, { 0, MANY }, {}, 0.0);
    BOOST_CHECK_SMALL(std::abs(found.taps(0, 0) - tap), 0.03);
    BOOST_CHECK_CLOSE(found.noise_variance(0), NOISE, 3.0);
}

BOOST_AUTO_TEST_CASE(filter_is_the_matrix_formula)
{
    constexpr double VARIANCE = 0.4;
    kernel::random generator(3);
    for (const Index streams : { 1, 2 }) {
        const kernel::soft_channel channel = { mixed_taps(streams),
                                               VectorXd::LinSpaced(streams, 0.1, 0.3) };
        const VectorXcd sent = qpsk_symbols(COUNT, generator);
        kernel::soft_symbols symbols = { 0.6 * sent, VectorXd::Constant(COUNT, 0.64) };
        auto received = kernel::channel_output(sent, channel.taps);
        for (Index q = 0; q < streams; q++)
            received[q] +=
                std::sqrt(channel.noise_variance(q)) * gaussian_samples(COUNT, generator);

        // x + (v Hᴴ (v H Hᴴ + N)⁻¹ (r − H x)) over the share of itself that this leaves
        MatrixXcd matrix = MatrixXcd::Zero(streams * COUNT, COUNT);
        VectorXcd error(streams * COUNT);
        VectorXd noise(streams * COUNT);
        for (Index q = 0; q < streams; q++) {
            for (Index n = 0; n < COUNT; n++)
                for (Index l = 0; l < 4 && l <= n; l++)
                    matrix(q * COUNT + n, n - l) = channel.taps(l, q);
            error.segment(q * COUNT, COUNT) = received[q];
            noise.segment(q * COUNT, COUNT).setConstant(channel.noise_variance(q));
        }
        error -= matrix * symbols.mean;
        MatrixXcd covariance = VARIANCE * matrix * matrix.adjoint();
        covariance.diagonal() += noise;
        const MatrixXcd filter = matrix.adjoint() * covariance.inverse();
        const VectorXcd filtered = filter * error;

        kernel::lmmse_equalizer equalizer(COUNT);
        VectorXcd equalized;
        const double left = equalizer.equalize(
            received, symbols, { 0, COUNT }, 0, channel, VARIANCE, 0, equalized);
        for (Index n = 60; n < COUNT - 60; n++) {
            const double share = (filter.row(n) * matrix.col(n))(0).real();
            const auto expected = symbols.mean(n) + filtered(n) / share;
            BOOST_CHECK_SMALL(std::abs(equalized(n) - expected), 1e-4);
            BOOST_CHECK_CLOSE(left, (1.0 - VARIANCE * share) / share, 0.01);
        }
        // the middle of it alone
        kernel::lmmse_equalizer narrow(COUNT - 40);
        VectorXcd part;
        narrow.equalize(
            received, symbols, { 20, COUNT - 20 }, 0, channel, VARIANCE, 0, part);
        BOOST_REQUIRE_EQUAL(part.size(), COUNT - 40);
        BOOST_CHECK_SMALL(
            worst(part.segment(60, COUNT - 160), equalized.segment(80, COUNT - 160)),
            1e-4);
    }
}

BOOST_AUTO_TEST_CASE(symbols_that_are_known_come_out_with_the_noise_of_the_matched_filter)
{
    kernel::random generator(4);
    const VectorXcd sent = qpsk_symbols(4000, generator);
    const kernel::soft_channel channel = { mixed_taps(1), VectorXd::Constant(1, 0.25) };
    auto received = kernel::delayed(kernel::channel_output(sent, channel.taps), -1);
    received[0] += 0.5 * gaussian_samples(sent.size(), generator);
    kernel::lmmse_equalizer equalizer(sent.size());
    VectorXcd equalized;
    const double left = equalizer.equalize(received,
                                           { sent, VectorXd::Zero(sent.size()) },
                                           { 0, sent.size() },
                                           1,
                                           channel,
                                           1e-6,
                                           0,
                                           equalized);
    const double bound = 0.25 / channel.taps.squaredNorm();
    BOOST_CHECK_CLOSE(left, bound, 0.1);
    const VectorXcd error = equalized - sent;
    BOOST_CHECK_CLOSE(error.head(3990).squaredNorm() / 3990, bound, 5.0);
}

BOOST_AUTO_TEST_CASE(what_is_left_out_does_not_matter)
{
    kernel::random generator(5);
    const VectorXcd sent = qpsk_symbols(COUNT, generator);
    const kernel::soft_channel channel = { mixed_taps(1), VectorXd::Constant(1, 0.1) };
    auto received = kernel::channel_output(sent, channel.taps);
    auto other = received;
    other[0].head(3).setConstant(100.0);
    kernel::lmmse_equalizer equalizer(COUNT);
    VectorXcd one, two;
    const kernel::soft_symbols symbols = { sent, VectorXd::Ones(COUNT) };
    equalizer.equalize(received, symbols, { 0, COUNT }, 0, channel, 1.0, 3, one);
    equalizer.equalize(other, symbols, { 0, COUNT }, 0, channel, 1.0, 3, two);
    BOOST_CHECK_SMALL(worst(one, two), 1e-12);
    equalizer.equalize(other, symbols, { 0, COUNT }, 0, channel, 1.0, 0, two);
    BOOST_CHECK_GT(worst(one, two), 1.0);
}

BOOST_AUTO_TEST_CASE(an_equalizer_of_nothing_is_refused)
{
    BOOST_CHECK_THROW(kernel::lmmse_equalizer(0), std::invalid_argument);
}
