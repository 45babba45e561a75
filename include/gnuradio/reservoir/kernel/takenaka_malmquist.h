/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_TAKENAKA_MALMQUIST_H
#define INCLUDED_RESERVOIR_KERNEL_TAKENAKA_MALMQUIST_H

#include <gnuradio/reservoir/api.h>
#include <Eigen/Core>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief Orthonormal impulse responses that span given poles (Takenaka, 1925; Malmquist, 1926).
 *
 * A cascade: with t_0 an impulse,
 *
 *     v_k[m] = q_k v_k[m-1] + t_k[m],   t_{k+1}[m] = v_k[m-1] - conj(q_k) v_k[m],
 *
 * and response k is sqrt(1 - |q_k|^2) v_k. Unlike 1 / (1 - q_k z^-1), whose Gram matrix reaches a
 * condition number of 1e17 with 32 clustered poles, the responses stay orthonormal (up to their
 * truncation) with poles that coincide. Poles are used in the order given.
 *
 * Run on r[n+m] the bank is anticausal, on r[n-m] causal: the responses are functionals of the
 * samples, and a readout of them is one FIR filter.
 *
 * \param poles |q_k| < 1
 * \param length samples of each response
 * \return poles x length
 */
RESERVOIR_API Eigen::MatrixXcd takenaka_malmquist(const Eigen::VectorXcd& poles,
                                                  Eigen::Index length);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_TAKENAKA_MALMQUIST_H */
