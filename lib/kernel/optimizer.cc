/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/optimizer.h>

#include <Eigen/Core>
#include <cmath>
#include <stdexcept>

namespace gr {
namespace reservoir {
namespace kernel {

descent descent_from_string(const std::string& name)
{
    for (auto kind : { descent::gd, descent::momentum, descent::rmsprop, descent::adam }) {
        if (name == to_string(kind))
            return kind;
    }
    throw std::invalid_argument("optimizer = '" + name +
                                "': must be one of gd, momentum, rmsprop, adam");
}

std::string to_string(descent kind)
{
    switch (kind) {
    case descent::gd:
        return "gd";
    case descent::momentum:
        return "momentum";
    case descent::rmsprop:
        return "rmsprop";
    case descent::adam:
        return "adam";
    }
    return "";
}

template <class T>
optimizer<T>::optimizer(descent kind, double learning_rate, double momentum)
    : d_kind(kind), d_learning_rate(learning_rate), d_momentum(momentum)
{
}

template <class T>
void optimizer<T>::step(T* parameters, const T* gradient, size_t count)
{
    typedef Eigen::Array<T, Eigen::Dynamic, 1> array;
    constexpr T EPSILON = T(1e-8);
    Eigen::Map<array> p(parameters, count);
    const Eigen::Map<const array> g(gradient, count);
    d_first.resize(count, T(0));
    d_second.resize(count, T(0));
    Eigen::Map<array> first(d_first.data(), count), second(d_second.data(), count);
    d_steps++;
    const T rate = T(d_learning_rate);
    switch (d_kind) {
    case descent::gd:
        p -= rate * g;
        break;
    case descent::momentum:
        first = T(d_momentum) * first + g;
        p -= rate * first;
        break;
    case descent::rmsprop:
        second = T(0.99) * second + T(0.01) * g.square();
        p -= rate * g / (second.sqrt() + EPSILON);
        break;
    case descent::adam: {
        first = T(0.9) * first + T(0.1) * g;
        second = T(0.999) * second + T(0.001) * g.square();
        const T unbiased_rate = T(d_learning_rate / (1.0 - std::pow(0.9, d_steps)));
        const T root = T(std::sqrt(1.0 - std::pow(0.999, d_steps)));
        p -= unbiased_rate * first / (second.sqrt() / root + EPSILON);
        break;
    }
    }
}

template class optimizer<float>;
template class optimizer<double>;

} // namespace kernel
} // namespace reservoir
} // namespace gr
