/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/oscillator.h>
#include <gnuradio/reservoir/kernel/random.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>

namespace kernel = gr::reservoir::kernel;
namespace data = boost::unit_test::data;
typedef std::complex<double> cdouble;
typedef std::complex<float> cfloat;
typedef std::complex<long double> clong;

namespace {

const double FREQUENCIES[] = { 0.0, 0.25, 1e-9, 0.0123456789, -0.31415926535, 0.5, -0.5 };
const uint64_t BEGINNINGS[] = { 0, 1, 63, 64, 1000, 123456789, uint64_t(1) << 40 };

// Without rounding before the sum: long double has 64 bits, 11 more than the frequency.
clong reference(double frequency, double phase, uint64_t n)
{
    const auto cycles = [frequency](uint64_t samples) {
        const long double product = (long double)frequency * samples;
        return product - std::floor(product);
    };
    const uint64_t low = n % (1 << 11);
    long double high = cycles(1 << 11); // of 2048 samples, then as often as they fit
    uint64_t times = n >> 11;
    long double sum = cycles(low) + phase;
    for (; times != 0; times >>= 1) {
        if (times & 1)
            sum += high;
        high += high;
        high -= std::floor(high);
        sum -= std::floor(sum);
    }
    const long double angle = 2 * std::acos(-1.0L) * sum;
    return { std::cos(angle), std::sin(angle) };
}

template <class T>
std::vector<std::complex<T>> noise(size_t count)
{
    kernel::random generator(1);
    std::vector<std::complex<T>> samples(count);
    for (auto& sample : samples)
        sample = std::complex<T>(generator.complex_gaussian());
    return samples;
}

} // namespace

BOOST_DATA_TEST_CASE(a_sample_is_what_long_double_gives,
                     data::make(FREQUENCIES) * data::make(BEGINNINGS),
                     frequency,
                     first)
{
    for (double phase : { 0.0, 0.3, -7.125 }) {
        const kernel::oscillator carrier(frequency, phase);
        for (uint64_t n = first; n < first + 200; n++) {
            const auto expected = reference(frequency, phase, n);
            BOOST_REQUIRE_SMALL(double(std::abs(clong(carrier.at(n)) - expected)), 2e-15);
            const cdouble by_phase = std::polar(1.0, 2.0 * M_PI * carrier.phase(n));
            BOOST_REQUIRE_SMALL(double(std::abs(clong(by_phase) - expected)), 2e-15);
            BOOST_REQUIRE_LE(std::abs(carrier.phase(n)), 0.5);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_positive_frequency_turns_counterclockwise)
{
    const kernel::oscillator carrier(1.0 / 16, 1.0 / 8);
    BOOST_CHECK_SMALL(std::abs(carrier.at(0) - std::polar(1.0, M_PI / 4)), 1e-15);
    BOOST_CHECK_SMALL(std::abs(carrier.at(2) - cdouble(0.0, 1.0)), 1e-15);
    BOOST_CHECK_EQUAL(carrier.frequency(), 1.0 / 16);
    BOOST_CHECK_EQUAL(kernel::oscillator().at(77), cdouble(1.0, 0.0));
}

BOOST_DATA_TEST_CASE(turning_multiplies, data::make(FREQUENCIES), frequency)
{
    const auto in = noise<float>(1000);
    const auto precise = noise<double>(1000);
    const kernel::oscillator carrier(frequency, 0.2);
    std::vector<cfloat> out(in.size());
    std::vector<cdouble> precise_out(in.size()), values(in.size());
    carrier.turn(in.data(), 777, in.size(), out.data());
    carrier.turn(precise.data(), 777, in.size(), precise_out.data());
    carrier.generate(777, in.size(), values.data());
    for (size_t n = 0; n < in.size(); n++) {
        const cdouble value = carrier.at(777 + n);
        BOOST_REQUIRE_EQUAL(values[n], value);
        BOOST_REQUIRE_SMALL(std::abs(cdouble(out[n]) - cdouble(in[n]) * value),
                            2e-7 * std::abs(in[n]));
        BOOST_REQUIRE_SMALL(std::abs(precise_out[n] - precise[n] * value), 1e-15);
    }
}

BOOST_AUTO_TEST_CASE(pieces_give_the_same_bits)
{
    const auto in = noise<float>(2000);
    const auto precise = noise<double>(2000);
    const kernel::oscillator carrier(0.01234567, 0.1);
    std::vector<cfloat> whole(in.size());
    std::vector<cdouble> precise_whole(in.size());
    carrier.turn(in.data(), 5, in.size(), whole.data());
    carrier.turn(precise.data(), 5, in.size(), precise_whole.data());
    for (size_t piece : { 1, 3, 64, 100, 255, 256, 1999 }) {
        auto pieces = in; // in place
        auto precise_pieces = precise;
        for (size_t n = 0; n < in.size(); n += piece) {
            const size_t count = std::min(piece, in.size() - n);
            carrier.turn(&pieces[n], 5 + n, count, &pieces[n]);
            carrier.turn(&precise_pieces[n], 5 + n, count, &precise_pieces[n]);
        }
        BOOST_TEST(pieces == whole);
        BOOST_TEST(precise_pieces == precise_whole);
    }
}
