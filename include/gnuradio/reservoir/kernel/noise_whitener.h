/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_NOISE_WHITENER_H
#define INCLUDED_RESERVOIR_KERNEL_NOISE_WHITENER_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/kernel/carrier_channel.h>
#include <gnuradio/reservoir/kernel/channel_estimate.h>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief Prediction-error filter over all antennas: u[n] = sum_k B_k r[n - k].
 *
 * With r = e, the noise it was fitted to, u is white and all antennas have the same part of it. A
 * signal that has come through a channel comes through a longer one: B * h.
 */
class RESERVOIR_API noise_whitener
{
public:
    //! Changes nothing.
    noise_whitener() = default;
    //! \param taps B_0, B_1, ..., of which B_0 has an inverse
    explicit noise_whitener(std::vector<mimo_matrix> taps) : d_taps(std::move(taps)) {}

    bool is_identity() const { return d_taps.empty(); }
    //! Samples that the filter looks back.
    Eigen::Index order() const;
    const std::vector<mimo_matrix>& taps() const { return d_taps; }

    sample_streams apply(const sample_streams& samples) const;
    //! The channel's first taps without the filter, when these are with it.
    mimo_taps undo(const mimo_taps& filtered, Eigen::Index length) const;

private:
    std::vector<mimo_matrix> d_taps;
};

/*!
 * \brief The filter that makes noise white, by least squares: a vector autoregression (Whittle, 1963).
 *
 * Its order is the likeliest of 0 (antennas alone) to most by the Bayesian information criterion
 * (Schwarz, 1978), and all orders come from one Cholesky factor. No filter where noise that is white,
 * and as strong at all antennas, is likelier. What is left has the mean power of the prediction error.
 *
 * \param noise a vector per antenna
 * \param rows samples that are looked at
 * \param most order; less where there are few samples
 */
RESERVOIR_API noise_whitener fit_noise_whitener(const sample_streams& noise,
                                                row_range rows,
                                                Eigen::Index most);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_NOISE_WHITENER_H */
