/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_OPTIMIZER_H
#define INCLUDED_RESERVOIR_KERNEL_OPTIMIZER_H

#include <gnuradio/reservoir/api.h>
#include <cstddef>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

enum class descent { gd, momentum, rmsprop, adam };

//! \throws std::invalid_argument naming the four choices
RESERVOIR_API descent descent_from_string(const std::string& name);

RESERVOIR_API std::string to_string(descent kind);

/*!
 * \brief First-order descent on real parameters; complex ones count as two.
 *
 * \details
 * With gradient g and learning rate η, each element by itself:
 *
 *     gd:       p −= η g
 *     momentum: b = μ b + g (b = g at first),             p −= η b          (Polyak, 1964)
 *     rmsprop:  v = .99 v + .01 g²,                       p −= η g/(√v + ε) (Tieleman and Hinton, 2012)
 *     adam:     m = .9 m + .1 g,  v = .999 v + .001 g²,
 *               p −= η m/(1 − .9ᵗ) / (√(v/(1 − .999ᵗ)) + ε)                 (Kingma and Ba, 2015)
 *
 * ε = 1e-8: what torch.optim does by default. T is float or double.
 */
template <class T>
class RESERVOIR_API optimizer
{
public:
    optimizer(descent kind, double learning_rate, double momentum);

    //! One step of `count` parameters, always the same ones.
    void step(T* parameters, const T* gradient, size_t count);

private:
    const descent d_kind;
    const double d_learning_rate;
    const double d_momentum;
    int d_steps = 0;
    std::vector<T> d_first, d_second; // running means of g and g²
};

extern template class optimizer<float>;
extern template class optimizer<double>;

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_OPTIMIZER_H */
