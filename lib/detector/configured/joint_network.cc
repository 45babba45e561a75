/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/joint_network.h"

#include "kernel/hermitian_solve.h"
#include <gnuradio/reservoir/kernel/spectral_factor.h>
#include <gnuradio/reservoir/kernel/takenaka_malmquist.h>
#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <numeric>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::MatrixXcf;
using Eigen::VectorXcd;
using Eigen::VectorXd;

namespace {

constexpr Index FILTER = joint_network::FILTER;
constexpr double FILTER_LOADING = 1e-4;
constexpr double LEAST_ERROR = 1e-6;
constexpr double MAX_ALPHA = 0.05; // of the phase loop

// Orthonormal functionals of the samples from the symbol on, one per neuron. As many neurons as
// there are samples are the samples.
MatrixXcd make_bank(const VectorXcd& poles)
{
    if (poles.size() + 1 >= FILTER)
        return MatrixXcd::Identity(FILTER, FILTER);
    VectorXcd ahead(poles.size() + 1); // the sample itself is a pole at 0
    ahead << 0.0, poles.conjugate();
    std::sort(ahead.begin(), ahead.end(), [](cdouble a, cdouble b) {
        return std::abs(a) < std::abs(b);
    });
    return kernel::takenaka_malmquist(ahead, FILTER);
}

// What the neurons of all received streams see of the symbols: column t M + m is stream m's
// symbol t - length + 1 instants after the one to be decided.
MatrixXcd seen_symbols(const MatrixXcd& bank, const MatrixXcd& taps, Index streams)
{
    const Index neurons = bank.rows(), length = taps.rows() / streams;
    MatrixXcd seen =
        MatrixXcd::Zero(taps.cols() * neurons, (FILTER + length - 1) * streams);
    for (Index q = 0; q < taps.cols(); q++)
        for (Index l = 0; l < length; l++)
            for (Index m = 0; m < streams; m++)
                for (Index t = 0; t < FILTER; t++)
                    seen.block(
                        q * neurons, (t + length - 1 - l) * streams + m, neurons, 1) +=
                        taps(l * streams + m, q) * bank.col(t);
    return seen;
}

} // namespace

void joint_weights::set_points(const std::vector<gr_complex>& points)
{
    model.points = points;
    model.centroids = points; // replaced in every step
    float greatest = 0.0f;
    for (const auto& point : points)
        greatest = std::max(greatest, std::norm(point));
    penalties.clear();
    for (const auto& point : points)
        penalties.push_back(greatest - std::norm(point));
    centroids.assign(streams(), points);
    for (size_t k = 0; k < streams(); k++)
        for (auto& centroid : centroids[k])
            centroid /= deviations[k];
}

// The output is (1 - error) x + noise, of variance error (1 - error).
gr_complex joint_weights::unbiased(size_t place, gr_complex output) const
{
    const float error = deviations[place] * deviations[place];
    return output * deviations[place] / std::max(1.0f - error, 1e-3f);
}

float joint_weights::unbiased_variance(size_t place) const
{
    const float error = deviations[place] * deviations[place];
    return error / std::max(1.0f - error, 1e-3f);
}

noise_whitener make_whitener(const MatrixXcd& residual, double freedom)
{
    constexpr double LEAST = 1e-4; // of the mean power
    const Index size = residual.rows();
    const double rows = std::max(freedom, 1.0);
    const double mean = residual.trace().real() / (size * rows);
    noise_whitener found = { MatrixXcd::Identity(size, size), std::max(mean, 1e-12) };
    if (size == 1 || !(mean > 1e-12))
        return found;
    // as if so many rows more had shown equal noise
    const double doubt = size;
    MatrixXcd covariance = residual.conjugate() + doubt * mean * found.matrix;
    covariance /= rows + doubt;
    const Eigen::SelfAdjointEigenSolver<MatrixXcd> parts(covariance);
    const VectorXd gains = (mean / parts.eigenvalues().array().max(LEAST * mean)).sqrt();
    found.matrix = parts.eigenvectors() * gains.cast<cdouble>().asDiagonal() *
                   parts.eigenvectors().adjoint();
    return found;
}

joint_network::joint_network(const configured_settings& settings, Index num_streams)
    : d_single(settings), d_streams(num_streams)
{
}

kernel::channel_window joint_network::select_window(const sample_streams& received,
                                                    const sample_streams& sent,
                                                    row_range range) const
{
    const int length = settings().channel_len;
    if (length > 0) // half of the symbols at least are left to fit
        return { 0,
                 int(std::clamp<Index>((range.size() / d_streams + 1) / 2, 1, length)) };
    return kernel::select_joint_window(received, sent, range);
}

