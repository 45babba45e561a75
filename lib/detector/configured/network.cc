/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/network.h"

#include "kernel/hermitian_solve.h"
#include "kernel/inner_loops.h"
#include "kernel/signal_loops.h"
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

namespace {

constexpr Index WARP_SYMBOLS = 96;   // fewer do not determine the rings' gains
constexpr Index SHORT_TRAINING = 48; // fewer pilots underestimate the length

// Of the model's own Gram matrix, as much as prior_ridge loads it for rounding.
constexpr double LOADING = 1e-4;

// Mean squared errors that the second best point must cost more for one survivor to go on.
constexpr int MAX_SURVIVORS = 256;
constexpr double CLEAR = 10.0, CLEAR_MULTILEVEL = 24.0;

VectorXcd sorted_by_modulus(VectorXcd poles)
{
    std::sort(poles.begin(), poles.end(), [](cdouble a, cdouble b) {
        return std::abs(a) < std::abs(b);
    });
    return poles;
}

// Orthonormal pole banks as weights of samples: a row per neuron, oldest sample first.
struct pole_banks {
    MatrixXcd functionals;
    Index past; // samples before the symbol
};

pole_banks
make_banks(const VectorXcd& causal, const VectorXcd& anticausal, bool look_back)
{
    constexpr Index FUTURE = configured_network::FUTURE;
    constexpr Index PAST = configured_network::PAST;
    VectorXcd ahead(anticausal.size() + 1); // the sample itself is a pole at 0
    ahead << 0.0, anticausal;
    const MatrixXcd after =
        kernel::takenaka_malmquist(sorted_by_modulus(ahead), FUTURE + 1);
    if (!look_back)
        return { after, 0 };
    const MatrixXcd before = kernel::takenaka_malmquist(sorted_by_modulus(causal), PAST);
    MatrixXcd both = MatrixXcd::Zero(after.rows() + before.rows(), PAST + 1 + FUTURE);
    both.topRightCorner(after.rows(), FUTURE + 1) = after;
    both.bottomLeftCorner(before.rows(), PAST) = before.rowwise().reverse();
    return { both, PAST };
}

// What the neurons say of the symbols in rows: those of the first stream first.
void write_outputs(const pole_banks& banks,
                   const sample_streams& streams,
                   row_range rows,
                   Eigen::Ref<MatrixXcd> outputs)
{
    const Index size = banks.functionals.rows();
    for (size_t q = 0; q < streams.size(); q++)
        outputs.middleCols(q * size, size) = kernel::filter_bank(
            streams[q], rows.first - banks.past, rows.size(), banks.functionals);
}

// The filter, a column per stream, that such weights of the neurons are.
MatrixXcd collapsed(const pole_banks& banks, const VectorXcd& weights, Index num_streams)
{
    const Index size = banks.functionals.rows();
    MatrixXcd fir(banks.functionals.cols(), num_streams);
    for (Index q = 0; q < num_streams; q++)
        fir.col(q) = banks.functionals.transpose() * weights.segment(q * size, size);
    return fir;
}

} // namespace

double output_variance(const configured_readout& readout)
{
    const double noise =
        readout.leave_one_out_mse - std::norm(cdouble(1.0) - readout.gain);
    return std::max(noise, 1e-6) / std::max(std::norm(readout.gain), 1e-6);
}

sample_streams rotated(const sample_streams& streams, const VectorXd& phase)
{
    sample_streams out = streams;
    for (auto& stream : out)
        kernel::simd::turn_back(stream.data(), phase.data(), phase.size(), stream.data());
    return out;
}

