/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/network.h"

#include "kernel/split_matrix.h"
#include <gnuradio/gr_complex.h>
#include <gnuradio/reservoir/kernel/constellation_warp.h>
#include <gnuradio/reservoir/kernel/model_prior.h>
#include <gnuradio/reservoir/kernel/oscillator.h>
#include <gnuradio/reservoir/kernel/ridge.h>
#include <gnuradio/reservoir/kernel/spectral_factor.h>
#include <gnuradio/reservoir/kernel/takenaka_malmquist.h>
#include <algorithm>
#include <cmath>
#include <limits>

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

constexpr Index WARP_SYMBOLS = 96;   // fewer do not determine the rings' gains
constexpr Index SHORT_TRAINING = 48; // fewer pilots underestimate the length

VectorXcd sorted_by_modulus(VectorXcd poles)
{
    std::sort(poles.begin(), poles.end(), [](cdouble a, cdouble b) {
        return std::abs(a) < std::abs(b);
    });
    return poles;
}

} // namespace

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

row_range model_rows(row_range range, kernel::channel_window window)
{
    return { std::max<Index>(range.first + window.length - 1, window.timing),
             range.last };
}

void known_symbols::set(Index n, cdouble value, int ring)
{
    values(n) = value;
    rings[n] = ring;
}

void known_symbols::resize(Index size)
{
    values.conservativeResizeLike(VectorXcd::Zero(size));
    rings.resize(size, -1);
}

known_symbols known_symbols::cut(Index first, Index last) const
{
    return { values.segment(first, last - first),
             { rings.begin() + first, rings.begin() + last },
             on_points,
             decided };
}

VectorXcd known_symbols::warped(const VectorXcd& gains) const
{
    VectorXcd out = values;
    for (Index n = 0; n < out.size(); n++)
        if (rings[n] >= 0)
            out(n) *= gains(rings[n]);
    return out;
}

configured_network::configured_network(const configured_settings& settings)
    : d_settings(settings)
{
    if (settings.points.size() > 0) {
        d_rings = kernel::amplitude_rings(settings.points);
        d_num_rings = 1 + *std::max_element(d_rings.begin(), d_rings.end());
    }
}

known_symbols configured_network::known(const std::vector<cdouble>& pilots,
                                        Index count) const
{
    known_symbols symbols = { VectorXcd::Zero(count), std::vector<int>(count, -1) };
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

void configured_network::decide(known_symbols& symbols,
                                row_range range,
                                const std::vector<int>& found) const
{
    for (Index n = range.first; n < range.last; n++) {
        const int point = found[n - range.first];
        symbols.set(n, d_settings.points(point), d_rings[point]);
    }
    symbols.decided = true;
}

int configured_network::nearest(cdouble symbol) const
{
    Index point;
    (d_settings.points.array() - symbol).abs2().minCoeff(&point);
    return point;
}

kernel::channel_window configured_network::select_window(const sample_streams& streams,
                                                         const known_symbols& symbols,
                                                         row_range range,
                                                         const VectorXd& weights,
                                                         bool first) const
{
    if (d_settings.channel_len > 0) // half of the symbols at least are left to fit
        return { 0,
                 int(std::min<Index>(d_settings.channel_len, (range.size() + 1) / 2)) };
    kernel::channel_window window =
        kernel::select_channel_window(streams, symbols.values, range, weights);
    if (first && range.size() < SHORT_TRAINING)
        window.length =
            std::min(window.length + 2, std::max<int>(window.length, range.size() / 3));
    return window;
}

configured_network::features
configured_network::make_features(const VectorXcd& poles) const
{
    VectorXcd backward(poles.size() + 1);
    backward << 0.0, poles.conjugate();
    const MatrixXcd anticausal =
        kernel::takenaka_malmquist(sorted_by_modulus(backward), FUTURE + 1);
    if (d_settings.feedback)
        return { anticausal, 0 };
    const MatrixXcd causal = kernel::takenaka_malmquist(sorted_by_modulus(poles), PAST);
    MatrixXcd both =
        MatrixXcd::Zero(anticausal.rows() + causal.rows(), PAST + 1 + FUTURE);
    both.topRightCorner(anticausal.rows(), FUTURE + 1) = anticausal;
    both.bottomLeftCorner(causal.rows(), PAST) = causal.rowwise().reverse();
    return { both, PAST };
}

configured_readout configured_network::configure(const sample_streams& streams,
                                                 const known_symbols& symbols,
                                                 row_range range,
                                                 const VectorXd& weights,
                                                 bool warp,
                                                 const std::vector<double>& prior_weights,
                                                 bool first) const
{
    configured_readout readout;
    const bool told = !symbols.decided && d_settings.channel.rows() > 0 &&
                      d_settings.channel.rows() < range.size();
    readout.window = told ? kernel::channel_window{ 0, int(d_settings.channel.rows()) }
                          : select_window(streams, symbols, range, weights, first);
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
        told ? kernel::scale_channel(shifted, sent, rows, weights, d_settings.channel)
             : kernel::estimate_channel(shifted, sent, rows, weights, length);
    readout.taps = channel.taps;
    readout.noise_variance = channel.noise_variance;
    const Index num_streams = streams.size();
    const double total =
        std::max(weights.segment(rows.first, rows.size()).sum(), length + 1.0);
    const double unknowns = told ? 1.0 : length;
    const double noise = std::max(channel.noise_variance,
                                  1e-4 * channel.taps.squaredNorm() / num_streams) *
                         (1.0 + unknowns / total);
    readout.poles = kernel::spectral_factor_poles(channel.taps, noise);

    const features bank = make_features(readout.poles);
    const Index size = bank.functionals.rows();
    const Index num_feedback = d_settings.feedback ? length - 1 : 0;
    readout.past = bank.past;
    const kernel::model_moments prior = kernel::model_gram(
        bank.functionals, bank.past, channel.taps, noise, num_feedback);

    const row_range used =
        d_settings.feedback
            ? rows
            : row_range{ std::max<Index>(range.first, readout.window.timing),
                         range.last };
    MatrixXcd regressors(used.size(), num_streams * size + num_feedback);
    for (Index q = 0; q < num_streams; q++)
        regressors.middleCols(q * size, size) = kernel::filter_bank(
            shifted[q], used.first - bank.past, used.size(), bank.functionals);
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
        fitted =
            kernel::prior_ridge(regressors, targets, row_weights, prior, prior_weights);
        collapse();
    }
    readout.feedback = fitted.weights.tail(num_feedback);
    readout.gain = kernel::centroid_gain(fitted.leave_one_out, targets, row_weights);
    readout.leave_one_out_mse = fitted.leave_one_out_mse;
    readout.prior_weight = fitted.prior_weight;
    readout.condition_number = fitted.condition_number;
    return readout;
}

