/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel/frame_reservoir.h"

#include "kernel/frame_loops.h"
#include "kernel/inner_loops.h"
#include "kernel/signal_loops.h"
#include "kernel/split_matrix.h"
#include <algorithm>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::ArrayXd;
using Eigen::ArrayXf;
using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::MatrixXcf;
using Eigen::VectorXcd;

namespace {

constexpr Index READ_BEYOND = 64; // samples, by loops of vectors

} // namespace

frame_reservoir::frame_reservoir(const MatrixXcf& recurrent,
                                 const MatrixXcf& input,
                                 int num_inputs,
                                 activation function)
    : d_num_neurons(recurrent.rows()),
      d_window(input.cols() / num_inputs),
      d_function(function),
      d_padded(simd::padded(d_num_neurons)),
      d_recurrent_re(ArrayXf::Zero(d_padded * d_num_neurons)),
      d_recurrent_sum(d_recurrent_re),
      d_recurrent_difference(d_recurrent_re),
      d_drive(input, num_inputs),
      d_samples(num_inputs),
      d_re(num_inputs),
      d_im(num_inputs)
{
    for (Index k = 0; k < d_num_neurons; k++) {
        const ArrayXf re = recurrent.col(k).real(), im = recurrent.col(k).imag();
        d_recurrent_re.segment(k * d_padded, d_num_neurons) = re;
        d_recurrent_sum.segment(k * d_padded, d_num_neurons) = re + im;
        d_recurrent_difference.segment(k * d_padded, d_num_neurons) = im - re;
    }
}

void frame_reservoir::read(const sample_streams& samples, double gain, Index zeros_behind)
{
    const Index size = samples[0].size(), instants = size + zeros_behind;
    std::vector<const float*> re, im;
    for (size_t a = 0; a < d_samples.size(); a++) {
        d_samples[a].setZero(d_window + instants);
        d_samples[a].segment(d_window, size) = gain * samples[a];
        const auto seen = d_samples[a].tail(d_window - 1 + instants);
        d_re[a].setZero(seen.size() + READ_BEYOND);
        d_im[a].setZero(seen.size() + READ_BEYOND);
        d_re[a].head(seen.size()) = seen.real().cast<float>().array();
        d_im[a].head(seen.size()) = seen.imag().cast<float>().array();
        re.push_back(d_re[a].data() + d_window - 1);
        im.push_back(d_im[a].data() + d_window - 1);
    }
    d_states_re.resize(instants * d_padded);
    d_states_im.resize(instants * d_padded);
    d_drive.run(re.data(), im.data(), instants, d_states_re.data(), d_states_im.data());
    simd::run_states(
        d_function,
        { d_recurrent_re.data(), d_recurrent_sum.data(), d_recurrent_difference.data() },
        d_padded,
        d_num_neurons,
        instants,
        d_states_re.data(),
        d_states_im.data());
}

// One pair of inputs after the other, the lower half of blocks.
void frame_reservoir::set_window_gram(row_range instants, MatrixXcd& gram) const
{
    const Index inputs = d_samples.size(), count = instants.size();
    VectorXcd sums(d_window);
    for (Index b = 0; b < inputs; b++)
        for (Index a = b; a < inputs; a++) {
            auto block = gram.block(a * d_window, b * d_window, d_window, d_window);
            simd::correlate(sample(a, instants.first),
                            sample(b, instants.first),
                            count,
                            d_window,
                            sums.data());
            block.col(0) = sums;
            if (a > b) {
                simd::correlate(sample(b, instants.first),
                                sample(a, instants.first),
                                count,
                                d_window,
                                sums.data());
                block.row(0) = sums.adjoint();
            }
            // instants that come in at the front, and go out at the back, one lag later
            const auto lags = [&](Index input, Index instant) {
                return Eigen::Map<const VectorXcd>(
                           sample(input, instant) - (d_window - 1), d_window)
                    .reverse();
            };
            const VectorXcd in = lags(a, instants.first - 1).conjugate();
            const VectorXcd out = lags(a, instants.last - 1).conjugate();
            const auto in_b = lags(b, instants.first - 1);
            const auto out_b = lags(b, instants.last - 1);
            for (Index j = 1; j < d_window; j++) {
                const Index first = a > b ? 1 : j, left = d_window - first;
                block.col(j).tail(left) = block.col(j - 1).segment(first - 1, left) +
                                          in_b(j - 1) * in.segment(first - 1, left) -
                                          out_b(j - 1) * out.segment(first - 1, left);
            }
        }
}

