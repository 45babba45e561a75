/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/optimizer.h>

#include "kernel/named.h"
#include <cmath>

namespace gr {
namespace reservoir {
namespace kernel {

namespace {

constexpr names_of<descent, 4> NAMES = { { descent::gd, "gd" },
                                         { descent::momentum, "momentum" },
                                         { descent::rmsprop, "rmsprop" },
                                         { descent::adam, "adam" } };

} // namespace

descent descent_from_string(const std::string& name)
{
    return from_name("optimizer", name, NAMES);
}

std::string to_string(descent kind) { return to_name(kind, NAMES); }

template <class T>
optimizer<T>::optimizer(descent kind, double learning_rate, double momentum)
    : d_kind(kind), d_learning_rate(learning_rate), d_momentum(momentum)
{
}

template <class T>
void optimizer<T>::step(T* parameters, const T* gradient, size_t count)
{
    // Loops and not Eigen's arrays: those round otherwise where an address is not aligned.
    constexpr T EPSILON = T(1e-8);
    d_first.resize(count, T(0));
    d_second.resize(count, T(0));
    T* const first = d_first.data();
    T* const second = d_second.data();
    d_steps++;
    const T rate = T(d_learning_rate);
    switch (d_kind) {
    case descent::gd:
        for (size_t k = 0; k < count; k++)
            parameters[k] -= rate * gradient[k];
        break;
    case descent::momentum:
        for (size_t k = 0; k < count; k++) {
            first[k] = T(d_momentum) * first[k] + gradient[k];
            parameters[k] -= rate * first[k];
        }
        break;
    case descent::rmsprop:
        for (size_t k = 0; k < count; k++) {
            second[k] = T(0.99) * second[k] + T(0.01) * (gradient[k] * gradient[k]);
            parameters[k] -= rate * gradient[k] / (std::sqrt(second[k]) + EPSILON);
        }
        break;
    case descent::adam: {
        const T unbiased_rate = T(d_learning_rate / (1.0 - std::pow(0.9, d_steps)));
        const T root = T(std::sqrt(1.0 - std::pow(0.999, d_steps)));
        for (size_t k = 0; k < count; k++) {
            first[k] = T(0.9) * first[k] + T(0.1) * gradient[k];
            second[k] = T(0.999) * second[k] + T(0.001) * (gradient[k] * gradient[k]);
            parameters[k] -=
                unbiased_rate * first[k] / (std::sqrt(second[k]) / root + EPSILON);
        }
        break;
    }
    }
}

template class optimizer<float>;
template class optimizer<double>;

} // namespace kernel
} // namespace reservoir
} // namespace gr
