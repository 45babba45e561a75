/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel/frame_reservoir.h"

#include "kernel/frame_loops.h"
#include "kernel/inner_loops.h"
#include "kernel/signal_loops.h"
#include "kernel/split_matrix.h"
#include <gnuradio/reservoir/kernel/singular_values.h>
#include <initializer_list>
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::ArrayXd;
using Eigen::ArrayXf;
using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::MatrixXcf;
using Eigen::VectorXcd;
using Eigen::VectorXd;

namespace {

constexpr Index READ_BEYOND = 64; // samples, by loops of vectors

/*
 * After so many instants two runs with the same input have the same states, as rounded, whatever they were
 * before: activations never put states further apart, and W by its largest singular value at most. 0: never.
 */
Index instants_remembered(const MatrixXcf& recurrent)
{
    constexpr double LEFT = 1e-7, TOO_LONG = 0.95;
    const VectorXd values =
        singular_values(MatrixXcd(recurrent.cast<std::complex<double>>()));
    if (values.size() == 0 || values(0) > TOO_LONG)
        return 0;
    return values(0) > 0.0 ? Index(std::log(LEFT) / std::log(values(0))) + 1 : 1;
}

} // namespace

frame_reservoir::frame_reservoir(const MatrixXcf& recurrent,
                                 const MatrixXcf& input,
                                 int num_inputs,
                                 activation function)
    : d_num_neurons(recurrent.rows()),
      d_window(input.cols() / num_inputs),
      d_function(function),
      d_padded(simd::padded(d_num_neurons)),
      d_remembered(instants_remembered(recurrent)),
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
        d_samples[a].resize(d_window + instants);
        d_samples[a].head(d_window).setZero();
        d_samples[a].segment(d_window, size) = gain * samples[a];
        d_samples[a].tail(zeros_behind).setZero();
        const auto seen = d_samples[a].tail(d_window - 1 + instants);
        d_re[a].resize(seen.size() + READ_BEYOND);
        d_im[a].resize(seen.size() + READ_BEYOND);
        d_re[a] << seen.real().cast<float>().array(), ArrayXf::Zero(READ_BEYOND);
        d_im[a] << seen.imag().cast<float>().array(), ArrayXf::Zero(READ_BEYOND);
        re.push_back(d_re[a].data() + d_window - 1);
        im.push_back(d_im[a].data() + d_window - 1);
    }
    d_states_re.resize((instants + d_remembered) * d_padded);
    d_states_im.resize((instants + d_remembered) * d_padded);
    d_drive.run(re.data(), im.data(), instants, d_states_re.data(), d_states_im.data());
    run_states(instants);
}

/*
 * One chain of states does not fill a processor, as each waits for the one before. So a second one runs
 * beside it over the later half of instants, from as many before as the network remembers. These instants
 * run twice; the second chain's share of them lies behind the frame.
 */
void frame_reservoir::run_states(Index instants)
{
    const bool has_two = d_remembered > 0 && instants >= 4 * d_remembered;
    const Index middle = has_two ? (instants + d_remembered + 1) / 2 : instants;
    const auto from = [&](Index instant, Index before) -> simd::state_rows {
        float* const re = d_states_re.data();
        float* const im = d_states_im.data();
        return { re + instant * d_padded,
                 im + instant * d_padded,
                 before < 0 ? nullptr : re + before * d_padded,
                 before < 0 ? nullptr : im + before * d_padded };
    };
    const auto run = [&](Index count, std::initializer_list<simd::state_rows> chains) {
        simd::run_states(d_function,
                         { d_recurrent_re.data(),
                           d_recurrent_sum.data(),
                           d_recurrent_difference.data() },
                         d_padded,
                         d_num_neurons,
                         count,
                         chains.begin(),
                         chains.size());
    };
    if (!has_two)
        return run(instants, { from(0, -1) });
    for (ArrayXf* const part : { &d_states_re, &d_states_im })
        part->segment(instants * d_padded, d_remembered * d_padded) =
            part->segment((middle - d_remembered) * d_padded, d_remembered * d_padded);
    run(d_remembered, { from(0, -1), from(instants, -1) });
    run(instants - middle,
        { from(d_remembered, d_remembered - 1),
          from(middle, instants + d_remembered - 1) });
    const Index done = d_remembered + instants - middle;
    run(middle - done, { from(done, done - 1) }); // none or one
}