MatrixXcd frame_reservoir::windows(row_range instants) const
{
    MatrixXcd rows(instants.size(), num_taps());
    for (size_t a = 0; a < d_samples.size(); a++)
        for (Index age = 0; age < d_window; age++)
            rows.col(a * d_window + age) = Eigen::Map<const VectorXcd>(
                sample(a, instants.first - age), instants.size());
    return rows;
}

MatrixXcd frame_reservoir::rows(row_range instants) const
{
    MatrixXcd found(instants.size(), d_num_neurons + num_taps());
    for (Index n = 0; n < instants.size(); n++)
        for (Index k = 0; k < d_num_neurons; k++) {
            const Index place = (instants.first + n) * d_padded + k;
            found(n, k) = { d_states_re(place), d_states_im(place) };
        }
    found.rightCols(num_taps()) = windows(instants);
    return found;
}

void frame_reservoir::add_states(row_range instants,
                                 const MatrixXcd& targets,
                                 const ArrayXd& first_weights,
                                 normal_equations& sums) const
{
    const Index outputs = targets.cols(), first = instants.first;
    const Index weighted = first_weights.size();
    const Eigen::MatrixXf target_re = targets.real().cast<float>();
    const Eigen::MatrixXf target_im = targets.imag().cast<float>();
    std::vector<simd::value_sequence> sequences;
    for (Index k = 0; k < d_num_neurons; k++)
        sequences.push_back({ d_states_re.data() + first * d_padded + k,
                              d_states_im.data() + first * d_padded + k,
                              size_t(d_padded) });
    for (size_t a = 0; a < d_samples.size(); a++)
        for (Index age = 0; age < d_window; age++)
            sequences.push_back({ d_re[a].data() + d_window - 1 + first - age,
                                  d_im[a].data() + d_window - 1 + first - age,
                                  1 });
    for (Index o = 0; o < outputs; o++)
        sequences.push_back({ target_re.col(o).data(), target_im.col(o).data(), 1 });

    Eigen::ArrayXXd re = Eigen::ArrayXXd::Zero(d_padded, sequences.size()), im = re;
    const auto add = [&](const float* states_re, const float* states_im, Index count) {
        simd::correlate_states(states_re,
                               states_im,
                               d_padded,
                               count,
                               sequences.data(),
                               sequences.size(),
                               re.data(),
                               im.data());
    };
    if (weighted > 0) { // weights are left to one of the two factors
        Eigen::ArrayXXf some_re = Eigen::Map<const Eigen::ArrayXXf>(
            d_states_re.data() + first * d_padded, d_padded, weighted);
        Eigen::ArrayXXf some_im = Eigen::Map<const Eigen::ArrayXXf>(
            d_states_im.data() + first * d_padded, d_padded, weighted);
        const auto weights = first_weights.cast<float>().transpose();
        some_re.rowwise() *= weights;
        some_im.rowwise() *= weights;
        add(some_re.data(), some_im.data(), weighted);
        for (simd::value_sequence& sequence : sequences) {
            sequence.re += weighted * sequence.step;
            sequence.im += weighted * sequence.step;
        }
    }
    add(d_states_re.data() + (first + weighted) * d_padded,
        d_states_im.data() + (first + weighted) * d_padded,
        instants.size() - weighted);

    for (Index k = 0; k < d_num_neurons; k++) {
        for (Index j = 0; j < sums.gram.rows(); j++)
            sums.gram(j, k) = { re(k, j), -im(k, j) };
        for (Index o = 0; o < outputs; o++)
            sums.cross(k, o) = { re(k, sums.gram.rows() + o),
                                 im(k, sums.gram.rows() + o) };
    }
}