kernel::carrier_offset joint_network::find_offset(const sample_streams& received,
                                                  const sample_streams& sent,
                                                  row_range range,
                                                  kernel::channel_window window) const
{
    if (!(settings().max_frequency_offset > 0.0))
        return { 0.0, false };
    return kernel::find_joint_carrier_offset(
        received, sent, range, window, settings().max_frequency_offset);
}

joint_readout joint_network::configure(const sample_streams& received,
                                       const sample_streams& sent,
                                       row_range range,
                                       kernel::channel_window window) const
{
    const Index inputs = received.size(), length = window.length;
    const Index unknowns = d_streams * length; // per received stream
    const row_range rows = model_rows(range, window);
    const kernel::joint_sums sums =
        kernel::sum_joint_lags(received, window.timing, sent, rows, length);
    joint_readout readout;
    readout.window = window;
    readout.taps = sums.taps();
    const noise_whitener white =
        make_whitener(sums.residual(readout.taps), double(rows.size()) - unknowns);
    readout.noise_variance = white.variance;
    const MatrixXcd taps = readout.taps * white.matrix.transpose();
    const double noise =
        std::max(white.variance, 1e-4 * taps.squaredNorm() / (inputs * d_streams)) *
        (1.0 + unknowns / std::max<double>(rows.size(), unknowns + 1.0));
    readout.poles.resize(unknowns - d_streams);
    for (Index m = 0; m < d_streams; m++)
        readout.poles.segment(m * (length - 1), length - 1) =
            kernel::spectral_factor_poles(kernel::stream_taps(taps, m, d_streams), noise);
    configure_filters(readout, taps, noise);
    for (auto& filter : readout.filters)
        filter *= white.matrix;
    return readout;
}

/*
 * Of the symbols that are not decided yet, some belong to this instant. With B what the neurons
 * see of them and R the covariance of what else they see, the error covariance is
 * (I + B^H R^-1 B)^-1, and R^-1 B times its column m the filter of stream m. The stream with the
 * least error is decided first (Wolniansky et al., 1998), and then B has one column less.
 */
void joint_network::configure_filters(joint_readout& readout,
                                      const MatrixXcd& taps,
                                      double noise) const
{
    const Index inputs = taps.cols();
    const MatrixXcd bank = make_bank(readout.poles);
    const MatrixXcd seen = seen_symbols(bank, taps, d_streams);
    const Index neurons = bank.rows(), past = taps.rows() - d_streams;
    const auto later = seen.rightCols(seen.cols() - past - d_streams);
    MatrixXcd others = later * later.adjoint();
    const MatrixXcd noise_seen = noise * bank * bank.adjoint();
    for (Index q = 0; q < inputs; q++)
        others.block(q * neurons, q * neurons, neurons, neurons) += noise_seen;
    others.diagonal() *= 1.0 + FILTER_LOADING;
    const auto now = seen.middleCols(past, d_streams);
    const MatrixXcd matched = kernel::hermitian_solve(others, now);
    const MatrixXcd information = now.adjoint() * matched;

    MatrixXcd weights(seen.rows(), d_streams); // of the neurons, by places
    readout.errors.resize(d_streams);
    std::vector<int> left(d_streams);
    std::iota(left.begin(), left.end(), 0);
    for (Index place = 0; place < d_streams; place++) {
        const MatrixXcd identity = MatrixXcd::Identity(left.size(), left.size());
        const MatrixXcd error = (identity + information(left, left)).inverse();
        Index surest;
        const double least = error.diagonal().real().minCoeff(&surest);
        readout.errors(place) = std::max(least, LEAST_ERROR);
        weights.col(place) = matched(Eigen::all, left) * error.col(surest);
        readout.order.push_back(left[surest]);
        left.erase(left.begin() + surest);
        MatrixXcd filter(FILTER, inputs);
        for (Index q = 0; q < inputs; q++)
            filter.col(q) = bank.transpose() *
                            weights.col(place).segment(q * neurons, neurons).conjugate();
        readout.filters.push_back(filter);
    }
    set_feedback(readout, weights.adjoint() * seen.leftCols(past + d_streams));
}

// What the filters let through of the symbols that are decided already is taken away.
void joint_network::set_feedback(joint_readout& readout, const MatrixXcd& passed) const
{
    const Index past = passed.cols() - d_streams;
    readout.feedback = MatrixXcd::Zero(past + d_streams - 1, d_streams);
    for (Index place = 0; place < d_streams; place++)
        for (Index j = 0; j < past + place; j++) { // j + 1 symbols before
            const Index symbol = past + place - 1 - j;
            const Index instant = symbol / d_streams;
            const int stream = readout.order[symbol % d_streams];
            readout.feedback(j, place) = -passed(place, instant * d_streams + stream);
        }
}