Eigen::MatrixXcf filtered(const sample_streams& streams,
                          row_range range,
                          Index before,
                          const std::vector<MatrixXcd>& filters)
{
    constexpr Index READ_BEYOND = 64; // by the kernel
    const Index taps = filters[0].rows(), count = range.size();
    const Index begin = range.first - before;
    const row_range seen = { begin, begin + count + taps - 1 + READ_BEYOND };
    std::vector<Eigen::VectorXf> parts;
    std::vector<const float*> re, im;
    for (const auto& stream : streams) {
        const Eigen::VectorXcf samples =
            kernel::lagged(stream, seen, 1).cast<gr_complex>();
        parts.push_back(samples.real());
        parts.push_back(samples.imag());
    }
    for (size_t q = 0; q < streams.size(); q++) {
        re.push_back(parts[2 * q].data());
        im.push_back(parts[2 * q + 1].data());
    }
    Eigen::MatrixXcf out(count, filters.size());
    for (size_t k = 0; k < filters.size(); k++) {
        const Eigen::MatrixXcf weights = filters[k].cast<gr_complex>();
        const Eigen::MatrixXf weights_re = weights.real(), weights_im = weights.imag();
        kernel::simd::fir(re.data(),
                          im.data(),
                          streams.size(),
                          taps,
                          weights_re.data(),
                          weights_im.data(),
                          count,
                          out.col(k).data());
    }
    return out;
}

row_range model_rows(row_range range, kernel::channel_window window)
{
    return { std::max<Index>(range.first + window.length - 1, window.timing),
             range.last };
}

kernel::channel_window covering(kernel::channel_window a, kernel::channel_window b)
{
    const int timing = std::max(a.timing, b.timing);
    const int last_lag = std::max(a.length - a.timing, b.length - b.timing);
    return { timing, last_lag + timing };
}

void frame_symbols::set(Index n, cdouble value, int ring)
{
    values(n) = value;
    rings[n] = ring;
}

void frame_symbols::resize(Index size)
{
    values.conservativeResizeLike(VectorXcd::Zero(size));
    rings.resize(size, -1);
}

frame_symbols frame_symbols::cut(Index first, Index last) const
{
    return { values.segment(first, last - first),
             { rings.begin() + first, rings.begin() + last },
             on_points,
             decided,
             given.empty()
                 ? given
                 : std::vector<char>(given.begin() + first, given.begin() + last) };
}

cdouble frame_symbols::warped(Index n, const VectorXcd& gains) const
{
    return rings[n] < 0 ? values(n) : values(n) * gains(rings[n]);
}

