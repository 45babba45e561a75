/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_OSCILLATOR_H
#define INCLUDED_RESERVOIR_KERNEL_OSCILLATOR_H

#include <gnuradio/reservoir/api.h>
#include <array>
#include <complex>
#include <cstddef>
#include <cstdint>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief A carrier: sample n is exp(i 2 pi (phase + frequency n)).
 *
 * A sample depends on its number alone, so that a signal turned in pieces, or from anywhere on,
 * comes out with the same bits as in one go; nor do the bits depend on the processor. Sample n is
 * the product of two values, that of the last multiple of 64 and that of the n mod 64 samples
 * since, from a table: one sine and cosine every 64 samples, one multiplication per sample.
 *
 * Accurate to 2e-15 for n below 2^53: the phase is reduced to half a cycle with the rounding error
 * of frequency n taken along.
 */
class RESERVOIR_API oscillator
{
public:
    //! \param frequency cycles per sample, finite \param phase of sample 0 in cycles, finite
    explicit oscillator(double frequency = 0.0, double phase = 0.0);

    double frequency() const { return d_frequency; }

    //! Of sample n, in cycles, -0.5 ... 0.5.
    double phase(uint64_t n) const;

    //! Sample n.
    std::complex<double> at(uint64_t n) const;

    //! Samples first ... first + count - 1.
    void generate(uint64_t first, size_t count, std::complex<double>* out) const;

    //! out[k] = in[k] times sample first + k, in the precision of in; out may be in.
    void turn(const std::complex<float>* in,
              uint64_t first,
              size_t count,
              std::complex<float>* out) const;
    void turn(const std::complex<double>* in,
              uint64_t first,
              size_t count,
              std::complex<double>* out) const;

private:
    static constexpr size_t PERIOD = 64;

    std::complex<double> exact(uint64_t n) const;
    template <class Write>
    void visit(uint64_t first, size_t count, Write write) const;

    double d_frequency;
    double d_phase;
    std::array<double, PERIOD> d_re, d_im; // exp(i 2 pi frequency k)
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_OSCILLATOR_H */
