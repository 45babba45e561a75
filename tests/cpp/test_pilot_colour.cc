/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "shell/pilot_colour.h"
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>

using namespace gr::reservoir;

namespace {

typedef std::vector<gr_complex> symbols;

symbols random_qpsk(size_t count, std::mt19937& generator)
{
    symbols drawn;
    for (size_t k = 0; k < count; k++) {
        const auto bits = generator();
        drawn.emplace_back(bits & 1 ? 1.0F : -1.0F, bits & 2 ? 1.0F : -1.0F);
    }
    return drawn;
}

// Each bit three times, as +1 or -1.
symbols repeated_bits(size_t bits, std::mt19937& generator)
{
    symbols repeated;
    for (size_t k = 0; k < bits; k++)
        repeated.insert(repeated.end(), 3, generator() & 1 ? 1.0F : -1.0F);
    return repeated;
}

} // namespace

BOOST_AUTO_TEST_CASE(white_symbols_cost_nothing)
{
    // one symbol and zeros: its autocorrelation is an impulse
    symbols impulse(32);
    impulse[5] = { 0.3F, -0.4F };
    BOOST_CHECK_CLOSE(noise_enhancement({ impulse }), 1.0, 1e-6);
}

// Diagonal 2, beside it entries of modulus 1: the eigenvalues are 2 + 2 cos(πk / 9), k = 1 … 8.
BOOST_AUTO_TEST_CASE(two_neighbours_have_a_tridiagonal_matrix)
{
    symbols pair(32);
    pair[7] = 1.0F;
    pair[8] = { 0.0F, 1.0F };
    double inverse = 0.0;
    for (int k = 1; k <= 8; k++)
        inverse += 1.0 / (2.0 + 2.0 * std::cos(M_PI * k / 9.0));
    BOOST_CHECK_CLOSE(noise_enhancement({ pair }), 2.0 * inverse / 8.0, 1e-6);
}

BOOST_AUTO_TEST_CASE(neither_scale_nor_phase_matter_and_the_worst_row_counts)
{
    std::mt19937 generator(1);
    const symbols white = random_qpsk(64, generator);
    const symbols coloured = repeated_bits(30, generator);
    symbols turned = coloured;
    for (auto& symbol : turned)
        symbol *= gr_complex(3.0F, -7.0F);
    BOOST_CHECK_CLOSE(
        noise_enhancement({ turned }), noise_enhancement({ coloured }), 1e-3);
    BOOST_TEST(noise_enhancement({ white, coloured }) == noise_enhancement({ coloured }));
    BOOST_TEST(is_coloured({ white, coloured }));
}

BOOST_AUTO_TEST_CASE(random_qpsk_is_never_coloured)
{
    std::mt19937 generator(2);
    for (size_t count : { 16, 17, 20, 24, 32, 40, 47, 48, 64, 100, 256 })
        for (int seed = 0; seed < 2000; seed++)
            BOOST_REQUIRE_MESSAGE(!is_coloured({ random_qpsk(count, generator) }),
                                  count << " symbols, draw " << seed);
}

BOOST_AUTO_TEST_CASE(bits_repeated_three_times_always_are)
{
    std::mt19937 generator(3);
    for (size_t bits : { 16, 17, 20, 21, 32, 64, 100 })
        for (int seed = 0; seed < 2000; seed++)
            BOOST_REQUIRE_MESSAGE(is_coloured({ repeated_bits(bits, generator) }),
                                  bits << " bits, draw " << seed);
}

BOOST_AUTO_TEST_CASE(constant_and_empty_symbols_are_coloured)
{
    BOOST_TEST(is_coloured({ symbols(64, 1.0F) }));
    BOOST_TEST(is_coloured({ symbols(64, 0.0F) }));
    BOOST_TEST(std::isinf(noise_enhancement({ symbols(64, 0.0F) })));
    BOOST_TEST(!is_coloured({ symbols(15, 1.0F) })); // too few to tell
}
