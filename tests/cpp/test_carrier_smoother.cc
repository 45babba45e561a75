/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/carrier_smoother.h>
#include <gnuradio/reservoir/kernel/random.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>

namespace kernel = gr::reservoir::kernel;
using Eigen::Index;
using Eigen::VectorXcd;
typedef std::complex<double> complex;

namespace {

constexpr Index FFT_LEN = 64;
const complex TAPS[] = { 0.8, { 0.0, 0.5 }, -0.3 };

bool is_used(Index carrier) { return carrier != 0 && (carrier <= 26 || carrier >= 38); }

VectorXcd response_of_taps(Index begin)
{
    VectorXcd response = VectorXcd::Zero(FFT_LEN);
    for (Index k = 0; k < FFT_LEN; k++)
        for (Index l = 0; l < 3; l++)
            response(k) +=
                TAPS[l] * std::polar(1.0, -2.0 * M_PI * k * (begin + l) / FFT_LEN);
    return response;
}

// Known symbols of different power on the carriers that are in use.
kernel::carrier_sums noisy_sums(const VectorXcd& response, double noise, uint64_t seed)
{
    kernel::random generator(seed);
    kernel::carrier_sums sums(FFT_LEN);
    for (int n = 0; n < 2; n++)
        for (Index k = 0; k < FFT_LEN; k++)
            if (is_used(k)) {
                const complex sent = std::polar(1.0 + k % 2, 0.7 * k);
                sums.add(
                    k, sent, response(k) * sent + noise * generator.complex_gaussian());
            }
    return sums;
}

} // namespace

BOOST_DATA_TEST_CASE(support_is_found, boost::unit_test::data::make({ -16, -5, 0, 7 }))
{
    kernel::carrier_smoother smoother(FFT_LEN);
    const VectorXcd response = response_of_taps(sample);
    for (const double noise : { 0.0, 0.05 }) {
        const auto sums = noisy_sums(response, noise, 1);
        const auto support = smoother.find_support(sums, -16, 16, 16);
        BOOST_CHECK_EQUAL(support.begin, sample);
        BOOST_CHECK_EQUAL(support.length, 3);
    }
}

BOOST_AUTO_TEST_CASE(response_without_noise_is_the_channels_on_all_carriers)
{
    kernel::carrier_smoother smoother(FFT_LEN);
    const VectorXcd response = response_of_taps(-2);
    VectorXcd found;
    smoother.response(noisy_sums(response, 0.0, 1), { -4, 8 }, found);
    BOOST_CHECK_SMALL((found - response).norm() / response.norm(), 1e-5);
}

BOOST_AUTO_TEST_CASE(noise_falls_by_taps_over_carriers)
{
    kernel::carrier_smoother smoother(FFT_LEN);
    const VectorXcd response = response_of_taps(0);
    double energy = 0.0;
    constexpr int RUNS = 200;
    for (int seed = 1; seed <= RUNS; seed++) {
        VectorXcd found;
        smoother.response(noisy_sums(response, 0.1, seed), { 0, 3 }, found);
        for (Index k = 0; k < FFT_LEN; k++)
            if (is_used(k))
                energy += std::norm(found(k) - response(k)) / RUNS;
    }
    // two symbols of mean power 2.5 on every carrier, three taps
    BOOST_CHECK_CLOSE(energy, 3 * 0.01 / (2 * 2.5), 15.0);
}

BOOST_AUTO_TEST_CASE(what_has_faded_counts_less)
{
    kernel::carrier_smoother smoother(FFT_LEN);
    auto sums = noisy_sums(VectorXcd::Constant(FFT_LEN, 1.0), 0.0, 1);
    sums.fade(0.25);
    const auto later = noisy_sums(VectorXcd::Constant(FFT_LEN, 6.0), 0.0, 1);
    sums.powers += later.powers;
    sums.products += later.products;
    VectorXcd found;
    smoother.response(sums, { 0, 1 }, found);
    BOOST_CHECK_SMALL(std::abs(found(5) - 5.0), 1e-6);
}

BOOST_DATA_TEST_CASE(taps_of_an_estimate, boost::unit_test::data::make({ -16, 0, 13 }))
{
    kernel::carrier_smoother smoother(FFT_LEN);
    const VectorXcd response = response_of_taps(sample);
    kernel::carrier_sums sums(FFT_LEN);
    for (Index k = 0; k < FFT_LEN; k++)
        if (is_used(k))
            BOOST_CHECK(sums.add_tap(k, std::complex<float>(response(k)), 3.0));
    const auto support = smoother.find_support(sums);
    BOOST_CHECK_EQUAL(support.begin, sample);
    const VectorXcd& taps = smoother.taps(sums, support);
    BOOST_REQUIRE_EQUAL(taps.size(), 3);
    for (Index l = 0; l < 3; l++)
        BOOST_CHECK_SMALL(std::abs(taps(l) - TAPS[l]), 1e-5);
}

BOOST_AUTO_TEST_CASE(taps_that_are_not_known)
{
    kernel::carrier_sums sums(FFT_LEN);
    BOOST_CHECK(!sums.add_tap(1, 0.0f, 1.0));
    BOOST_CHECK(!sums.add_tap(1, { NAN, 0.0f }, 1.0));
    BOOST_CHECK(!sums.add_tap(1, { 0.0f, INFINITY }, 1.0));
    BOOST_CHECK_EQUAL(sums.powers.sum(), 0.0);
    BOOST_CHECK(sums.products.isZero(0.0));
}
