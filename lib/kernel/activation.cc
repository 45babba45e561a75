/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/activation.h>

#include "kernel/named.h"
#include <cmath>

namespace gr {
namespace reservoir {
namespace kernel {

namespace {

constexpr names_of<activation, 3> NAMES = { { activation::identity, "identity" },
                                            { activation::magnitude_tanh,
                                              "magnitude_tanh" },
                                            { activation::split_tanh, "split_tanh" } };

} // namespace

activation activation_from_string(const std::string& name)
{
    return from_name("activation", name, NAMES);
}

std::string to_string(activation function) { return to_name(function, NAMES); }

std::complex<double> apply(activation function, std::complex<double> z)
{
    switch (function) {
    case activation::identity:
        return z;
    case activation::magnitude_tanh: {
        const double magnitude = std::abs(z);
        return magnitude > 0.0 ? z * (std::tanh(magnitude) / magnitude) : z;
    }
    case activation::split_tanh:
        return { std::tanh(z.real()), std::tanh(z.imag()) };
    }
    return z;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
