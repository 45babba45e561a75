/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/bptt_network.h>

#include "kernel/inner_loops.h"
#include "kernel/recurrent_loops.h"
#include <algorithm>
#include <stdexcept>

namespace gr {
namespace reservoir {
namespace kernel {

using simd::factor;
using simd::split_view;

namespace {

// Views of a block in an array; SIMD code reads and writes through one type.
template <class T, class Block>
split_view<T> view(const std::vector<T>& values, const Block& shape)
{
    T* first = const_cast<T*>(values.data()) + shape.offset;
    return { first, first + shape.part(), 1, shape.padded_rows() };
}

template <class T>
split_view<T> transposed(const split_view<T>& a)
{
    return { a.re, a.im, a.column_step, a.row_step };
}

template <class T>
split_view<T> from_column(const split_view<T>& a, size_t column)
{
    const size_t skipped = column * a.column_step;
    return { a.re + skipped, a.im + skipped, a.row_step, a.column_step };
}

template <class T, class Matrix>
void pack(const Matrix& matrix, const split_view<T>& into)
{
    for (Eigen::Index j = 0; j < matrix.cols(); j++) {
        for (Eigen::Index i = 0; i < matrix.rows(); i++) {
            const std::complex<T> value = matrix(i, j);
            into.re[i * into.row_step + j * into.column_step] = value.real();
            into.im[i * into.row_step + j * into.column_step] = value.imag();
        }
    }
}

template <class T>
typename network_weights<T>::matrix
unpack_matrix(const split_view<T>& from, size_t rows, size_t columns)
{
    typename network_weights<T>::matrix matrix(rows, columns);
    for (size_t j = 0; j < columns; j++)
        for (size_t i = 0; i < rows; i++)
            matrix(i, j) = { from.re[i * from.row_step + j * from.column_step],
                             from.im[i * from.row_step + j * from.column_step] };
    return matrix;
}

} // namespace

template <class T>
size_t bptt_network<T>::block::padded_rows() const
{
    return simd::padded(rows);
}

template <class T>
bptt_network<T>::bptt_network(const network_weights<T>& weights, activation function)
    : d_neurons(weights.recurrent.rows()),
      d_inputs(weights.input.cols()),
      d_outputs(weights.readout.rows()),
      d_function(function)
{
    const size_t n = d_neurons, m = d_inputs, o = d_outputs;
    d_recurrent = { n, n, 0 };
    d_input = { n, m, d_recurrent.end() };
    d_readout = { n, o, d_input.end() };
    d_skip = { m, weights.skip.size() > 0 ? o : 0, d_readout.end() };
    d_parameters.assign(d_skip.end(), T(0));
    d_gradient = d_parameters;
    d_adjoint.assign(d_recurrent.end(), T(0));
    set_weights(weights);
}

template <class T>
void bptt_network<T>::set_weights(const network_weights<T>& weights)
{
    const bool fits =
        weights.recurrent.rows() == d_neurons && weights.recurrent.cols() == d_neurons &&
        weights.input.rows() == d_neurons && weights.input.cols() == d_inputs &&
        weights.readout.rows() == d_outputs && weights.readout.cols() == d_neurons &&
        (weights.skip.size() > 0) == (d_skip.columns > 0) &&
        (weights.skip.size() == 0 ||
         (weights.skip.rows() == d_outputs && weights.skip.cols() == d_inputs));
    if (!fits)
        throw std::invalid_argument(
            "bptt_network: W must be N x N, U N x M, W_out O x N, D O x M or empty");
    pack(weights.recurrent, view(d_parameters, d_recurrent));
    pack(weights.input, view(d_parameters, d_input));
    pack(weights.readout.adjoint(), view(d_parameters, d_readout));
    if (d_skip.columns > 0)
        pack(weights.skip.adjoint(), view(d_parameters, d_skip));
}

template <class T>
network_weights<T> bptt_network<T>::unpack(const std::vector<T>& values) const
{
    const auto matrix_of = [&values](const block& shape) {
        return unpack_matrix(view(values, shape), shape.rows, shape.columns);
    };
    network_weights<T> weights;
    weights.recurrent = matrix_of(d_recurrent);
    weights.input = matrix_of(d_input);
    weights.readout = matrix_of(d_readout).adjoint();
    if (d_skip.columns > 0)
        weights.skip = matrix_of(d_skip).adjoint();
    return weights;
}

template <class T>
void bptt_network<T>::set_sequence(const matrix& inputs,
                                   const matrix& targets,
                                   const std::vector<T>& step_weights)
{
    const size_t steps = step_weights.size();
    if (inputs.rows() != d_inputs || targets.rows() != d_outputs ||
        size_t(inputs.cols()) != steps || size_t(targets.cols()) != steps)
        throw std::invalid_argument("bptt_network: inputs must be M x T, targets O "
                                    "x T, step_weights T values");
    d_steps = steps;
    d_weights = step_weights;
    d_total_weight = 0.0;
    for (const T weight : d_weights)
        d_total_weight += weight;
    if (!(d_total_weight > 0.0))
        throw std::invalid_argument("bptt_network: one step at least must count");
    d_u = { size_t(d_inputs), steps, 0 };
    d_state = { size_t(d_neurons), steps + 1, 0 };
    d_row = { steps, size_t(d_outputs), 0 };
    d_inputs_split.assign(d_u.end(), T(0));
    pack(inputs, view(d_inputs_split, d_u));
    d_targets.assign(d_row.end(), T(0));
    pack(targets.transpose(), view(d_targets, d_row));
    d_output.assign(d_row.end(), T(0));
    d_error = d_output;
    for (auto* values : { &d_sums, &d_states, &d_slopes, &d_deltas })
        values->assign(d_state.end(), T(0));
}

template <class T>
double bptt_network<T>::forward()
{
    const auto z = view(d_sums, d_state), s = view(d_states, d_state);
    const auto u = view(d_inputs_split, d_u);
    const size_t padded = d_state.padded_rows();
    std::fill(d_sums.begin(), d_sums.end(), T(0));
    simd::multiply_add(view(d_parameters, d_input),
                       u,
                       factor::as_it_is,
                       padded,
                       d_inputs,
                       d_steps,
                       from_column(z, 1));
    simd::run_forward(d_function,
                      view(d_parameters, d_recurrent),
                      padded,
                      d_neurons,
                      d_steps,
                      z,
                      s,
                      view(d_slopes, d_state));
    std::fill(d_output.begin(), d_output.end(), T(0));
    for (int o = 0; o < d_outputs; o++) {
        // a row over time
        const auto y = transposed(from_column(view(d_output, d_row), o));
        simd::project(from_column(view(d_parameters, d_readout), o),
                      from_column(s, 1),
                      padded,
                      d_steps,
                      y);
        if (d_skip.columns > 0)
            simd::project(from_column(view(d_parameters, d_skip), o),
                          u,
                          d_u.padded_rows(),
                          d_steps,
                          y);
    }
    return loss(d_weights);
}

template <class T>
double bptt_network<T>::loss(const std::vector<T>& step_weights) const
{
    const auto y = view(d_output, d_row), x = view(d_targets, d_row);
    double sum = 0.0, total = 0.0;
    for (size_t t = 0; t < d_steps; t++) {
        double power = 0.0;
        for (int o = 0; o < d_outputs; o++) {
            const size_t place = o * y.column_step + t;
            const double re = y.re[place] - x.re[place];
            const double im = y.im[place] - x.im[place];
            power += re * re + im * im;
        }
        if (step_weights[t] > T(0)) // what is not counted may overflow
            sum += step_weights[t] * power;
        total += step_weights[t];
    }
    return sum / (total * d_outputs);
}

template <class T>
void bptt_network<T>::backward(bool by_recurrent)
{
    const T scale = T(2.0 / (d_total_weight * d_outputs));
    const auto y = view(d_output, d_row), x = view(d_targets, d_row),
               e = view(d_error, d_row);
    for (int o = 0; o < d_outputs; o++) {
        for (size_t t = 0; t < d_steps; t++) {
            const size_t place = o * e.column_step + t;
            const T weight = scale * d_weights[t];
            e.re[place] = weight * (y.re[place] - x.re[place]);
            e.im[place] = weight * (y.im[place] - x.im[place]);
        }
    }
    back_propagate(d_steps, by_recurrent);
}

template <class T>
void bptt_network<T>::back_propagate(size_t steps, bool by_recurrent)
{
    const auto u = view(d_inputs_split, d_u), e = view(d_error, d_row);
    const auto s = view(d_states, d_state), dz = view(d_deltas, d_state);
    const auto dz1 = from_column(dz, 1);
    const size_t padded = d_state.padded_rows();

    const auto w = view(d_parameters, d_recurrent),
               adjoint = view(d_adjoint, d_recurrent);
    for (int j = 0; j < d_neurons; j++) {
        for (int i = 0; i < d_neurons; i++) {
            adjoint.re[j * padded + i] = w.re[i * padded + j];
            adjoint.im[j * padded + i] = -w.im[i * padded + j];
        }
    }
    for (size_t part : { size_t(0), d_state.part() })
        std::fill_n(d_deltas.begin() + part, (steps + 1) * padded, T(0));
    simd::multiply_add(view(d_parameters, d_readout),
                       transposed(e),
                       factor::as_it_is,
                       padded,
                       d_outputs,
                       steps,
                       dz1);
    simd::run_backward(d_function,
                       adjoint,
                       padded,
                       d_neurons,
                       steps,
                       view(d_sums, d_state),
                       s,
                       view(d_slopes, d_state),
                       dz);

    std::fill(d_gradient.begin(), d_gradient.end(), T(0));
    if (by_recurrent)
        simd::multiply_add(dz1,
                           transposed(s),
                           factor::conjugate,
                           padded,
                           steps,
                           d_neurons,
                           view(d_gradient, d_recurrent));
    simd::multiply_add(dz1,
                       transposed(u),
                       factor::conjugate,
                       padded,
                       steps,
                       d_inputs,
                       view(d_gradient, d_input));
    simd::multiply_add(from_column(s, 1),
                       e,
                       factor::conjugate,
                       padded,
                       steps,
                       d_outputs,
                       view(d_gradient, d_readout));
    if (d_skip.columns > 0)
        simd::multiply_add(u,
                           e,
                           factor::conjugate,
                           d_u.padded_rows(),
                           steps,
                           d_outputs,
                           view(d_gradient, d_skip));
}

template <class T>
Eigen::MatrixXd bptt_network<T>::jacobian(bool by_recurrent)
{
    std::vector<size_t> entries; // of the gradient, without padding
    for (const block& shape : { d_recurrent, d_input, d_readout, d_skip }) {
        if (shape.offset == 0 && !by_recurrent)
            continue;
        for (size_t part : { size_t(0), shape.part() })
            for (size_t j = 0; j < shape.columns; j++)
                for (size_t i = 0; i < shape.rows; i++)
                    entries.push_back(shape.offset + part + j * shape.padded_rows() + i);
    }
    const size_t counted = std::count_if(
        d_weights.begin(), d_weights.end(), [](T weight) { return weight > T(0); });
    Eigen::MatrixXd rows(2 * counted * d_outputs, entries.size());
    std::fill(d_error.begin(), d_error.end(), T(0));
    Eigen::Index row = 0;
    for (size_t t = 0; t < d_steps; t++) {
        if (!(d_weights[t] > T(0)))
            continue;
        for (int o = 0; o < d_outputs; o++) {
            for (size_t part : { size_t(0), d_row.part() }) {
                T& unit = d_error[part + o * d_row.padded_rows() + t];
                unit = T(1);
                back_propagate(t + 1, by_recurrent);
                unit = T(0);
                for (size_t k = 0; k < entries.size(); k++)
                    rows(row, k) = d_gradient[entries[k]];
                row++;
            }
        }
    }
    return rows;
}

template <class T>
typename bptt_network<T>::matrix bptt_network<T>::states() const
{
    return unpack_matrix(from_column(view(d_states, d_state), 1), d_neurons, d_steps);
}

template <class T>
typename bptt_network<T>::matrix bptt_network<T>::outputs() const
{
    return unpack_matrix(transposed(view(d_output, d_row)), d_outputs, d_steps);
}

template class bptt_network<float>;
template class bptt_network<double>;

} // namespace kernel
} // namespace reservoir
} // namespace gr
