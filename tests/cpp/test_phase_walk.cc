/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/phase_walk.h>
#include <gnuradio/reservoir/kernel/random.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

namespace kernel = gr::reservoir::kernel;
using Eigen::Index;
using Eigen::VectorXcd;
using Eigen::VectorXd;
using kernel::sample_streams;
typedef std::complex<double> cdouble;

namespace {

constexpr Index SIZE = 1280;
constexpr kernel::row_range ROWS = { 5, SIZE };

struct sample_pair {
    sample_streams expected, received;
};

// Two antennas at 25 dB.
sample_pair turned(const VectorXd& phase, kernel::random& generator)
{
    sample_pair made;
    for (int r = 0; r < 2; r++) {
        VectorXcd samples(SIZE), seen(SIZE);
        for (Index n = 0; n < SIZE; n++) {
            samples(n) = generator.complex_gaussian();
            seen(n) = samples(n) * std::polar(1.0, phase(n)) +
                      0.056 * generator.complex_gaussian();
        }
        made.expected.push_back(samples);
        made.received.push_back(seen);
    }
    return made;
}

double rms(const VectorXd& error)
{
    return std::sqrt(error.tail(SIZE - ROWS.first).squaredNorm() /
                     double(SIZE - ROWS.first));
}

} // namespace

BOOST_AUTO_TEST_CASE(phase_that_stands_still_is_none)
{
    for (int seed = 1; seed <= 20; seed++) {
        kernel::random generator(seed);
        const sample_pair one = turned(VectorXd::Constant(SIZE, 0.3 * seed), generator);
        BOOST_TEST(kernel::fit_phase_walk(one.received, one.expected, ROWS).size() == 0);
    }
}

BOOST_AUTO_TEST_CASE(walk_is_followed)
{
    for (const double step : { 0.003, 0.01, 0.02 }) {
        kernel::random generator(7);
        VectorXd phase(SIZE);
        double now = 3.0;
        for (double& value : phase)
            value = now += step * generator.gaussian();
        const sample_pair one = turned(phase, generator);
        const VectorXd found = kernel::fit_phase_walk(one.received, one.expected, ROWS);
        BOOST_REQUIRE(found.size() == SIZE);
        VectorXd error = found - phase;
        error.array() -= 2.0 * M_PI * std::round(error.mean() / (2.0 * M_PI));
        // a block's samples of 8 are as far from its middle as two of them, by the root of the steps
        BOOST_TEST(rms(error) < 0.01 + 2.0 * step);
        BOOST_TEST(rms(phase.array() - phase.mean()) > 2.0 * rms(error));
    }
}

BOOST_AUTO_TEST_CASE(frequency_offset_is_followed_over_many_turns)
{
    kernel::random generator(8);
    const VectorXd phase = VectorXd::LinSpaced(SIZE, 0.0, -0.02 * (SIZE - 1));
    const sample_pair one = turned(phase, generator);
    const VectorXd found = kernel::fit_phase_walk(one.received, one.expected, ROWS);
    BOOST_REQUIRE(found.size() == SIZE);
    BOOST_TEST(rms(found - phase) < 0.05);
}

BOOST_AUTO_TEST_CASE(nothing_from_silence_or_few_samples)
{
    kernel::random generator(9);
    const sample_pair one = turned(VectorXd::Zero(SIZE), generator);
    BOOST_TEST(kernel::fit_phase_walk(one.received, one.expected, { 0, 60 }).size() == 0);
    const sample_streams silence(2, VectorXcd::Zero(SIZE));
    BOOST_TEST(kernel::fit_phase_walk(one.received, silence, ROWS).size() == 0);
}
