/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/rnn_impl.h"

#include "check.h"
#include "detector/saved_file.h"
#include "detector/training_samples.h"
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
    return std::make_shared<rnn_impl>(
        rnn_parameters{ num_neurons,     window,
                        delay,           activation,
                        optimizer,       learning_rate,
                        momentum,        epochs,
                        gradient_clip,   spectral_radius,
                        train_poles,     seed,
                        input_scaling,   skip,
                        warm_up,         held_out,
                        patience,        restarts,
                        condition_every, eigenvalues_every },
        num_inputs,
        num_outputs);
}

void rnn_parameters::check() const
{
    constexpr int MANY = 1000000;
    require_range("num_neurons", num_neurons, 1, 1024);
    require_range("window", window, 1, 1024);
    require_range("delay", delay, 0, 1023);
    kernel::activation_from_string(activation);
    kernel::descent_from_string(optimizer);
    require(learning_rate > 0.0 && learning_rate <= 100.0,
            "learning_rate",
            learning_rate,
            "above 0, at most 100");
    require(momentum >= 0.0 && momentum < 1.0, "momentum", momentum, "0 to below 1");
    require_range("epochs", epochs, 0, MANY);
    require(std::isfinite(gradient_clip) && gradient_clip >= 0.0,
            "gradient_clip",
            gradient_clip,
            "above 0, or 0 for none");
    require_range("spectral_radius", spectral_radius, 0.0, 2.0);
    require(seed >= 0, "seed", seed, "at least 0");
    require_range("input_scaling", input_scaling, 0.0, 100.0);
    require_range("warm_up", warm_up, 0, MANY);
    require_range("held_out", held_out, 0.0, 0.5);
    require_range("patience", patience, 0, MANY);
    require(patience == 0 || held_out > 0.0,
            "patience",
            patience,
            "0 where no pilots are held out (held_out = 0)");
    require_range("restarts", restarts, 1, 1000);
    require_range("condition_every", condition_every, 0, MANY);
    require_range("eigenvalues_every", eigenvalues_every, 0, MANY);
}

pmt::pmt_t rnn_parameters::to_pmt() const
{
    const auto integer = [](int64_t value) { return pmt::from_long(value); };
    pmt::pmt_t list = pmt::PMT_NIL; // back to front
    for (const auto& value : { integer(eigenvalues_every),
                               integer(condition_every),
                               integer(restarts),
                               integer(patience),
                               pmt::from_double(held_out),
                               integer(warm_up),
                               pmt::from_bool(skip),
                               pmt::from_double(input_scaling),
                               pmt::from_uint64(seed),
                               pmt::from_bool(train_poles),
                               pmt::from_double(spectral_radius),
                               pmt::from_double(gradient_clip),
                               integer(epochs),
                               pmt::from_double(momentum),
                               pmt::from_double(learning_rate),
                               pmt::mp(optimizer),
                               pmt::mp(activation),
                               integer(delay),
                               integer(window),
                               integer(num_neurons) })
        list = pmt::cons(value, list);
    return list;
}

rnn_parameters rnn_parameters::from_pmt(const pmt::pmt_t& saved)
{
    pmt::pmt_t rest = saved;
    const auto next = [&rest]() {
        const pmt::pmt_t value = pmt::car(rest);
        rest = pmt::cdr(rest);
        return value;
    };
    const auto integer = [&next]() { return int(pmt::to_long(next())); };
    const auto real = [&next]() { return pmt::to_double(next()); };
    const auto word = [&next]() { return pmt::symbol_to_string(next()); };
    rnn_parameters p;
    p.num_neurons = integer();
    p.window = integer();
    p.delay = integer();
    p.activation = word();
    p.optimizer = word();
    p.learning_rate = real();
    p.momentum = real();
    p.epochs = integer();
    p.gradient_clip = real();
    p.spectral_radius = real();
    p.train_poles = pmt::to_bool(next());
    p.seed = pmt::to_uint64(next());
    p.input_scaling = real();
    p.skip = pmt::to_bool(next());
    p.warm_up = integer();
    p.held_out = real();
    p.patience = integer();
    p.restarts = integer();
    p.condition_every = integer();
    p.eigenvalues_every = integer();
    return p;
}

