/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/rnn.h>

#include "check.h"
#include "detector/descent.h"
#include "detector/saved_reader.h"
#include "detector/training_samples.h"
#include "detector/windowed_network.h"
#include <gnuradio/reservoir/detector_kind.h>
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {

rnn::sptr rnn::make(int num_neurons,
                    int window,
                    int delay,
                    const std::string& activation,
                    const std::string& optimizer,
                    double learning_rate,
                    double momentum,
                    int epochs,
                    double gradient_clip,
                    double spectral_radius,
                    bool train_poles,
                    int64_t seed,
                    int num_inputs,
                    int num_outputs,
                    double input_scaling,
                    bool skip,
                    int warm_up,
                    double held_out,
                    int patience,
                    int restarts,
                    int condition_every,
                    int eigenvalues_every)
{
    return std::make_shared<rnn>(
        rnn_parameters{ num_neurons,     window,           delay,         activation,
                        optimizer,       learning_rate,    momentum,      epochs,
                        gradient_clip,   spectral_radius,  train_poles,   seed,
                        num_inputs,      num_outputs,      input_scaling, skip,
                        warm_up,         held_out,         patience,      restarts,
                        condition_every, eigenvalues_every });
}

rnn::rnn(const rnn_parameters& p)
    : described(p),
      d_activation(kernel::activation_from_string(p.activation)),
      d_network(std::make_unique<windowed_network>(
          p.num_inputs,
          p.num_outputs,
          p.window,
          [this](const kernel::tapped_delay_window& window) {
              return std::make_unique<recurrence>(
                  d_trained.recurrent,
                  to_window_order(d_trained.input, window),
                  d_activation);
          }))
{
}

rnn::~rnn() {}

uint64_t rnn::do_bad_samples() const { return d_network->bad_samples(); }

// The gradient runs back through it, and the epochs take longer by it.
int rnn::do_look_back() const
{
    constexpr int MEMORY = 16;
    return d_parameters.window - 1 + MEMORY;
}

void rnn::do_reset() { d_network->reset(history() + d_report.delay); }

size_t rnn::do_detect(const gr_complex* const* received,
                      size_t num_samples,
                      gr_complex* const* symbols)
{
    return d_network->detect(received, num_samples, symbols);
}

void rnn::check_weights(const weight_matrices& weights) const
{
    const auto shape = [](const Eigen::MatrixXcf& matrix) {
        return std::to_string(matrix.rows()) + " x " + std::to_string(matrix.cols());
    };
    const int n = d_parameters.num_neurons;
    // taps at one sample per symbol
    const Eigen::Index period = num_inputs() * d_parameters.window;
    const Eigen::Index taps = weights.input.cols();
    require(weights.recurrent.rows() == n && weights.recurrent.cols() == n,
            "recurrent",
            shape(weights.recurrent),
            "num_neurons x num_neurons");
    require(weights.input.rows() == n && taps > 0 && taps % period == 0 &&
                taps / period <= 64,
            "input",
            shape(weights.input),
            "num_neurons x num_inputs * window * sps");
    require(weights.readout.rows() == num_outputs() && weights.readout.cols() == n,
            "readout",
            shape(weights.readout),
            "num_outputs x num_neurons");
    if (d_parameters.skip)
        require(weights.skip.rows() == num_outputs() && weights.skip.cols() == taps,
                "skip",
                shape(weights.skip),
                "num_outputs x num_inputs * window * sps, as skip = true");
    else
        require(weights.skip.size() == 0,
                "skip",
                shape(weights.skip),
                "empty, as skip = false");
    for (const auto* matrix :
         { &weights.recurrent, &weights.input, &weights.readout, &weights.skip })
        require(matrix->allFinite(), "weights", "not finite", "finite");
}

void rnn::set_weights(const rnn_weights& weights)
{
    const weight_matrices matrices{ to_matrix(weights.recurrent),
                                    to_matrix(weights.input),
                                    to_matrix(weights.readout),
                                    to_matrix(weights.skip) };
    check_weights(matrices);
    const std::lock_guard<std::mutex> lock(d_mutex);
    d_start = matrices;
    settings_changed();
}

void rnn::start_from(const esn& network)
{
    require(network.trained(), "network", "an untrained esn", "a trained one");
    require(
        d_parameters.skip, "skip", false, "true: the readout of an esn sees the window");
    require(network.num_inputs() == num_inputs() &&
                network.num_outputs() == num_outputs(),
            "network",
            std::to_string(network.num_inputs()) + " inputs and " +
                std::to_string(network.num_outputs()) + " outputs",
            "of as many");
    require(network.activation() == d_parameters.activation,
            "network",
            network.activation(),
            ("of activation " + d_parameters.activation).c_str());
    require(network.delay() == d_parameters.delay,
            "network",
            "delay " + std::to_string(network.delay()),
            ("of delay " + std::to_string(d_parameters.delay)).c_str());
    const int sps = network.trained_sps();
    rnn_weights weights{
        network.recurrent_weights(), network.input_weights(sps), {}, {}
    };
    require(weights.input[0].size() == size_t(num_inputs() * d_parameters.window * sps),
            "network",
            std::to_string(weights.input[0].size()) + " taps",
            ("of window " + std::to_string(d_parameters.window)).c_str());
    const size_t neurons = weights.recurrent.size();
    for (const auto& row : network.readout()) { // [neurons; window]
        weights.readout.emplace_back(row.begin(), row.begin() + neurons);
        weights.skip.emplace_back(row.begin() + neurons, row.end());
    }
    set_weights(weights);
}

void rnn::start_from_seed()
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    d_start.reset();
    settings_changed();
}

