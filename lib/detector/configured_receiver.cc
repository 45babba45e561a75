/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured_receiver.h"

#include <gnuradio/gr_complex.h>
#include <gnuradio/reservoir/kernel/carrier_offset.h>
#include <gnuradio/reservoir/kernel/constellation_warp.h>
#include <gnuradio/reservoir/kernel/model_prior.h>
#include <gnuradio/reservoir/kernel/receiver_saturation.h>
#include <gnuradio/reservoir/kernel/ridge.h>
#include <gnuradio/reservoir/kernel/spectral_factor.h>
#include <gnuradio/reservoir/kernel/survivor_search.h>
#include <gnuradio/reservoir/kernel/takenaka_malmquist.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;
using Eigen::VectorXd;
using kernel::row_range;
using kernel::sample_streams;
typedef std::complex<double> cdouble;

namespace {

constexpr Index WARP_SYMBOLS = 96;    // fewer do not determine the rings' gains
constexpr Index SHORT_TRAINING = 48;  // fewer pilots underestimate the length
constexpr Index LONGEST_STATIC = 1024;
constexpr Index PHASE_WINDOW = 48;    // half width, symbols
constexpr Index LONGEST_MEMORY = 1024;
constexpr Index MARGIN = 24;          // samples around a tracked block's window, for its timing
constexpr double DISCOUNT = 0.8;      // of a memory's prediction error, a block
constexpr double REJECTED_PHASE = 30; // divides the phase noise once a correction did not pay
const std::vector<double> REFIT_PRIORS = { 0.03, 0.3, 3.0, 10.0 };
const std::vector<double> TRACKING_PRIORS = { 0.3, 3.0, 10.0 };

VectorXcd sorted_by_modulus(VectorXcd poles)
{
    std::sort(poles.begin(), poles.end(), [](cdouble a, cdouble b) {
        return std::abs(a) < std::abs(b);
    });
    return poles;
}

sample_streams rotated(const sample_streams& streams, const VectorXd& phase)
{
    VectorXcd turn(phase.size());
    for (Index n = 0; n < phase.size(); n++)
        turn(n) = std::polar(1.0, -phase(n));
    sample_streams out;
    for (const auto& stream : streams)
        out.push_back(stream.cwiseProduct(turn));
    return out;
}

sample_streams cut(const sample_streams& streams, row_range range)
{
    sample_streams out;
    for (const auto& stream : streams)
        out.push_back(stream.segment(range.first, range.size()));
    return out;
}

// Rows of which every symbol and every sample is there.
row_range model_rows(row_range range, kernel::channel_window window)
{
    return { std::max<Index>(range.first + window.length - 1, window.timing), range.last };
}

struct prediction {
    kernel::channel_estimate channel;
    MatrixXcd residual; // of the rows that were predicted
};

// The channel fitted on rows range, tested on rows test.
prediction predict(const sample_streams& streams,
                   const VectorXcd& symbols,
                   row_range range,
                   const VectorXd& weights,
                   kernel::channel_window window,
                   row_range test)
{
    const sample_streams shifted = kernel::delayed(streams, window.timing);
    prediction found;
    found.channel = kernel::estimate_channel(
        shifted, symbols, model_rows(range, window), weights, window.length);
    found.residual = -kernel::lagged(symbols, test, window.length) * found.channel.taps;
    for (size_t q = 0; q < streams.size(); q++)
        found.residual.col(q) += shifted[q].segment(test.first, test.size());
    return found;
}

double median(std::vector<int> values)
{
    std::sort(values.begin(), values.end());
    const size_t half = values.size() / 2;
    return values.size() % 2 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

} // namespace

void known_symbols::set(Index n, cdouble value, int ring)
{
    values(n) = value;
    rings[n] = ring;
}

known_symbols known_symbols::cut(Index first, Index last) const
{
    return { values.segment(first, last - first),
             { rings.begin() + first, rings.begin() + last },
             on_points };
}

VectorXcd known_symbols::warped(const VectorXcd& gains) const
{
    VectorXcd out = values;
    for (Index n = 0; n < out.size(); n++)
        if (rings[n] >= 0)
            out(n) *= gains(rings[n]);
    return out;
}

double configured_frame::prediction_error() const
{
    const double share = readout.window.length / std::max(rows_per_fit, 1.0);
    return residual * (1.0 + share) / std::max(1.0 - share, 0.1);
}

configured_receiver::configured_receiver(const configured_settings& settings)
    : d_settings(settings)
{
    if (settings.points.size() > 0) {
        d_rings = kernel::amplitude_rings(settings.points);
        d_num_rings = 1 + *std::max_element(d_rings.begin(), d_rings.end());
    }
}

known_symbols configured_receiver::known(const std::vector<cdouble>& pilots, Index count) const
{
    known_symbols symbols = { VectorXcd::Zero(count), std::vector<int>(count, -1), true };
    for (size_t n = 0; n < pilots.size(); n++) {
        int ring = -1;
        for (Index m = 0; m < d_settings.points.size(); m++)
            if (std::abs(pilots[n] - d_settings.points(m)) < 1e-3 * std::abs(pilots[n]))
                ring = d_rings[m];
        symbols.set(n, pilots[n], ring);
        symbols.on_points = symbols.on_points && ring >= 0;
    }
    return symbols;
}

void configured_receiver::decide(known_symbols& symbols,
                                 Index first,
                                 const std::vector<int>& found) const
{
    for (size_t i = 0; i < found.size(); i++)
        symbols.set(first + i, d_settings.points(found[i]), d_rings[found[i]]);
}

kernel::channel_window configured_receiver::select_window(const sample_streams& streams,
                                                          const known_symbols& symbols,
                                                          row_range range,
                                                          const VectorXd& weights,
                                                          bool first) const
{
    if (d_settings.channel_len > 0) // half of the symbols at least are left to fit
        return { 0, int(std::min<Index>(d_settings.channel_len, (range.size() + 1) / 2)) };
    kernel::channel_window window =
        kernel::select_channel_window(streams, symbols.values, range, weights);
    if (first && range.size() < SHORT_TRAINING)
        window.length =
            std::min(window.length + 2, std::max<int>(window.length, range.size() / 3));
    return window;
}

configured_receiver::features configured_receiver::make_features(const VectorXcd& poles) const
{
    VectorXcd backward(poles.size() + 1);
    backward << 0.0, poles.conjugate();
    const MatrixXcd anticausal =
        kernel::takenaka_malmquist(sorted_by_modulus(backward), FUTURE + 1);
    if (d_settings.feedback)
        return { anticausal, 0 };
    const MatrixXcd causal = kernel::takenaka_malmquist(sorted_by_modulus(poles), PAST);
    MatrixXcd both = MatrixXcd::Zero(anticausal.rows() + causal.rows(), PAST + 1 + FUTURE);
    both.topRightCorner(anticausal.rows(), FUTURE + 1) = anticausal;
    both.bottomLeftCorner(causal.rows(), PAST) = causal.rowwise().reverse();
    return { both, PAST };
}

configured_readout configured_receiver::configure(const sample_streams& streams,
                                                  const known_symbols& symbols,
                                                  row_range range,
                                                  const VectorXd& weights,
                                                  bool warp,
                                                  const std::vector<double>& prior_weights,
                                                  bool first) const
{
    configured_readout readout;
    readout.window = select_window(streams, symbols, range, weights, first);
    const Index length = readout.window.length;
    const sample_streams shifted = kernel::delayed(streams, readout.window.timing);
    const row_range rows = model_rows(range, readout.window);

    readout.warp = VectorXcd::Ones(d_num_rings);
    readout.warped = false;
    if (warp && symbols.on_points) {
        const kernel::constellation_warp found =
            kernel::fit_constellation_warp(shifted[0],
                                           symbols.values,
                                           symbols.rings,
                                           d_settings.points,
                                           rows,
                                           weights,
                                           length);
        readout.warped = found.used;
        readout.warp = found.gains;
    }
    readout.points = d_settings.points;
    for (Index m = 0; m < readout.points.size(); m++)
        readout.points(m) *= readout.warp(d_rings[m]);
    const VectorXcd sent = symbols.warped(readout.warp);

    const kernel::channel_estimate channel =
        kernel::estimate_channel(shifted, sent, rows, weights, length);
    readout.taps = channel.taps;
    readout.noise_variance = channel.noise_variance;
    const Index num_streams = streams.size();
    const double total = std::max(weights.segment(rows.first, rows.size()).sum(), length + 1.0);
    const double noise = std::max(channel.noise_variance,
                                  1e-4 * channel.taps.squaredNorm() / num_streams) *
                         (1.0 + length / total);
    readout.poles = kernel::spectral_factor_poles(channel.taps, noise);

    const features bank = make_features(readout.poles);
    const Index size = bank.functionals.rows();
    const Index num_feedback = d_settings.feedback ? length - 1 : 0;
    readout.past = bank.past;
    const kernel::model_moments prior =
        kernel::model_gram(bank.functionals, bank.past, channel.taps, noise, num_feedback);

    const row_range used =
        d_settings.feedback ? rows
                            : row_range{ std::max<Index>(range.first, readout.window.timing),
                                         range.last };
    MatrixXcd regressors(used.size(), num_streams * size + num_feedback);
    const MatrixXcd backwards = bank.functionals.rowwise().reverse(); // lags grow into the past
    for (Index q = 0; q < num_streams; q++)
        regressors.middleCols(q * size, size) =
            kernel::lagged(shifted[q], used, backwards.cols(), -FUTURE) * backwards.transpose();
    regressors.rightCols(num_feedback) = kernel::lagged(sent, used, num_feedback, 1);
    const VectorXcd targets = sent.segment(used.first, used.size());
    VectorXd row_weights = weights.segment(used.first, used.size());

    kernel::prior_ridge_result fitted =
        kernel::prior_ridge(regressors, targets, row_weights, prior, prior_weights);
    const auto collapse = [&] {
        readout.fir.resize(bank.functionals.cols(), num_streams);
        for (Index q = 0; q < num_streams; q++)
            readout.fir.col(q) =
                bank.functionals.transpose() * fitted.weights.segment(q * size, size);
    };
    collapse();
    if (!d_settings.feedback) {
        // What came before the first sample is not known: rows count by the inverse of the
        // error variance that this adds.
        const VectorXd tap_power = readout.fir.cwiseAbs2().rowwise().sum();
        for (Index n = used.first; n < used.last; n++) {
            const Index missing = bank.past + readout.window.timing - n;
            if (missing <= 0)
                break;
            row_weights(n - used.first) *= std::max(
                fitted.leave_one_out_mse /
                    (fitted.leave_one_out_mse + tap_power.head(missing).sum() + 1e-30),
                1e-4);
        }
        fitted = kernel::prior_ridge(regressors, targets, row_weights, prior, prior_weights);
        collapse();
    }
    readout.feedback = fitted.weights.tail(num_feedback);
    readout.gain = kernel::centroid_gain(fitted.leave_one_out, targets, row_weights);
    readout.leave_one_out_mse = fitted.leave_one_out_mse;
    readout.prior_weight = fitted.prior_weight;
    readout.condition_number = fitted.condition_number;
    return readout;
}

configured_readout configured_receiver::configure_fixed(const sample_streams& streams,
                                                        const known_symbols& symbols,
                                                        row_range range) const
{
    VectorXcd backward(d_settings.anticausal_poles.size() + 1);
    backward << 0.0, d_settings.anticausal_poles;
    const MatrixXcd anticausal =
        kernel::takenaka_malmquist(sorted_by_modulus(backward), FUTURE + 1);
    const MatrixXcd causal =
        kernel::takenaka_malmquist(sorted_by_modulus(d_settings.causal_poles), PAST);
    const Index size = anticausal.rows() + causal.rows();
    MatrixXcd functionals = MatrixXcd::Zero(size, PAST + 1 + FUTURE);
    functionals.topRightCorner(anticausal.rows(), FUTURE + 1) = anticausal;
    functionals.bottomLeftCorner(causal.rows(), PAST) = causal.rowwise().reverse();

    const Index num_streams = streams.size();
    MatrixXcd regressors(range.size(), num_streams * size);
    for (Index q = 0; q < num_streams; q++)
        regressors.middleCols(q * size, size) =
            kernel::lagged(streams[q], range, functionals.cols(), -FUTURE) *
            functionals.rowwise().reverse().transpose();
    const VectorXcd targets = symbols.values.segment(range.first, range.size());
    const kernel::ridge_result fitted = kernel::ridge(regressors).solve(targets, -1.0);

    configured_readout readout;
    readout.window = { 0, 1 };
    readout.past = PAST;
    readout.fir.resize(functionals.cols(), num_streams);
    for (Index q = 0; q < num_streams; q++)
        readout.fir.col(q) =
            functionals.transpose() * fitted.weights.col(0).segment(q * size, size);
    readout.gain = kernel::centroid_gain(
        fitted.leave_one_out.col(0), targets, VectorXd::Ones(range.size()));
    readout.warp = VectorXcd::Ones(d_num_rings);
    readout.warped = false;
    readout.points = d_settings.points;
    readout.poles.resize(d_settings.causal_poles.size() + d_settings.anticausal_poles.size());
    readout.poles << d_settings.causal_poles, d_settings.anticausal_poles;
    readout.noise_variance = std::numeric_limits<double>::quiet_NaN();
    readout.leave_one_out_mse = fitted.leave_one_out_mse;
    readout.prior_weight = fitted.regularization;
    readout.condition_number = std::numeric_limits<double>::quiet_NaN();
    return readout;
}

// Without feedback nothing needs the warped symbols: the readout learns the nominal ones.
bool configured_receiver::warps(row_range range) const
{
    return d_settings.feedback && multilevel() && range.size() >= WARP_SYMBOLS;
}

configured_readout configured_receiver::fit(const sample_streams& streams,
                                            const std::vector<cdouble>& pilots) const
{
    const known_symbols symbols = known(pilots, streams[0].size());
    const row_range range = { 0, Index(pilots.size()) };
    if (d_settings.fixed_poles())
        return configure_fixed(streams, symbols, range);
    const VectorXd weights = VectorXd::Ones(streams[0].size());
    return configure(streams,
                     symbols,
                     range,
                     weights,
                     warps(range),
                     { d_settings.prior_weight },
                     true);
}

double configured_receiver::find_offset(const sample_streams& streams,
                                        const std::vector<cdouble>& pilots) const
{
    return carrier_offset(streams, known(pilots, streams[0].size()), pilots.size()).frequency;
}

VectorXcd configured_receiver::feedforward(const configured_readout& readout,
                                           const sample_streams& streams,
                                           row_range range) const
{
    VectorXcd out = VectorXcd::Zero(range.size());
    for (size_t q = 0; q < streams.size(); q++) {
        const Index size = streams[q].size();
        for (Index w = 0; w < readout.fir.rows(); w++) {
            // r[n + ahead]
            const Index ahead = w - readout.past - readout.window.timing;
            const Index first = std::max(range.first, -ahead);
            const Index last = std::min(range.last, size - ahead);
            if (first < last)
                out.segment(first - range.first, last - first) +=
                    readout.fir(w, q) * streams[q].segment(first + ahead, last - first);
        }
    }
    return out;
}

configured_receiver::loop_gains configured_receiver::phase_loop(double leave_one_out_mse,
                                                                double phase_noise) const
{
    // steady state of the Kalman filter for a random walk of the phase
    const double alpha =
        std::min(std::sqrt(phase_noise / std::max(leave_one_out_mse / 2, 1e-6)), 0.05);
    return { alpha, alpha * alpha / 8 };
}

configured_receiver::search_result configured_receiver::search(const configured_readout& readout,
                                                               const sample_streams& streams,
                                                               const known_symbols& symbols,
                                                               row_range range,
                                                               double phase_noise) const
{
    const Eigen::VectorXcf input = feedforward(readout, streams, range).cast<gr_complex>();
    kernel::survivor_model model;
    for (const auto& weight : readout.feedback)
        model.feedback.emplace_back(weight);
    for (const auto& point : readout.points) {
        model.points.emplace_back(point);
        model.centroids.emplace_back(readout.gain * point);
    }
    // without feedback a survivor has nothing to remember but its phase
    model.survivors = d_settings.feedback ? d_settings.survivors : 1;
    const loop_gains loop = phase_loop(readout.leave_one_out_mse, phase_noise);
    model.alpha = loop.alpha;
    model.beta = loop.beta;
    model.power = input.squaredNorm() / std::max<Index>(input.size(), 1) + 1e-9f;

    const VectorXcd sent = symbols.warped(readout.warp);
    std::vector<gr_complex> past;
    for (Index j = 1; j <= readout.feedback.size(); j++)
        past.emplace_back(range.first >= j ? sent(range.first - j) : 0.0);
    kernel::survivor_search survivors(model);
    survivors.start(past.data());
    const kernel::survivor_decisions found =
        kernel::decide_frame(survivors, input.data(), input.size());
    return { found.symbols, found.phases, found.theta, found.nu };
}

kernel::carrier_offset configured_receiver::carrier_offset(const sample_streams& streams,
                                                           const known_symbols& symbols,
                                                           Index num_pilots) const
{
    if (!(d_settings.max_frequency_offset > 0.0))
        return { 0.0, false };
    const row_range range = { 0, num_pilots };
    const VectorXd weights = VectorXd::Ones(streams[0].size());
    return kernel::find_carrier_offset(streams,
                                       symbols.values,
                                       range,
                                       select_window(streams, symbols, range, weights, false),
                                       d_settings.max_frequency_offset);
}

sample_streams configured_receiver::derotated(const sample_streams& streams,
                                              double frequency) const
{
    sample_streams out;
    for (size_t q = 0; q < streams.size(); q++) {
        const double fraction = double(q % d_settings.phases) / d_settings.phases;
        VectorXcd turned = streams[q];
        for (Index n = 0; n < turned.size(); n++)
            turned(n) *= std::polar(1.0, -2.0 * M_PI * frequency * (n + fraction));
        out.push_back(turned);
    }
    return out;
}

configured_frame configured_receiver::receive_block(const sample_streams& raw,
                                                    const known_symbols& pilots,
                                                    Index num_pilots,
                                                    Index payload_len) const
{
    const Index count = raw[0].size();
    const Index end = num_pilots + payload_len;
    const row_range payload = { num_pilots, end };
    const double streams = raw.size();
    const VectorXd weights = VectorXd::Ones(count);
    const VectorXd no_phase = VectorXd::Zero(count);

    known_symbols symbols = pilots, kept_symbols;
    row_range range = { 0, num_pilots };
    VectorXd phase = no_phase;
    double phase_noise = d_settings.phase_noise;
    configured_frame frame;
    sample_streams kept_streams;
    configured_readout kept_readout;

    for (int pass = 0; pass <= d_settings.refits; pass++) {
        const sample_streams turned = rotated(raw, phase);
        const bool warp = warps(range);
        const std::vector<double> priors =
            pass == 0 ? std::vector<double>{ d_settings.prior_weight } : REFIT_PRIORS;
        sample_streams input = turned;
        bool linearised = false;
        if (d_settings.receiver_linearization && multilevel() && raw.size() == 1) {
            const kernel::channel_window window =
                select_window(turned, symbols, range, weights, false);
            const kernel::linearised_receiver found = kernel::linearise_receiver(
                kernel::delayed(turned[0], window.timing),
                symbols.values,
                model_rows(range, window),
                window.length);
            linearised = found.used;
            if (linearised)
                input[0] = kernel::delayed(found.samples, -window.timing);
        }
        configured_readout readout =
            configure(input, symbols, range, weights, warp, priors, pass == 0);
        if (linearised && warp) { // which end of the link is it that saturates?
            const configured_readout other =
                configure(turned, symbols, range, weights, warp, priors, pass == 0);
            if (other.leave_one_out_mse < readout.leave_one_out_mse) {
                readout = other;
                input = turned;
            }
        }
        frame.linearised = linearised;

        const search_result found = search(readout, input, symbols, payload, phase_noise);
        decide(symbols, num_pilots, found.symbols);
        range.last = end;
        const row_range rows = model_rows(range, readout.window);
        const VectorXcd sent = symbols.warped(readout.warp);
        const auto residual = [&](const VectorXd& correction, Index last) {
            return kernel::forward_residual(
                kernel::delayed(rotated(raw, correction), readout.window.timing),
                sent,
                { rows.first, last },
                readout.window.length);
        };

        double score = residual(no_phase, end);
        if (pass == 0) {
            const double used = num_pilots - rows.first;
            frame.pilot_residual = residual(no_phase, num_pilots) * used /
                                   std::max(used - readout.window.length, 1.0);
            frame.first_length = readout.window.length;
        }
        if (phase_noise > 0.0 && payload_len > 0) {
            VectorXd corrected = phase;
            for (Index n = num_pilots; n < count; n++)
                corrected(n) += found.phases[std::min(n, end - 1) - num_pilots];
            const sample_streams model = kernel::delayed(
                kernel::channel_output(sent, readout.taps), -readout.window.timing);
            corrected.head(end) +=
                kernel::smoothed_phase(rotated(raw, corrected), model, range, PHASE_WINDOW);
            corrected.tail(count - end).setConstant(corrected(end - 1));
            const double turned_score = residual(corrected, end);
            const double penalty = 0.5 / PHASE_WINDOW * std::log(double(end)) / streams;
            if (std::log(turned_score) + penalty < std::log(score)) {
                phase = corrected;
                phase_noise = d_settings.phase_noise;
                score = turned_score * std::exp(penalty);
            } else {
                phase = no_phase;
                phase_noise = d_settings.phase_noise / REJECTED_PHASE;
            }
        }
        frame.residuals.push_back(score);
        frame.condition_numbers.push_back(readout.condition_number);
        frame.readout = readout;
        if (pass == 0 || score < frame.residual) {
            frame.residual = score;
            frame.kept_pass = pass;
            frame.decisions = found.symbols;
            kept_symbols = symbols;
            kept_readout = readout;
            kept_streams = linearised ? input : rotated(raw, phase);
        }
    }
    frame.rows_per_fit = end;
    if (d_settings.feedback) {
        soften(frame, kept_streams, kept_symbols, kept_readout, end);
        keep_decisions(frame, num_pilots);
    } else {
        frame.soft = feedforward(kept_readout, kept_streams, range) / kept_readout.gain;
        frame.soft_variance = kept_readout.leave_one_out_mse / std::norm(kept_readout.gain);
    }
    return frame;
}

// z[n] = x[n] + sum_l conj(h_l) e[n+l] / ||h||²: what a matched filter makes of the residual.
void configured_receiver::soften(configured_frame& frame,
                                 const sample_streams& streams,
                                 const known_symbols& symbols,
                                 const configured_readout& readout,
                                 Index num_symbols) const
{
    const Index length = readout.window.length;
    const row_range rows = model_rows({ 0, num_symbols }, readout.window);
    const kernel::channel_estimate channel =
        kernel::estimate_channel(kernel::delayed(streams, readout.window.timing),
                                 symbols.warped(readout.warp),
                                 rows,
                                 VectorXd::Ones(num_symbols),
                                 length);
    const double energy = std::max(channel.taps.squaredNorm(), 1e-12);
    frame.soft = symbols.values.head(num_symbols);
    for (Index n = rows.first; n + length <= num_symbols; n++)
        frame.soft(n) += (channel.taps.conjugate().array() *
                          channel.residual.middleRows(n - rows.first, length).array())
                             .sum() /
                         energy;
    frame.soft_variance = channel.noise_variance / energy;
}

// Where slicing would not give the decision (only an exhaustive search ensures that), the
// decision itself is the output.
void configured_receiver::keep_decisions(configured_frame& frame, Index num_pilots) const
{
    for (size_t i = 0; i < frame.decisions.size(); i++) {
        auto& soft = frame.soft(num_pilots + i);
        Index nearest;
        (d_settings.points.array() - soft).abs2().minCoeff(&nearest);
        if (nearest != frame.decisions[i])
            soft = d_settings.points(frame.decisions[i]);
    }
}

configured_frame configured_receiver::receive_static(const sample_streams& raw,
                                                     const known_symbols& pilots,
                                                     Index num_pilots,
                                                     Index payload_len) const
{
    configured_frame frame = receive_block(raw, pilots, num_pilots, payload_len);
    // Whether it is significant says little: few pilots barely show an offset that turns the
    // payload by a quarter, and a slip by a quarter then explains the samples as well as before.
    const double offset = carrier_offset(raw, pilots, num_pilots).frequency;
    if (offset == 0.0)
        return frame;
    configured_frame other =
        receive_block(derotated(raw, offset), pilots, num_pilots, payload_len);
    other.carrier_offset = offset;
    return other.residual < frame.residual ? other : frame;
}

configured_frame configured_receiver::track(const sample_streams& given,
                                            const known_symbols& pilots,
                                            Index num_pilots,
                                            Index payload_len,
                                            Index block,
                                            const std::vector<double>& memories) const
{
    const Index count = given[0].size();
    const Index end = num_pilots + payload_len;
    const double phase_noise = d_settings.phase_noise;
    configured_frame frame;
    frame.tracked = true;
    const kernel::carrier_offset offset = carrier_offset(given, pilots, num_pilots);
    frame.carrier_offset = offset.significant ? offset.frequency : 0.0;
    const sample_streams raw =
        frame.carrier_offset != 0.0 ? derotated(given, frame.carrier_offset) : given;
    const int num_memories = memories.size();
    const bool warp = multilevel();

    known_symbols symbols = pilots;
    VectorXd phase = VectorXd::Zero(count);
    double theta = 0.0, nu = 0.0;
    std::vector<double> scores(num_memories);
    for (int k = 0; k < num_memories; k++)
        scores[k] = 1e-9 * (num_memories - 1 - k);
    int memory = num_memories - 1;
    std::vector<int> history;
    // all that a block's window may need
    const auto around = [&](Index first, Index last) {
        return row_range{ std::max<Index>(first - MARGIN, 0),
                          std::min(last + FUTURE + MARGIN, count) };
    };
    const auto turned = [&](row_range part, const VectorXd& by) {
        return rotated(cut(raw, part), by.segment(part.first, part.size()));
    };

    for (Index first = num_pilots; first < end; first += block) {
        const Index last = std::min(first + block, end);
        const Index window = std::min<double>(
            LONGEST_MEMORY, std::max(4.0 * memories[memory], 256.0));
        const Index start = std::max<Index>(0, first - window);
        const row_range part = around(start, last);
        for (Index n = first; n < part.last; n++)
            phase(n) = theta + nu * (n - first);
        const row_range past = { start - part.first, first - part.first };
        const row_range now = { first - part.first, last - part.first };
        const auto forgetting = [&](double symbols_kept, double negligible) {
            VectorXd weights = VectorXd::Zero(part.size());
            for (Index n = past.first; n < past.last; n++) {
                const double weight = std::exp(-(past.last - 1 - n) / symbols_kept);
                weights(n) = weight < negligible ? 0.0 : weight;
            }
            return weights;
        };
        const sample_streams streams = turned(part, phase);
        const known_symbols before = symbols.cut(part.first, part.last);
        frame.readout = configure(
            streams,
            before,
            past,
            forgetting(memories[memory], 0.02),
            warp,
            first == num_pilots ? std::vector<double>{ d_settings.prior_weight }
                                : TRACKING_PRIORS,
            false);
        if (first == num_pilots) {
            frame.pilot_residual = frame.readout.noise_variance;
            frame.first_length = frame.readout.window.length;
        }
        const search_result found = search(frame.readout, streams, before, now, phase_noise);
        decide(symbols, first, found.symbols);
        if (phase_noise > 0.0) {
            for (Index n = first; n < last; n++)
                phase(n) += found.phases[n - first];
            theta = phase(last - 1);
            nu += found.nu;
        }
        // every memory is judged by what it would have predicted of this block
        const sample_streams decided = turned(part, phase);
        const VectorXcd sent =
            symbols.cut(part.first, part.last).warped(frame.readout.warp);
        for (int k = 0; k < num_memories; k++)
            scores[k] = DISCOUNT * scores[k] + predict(decided,
                                                       sent,
                                                       past,
                                                       forgetting(memories[k], 0.0),
                                                       frame.readout.window,
                                                       now)
                                                   .residual.squaredNorm();
        memory = std::min_element(scores.begin(), scores.end()) - scores.begin();
        history.push_back(memory);
    }
    frame.memory = memories[std::lrint(median(history))];

    // smoothing: decisions of both sides; the last round only scores
    std::vector<int> decisions[2];
    VectorXcd soft[2];
    double soft_variance[2];
    for (int round = 0; round < 2; round++) {
        known_symbols next = symbols;
        VectorXd next_phase = phase;
        double score = 0.0;
        soft[round] = symbols.values.head(end);
        MatrixXcd residual = MatrixXcd::Zero(end, raw.size());
        std::vector<MatrixXcd> taps;
        double noise = 0.0;
        for (Index first = num_pilots; first < end; first += block) {
            const Index last = std::min(first + block, end);
            const Index window = std::min<double>(LONGEST_MEMORY / 2, 4.0 * frame.memory);
            const Index start = std::max<Index>(0, first - window);
            const Index stop = std::min(end, last + window);
            const row_range part = around(start, stop);
            const row_range range = { start - part.first, stop - part.first };
            const row_range now = { first - part.first, last - part.first };
            VectorXd weights = VectorXd::Zero(part.size());
            for (Index n = range.first; n < range.last; n++) {
                const Index distance =
                    std::max<Index>({ now.first - n, n - now.last + 1, 0 });
                const double weight = std::exp(-distance / frame.memory);
                weights(n) = weight < 0.02 ? 0.0 : weight;
            }
            const sample_streams streams = turned(part, phase);
            const known_symbols around_it = symbols.cut(part.first, part.last);
            frame.readout =
                configure(streams, around_it, range, weights, warp, TRACKING_PRIORS, false);
            const prediction predicted = predict(streams,
                                                 around_it.warped(frame.readout.warp),
                                                 range,
                                                 weights,
                                                 frame.readout.window,
                                                 now);
            score += predicted.residual.squaredNorm();
            residual.middleRows(first, last - first) = predicted.residual;
            taps.push_back(predicted.channel.taps);
            noise += predicted.channel.noise_variance /
                     std::max(predicted.channel.taps.squaredNorm(), 1e-12);
            if (round == 1)
                continue;
            const known_symbols updated = next.cut(part.first, part.last);
            const search_result found =
                search(frame.readout, streams, updated, now, phase_noise);
            decide(next, first, found.symbols);
            if (phase_noise > 0.0)
                for (Index n = first; n < last; n++)
                    next_phase(n) += found.phases[n - first];
        }
        for (Index n = num_pilots; n < end; n++) {
            const MatrixXcd& channel = taps[(n - num_pilots) / block];
            if (n + channel.rows() <= end)
                soft[round](n) += (channel.conjugate().array() *
                                   residual.middleRows(n, channel.rows()).array())
                                      .sum() /
                                  std::max(channel.squaredNorm(), 1e-12);
        }
        soft_variance[round] = noise / std::max<size_t>(taps.size(), 1);
        frame.residuals.push_back(score / (raw.size() * payload_len));
        for (Index n = num_pilots; n < end; n++) {
            Index point;
            (d_settings.points.array() - symbols.values(n)).abs2().minCoeff(&point);
            decisions[round].push_back(point);
        }
        symbols = next;
        phase = next_phase;
    }
    frame.kept_pass = frame.residuals[1] < frame.residuals[0];
    frame.residual = frame.residuals[frame.kept_pass];
    frame.decisions = decisions[frame.kept_pass];
    frame.soft = soft[frame.kept_pass];
    frame.soft_variance = soft_variance[frame.kept_pass];
    frame.rows_per_fit = 2.0 * std::min(frame.memory, LONGEST_MEMORY / 2.0) + block;
    keep_decisions(frame, num_pilots);
    return frame;
}

configured_frame configured_receiver::receive_tracked(const sample_streams& raw,
                                                      const known_symbols& pilots,
                                                      Index num_pilots,
                                                      Index payload_len) const
{
    const double unlimited = 1e9;
    configured_frame frame = track(
        raw, pilots, num_pilots, payload_len, 32, { 48.0, 96.0, 192.0, 384.0, unlimited });
    if (frame.memory > 48.0 && frame.residual <= 1.5 * frame.pilot_residual)
        return frame;
    const configured_frame faster =
        track(raw,
              pilots,
              num_pilots,
              payload_len,
              16,
              { 16.0, 24.0, 48.0, 96.0, 192.0, unlimited });
    return faster.prediction_error() < frame.prediction_error() ? faster : frame;
}

configured_frame configured_receiver::receive(const sample_streams& streams,
                                              const std::vector<cdouble>& pilots,
                                              Index payload_len) const
{
    const Index num_pilots = pilots.size();
    const known_symbols symbols = known(pilots, streams[0].size());
    const bool may_track = d_settings.feedback && payload_len > 0;
    if (may_track && (d_settings.tracking == tracking_mode::on ||
                      (d_settings.tracking == tracking_mode::automatic &&
                       payload_len > LONGEST_STATIC)))
        return receive_tracked(streams, symbols, num_pilots, payload_len);
    const configured_frame frame = receive_static(streams, symbols, num_pilots, payload_len);
    if (!may_track || d_settings.tracking == tracking_mode::off || frame.linearised)
        return frame;
    const double freedom =
        std::max<double>(num_pilots - frame.first_length, 1.0) * d_settings.phases;
    if (!(frame.residual > frame.pilot_residual * std::max(1.5, 1.0 + 3.0 / std::sqrt(freedom))))
        return frame;
    const configured_frame tracked =
        receive_tracked(streams, symbols, num_pilots, payload_len);
    return tracked.prediction_error() < frame.prediction_error() ? tracked : frame;
}

} // namespace reservoir
} // namespace gr
