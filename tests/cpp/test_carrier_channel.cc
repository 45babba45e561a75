/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/carrier_channel.h>
#include <gnuradio/reservoir/kernel/random.h>

#include <Eigen/LU>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cmath>
#include <vector>

namespace kernel = gr::reservoir::kernel;
using Eigen::Index;
using Eigen::MatrixXcd;
using kernel::carrier_mask;
using kernel::carrier_streams;
using kernel::mimo_matrix;
using kernel::mimo_taps;
typedef std::complex<double> cdouble;

namespace {

constexpr double ROUNDING = 1e-10;
constexpr double RIDGE =
    1e-3; // of the estimate: on orthogonal pilots it divides by 1 + this
constexpr Index N = 64;

mimo_taps
random_taps(kernel::random& generator, Index length, Index streams, Index antennas)
{
    mimo_taps taps = { length, MatrixXcd(length * streams, antennas) };
    for (cdouble& value : taps.values.reshaped())
        value = generator.complex_gaussian();
    return taps;
}

// Of modulus one.
MatrixXcd random_phases(kernel::random& generator, Index rows, Index columns)
{
    MatrixXcd drawn(rows, columns);
    for (cdouble& value : drawn.reshaped())
        value = std::polar(1.0, 2.0 * M_PI * generator.uniform());
    return drawn;
}

// R_r[k] = sum_j X_j[k] sum_l h_jr[l] exp(-2 pi i k l / N) + noise
carrier_streams receive(const carrier_streams& sent,
                        const mimo_taps& taps,
                        double deviation,
                        kernel::random& generator)
{
    const Index size = sent[0].rows();
    carrier_streams received(taps.values.cols(), MatrixXcd::Zero(size, sent[0].cols()));
    for (size_t r = 0; r < received.size(); r++)
        for (Index k = 0; k < size; k++) {
            for (size_t j = 0; j < sent.size(); j++) {
                cdouble response = 0.0;
                for (Index l = 0; l < taps.length; l++)
                    response += taps.of(j)(l, r) *
                                std::polar(1.0, -2.0 * M_PI * k * l / double(size));
                received[r].row(k) += response * sent[j].row(k);
            }
            for (Index n = 0; n < sent[0].cols(); n++)
                received[r](k, n) += deviation * generator.complex_gaussian();
        }
    return received;
}

carrier_mask all_of(Index symbols) { return carrier_mask::Constant(N, symbols, true); }

// Two streams whose products over any two symbols are zero.
carrier_streams orthogonal_pair(kernel::random& generator)
{
    const MatrixXcd one = random_phases(generator, N, 1);
    carrier_streams pilots(2, MatrixXcd(N, 2));
    pilots[0] << one, one;
    pilots[1] << one, -one;
    return pilots;
}

} // namespace

BOOST_AUTO_TEST_CASE(responses_are_the_taps_transform)
{
    kernel::random generator(1);
    const mimo_taps taps = random_taps(generator, 5, 2, 3);
    const auto responses = taps.responses(12);
    BOOST_REQUIRE(responses.size() == 12u);
    for (Index k = 0; k < 12; k++) {
        BOOST_REQUIRE((responses[k].rows() == 3 && responses[k].cols() == 2));
        for (Index j = 0; j < 2; j++)
            for (Index r = 0; r < 3; r++) {
                cdouble wanted = 0.0;
                for (Index l = 0; l < 5; l++)
                    wanted += taps.values(5 * j + l, r) *
                              std::polar(1.0, -2.0 * M_PI * k * l / 12.0);
                BOOST_TEST(std::abs(responses[k](r, j) - wanted) < ROUNDING);
            }
    }
}

// But for the ridge, whose share is known.
BOOST_AUTO_TEST_CASE(orthogonal_pilots_without_noise)
{
    kernel::random generator(2);
    const mimo_taps taps = random_taps(generator, 7, 2, 3);
    const carrier_streams pilots = orthogonal_pair(generator);
    const auto received = receive(pilots, taps, 0.0, generator);
    for (const Index length : { 0, 7 }) {
        const auto found =
            kernel::estimate_carrier_channel(received, pilots, all_of(2), 16, length);
        BOOST_TEST(found.taps.length == 7);
        BOOST_TEST((found.taps.values * (1.0 + RIDGE) - taps.values).norm() <
                   ROUNDING * taps.values.norm());
        // what the ridge leaves: 1e-6 of the energy, twice
        BOOST_TEST(found.noise_variance < 1e-2 * taps.values.squaredNorm());
    }
    const auto more =
        kernel::estimate_carrier_channel(received, pilots, all_of(2), 16, 16);
    BOOST_TEST(more.taps.length == 16);
    for (Index j = 0; j < 2; j++)
        BOOST_TEST(more.taps.of(j).bottomRows(9).norm() < ROUNDING);
}

