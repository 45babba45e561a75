/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/activation.h>

#include <cmath>
#include <stdexcept>

namespace gr {
namespace reservoir {
namespace kernel {

activation activation_from_string(const std::string& name)
{
    for (auto function :
         { activation::identity, activation::magnitude_tanh, activation::split_tanh }) {
        if (name == to_string(function))
            return function;
    }
    throw std::invalid_argument("activation = '" + name +
                                "': must be one of identity, magnitude_tanh, split_tanh");
}

std::string to_string(activation function)
{
    switch (function) {
    case activation::identity:
        return "identity";
    case activation::magnitude_tanh:
        return "magnitude_tanh";
    case activation::split_tanh:
        return "split_tanh";
    }
    return "";
}

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
