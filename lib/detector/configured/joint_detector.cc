/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/joint_detector.h"

#include "detector/decision_device.h"
#include "detector/saved_file.h"
#include "detector/saved_reader.h"
#include "detector/soft_demapper.h"
#include "detector/training_samples.h"
#include "pmt_values.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::VectorXcd;

joint_detector::joint_detector(const configured_esn_parameters& parameters)
    : d_parameters(parameters)
{
    d_readout.num_inputs = parameters.num_inputs;
    d_readout.unit_points = unit_points(parameters);
}

int joint_detector::look_ahead()
{
    return configured_esn::DECISION_LAG + configured_network::FUTURE +
           configured_stream::EARLIEST + 1;
}

configured_settings joint_detector::settings() const
{
    return make_settings(d_parameters, {}, {}, d_readout.sps);
}

sample_streams joint_detector::prepare(const gr_complex* const* received,
                                       size_t num_samples,
                                       const stream_matrix& pilots,
                                       int sps)
{
    d_readout.sps = sps;
    d_readout.input_gain = unit_power_gain(
        received, d_parameters.num_inputs, std::min(num_samples, pilots[0].size() * sps));
    const std::vector<gr_complex>& points = d_parameters.constellation.points;
    const bool raw = std::all_of(
        pilots.begin(), pilots.end(), [&](const std::vector<gr_complex>& row) {
            std::vector<gr_complex> sent; // 0: nothing is
            std::copy_if(row.begin(), row.end(), std::back_inserter(sent), [](auto one) {
                return one != gr_complex(0.0f);
            });
            return lie_on(points, sent);
        });
    d_readout.symbol_scale = raw ? root_mean_square(points) : 1.0;
    sample_streams known;
    for (const auto& row : pilots) {
        known.emplace_back(row.size());
        for (size_t n = 0; n < row.size(); n++)
            known.back()(n) = cdouble(row[n]) / d_readout.symbol_scale;
    }
    return known;
}

void joint_detector::use(const joint_network& network,
                         const joint_readout& readout,
                         const sample_streams& pilots,
                         double power)
{
    d_readout.timing = readout.window.timing;
    d_readout.weights = network.weights(readout, d_parameters.phase_noise);
    d_readout.weights.model.power = power;
    d_readout.model = d_readout.weights.model;
    d_readout.filter.clear();
    for (size_t place = 0; place < readout.filters.size(); place++)
        for (const auto column : readout.filters[place].colwise()) {
            const Eigen::VectorXcf taps =
                (column / std::sqrt(readout.errors(place))).cast<gr_complex>();
            d_readout.filter.emplace_back(taps.begin(), taps.end());
        }
    d_readout.pilots.clear();
    for (Index n = 0; n < pilots[0].size(); n++)
        for (const int stream : readout.order)
            d_readout.pilots.emplace_back(pilots[stream](n));
}

training_report joint_detector::describe(const joint_readout& readout) const
{
    training_report report;
    const double scale = d_readout.symbol_scale;
    const joint_weights& weights = d_readout.weights;
    report.mse = readout.errors.mean() * scale * scale;
    report.noise_variances.resize(weights.streams());
    for (size_t place = 0; place < weights.streams(); place++)
        report.noise_variances[weights.order[place]] =
            weights.unbiased_variance(place) * scale * scale;
    report.regularization = std::numeric_limits<double>::infinity(); // the model's own
    report.delay = d_readout.delay();
    report.timing = readout.window.timing;
    const int sps = d_readout.sps, M = weights.streams();
    const double gain = 1.0 / (d_readout.input_gain * scale);
    for (int m = 0; m < M; m++)
        for (int a = 0; a < d_parameters.num_inputs; a++) {
            report.channel.emplace_back();
            for (int l = 0; l < readout.window.length; l++)
                for (int q = 0; q < sps; q++)
                    report.channel.back().emplace_back(
                        gain * readout.taps(l * M + m, a * sps + q));
        }
    for (const auto& pole : readout.poles)
        report.poles.emplace_back(pole);
    return report;
}

namespace {

// Mean over the streams, once they are known.
void set_noise(training_report& report, double scale)
{
    const auto& each = report.noise_variances;
    report.noise_variance = std::accumulate(each.begin(), each.end(), 0.0) / each.size();
    report.evm_db =
        10.0 * std::log10(std::max(report.noise_variance / (scale * scale), 1e-30));
}

} // namespace