rnn_weights rnn::weights() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    const weight_matrices matrices = d_report.trained ? d_trained
                                     : d_start        ? *d_start
                                                      : draw(0, 1);
    return { to_rows(matrices.recurrent),
             to_rows(matrices.input),
             to_rows(matrices.readout),
             to_rows(matrices.skip) };
}

rnn::weight_matrices rnn::draw(int restart, int sps) const
{
    const int neurons = d_parameters.num_neurons;
    const int taps = num_inputs() * sps * d_parameters.window;
    const uint64_t seed = d_parameters.seed + restart;
    kernel::random recurrent(seed), input(~seed), readout(seed ^ (uint64_t(1) << 63));
    weight_matrices weights;
    weights.recurrent = kernel::random_recurrent_weights(
        neurons, d_parameters.spectral_radius, 0.0, recurrent);
    weights.input =
        kernel::random_input_weights(neurons, taps, d_parameters.input_scaling, input);
    weights.readout =
        // small outputs
        kernel::random_input_weights(num_outputs(), neurons, 0.3, readout);
    if (d_parameters.skip)
        weights.skip = Eigen::MatrixXcf::Zero(num_outputs(), taps);
    return weights;
}

rnn::weight_matrices rnn::start(int restart, int sps) const
{
    if (restart > 0 || !d_start)
        return draw(restart, sps);
    const int taps = num_inputs() * sps * d_parameters.window;
    require(d_start->input.cols() == taps,
            "sps",
            sps,
            ("that of the weights it starts from, which have " +
             std::to_string(d_start->input.cols()) + " taps")
                .c_str());
    return *d_start;
}

