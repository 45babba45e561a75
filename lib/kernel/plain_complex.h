/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_PLAIN_COMPLEX_H
#define INCLUDED_RESERVOIR_KERNEL_PLAIN_COMPLEX_H

#include <algorithm>
#include <complex>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * Complex arithmetic without the library's care for numbers near overflow, which costs more than
 * the rest where numbers are few and known to be moderate.
 */
namespace plain {

inline std::complex<double> times(std::complex<double> a, std::complex<double> b)
{
    return { a.real() * b.real() - a.imag() * b.imag(),
             a.real() * b.imag() + a.imag() * b.real() };
}

//! a conj(b)
inline std::complex<double> times_conjugate(std::complex<double> a,
                                            std::complex<double> b)
{
    return { a.real() * b.real() + a.imag() * b.imag(),
             a.imag() * b.real() - a.real() * b.imag() };
}

//! 1 / z, finite for zero too
inline std::complex<double> inverse(std::complex<double> z)
{
    const double share = 1.0 / std::max(std::norm(z), 1e-300);
    return { share * z.real(), -share * z.imag() };
}

} // namespace plain
} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_PLAIN_COMPLEX_H */