training_report joint_detector::fit(const gr_complex* const* received,
                                    size_t num_samples,
                                    const stream_matrix& pilots,
                                    int sps)
{
    const sample_streams known = prepare(received, num_samples, pilots, sps);
    sample_streams streams = phase_streams(
        received, num_samples, d_parameters.num_inputs, sps, d_readout.input_gain);
    const joint_network network(settings(), known.size());
    const row_range range = { 0, known[0].size() };
    sample_streams sent;
    for (const auto& row : known) {
        sent.push_back(VectorXcd::Zero(std::max(streams[0].size(), row.size())));
        sent.back().head(row.size()) = row;
    }
    kernel::channel_window window = network.select_window(streams, sent, range);
    const kernel::carrier_offset offset =
        network.find_offset(streams, sent, range, window);
    d_readout.frequency = offset.significant ? offset.frequency : 0.0;
    if (offset.significant) {
        streams = network.single().derotated(streams, offset.frequency);
        window = network.select_window(streams, sent, range);
    }
    const joint_readout readout = network.configure(streams, sent, range, window);
    const Eigen::MatrixXcf outputs = network.feedforward(readout, streams, range);
    use(network, readout, known, outputs.squaredNorm() / outputs.size() + 1e-9);
    reset();
    training_report report = describe(readout);
    set_noise(report, d_readout.symbol_scale);
    report.carrier_offset = d_readout.frequency;
    return report;
}

training_report joint_detector::receive(const gr_complex* const* received,
                                        size_t num_samples,
                                        const stream_matrix& pilots,
                                        int sps,
                                        size_t num_symbols,
                                        bool quick,
                                        bool soft,
                                        gr_complex* const* symbols)
{
    const sample_streams known = prepare(received, num_samples, pilots, sps);
    const size_t periods = num_symbols + detector::LOOK_AHEAD;
    sample_streams streams = phase_streams(received,
                                           std::min(num_samples, periods * sps),
                                           d_parameters.num_inputs,
                                           sps,
                                           d_readout.input_gain);
    for (auto& stream : streams) // missing look-ahead counts as zero
        stream.conservativeResizeLike(VectorXcd::Zero(periods));
    configured_settings frame_settings = settings();
    if (quick)
        frame_settings.refits = 0;
    const Index payload_len = num_symbols - known[0].size();
    const joint_frame frame =
        joint_receiver(frame_settings, known.size())
            .receive(streams, known, payload_len, soft || forward());
    use(joint_network(frame_settings, known.size()), frame.readout, known, frame.power);
    multiply_rows(d_readout.filter, frame.last_factors, sps);
    reset();
    d_readout.frequency = frame.carrier_offset;
    training_report report = describe(frame.readout);
    const double scale = d_readout.symbol_scale, gain = d_readout.input_gain;
    d_output.clear();
    for (size_t m = 0; m < known.size(); m++) {
        const configured_frame& stream = frame.streams[m];
        if (frame.output.size() > 0)
            d_output.emplace_back(frame.output.col(m).begin(), frame.output.col(m).end());
        if (!forward())
            report.noise_variances[m] = stream.soft_variance * scale * scale;
        for (size_t n = 0; n < num_symbols; n++)
            symbols[m][n] = forward() ? float(scale) * d_output[m][n]
                                      : gr_complex(stream.soft(n) * scale);
    }
    set_noise(report, scale);
    report.carrier_offset = frame.carrier_offset;
    for (const double residual : frame.residuals)
        report.residuals.push_back(residual / (gain * gain));
    report.refits = frame.kept_pass;
    report.level_steps = frame.num_level_steps;
    double expected_errors = 0.0;
    for (const auto& stream : frame.streams)
        expected_errors += stream.expected_errors;
    report.confidence = confidence(expected_errors);
    return report;
}

size_t joint_detector::detect(const gr_complex* const* received,
                              size_t num_samples,
                              bool soft,
                              gr_complex* const* symbols)
{
    d_output.clear();
    std::vector<gr_complex*> rows;
    if (soft || forward()) {
        d_output.assign(d_readout.weights.streams(),
                        std::vector<gr_complex>(num_samples / d_readout.sps + 1));
        for (auto& row : d_output)
            rows.push_back(row.data());
    }
    const size_t produced = d_stream->detect(
        received, num_samples, symbols, rows.empty() ? nullptr : rows.data());
    for (size_t m = 0; forward() && m < rows.size(); m++)
        for (size_t n = 0; n < produced; n++)
            symbols[m][n] = float(d_readout.symbol_scale) * rows[m][n];
    return produced;
}