// Other frames leave nothing behind, nor do what is not usable and what was asked before.
BOOST_AUTO_TEST_CASE(one_estimator_for_many_frames)
{
    kernel::random generator(12);
    carrier_mask usable = all_of(3);
    usable.row(5).setConstant(false);
    usable.col(1).setConstant(false);
    const carrier_streams pilots = { random_phases(generator, N, 3),
                                     random_phases(generator, N, 3) };
    const kernel::carrier_channel_estimator estimator(pilots, usable, 16);
    for (const Index length : { 0, 3, 0, 16 }) {
        const mimo_taps taps = random_taps(generator, 6, 2, 3);
        const auto received = receive(pilots, taps, 0.1, generator);
        const auto found = estimator.estimate(received, length);
        const auto wanted =
            kernel::estimate_carrier_channel(received, pilots, usable, 16, length);
        BOOST_TEST(found.taps.length == (length == 0 ? 6 : length));
        BOOST_TEST((found.taps.values == wanted.taps.values));
        BOOST_TEST(found.noise_variance == wanted.noise_variance);
    }
}

// Stream j has pilots on every second carrier, from j on, and is silent on the others.
BOOST_AUTO_TEST_CASE(combs_of_streams_that_are_silent_in_turns)
{
    kernel::random generator(3);
    const mimo_taps taps = random_taps(generator, 9, 2, 2);
    carrier_streams pilots(2, random_phases(generator, N, 2));
    for (Index k = 0; k < N; k++)
        pilots[1 - k % 2].row(k).setZero();
    const auto found = kernel::estimate_carrier_channel(
        receive(pilots, taps, 0.0, generator), pilots, all_of(2), 16);
    BOOST_TEST(found.taps.length == 9);
    // a stream has half of the equations' energy
    BOOST_TEST((found.taps.values * (1.0 + 2.0 * RIDGE) - taps.values).norm() <
               ROUNDING * taps.values.norm());
}

// Every fourth carrier, in the next symbol the one in their middle (as LTE's pilots).
BOOST_AUTO_TEST_CASE(only_usable_carriers_count)
{
    kernel::random generator(4);
    const mimo_taps taps = random_taps(generator, 6, 1, 2);
    const carrier_streams pilots(1, random_phases(generator, N, 4));
    carrier_mask usable = carrier_mask::Constant(N, 4, false);
    for (Index n = 0; n < 4; n++)
        for (Index k = n % 2 * 2; k < N; k += 4)
            usable(k, n) = true;
    auto received = receive(pilots, taps, 0.0, generator);
    const auto found = kernel::estimate_carrier_channel(received, pilots, usable, 16);
    BOOST_TEST(found.taps.length == 6);
    BOOST_TEST((found.taps.values * (1.0 + RIDGE) - taps.values).norm() <
               ROUNDING * taps.values.norm());
    for (auto& antenna : received)
        antenna = usable.select(antenna, cdouble(1e3, -1e3));
    const auto again = kernel::estimate_carrier_channel(received, pilots, usable, 16);
    BOOST_TEST((again.taps.values == found.taps.values));
    BOOST_TEST(again.noise_variance == found.noise_variance);
}

// With few equations: without the degrees of freedom it would be a quarter too small.
BOOST_AUTO_TEST_CASE(noise_variance_is_unbiased)
{
    constexpr double VARIANCE = 0.01;
    constexpr int RUNS = 300;
    kernel::random generator(5);
    double sum = 0.0;
    for (int run = 0; run < RUNS; run++) {
        const carrier_streams pilots = { random_phases(generator, N, 1),
                                         random_phases(generator, N, 1) };
        const mimo_taps taps = random_taps(generator, 8, 2, 2);
        const auto received = receive(pilots, taps, std::sqrt(VARIANCE), generator);
        sum += kernel::estimate_carrier_channel(received, pilots, all_of(1), 16, 8)
                   .noise_variance;
    }
    // of 2 * (64 - 16) complex values each; four standard deviations
    const double tolerance = 4.0 / std::sqrt(RUNS * 2.0 * (64 - 16));
    // the ridge leaves 1e-6 of the taps' power, 16 per antenna: 0.2 % of the noise
    BOOST_TEST(std::abs(sum / RUNS / VARIANCE - 1.0) < tolerance + 0.005);
}

