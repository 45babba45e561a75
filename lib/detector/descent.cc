/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/descent.h"

#include "check.h"
#include <gnuradio/reservoir/kernel/dense_recurrence.h>
#include <gnuradio/reservoir/kernel/singular_values.h>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace gr {
namespace reservoir {

namespace {

constexpr double NONE = training_report::NONE;
constexpr size_t LARGEST_JACOBIAN = size_t(1) << 27; // elements, 1 GiB

bool due(int epoch, int every) { return every > 0 && epoch % every == 0; }

void check_jacobian(const kernel::network_weights<float>& weights,
                    const training_sequence& sequence,
                    int condition_every)
{
    const size_t rows = 2 * sequence.targets.size();
    const size_t columns = 2 * (weights.recurrent.size() + weights.input.size() +
                                weights.readout.size() + weights.skip.size());
    require(condition_every == 0 || rows * columns <= LARGEST_JACOBIAN,
            "condition_every",
            condition_every,
            "0 with so many weights and pilots");
}

// The condition numbers of one epoch, in double precision.
void record_conditions(const kernel::bptt_network<float>& network,
                       kernel::activation activation,
                       const training_sequence& sequence,
                       bool by_recurrent,
                       training_report& history)
{
    kernel::bptt_network<double> fine(network.weights().cast<double>(), activation);
    fine.set_sequence(sequence.inputs.cast<std::complex<double>>(),
                      sequence.targets.cast<std::complex<double>>(),
                      { sequence.trained.begin(), sequence.trained.end() });
    fine.forward();
    const auto states = kernel::condition_of(kernel::singular_values(fine.states()));
    const auto recurrent =
        kernel::condition_of(kernel::singular_values(fine.weights().recurrent));
    const auto jacobian =
        kernel::condition_of(kernel::singular_values(fine.jacobian(by_recurrent)));
    history.condition_number.back() = jacobian.ratio * jacobian.ratio;
    history.jacobian_rank.back() = jacobian.rank;
    history.recurrent_condition_number.back() = recurrent.ratio;
    history.gram_condition_number.back() = states.ratio * states.ratio;
}

double norm_of(const std::vector<float>& values, size_t first)
{
    double power = 0.0;
    for (size_t k = first; k < values.size(); k++)
        power += double(values[k]) * values[k];
    return std::sqrt(power);
}

// NaN where they do not converge: a long training is not lost for that.
std::vector<gr_complex> eigenvalues(const kernel::network_weights<float>& weights)
{
    try {
        const Eigen::VectorXcf values = kernel::eigenvalues(weights.recurrent);
        return { values.begin(), values.end() };
    } catch (const std::runtime_error&) {
        return std::vector<gr_complex>(weights.recurrent.rows(), gr_complex(NONE, NONE));
    }
}

// One more entry of every figure; condition numbers are not known yet.
void record_epoch(const training_progress& progress,
                  const std::vector<gr_complex>& unknown,
                  training_report& history)
{
    history.loss.push_back(progress.loss);
    history.held_out_loss.push_back(progress.held_out_loss);
    history.gradient_norm.push_back(progress.gradient_norm);
    history.eigenvalues.push_back(progress.eigenvalues.empty() ? unknown
                                                               : progress.eigenvalues);
    history.condition_number.push_back(NONE);
    history.recurrent_condition_number.push_back(NONE);
    history.gram_condition_number.push_back(NONE);
    history.jacobian_rank.push_back(0);
}

// longest 0: any length
void clip(std::vector<float>& gradient, double norm, double longest)
{
    if (!(longest > 0.0 && norm > longest))
        return;
    const float scale = longest / norm;
    for (auto& value : gradient)
        value *= scale;
}

} // namespace

trained_network descend(const kernel::network_weights<float>& start,
                        kernel::activation activation,
                        const training_sequence& sequence,
                        const descent_parameters& parameters,
                        const std::function<bool(const training_progress&)>& go_on)
{
    check_jacobian(start, sequence, parameters.condition_every);
    kernel::bptt_network<float> network(start, activation);
    network.set_sequence(sequence.inputs, sequence.targets, sequence.trained);
    kernel::optimizer<float> optimizer(
        parameters.optimizer, parameters.learning_rate, parameters.momentum);
    const size_t first = parameters.train_poles ? 0 : network.recurrent_size();
    const bool holds_out = !sequence.held_out.empty();
    const auto held_out_loss = [&]() {
        return holds_out ? network.loss(sequence.held_out) : NONE;
    };

    trained_network result;
    training_report& history = result.history;
    const std::vector<gr_complex> unknown(network.num_neurons(), gr_complex(NONE, NONE));
    std::vector<gr_complex> fixed_eigenvalues;
    std::vector<float> finite = network.parameters(), best = finite;
    double best_loss = std::numeric_limits<double>::infinity();
    int best_epoch = 0, epoch = 0;
    bool going = true;
    for (; epoch < parameters.epochs && going; epoch++) {
        training_progress progress;
        progress.epoch = epoch;
        progress.epochs = parameters.epochs;
        progress.loss = network.forward();
        progress.held_out_loss = held_out_loss();
        network.backward(parameters.train_poles);
        progress.gradient_norm = norm_of(network.gradient(), first);
        if (!std::isfinite(progress.loss) || !std::isfinite(progress.gradient_norm)) {
            history.diverged = true;
            break;
        }
        finite = network.parameters();

        if (due(epoch, parameters.eigenvalues_every)) {
            if (parameters.train_poles || fixed_eigenvalues.empty())
                fixed_eigenvalues = eigenvalues(network.weights());
            progress.eigenvalues = fixed_eigenvalues;
        }
        record_epoch(progress, unknown, history);
        if (due(epoch, parameters.condition_every))
            record_conditions(
                network, activation, sequence, parameters.train_poles, history);
        progress.condition_number = history.condition_number.back();

        going = go_on(progress);
        history.cancelled = !going;
        if (parameters.patience > 0 && holds_out) {
            if (progress.held_out_loss < best_loss) {
                best_loss = progress.held_out_loss;
                best_epoch = epoch;
                best = network.parameters();
            } else if (epoch - best_epoch >= parameters.patience) {
                break;
            }
        }
        clip(network.gradient(), progress.gradient_norm, parameters.gradient_clip);
        optimizer.step(network.parameters().data() + first,
                       network.gradient().data() + first,
                       network.parameters().size() - first);
    }

    result.loss = network.forward();
    history.best_epoch = epoch;
    if (!std::isfinite(result.loss)) { // the last step, too, may have been too long
        history.diverged = true;
        history.best_epoch = std::max<int>(0, history.loss.size() - 1);
        network.parameters() = finite;
        result.loss = network.forward();
    }
    result.held_out_loss = held_out_loss();
    if (std::isfinite(best_loss) && !(result.held_out_loss <= best_loss)) {
        history.best_epoch = best_epoch;
        network.parameters() = best;
        result.loss = network.forward();
        result.held_out_loss = held_out_loss();
    }
    result.weights = network.weights();
    result.outputs = network.outputs();
    history.poles = eigenvalues(result.weights);
    return result;
}

} // namespace reservoir
} // namespace gr
