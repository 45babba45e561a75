/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/ofdm/sample_network.h"

#include "detector/training_samples.h"
#include "kernel/ridge_grid.h"
#include <gnuradio/reservoir/esn.h>
#include <gnuradio/reservoir/kernel/ridge.h>
#include <gnuradio/reservoir/training_report.h>
#include <algorithm>
#include <cmath>
#include <utility>

namespace gr {
namespace reservoir {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXcd;
using kernel::frame_reservoir;
using kernel::normal_equations;
using kernel::ridge_path;
using kernel::row_range;
using kernel::sample_streams;

namespace {

/*
 * How much more the states are penalized than the window is. A filter of the window alone is nested in the
 * readout: with states that are drawn to zero more strongly it is not left without need, as it was with few
 * pilots, where one penalty for all made up to 5 % more errors than that filter. 10 to 100 do not differ.
 */
constexpr double STATE_PENALTY = 10.0;

std::vector<int> delays_of(const ofdm_esn_parameters& p)
{
    if (p.delay >= 0)
        return { p.delay };
    return { 5 * p.window / 16, p.window / 2 };
}

frame_reservoir network_of(const ofdm_esn_parameters& p)
{
    esn_parameters network;
    network.num_neurons = p.num_neurons;
    network.window = p.window;
    network.delay = -1;
    network.spectral_radius = p.spectral_radius;
    network.input_scaling = p.input_scaling;
    network.seed = p.seed;
    network.num_inputs = p.num_rx;
    network.num_outputs = p.num_tx;
    const esn drawn(network);
    return { to_matrix(drawn.recurrent_weights()),
             to_matrix(drawn.input_weights(1)),
             p.num_rx,
             kernel::activation_from_string(network.activation) };
}

MatrixXcd as_columns(const sample_streams& streams)
{
    MatrixXcd columns(streams[0].size(), streams.size());
    for (size_t o = 0; o < streams.size(); o++)
        columns.col(o) = streams[o];
    return columns;
}

} // namespace

sample_network::sample_network(const ofdm_esn_parameters& p)
    : d_delays(delays_of(p)),
      d_regularization(p.regularization),
      d_reservoir(network_of(p))
{
    d_penalties = ArrayXd::Ones(d_reservoir.num_neurons() + d_reservoir.num_taps());
    d_penalties.head(d_reservoir.num_neurons()) = STATE_PENALTY;
}

void sample_network::read(const sample_streams& samples, Index training)
{
    double power = 0.0;
    for (const Eigen::VectorXcd& stream : samples)
        power += stream.head(training).squaredNorm();
    d_gain = power > 0.0 ? std::sqrt(double(training * samples.size()) / power) : 1.0;
    read_on(samples);
}

void sample_network::read_on(const sample_streams& samples)
{
    d_reservoir.read(
        samples, d_gain, *std::max_element(d_delays.begin(), d_delays.end()));
}

void sample_network::fit(const sample_streams& sent) { train(sent, d_delays); }

void sample_network::refit(const sample_streams& sent) { train(sent, { d_delay }); }

void sample_network::train(const sample_streams& sent, const std::vector<int>& delays)
{
    const MatrixXcd targets = as_columns(sent);
    const bool is_least_squares = d_regularization >= 0.0 &&
                                  d_regularization < kernel::LEAST_REGULARIZATION_OF_SUMS;
    if (targets.rows() < d_penalties.size() || is_least_squares)
        return train_on_rows(targets, delays);

    // all delays on the instants that they share, with one Gram matrix of the window for all
    const auto [least, most] = std::minmax_element(delays.begin(), delays.end());
    const row_range shared{ *most, targets.rows() + *least };
    const Index outputs = targets.cols();
    MatrixXcd delayed(shared.size(), outputs * delays.size());
    for (size_t i = 0; i < delays.size(); i++)
        delayed.middleCols(i * outputs, outputs) =
            targets.middleRows(shared.first - delays[i], shared.size());
    normal_equations window = d_reservoir.window_sums(shared, delayed);
    const ridge_path path(window, d_penalties.tail(d_reservoir.num_taps()));

    const choice best = choose(window, path, shared, delayed, delays.size());
    const Index first = best.delay * outputs; // of its targets
    d_delay = delays[best.delay];
    const ArrayXd weights = history_weights(path, first, shared, targets);
    window.cross = window.cross.middleCols(first, outputs).eval();
    window.energy = window.energy.segment(first, outputs).eval();
    const normal_equations sums = d_reservoir.sums(
        window, shared, { d_delay, d_delay + targets.rows() }, targets, weights);
    take(kernel::fit_ridge(sums, d_penalties, best.lambda), sums.energy, sums.rows);
}

/*
 * With fewer rows than features the sums, in single precision, do not have full rank: then the rows
 * themselves are regressed, with one penalty for all features and by leave-one-out.
 */
void sample_network::train_on_rows(const MatrixXcd& targets,
                                   const std::vector<int>& delays)
{
    kernel::ridge_result best;
    for (const int delay : delays) {
        kernel::ridge_result found =
            kernel::ridge(d_reservoir.rows({ delay, delay + targets.rows() }))
                .solve(targets, d_regularization);
        if (delay != delays[0] && found.leave_one_out_mse >= best.leave_one_out_mse)
            continue;
        best = std::move(found);
        d_delay = delay;
    }
    const Eigen::VectorXcd gain = output_gain(best.leave_one_out, targets);
    training_report report;
    describe_errors(best.leave_one_out, targets, gain, targets.size(), report);
    d_mse = report.mse;
    d_noise_variance = report.noise_variance;
    d_weights = best.weights * gain.cwiseInverse().asDiagonal();
}

/*
 * Delay and lambda are chosen for the window alone, where it has as many features as the network has
 * neurons: its equations are a third of all, and the symbol errors are the same within 2 %.
 */
sample_network::choice sample_network::choose(const normal_equations& window,
                                              const ridge_path& path,
                                              row_range shared,
                                              const MatrixXcd& delayed,
                                              Index num_delays) const
{
    choice best{ 0, d_regularization };
    if (num_delays == 1 && d_regularization >= 0.0)
        return best;

    ArrayXd lambdas = ArrayXd::Constant(1, d_regularization);
    if (d_regularization < 0.0)
        lambdas = kernel::ridge_grid();
    const bool by_window = d_reservoir.num_neurons() <= d_reservoir.num_taps();
    const Eigen::ArrayXXd errors =
        by_window
            ? path.errors(lambdas)
            : ridge_path(d_reservoir.sums(window, shared, shared, delayed), d_penalties)
                  .errors(lambdas);
    const Index outputs = delayed.cols() / num_delays;
    double best_error = -1.0;
    for (Index i = 0; i < num_delays; i++) {
        const ArrayXd of_delay = errors.middleCols(i * outputs, outputs).rowwise().sum();
        Index place = 0;
        const double error = of_delay.minCoeff(&place);
        if (i > 0 && !(error < best_error))
            continue;
        best_error = error;
        best = { i, lambdas(place) };
    }
    return best;
}

/*
 * As least_squares_readout weighs them: the first instants' windows reach into what was before the frame.
 * Where that was a signal, of unit power, a filter w of the window errs by Σ |w_j|² more there, over the
 * taps that fall on it; after a gap it does not. The errors of these instants tell which. The filter is
 * that of the shared instants, of the targets from column `first` on.
 */
ArrayXd sample_network::history_weights(const ridge_path& path,
                                        Index first,
                                        row_range shared,
                                        const MatrixXcd& targets) const
{
    constexpr double FILTER_REGULARIZATION = 0.01;
    const Index rows = targets.rows(), outputs = targets.cols();
    const Index window = d_reservoir.window(), taps = d_reservoir.num_taps();
    const Index incomplete = std::min(window - 1 - d_delay, rows);
    if (incomplete < 1 || rows < 2 * incomplete)
        return {};
    const kernel::ridge_fit filter = path.fit(FILTER_REGULARIZATION, first, outputs);
    ArrayXd missing = ArrayXd::Zero(incomplete);
    for (Index a = 0; a < taps / window; a++)
        for (Index k = 0; k < incomplete; k++)
            missing(k) +=
                filter.weights
                    .middleRows(a * window + d_delay + k + 1, window - 1 - d_delay - k)
                    .squaredNorm();

    // Gaussian log-likelihood ratio of the errors with and without a signal before
    const MatrixXcd estimates =
        d_reservoir.windows({ d_delay, d_delay + incomplete }) * filter.weights;
    const ArrayXd squares =
        (estimates - targets.topRows(incomplete)).rowwise().squaredNorm().array();
    const double scale = filter.inflation() * filter.inflation() / double(outputs);
    const Index fitted = std::max<Index>(incomplete - (shared.first - d_delay), 0);
    const double complete = filter.residual.sum() - squares.tail(fitted).sum();
    const double usual =
        std::max(scale * complete, 0.0) / double(shared.size() - fitted) + 1e-30;
    const ArrayXd errors = scale * squares;
    const ArrayXd variance = usual + missing / double(outputs);
    const double log_ratio =
        double(outputs) *
        (errors / usual - errors / variance - (variance / usual).log()).sum();
    if (log_ratio < -3.0) // a gap only if that is 20 times as likely
        return {};
    return (usual / variance).max(1e-4);
}

// Weights without bias, and the errors that cross-validation expects.
void sample_network::take(const kernel::ridge_fit& fit,
                          const ArrayXd& energies,
                          double rows)
{
    const double inflation = fit.inflation(), total = rows * double(energies.size());
    d_weights = fit.weights;
    d_mse = inflation * inflation * fit.residual.sum() / total;
    d_noise_variance = 0.0;
    for (Index o = 0; o < energies.size(); o++) {
        // rows without themselves are (1 - inflation) y + inflation prediction
        const double energy = energies(o);
        const std::complex<double> overlap = fit.overlap(o);
        std::complex<double> gain = 1.0;
        if (energy > 0.0)
            gain = 1.0 - inflation + inflation * overlap / energy;
        if (!(std::abs(gain) > 0.05))
            gain = 1.0;
        const std::complex<double> of_target = (1.0 - inflation) / gain - 1.0;
        const std::complex<double> of_output = inflation / gain;
        d_noise_variance += std::norm(of_target) * energy +
                            2.0 * (std::conj(of_target) * of_output * overlap).real() +
                            std::norm(of_output) * fit.power(o);
        d_weights.col(o) /= gain;
    }
    d_noise_variance = std::max(d_noise_variance, 0.0) / total;
}

sample_streams sample_network::outputs(Index count, const std::vector<row_range>& wanted)
{
    return d_reservoir.outputs(d_weights, d_delay, count, wanted);
}

} // namespace reservoir
} // namespace gr