// A tap more wins by a gain of 4 log 256 in the logarithms, of which a gamma variate's mean is 4:
// once in a million.
BOOST_DATA_TEST_CASE(criterion_finds_the_length,
                     boost::unit_test::data::make({ 1, 2, 5, 11, 16 }),
                     length)
{
    kernel::random generator(6);
    for (int run = 0; run < 20; run++) {
        const carrier_streams pilots = { random_phases(generator, N, 2),
                                         random_phases(generator, N, 2) };
        mimo_taps taps = random_taps(generator, length, 2, 2);
        taps.values(length - 1, 0) = 1.0; // the last one is not by chance weak
        const auto received = receive(pilots, taps, 0.1, generator);
        const auto found =
            kernel::estimate_carrier_channel(received, pilots, all_of(2), 16);
        BOOST_TEST(found.taps.length == length);
        // a variance of 0.01 / (count * streams' share) on each tap, and the ridge
        const double wanted = std::sqrt(0.01 / 128 * 4 * length);
        const double ridge = 4.0 * RIDGE * taps.values.norm();
        BOOST_TEST((found.taps.values - taps.values).norm() < 3.0 * wanted + ridge);
    }
}

BOOST_AUTO_TEST_CASE(too_few_equations)
{
    kernel::random generator(7);
    const mimo_taps taps = random_taps(generator, 4, 2, 2);
    const carrier_streams pilots = { random_phases(generator, N, 1),
                                     random_phases(generator, N, 1) };
    const auto received = receive(pilots, taps, 0.1, generator);
    for (const Index count : { 1, 3, 4, 8, 20 })
        for (const Index length : { 0, 1, 16 }) {
            carrier_mask usable = carrier_mask::Constant(N, 1, false);
            usable.topRows(count).setConstant(true);
            const auto found =
                kernel::estimate_carrier_channel(received, pilots, usable, 16, length);
            BOOST_TEST(found.taps.length >= 1);
            BOOST_TEST(found.taps.length <= std::max<Index>(count / 4, 1));
            BOOST_TEST(found.taps.values.rows() == 2 * found.taps.length);
            BOOST_TEST(found.taps.values.allFinite());
            BOOST_TEST((std::isfinite(found.noise_variance) && found.noise_variance > 0));
        }
}

BOOST_AUTO_TEST_CASE(nothing_received)
{
    kernel::random generator(8);
    const carrier_streams pilots = { random_phases(generator, N, 1) };
    const carrier_streams received = { MatrixXcd::Zero(N, 1) };
    const auto found = kernel::estimate_carrier_channel(received, pilots, all_of(1), 16);
    BOOST_TEST(found.taps.values.norm() == 0.0);
    BOOST_TEST((found.noise_variance >= 0.0 && std::isfinite(found.noise_variance)));
}

namespace {

struct residuals {
    carrier_streams received, known;
    std::vector<mimo_matrix> responses;
};

// sqrt(noise) w + sqrt(distortion) H v
residuals draw(kernel::random& generator, double noise, double distortion, Index symbols)
{
    residuals made;
    for (int j = 0; j < 2; j++)
        made.known.push_back(random_phases(generator, N, symbols));
    const mimo_taps taps = random_taps(generator, 4, 2, 3);
    made.responses = taps.responses(N);
    carrier_streams sent = made.known;
    for (MatrixXcd& stream : sent)
        for (cdouble& value : stream.reshaped())
            value += std::sqrt(distortion) * generator.complex_gaussian();
    made.received = receive(sent, taps, std::sqrt(noise), generator);
    return made;
}

kernel::noise_split split(const residuals& made, Index used_taps = 0)
{
    return kernel::split_noise(made.received,
                               made.known,
                               all_of(made.known[0].cols()),
                               made.responses,
                               used_taps);
}

// -2 log-likelihood of the residuals e when their covariance is noise (I + ratio H H^H), noise the likeliest.
double unlikelihood(const carrier_streams& left,
                    const carrier_mask& usable,
                    const std::vector<mimo_matrix>& responses,
                    double ratio)
{
    double energy = 0.0, logs = 0.0, total = 0.0;
    const Index antennas = left.size();
    for (Index n = 0; n < usable.cols(); n++)
        for (Index k = 0; k < usable.rows(); k++) {
            if (!usable(k, n))
                continue;
            const auto of_carrier = Eigen::VectorXcd::NullaryExpr(
                antennas, [&](Index r) { return left[r](k, n); });
            MatrixXcd covariance = ratio * responses[k] * responses[k].adjoint();
            covariance.diagonal().array() += 1.0;
            energy += of_carrier.dot(covariance.inverse() * of_carrier).real();
            logs += std::log(covariance.determinant().real());
            total += double(antennas);
        }
    return total * std::log(energy / total) + logs;
}

} // namespace

