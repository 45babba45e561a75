/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_RANDOM_H
#define INCLUDED_RESERVOIR_KERNEL_RANDOM_H

#include <gnuradio/reservoir/api.h>
#include <array>
#include <complex>
#include <cstdint>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief The splitmix64 generator (Steele, Lea and Flood, 2014): the next output.
 *
 * \param state any value; advanced by one step
 */
RESERVOIR_API uint64_t splitmix64(uint64_t& state);

/*!
 * \brief Random numbers that are the same on every platform for the same seed.
 *
 * xoshiro256** (Blackman and Vigna, 2018), its state filled by splitmix64. The distributions
 * of the C++ library differ from one implementation to the next, and so does the last bit of
 * its logarithm; those here use nothing but IEEE 754 operations that round correctly.
 * Not for cryptography.
 */
class RESERVOIR_API random
{
public:
    //! \param seed any value
    explicit random(uint64_t seed);

    /*!
     * \brief The generator in a given state.
     *
     * \throws std::invalid_argument if all of the state is zero, which it would never leave
     */
    explicit random(const std::array<uint64_t, 4>& state);

    //! Uniform over all 64-bit values.
    uint64_t next_u64();

    //! Uniform in [0, 1), a multiple of 2^-53.
    double uniform();

    //! Normal with mean 0 and variance 1, by the polar method (Marsaglia and Bray, 1964).
    double gaussian();

    //! Circular complex normal with mean 0 and mean power 1.
    std::complex<double> complex_gaussian();

    /*!
     * \brief Uniform in 0 ... n-1, every value exactly as likely as the others.
     *
     * \param n at least 1
     * \throws std::invalid_argument if n is 0
     */
    uint64_t below(uint64_t n);

private:
    std::complex<double> normal_pair();

    std::array<uint64_t, 4> d_state;
    double d_spare = 0.0;
    bool d_has_spare = false;
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_RANDOM_H */
