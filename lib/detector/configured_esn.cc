/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/configured_esn.h>

#include "check.h"
#include "detector/configured/joint_detector.h"
#include "detector/configured/pattern_receiver.h"
#include "detector/configured/receiver.h"
#include "detector/configured/soft_output.h"
#include "detector/configured/stream.h"
#include "detector/configured/tracked_stream.h"
#include "detector/decision_device.h"
#include "detector/saved_reader.h"
#include "detector/soft_demapper.h"
#include "detector/training_samples.h"
#include "pmt_values.h"
#include <gnuradio/reservoir/detector_kind.h>
#include <algorithm>
#include <chrono>
#include <cmath>

namespace gr {
namespace reservoir {

namespace {

constexpr int FUTURE = configured_network::FUTURE;
constexpr int EARLIEST = configured_stream::EARLIEST;

bool finite(gr_complex value)
{
    return std::isfinite(value.real()) && std::isfinite(value.imag());
}

size_t count_bad(const gr_complex* const* received, int num_inputs, size_t num_samples)
{
    size_t count = 0;
    for (int a = 0; a < num_inputs; a++)
        count += std::count_if(received[a],
                               received[a] + num_samples,
                               [](gr_complex sample) { return !finite(sample); });
    return count;
}

// Whether a burst is more than pilots and a payload.
bool as_pattern(const configured_network& network, const std::vector<cdouble>& known)
{
    return network.settings().two_real_streams ||
           std::any_of(known.begin(), known.end(), [](cdouble symbol) {
               return std::isnan(symbol.real());
           });
}

} // namespace

configured_esn::sptr configured_esn::make(digital::constellation_sptr constellation,
                                          int channel_len,
                                          bool feedback,
                                          int survivors,
                                          int refits,
                                          double prior_weight,
                                          const std::string& poles,
                                          const std::vector<double>& power_delay_profile,
                                          int num_neurons,
                                          bool receiver_linearization,
                                          double max_frequency_offset,
                                          double phase_noise,
                                          const std::string& tracking,
                                          double rotation,
                                          int num_inputs,
                                          int num_outputs,
                                          const std::string& output)
{
    return std::make_shared<configured_esn>(
        configured_esn_parameters{ constellation,
                                   channel_len,
                                   feedback,
                                   survivors,
                                   refits,
                                   prior_weight,
                                   poles,
                                   power_delay_profile,
                                   num_neurons,
                                   receiver_linearization,
                                   max_frequency_offset,
                                   phase_noise,
                                   tracking,
                                   rotation,
                                   num_inputs,
                                   num_outputs,
                                   output });
}

configured_esn::configured_esn(const configured_esn_parameters& parameters)
    : described(parameters),
      d_power_delay_profile(parameters.power_delay_profile),
      d_readout(std::make_unique<stream_readout>())
{
    d_readout->feedback = parameters.feedback;
    d_readout->num_inputs = parameters.num_inputs;
    d_readout->unit_points = unit_points(parameters);
    if (parameters.num_outputs > 1)
        d_joint = std::make_unique<joint_detector>(d_parameters);
}

configured_esn::~configured_esn() {}

int configured_esn::do_look_ahead() const
{
    return d_joint                 ? joint_detector::look_ahead()
           : d_parameters.feedback ? tracked_stream::look_ahead()
                                   : FUTURE + EARLIEST + 1;
}

// Of a filter without decisions. With decisions the network looks ahead only, and of the symbols
// before the pilots, which its channel model would need, none is known.
int configured_esn::do_look_back() const
{
    return d_parameters.feedback || d_parameters.refits > 0
               ? 0
               : configured_network::PAST + EARLIEST;
}

stream_matrix configured_esn::filter() const { return d_readout->filter; }

int configured_esn::filter_start() const { return d_readout->past + d_readout->timing; }

std::vector<gr_complex> configured_esn::feedback_weights() const
{
    return d_readout->model.feedback;
}

configured_settings configured_esn::settings() const
{
    return make_settings(d_parameters, d_power_delay_profile, d_known_channel, d_sps);
}

void configured_esn::do_set_tracking(digital::constellation_sptr constellation)
{
    require(!constellation || (d_parameters.feedback && d_parameters.poles == "estimate"),
            "adapt_after_training",
            true,
            "false for configured_esn without feedback, which decides nothing");
    require(
        !constellation || !d_joint,
        "adapt_after_training",
        true,
        "false for configured_esn with num_outputs > 1; train it more often, or use esn");
    d_track_next = bool(constellation);
}

void configured_esn::do_command(const std::string& name, const pmt::pmt_t& value)
{
    if (name == "channel")
        use_channel(complex_rows(value));
    else if (name == "power_delay_profile")
        use_power_delay_profile(real_vector(value));
    else
        described::do_command(name, value);
}

void configured_esn::use_channel(const stream_matrix& channel)
{
    if (channel.empty() || channel[0].empty()) {
        d_known_channel.clear();
        return;
    }
    require(d_parameters.poles == "estimate",
            "channel",
            "given",
            "empty unless poles = 'estimate'");
    require(!d_joint, "channel", "given", "empty with num_outputs > 1: it is estimated");
    require(channel.size() == size_t(num_inputs()),
            "channel",
            std::to_string(channel.size()) + " rows",
            ("num_inputs = " + std::to_string(num_inputs()) + " rows").c_str());
    double power = 0.0;
    for (const auto& row : channel) {
        require(row.size() <= 1024 && row.size() == channel[0].size(),
                "channel",
                std::to_string(row.size()) + " taps in a row",
                "1 to 1024, the same in every row");
        for (const auto& tap : row) {
            require(finite(tap), "channel", tap, "finite");
            power += std::norm(std::complex<double>(tap));
        }
    }
    require(power > 0.0, "channel", "all zero", "not all zero");
    d_known_channel = channel;
}

void configured_esn::use_power_delay_profile(const std::vector<double>& powers)
{
    require(d_parameters.poles == "statistics",
            "power_delay_profile",
            std::to_string(powers.size()) + " powers",
            "empty unless poles = 'statistics'");
    configured_esn_parameters changed = d_parameters;
    changed.power_delay_profile = powers;
    checked(changed);
    d_power_delay_profile = powers;
}

std::vector<std::complex<double>>
configured_esn::prepare(const gr_complex* const* received,
                        size_t num_samples,
                        const stream_matrix& pilots,
                        int sps)
{
    d_sps = sps;
    d_readout->sps = sps;
    d_readout->input_gain = unit_power_gain(
        received, num_inputs(), std::min(num_samples, pilots[0].size() * sps));

    const std::vector<gr_complex>& points = d_parameters.constellation.points;
    std::vector<gr_complex> given;
    std::copy_if(
        pilots[0].begin(), pilots[0].end(), std::back_inserter(given), [](auto symbol) {
            return is_known(symbol) && symbol != gr_complex(0.0f); // 0: nothing is sent
        });
    double scale = lie_on(points, given) ? root_mean_square(points) : 1.0;
    if (!d_parameters.feedback && d_parameters.refits == 0) // any waveform
        scale = std::max(root_mean_square(given), 1e-30);
    d_readout->symbol_scale = scale;
    d_readout->pilots.clear();
    std::vector<std::complex<double>> known;
    for (const auto& pilot : pilots[0]) {
        known.push_back(std::complex<double>(pilot) / scale);
        d_readout->pilots.emplace_back(known.back());
    }
    return known;
}

void configured_esn::use(const configured_network& network,
                         const configured_readout& readout)
{
    d_readout->timing = readout.window.timing;
    d_readout->past = readout.past;
    d_readout->gain = gr_complex(readout.gain);
    d_readout->filter.clear();
    for (const auto column : readout.fir.colwise()) {
        const Eigen::VectorXcf taps = column.cast<gr_complex>();
        d_readout->filter.emplace_back(taps.begin(), taps.end());
    }
    d_readout->model = network.model(readout, d_parameters.phase_noise);
    d_readout->output_variance = output_variance(readout);
}

training_report configured_esn::describe(const configured_readout& readout,
                                         double noise_variance) const
{
    training_report report;
    const double scale = d_readout->symbol_scale;
    report.mse = readout.leave_one_out_mse * scale * scale;
    report.noise_variance = noise_variance * scale * scale;
    report.evm_db = 10.0 * std::log10(std::max(noise_variance, 1e-30));
    report.delay = d_tracking ? tracked_stream::delay(d_sps) : d_readout->delay();
    report.regularization = readout.prior_weight;
    const double gain = 1.0 / (d_readout->input_gain * scale);
    for (int a = 0; readout.taps.size() > 0 && a < num_inputs(); a++) {
        report.channel.emplace_back();
        for (Eigen::Index l = 0; l < readout.taps.rows(); l++)
            for (int q = 0; q < d_sps; q++)
                report.channel[a].emplace_back(
                    gain *
                    std::polar(1.0,
                               d_parameters.rotation *
                                   (double(q) / d_sps + l - readout.window.timing)) *
                    readout.taps(l, a * d_sps + q));
    }
    for (const auto& pole : readout.poles)
        report.poles.emplace_back(pole);
    report.timing = readout.window.timing;
    for (const auto& ring : readout.warp)
        report.warp.emplace_back(ring);
    report.condition_number = { readout.condition_number };
    report.bad_samples = d_bad_samples;
    return report;
}

training_report configured_esn::do_fit(const gr_complex* const* received,
                                       size_t num_samples,
                                       const stream_matrix& pilots,
                                       int sps)
{
    if (d_joint) {
        training_report report = d_joint->fit(received, num_samples, pilots, sps);
        report.bad_samples =
            d_bad_samples + count_bad(received, num_inputs(), num_samples);
        return report;
    }
    const auto known = prepare(received, num_samples, pilots, sps);
    kernel::sample_streams streams =
        phase_streams(received, num_samples, num_inputs(), sps, d_readout->input_gain);
    const configured_network network(settings());
    streams = network.without_rotation(streams);
    d_tracking = d_track_next;
    const configured_readout readout = as_pattern(network, known)
                                           ? fit_pattern(network, streams, known)
                                           : fit_prefix(network, streams, known);
    use(network, readout);
    d_readout->model.power =
        network.feedforward(readout, streams, { 0, Eigen::Index(known.size()) })
                .squaredNorm() /
            known.size() +
        1e-9;
    do_reset();
    training_report report =
        describe(readout, readout.leave_one_out_mse / std::norm(readout.gain));
    report.carrier_offset = d_readout->frequency;
    d_readout->frequency += network.settings().rotation;
    // detection will see these samples again and count them for good
    report.bad_samples += count_bad(received, num_inputs(), num_samples);
    return report;
}

configured_readout
configured_esn::fit_prefix(const configured_network& network,
                           kernel::sample_streams& streams,
                           const std::vector<std::complex<double>>& known)
{
    d_readout->frequency = 0.0;
    const configured_readout still = network.fit(streams, known);
    if (!d_parameters.feedback)
        return still;
    const frame_symbols symbols = network.known(known, streams[0].size());
    const double offset =
        network
            .find_offset(streams,
                         symbols,
                         { 0, Eigen::Index(known.size()) },
                         network.pilot_window(streams, symbols, known.size()))
            .frequency;
    if (offset == 0.0)
        return still;
    const kernel::sample_streams turned = network.derotated(streams, offset);
    const configured_readout other = network.fit(turned, known);
    if (!(other.leave_one_out_mse < still.leave_one_out_mse))
        return still;
    streams = turned;
    d_readout->frequency = offset;
    return other;
}

configured_readout
configured_esn::fit_pattern(const configured_network& network,
                            kernel::sample_streams& streams,
                            const std::vector<std::complex<double>>& known)
{
    const configured_frame frame =
        pattern_receiver(network).receive_samples(streams, known, known.size());
    for (size_t n = 0; n < known.size(); n++) // a tracked stream goes on from them
        if (frame.decisions[n] >= 0)
            d_readout->pilots[n] = d_readout->unit_points[frame.decisions[n]];
    d_readout->frequency = frame.carrier_offset;
    if (frame.carrier_offset != 0.0)
        streams = network.derotated(streams, frame.carrier_offset);
    return frame.readout;
}

void configured_esn::do_receive(const gr_complex* const* received,
                                size_t num_samples,
                                const stream_matrix& pilots,
                                int sps,
                                size_t num_symbols,
                                gr_complex* const* symbols)
{
    const auto start = std::chrono::steady_clock::now();
    const size_t used = std::min(num_samples, (num_symbols + LOOK_AHEAD) * sps);
    if (present_effort() != effort::again)
        d_bad_samples += count_bad(received, num_inputs(), used);
    const bool quick = present_effort() == effort::quick;
    const auto finish_report = [&] {
        d_report.trained = true;
        d_report.bad_samples = d_bad_samples;
        d_report.seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
                .count();
    };
    if (d_joint) {
        d_sps = sps;
        d_report = d_joint->receive(received,
                                    num_samples,
                                    pilots,
                                    sps,
                                    num_symbols,
                                    quick,
                                    soft_output_wanted(),
                                    symbols);
        finish_report();
        return;
    }
    const auto known = prepare(received, num_samples, pilots, sps);
    std::vector<const gr_complex*> rows(received, received + num_inputs());
    for (auto& row : rows)
        row -= history() * sps;
    kernel::sample_streams streams = phase_streams(
        rows.data(), history() * sps + used, num_inputs(), sps, d_readout->input_gain);
    const Eigen::Index length = history() + num_symbols + LOOK_AHEAD;
    for (auto& stream : streams) // missing look-ahead counts as zero
        if (stream.size() < length)
            stream.conservativeResizeLike(Eigen::VectorXcd::Zero(length));

    configured_settings frame_settings = settings();
    frame_settings.soft = soft_output_wanted() || forward();
    if (quick)
        frame_settings.refits = 0;
    const configured_network network(frame_settings);
    streams = network.without_rotation(streams);
    configured_frame frame;
    if (!d_parameters.feedback && d_parameters.refits == 0) { // nothing is decided
        frame.readout = network.fit(streams, known, history());
        network.equalize(frame.readout,
                         streams,
                         { history(), Eigen::Index(history() + num_symbols) },
                         frame.soft,
                         frame.soft_variance);
    } else {
        frame = as_pattern(network, known)
                    ? pattern_receiver(network).receive(streams, known, num_symbols)
                    : configured_receiver(frame_settings)
                          .receive(streams, known, num_symbols - known.size());
    }
    double variance = frame.soft_variance;
    if (forward() && frame.model)
        frame.soft = soft_output::readout_output(
            network, *frame.model, { 0, Eigen::Index(num_symbols) }, variance);
    for (size_t n = 0; n < num_symbols; n++)
        symbols[0][n] = gr_complex(frame.soft(n) * d_readout->symbol_scale);
    d_soft_model = frame.model;
    d_readout_output.clear();
    d_known.assign(num_symbols, false);
    for (size_t n = 0; n < pilots[0].size(); n++)
        d_known[n] = is_known(pilots[0][n]);
    // what comes behind the frame is taken as it is
    const auto& other = frame.without_inverse;
    use(network, other ? other->first : frame.readout);
    multiply_rows(d_readout->filter, frame.last_factors, sps);
    d_tracking = false;
    d_readout->frequency =
        (other ? other->second : frame.carrier_offset) + network.settings().rotation;
    do_reset();
    d_report = describe(frame.readout, variance);
    d_report.carrier_offset = frame.carrier_offset;
    const double gain = d_readout->input_gain;
    for (const double residual : frame.residuals)
        d_report.residuals.push_back(residual / (gain * gain));
    d_report.refits = frame.kept_pass;
    d_report.tracked = frame.tracked;
    d_report.level_steps = frame.num_level_steps;
    if (d_parameters.feedback)
        d_report.confidence = confidence(frame.expected_errors);
    if (!frame.condition_numbers.empty())
        d_report.condition_number = frame.condition_numbers;
    finish_report();
}

// Of a stream, or of a frame without feedback: each symbol for itself.
void configured_esn::demap_output(soft_demapper& demapper,
                                  size_t count,
                                  const symbol_rows& rows)
{
    const double scale = d_readout->symbol_scale;
    const float* const priors = rows.prior_llrs ? rows.prior_llrs[0] : nullptr;
    if (d_readout_output.empty()) {
        demapper.demap(rows.symbols[0],
                       count,
                       d_readout->output_variance * scale * scale,
                       priors,
                       rows.llrs[0]);
        return;
    }
    for (size_t n = 0; n < count; n++) {
        const gr_complex symbol = float(scale) * d_readout_output[n];
        demapper.demap(&symbol,
                       1,
                       d_output_variance[n] * scale * scale,
                       nullptr,
                       rows.llrs[0] + n * demapper.bits());
    }
}

void configured_esn::do_soft_output(soft_demapper& demapper,
                                    size_t count,
                                    const symbol_rows& rows)
{
    if (d_joint) {
        d_joint->demap(demapper, count, rows);
        return;
    }
    const auto model = std::move(d_soft_model);
    const Eigen::Index first =
        std::find(d_known.begin(), d_known.end(), false) - d_known.begin();
    if (!model || first == Eigen::Index(count)) {
        demap_output(demapper, count, rows);
        return;
    }
    if (!d_soft_output)
        d_soft_output = std::make_unique<soft_output>();
    const size_t payload = count - first, before = first * demapper.bits();
    const float* const priors = rows.prior_llrs ? rows.prior_llrs[0] + before : nullptr;
    const std::vector<float> log_priors =
        priors ? demapper.log_priors(priors, payload) : std::vector<float>();
    const std::vector<float>& posteriors =
        d_soft_output->posteriors(configured_network(settings()),
                                  *model,
                                  d_known,
                                  { first, Eigen::Index(count) },
                                  log_priors);
    std::fill_n(rows.llrs[0], before, 0.0f);
    demapper.demap_posteriors(posteriors.data(), payload, priors, rows.llrs[0] + before);
}

void configured_esn::do_reset()
{
    if (d_joint)
        d_joint->reset();
    else if (d_tracking)
        d_stream = std::make_unique<tracked_stream>(*d_readout, settings());
    else
        d_stream = std::make_unique<fixed_stream>(*d_readout);
}

size_t configured_esn::do_detect(const gr_complex* const* received,
                                 size_t num_samples,
                                 gr_complex* const* symbols)
{
    if (d_joint) {
        const size_t produced =
            d_joint->detect(received, num_samples, soft_output_wanted(), symbols);
        d_bad_samples += d_joint->take_bad_samples();
        return produced;
    }
    readout_output output;
    d_readout_output.clear();
    if (soft_output_wanted() || forward()) {
        d_readout_output.resize(num_samples / d_sps + 1);
        d_output_variance.resize(d_readout_output.size());
        output = { d_readout_output.data(), d_output_variance.data() };
    }
    const size_t produced = d_stream->detect(received, num_samples, symbols[0], output);
    for (size_t n = 0; forward() && n < produced; n++)
        symbols[0][n] = float(d_readout->symbol_scale) * d_readout_output[n];
    d_bad_samples += d_stream->take_bad_samples();
    return produced;
}

void configured_esn::do_adopt(const trainable& trained)
{
    const auto& other = dynamic_cast<const configured_esn&>(trained);
    if (d_joint) {
        d_joint->adopt(*other.d_joint);
        return;
    }
    *d_readout = *other.d_readout;
    d_tracking = false;
    if (other.d_tracking)
        d_report.delay = d_readout->delay();
    do_reset();
}

pmt::pmt_t configured_esn::do_save() const
{
    pmt::pmt_t dict = pmt::make_dict();
    const auto add = [&dict](const char* key, const pmt::pmt_t& value) {
        dict = pmt::dict_add(dict, pmt::mp(key), value);
    };
    add("power_delay_profile", value_to_pmt(d_power_delay_profile));
    add("known_channel", rows_to_pmt(d_known_channel));
    if (!d_report.trained)
        return dict;
    if (d_joint)
        return d_joint->save(dict);
    const stream_readout& readout = *d_readout;
    add("input_gain", pmt::from_double(readout.input_gain));
    add("symbol_scale", pmt::from_double(readout.symbol_scale));
    add("frequency", pmt::from_double(readout.frequency));
    add("timing", pmt::from_long(readout.timing));
    add("past", pmt::from_long(readout.past));
    add("filter", rows_to_pmt(readout.filter));
    add("gain", pmt::from_complex(readout.gain));
    add("feedback",
        pmt::init_c32vector(readout.model.feedback.size(), readout.model.feedback));
    add("warped_points",
        pmt::init_c32vector(readout.model.points.size(), readout.model.points));
    add("alpha", pmt::from_double(readout.model.alpha));
    add("beta", pmt::from_double(readout.model.beta));
    add("power", pmt::from_double(readout.model.power));
    add("pilots", pmt::init_c32vector(readout.pilots.size(), readout.pilots));
    return dict;
}

void configured_esn::do_restore(const pmt::pmt_t& saved)
{
    const auto powers =
        pmt::f64vector_elements(saved_entry(saved, "power_delay_profile"));
    if (powers != d_power_delay_profile) // a command's, checked as there
        use_power_delay_profile(powers);
    use_channel(rows_from_pmt(saved_entry(saved, "known_channel")));
    if (!d_report.trained)
        return;
    if (d_joint) {
        d_joint->restore(saved, d_sps);
        d_report.delay = d_joint->delay();
        return;
    }
    constexpr double MOST_CYCLES = 1.0; // rotation and carrier offset
    constexpr int MOST_TAPS = 1 << 16;
    const saved_reader entries(saved);
    stream_readout& readout = *d_readout;
    readout.sps = d_sps;
    readout.input_gain = entries.scale("input_gain");
    readout.symbol_scale = entries.scale("symbol_scale");
    readout.frequency = entries.number("frequency", -MOST_CYCLES, MOST_CYCLES);
    readout.timing = entries.integer("timing", -FUTURE, EARLIEST);
    readout.past = entries.integer("past", 0, MOST_TAPS);
    readout.filter =
        entries.rows("filter", num_inputs() * d_sps, readout.past + 1 + FUTURE);
    readout.gain = entries.value("gain");
    kernel::survivor_model& model = readout.model;
    model.feedback = entries.values("feedback", 0, MOST_TAPS);
    model.points = entries.values(
        "warped_points", readout.unit_points.size(), readout.unit_points.size());
    model.centroids.clear();
    for (const auto& point : model.points)
        model.centroids.push_back(readout.gain * point);
    model.alpha = entries.number("alpha", 0.0, 1.0);
    model.beta = entries.number("beta", 0.0, 1.0);
    model.power = entries.number("power", 0.0, 1e38);
    model.survivors = d_parameters.survivors;
    configured_readout trained;
    trained.gain = readout.gain;
    trained.leave_one_out_mse =
        d_report.mse / (readout.symbol_scale * readout.symbol_scale);
    readout.output_variance = output_variance(trained);
    readout.pilots = entries.symbols("pilots", 1);
    d_report.delay = readout.delay(); // tracking is not saved
    do_reset();
}

detector_kind describe_configured_esn() { return describe_kind<configured_esn>(); }

} // namespace reservoir
} // namespace gr
