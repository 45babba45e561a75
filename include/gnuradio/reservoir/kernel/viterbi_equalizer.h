/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_VITERBI_EQUALIZER_H
#define INCLUDED_RESERVOIR_KERNEL_VITERBI_EQUALIZER_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/reservoir/api.h>
#include <cstddef>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief Maximum-likelihood sequence estimation by the Viterbi algorithm (Forney, 1972).
 *
 * Of all symbol sequences the one with the least sum of |r[n] - sum_l h[l] x[n-l]|^2: the bound
 * that no equalizer in white noise passes. M points and L taps have M^(L-1) states; a symbol
 * costs M^L additions and comparisons.
 *
 * \param received on-time samples of the symbols wanted, and of those after them that are known
 * \param num_symbols how many are wanted
 * \param channel impulse response h, at least one tap
 * \param points constellation, 2 to 256
 * \param past the symbols before the first, newest first; at least channel.size() - 1 of them
 * \param future known symbols after the last, in order; zeros where a gap follows
 * \return index of the point of each symbol
 * \throws std::invalid_argument naming the argument; M^L is limited to 2^20
 */
RESERVOIR_API std::vector<int>
viterbi_equalizer(const std::vector<gr_complex>& received,
                  size_t num_symbols,
                  const std::vector<gr_complex>& channel,
                  const std::vector<gr_complex>& points,
                  const std::vector<gr_complex>& past,
                  const std::vector<gr_complex>& future = {});

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_VITERBI_EQUALIZER_H */
