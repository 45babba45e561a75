/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "gaussian.h"
#include <gnuradio/reservoir/kernel/carrier_offset.h>
#include <gnuradio/reservoir/kernel/constellation_warp.h>
#include <gnuradio/reservoir/kernel/random.h>
#include <gnuradio/reservoir/kernel/receiver_limiter.h>
#include <gnuradio/reservoir/kernel/receiver_saturation.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cmath>

namespace kernel = gr::reservoir::kernel;
namespace data = boost::unit_test::data;
using cdouble = std::complex<double>;
using Eigen::VectorXcd;

namespace {

VectorXcd qam16()
{
    VectorXcd points(16);
    for (int m = 0; m < 16; m++)
        points(m) = cdouble(2 * (m / 4) - 3, 2 * (m % 4) - 3) / std::sqrt(10.0);
    return points;
}

std::vector<int> draw(size_t count, uint64_t seed)
{
    kernel::random generator(seed);
    std::vector<int> drawn(count);
    for (auto& symbol : drawn)
        symbol = int(std::abs(generator.complex_gaussian().real()) * 1e6) % 16;
    return drawn;
}

Eigen::MatrixXcd channel()
{
    Eigen::MatrixXcd taps(3, 1);
    taps << cdouble(0.8, 0.1), cdouble(-0.3, 0.4), cdouble(0.1, -0.2);
    return taps;
}

constexpr Eigen::Index COUNT = 200;

} // namespace

BOOST_AUTO_TEST_CASE(points_of_a_modulus_share_a_ring)
{
    const auto rings = kernel::amplitude_rings(qam16());
    BOOST_CHECK_EQUAL(rings[5], 0);  // an inner point
    BOOST_CHECK_EQUAL(rings[10], 0); // another
    BOOST_CHECK_EQUAL(rings[0], 2);  // a corner
    BOOST_CHECK_EQUAL(rings[1], 1);
}

BOOST_AUTO_TEST_CASE(the_warp_of_an_amplifier_is_found)
{
    VectorXcd gains(3); // compression and rotation that grow with the amplitude
    gains << 1.0, std::polar(0.95, 0.1), std::polar(0.8, 0.3);
    const auto rings = kernel::amplitude_rings(qam16());
    for (bool distorted : { true, false }) {
        const auto drawn = draw(COUNT, 1);
        VectorXcd known(COUNT), sent(COUNT);
        std::vector<int> known_rings(COUNT);
        for (Eigen::Index n = 0; n < COUNT; n++) {
            known(n) = qam16()(drawn[n]);
            known_rings[n] = rings[drawn[n]];
            sent(n) = known(n) * (distorted ? gains(known_rings[n]) : 1.0);
        }
        const VectorXcd received =
            kernel::channel_output(sent, channel())[0] + 0.03 * gaussian(COUNT, 2);
        const auto found = kernel::fit_constellation_warp(received,
                                                          known,
                                                          known_rings,
                                                          qam16(),
                                                          { 2, COUNT },
                                                          Eigen::VectorXd::Ones(COUNT),
                                                          3);
        BOOST_CHECK_EQUAL(found.used, distorted);
        for (int k = 1; k < 3; k++)
            BOOST_CHECK_SMALL(std::abs(found.gains(k) / found.gains(0) -
                                       (distorted ? gains(k) / gains(0) : 1.0)),
                              0.03);
    }
}

