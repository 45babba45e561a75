/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/least_squares_readout.h"

#include "check.h"
#include "detector/saved_reader.h"
#include "detector/training_samples.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {

using kernel::tapped_delay_window;

least_squares_readout::least_squares_readout(
    const settings& settings, windowed_network::recurrence_maker make_recurrence)
    : d_settings(settings),
      d_make_recurrence(make_recurrence),
      d_network(
          settings.num_inputs, settings.num_outputs, settings.window, make_recurrence)
{
}

int least_squares_readout::look_ahead() const
{
    return d_settings.delay >= 0 ? d_settings.delay : d_settings.window - 1;
}

// A network has forgotten what came before so many symbols, or nearly: .4^32 = 2e-13.
int least_squares_readout::look_back() const
{
    constexpr int MEMORY = 32;
    return d_settings.window - 1 + (d_make_recurrence ? MEMORY : 0);
}

void least_squares_readout::configure(int sps)
{
    d_network.configure(sps);
    d_features.resize(d_network.num_features());
    d_predicted.resize(d_settings.num_outputs);
    d_errors.resize(d_settings.num_outputs);
}

Eigen::MatrixXcd least_squares_readout::training_features(
    const gr_complex* const* received, size_t num_samples, size_t rows, size_t history)
{
    const size_t before = history * d_network.window().sps();
    std::vector<const gr_complex*> first(received, received + d_settings.num_inputs);
    for (auto& row : first)
        row -= before;
    Eigen::MatrixXcd features(rows, d_features.size());
    read_symbols(d_network.window(),
                 first.data(),
                 before + num_samples,
                 history + rows,
                 [&](size_t n, size_t row) {
                     d_network.next_features(n, d_features.data());
                     for (size_t k = 0; k < d_features.size() && row >= history; k++)
                         features(row - history, k) = d_features[k];
                 });
    return features;
}

/*
 * The first rows do not know the samples before the first pilot. Where there was a signal, of
 * unit power, these add Σ |w_j|² over the taps that fall on them to the row's error variance, w
 * being a filter of the window; after a gap they add nothing. The errors of these rows tell
 * which. Rows then count by the inverse of their variance.
 *
 * \param positions of the rows, symbols, ascending
 * \param unknown symbol periods that the first symbol's window reaches into what is not known
 *
 * The filter is regularized alike everywhere: choosing that by leave-one-out takes as long as
 * the training itself and changes no error rate (10^-3 to 10^-1 do not differ).
 */
Eigen::VectorXd
least_squares_readout::history_weights(const Eigen::MatrixXcd& windows,
                                       const Eigen::MatrixXcd& targets,
                                       const std::vector<Eigen::Index>& positions,
                                       int unknown) const
{
    constexpr double FILTER_REGULARIZATION = 0.01;
    const Eigen::Index rows = targets.rows();
    const tapped_delay_window& window = d_network.window();
    const Eigen::Index incomplete =
        std::lower_bound(positions.begin(), positions.end(), unknown) - positions.begin();
    if (incomplete < 1 || rows < 2 * incomplete)
        return Eigen::VectorXd::Ones(rows);
    const kernel::ridge_result filter =
        kernel::ridge(windows).solve(targets, FILTER_REGULARIZATION);
    Eigen::VectorXd missing = Eigen::VectorXd::Zero(rows);
    for (int b = 0; b < window.num_branches(); b++)
        for (Eigen::Index k = 0; k < incomplete; k++)
            for (int age = window.window() - unknown + positions[k];
                 age < window.window();
                 age++)
                missing(k) += filter.weights.row(window.tap_index(b, age)).squaredNorm();

    // Gaussian log-likelihood ratio of the errors with and without a signal before the pilots
    const Eigen::ArrayXd errors =
        (filter.leave_one_out - targets).rowwise().squaredNorm().array() /
        d_settings.num_outputs;
    const double usual = errors.tail(rows - incomplete).mean() + 1e-30;
    const Eigen::ArrayXd variance = usual + missing.array() / d_settings.num_outputs;
    const double log_ratio =
        d_settings.num_outputs *
        (errors / usual - errors / variance - (variance / usual).log()).sum();
    // a gap only if that is 20 times as likely: on the air something precedes
    if (log_ratio < -3.0)
        return Eigen::VectorXd::Ones(rows);
    return (usual / variance).max(1e-4);
}

