/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/level_steps.h"
#include "gaussian.h"
#include <gnuradio/reservoir/kernel/power_steps.h>
#include <gnuradio/reservoir/kernel/random.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

using gr::reservoir::level_steps;
namespace kernel = gr::reservoir::kernel;
using Eigen::Index;
using Eigen::VectorXcd;
using Eigen::VectorXd;

namespace {

constexpr double LOG_RATIO = 14.0;
constexpr Index WINDOW = 128;

// With the gain in dB from each place on.
VectorXcd with_gains(VectorXcd samples,
                     const std::vector<std::pair<Index, double>>& gains)
{
    for (const auto& [place, db] : gains)
        samples.tail(samples.size() - place) *= std::pow(10.0, db / 20.0);
    return samples;
}

std::vector<Index> steps_of(const VectorXcd& samples)
{
    return kernel::find_power_steps(samples.cwiseAbs2(), LOG_RATIO, WINDOW);
}

} // namespace

BOOST_AUTO_TEST_CASE(test_noise_has_no_steps)
{
    int found = 0;
    for (uint64_t seed = 1; seed <= 50; seed++)
        found += int(steps_of(gaussian(1000, seed)).size());
    // by the likelihood's factor, e^14, even of dependent places
    BOOST_CHECK_LE(found, 1);
}

BOOST_AUTO_TEST_CASE(test_steps_are_found_where_they_are)
{
    for (const double db : { -30.0, -10.0, 10.0, 30.0 })
        for (uint64_t seed = 1; seed <= 10; seed++) {
            const Index second = 500 + Index(seed);
            const auto found = steps_of(
                with_gains(gaussian(1000, seed), { { 300, db }, { second, -db } }));
            BOOST_REQUIRE_EQUAL(found.size(), 2);
            BOOST_CHECK_LE(std::abs(found[0] - 300), 5);
            BOOST_CHECK_LE(std::abs(found[1] - second), 5);
        }
}

BOOST_AUTO_TEST_CASE(test_silence_and_few_samples)
{
    BOOST_CHECK(kernel::find_power_steps(VectorXd(0), LOG_RATIO, WINDOW).empty());
    BOOST_CHECK(kernel::find_power_steps(VectorXd::Ones(23), LOG_RATIO, WINDOW).empty());
    BOOST_CHECK(kernel::find_power_steps(VectorXd::Zero(500), LOG_RATIO, WINDOW).empty());
    VectorXd half = VectorXd::Ones(500);
    half.tail(200).setZero();
    const auto found = kernel::find_power_steps(half, LOG_RATIO, WINDOW);
    BOOST_REQUIRE_EQUAL(found.size(), 1);
    BOOST_CHECK_EQUAL(found[0], 300);
}

BOOST_AUTO_TEST_CASE(test_the_likeliest_step_is_the_best_of_all)
{
    kernel::random generator(5);
    VectorXd advantages(100);
    for (double& advantage : advantages)
        advantage = generator.complex_gaussian().real();
    for (Index place = 1; place < 100; place += 7) {
        const Index most = 16;
        const Index found = kernel::likeliest_step(advantages, place, most);
        double best = -HUGE_VAL;
        for (Index n = std::max<Index>(place - most, 0) + 1;
             n < std::min<Index>(place + most, 100);
             n++)
            best = std::max(best, advantages.head(n).sum());
        BOOST_CHECK_CLOSE(advantages.head(found).sum(), best, 1e-9);
    }
}

// Two antennas of two samples per symbol; one of them has a step, behind symbol 400.
BOOST_AUTO_TEST_CASE(test_levels_are_evened_out)
{
    kernel::sample_streams even, streams;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        even.push_back(gaussian(1010, seed));
        streams.push_back(seed > 2 ? with_gains(even.back(), { { 400, -12.0 } })
                                   : even.back());
    }
    const level_steps steps(streams, 2, 1000, LOG_RATIO);
    BOOST_CHECK_EQUAL(steps.count(), 1);
    BOOST_CHECK_CLOSE(10.0 * std::log10(steps.power_stretch()), 12.0 * 0.5 * 0.6, 5.0);
    const auto error = [&](const level_steps& found) {
        const kernel::sample_streams out = found.undone(streams);
        double sum = 0.0;
        for (size_t q = 0; q < 4; q++)
            sum += (out[q] - even[q]).squaredNorm() / even[q].squaredNorm();
        return sum / 4;
    };
    BOOST_CHECK_LT(error(steps), 0.01);
    // of the samples behind the frame, too
    BOOST_CHECK_LT(error(steps.refined(streams, even)), 1e-20);
    BOOST_CHECK(steps.pay_off(0.9, 1.0));
    BOOST_CHECK(!steps.pay_off(0.9999, 1.0));
}

BOOST_AUTO_TEST_CASE(test_silence_is_no_level)
{
    kernel::sample_streams streams = { gaussian(1000, 1) };
    streams[0].head(100).setZero();
    streams[0].segment(500, 200).setZero();
    const level_steps steps(streams, 1, 1000);
    BOOST_CHECK_EQUAL(steps.count(), 3);
    const kernel::sample_streams out = steps.undone(streams);
    BOOST_CHECK(out[0].allFinite());
    BOOST_CHECK_LT((out[0] - streams[0]).norm(), 0.2 * streams[0].norm());
    BOOST_CHECK(steps.refined(streams, streams).undone(streams)[0].allFinite());
}