BOOST_AUTO_TEST_CASE(a_saturated_receiver_is_inverted)
{
    const VectorXcd sent = gaussian(COUNT, 3);
    const VectorXcd clean = kernel::channel_output(sent, channel())[0];
    const VectorXcd noise = 0.01 * gaussian(COUNT, 4);
    const auto linear = kernel::linearise_receiver(clean + noise, sent, { 2, COUNT }, 3);
    BOOST_CHECK(!linear.used);
    BOOST_CHECK_SMALL((linear.samples - clean - noise).norm(), 1e-12);

    VectorXcd saturated(COUNT);
    for (Eigen::Index n = 0; n < COUNT; n++) {
        const double square = std::norm(clean(n));
        saturated(n) = clean(n) / std::sqrt(1.0 + square / 2.0) *
                       std::polar(1.0, 0.2 * square / (1.0 + square));
    }
    const auto found =
        kernel::linearise_receiver(saturated + noise, sent, { 2, COUNT }, 3);
    BOOST_CHECK(found.used);
    const auto misfit = [&](const VectorXcd& samples) {
        return kernel::forward_residual({ samples }, sent, { 2, COUNT }, 3) * COUNT /
               samples.squaredNorm();
    };
    BOOST_CHECK_LT(misfit(found.samples), 0.2 * misfit(saturated));
}

using limited = kernel::receiver_limiter::limited;

const std::vector<limited> LIMITED = { limited::nothing,
                                       limited::parts,
                                       limited::modulus };

cdouble limit(limited what, double most, cdouble sample)
{
    if (what == limited::parts)
        return { most * std::tanh(sample.real() / most),
                 most * std::tanh(sample.imag() / most) };
    const double size = std::abs(sample);
    return what == limited::nothing ? sample
                                    : most * std::tanh(size / most) / size * sample;
}

BOOST_DATA_TEST_CASE(a_limiter_behind_the_noise_is_undone,
                     data::make(std::vector<int>{ 0, 1, 2 }) *
                         data::make({ true, false }),
                     kind,
                     real)
{
    const limited what = LIMITED[kind];
    const double most = 1.5;
    const auto drawn = [&](uint64_t seed) {
        const VectorXcd samples = gaussian(COUNT, seed);
        return real ? VectorXcd(samples.real().cast<cdouble>()) : samples;
    };
    const VectorXcd sent = drawn(7);
    VectorXcd unlimited = kernel::channel_output(sent, channel())[0] + 0.05 * drawn(8);
    if (real)
        unlimited = unlimited.real().cast<cdouble>().eval();
    VectorXcd received(COUNT);
    for (Eigen::Index n = 0; n < COUNT; n++)
        received(n) = limit(what, most, unlimited(n));
    const auto found = kernel::find_receiver_limiter(
        { received }, 0, sent, { 2, COUNT }, 3, { 0, COUNT });
    BOOST_CHECK_EQUAL(found.used(), what != limited::nothing);
    const VectorXcd undone = found.undone({ received })[0];
    if (!found.used()) {
        BOOST_CHECK_SMALL((undone - unlimited).norm(), 1e-12);
        return;
    }
    if (!real) // of real samples the modulus is the part
        BOOST_CHECK(found.what == what);
    BOOST_CHECK_CLOSE(found.limit, most, 5.0); // its standard error is 1.6 %
    BOOST_CHECK_LT((undone - unlimited).norm(), 0.05 * unlimited.norm());
    const double left = kernel::forward_residual({ undone }, sent, { 2, COUNT }, 3);
    BOOST_CHECK_CLOSE(
        found.residual, left / found.power_stretch({ received }, { 2, COUNT }), 1.0);
}

BOOST_AUTO_TEST_CASE(what_is_clipped_is_no_limiter)
{
    const VectorXcd sent = gaussian(COUNT, 12);
    VectorXcd received =
        kernel::channel_output(sent, channel())[0] + 0.05 * gaussian(COUNT, 13);
    for (auto& sample : received)
        sample = { std::clamp(sample.real(), -0.8, 0.8),
                   std::clamp(sample.imag(), -0.8, 0.8) };
    BOOST_CHECK(!kernel::find_receiver_limiter(
                     { received }, 0, sent, { 2, COUNT }, 3, { 0, COUNT })
                     .used());
}