configured_readout configured_network::configure_fixed(const sample_streams& streams,
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
        regressors.middleCols(q * size, size) = kernel::filter_bank(
            streams[q], range.first - PAST, range.size(), functionals);
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
    readout.poles.resize(d_settings.causal_poles.size() +
                         d_settings.anticausal_poles.size());
    readout.poles << d_settings.causal_poles, d_settings.anticausal_poles;
    readout.noise_variance = std::numeric_limits<double>::quiet_NaN();
    readout.leave_one_out_mse = fitted.leave_one_out_mse;
    readout.prior_weight = fitted.regularization;
    readout.condition_number = std::numeric_limits<double>::quiet_NaN();
    return readout;
}

// Without feedback nothing needs the warped symbols: the readout learns the nominal ones.
bool configured_network::warps(row_range range) const
{
    return d_settings.feedback && multilevel() && range.size() >= WARP_SYMBOLS;
}

configured_readout configured_network::fit(const sample_streams& streams,
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

VectorXcd configured_network::feedforward(const configured_readout& readout,
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

kernel::survivor_model configured_network::model(const configured_readout& readout,
                                                 double phase_noise) const
{
    kernel::survivor_model model;
    for (const auto& weight : readout.feedback)
        model.feedback.emplace_back(weight);
    for (const auto& point : readout.points) {
        model.points.emplace_back(point);
        model.centroids.emplace_back(readout.gain * point);
    }
    // without feedback a survivor has nothing to remember but its phase
    model.survivors = d_settings.feedback ? d_settings.survivors : 1;
    // steady state of the Kalman filter for a random walk of the phase
    const double alpha = std::min(
        std::sqrt(phase_noise / std::max(readout.leave_one_out_mse / 2, 1e-6)), 0.05);
    model.alpha = alpha;
    model.beta = alpha * alpha / 8;
    return model;
}

kernel::survivor_decisions configured_network::search(const configured_readout& readout,
                                                      const sample_streams& streams,
                                                      const known_symbols& symbols,
                                                      row_range range,
                                                      double phase_noise) const
{
    const Eigen::VectorXcf input =
        feedforward(readout, streams, range).cast<gr_complex>();
    kernel::survivor_model model = this->model(readout, phase_noise);
    model.power = input.squaredNorm() / std::max<Index>(input.size(), 1) + 1e-9f;

    const VectorXcd sent = symbols.warped(readout.warp);
    std::vector<gr_complex> past;
    for (Index j = 1; j <= readout.feedback.size(); j++)
        past.emplace_back(range.first >= j ? sent(range.first - j) : 0.0);
    kernel::survivor_search survivors(model);
    survivors.start(past.data());
    return kernel::decide_frame(survivors, input.data(), input.size());
}

kernel::carrier_offset configured_network::find_offset(const sample_streams& streams,
                                                       const known_symbols& symbols,
                                                       Index num_pilots) const
{
    if (!(d_settings.max_frequency_offset > 0.0))
        return { 0.0, false };
    const row_range range = { 0, num_pilots };
    const VectorXd weights = VectorXd::Ones(streams[0].size());
    return kernel::find_carrier_offset(
        streams,
        symbols.values,
        range,
        select_window(streams, symbols, range, weights, false),
        d_settings.max_frequency_offset);
}

sample_streams configured_network::derotated(const sample_streams& streams,
                                             double frequency) const
{
    sample_streams out;
    for (size_t q = 0; q < streams.size(); q++) {
        const double fraction = double(q % d_settings.phases) / d_settings.phases;
        VectorXcd turned(streams[q].size());
        kernel::oscillator(-frequency, -frequency * fraction)
            .turn(streams[q].data(), 0, turned.size(), turned.data());
        out.push_back(turned);
    }
    return out;
}

} // namespace reservoir
} // namespace gr
