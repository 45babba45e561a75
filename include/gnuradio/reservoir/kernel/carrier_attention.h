/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_CARRIER_ATTENTION_H
#define INCLUDED_RESERVOIR_KERNEL_CARRIER_ATTENTION_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/kernel/carrier_correction.h>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief As fit_carrier_correction, but what carrier l counts for carrier k is trained: attention.
 *
 *     w_kl = softmax_l(q_k . k_l / sqrt(4) - d^2 / 2 sigma^2)
 *
 * Queries q and keys k are linear in a carrier's features: the error and the power that the known
 * symbols have there, and its place in the band as sines and cosines. Sigma and the ridge are those of
 * fit_carrier_correction, from which training starts. Adam descends the error of known symbols, each left
 * out once, on every other carrier; the carriers between judge. Where the error there is not less than
 * without attention, the result is that of fit_carrier_correction.
 *
 * A reconstruction of the part of Xu, Li, Zheng and Liu (Detect to Learn, 2022) that weighs carriers:
 * no code was published.
 */
RESERVOIR_API carrier_correction fit_carrier_attention(const carrier_streams& equalized,
                                                       const carrier_streams& known,
                                                       const carrier_mask& usable);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_CARRIER_ATTENTION_H */