// By how much a small square around each sample grows.
BOOST_DATA_TEST_CASE(power_is_stretched_as_areas_are,
                     data::make(std::vector<int>{ 1, 2 }),
                     kind)
{
    const kernel::receiver_limiter limiter = { LIMITED[kind], 3.0 };
    const VectorXcd samples = 0.5 * gaussian(20, 9);
    const double step = 1e-5;
    const auto moved = [&](cdouble by) {
        return limiter.undone({ VectorXcd(samples.array() + by) })[0];
    };
    const VectorXcd along = (moved(step) - moved(-step)) / (2 * step);
    const VectorXcd across =
        (moved(cdouble(0, step)) - moved(cdouble(0, -step))) / (2 * step);
    const double mean_log =
        (along.conjugate().cwiseProduct(across)).imag().array().abs().log().mean();
    BOOST_CHECK_CLOSE(
        limiter.power_stretch({ samples }, { 0, 20 }), std::exp(mean_log), 1e-3);
}

// The two places of the noise are told apart by the residual that each model leaves.
BOOST_AUTO_TEST_CASE(noise_behind_the_limiter_is_no_limiters)
{
    const VectorXcd sent = gaussian(COUNT, 10);
    VectorXcd clean = kernel::channel_output(sent, channel())[0];
    for (const bool behind : { true, false }) {
        const VectorXcd noise = 0.05 * gaussian(COUNT, 11);
        VectorXcd received(COUNT);
        for (Eigen::Index n = 0; n < COUNT; n++)
            received(n) = behind ? limit(limited::modulus, 1.5, clean(n)) + noise(n)
                                 : limit(limited::modulus, 1.5, clean(n) + noise(n));
        const auto limiter = kernel::find_receiver_limiter(
            { received }, 0, sent, { 2, COUNT }, 3, { 0, COUNT });
        const auto other = kernel::linearise_receiver(received, sent, { 2, COUNT }, 3);
        BOOST_REQUIRE(limiter.used() && other.used);
        BOOST_CHECK_EQUAL(other.residual < limiter.residual, behind);
    }
}

BOOST_DATA_TEST_CASE(the_carrier_offset_is_found,
                     data::make({ 0.0, 3e-4, -1e-3, 2.5e-3, -4.9e-3 }),
                     offset)
{
    const VectorXcd sent = gaussian(64, 5);
    VectorXcd received = kernel::channel_output(sent, channel())[0];
    for (int n = 0; n < 64; n++)
        received(n) *= std::polar(1.0, 2.0 * M_PI * offset * n);
    received += 0.1 * gaussian(64, 6);
    // a second sampling phase, and all of it one symbol late
    const kernel::sample_streams late = { kernel::delayed(received, 1),
                                          kernel::delayed(received, 1) };
    const auto found =
        kernel::find_carrier_offset(late, sent, { 0, 64 }, { -1, 3 }, 5e-3);
    BOOST_CHECK_SMALL(found.frequency - offset, 3e-4);
    BOOST_CHECK_EQUAL(found.significant, std::abs(offset) > 5e-4);
    BOOST_CHECK_EQUAL(
        kernel::find_carrier_offset(late, sent, { 0, 64 }, { -1, 3 }, 0.0).frequency,
        0.0);
}

BOOST_AUTO_TEST_CASE(the_smoothed_phase_is_that_of_the_samples)
{
    const VectorXcd model = gaussian(400, 7);
    VectorXcd received = model;
    for (int n = 0; n < 400; n++)
        received(n) *= std::polar(1.0, 0.5 + 0.03 * n); // unwraps past pi
    const Eigen::VectorXd phase =
        kernel::smoothed_phase({ received }, { model }, { 0, 400 }, 20);
    for (int n : { 50, 200, 350 })
        BOOST_CHECK_SMALL(phase(n) - (0.5 + 0.03 * n), 0.1);
    // few rows: the window shrinks
    BOOST_CHECK_EQUAL(
        kernel::smoothed_phase({ received }, { model }, { 0, 1 }, 20).size(), 1);
}