rnn_impl::rnn_impl(const rnn_parameters& parameters, int num_inputs, int num_outputs)
    : detector(num_inputs, num_outputs),
      network_detector((parameters.check(), parameters.window)),
      d_parameters(parameters),
      d_activation(kernel::activation_from_string(parameters.activation))
{
}

void rnn_impl::check_weights(const weight_matrices& weights) const
{
    const auto shape = [](const Eigen::MatrixXcf& matrix) {
        return std::to_string(matrix.rows()) + " x " + std::to_string(matrix.cols());
    };
    const int n = d_parameters.num_neurons;
    // taps at one sample a symbol
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

void rnn_impl::set_weights(const rnn_weights& weights)
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

void rnn_impl::start_from(const esn& network)
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

void rnn_impl::start_from_seed()
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    d_start.reset();
    settings_changed();
}

rnn_weights rnn_impl::weights() const
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

rnn_impl::weight_matrices rnn_impl::draw(int restart, int sps) const
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

rnn_impl::weight_matrices rnn_impl::start(int restart, int sps) const
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

training_sequence rnn_impl::sequence(kernel::tapped_delay_window& window,
                                     const gr_complex* const* received,
                                     size_t num_samples,
                                     const Eigen::MatrixXcd& pilots,
                                     double scale) const
{
    const Eigen::Index steps = pilots.rows() + d_parameters.delay;
    training_sequence made;
    made.inputs.resize(window.num_taps(), steps);
    std::vector<float> re(window.num_taps()), im(window.num_taps());
    read_symbols(window, received, num_samples, steps, [&](size_t n, size_t step) {
        window.copy_taps(n, re.data(), im.data());
        for (size_t k = 0; k < re.size(); k++)
            made.inputs(k, step) = { re[k], im[k] };
    });
    made.targets = Eigen::MatrixXcf::Zero(num_outputs(), steps);
    made.targets.rightCols(pilots.rows()) =
        (pilots.transpose() / scale).cast<gr_complex>();

    made.trained.assign(steps, 0.0F);
    made.held_out.assign(steps, 0.0F);
    const Eigen::Index first =
        std::min<Eigen::Index>(d_parameters.warm_up, pilots.rows() - 1);
    bool any = false;
    for (Eigen::Index k = first; k < pilots.rows(); k++) {
        // every 1/share-th, the first one never
        const double share = d_parameters.held_out;
        const bool held =
            std::floor((k - first + 1) * share) > std::floor((k - first) * share);
        (held ? made.held_out : made.trained)[d_parameters.delay + k] = 1.0F;
        any = any || held;
    }
    if (!any)
        made.held_out.clear();
    return made;
}

