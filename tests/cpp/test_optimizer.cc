/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/optimizer.h>
#include <boost/test/unit_test.hpp>
#include <cmath>

using namespace gr::reservoir::kernel;

namespace {

// A parabola with two very different curvatures.
std::vector<double> descend(descent kind, double rate, int steps)
{
    optimizer<double> rule(kind, rate, 0.9);
    std::vector<double> p = { 1.0, -2.0 };
    for (int k = 0; k < steps; k++) {
        const std::vector<double> gradient = { p[0], 30.0 * p[1] };
        rule.step(p.data(), gradient.data(), 2);
    }
    return p;
}

} // namespace

BOOST_AUTO_TEST_CASE(first_steps_are_those_of_the_formulas)
{
    BOOST_TEST(std::abs(descend(descent::gd, 0.01, 1)[0] - 0.99) < 1e-12);
    BOOST_TEST(std::abs(descend(descent::momentum, 0.01, 1)[0] - 0.99) < 1e-12);
    // velocity 0.9 + 0.99 in the second step
    BOOST_TEST(std::abs(descend(descent::momentum, 0.01, 2)[0] - (0.99 - 0.0189)) <
               1e-12);
    // adam moves by the learning rate, whatever the size of the gradient
    BOOST_TEST(std::abs(descend(descent::adam, 0.01, 1)[0] - 0.99) < 1e-9);
    BOOST_TEST(std::abs(descend(descent::adam, 0.01, 1)[1] + 1.99) < 1e-9);
    // rmsprop by ten times that: v = g²/100
    BOOST_TEST(std::abs(descend(descent::rmsprop, 0.01, 1)[0] - 0.9) < 1e-6);
}

BOOST_AUTO_TEST_CASE(every_one_descends)
{
    for (auto kind :
         { descent::gd, descent::momentum, descent::rmsprop, descent::adam }) {
        const auto p = descend(kind, 0.02, 1000);
        BOOST_TEST(std::hypot(p[0], p[1]) < 0.05);
    }
}

BOOST_AUTO_TEST_CASE(names)
{
    for (auto kind : { descent::gd, descent::momentum, descent::rmsprop, descent::adam })
        BOOST_TEST((descent_from_string(to_string(kind)) == kind));
    BOOST_CHECK_THROW(descent_from_string("sgd"), std::invalid_argument);
}
