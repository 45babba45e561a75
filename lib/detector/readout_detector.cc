/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/readout_detector.h"

#include "check.h"
#include "detector/saved_file.h"
#include "detector/training_samples.h"
#include <gnuradio/reservoir/kernel/ridge.h>
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {

using kernel::tapped_delay_window;

void readout_parameters::check(const char* window_name) const
{
    require(window >= 1 && window <= 1024, window_name, window, "1 to 1024");
    require(delay >= -1 && delay < window,
            "delay",
            delay,
            (std::string("0 to ") + window_name + " - 1, or -1 to search").c_str());
    require(std::isfinite(regularization) &&
                (regularization >= 0.0 || regularization == -1.0),
            "regularization",
            regularization,
            "at least 0, or -1 for leave-one-out");
    require(
        update == "ls" || update == "rls", "update", "'" + update + "'", "'ls' or 'rls'");
    require(forgetting > 0.5 && forgetting <= 1.0,
            "forgetting",
            forgetting,
            "above 0.5, at most 1");
}

pmt::pmt_t readout_parameters::to_pmt() const
{
    return pmt::make_tuple(pmt::from_long(window),
                           pmt::from_long(delay),
                           pmt::from_double(regularization),
                           pmt::mp(update),
                           pmt::from_double(forgetting));
}

readout_parameters readout_parameters::from_pmt(const pmt::pmt_t& saved)
{
    return { int(pmt::to_long(pmt::tuple_ref(saved, 0))),
             int(pmt::to_long(pmt::tuple_ref(saved, 1))),
             pmt::to_double(pmt::tuple_ref(saved, 2)),
             pmt::symbol_to_string(pmt::tuple_ref(saved, 3)),
             pmt::to_double(pmt::tuple_ref(saved, 4)) };
}

readout_detector::readout_detector(const readout_parameters& parameters,
                                   const char* window_name)
    : detector(1, 1), // the most derived class sets the base
      network_detector(parameters.window),
      d_parameters(parameters)
{
    parameters.check(window_name);
}

int readout_detector::do_look_ahead() const
{
    return d_parameters.delay >= 0 ? d_parameters.delay : d_parameters.window - 1;
}

void readout_detector::configure(int sps)
{
    network_detector::configure(sps);
    d_state.resize(num_neurons());
    d_features.resize(num_neurons() + d_window->num_taps());
    d_predicted.resize(num_outputs());
    d_errors.resize(num_outputs());
}

void readout_detector::next_features(size_t n, std::complex<double>* features)
{
    if (d_network) {
        step_network(n);
        d_network->copy_state(d_state.data());
        std::copy(d_state.begin(), d_state.end(), features);
        features += d_state.size();
    }
    const int window = d_window->window();
    for (int b = 0; b < d_window->num_branches(); b++)
        for (int age = 0; age < window; age++) {
            const size_t place = n + window - 1 - age;
            features[d_window->tap_index(b, age)] = { d_window->re(b)[place],
                                                      d_window->im(b)[place] };
        }
}

Eigen::MatrixXcd readout_detector::training_features(const gr_complex* const* received,
                                                     size_t num_samples,
                                                     size_t rows)
{
    Eigen::MatrixXcd features(rows, d_features.size());
    read_symbols(*d_window, received, num_samples, rows, [&](size_t n, size_t row) {
        next_features(n, d_features.data());
        for (size_t k = 0; k < d_features.size(); k++)
            features(row, k) = d_features[k];
    });
    return features;
}

/*
 * The first rows do not know the samples before the first pilot. Where there was a signal, of
 * unit power, these add Σ |w_j|² over the taps that fall on them to the row's error variance, w
 * being a filter of the window; after a gap they add nothing. The errors of these rows tell
 * which. Rows then count by the inverse of their variance.
 *
 * The filter is regularized alike everywhere: choosing that by leave-one-out takes as long as
 * the training itself and changes no error rate (10^-3 to 10^-1 do not differ).
 */
Eigen::VectorXd readout_detector::history_weights(const Eigen::MatrixXcd& windows,
                                                  const Eigen::MatrixXcd& targets,
                                                  int delay) const
{
    constexpr double FILTER_REGULARIZATION = 0.01;
    const Eigen::Index rows = targets.rows();
    const Eigen::Index incomplete = d_window->window() - 1 - delay;
    if (incomplete < 1 || rows < 2 * incomplete)
        return Eigen::VectorXd::Ones(rows);
    const kernel::ridge_result filter =
        kernel::ridge(windows).solve(targets, FILTER_REGULARIZATION);
    Eigen::VectorXd missing = Eigen::VectorXd::Zero(rows);
    for (int b = 0; b < d_window->num_branches(); b++)
        for (Eigen::Index k = 0; k < incomplete; k++)
            for (int age = k + delay + 1; age < d_window->window(); age++)
                missing(k) +=
                    filter.weights.row(d_window->tap_index(b, age)).squaredNorm();

    // Gaussian log-likelihood ratio of the errors with and without a signal before the pilots
    const Eigen::ArrayXd errors =
        (filter.leave_one_out - targets).rowwise().squaredNorm().array() / num_outputs();
    const double usual = errors.tail(rows - incomplete).mean() + 1e-30;
    const Eigen::ArrayXd variance = usual + missing.array() / num_outputs();
    const double log_ratio =
        num_outputs() *
        (errors / usual - errors / variance - (variance / usual).log()).sum();
    // a gap only if that is 20 times as likely: on the air something precedes
    if (log_ratio < -3.0)
        return Eigen::VectorXd::Ones(rows);
    return (usual / variance).max(1e-4);
}

std::unique_ptr<kernel::rls> readout_detector::recurse(const Eigen::MatrixXcd& features,
                                                       const Eigen::MatrixXcd& targets,
                                                       double regularization) const
{
    const Eigen::Index num_features = features.cols();
    auto recursion = std::make_unique<kernel::rls>(
        num_features, targets.cols(), d_parameters.forgetting);
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

training_report readout_detector::do_fit(const gr_complex* const* received,
                                         size_t num_samples,
                                         const stream_matrix& pilots,
                                         int sps)
{
    configure(sps);
    d_rls.reset();
    d_window->set_gain(unit_power_gain(
        received, num_inputs(), std::min(num_samples, pilots[0].size() * sps)));
    do_reset();

    const Eigen::MatrixXcd targets = to_columns(pilots);
    const Eigen::Index rows = targets.rows();
    const Eigen::MatrixXcd all =
        training_features(received, num_samples, rows + do_look_ahead());
    // Detection will see these samples again and count them for good.
    training_report report;
    report.bad_samples = d_bad_samples + d_window->take_bad_samples();
    // Recursive least squares is least squares with each row's error weighted by its age.
    Eigen::VectorXd row_weights = Eigen::VectorXd::Ones(rows);
    if (d_parameters.update == "rls")
        for (Eigen::Index n = 0; n < rows; n++)
            row_weights(n) = std::pow(d_parameters.forgetting, rows - 1 - n);
    const auto solve = [&](int delay) {
        const Eigen::VectorXd scale = row_weights.cwiseSqrt();
        return kernel::ridge(scale.asDiagonal() * all.middleRows(delay, rows))
            .solve(scale.asDiagonal() * targets, d_parameters.regularization);
    };

    kernel::ridge_result best;
    report.delay = d_parameters.delay;
    if (d_parameters.delay < 0) {
        for (int delay = 0; delay < d_parameters.window; delay++) {
            const kernel::ridge_result found = solve(delay);
            if (delay > 0 && found.leave_one_out_mse >= best.leave_one_out_mse)
                continue;
            best = found;
            report.delay = delay;
        }
    }
    row_weights.array() *=
        history_weights(
            all.rightCols(d_window->num_taps()).middleRows(report.delay, rows),
            targets,
            report.delay)
            .array();
    best = solve(report.delay);

    const Eigen::MatrixXcd scaled_targets =
        row_weights.cwiseSqrt().asDiagonal() * targets;
    const double total = row_weights.sum() * targets.cols();
    const Eigen::VectorXcd gain = output_gain(best.leave_one_out, scaled_targets);
    describe_errors(best.leave_one_out, scaled_targets, gain, total, report);
    report.regularization = best.regularization;

    if (d_decide) { // tracking goes on from here
        d_rls = recurse(all.middleRows(report.delay, rows), targets, best.regularization);
        d_rls->set_weights(best.weights);
        d_decide->fit_scale(pilots[0]);
    }
    set_weights(best.weights, gain);
    d_report.delay = report.delay;
    do_reset();
    return report;
}

void readout_detector::do_adopt(const detector& trained)
{
    const auto& other = dynamic_cast<const readout_detector&>(trained);
    require(other.d_parameters.window == d_parameters.window,
            "trained",
            "window " + std::to_string(other.d_parameters.window),
            "with the same parameters");
    configure(other.d_sps);
    d_window->set_gain(other.d_window->gain());
    d_rls.reset();
    set_weights(other.d_rls ? other.d_rls->weights() : other.d_weights, other.d_gain);
    d_report.delay = other.d_report.delay; // that do_reset holds back
    do_reset();
}

void readout_detector::set_weights(const Eigen::MatrixXcd& weights,
                                   const Eigen::VectorXcd& gain)
{
    d_weights = weights;
    d_gain = gain;
    set_output_weights(unbiased_weights().cast<gr_complex>());
}

Eigen::MatrixXcd readout_detector::unbiased_weights() const
{
    return (d_rls ? d_rls->weights() : d_weights) * d_gain.cwiseInverse().asDiagonal();
}

void readout_detector::detect_block(size_t count,
                                    gr_complex* const* symbols,
                                    size_t skip,
                                    size_t place)
{
    if (d_rls)
        track_block(count, symbols, skip, place);
    else
        network_detector::detect_block(count, symbols, skip, place);
}

void readout_detector::track_block(size_t count,
                                   gr_complex* const* symbols,
                                   size_t skip,
                                   size_t place)
{
    for (size_t n = 0; n < count; n++) {
        next_features(n, d_features.data());
        if (n < skip)
            continue;
        d_rls->predict(d_features.data(), d_predicted.data());
        for (int o = 0; o < num_outputs(); o++) {
            const gr_complex symbol(d_predicted[o] / d_gain(o));
            symbols[o][place + n - skip] = symbol;
            d_errors[o] = std::complex<double>(d_decide->decide(symbol)) - d_predicted[o];
        }
        d_rls->update(d_features.data(), d_errors.data());
    }
}

void readout_detector::do_set_tracking(digital::constellation_sptr constellation)
{
    if (d_rls) { // what tracking has learnt stays
        const Eigen::MatrixXcd weights = d_rls->weights();
        d_rls.reset();
        set_weights(weights, d_gain);
    }
    d_decide.reset();
    if (constellation)
        d_decide = std::make_unique<decision_device>(constellation);
}

stream_matrix readout_detector::user_weights() const
{
    if (!d_report.trained)
        return {};
    const Eigen::MatrixXcf unbiased = unbiased_weights().cast<gr_complex>();
    stream_matrix rows;
    for (const auto column : unbiased.colwise())
        rows.emplace_back(column.begin(), column.end());
    return rows;
}

stream_matrix readout_detector::network_states(const stream_matrix& received,
                                               int sps) const
{
    require(sps >= 1 && sps <= 64, "sps", sps, "1 to 64");
    tapped_delay_window window(num_inputs(), sps, d_parameters.window);
    const auto network = make_network(sps, window.num_taps());
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

pmt::pmt_t readout_detector::save_readout() const
{
    pmt::pmt_t dict = pmt::make_dict();
    const auto add = [&dict](const char* key, const pmt::pmt_t& value) {
        dict = pmt::dict_add(dict, pmt::mp(key), value);
    };
    add("parameters", d_parameters.to_pmt());
    add("num_inputs", pmt::from_long(num_inputs()));
    add("num_outputs", pmt::from_long(num_outputs()));
    add("trained", pmt::from_bool(d_report.trained));
    if (!d_report.trained)
        return dict;
    add("sps", pmt::from_long(d_sps));
    add("input_gain", pmt::from_double(d_window->gain()));
    add("delay", pmt::from_long(d_report.delay));
    add("mse", pmt::from_double(d_report.mse));
    add("evm_db", pmt::from_double(d_report.evm_db));
    add("regularization", pmt::from_double(d_report.regularization));
    add("noise_variance", pmt::from_double(d_report.noise_variance));
    // the single-precision weights that detection uses: a loaded detector gives the same bits
    add("weights", matrix_to_pmt(unbiased_weights().cast<gr_complex>()));
    return dict;
}

void readout_detector::load_readout(const pmt::pmt_t& saved)
{
    if (!pmt::to_bool(saved_entry(saved, "trained")))
        return;
    d_sps = pmt::to_long(saved_entry(saved, "sps"));
    configure(d_sps);
    d_window->set_gain(pmt::to_double(saved_entry(saved, "input_gain")));
    d_report.trained = true;
    d_report.delay = pmt::to_long(saved_entry(saved, "delay"));
    d_report.mse = pmt::to_double(saved_entry(saved, "mse"));
    d_report.evm_db = pmt::to_double(saved_entry(saved, "evm_db"));
    d_report.regularization = pmt::to_double(saved_entry(saved, "regularization"));
    d_report.noise_variance = pmt::to_double(saved_entry(saved, "noise_variance"));
    const Eigen::MatrixXcf weights = matrix_from_pmt(saved_entry(saved, "weights"));
    if (weights.rows() != Eigen::Index(d_features.size()) ||
        weights.cols() != num_outputs())
        throw std::runtime_error("load: the saved weights have another size");
    set_weights(weights.cast<std::complex<double>>(),
                Eigen::VectorXcd::Ones(num_outputs()));
    do_reset();
}

} // namespace reservoir
} // namespace gr
