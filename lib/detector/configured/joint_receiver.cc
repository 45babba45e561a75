/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/joint_receiver.h"

#include <gnuradio/reservoir/kernel/carrier_offset.h>
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

namespace {

constexpr double CONVINCING = 1.5;        // residual over the pilots'
constexpr Index SMOOTHED_SYMBOLS = 48;    // half width of the phase's window
constexpr double LESS_PHASE_NOISE = 30.0; // once a correction did not pay

} // namespace

joint_receiver::joint_receiver(const configured_settings& settings, Index num_streams)
    : d_network(settings, num_streams)
{
}

double joint_receiver::model_residual(const sample_streams& received,
                                      const sample_streams& sent,
                                      kernel::channel_window window,
                                      row_range range) const
{
    const row_range rows = model_rows(range, window);
    const kernel::joint_sums sums =
        kernel::sum_joint_lags(received, window.timing, sent, rows, window.length);
    const double left = sums.residual(sums.taps()).trace().real();
    return std::max(left, 1e-30) / std::max<double>(rows.size() * received.size(), 1.0);
}

double joint_receiver::follow_phase(attempt& now,
                                    const std::vector<float>& found,
                                    const layout& frame,
                                    double residual) const
{
    const Index count = now.raw[0].size(), end = frame.whole().last;
    const double usual_noise = d_network.settings().phase_noise;
    VectorXd corrected = now.phase;
    for (Index n = frame.num_pilots; n < count; n++)
        corrected(n) += found[std::min(n, end - 1) - frame.num_pilots];
    const sample_streams model =
        kernel::delayed(kernel::joint_channel_output(now.sent, now.readout.taps),
                        -now.readout.window.timing);
    corrected.head(end) += kernel::smoothed_phase(
        rotated(now.raw, corrected), model, frame.whole(), SMOOTHED_SYMBOLS);
    corrected.tail(count - end).setConstant(corrected(end - 1));
    const sample_streams turned = rotated(now.raw, corrected);
    const double after =
        model_residual(turned, now.sent, now.readout.window, frame.whole());
    const double penalty =
        0.5 / SMOOTHED_SYMBOLS * std::log(double(end)) / double(now.raw.size());
    if (std::log(after) + penalty < std::log(residual)) {
        now.phase = corrected;
        now.turned = turned;
        now.phase_noise = usual_noise;
        return after * std::exp(penalty);
    }
    now.phase.setZero();
    now.turned = now.raw;
    now.phase_noise = usual_noise / LESS_PHASE_NOISE;
    return residual;
}

bool joint_receiver::pass(attempt& now,
                          attempt& kept,
                          const layout& frame,
                          int number) const
{
    const bool first = number == 0;
    const row_range range = first ? frame.pilots() : frame.whole();
    const kernel::channel_window window =
        d_network.select_window(now.turned, now.sent, range);
    now.readout = d_network.configure(now.turned, now.sent, range, window);
    const joint_network::decisions found = d_network.search(
        now.readout, now.turned, now.sent, frame.payload(), now.phase_noise);
    const bool same = !first && found.symbols == now.decisions;
    now.decisions = found.symbols;
    for (Index m = 0; m < d_network.streams(); m++)
        for (Index n = 0; n < frame.payload_len; n++)
            now.sent[m](frame.num_pilots + n) =
                d_network.settings().points(found.symbols[m][n]);
    if (first) {
        const double used = model_rows(range, window).size();
        now.pilot_residual =
            model_residual(now.turned, now.sent, window, range) * used /
            std::max(used - double(window.length * d_network.streams()), 1.0);
    }
    double residual = model_residual(now.raw, now.sent, window, frame.whole());
    if (d_network.settings().phase_noise > 0.0 && frame.payload_len > 0)
        residual = follow_phase(now, found.phases, frame, residual);
    now.residuals.push_back(residual);
    if (first || residual < kept.residual) {
        now.residual = residual;
        now.kept_pass = number;
        kept = now;
    }
    kept.residuals = now.residuals;
    return same;
}

joint_receiver::attempt joint_receiver::begin(const sample_streams& raw,
                                              const sample_streams& sent,
                                              const layout& frame,
                                              double carrier_offset) const
{
    attempt now, kept;
    now.raw =
        carrier_offset == 0.0 ? raw : d_network.single().derotated(raw, carrier_offset);
    now.turned = now.raw;
    now.sent = sent;
    now.phase = VectorXd::Zero(raw[0].size());
    now.phase_noise = d_network.settings().phase_noise;
    now.carrier_offset = carrier_offset;
    pass(now, kept, frame, 0);
    return kept;
}