BOOST_AUTO_TEST_CASE(covariance_is_noise_and_distortion)
{
    kernel::random generator(9);
    const mimo_matrix channel = random_taps(generator, 1, 2, 3).responses(2)[0];
    const mimo_matrix found = kernel::noise_split{ 0.5, 0.2 }.covariance(channel);
    const mimo_matrix wanted =
        0.5 * mimo_matrix::Identity(3, 3) + 0.2 * channel * channel.adjoint();
    BOOST_TEST((found - wanted).norm() < ROUNDING);
}

// The ratio is scanned in steps of 1.8: the nearest is at most a factor of 1.35 off, the likeliest one
// at most a step further.
BOOST_DATA_TEST_CASE(noise_and_distortion_are_told_apart,
                     boost::unit_test::data::make({ 0.03, 0.3, 1.0, 7.0 }),
                     ratio)
{
    kernel::random generator(10);
    for (int run = 0; run < 10; run++) {
        const kernel::noise_split found = split(draw(generator, 0.01, 0.01 * ratio, 8));
        const double off = std::log(found.distortion / found.noise / ratio);
        BOOST_TEST(std::abs(off) < std::log(1.35 * 1.8));
        // only one of three antennas' directions is without distortion where it is strong
        BOOST_TEST(std::abs(std::log(found.noise / 0.01)) < std::log(1.35));
    }
}

// Twice the gain of the logarithm is of chi-squared distribution: above 4 in one case of 44.
BOOST_AUTO_TEST_CASE(noise_alone_is_no_distortion)
{
    kernel::random generator(11);
    int found = 0;
    for (int run = 0; run < 40; run++) {
        const kernel::noise_split noise = split(draw(generator, 0.01, 0.0, 2));
        found += noise.distortion > 0.0;
        BOOST_TEST(std::abs(noise.noise / 0.01 - 1.0) <
                   4.0 / std::sqrt(3.0 * 2.0 * N) + 0.05);
    }
    BOOST_TEST(found <= 5); // a binomial variate that is larger once in a thousand
}

// Carriers are known in different numbers of symbols; no ratio of the scan is more likely.
BOOST_DATA_TEST_CASE(the_likeliest_ratio_is_found,
                     boost::unit_test::data::make({ 1, 2, 3 }),
                     antennas)
{
    kernel::random generator(20 + antennas);
    const mimo_taps taps = random_taps(generator, 4, 2, antennas);
    const auto responses = taps.responses(N);
    carrier_mask usable = all_of(4);
    for (Index k = 0; k < N; k++)
        usable.row(k).head(k % 4).setConstant(false);
    const carrier_streams sent(2, random_phases(generator, N, 4));
    carrier_streams distorted = sent;
    for (MatrixXcd& stream : distorted)
        for (cdouble& value : stream.reshaped())
            value += 0.2 * generator.complex_gaussian();
    const auto received = receive(distorted, taps, 0.2, generator);
    const auto found = kernel::split_noise(received, sent, usable, responses, 0);
    carrier_streams left = receive(sent, taps, 0.0, generator);
    for (size_t r = 0; r < left.size(); r++)
        left[r] = received[r] - left[r];
    BOOST_REQUIRE(found.distortion > 0.0);
    const double least =
        unlikelihood(left, usable, responses, found.distortion / found.noise);
    for (const double other : { 0.0, 0.1, 0.18, 0.32, 0.56, 1.0, 1.8, 3.2, 5.6, 10.0 })
        BOOST_TEST(unlikelihood(left, usable, responses, other) >= least - 1e-9);
}

BOOST_AUTO_TEST_CASE(the_fits_share_is_given_back)
{
    kernel::random generator(12);
    const residuals made = draw(generator, 0.01, 0.02, 2);
    const kernel::noise_split all = split(made), fitted = split(made, N / 2);
    const double share = 1.0 - 0.25; // N / 2 of 2 N equations
    BOOST_TEST(fitted.noise * share == all.noise, boost::test_tools::tolerance(ROUNDING));
    BOOST_TEST(fitted.distortion * share == all.distortion,
               boost::test_tools::tolerance(ROUNDING));
    BOOST_TEST(std::isfinite(split(made, 1000 * N).noise));
}
