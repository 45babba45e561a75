/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/random.h>

#include <cmath>
#include <stdexcept>

namespace gr {
namespace reservoir {
namespace kernel {

namespace {

uint64_t rotate_left(uint64_t x, int count) { return (x << count) | (x >> (64 - count)); }

// log(x) for 0 < x < 1 from IEEE operations only: x = m 2^e with m in [1/sqrt(2), sqrt(2)),
// log(m) = 2 artanh(t) with t = (m - 1)/(m + 1), |t| < 0.172: 11 terms reach double precision.
double portable_log(double x)
{
    constexpr double LN2 = 0.693147180559945309417;
    constexpr double SQRT_HALF = 0.707106781186547524401;
    int exponent = 0;
    double mantissa = std::frexp(x, &exponent);
    if (mantissa < SQRT_HALF) {
        mantissa *= 2.0;
        exponent -= 1;
    }
    const double t = (mantissa - 1.0) / (mantissa + 1.0);
    const double t2 = t * t;
    double series = 0.0;
    for (int power = 21; power >= 1; power -= 2)
        series = series * t2 + 1.0 / power;
    return exponent * LN2 + 2.0 * t * series;
}

std::array<uint64_t, 4> expand_seed(uint64_t seed)
{
    std::array<uint64_t, 4> state;
    for (auto& word : state)
        word = splitmix64(seed);
    return state;
}

} // namespace

uint64_t splitmix64(uint64_t& state)
{
    uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

random::random(uint64_t seed) : d_state(expand_seed(seed)) {}

random::random(const std::array<uint64_t, 4>& state) : d_state(state)
{
    if (!(state[0] | state[1] | state[2] | state[3]))
        throw std::invalid_argument("state = 0: one of its four words must not be zero");
}

uint64_t random::next_u64()
{
    const uint64_t result = rotate_left(d_state[1] * 5, 7) * 9;
    const uint64_t shifted = d_state[1] << 17;
    d_state[2] ^= d_state[0];
    d_state[3] ^= d_state[1];
    d_state[1] ^= d_state[2];
    d_state[0] ^= d_state[3];
    d_state[2] ^= shifted;
    d_state[3] = rotate_left(d_state[3], 45);
    return result;
}

double random::uniform() { return static_cast<double>(next_u64() >> 11) * 0x1.0p-53; }

std::complex<double> random::normal_pair()
{
    double x, y, radius2;
    do {
        x = 2.0 * uniform() - 1.0;
        y = 2.0 * uniform() - 1.0;
        radius2 = x * x + y * y;
    } while (radius2 >= 1.0 || radius2 == 0.0);
    const double scale = std::sqrt(-2.0 * portable_log(radius2) / radius2);
    return { x * scale, y * scale };
}

double random::gaussian()
{
    if (d_has_spare) {
        d_has_spare = false;
        return d_spare;
    }
    const std::complex<double> pair = normal_pair();
    d_spare = pair.imag();
    d_has_spare = true;
    return pair.real();
}

std::complex<double> random::complex_gaussian()
{
    constexpr double SQRT_HALF = 0.707106781186547524401;
    return SQRT_HALF * normal_pair();
}

uint64_t random::below(uint64_t n)
{
    if (n == 0)
        throw std::invalid_argument("n = 0: must be at least 1");
    // Of the 2^64 values the first 2^64 mod n are rejected; the rest divide evenly.
    const uint64_t rejected = (0 - n) % n;
    uint64_t value;
    do {
        value = next_u64();
    } while (value < rejected);
    return value % n;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