joint_frame joint_receiver::receive(const sample_streams& received,
                                    const sample_streams& pilots,
                                    Index payload_len,
                                    bool output_wanted) const
{
    const layout frame = { pilots[0].size(), payload_len };
    sample_streams sent;
    for (const auto& known : pilots) {
        sent.push_back(VectorXcd::Zero(received[0].size()));
        sent.back().head(known.size()) = known;
    }
    const level_steps steps(received, d_network.settings().phases, frame.whole().last);
    attempt kept = receive_samples(received, sent, frame);
    if (steps.count() == 0)
        return finish(kept, frame, output_wanted);
    attempt other = receive_samples(steps.undone(received), sent, frame);
    const double stretch = steps.power_stretch();
    if (!steps.pay_off(other.residual / stretch, kept.residual))
        return finish(kept, frame, output_wanted);
    joint_frame found = finish(other, frame, output_wanted);
    for (double& residual : found.residuals)
        residual /= stretch;
    found.num_level_steps = steps.count();
    found.last_factors = steps.last_factors();
    return found;
}

joint_receiver::attempt joint_receiver::receive_samples(const sample_streams& received,
                                                        const sample_streams& sent,
                                                        const layout& frame) const
{
    const kernel::carrier_offset offset =
        d_network.find_offset(received,
                              sent,
                              frame.pilots(),
                              d_network.select_window(received, sent, frame.pilots()));
    // the likelier carrier first: where it convinces there is no other
    attempt now =
        begin(received, sent, frame, offset.significant ? offset.frequency : 0.0);
    if (offset.frequency != 0.0 && now.residual > CONVINCING * now.pilot_residual) {
        const attempt other =
            begin(received, sent, frame, offset.significant ? 0.0 : offset.frequency);
        const double doubt = offset.significant
                                 ? 1.0
                                 : benefit_of_doubt(received.size() * frame.whole().last);
        if (other.residual * doubt < now.residual)
            now = other;
    }
    attempt kept = now;
    for (int number = 1; number <= d_network.settings().refits; number++)
        if (pass(now, kept, frame, number))
            break;
    return kept;
}

joint_frame
joint_receiver::finish(attempt& kept, const layout& frame, bool output_wanted) const
{
    joint_frame found;
    found.readout = kept.readout;
    found.carrier_offset = kept.carrier_offset;
    found.residuals = kept.residuals;
    found.kept_pass = kept.kept_pass;
    const Eigen::MatrixXcf inputs =
        d_network.feedforward(kept.readout, kept.turned, frame.whole());
    found.power = inputs.squaredNorm() / inputs.size() + 1e-9;
    if (output_wanted)
        found.output =
            d_network.output(kept.readout, kept.turned, kept.sent, frame.whole());
    soften(found, kept, frame);
    return found;
}

// z_m[n] = x_m[n] + sum_l h_m,l^H C^-1 e[n+l] / sum_l h_m,l^H C^-1 h_m,l with C the noise
// covariance: what a matched filter makes of the residual.
void joint_receiver::soften(joint_frame& found,
                            const attempt& kept,
                            const layout& frame) const
{
    const kernel::channel_window window = kept.readout.window;
    const Index streams = d_network.streams(), length = window.length;
    const row_range whole = frame.whole(), rows = model_rows(whole, window);
    const kernel::joint_sums sums =
        kernel::sum_joint_lags(kept.turned, window.timing, kept.sent, rows, length);
    found.readout.taps = sums.taps();
    const noise_whitener white =
        make_whitener(sums.residual(found.readout.taps),
                      double(rows.size()) - double(streams * length));
    found.readout.noise_variance = white.variance;
    const MatrixXcd taps = found.readout.taps * white.matrix.transpose();
    const sample_streams model =
        kernel::joint_channel_output(kept.sent, found.readout.taps);
    MatrixXcd residual(rows.size(), model.size());
    for (size_t q = 0; q < model.size(); q++)
        residual.col(q) = kernel::lagged(kept.turned[q], rows, 1, window.timing) -
                          model[q].segment(rows.first, rows.size());
    residual *= white.matrix.transpose();
    for (Index m = 0; m < streams; m++) {
        configured_frame stream;
        stream.decisions = kept.decisions[m];
        stream.soft = kept.sent[m].head(whole.last);
        const MatrixXcd own = kernel::stream_taps(taps, m, streams);
        for (Index n = rows.first; n + length <= whole.last; n++)
            stream.soft(n) += matched(own, residual.middleRows(n - rows.first, length));
        stream.soft_variance = symbol_variance(white.variance, own.squaredNorm());
        keep_decisions(d_network.single(), stream, frame.num_pilots);
        found.streams.push_back(stream);
    }
}

} // namespace reservoir
} // namespace gr