// Everything within a symbol period of the lag at which one sample of every input alone explains
// most of the targets. One sample would do, but would let all of the noise through.
std::vector<Eigen::Index>
least_squares_readout::around_delay(const Eigen::MatrixXcd& features,
                                    const Eigen::MatrixXcd& targets) const
{
    const Eigen::Index neurons = d_network.num_neurons();
    const Eigen::Index taps = features.cols() - neurons;
    const Eigen::Index lags = taps / d_settings.num_inputs; // input-major
    const Eigen::Index period = d_network.window().sps();
    const auto window = features.rightCols(taps);
    const Eigen::ArrayXd powers =
        window.colwise().squaredNorm().transpose().array() + 1e-300;
    const Eigen::ArrayXd explained =
        (window.adjoint() * targets).rowwise().squaredNorm().array() / powers;
    const Eigen::ArrayXd of_lags =
        explained.reshaped(lags, d_settings.num_inputs).rowwise().sum();
    Eigen::Index best = 0;
    of_lags.maxCoeff(&best);
    std::vector<Eigen::Index> found;
    for (int a = 0; a < d_settings.num_inputs; a++)
        for (Eigen::Index lag = std::max<Eigen::Index>(best - period, 0);
             lag <= std::min(best + period, lags - 1);
             lag++)
            found.push_back(neurons + a * lags + lag);
    return found;
}

/*
 * Pilots that leave parts of the band without training have the least leave-one-out error with
 * little regularization, which removes all noise, and all symbols, from there. So of all λ whose
 * error is not worse than chance allows the largest is used: the one-standard-error rule (Breiman,
 * Friedman, Olshen and Stone, 1984).
 */
kernel::ridge_result
least_squares_readout::solve_rows(const Eigen::MatrixXcd& features,
                                  const Eigen::MatrixXcd& targets) const
{
    if (!d_settings.towards_delay)
        return kernel::ridge(features).solve(targets, d_settings.regularization);
    const kernel::ridge regression(features, around_delay(features, targets));
    const kernel::ridge_result least =
        regression.solve(targets, d_settings.regularization);
    if (d_settings.regularization >= 0.0)
        return least;
    const double most =
        least.leave_one_out_mse * (1.0 + 1.0 / std::sqrt(double(targets.size())));
    for (double power = 1.5; power > std::log10(least.regularization) + 0.1;
         power -= 0.5) {
        const kernel::ridge_result found =
            regression.solve(targets, std::pow(10.0, power));
        if (found.leave_one_out_mse <= most)
            return found;
    }
    return least;
}

std::unique_ptr<kernel::rls>
least_squares_readout::recurse(const Eigen::MatrixXcd& features,
                               const Eigen::MatrixXcd& targets,
                               double regularization) const
{
    const Eigen::Index num_features = features.cols();
    auto recursion = std::make_unique<kernel::rls>(
        num_features, targets.cols(), d_settings.forgetting);
    const Eigen::VectorXd powers = features.cwiseAbs2().colwise().sum();
    recursion->reset((std::max(regularization, 1e-8) * powers.array() + 1e-9).matrix());
    std::vector<std::complex<double>> row(num_features), error(targets.cols());
    for (Eigen::Index n = 0; n < features.rows(); n++) {
        Eigen::Map<Eigen::RowVectorXcd>(row.data(), num_features) = features.row(n);
        recursion->predict(row.data(), error.data());
        for (Eigen::Index o = 0; o < targets.cols(); o++)
            error[o] = targets(n, o) - error[o];
        recursion->update(row.data(), error.data());
    }
    return recursion;
}