VectorXcd frame_symbols::warped(const VectorXcd& gains) const
{
    if ((gains.array() == 1.0).all())
        return values;
    VectorXcd out(values.size());
    for (Index n = 0; n < out.size(); n++)
        out(n) = warped(n, gains);
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

frame_symbols configured_network::known(const std::vector<cdouble>& pilots,
                                        Index count,
                                        Index first) const
{
    frame_symbols symbols = { VectorXcd::Zero(count), std::vector<int>(count, -1) };
    for (size_t n = 0; n < pilots.size(); n++) {
        int ring = -1;
        for (Index m = 0; m < d_settings.points.size(); m++)
            if (std::norm(pilots[n] - d_settings.points(m)) < 1e-6 * std::norm(pilots[n]))
                ring = d_rings[m];
        symbols.set(first + n, pilots[n], ring);
        symbols.on_points = symbols.on_points && ring >= 0;
    }
    return symbols;
}

void configured_network::decide(frame_symbols& symbols,
                                row_range range,
                                const std::vector<int>& found) const
{
    for (Index n = range.first; n < range.last; n++) {
        const int point = found[n - range.first];
        symbols.set(n, d_settings.points(point), d_rings[point]);
    }
    symbols.decided = true;
}

std::vector<int> configured_network::points_before(const frame_symbols& symbols,
                                                   Index n,
                                                   Index count) const
{
    std::vector<int> points;
    for (Index k = n - 1; k >= n - count; k--) {
        if (k < 0 || symbols.rings[k] < 0)
            return {};
        points.push_back(nearest(symbols.values(k)));
    }
    return points;
}

int configured_network::nearest(cdouble symbol) const
{
    Index point;
    (d_settings.points.array() - symbol).abs2().minCoeff(&point);
    return point;
}

kernel::channel_window configured_network::select_window(const sample_streams& streams,
                                                         const frame_symbols& symbols,
                                                         row_range range,
                                                         const VectorXd& weights,
                                                         Index in_a_row) const
{
    if (d_settings.channel_len > 0) { // half of the symbols at least are left to fit
        const Index known = in_a_row < 0 ? range.size() : in_a_row;
        return { 0, int(std::min<Index>(d_settings.channel_len, (known + 1) / 2)) };
    }
    return kernel::select_channel_window(
        streams, symbols.values, range, weights, in_a_row);
}

kernel::channel_window configured_network::pilot_window(const sample_streams& streams,
                                                        const frame_symbols& symbols,
                                                        Index num_pilots) const
{
    return select_window(
        streams, symbols, { 0, num_pilots }, VectorXd::Ones(streams[0].size()));
}

kernel::channel_window configured_network::lengthened(kernel::channel_window window,
                                                      row_range range) const
{
    if (d_settings.channel_len == 0 && range.size() < SHORT_TRAINING)
        window.length =
            std::min(window.length + 2, std::max<int>(window.length, range.size() / 3));
    return window;
}

configured_readout
configured_network::configure(const sample_streams& streams,
                              const frame_symbols& symbols,
                              row_range range,
                              kernel::channel_window window,
                              const VectorXd& weights,
                              bool warp,
                              const std::vector<double>& prior_weights) const
{
    configured_readout readout;
    const fitted_model model =
        fit_model(readout, streams, symbols, range, window, weights, warp);
    fit_readout(readout, model, range, weights, prior_weights);
    return readout;
}

configured_network::fitted_model
configured_network::fit_model(configured_readout& readout,
                              const sample_streams& streams,
                              const frame_symbols& symbols,
                              row_range range,
                              kernel::channel_window window,
                              const VectorXd& weights,
                              bool warp) const
{
    fitted_model model;
    model.told = !symbols.decided && d_settings.channel.rows() > 0 &&
                 d_settings.channel.rows() < range.size();
    readout.window =
        model.told ? kernel::channel_window{ 0, int(d_settings.channel.rows()) } : window;
    const Index length = readout.window.length;
    model.shifted = kernel::delayed(streams, readout.window.timing);
    model.rows = model_rows(range, readout.window);

    readout.warp = VectorXcd::Ones(d_num_rings);
    readout.warped = false;
    if (warp && symbols.on_points) {
        const kernel::constellation_warp found =
            kernel::fit_constellation_warp(model.shifted[0],
                                           symbols.values,
                                           symbols.rings,
                                           d_settings.points,
                                           model.rows,
                                           weights,
                                           length);
        readout.warped = found.used;
        readout.warp = found.gains;
    }
    readout.points = d_settings.points;
    for (Index m = 0; m < readout.points.size(); m++)
        readout.points(m) *= readout.warp(d_rings[m]);
    model.sent = symbols.warped(readout.warp);

    const kernel::channel_estimate channel =
        model.told
            ? kernel::scale_channel(
                  model.shifted, model.sent, model.rows, weights, d_settings.channel)
            : kernel::estimate_channel(
                  model.shifted, model.sent, model.rows, weights, length);
    readout.taps = channel.taps;
    readout.noise_variance = channel.noise_variance;
    const Index num_streams = streams.size();
    const double total = std::max(
        weights.segment(model.rows.first, model.rows.size()).sum(), length + 1.0);
    const double unknowns = model.told ? 1.0 : length;
    model.noise = std::max(channel.noise_variance,
                           1e-4 * channel.taps.squaredNorm() / num_streams) *
                  (1.0 + unknowns / total);
    return model;
}

configured_readout configured_network::model_of(const sample_streams& streams,
                                                const frame_symbols& symbols,
                                                row_range range,
                                                kernel::channel_window window,
                                                const VectorXd& weights,
                                                bool warp) const
{
    configured_readout readout;
    fit_model(readout, streams, symbols, range, window, weights, warp);
    return readout;
}

void configured_network::configure_for(configured_readout& readout,
                                       const MatrixXcd& taps,
                                       double noise_variance) const
{
    readout.taps = taps;
    readout.noise_variance = noise_variance;
    readout.poles = kernel::spectral_factor_poles(taps, noise_variance);
    const pole_banks banks = make_banks(readout.poles, readout.poles.conjugate(), false);
    readout.past = banks.past;
    const Index num_feedback = taps.rows() - 1;
    kernel::model_moments model = kernel::model_gram(
        banks.functionals, banks.past, taps, noise_variance, num_feedback);
    model.gram.diagonal() *= 1.0 + LOADING;
    const VectorXcd weights = kernel::hermitian_solve(model.gram, model.cross);
    readout.fir = collapsed(banks, weights, taps.cols());
    readout.feedback = weights.tail(num_feedback);
    const cdouble gain = model.cross.dot(weights);
    readout.gain = gain;
    readout.leave_one_out_mse = std::max(1.0 - gain.real(), 1e-6);
    readout.prior_weight = std::numeric_limits<double>::infinity();
}

void configured_network::fit_readout(configured_readout& readout,
                                     const fitted_model& model,
                                     row_range range,
                                     const VectorXd& weights,
                                     const std::vector<double>& prior_weights) const
{
    readout.poles = kernel::spectral_factor_poles(readout.taps, model.noise);
    const pole_banks banks =
        make_banks(readout.poles, readout.poles.conjugate(), !d_settings.feedback);
    readout.past = banks.past;
    const Index num_streams = model.shifted.size();
    const Index num_outputs = num_streams * banks.functionals.rows();
    const Index num_feedback = d_settings.feedback ? readout.window.length - 1 : 0;
    const kernel::model_moments prior = kernel::model_gram(
        banks.functionals, banks.past, readout.taps, model.noise, num_feedback);

    const row_range used =
        d_settings.feedback
            ? model.rows
            : row_range{ std::max<Index>(range.first, readout.window.timing),
                         range.last };
    MatrixXcd regressors(used.size(), num_outputs + num_feedback);
    write_outputs(banks, model.shifted, used, regressors.leftCols(num_outputs));
    regressors.rightCols(num_feedback) =
        kernel::lagged(model.sent, used, num_feedback, 1);
    const VectorXcd targets = model.sent.segment(used.first, used.size());
    VectorXd row_weights = weights.segment(used.first, used.size());

    kernel::prior_ridge_result fitted =
        kernel::prior_ridge(regressors, targets, row_weights, prior, prior_weights);
    readout.fir = collapsed(banks, fitted.weights, num_streams);
    if (!d_settings.feedback) {
        // What came before the first sample is not known: rows count by the inverse of the
        // error variance that this adds.
        const VectorXd tap_power = readout.fir.cwiseAbs2().rowwise().sum();
        for (Index n = used.first; n < used.last; n++) {
            const Index missing = banks.past + readout.window.timing - n;
            if (missing <= 0)
                break;
            row_weights(n - used.first) *= std::max(
                fitted.leave_one_out_mse /
                    (fitted.leave_one_out_mse + tap_power.head(missing).sum() + 1e-30),
                1e-4);
        }
        fitted =
            kernel::prior_ridge(regressors, targets, row_weights, prior, prior_weights);
        readout.fir = collapsed(banks, fitted.weights, num_streams);
    }
    readout.feedback = fitted.weights.tail(num_feedback);
    readout.gain = kernel::centroid_gain(fitted.leave_one_out, targets, row_weights);
    readout.leave_one_out_mse = fitted.leave_one_out_mse;
    readout.prior_weight = fitted.prior_weight;
    readout.condition_number = fitted.condition_number;
}

// Poles from statistics: no channel is estimated, and there is no prior.
configured_readout configured_network::configure_fixed(const sample_streams& streams,
                                                       const frame_symbols& symbols,
                                                       row_range range) const
{
    const pole_banks banks =
        make_banks(d_settings.causal_poles, d_settings.anticausal_poles, true);
    const Index num_streams = streams.size();
    MatrixXcd regressors(range.size(), num_streams * banks.functionals.rows());
    write_outputs(banks, streams, range, regressors);
    const VectorXcd targets = symbols.values.segment(range.first, range.size());
    const kernel::ridge_result fitted = kernel::ridge(regressors).solve(targets, -1.0);

    configured_readout readout;
    readout.window = { 0, 1 };
    readout.past = banks.past;
    readout.fir = collapsed(banks, fitted.weights.col(0), num_streams);
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

// Without feedback nothing needs the warped symbols: the readout is trained to give the nominal ones.
bool configured_network::warps(row_range range) const
{
    return d_settings.feedback && multilevel() && range.size() >= WARP_SYMBOLS;
}

configured_readout configured_network::fit(const sample_streams& streams,
                                           const std::vector<cdouble>& pilots,
                                           Index first) const
{
    const frame_symbols symbols = known(pilots, streams[0].size(), first);
    const row_range range = { first, first + Index(pilots.size()) };
    if (d_settings.fixed_poles())
        return configure_fixed(streams, symbols, range);
    const VectorXd weights = VectorXd::Ones(streams[0].size());
    return configure(streams,
                     symbols,
                     range,
                     lengthened(select_window(streams, symbols, range, weights), range),
                     weights,
                     warps(range),
                     { d_settings.prior_weight });
}

Eigen::VectorXcf configured_network::feedforward(const configured_readout& readout,
                                                 const sample_streams& streams,
                                                 row_range range) const
{
    return filtered(
        streams, range, readout.past + readout.window.timing, { readout.fir });
}

Eigen::VectorXcf configured_network::output(const configured_readout& readout,
                                            const sample_streams& streams,
                                            const frame_symbols& symbols,
                                            row_range range) const
{
    Eigen::VectorXcf out = feedforward(readout, streams, range);
    for (Index n = range.first; n < range.last; n++) {
        cdouble sum = out(n - range.first);
        for (Index j = 0; j < readout.feedback.size() && j < n; j++)
            sum += readout.feedback(j) * symbols.warped(n - 1 - j, readout.warp);
        out(n - range.first) = gr_complex(sum / readout.gain);
    }
    return out;
}

void configured_network::equalize(const configured_readout& readout,
                                  const sample_streams& streams,
                                  row_range range,
                                  VectorXcd& symbols,
                                  double& noise_variance) const
{
    symbols = feedforward(readout, streams, range).cast<cdouble>() / readout.gain;
    noise_variance = readout.leave_one_out_mse / std::norm(readout.gain);
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

kernel::adaptive_decisions configured_network::search(const configured_readout& readout,
                                                      const sample_streams& streams,
                                                      const frame_symbols& symbols,
                                                      row_range range,
                                                      Index judged,
                                                      double phase_noise,
                                                      int times_survivors) const
{
    const Eigen::VectorXcf input = feedforward(readout, streams, range);
    kernel::survivor_model model = this->model(readout, phase_noise);
    model.power = input.squaredNorm() / std::max<Index>(input.size(), 1) + 1e-9f;
    model.survivors = std::min(model.survivors * times_survivors, MAX_SURVIVORS);

    std::vector<gr_complex> past;
    for (Index n = range.first - 1; n >= range.first - readout.feedback.size(); n--)
        past.emplace_back(n < 0 ? 0.0 : symbols.warped(n, readout.warp));
    const double clear =
        (multilevel() ? CLEAR_MULTILEVEL : CLEAR) * readout.leave_one_out_mse;
    kernel::given_symbols given;
    for (Index n = range.first; n < range.last && !symbols.given.empty(); n++) {
        const std::complex<float> point(symbols.warped(n, readout.warp));
        if (symbols.given[n])
            given.push_back({ { point, std::complex<float>(readout.gain) * point } });
        else
            given.push_back(std::nullopt);
    }
    return kernel::decide_adaptively(
        model, past.data(), input.data(), input.size(), clear, judged, 0.0f, 0.0f, given);
}

kernel::carrier_offset
configured_network::find_offset(const sample_streams& streams,
                                const frame_symbols& symbols,
                                row_range range,
                                kernel::channel_window window) const
{
    if (!(d_settings.max_frequency_offset > 0.0))
        return { 0.0, false };
    return kernel::find_carrier_offset(
        streams, symbols.values, range, window, d_settings.max_frequency_offset);
}

sample_streams configured_network::without_rotation(const sample_streams& streams) const
{
    return d_settings.rotation == 0.0 ? streams : derotated(streams, d_settings.rotation);
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
