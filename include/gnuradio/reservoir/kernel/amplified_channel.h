/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_AMPLIFIED_CHANNEL_H
#define INCLUDED_RESERVOIR_KERNEL_AMPLIFIED_CHANNEL_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/kernel/carrier_channel.h>
#include <gnuradio/reservoir/kernel/channel_estimate.h>
#include <Eigen/Core>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief An amplifier behind every transmitting antenna, then the channel (a Hammerstein model):
 *
 *     r_r[n] = sum_j sum_l h_jr[l] t_j[n - l],     t = s (1 + c_1 |s|^2 + c_2 |s|^4 + ...)
 */
struct amplified_channel {
    mimo_taps taps;
    Eigen::MatrixXcd
        coefficients; //!< c_q in row q - 1, a column per stream; may have no rows
    Eigen::VectorXd
        largest; //!< |s| of each stream that was seen: beyond it, the gain stays
    double noise_variance = 0.0; //!< per sample, over the degrees of freedom left

    //! What arrives at the antennas when this is sent.
    RESERVOIR_API sample_streams output(const sample_streams& sent) const;
};

/*!
 * \brief Fits an amplified_channel to samples: channel and polynomial in turns, by least squares, the
 * number of coefficients and of taps by the Bayesian information criterion (Schwarz, 1978).
 *
 * The samples are looked at once: all fits work on sums over products of the powers s |s|^2q.
 *
 * \param received, sent a vector per antenna or stream, of about unit power
 * \param rows samples that are fitted; those sent before rows.first count as well
 * \param longest taps, 1 to rows.first + 1 where what was sent before is not known
 * \param length exactly so many taps, at most longest; 0: by the criterion
 * \param most_coefficients of the polynomial, 0 to 3
 * \param least_coefficients at least so many
 */
RESERVOIR_API amplified_channel fit_amplified_channel(const sample_streams& received,
                                                      const sample_streams& sent,
                                                      row_range rows,
                                                      Eigen::Index longest,
                                                      Eigen::Index length,
                                                      int most_coefficients,
                                                      int least_coefficients = 0);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_AMPLIFIED_CHANNEL_H */