trained_network rnn_impl::train(const training_sequence& training,
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

training_report rnn_impl::do_fit(const gr_complex* const* received,
                                 size_t num_samples,
                                 const stream_matrix& pilots,
                                 int sps)
{
    // a window of its own: what was learnt before stays as it is until this training has ended
    kernel::tapped_delay_window window(num_inputs(), sps, d_parameters.window);
    window.set_gain(unit_power_gain(
        received, num_inputs(), std::min(num_samples, pilots[0].size() * sps)));
    const Eigen::MatrixXcd known = to_columns(pilots);
    const double rms = std::sqrt(known.squaredNorm() / known.size());
    const double scale = rms > 1e-30 ? rms : 1.0;
    const training_sequence training =
        sequence(window, received, num_samples, known, scale);
    const trained_network found = train(training, window, scale);

    weight_matrices weights = found.weights;
    weights.input = from_window_order(weights.input, window);
    weights.readout *= float(scale);
    if (d_parameters.skip)
        weights.skip = float(scale) * from_window_order(weights.skip, window);
    training_report report = found.history;
    // Detection will see these samples again and count them for good.
    report.bad_samples = d_bad_samples + window.take_bad_samples();
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

std::unique_ptr<recurrence> rnn_impl::make_network(int, int) const
{
    return std::make_unique<recurrence>(
        d_trained.recurrent, to_window_order(d_trained.input, *d_window), d_activation);
}

void rnn_impl::use(const weight_matrices& weights, int sps, float input_gain)
{
    d_trained = weights;
    configure(sps);
    rebuild_network();
    d_window->set_gain(input_gain);
    Eigen::MatrixXcf output(d_parameters.num_neurons + weights.skip.cols(),
                            num_outputs());
    output.topRows(d_parameters.num_neurons) = weights.readout.transpose();
    if (d_parameters.skip)
        output.bottomRows(weights.skip.cols()) = weights.skip.transpose();
    set_output_weights(output);
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

pmt::pmt_t rnn_impl::do_save() const
{
    pmt::pmt_t dict = pmt::make_dict();
    const auto add = [&dict](const char* key, const pmt::pmt_t& value) {
        dict = pmt::dict_add(dict, pmt::mp(key), value);
    };
    add("parameters", d_parameters.to_pmt());
    add("num_inputs", pmt::from_long(num_inputs()));
    add("num_outputs", pmt::from_long(num_outputs()));
    if (d_start)
        add("start", weights_to_pmt(*d_start));
    add("trained", pmt::from_bool(d_report.trained));
    if (!d_report.trained)
        return dict;
    add("sps", pmt::from_long(d_sps));
    add("input_gain", pmt::from_double(d_window->gain()));
    add("mse", pmt::from_double(d_report.mse));
    add("evm_db", pmt::from_double(d_report.evm_db));
    add("noise_variance", pmt::from_double(d_report.noise_variance));
    add("best_epoch", pmt::from_long(d_report.best_epoch));
    add("poles", pmt::init_c32vector(d_report.poles.size(), d_report.poles));
    add("weights", weights_to_pmt(d_trained));
    return dict;
}

std::shared_ptr<rnn_impl> rnn_impl::load(const pmt::pmt_t& saved)
{
    auto loaded = std::make_shared<rnn_impl>(
        rnn_parameters::from_pmt(saved_entry(saved, "parameters")),
        pmt::to_long(saved_entry(saved, "num_inputs")),
        pmt::to_long(saved_entry(saved, "num_outputs")));
    if (pmt::dict_has_key(saved, pmt::mp("start"))) {
        loaded->d_start = weights_from_pmt(saved_entry(saved, "start"));
        loaded->check_weights(*loaded->d_start);
    }
    if (!pmt::to_bool(saved_entry(saved, "trained")))
        return loaded;
    training_report& report = loaded->d_report;
    report.trained = true;
    report.delay = loaded->d_parameters.delay;
    report.mse = pmt::to_double(saved_entry(saved, "mse"));
    report.evm_db = pmt::to_double(saved_entry(saved, "evm_db"));
    report.noise_variance = pmt::to_double(saved_entry(saved, "noise_variance"));
    report.best_epoch = pmt::to_long(saved_entry(saved, "best_epoch"));
    report.poles = pmt::c32vector_elements(saved_entry(saved, "poles"));
    loaded->d_sps = pmt::to_long(saved_entry(saved, "sps"));
    const auto weights = weights_from_pmt(saved_entry(saved, "weights"));
    loaded->check_weights(weights);
    loaded->use(weights, loaded->d_sps, pmt::to_double(saved_entry(saved, "input_gain")));
    return loaded;
}

detector::sptr rnn_impl::do_clone() const { return load(do_save()); }

void rnn_impl::do_adopt(const detector& trained)
{
    const auto& other = dynamic_cast<const rnn_impl&>(trained);
    check_weights(other.d_trained);
    d_report.delay = d_parameters.delay; // that do_reset, in use, holds back
    use(other.d_trained, other.d_sps, other.d_window->gain());
}

} // namespace reservoir
} // namespace gr
