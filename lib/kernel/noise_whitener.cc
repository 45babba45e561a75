/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/noise_whitener.h>

#include "kernel/signal_loops.h"
#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;

namespace {

constexpr double PREDICTION_RIDGE = 1e-7; // of the noise's mean energy
constexpr Index ROWS_PER_TAP = 8;         // at least, of each antenna's predictor

double log_determinant(const MatrixXcd& covariance)
{
    const Eigen::LLT<MatrixXcd> factor(covariance);
    return 2.0 * factor.matrixLLT().diagonal().real().array().log().sum();
}

// Block (l, m): the sum over rows of e[n - l] e[n - m]^H.
MatrixXcd lagged_covariance(const sample_streams& noise, row_range rows, Index most)
{
    const Index antennas = noise.size();
    MatrixXcd sums(antennas * (most + 1), antennas * (most + 1));
    VectorXcd lags(most + 1);
    for (Index a = 0; a < antennas; a++)
        for (Index b = 0; b < antennas; b++) {
            simd::correlate(noise[b].data() + rows.first,
                            noise[a].data() + rows.first,
                            rows.size(),
                            most + 1,
                            lags.data());
            for (Index m = 0; m <= most; m++)
                sums(a, antennas * m + b) = lags(m);
        }
    // a lag more on both sides: a row more at the beginning, one less at the end
    for (Index l = 1; l <= most; l++)
        for (Index m = l; m <= most; m++)
            for (Index a = 0; a < antennas; a++)
                for (Index b = 0; b < antennas; b++)
                    sums(antennas * l + a, antennas * m + b) =
                        sums(antennas * (l - 1) + a, antennas * (m - 1) + b) +
                        noise[a](rows.first - l) * std::conj(noise[b](rows.first - m)) -
                        noise[a](rows.last - l) * std::conj(noise[b](rows.last - m));
    sums.triangularView<Eigen::StrictlyLower>() = sums.adjoint();
    return sums;
}

// B_0 = W, B_k = -W A_k, where W makes the covariance of the prediction error that of its mean power.
noise_whitener
filter_of(const MatrixXcd& predictor, const MatrixXcd& covariance, Index order)
{
    const Index antennas = covariance.rows();
    const double power = covariance.trace().real() / double(antennas);
    const Eigen::LLT<MatrixXcd> factor(covariance / power);
    const MatrixXcd whiten =
        factor.matrixL().solve(MatrixXcd::Identity(antennas, antennas));
    std::vector<mimo_matrix> taps = { whiten };
    for (Index k = 0; k < order; k++)
        taps.emplace_back(-whiten *
                          predictor.middleRows(antennas * k, antennas).adjoint());
    return noise_whitener(taps);
}

} // namespace

Index noise_whitener::order() const { return std::max<Index>(d_taps.size(), 1) - 1; }

sample_streams noise_whitener::apply(const sample_streams& samples) const
{
    if (is_identity())
        return samples;
    const Index antennas = samples.size(), size = samples[0].size();
    sample_streams out(antennas, VectorXcd::Zero(size));
    VectorXcd padded(order() + size), filter(order() + 1);
    for (Index q = 0; q < antennas; q++) {
        padded << VectorXcd::Zero(order()), samples[q];
        for (Index r = 0; r < antennas; r++) {
            for (Index k = 0; k <= order(); k++)
                filter(k) = d_taps[k](r, q);
            simd::add_filtered(padded.data() + order(),
                               filter.data(),
                               filter.size(),
                               size,
                               out[r].data());
        }
    }
    return out;
}

mimo_taps noise_whitener::undo(const mimo_taps& filtered, Index length) const
{
    if (is_identity())
        return filtered;
    const Index streams = filtered.values.rows() / filtered.length;
    const Index antennas = filtered.values.cols();
    const Eigen::PartialPivLU<MatrixXcd> first{ MatrixXcd(d_taps[0]) };
    mimo_taps out = { length, MatrixXcd::Zero(streams * length, antennas) };
    for (Index j = 0; j < streams; j++)
        for (Index l = 0; l < length; l++) {
            VectorXcd left = VectorXcd::Zero(antennas);
            if (l < filtered.length)
                left = filtered.of(j).row(l).transpose();
            for (Index k = 1; k <= std::min(order(), l); k++)
                left -= d_taps[k] * out.of(j).row(l - k).transpose();
            out.values.row(length * j + l) = first.solve(left).transpose();
        }
    return out;
}

noise_whitener fit_noise_whitener(const sample_streams& noise, row_range rows, Index most)
{
    const Index antennas = noise.size();
    most = std::min(most, rows.size() / (ROWS_PER_TAP * antennas) - 1);
    if (most < 0)
        return {};
    const row_range predicted = { rows.first + most, rows.last };
    // rows.last itself is behind the last sample, and lags of at least one are taken from it
    const double count = double(predicted.size());
    const MatrixXcd sums = lagged_covariance(noise, predicted, most);
    const double power = sums.topLeftCorner(antennas, antennas).trace().real();
    if (!(power > 0.0))
        return {};
    MatrixXcd gram = sums.bottomRightCorner(antennas * most, antennas * most);
    gram.diagonal().array() += PREDICTION_RIDGE * power / double(antennas);
    const Eigen::LLT<MatrixXcd> factor(gram);
    MatrixXcd turned = sums.bottomLeftCorner(antennas * most, antennas);
    factor.matrixL().solveInPlace(turned);

    const double parameter = std::log(count);
    double best = double(antennas) * count * std::log(power / (antennas * count));
    Index order = -1;
    MatrixXcd covariance = sums.topLeftCorner(antennas, antennas) / count, found;
    covariance.diagonal().array() += PREDICTION_RIDGE * power / (antennas * count);
    for (Index p = 0; p <= most; p++) {
        if (p > 0) {
            const auto part = turned.middleRows(antennas * (p - 1), antennas);
            covariance -= part.adjoint() * part / count;
        }
        // a Hermitian matrix has half as many complex parameters as it has elements
        const double parameters = double(antennas * antennas) * (double(p) + 0.5);
        const double score = count * log_determinant(covariance) + parameters * parameter;
        if (score < best) {
            best = score;
            order = p;
            found = covariance;
        }
    }
    if (order < 0)
        return {};
    const Index size = antennas * order;
    const MatrixXcd predictor = factor.matrixLLT()
                                    .topLeftCorner(size, size)
                                    .triangularView<Eigen::Lower>()
                                    .adjoint()
                                    .solve(turned.topRows(size));
    return filter_of(predictor, found, order);
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