training_sequence rnn::sequence(kernel::tapped_delay_window& window,
                                const gr_complex* const* received,
                                size_t num_samples,
                                const Eigen::MatrixXcd& pilots,
                                const std::vector<Eigen::Index>& positions,
                                double scale) const
{
    const Eigen::Index first_step = history() + d_parameters.delay;
    const Eigen::Index steps = first_step + pilots.rows();
    std::vector<const gr_complex*> rows(received, received + num_inputs());
    for (auto& row : rows)
        row -= history() * window.sps();
    num_samples += history() * window.sps();
    training_sequence made;
    made.inputs.resize(window.num_taps(), steps);
    std::vector<float> re(window.num_taps()), im(window.num_taps());
    read_symbols(window, rows.data(), num_samples, steps, [&](size_t n, size_t step) {
        window.copy_taps(n, re.data(), im.data());
        for (size_t k = 0; k < re.size(); k++)
            made.inputs(k, step) = { re[k], im[k] };
    });
    made.targets = Eigen::MatrixXcf::Zero(num_outputs(), steps);
    made.targets.rightCols(pilots.rows()) =
        (pilots.transpose() / scale).cast<gr_complex>();

    made.trained.assign(steps, 0.0F);
    made.held_out.assign(steps, 0.0F);
    const Eigen::Index known = positions.size();
    const Eigen::Index first = std::min<Eigen::Index>(d_parameters.warm_up, known - 1);
    bool any = false;
    for (Eigen::Index k = first; k < known; k++) {
        // every 1/share-th, the first one never
        const double share = d_parameters.held_out;
        const bool held =
            std::floor((k - first + 1) * share) > std::floor((k - first) * share);
        (held ? made.held_out : made.trained)[first_step + positions[k]] = 1.0F;
        any = any || held;
    }
    if (!any)
        made.held_out.clear();
    return made;
}

trained_network rnn::train(const training_sequence& training,
                           const kernel::tapped_delay_window& window,
                           double scale) const
{
    const descent_parameters parameters{ kernel::descent_from_string(
                                             d_parameters.optimizer),
                                         d_parameters.learning_rate,
                                         d_parameters.momentum,
                                         d_parameters.epochs,
                                         d_parameters.gradient_clip,
                                         d_parameters.train_poles,
                                         d_parameters.patience,
                                         d_parameters.condition_every,
                                         d_parameters.eigenvalues_every };
    trained_network best;
    for (int restart = 0; restart < d_parameters.restarts; restart++) {
        weight_matrices weights = start(restart, window.sps());
        weights.input = to_window_order(weights.input, window);
        if (restart == 0 && d_start) { // pilot units; those drawn are for unit power
            weights.readout /= float(scale);
            weights.skip /= float(scale);
        }
        if (d_parameters.skip)
            weights.skip = to_window_order(weights.skip, window);
        trained_network found = descend(
            weights, d_activation, training, parameters, [&](training_progress progress) {
                progress.restart = restart;
                if (d_progress)
                    d_progress(progress);
                return !cancelled();
            });
        const bool held_out = !training.held_out.empty();
        const double before = held_out ? best.held_out_loss : best.loss;
        const double after = held_out ? found.held_out_loss : found.loss;
        const bool stop = found.history.cancelled;
        if (restart == 0 || !(before <= after)) { // NaN before: anything is better
            best = std::move(found);
            best.history.restart = restart;
        }
        best.history.cancelled = stop;
        if (stop)
            break;
    }
    return best;
}

training_report rnn::do_fit(const gr_complex* const* received,
                            size_t num_samples,
                            const stream_matrix& pilots,
                            int sps)
{
    // a window of its own: the weights before stay as they are until this training has ended
    kernel::tapped_delay_window window(num_inputs(), sps, d_parameters.window);
    window.set_gain(unit_power_gain(
        received, num_inputs(), std::min(num_samples, pilots[0].size() * sps)));
    const std::vector<Eigen::Index> positions = known_positions(pilots);
    Eigen::MatrixXcd known = Eigen::MatrixXcd::Zero(pilots[0].size(), num_outputs());
    known(positions, Eigen::all) = to_columns(pilots)(positions, Eigen::all);
    const double rms =
        std::sqrt(known.squaredNorm() / (positions.size() * num_outputs()));
    const double scale = rms > 1e-30 ? rms : 1.0;
    const training_sequence training =
        sequence(window, received, num_samples, known, positions, scale);
    const trained_network found = train(training, window, scale);

    weight_matrices weights = found.weights;
    weights.input = from_window_order(weights.input, window);
    weights.readout *= float(scale);
    if (d_parameters.skip)
        weights.skip = float(scale) * from_window_order(weights.skip, window);
    training_report report = found.history;
    // Detection will see these samples again and count them for good.
    report.bad_samples = d_network->bad_samples() + window.take_bad_samples();
    report.delay = d_parameters.delay;

    const auto& counted =
        training.held_out.empty() ? training.trained : training.held_out;
    const Eigen::VectorXd selected =
        Eigen::Map<const Eigen::VectorXf>(counted.data(), counted.size())
            .tail(known.rows())
            .cast<double>();
    const Eigen::MatrixXcd targets = selected.asDiagonal() * known;
    const Eigen::MatrixXcd outputs =
        found.outputs.rightCols(known.rows()).transpose().cast<std::complex<double>>();
    const Eigen::MatrixXcd estimates = selected.asDiagonal() * outputs * scale;
    describe_errors(estimates,
                    targets,
                    output_gain(estimates, targets),
                    selected.sum() * known.cols(),
                    report);

    d_report.delay = d_parameters.delay;
    use(weights, sps, window.gain());
    return report;
}