normal_equations frame_reservoir::window_sums(row_range instants,
                                              const MatrixXcd& targets) const
{
    normal_equations found;
    found.gram.resize(num_taps(), num_taps());
    found.cross.resize(num_taps(), targets.cols());
    found.energy = targets.colwise().squaredNorm().transpose().array();
    found.rows = instants.size();
    set_window_gram(instants, found.gram);
    for (size_t a = 0; a < d_samples.size(); a++)
        for (Index o = 0; o < targets.cols(); o++)
            simd::correlate(sample(a, instants.first),
                            targets.col(o).data(),
                            instants.size(),
                            d_window,
                            found.cross.col(o).data() + a * d_window);
    return found;
}

normal_equations frame_reservoir::sums(const normal_equations& window,
                                       row_range instants,
                                       const MatrixXcd& targets,
                                       const ArrayXd& first_weights) const
{
    const Index taps = num_taps(), size = d_num_neurons + taps;
    normal_equations found;
    found.gram.resize(size, size);
    found.cross.resize(size, targets.cols());
    auto gram = found.gram.bottomRightCorner(taps, taps);
    gram = window.gram;
    found.cross.bottomRows(taps) = window.cross;
    found.energy = window.energy;
    found.rows = window.rows;
    if (first_weights.size() > 0) {
        const Eigen::VectorXd less = (1.0 - first_weights).matrix();
        const auto some = targets.topRows(less.size());
        const MatrixXcd first = windows({ instants.first, instants.first + less.size() });
        gram -= lower_half(adjoint_gram(first, less));
        found.cross.bottomRows(taps) -= first.adjoint() * (less.asDiagonal() * some);
        found.energy -=
            (less.asDiagonal() * some.cwiseAbs2()).colwise().sum().transpose().array();
        found.rows -= less.sum();
    }
    add_states(instants, targets, first_weights, found);
    return found;
}

sample_streams
frame_reservoir::outputs(const MatrixXcd& weights, Index first, Index count)
{
    std::vector<const float*> re, im;
    for (size_t a = 0; a < d_samples.size(); a++) {
        re.push_back(d_re[a].data() + first);
        im.push_back(d_im[a].data() + first);
    }
    sample_streams streams;
    for (const auto column : weights.colwise()) {
        const Eigen::VectorXcf values = column.cast<std::complex<float>>();
        // oldest sample first
        ArrayXf taps_re(num_taps()), taps_im(num_taps());
        for (size_t a = 0; a < d_samples.size(); a++) {
            const auto taps =
                values.segment(d_num_neurons + a * d_window, d_window).reverse();
            taps_re.segment(a * d_window, d_window) = taps.real();
            taps_im.segment(a * d_window, d_window) = taps.imag();
        }
        d_output.resize(count);
        simd::fir(re.data(),
                  im.data(),
                  re.size(),
                  d_window,
                  taps_re.data(),
                  taps_im.data(),
                  count,
                  d_output.data());
        ArrayXf neurons_re = ArrayXf::Zero(d_padded), neurons_im = neurons_re;
        neurons_re.head(d_num_neurons) = values.head(d_num_neurons).real();
        neurons_im.head(d_num_neurons) = values.head(d_num_neurons).imag();
        simd::read_states(d_states_re.data() + first * d_padded,
                          d_states_im.data() + first * d_padded,
                          d_padded,
                          count,
                          neurons_re.data(),
                          neurons_im.data(),
                          d_output.data());
        streams.push_back(d_output.cast<std::complex<double>>());
    }
    return streams;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
