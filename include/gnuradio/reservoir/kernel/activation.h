/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_ACTIVATION_H
#define INCLUDED_RESERVOIR_KERNEL_ACTIVATION_H

#include <gnuradio/reservoir/api.h>
#include <complex>
#include <string>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief What a neuron does to the sum of its inputs.
 *
 * identity: z. magnitude_tanh: z tanh|z|/|z|, which keeps the phase (Hirose, 1992).
 * split_tanh: tanh(Re z) + i tanh(Im z).
 */
enum class activation { identity, magnitude_tanh, split_tanh };

//! \throws std::invalid_argument naming the three choices
RESERVOIR_API activation activation_from_string(const std::string& name);

RESERVOIR_API std::string to_string(activation function);

//! The function itself, one value at a time: the reference that the SIMD code is tested against.
RESERVOIR_API std::complex<double> apply(activation function, std::complex<double> z);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_ACTIVATION_H */
