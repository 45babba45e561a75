/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_SOFT_BITS_H
#define INCLUDED_RESERVOIR_KERNEL_SOFT_BITS_H

#include <gnuradio/digital/constellation.h>
#include <gnuradio/gr_complex.h>
#include <gnuradio/reservoir/api.h>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief Labels of a constellation's points, as digital::constellation::calc_soft_dec reads them:
 * pre_diff_code()[m] of point m where apply_pre_diff_code(), else m.
 * \throws std::invalid_argument null, not of one dimension, or a code of another length
 */
RESERVOIR_API std::vector<int>
bit_labels(const digital::constellation_sptr& constellation);

/*!
 * \brief Log-likelihood ratios of a symbol's bits from likelihoods of its points, and back
 * (ten Brink, Speidel and Yan, 1998).
 *
 * \details
 * A ratio is log P(bit = 1) / P(bit = 0), in nats: positive for 1. Bits of a symbol lie next to each
 * other, the most significant of the label first: order and sign of
 * digital::constellation::calc_soft_dec. (Its scale is another: GNU Radio 3.10 takes distances there
 * that are not squared.) Arrays hold count symbols, bits() or num_points() values for each.
 *
 * Not responsible for what the points are, nor for the noise.
 */
class RESERVOIR_API soft_bits
{
public:
    //! Ratios that are given count as at most so large, and none that comes out is larger.
    static constexpr float MAX_RATIO = 80.0f;

    /*!
     * \param labels of the points 0, 1 ...: each of 0 ... 2^bits - 1 once, bits 1 to 12
     * \throws std::invalid_argument
     */
    explicit soft_bits(const std::vector<int>& labels);

    int bits() const { return d_bits; }
    size_t num_points() const { return d_labels.size(); }
    const std::vector<int>& labels() const { return d_labels; }

    /*!
     * \brief Ratios of the bits: log of the sum of exp over the points whose bit is 1, less that over
     * those whose bit is 0.
     * \param log_likelihoods of the points, up to a constant per symbol, priors included. What is not
     * finite counts as impossible; where every point is, the ratios are 0
     */
    void ratios(const float* log_likelihoods, size_t count, float* llrs) const;
    /*!
     * \brief Natural logarithms of the points' probabilities, their bits being independent.
     * \param llrs NaN counts as 0
     */
    void log_priors(const float* llrs, size_t count, float* priors) const;
    /*!
     * \brief Mean and variance of symbols whose bits have these ratios.
     * \param points num_points() of them
     * \param variances E|x - mean|^2
     */
    void moments(const float* llrs,
                 size_t count,
                 const gr_complex* points,
                 gr_complex* means,
                 float* variances) const;

private:
    bool is_one(size_t point, int bit) const
    {
        return d_labels[point] >> (d_bits - 1 - bit) & 1;
    }
    // log P of the label, given by twice its bits' log P(1), log P(0)
    float log_prior(size_t point, const float* of_bits) const;
    void bit_log_probabilities(const float* llrs, float* of_bits) const;

    std::vector<int> d_labels;
    int d_bits;
};

//! NaN becomes 0; the rest is limited to +- limit.
RESERVOIR_API void clip_ratios(float* llrs, size_t count, float limit);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_SOFT_BITS_H */
