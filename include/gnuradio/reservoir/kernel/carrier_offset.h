/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_CARRIER_OFFSET_H
#define INCLUDED_RESERVOIR_KERNEL_CARRIER_OFFSET_H

#include <gnuradio/reservoir/kernel/timing_and_length.h>

namespace gr {
namespace reservoir {
namespace kernel {

//! What find_carrier_offset finds.
struct carrier_offset {
    double frequency; //!< cycles per symbol
    bool significant; //!< gain in log-likelihood above 2 log n
};

/*!
 * \brief Carrier offset from known symbols that passed an unknown channel, by variable projection.
 *
 * E(f) = sum_q sum_l |sum_n conj(B_l[n]) r_q[n] exp(-i 2 pi f n)|^2, B an orthonormal basis of the
 * lagged known symbols, is what of the received energy a channel explains once the offset f is
 * taken out (Morelli and Mengali, 2000). Maximised on a grid eight times as fine as 1 / n, with a
 * parabola through the peak.
 *
 * \param received the streams, before any delay
 * \param known transmitted symbols, known in range
 * \param range symbols that are known
 * \param window the channel's timing and length
 * \param max_frequency |f| that is searched, cycles per symbol, at least 0
 */
RESERVOIR_API carrier_offset find_carrier_offset(const sample_streams& received,
                                                 const Eigen::VectorXcd& known,
                                                 row_range range,
                                                 channel_window window,
                                                 double max_frequency);

//! The same of several streams, which have the carrier in common: one vector of known symbols each.
RESERVOIR_API carrier_offset find_joint_carrier_offset(const sample_streams& received,
                                                       const sample_streams& known,
                                                       row_range range,
                                                       channel_window window,
                                                       double max_frequency);

/*!
 * \brief Phase of the received samples against their model, smoothed by a triangular window.
 *
 * The unwrapped angle of the windowed sum of r_q[n] conj(s_q[n]).
 *
 * \param half_width samples on each side of the window's peak; not more than half the rows
 */
RESERVOIR_API Eigen::VectorXd smoothed_phase(const sample_streams& received,
                                             const sample_streams& model,
                                             row_range rows,
                                             Eigen::Index half_width);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_CARRIER_OFFSET_H */