training_report least_squares_readout::fit(const gr_complex* const* received,
                                           size_t num_samples,
                                           const stream_matrix& pilots,
                                           int sps,
                                           int history)
{
    configure(sps);
    d_rls.reset();
    d_network.window().set_gain(unit_power_gain(
        received, d_settings.num_inputs, std::min(num_samples, pilots[0].size() * sps)));
    d_network.reset(0);

    const std::vector<Eigen::Index> positions = known_positions(pilots);
    const Eigen::Index rows = positions.size(), span = pilots[0].size();
    const Eigen::MatrixXcd targets = to_columns(pilots)(positions, Eigen::all);
    const Eigen::MatrixXcd all =
        training_features(received, num_samples, span + look_ahead(), history);
    Eigen::MatrixXcd gathered;
    const auto features =
        [&](int delay) -> Eigen::Ref<const Eigen::MatrixXcd, 0, Eigen::OuterStride<>> {
        if (rows == span)
            return all.middleRows(delay, span);
        gathered = all.middleRows(delay, span)(positions, Eigen::all);
        return gathered;
    };
    // Detection will see these samples again and count them for good.
    training_report report;
    report.bad_samples = d_network.bad_samples() + d_network.window().take_bad_samples();
    // Recursive least squares is least squares with each row's error weighted by its age.
    Eigen::VectorXd row_weights = Eigen::VectorXd::Ones(rows);
    if (d_settings.recursive)
        for (Eigen::Index n = 0; n < rows; n++)
            row_weights(n) = std::pow(d_settings.forgetting, span - 1 - positions[n]);
    const auto solve = [&](int delay) {
        const Eigen::VectorXd scale = row_weights.cwiseSqrt();
        return solve_rows(scale.asDiagonal() * features(delay),
                          scale.asDiagonal() * targets);
    };

    kernel::ridge_result best;
    report.delay = d_settings.delay;
    if (d_settings.delay < 0) {
        for (int delay = 0; delay < d_settings.window; delay++) {
            const kernel::ridge_result found = solve(delay);
            if (delay > 0 && found.leave_one_out_mse >= best.leave_one_out_mse)
                continue;
            best = found;
            report.delay = delay;
        }
    }
    row_weights.array() *=
        history_weights(features(report.delay).rightCols(d_network.window().num_taps()),
                        targets,
                        positions,
                        d_settings.window - 1 - report.delay - history)
            .array();
    best = solve(report.delay);

    const Eigen::MatrixXcd scaled_targets =
        row_weights.cwiseSqrt().asDiagonal() * targets;
    const double total = row_weights.sum() * targets.cols();
    const Eigen::VectorXcd gain = output_gain(best.leave_one_out, scaled_targets);
    describe_errors(best.leave_one_out, scaled_targets, gain, total, report);
    report.regularization = best.regularization;

    if (d_decide) { // tracking goes on from here
        d_rls = recurse(features(report.delay), targets, best.regularization);
        d_rls->set_weights(best.weights);
        std::vector<gr_complex> first_stream;
        for (const auto position : positions)
            first_stream.push_back(pilots[0][position]);
        d_decide->fit_scale(first_stream);
    }
    set_weights(best.weights, gain);
    d_network.reset(history + report.delay);
    return report;
}

void least_squares_readout::adopt(const least_squares_readout& trained, int sps)
{
    configure(sps);
    d_network.window().set_gain(trained.d_network.window().gain());
    d_rls.reset();
    set_weights(trained.d_rls ? trained.d_rls->weights() : trained.d_weights,
                trained.d_gain);
}

void least_squares_readout::set_weights(const Eigen::MatrixXcd& weights,
                                        const Eigen::VectorXcd& gain)
{
    d_weights = weights;
    d_gain = gain;
    d_network.set_output_weights(unbiased_weights().cast<gr_complex>());
}

