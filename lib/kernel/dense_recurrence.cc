/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/dense_recurrence.h>

#include "kernel/eigenvalues.h"
#include "kernel/inner_loops.h"
#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gr {
namespace reservoir {
namespace kernel {

namespace {

Eigen::VectorXcd eigenvalues_in_double(const Eigen::MatrixXcf& matrix)
{
    const eigen_decomposition found =
        decompose(matrix.cast<std::complex<double>>(), false);
    if (!found.converged)
        throw std::runtime_error(
            "the eigenvalues of the recurrent weights do not converge");
    return found.values;
}

} // namespace

Eigen::VectorXcf eigenvalues(const Eigen::MatrixXcf& matrix)
{
    return eigenvalues_in_double(matrix).cast<std::complex<float>>();
}

double spectral_radius(const Eigen::MatrixXcf& matrix)
{
    return eigenvalues_in_double(matrix).cwiseAbs().maxCoeff();
}

Eigen::MatrixXcf random_recurrent_weights(int num_neurons,
                                          double radius,
                                          double sparsity,
                                          random& generator)
{
    Eigen::MatrixXcd weights(num_neurons, num_neurons);
    for (auto& weight : weights.reshaped<Eigen::RowMajor>()) {
        const std::complex<double> value = generator.complex_gaussian();
        weight = generator.uniform() < sparsity ? 0.0 : value;
    }
    if (radius == 0.0)
        return Eigen::MatrixXcf::Zero(num_neurons, num_neurons);
    const double drawn = spectral_radius(weights.cast<std::complex<float>>());
    if (drawn < 1e-6)
        throw std::invalid_argument("sparsity = " + std::to_string(sparsity) + ": with " +
                                    std::to_string(num_neurons) +
                                    " neurons and this seed all eigenvalues are zero; "
                                    "lower sparsity or use more neurons");
    return (weights * (radius / drawn)).cast<std::complex<float>>();
}

Eigen::MatrixXcf
random_input_weights(int num_neurons, int num_inputs, double scaling, random& generator)
{
    Eigen::MatrixXcd weights(num_neurons, num_inputs);
    for (auto& weight : weights.reshaped<Eigen::RowMajor>())
        weight = generator.complex_gaussian();
    for (auto row : weights.rowwise())
        row *= scaling / row.norm();
    return weights.cast<std::complex<float>>();
}

namespace {

// By columns, rows padded with zeros, real and imaginary parts apart.
void split(const Eigen::MatrixXcf& matrix, Eigen::ArrayXf& re, Eigen::ArrayXf& im)
{
    const size_t rows = simd::padded(matrix.rows());
    re = Eigen::ArrayXf::Zero(rows * matrix.cols());
    im = re;
    for (Eigen::Index j = 0; j < matrix.cols(); j++) {
        for (Eigen::Index i = 0; i < matrix.rows(); i++) {
            re[j * rows + i] = matrix(i, j).real();
            im[j * rows + i] = matrix(i, j).imag();
        }
    }
}

} // namespace

dense_recurrence::dense_recurrence(const Eigen::MatrixXcf& recurrent,
                                   const Eigen::MatrixXcf& input,
                                   activation function)
    : d_num_neurons(recurrent.rows()), d_num_inputs(input.cols()), d_function(function)
{
    if (recurrent.rows() != recurrent.cols() || input.rows() != recurrent.rows())
        throw std::invalid_argument("dense_recurrence: W must be N x N and U N x M");
    Eigen::MatrixXcf weights(d_num_neurons, d_num_neurons + d_num_inputs);
    weights << input, recurrent;
    split(weights, d_weights_re, d_weights_im);
    d_vector_re.assign(d_num_neurons + d_num_inputs, 0.0F);
    d_vector_im = d_vector_re;
    d_sum_re.assign(simd::padded(d_num_neurons), 0.0F);
    d_sum_im = d_next_re = d_next_im = d_sum_re;
}

void dense_recurrence::reset()
{
    std::fill(d_sum_re.begin(), d_sum_re.end(), 0.0F);
    std::fill(d_sum_im.begin(), d_sum_im.end(), 0.0F);
}

void dense_recurrence::step(const float* input_re, const float* input_im)
{
    std::copy_n(input_re, d_num_inputs, d_vector_re.data());
    std::copy_n(input_im, d_num_inputs, d_vector_im.data());
    std::copy_n(d_sum_re.data(), d_num_neurons, d_vector_re.data() + d_num_inputs);
    std::copy_n(d_sum_im.data(), d_num_neurons, d_vector_im.data() + d_num_inputs);
    simd::multiply(d_weights_re.data(),
                   d_weights_im.data(),
                   d_sum_re.size(),
                   d_vector_re.size(),
                   d_vector_re.data(),
                   d_vector_im.data(),
                   d_sum_re.data(),
                   d_sum_im.data());
    simd::activate(d_function, d_sum_re.size(), d_sum_re.data(), d_sum_im.data());
}

simd::reservoir_block dense_recurrence::block_of(const tapped_delay_window& window,
                                                 size_t count)
{
    d_branch_re.clear();
    d_branch_im.clear();
    for (int b = 0; b < window.num_branches(); b++) {
        d_branch_re.push_back(window.re(b));
        d_branch_im.push_back(window.im(b));
    }
    simd::reservoir_block block = {};
    block.weights_re = d_weights_re.data();
    block.weights_im = d_weights_im.data();
    block.padded_rows = d_sum_re.size();
    block.neurons = d_num_neurons;
    block.function = d_function;
    block.x_re = d_branch_re.data();
    block.x_im = d_branch_im.data();
    block.num_branches = d_branch_re.size();
    block.window = window.window();
    block.count = count;
    return block;
}

void dense_recurrence::drive(const tapped_delay_window& window,
                             size_t count,
                             float* re,
                             float* im)
{
    simd::drive_reservoir(block_of(window, count), re, im);
}

void dense_recurrence::run(const tapped_delay_window& window,
                           size_t count,
                           const std::vector<std::vector<float>>& readout_re,
                           const std::vector<std::vector<float>>& readout_im,
                           std::complex<float>* const* outputs)
{
    d_readout_re.clear();
    d_readout_im.clear();
    for (size_t o = 0; o < readout_re.size(); o++) {
        d_readout_re.push_back(readout_re[o].data());
        d_readout_im.push_back(readout_im[o].data());
    }
    simd::reservoir_block block = block_of(window, count);
    block.readout_re = d_readout_re.data();
    block.readout_im = d_readout_im.data();
    block.num_outputs = d_readout_re.size();
    block.outputs = outputs;
    simd::run_reservoir(
        block, d_sum_re.data(), d_sum_im.data(), d_next_re.data(), d_next_im.data());
}

void dense_recurrence::run(const std::complex<float>* inputs,
                           size_t count,
                           std::complex<float>* states)
{
    std::vector<float> re(d_num_inputs), im(d_num_inputs);
    for (size_t n = 0; n < count; n++) {
        for (int m = 0; m < d_num_inputs; m++) {
            re[m] = inputs[n * d_num_inputs + m].real();
            im[m] = inputs[n * d_num_inputs + m].imag();
        }
        step(re.data(), im.data());
        for (int k = 0; k < d_num_neurons; k++)
            states[n * d_num_neurons + k] = { d_sum_re[k], d_sum_im[k] };
    }
}

std::optional<modal_form> diagonalise(const Eigen::MatrixXcf& recurrent,
                                      const Eigen::MatrixXcf& input)
{
    const eigen_decomposition found =
        decompose(recurrent.cast<std::complex<double>>(), true);
    if (!found.converged)
        return std::nullopt;
    const Eigen::MatrixXcd& v = found.vectors;
    const Eigen::PartialPivLU<Eigen::MatrixXcd> lu(v);
    if (!(lu.rcond() > 1e-4) || !(found.values.cwiseAbs().maxCoeff() < 1.0))
        return std::nullopt;
    modal_form modal;
    for (const auto& pole : found.values)
        modal.poles.emplace_back(pole);
    modal.modes = v.cast<std::complex<float>>();
    modal.drive =
        lu.solve(input.cast<std::complex<double>>()).eval().cast<std::complex<float>>();
    return modal;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
