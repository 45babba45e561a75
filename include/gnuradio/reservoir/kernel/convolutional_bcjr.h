/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_CONVOLUTIONAL_BCJR_H
#define INCLUDED_RESERVOIR_KERNEL_CONVOLUTIONAL_BCJR_H

#include <gnuradio/reservoir/api.h>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief Soft-input soft-output decoder of a terminated convolutional code of rate 1/2 (Bahl, Cocke,
 * Jelinek, Raviv, 1974), in the logarithmic domain (Robertson, Villebrun, Hoeher, 1995).
 *
 * Gives the a-posteriori log-likelihood ratio of every coded and every information bit. The
 * Jacobian logarithm max*(a, b) = max(a, b) + log(1 + exp(-|a - b|)) is computed with a polynomial
 * for its second term, of an error below 0.0015. An information bit costs five of them for each of
 * the 2^(K-1) states. The code is that of gr-fec's cc_encoder: a polynomial's least significant bit
 * belongs to the newest information bit, the first polynomial's coded bit comes first, and K - 1
 * zeros follow the information bits.
 *
 * Not responsible for interleaving, clipping, or for what part of the ratios was known before. Not
 * for two threads at once.
 */
class RESERVOIR_API convolutional_bcjr
{
public:
    /*!
     * \param polynomials two different ones, 1 ... 2^K - 1
     * \param constraint_len K, 3 to 9
     * \param num_info information bits of a block, 1 ... 2^20
     * \throws std::invalid_argument naming the parameter, its value and its range
     */
    convolutional_bcjr(const std::vector<int>& polynomials,
                       int constraint_len,
                       size_t num_info);

    size_t num_info() const { return d_num_info; }
    //! 2 (num_info + K - 1)
    size_t num_coded() const { return 2 * d_num_steps; }

    /*!
     * \param ratios of the coded bits, log p(1) / p(0), num_coded of them, finite
     * \param coded a-posteriori ratios of the coded bits; null: not wanted
     * \param info a-posteriori ratios of the information bits; null: not wanted
     */
    void decode(const float* ratios, float* coded, float* info);

private:
    const size_t d_num_info;
    const size_t d_num_steps;
    const size_t d_half;           // half of the states
    std::vector<float> d_sign[2];  // of the branches, by coded bit
    std::vector<uint32_t> d_place; // of a branch among those sorted by coded bits
    std::vector<float> d_forward;  // (steps + 1) x states
    std::vector<float> d_backward; // states
    std::vector<float> d_room;
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_CONVOLUTIONAL_BCJR_H */