void rnn::use(const weight_matrices& weights, int sps, float input_gain)
{
    d_trained = weights;
    if (!d_network->configure(sps)) // which makes the recurrence, too
        d_network->rebuild();
    d_network->window().set_gain(input_gain);
    Eigen::MatrixXcf output(d_parameters.num_neurons + weights.skip.cols(),
                            num_outputs());
    output.topRows(d_parameters.num_neurons) = weights.readout.transpose();
    if (d_parameters.skip)
        output.bottomRows(weights.skip.cols()) = weights.skip.transpose();
    d_network->set_output_weights(output);
    do_reset();
}

namespace {

pmt::pmt_t weights_to_pmt(const kernel::network_weights<float>& weights)
{
    return pmt::make_tuple(matrix_to_pmt(weights.recurrent),
                           matrix_to_pmt(weights.input),
                           matrix_to_pmt(weights.readout),
                           matrix_to_pmt(weights.skip));
}

kernel::network_weights<float> weights_from_pmt(const pmt::pmt_t& saved)
{
    return { matrix_from_pmt(pmt::tuple_ref(saved, 0)),
             matrix_from_pmt(pmt::tuple_ref(saved, 1)),
             matrix_from_pmt(pmt::tuple_ref(saved, 2)),
             matrix_from_pmt(pmt::tuple_ref(saved, 3)) };
}

} // namespace

pmt::pmt_t rnn::do_save() const
{
    pmt::pmt_t dict = pmt::make_dict();
    const auto add = [&dict](const char* key, const pmt::pmt_t& value) {
        dict = pmt::dict_add(dict, pmt::mp(key), value);
    };
    if (d_start)
        add("start", weights_to_pmt(*d_start));
    if (!d_report.trained)
        return dict;
    add("input_gain", pmt::from_double(d_network->window().gain()));
    add("weights", weights_to_pmt(d_trained));
    return dict;
}

void rnn::do_restore(const pmt::pmt_t& saved)
{
    if (pmt::dict_has_key(saved, pmt::mp("start"))) {
        d_start = weights_from_pmt(saved_entry(saved, "start"));
        check_weights(*d_start);
    }
    if (!d_report.trained)
        return;
    const auto weights = weights_from_pmt(saved_entry(saved, "weights"));
    check_weights(weights);
    if (weights.input.cols() != num_inputs() * d_sps * d_parameters.window)
        throw std::runtime_error("load: the saved weights have another size");
    d_report.delay = d_parameters.delay;
    use(weights, d_sps, saved_reader(saved).scale("input_gain"));
}

void rnn::do_adopt(const trainable& trained)
{
    const auto& other = dynamic_cast<const rnn&>(trained);
    use(other.d_trained, d_sps, other.d_network->window().gain());
}

detector_kind describe_rnn() { return describe_kind<rnn>(); }

} // namespace reservoir
} // namespace gr