// One pair of inputs after the other, the lower half of blocks.
void frame_reservoir::set_window_gram(row_range instants, MatrixXcd& gram) const
{
    const Index inputs = d_samples.size(), count = instants.size();
    VectorXcd sums(d_window);
    // Block (i, j) at window − 1 + i − j, for one j after the other: a column's vectors could not be loaded
    // before those of the last one, which lie across them, are stored.
    VectorXcd diagonals(2 * d_window - 1);
    for (Index b = 0; b < inputs; b++)
        for (Index a = b; a < inputs; a++) {
            auto block = gram.block(a * d_window, b * d_window, d_window, d_window);
            simd::correlate(sample(a, instants.first),
                            sample(b, instants.first),
                            count,
                            d_window,
                            sums.data());
            diagonals.tail(d_window) = sums;
            block.col(0) = sums;
            if (a > b) {
                simd::correlate(sample(b, instants.first),
                                sample(a, instants.first),
                                count,
                                d_window,
                                sums.data());
                diagonals.head(d_window - 1) =
                    sums.tail(d_window - 1).conjugate().reverse();
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
                auto values = diagonals.segment(d_window - 1 + first - j, left);
                values += in_b(j - 1) * in.segment(first - 1, left) -
                          out_b(j - 1) * out.segment(first - 1, left);
                const Index begin = a > b ? 0 : j, size = d_window - begin;
                block.col(j).tail(size) =
                    diagonals.segment(d_window - 1 + begin - j, size);
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
                                       row_range summed,
                                       row_range instants,
                                       const MatrixXcd& targets,
                                       const ArrayXd& first_weights) const
{
    const Index taps = num_taps(), size = d_num_neurons + taps;
    normal_equations found;
    found.gram.resize(size, size);
    found.cross.resize(size, targets.cols());
    found.gram.bottomRightCorner(taps, taps) = window.gram;
    found.cross.bottomRows(taps) = window.cross;
    found.energy = window.energy;
    found.rows = window.rows;
    // what each instant of the window's sums is to count for more, or for less
    const Index weighted = first_weights.size();
    const Index before = summed.first - instants.first;
    const Index changed = std::max(weighted, before);
    VectorXd change = VectorXd::Ones(changed);
    change.head(weighted) = first_weights.matrix();
    change.tail(changed - before).array() -= 1.0;
    add_windows(
        { instants.first, summed.first }, change.head(before), 1.0, targets, found);
    add_windows({ summed.first, instants.first + changed },
                -change.tail(changed - before),
                -1.0,
                targets.bottomRows(targets.rows() - before),
                found);
    add_windows({ summed.last, instants.last },
                VectorXd::Ones(instants.last - summed.last),
                1.0,
                targets.bottomRows(instants.last - summed.last),
                found);
    add_states(instants, targets, first_weights, found);
    return found;
}

void frame_reservoir::add_windows(row_range instants,
                                  const VectorXd& weights,
                                  double sign,
                                  const Eigen::Ref<const MatrixXcd>& targets,
                                  normal_equations& sums) const
{
    if (instants.size() == 0)
        return;
    const Index taps = num_taps();
    const VectorXd by = sign * weights;
    const MatrixXcd rows = windows(instants);
    const auto some = targets.topRows(instants.size());
    auto gram = sums.gram.bottomRightCorner(taps, taps);
    const split_matrix change = adjoint_gram(rows, weights);
    for (Index k = 0; k < taps; k++)
        for (Index i = k; i < taps; i++) {
            const double* const value = change.element(i, k);
            gram(i, k) += std::complex<double>(sign * value[0], sign * value[PANEL]);
        }
    sums.cross.bottomRows(taps) += rows.adjoint() * (by.asDiagonal() * some);
    sums.energy += (some.cwiseAbs2().transpose() * by).array();
    sums.rows += by.sum();
}

sample_streams frame_reservoir::outputs(const MatrixXcd& weights,
                                        Index delay,
                                        Index count,
                                        const std::vector<row_range>& wanted)
{
    std::vector<const float*> re(d_samples.size()), im(d_samples.size());
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
        ArrayXf neurons_re = ArrayXf::Zero(d_padded), neurons_im = neurons_re;
        neurons_re.head(d_num_neurons) = values.head(d_num_neurons).real();
        neurons_im.head(d_num_neurons) = values.head(d_num_neurons).imag();
        d_output.setZero(count);
        for (const row_range& rows : wanted) {
            const Index first = rows.first + delay;
            for (size_t a = 0; a < d_samples.size(); a++) {
                re[a] = d_re[a].data() + first;
                im[a] = d_im[a].data() + first;
            }
            simd::fir(re.data(),
                      im.data(),
                      re.size(),
                      d_window,
                      taps_re.data(),
                      taps_im.data(),
                      rows.size(),
                      d_output.data() + rows.first);
            simd::read_states(d_states_re.data() + first * d_padded,
                              d_states_im.data() + first * d_padded,
                              d_padded,
                              rows.size(),
                              neurons_re.data(),
                              neurons_im.data(),
                              d_output.data() + rows.first);
        }
        streams.push_back(d_output.cast<std::complex<double>>());
    }
    return streams;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