void joint_detector::demap(soft_demapper& demapper,
                           size_t count,
                           const symbol_rows& rows) const
{
    const joint_weights& weights = d_readout.weights;
    const float scale = d_readout.symbol_scale;
    for (size_t place = 0; place < weights.streams(); place++) {
        const int stream = weights.order[place];
        std::vector<gr_complex> output(d_output[stream].begin(),
                                       d_output[stream].begin() + count);
        for (auto& symbol : output)
            symbol *= scale;
        demapper.demap(output.data(),
                       count,
                       weights.unbiased_variance(place) * scale * scale,
                       rows.prior_llrs ? rows.prior_llrs[stream] : nullptr,
                       rows.llrs[stream]);
    }
}

void joint_detector::reset()
{
    if (d_readout.weights.streams() > 0) // it was trained
        d_stream = std::make_unique<joint_stream>(d_readout);
}

void joint_detector::adopt(const joint_detector& other)
{
    d_readout = other.d_readout;
    reset();
}

pmt::pmt_t joint_detector::save(pmt::pmt_t dict) const
{
    const auto add = [&dict](const char* key, const pmt::pmt_t& value) {
        dict = pmt::dict_add(dict, pmt::mp(key), value);
    };
    const joint_weights& weights = d_readout.weights;
    add("input_gain", pmt::from_double(d_readout.input_gain));
    add("symbol_scale", pmt::from_double(d_readout.symbol_scale));
    add("frequency", pmt::from_double(d_readout.frequency));
    add("timing", pmt::from_long(d_readout.timing));
    add("filter", rows_to_pmt(d_readout.filter));
    add("pilots", pmt::init_c32vector(d_readout.pilots.size(), d_readout.pilots));
    add("order",
        value_to_pmt(std::vector<double>(weights.order.begin(), weights.order.end())));
    add("deviations",
        value_to_pmt(
            std::vector<double>(weights.deviations.begin(), weights.deviations.end())));
    add("feedback", rows_to_pmt(weights.feedback));
    add("alpha", pmt::from_double(weights.model.alpha));
    add("beta", pmt::from_double(weights.model.beta));
    add("power", pmt::from_double(weights.model.power));
    return dict;
}

namespace {

joint_weights saved_weights(const saved_reader& saved, size_t streams, int survivors)
{
    joint_weights weights;
    const auto order = saved.numbers("order", streams);
    std::vector<double> sorted = order, all(streams);
    std::sort(sorted.begin(), sorted.end());
    std::iota(all.begin(), all.end(), 0.0);
    saved.expect(sorted == all, "order", "other streams", "each stream once");
    weights.order.assign(order.begin(), order.end());
    const auto deviations = saved.numbers("deviations", streams);
    for (const double deviation : deviations)
        saved.expect(deviation > 0.0 && std::isfinite(deviation),
                     "deviations",
                     std::to_string(deviation),
                     "above 0");
    weights.deviations.assign(deviations.begin(), deviations.end());
    // the streams of one instant that come before the last one, and symbols further back
    weights.feedback = saved.rows("feedback", streams, 0, streams - 1);
    weights.model.feedback.resize(weights.feedback[0].size());
    weights.model.survivors = survivors;
    weights.model.alpha = saved.number("alpha", 0.0, 1.0);
    weights.model.beta = saved.number("beta", 0.0, 1.0);
    weights.model.power = saved.number("power", 1e-30, 1e30);
    return weights;
}

} // namespace

void joint_detector::restore(const pmt::pmt_t& from, int sps)
{
    constexpr double MOST_CYCLES = 1.0; // rotation and carrier offset
    const saved_reader saved(from);
    const size_t streams = d_parameters.num_outputs;
    const int timing = int(
        saved.number("timing", -configured_network::FUTURE, configured_stream::EARLIEST));
    joint_weights weights = saved_weights(saved, streams, d_parameters.survivors);
    weights.set_points(d_readout.unit_points);
    const stream_matrix filter = saved.rows(
        "filter", streams * d_parameters.num_inputs * sps, joint_network::FILTER);
    const std::vector<gr_complex> pilots = saved.symbols("pilots", streams);
    d_readout.input_gain = saved.scale("input_gain");
    d_readout.symbol_scale = saved.scale("symbol_scale");
    d_readout.frequency = saved.number("frequency", -MOST_CYCLES, MOST_CYCLES);
    d_readout.sps = sps;
    d_readout.timing = timing;
    d_readout.filter = filter;
    d_readout.pilots = pilots;
    d_readout.weights = weights;
    d_readout.model = weights.model;
    reset();
}

} // namespace reservoir
} // namespace gr