joint_weights joint_network::weights(const joint_readout& readout,
                                     double phase_noise) const
{
    joint_weights found;
    found.order = readout.order;
    std::vector<gr_complex> points;
    for (const auto& point : settings().points)
        points.emplace_back(point);
    for (Index place = 0; place < d_streams; place++) {
        const double deviation = std::sqrt(readout.errors(place));
        found.deviations.push_back(deviation);
        found.feedback.emplace_back();
        for (const auto& weight : readout.feedback.col(place))
            found.feedback.back().emplace_back(weight / deviation);
    }
    found.model.feedback.resize(readout.feedback.rows());
    found.model.survivors = settings().survivors;
    // steady state of the Kalman filter for a random walk of the phase, a part of it in each place
    const double signal = readout.errors.cwiseInverse().mean();
    found.model.alpha =
        std::min(std::sqrt(2.0 * phase_noise / d_streams * signal), MAX_ALPHA);
    found.model.beta = found.model.alpha * found.model.alpha / 8;
    found.set_points(points);
    return found;
}

MatrixXcf joint_network::feedforward(const joint_readout& readout,
                                     const sample_streams& received,
                                     row_range range) const
{
    std::vector<MatrixXcd> scaled = readout.filters;
    for (Index place = 0; place < d_streams; place++)
        scaled[place] /= std::sqrt(readout.errors(place));
    return filtered(received, range, readout.window.timing, scaled);
}

std::vector<gr_complex> joint_network::past(const joint_readout& readout,
                                            const sample_streams& sent,
                                            Index instant) const
{
    std::vector<gr_complex> before;
    for (Index j = 0; j < readout.feedback.rows(); j++) {
        const Index n = instant - 1 - j / d_streams;
        const int stream = readout.order[d_streams - 1 - j % d_streams];
        before.emplace_back(n < 0 ? cdouble(0.0) : sent[stream](n));
    }
    return before;
}

joint_network::decisions joint_network::search(const joint_readout& readout,
                                               const sample_streams& received,
                                               const sample_streams& sent,
                                               row_range range,
                                               double phase_noise) const
{
    const MatrixXcf inputs = feedforward(readout, received, range);
    joint_weights weights = this->weights(readout, phase_noise);
    weights.model.power =
        inputs.squaredNorm() / std::max<Index>(inputs.size(), 1) + 1e-9f;
    kernel::survivor_search search(weights.model);
    search.start(past(readout, sent, range.first).data());
    const size_t width = search.survivors(), places = d_streams;
    const size_t steps = range.size() * places;
    std::vector<uint8_t> parents(steps * width);
    std::vector<uint16_t> points(steps * width);
    std::vector<float> phases(steps * width);
    for (size_t step = 0; step < steps; step++)
        search.step(inputs(step / places, step % places),
                    weights.at(step % places),
                    &parents[step * width],
                    &points[step * width],
                    &phases[step * width]);
    decisions found;
    found.symbols.assign(places, std::vector<int>(range.size()));
    found.phases.resize(range.size());
    size_t survivor = search.best();
    for (size_t step = steps; step-- > 0;) {
        const size_t at = step * width + survivor;
        found.symbols[readout.order[step % places]][step / places] = points[at];
        found.phases[step / places] = phases[at]; // before the first place's comes out
        survivor = parents[at];
    }
    return found;
}

MatrixXcf joint_network::output(const joint_readout& readout,
                                const sample_streams& received,
                                const sample_streams& sent,
                                row_range range) const
{
    const joint_weights weights = this->weights(readout, 0.0);
    const MatrixXcf inputs = feedforward(readout, received, range);
    MatrixXcf found(range.size(), d_streams);
    for (Index n = range.first; n < range.last; n++) {
        std::vector<gr_complex> fed_back = past(readout, sent, n);
        for (Index place = 0; place < d_streams; place++) {
            gr_complex sum = inputs(n - range.first, place);
            for (size_t j = 0; j < fed_back.size(); j++)
                sum += weights.feedback[place][j] * fed_back[j];
            const int stream = readout.order[place];
            found(n - range.first, stream) = weights.unbiased(place, sum);
            fed_back.insert(fed_back.begin(), gr_complex(sent[stream](n)));
            fed_back.pop_back();
        }
    }
    return found;
}

} // namespace reservoir
} // namespace gr
