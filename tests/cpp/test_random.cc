/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/random.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <stdexcept>
#include <vector>

// not "using random": POSIX has a function of that name
namespace kernel = gr::reservoir::kernel;

BOOST_AUTO_TEST_CASE(splitmix64_published_outputs)
{
    uint64_t state = 1234567;
    for (uint64_t expected : { 6457827717110365317ULL,
                               3203168211198807973ULL,
                               9817491932198370423ULL,
                               4593380528125082431ULL,
                               16408922859458223821ULL })
        BOOST_CHECK_EQUAL(kernel::splitmix64(state), expected);
}

BOOST_AUTO_TEST_CASE(xoshiro256_published_outputs)
{
    kernel::random generator(std::array<uint64_t, 4>{ 1, 2, 3, 4 });
    for (uint64_t expected : { 11520ULL,
                               0ULL,
                               1509978240ULL,
                               1215971899390074240ULL,
                               1216172134540287360ULL,
                               607988272756665600ULL,
                               16172922978634559625ULL,
                               8476171486693032832ULL })
        BOOST_CHECK_EQUAL(generator.next_u64(), expected);
    BOOST_CHECK_EQUAL(kernel::random(0).next_u64(), 11091344671253066420ULL);
}

BOOST_AUTO_TEST_CASE(same_seed_same_numbers)
{
    kernel::random one(42), same(42), other(43);
    int equal_to_other = 0;
    for (int i = 0; i < 100; i++) {
        const double value = one.gaussian();
        BOOST_CHECK_EQUAL(value, same.gaussian());
        equal_to_other += value == other.gaussian();
    }
    BOOST_CHECK_EQUAL(equal_to_other, 0);
}

BOOST_AUTO_TEST_CASE(gaussian_is_frozen)
{
    // A saved seed must name the same network in every later version.
    kernel::random generator(1);
    for (double expected : { 1.884396104787977,
                             0.18978089448693036,
                             1.302090250702661,
                             -1.9094343319583578 })
        BOOST_CHECK_EQUAL(generator.gaussian(), expected);
}

BOOST_AUTO_TEST_CASE(uniform_moments)
{
    kernel::random generator(7);
    const int count = 1000000;
    double sum = 0.0, sum2 = 0.0;
    for (int i = 0; i < count; i++) {
        const double u = generator.uniform();
        BOOST_REQUIRE(u >= 0.0 && u < 1.0);
        sum += u;
        sum2 += u * u;
    }
    // five standard deviations of each mean
    BOOST_CHECK_SMALL(sum / count - 0.5, 5 * std::sqrt(1.0 / 12 / count));
    BOOST_CHECK_SMALL(sum2 / count - 1.0 / 3, 5 * std::sqrt(4.0 / 45 / count));
}

BOOST_AUTO_TEST_CASE(gaussian_moments_and_tail)
{
    kernel::random generator(8);
    const int count = 1000000;
    double moment[5] = {};
    int beyond_two = 0;
    for (int i = 0; i < count; i++) {
        const double g = generator.gaussian();
        double power = 1.0;
        for (double& m : moment) {
            m += power / count;
            power *= g;
        }
        beyond_two += std::abs(g) > 2.0;
    }
    const double sigma = 1.0 / std::sqrt(count);
    BOOST_CHECK_SMALL(moment[1], 5 * sigma);
    BOOST_CHECK_SMALL(moment[2] - 1.0, 5 * std::sqrt(2.0) * sigma);
    BOOST_CHECK_SMALL(moment[3], 5 * std::sqrt(15.0) * sigma);
    BOOST_CHECK_SMALL(moment[4] - 3.0, 5 * std::sqrt(96.0) * sigma);
    const double tail = std::erfc(std::sqrt(2.0));
    BOOST_CHECK_SMALL(beyond_two / double(count) - tail, 5 * std::sqrt(tail) * sigma);
}

BOOST_AUTO_TEST_CASE(complex_gaussian_is_circular_with_unit_power)
{
    kernel::random generator(9);
    const int count = 500000;
    std::complex<double> mean = 0.0, pseudo_variance = 0.0;
    double power = 0.0;
    for (int i = 0; i < count; i++) {
        const std::complex<double> z = generator.complex_gaussian();
        mean += z / double(count);
        pseudo_variance += z * z / double(count);
        power += std::norm(z) / count;
    }
    const double sigma = 1.0 / std::sqrt(count);
    BOOST_CHECK_SMALL(std::abs(mean), 5 * sigma);
    BOOST_CHECK_SMALL(std::abs(pseudo_variance), 5 * std::sqrt(2.0) * sigma);
    BOOST_CHECK_SMALL(power - 1.0, 5 * sigma);
}

BOOST_AUTO_TEST_CASE(below_is_uniform)
{
    kernel::random generator(10);
    for (int n : { 1, 2, 3, 7, 16, 1000 }) {
        std::vector<int> histogram(n);
        const int count = 200 * n;
        for (int i = 0; i < count; i++) {
            const uint64_t value = generator.below(n);
            BOOST_REQUIRE(value < uint64_t(n));
            histogram[value]++;
        }
        double chi2 = 0.0;
        for (int hits : histogram)
            chi2 += (hits - 200.0) * (hits - 200.0) / 200.0;
        BOOST_CHECK(chi2 <= (n - 1) + 5 * std::sqrt(2.0 * (n - 1)) + 1e-9);
    }
}

BOOST_AUTO_TEST_CASE(below_is_unbiased_where_the_modulus_would_not_be)
{
    // value % n alone would fall into the lower third of 3 * 2^62 twice as often: 1/2, not 1/3.
    kernel::random generator(11);
    const uint64_t third = 1ULL << 62;
    const int count = 100000;
    int low = 0;
    for (int i = 0; i < count; i++)
        low += generator.below(3 * third) < third;
    BOOST_CHECK_SMALL(low / double(count) - 1.0 / 3, 5 * std::sqrt(2.0 / 9 / count));
}

BOOST_AUTO_TEST_CASE(bad_arguments)
{
    kernel::random generator(1);
    BOOST_CHECK_THROW(generator.below(0), std::invalid_argument);
    BOOST_CHECK_THROW(kernel::random(std::array<uint64_t, 4>{ 0, 0, 0, 0 }),
                      std::invalid_argument);
}
