/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_SIGNAL_LOOPS_H
#define INCLUDED_RESERVOIR_KERNEL_SIGNAL_LOOPS_H

#include <gnuradio/reservoir/api.h>
#include <complex>
#include <cstddef>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * Loops over the samples of a frame, in double precision and compiled for every instruction set.
 * Not responsible for what lies beyond the ends of a signal.
 */
namespace simd {

//! sums[l] = Σ_n conj(x[n − l]) y[n], n = 0 … count−1, for every l < lags.
RESERVOIR_API void correlate(const std::complex<double>* x,
                             const std::complex<double>* y,
                             size_t count,
                             size_t lags,
                             std::complex<double>* sums);

//! y[n] += Σ_l h[l] x[n − l], n = 0 … count−1.
RESERVOIR_API void add_filtered(const std::complex<double>* x,
                                const std::complex<double>* h,
                                size_t taps,
                                size_t count,
                                std::complex<double>* y);

//! y[n] = x[n] exp(−i phase[n]); x may be y. Below 10000 radians to 1e-12.
RESERVOIR_API void turn_back(const std::complex<double>* x,
                             const double* phase,
                             size_t count,
                             std::complex<double>* y);

//! angle[n] = arg x[n], zero for zero.
RESERVOIR_API void angles(const std::complex<double>* x, size_t count, double* angle);

} // namespace simd
} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_SIGNAL_LOOPS_H */