Eigen::MatrixXcd least_squares_readout::unbiased_weights() const
{
    return (d_rls ? d_rls->weights() : d_weights) * d_gain.cwiseInverse().asDiagonal();
}

size_t least_squares_readout::detect(const gr_complex* const* received,
                                     size_t num_samples,
                                     gr_complex* const* symbols)
{
    if (!d_rls)
        return d_network.detect(received, num_samples, symbols);
    return d_network.detect(
        received,
        num_samples,
        symbols,
        [this](size_t count, gr_complex* const* rows, size_t skip, size_t place) {
            track_block(count, rows, skip, place);
        });
}

void least_squares_readout::track_block(size_t count,
                                        gr_complex* const* symbols,
                                        size_t skip,
                                        size_t place)
{
    for (size_t n = 0; n < count; n++) {
        d_network.next_features(n, d_features.data());
        if (n < skip)
            continue;
        d_rls->predict(d_features.data(), d_predicted.data());
        for (int o = 0; o < d_settings.num_outputs; o++) {
            const gr_complex symbol(d_predicted[o] / d_gain(o));
            symbols[o][place + n - skip] = symbol;
            d_errors[o] = std::complex<double>(d_decide->decide(symbol)) - d_predicted[o];
        }
        d_rls->update(d_features.data(), d_errors.data());
    }
}

void least_squares_readout::set_tracking(const digital::constellation_sptr& constellation)
{
    if (d_rls) { // the weights that tracking has found stay
        const Eigen::MatrixXcd weights = d_rls->weights();
        d_rls.reset();
        set_weights(weights, d_gain);
    }
    d_decide.reset();
    if (constellation)
        d_decide = std::make_unique<decision_device>(constellation);
}

stream_matrix least_squares_readout::weights() const
{
    const Eigen::MatrixXcf unbiased = unbiased_weights().cast<gr_complex>();
    stream_matrix rows;
    for (const auto column : unbiased.colwise())
        rows.emplace_back(column.begin(), column.end());
    return rows;
}

stream_matrix least_squares_readout::states(const stream_matrix& received, int sps) const
{
    tapped_delay_window window(d_settings.num_inputs, sps, d_settings.window);
    const auto network = d_make_recurrence(window);
    std::vector<const gr_complex*> rows;
    for (const auto& row : received)
        rows.push_back(row.data());
    std::vector<float> re(window.num_taps()), im(window.num_taps());
    std::vector<gr_complex> state(network->num_neurons());
    stream_matrix states(network->num_neurons());
    for (size_t written = 0; written < received[0].size();) {
        written += window.write(rows.data(), written, received[0].size() - written);
        for (size_t n = 0; n < window.symbols(); n++) {
            window.copy_taps(n, re.data(), im.data());
            network->step(re.data(), im.data());
            network->copy_state(state.data());
            for (size_t k = 0; k < state.size(); k++)
                states[k].push_back(state[k]);
        }
        window.discard();
    }
    return states;
}

pmt::pmt_t least_squares_readout::save() const
{
    pmt::pmt_t dict = pmt::make_dict();
    dict = pmt::dict_add(
        dict, pmt::mp("input_gain"), pmt::from_double(d_network.window().gain()));
    // the single-precision weights that detection uses: a loaded detector gives the same bits
    return pmt::dict_add(
        dict, pmt::mp("weights"), matrix_to_pmt(unbiased_weights().cast<gr_complex>()));
}

void least_squares_readout::restore(const pmt::pmt_t& saved, int sps)
{
    configure(sps);
    d_network.window().set_gain(saved_reader(saved).scale("input_gain"));
    const Eigen::MatrixXcf weights = matrix_from_pmt(saved_entry(saved, "weights"));
    if (weights.rows() != d_network.num_features() ||
        weights.cols() != d_settings.num_outputs)
        throw std::runtime_error("load: the saved weights have another size");
    set_weights(weights.cast<std::complex<double>>(),
                Eigen::VectorXcd::Ones(d_settings.num_outputs));
}

} // namespace reservoir
} // namespace gr
