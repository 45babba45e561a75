/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_BENCH_PEAK_H
#define INCLUDED_RESERVOIR_BENCH_PEAK_H

#include <cstddef>

/*!
 * The most a core can do: fused multiply-adds on registers alone, compiled for every
 * instruction set and dispatched as the library's kernels are (Highway).
 */
namespace peak {

/*!
 * \param rounds of independent multiply-adds
 * \param factor small, so that the sums stay finite
 * \param sum where the sums begin and what comes of them, or the compiler would leave them out
 * \return how many floating-point operations that was, a multiply-add counting as two
 */
size_t multiply_add(size_t rounds, float factor, float& sum);
size_t multiply_add(size_t rounds, double factor, double& sum);

} // namespace peak

#endif /* INCLUDED_RESERVOIR_BENCH_PEAK_H */
