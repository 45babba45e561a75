/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured_esn_impl.h"

#include "check.h"
#include "detector/saved_file.h"
#include "kernel/inner_loops.h"
#include <gnuradio/reservoir/kernel/spectral_factor.h>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

namespace gr {
namespace reservoir {

namespace {

constexpr int FUTURE = configured_network::FUTURE;
constexpr size_t BLOCK = 512; // symbols that are filtered at once
constexpr int EARLIEST = 8;   // symbols that the channel may begin early
// Blocks of a tracked stream wait together for their last symbol, as single symbols wait otherwise.
constexpr int TRACKED_BLOCK = configured_esn::DECISION_LAG;
constexpr int TRACKED_LAG = channel_tracker::LAG;
const std::vector<double> STREAM_MEMORIES = { 48.0, 96.0, 192.0, 384.0, 1e9 }; // symbols
// symbols whose survivors are kept
constexpr size_t RING = configured_esn::DECISION_LAG + 1;
constexpr uint16_t NOT_TRACED = 0xffff;
constexpr size_t UNUSED = 4096; // symbols that are gathered before they are thrown away

bool finite(gr_complex value)
{
    return std::isfinite(value.real()) && std::isfinite(value.imag());
}

double root_mean_square(const std::vector<gr_complex>& values)
{
    double power = 0.0;
    for (const auto& value : values)
        power += std::norm(std::complex<double>(value)) / values.size();
    return std::sqrt(power);
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
                                          int num_inputs,
                                          int num_outputs)
{
    if (!constellation)
        constellation = digital::constellation_qpsk::make();
    require(constellation->dimensionality() == 1,
            "constellation",
            std::to_string(constellation->dimensionality()) + " dimensions",
            "of one dimension");
    std::vector<int> labels = constellation->pre_diff_code();
    if (labels.size() != constellation->points().size()) {
        labels.resize(constellation->points().size());
        std::iota(labels.begin(), labels.end(), 0);
    }
    return std::make_shared<configured_esn_impl>(
        configured_parameters{ constellation->points(),
                               labels,
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
                               tracking },
        num_inputs,
        num_outputs);
}

void configured_parameters::check() const
{
    require(points.size() >= 2 && points.size() <= 4096 && root_mean_square(points) > 0.0,
            "constellation",
            std::to_string(points.size()) + " points",
            "2 to 4096 points, not all zero");
    require(channel_len >= 0 && channel_len <= 64,
            "channel_len",
            channel_len,
            "1 to 64, or 0 to choose it");
    require(survivors >= 1 && survivors <= 256, "survivors", survivors, "1 to 256");
    require(refits >= 0 && refits <= 16, "refits", refits, "0 to 16");
    require(prior_weight >= 0.0 && prior_weight <= 1e6,
            "prior_weight",
            prior_weight,
            "0 to 1e6");
    require(poles == "estimate" || poles == "statistics",
            "poles",
            "'" + poles + "'",
            "'estimate' or 'statistics'");
    require(num_neurons >= 1 && num_neurons <= 64, "num_neurons", num_neurons, "1 to 64");
    require(max_frequency_offset >= 0.0 && max_frequency_offset <= 0.5,
            "max_frequency_offset",
            max_frequency_offset,
            "0 to 0.5");
    require(
        phase_noise >= 0.0 && phase_noise <= 0.1, "phase_noise", phase_noise, "0 to 0.1");
    require(tracking == "auto" || tracking == "off" || tracking == "on",
            "tracking",
            "'" + tracking + "'",
            "'auto', 'off' or 'on'");
    if (poles == "statistics") {
        require(!feedback, "feedback", feedback, "False with poles = 'statistics'");
        require(refits == 0, "refits", refits, "0 with poles = 'statistics'");
        kernel::poles_from_power_delay_profile(power_delay_profile, num_neurons);
    } else {
        require(power_delay_profile.empty(),
                "power_delay_profile",
                std::to_string(power_delay_profile.size()) + " powers",
                "empty unless poles = 'statistics'");
    }
    require(tracking != "on" || feedback,
            "tracking",
            "'on'",
            "'auto' or 'off' without feedback");
}

pmt::pmt_t configured_parameters::to_pmt() const
{
    return pmt::list6(
        pmt::make_tuple(
            pmt::init_c32vector(points.size(), points),
            pmt::init_s32vector(labels.size(),
                                std::vector<int32_t>(labels.begin(), labels.end()))),
        pmt::make_tuple(pmt::from_long(channel_len),
                        pmt::from_bool(feedback),
                        pmt::from_long(survivors),
                        pmt::from_long(refits),
                        pmt::from_double(prior_weight)),
        pmt::make_tuple(
            pmt::mp(poles),
            pmt::init_f64vector(power_delay_profile.size(), power_delay_profile),
            pmt::from_long(num_neurons)),
        pmt::from_bool(receiver_linearization),
        pmt::make_tuple(pmt::from_double(max_frequency_offset),
                        pmt::from_double(phase_noise)),
        pmt::mp(tracking));
}

configured_parameters configured_parameters::from_pmt(const pmt::pmt_t& saved)
{
    const auto constellation = pmt::nth(0, saved);
    const auto search = pmt::nth(1, saved);
    const auto placing = pmt::nth(2, saved);
    const auto carrier = pmt::nth(4, saved);
    const auto labels = pmt::s32vector_elements(pmt::tuple_ref(constellation, 1));
    return { pmt::c32vector_elements(pmt::tuple_ref(constellation, 0)),
             { labels.begin(), labels.end() },
             int(pmt::to_long(pmt::tuple_ref(search, 0))),
             pmt::to_bool(pmt::tuple_ref(search, 1)),
             int(pmt::to_long(pmt::tuple_ref(search, 2))),
             int(pmt::to_long(pmt::tuple_ref(search, 3))),
             pmt::to_double(pmt::tuple_ref(search, 4)),
             pmt::symbol_to_string(pmt::tuple_ref(placing, 0)),
             pmt::f64vector_elements(pmt::tuple_ref(placing, 1)),
             int(pmt::to_long(pmt::tuple_ref(placing, 2))),
             pmt::to_bool(pmt::nth(3, saved)),
             pmt::to_double(pmt::tuple_ref(carrier, 0)),
             pmt::to_double(pmt::tuple_ref(carrier, 1)),
             pmt::symbol_to_string(pmt::nth(5, saved)) };
}

configured_esn_impl::configured_esn_impl(const configured_parameters& parameters,
                                         int num_inputs,
                                         int num_outputs)
    : detector(num_inputs, num_outputs),
      d_parameters(parameters),
      d_power_delay_profile(parameters.power_delay_profile)
{
    parameters.check();
    require(num_outputs == 1, "num_outputs", num_outputs, "1");
    const float rms = root_mean_square(parameters.points);
    for (const auto& point : parameters.points)
        d_unit_points.push_back(point / rms);
}

int configured_esn_impl::do_look_ahead() const
{
    return FUTURE + EARLIEST + 1 +
           (d_parameters.feedback ? TRACKED_BLOCK + TRACKED_LAG : 0);
}

configured_settings configured_esn_impl::settings() const
{
    configured_settings settings;
    settings.points.resize(d_unit_points.size());
    for (size_t m = 0; m < d_unit_points.size(); m++)
        settings.points(m) = d_unit_points[m];
    settings.points /= std::sqrt(settings.points.squaredNorm() / settings.points.size());
    settings.feedback = d_parameters.feedback;
    settings.channel_len = d_parameters.channel_len;
    settings.survivors = d_parameters.survivors;
    settings.refits = d_parameters.refits;
    settings.prior_weight = d_parameters.prior_weight;
    settings.receiver_linearization = d_parameters.receiver_linearization;
    settings.max_frequency_offset = d_parameters.max_frequency_offset;
    settings.phase_noise = d_parameters.phase_noise;
    settings.tracking = d_parameters.tracking == "on"    ? tracking_mode::on
                        : d_parameters.tracking == "off" ? tracking_mode::off
                                                         : tracking_mode::automatic;
    settings.phases = d_sps;
    if (d_parameters.poles == "statistics") {
        const kernel::placed_poles placed = kernel::poles_from_power_delay_profile(
            d_power_delay_profile, d_parameters.num_neurons);
        settings.causal_poles = Eigen::Map<const Eigen::VectorXcd>(placed.causal.data(),
                                                                   placed.causal.size());
        settings.anticausal_poles = Eigen::Map<const Eigen::VectorXcd>(
            placed.anticausal.data(), placed.anticausal.size());
    }
    if (!d_known_channel.empty()) { // a tap of a sampling phase is every sps-th sample's
        const size_t length = (d_known_channel[0].size() + d_sps - 1) / d_sps;
        settings.channel = Eigen::MatrixXcd::Zero(length, num_inputs() * d_sps);
        for (int a = 0; a < num_inputs(); a++)
            for (size_t n = 0; n < d_known_channel[a].size(); n++)
                settings.channel(n / d_sps, a * d_sps + n % d_sps) =
                    d_known_channel[a][n];
        settings.channel /= settings.channel.norm();
    }
    return settings;
}

void configured_esn_impl::do_set_tracking(digital::constellation_sptr constellation)
{
    require(!constellation || (d_parameters.feedback && d_parameters.poles == "estimate"),
            "adapt_after_training",
            true,
            "false for configured_esn without feedback, which decides nothing");
    d_track_next = bool(constellation);
}

void configured_esn_impl::do_set_channel(const stream_matrix& channel)
{
    if (channel.empty() || channel[0].empty()) {
        d_known_channel.clear();
        return;
    }
    require(d_parameters.poles == "estimate",
            "channel",
            "given",
            "empty unless poles = 'estimate'");
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

void configured_esn_impl::do_set_power_delay_profile(const std::vector<double>& powers)
{
    require(d_parameters.poles == "statistics",
            "power_delay_profile",
            std::to_string(powers.size()) + " powers",
            "empty unless poles = 'statistics'");
    kernel::poles_from_power_delay_profile(powers, d_parameters.num_neurons); // throws
    d_power_delay_profile = powers;
}

std::vector<std::complex<double>>
configured_esn_impl::prepare(const gr_complex* const* received,
                             size_t num_samples,
                             const stream_matrix& pilots,
                             int sps)
{
    d_sps = sps;
    double power = 0.0;
    size_t count = 0;
    for (int a = 0; a < num_inputs(); a++) {
        for (size_t n = 0; n < std::min(num_samples, pilots[0].size() * sps); n++) {
            if (finite(received[a][n])) {
                power += std::norm(std::complex<double>(received[a][n]));
                count++;
            }
        }
    }
    const double rms = count > 0 ? std::sqrt(power / count) : 0.0;
    d_input_gain = rms > 1e-30 ? 1.0 / rms : 1.0;

    // the raw or the unit-power points, whichever the pilots lie on
    const double raw = root_mean_square(d_parameters.points);
    const bool on_raw =
        std::all_of(pilots[0].begin(), pilots[0].end(), [&](gr_complex pilot) {
            return std::any_of(d_parameters.points.begin(),
                               d_parameters.points.end(),
                               [pilot](gr_complex point) {
                                   return std::abs(point - pilot) <=
                                          1e-3f * std::abs(point);
                               });
        });
    d_symbol_scale = on_raw ? raw : 1.0;
    if (!d_parameters.feedback && d_parameters.refits == 0) // any waveform
        d_symbol_scale = std::max(root_mean_square(pilots[0]), 1e-30);
    d_pilots.clear();
    std::vector<std::complex<double>> known;
    for (const auto& pilot : pilots[0]) {
        known.push_back(std::complex<double>(pilot) / d_symbol_scale);
        d_pilots.emplace_back(known.back());
    }
    return known;
}

kernel::sample_streams configured_esn_impl::split(const gr_complex* const* received,
                                                  size_t num_samples) const
{
    const size_t symbols = (num_samples + d_sps - 1) / d_sps;
    kernel::sample_streams streams;
    for (int a = 0; a < num_inputs(); a++) {
        for (int q = 0; q < d_sps; q++) {
            Eigen::VectorXcd stream = Eigen::VectorXcd::Zero(symbols);
            for (size_t n = q, k = 0; n < num_samples; n += d_sps, k++)
                if (finite(received[a][n]))
                    stream(k) = d_input_gain * std::complex<double>(received[a][n]);
            streams.push_back(stream);
        }
    }
    return streams;
}

void configured_esn_impl::use(const configured_network& network,
                              const configured_readout& readout)
{
    d_timing = readout.window.timing;
    d_past = readout.past;
    d_gain = gr_complex(readout.gain);
    d_filter.clear();
    for (const auto column : readout.fir.colwise()) {
        const Eigen::VectorXcf taps = column.cast<gr_complex>();
        d_filter.emplace_back(taps.begin(), taps.end());
    }
    d_model = network.model(readout, d_parameters.phase_noise);
}

int configured_esn_impl::output_delay(int timing) const
{
    if (d_tracking) // every block may have a timing of its own
        return FUTURE + EARLIEST + TRACKED_LAG + TRACKED_BLOCK - 1 + (d_sps > 1);
    return FUTURE - timing + (d_sps > 1) + (d_parameters.feedback ? DECISION_LAG : 0);
}

training_report configured_esn_impl::describe(const configured_readout& readout,
                                              double noise_variance) const
{
    training_report report;
    const double power = d_symbol_scale * d_symbol_scale;
    report.mse = readout.leave_one_out_mse * power;
    report.noise_variance = noise_variance * power;
    report.evm_db = 10.0 * std::log10(std::max(noise_variance, 1e-30));
    report.delay = output_delay(readout.window.timing);
    report.regularization = readout.prior_weight;
    const double gain = 1.0 / (d_input_gain * d_symbol_scale);
    for (int a = 0; readout.taps.size() > 0 && a < num_inputs(); a++) {
        report.channel.emplace_back();
        for (Eigen::Index l = 0; l < readout.taps.rows(); l++)
            for (int q = 0; q < d_sps; q++)
                report.channel[a].emplace_back(gain * readout.taps(l, a * d_sps + q));
    }
    for (const auto& pole : readout.poles)
        report.poles.emplace_back(pole);
    report.timing = readout.window.timing;
    for (const auto& gain : readout.warp)
        report.warp.emplace_back(gain);
    report.condition_number = { readout.condition_number };
    report.bad_samples = d_bad_samples;
    return report;
}

training_report configured_esn_impl::do_fit(const gr_complex* const* received,
                                            size_t num_samples,
                                            const stream_matrix& pilots,
                                            int sps)
{
    const auto known = prepare(received, num_samples, pilots, sps);
    const kernel::sample_streams streams = split(received, num_samples);
    const configured_network network(settings());
    configured_readout readout = network.fit(streams, known);
    d_tracking = d_track_next;
    kernel::sample_streams input = streams;
    d_frequency = 0.0;
    const double offset = d_parameters.feedback
                              ? network
                                    .find_offset(streams,
                                                 network.known(known, streams[0].size()),
                                                 known.size())
                                    .frequency
                              : 0.0;
    if (offset != 0.0) {
        const kernel::sample_streams turned = network.derotated(streams, offset);
        const configured_readout other = network.fit(turned, known);
        if (other.leave_one_out_mse < readout.leave_one_out_mse) {
            readout = other;
            input = turned;
            d_frequency = offset;
        }
    }
    use(network, readout);
    d_model.power = network.feedforward(readout, input, { 0, Eigen::Index(known.size()) })
                            .squaredNorm() /
                        known.size() +
                    1e-9;
    do_reset();
    training_report report =
        describe(readout, readout.leave_one_out_mse / std::norm(readout.gain));
    report.carrier_offset = d_frequency;
    // detection will see these samples again and count them for good
    for (int a = 0; a < num_inputs(); a++)
        report.bad_samples +=
            std::count_if(received[a], received[a] + num_samples, [](gr_complex sample) {
                return !finite(sample);
            });
    return report;
}

void configured_esn_impl::do_receive(const gr_complex* const* received,
                                     size_t num_samples,
                                     const stream_matrix& pilots,
                                     int sps,
                                     size_t num_symbols,
                                     gr_complex* const* symbols)
{
    const auto start = std::chrono::steady_clock::now();
    const auto known = prepare(received, num_samples, pilots, sps);
    const size_t used = std::min(num_samples, (num_symbols + LOOK_AHEAD) * sps);
    for (int a = 0; a < num_inputs(); a++)
        d_bad_samples += std::count_if(received[a],
                                       received[a] + used,
                                       [](gr_complex sample) { return !finite(sample); });
    kernel::sample_streams streams = split(received, used);
    for (auto& stream : streams) // missing look-ahead counts as zero
        if (stream.size() < Eigen::Index(num_symbols + LOOK_AHEAD))
            stream.conservativeResizeLike(
                Eigen::VectorXcd::Zero(num_symbols + LOOK_AHEAD));

    const configured_settings frame_settings = settings();
    const configured_network network(frame_settings);
    configured_frame frame;
    if (!d_parameters.feedback && d_parameters.refits == 0) { // nothing is decided
        frame.readout = network.fit(streams, known);
        frame.soft = network.feedforward(
                         frame.readout, streams, { 0, Eigen::Index(num_symbols) }) /
                     frame.readout.gain;
        frame.soft_variance =
            frame.readout.leave_one_out_mse / std::norm(frame.readout.gain);
    } else {
        frame = configured_receiver(frame_settings)
                    .receive(streams, known, num_symbols - known.size());
    }
    for (size_t n = 0; n < num_symbols; n++)
        symbols[0][n] = gr_complex(frame.soft(n) * d_symbol_scale);
    use(network, frame.readout);
    d_tracking = false;
    d_frequency = frame.carrier_offset;
    do_reset();
    d_report = describe(frame.readout, frame.soft_variance);
    d_report.carrier_offset = frame.carrier_offset;
    for (const double residual : frame.residuals)
        d_report.residuals.push_back(residual / (d_input_gain * d_input_gain));
    d_report.refits = frame.kept_pass;
    d_report.tracked = frame.tracked;
    if (!frame.condition_numbers.empty())
        d_report.condition_number = frame.condition_numbers;
    d_report.trained = true;
    d_report.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void configured_esn_impl::do_reset()
{
    const int num_streams = num_inputs() * d_sps;
    // the samples before the first pilot count as zero
    d_first_symbol = std::min(-d_past - d_timing, 0);
    d_re.assign(num_streams, std::vector<float>(-d_first_symbol, 0.0f));
    d_im = d_re;
    d_taps_re.clear();
    d_taps_im.clear();
    // without feedback the filter's outputs are the symbols
    const gr_complex scale =
        d_parameters.feedback ? gr_complex(1.0f) : gr_complex(d_symbol_scale) / d_gain;
    for (const auto& row : d_filter) {
        for (const auto& tap : row) {
            d_taps_re.push_back((tap * scale).real());
            d_taps_im.push_back((tap * scale).imag());
        }
    }
    d_filtered.resize(BLOCK);
    d_num_samples = 0;
    d_next = 0;
    d_decided = 0;
    d_last.assign(d_model.feedback.size(), 0.0f);
    d_pilot_output.clear();
    d_search.reset();
    if (d_parameters.feedback && !d_model.points.empty()) {
        d_search = std::make_unique<kernel::survivor_search>(d_model);
        d_parents.assign(RING * d_parameters.survivors, 0);
        d_symbols.assign(d_parents.size(), 0);
        d_path.assign(RING, NOT_TRACED);
    }
    d_tracker.reset();
    if (d_tracking) {
        d_network = std::make_unique<configured_network>(settings());
        d_tracker = std::make_unique<channel_tracker>(*d_network, STREAM_MEMORIES);
        d_history =
            d_network->known({ d_pilots.begin(), d_pilots.end() }, d_pilots.size());
        d_phase = Eigen::VectorXd::Zero(d_pilots.size());
        d_history_first = 0;
        d_tracked = d_pilots.size();
        d_released = 0;
    }
}

size_t configured_esn_impl::append(const gr_complex* const* received, size_t num_samples)
{
    for (int a = 0; a < num_inputs(); a++) {
        const gr_complex* samples = received[a];
        // from the sample's number, so that pieces give the same
        if (d_frequency != 0.0) {
            d_derotated.resize(num_samples);
            for (size_t n = 0; n < num_samples; n++) {
                const double cycles = d_frequency * (d_num_samples + n) / d_sps;
                d_derotated[n] =
                    samples[n] *
                    gr_complex(std::polar(1.0, -2.0 * M_PI * std::fmod(cycles, 1.0)));
            }
            samples = d_derotated.data();
        }
        for (size_t first = 0; first < std::min<size_t>(num_samples, d_sps); first++) {
            const size_t stream = a * d_sps + (d_num_samples + first) % d_sps;
            const size_t size = d_re[stream].size();
            const size_t added = (num_samples - first + d_sps - 1) / d_sps;
            d_re[stream].resize(size + added);
            d_im[stream].resize(size + added);
            d_bad_samples += kernel::simd::deinterleave(samples + first,
                                                        d_sps,
                                                        added,
                                                        d_input_gain,
                                                        &d_re[stream][size],
                                                        &d_im[stream][size]);
        }
    }
    d_num_samples += num_samples;
    return d_re.back().size(); // complete symbol periods
}

void configured_esn_impl::filter_block(size_t start, size_t count, gr_complex* filtered)
{
    constexpr size_t READABLE = 64; // beyond the end, see simd::fir
    std::vector<const float*> re, im;
    for (size_t q = 0; q < d_re.size(); q++) {
        for (auto* samples : { &d_re[q], &d_im[q] })
            samples->resize(samples->size() + READABLE);
        re.push_back(&d_re[q][start]);
        im.push_back(&d_im[q][start]);
    }
    kernel::simd::fir(re.data(),
                      im.data(),
                      re.size(),
                      d_past + 1 + FUTURE,
                      d_taps_re.data(),
                      d_taps_im.data(),
                      count,
                      filtered);
    for (size_t q = 0; q < d_re.size(); q++)
        for (auto* samples : { &d_re[q], &d_im[q] })
            samples->resize(samples->size() - READABLE);
}

gr_complex configured_esn_impl::pilot_output(gr_complex filtered)
{
    gr_complex sum = filtered;
    for (size_t j = 0; j < d_last.size(); j++)
        sum += d_model.feedback[j] * d_last[j];
    if (!d_last.empty()) {
        std::rotate(d_last.begin(), d_last.end() - 1, d_last.end());
        d_last[0] = d_pilots[d_next];
    }
    return sum / d_gain;
}

gr_complex configured_esn_impl::traced_back()
{
    const size_t width = d_parameters.survivors;
    size_t survivor = d_search->best();
    size_t row = (d_decided - 1) % RING;
    const size_t oldest = (row + 1) % RING;
    // Where it meets the path that was traced for the symbol before, the rest is the same.
    while (row != oldest) {
        d_path[row] = survivor;
        survivor = d_parents[row * width + survivor];
        row = (row > 0 ? row : RING) - 1;
        if (d_path[row] == survivor)
            break;
    }
    if (row == oldest)
        d_path[row] = survivor;
    return d_unit_points[d_symbols[oldest * width + d_path[oldest]]];
}

size_t configured_esn_impl::detect_fixed(int64_t complete, gr_complex* symbols)
{
    const int64_t lag = DECISION_LAG;
    const int64_t num_pilots = d_pilots.size();
    const float scale = d_symbol_scale;
    size_t produced = 0;
    // symbol n reads samples n - past - timing, ..., n + FUTURE - timing
    const int64_t end = complete - FUTURE + d_timing;
    const auto first_sample = [this] {
        return d_next - d_past - d_timing - d_first_symbol;
    };
    if (!d_parameters.feedback) {
        if (d_next < end) {
            produced = end - d_next;
            filter_block(first_sample(), produced, symbols);
            d_next = end;
        }
        return produced;
    }
    for (size_t place = BLOCK; d_next < end; d_next++, place++) {
        if (place == BLOCK) {
            filter_block(first_sample(),
                         std::min<int64_t>(BLOCK, end - d_next),
                         d_filtered.data());
            place = 0;
        }
        const gr_complex output = d_filtered[place];
        if (d_next < num_pilots) {
            d_pilot_output.push_back(pilot_output(output));
        } else {
            if (d_decided == 0)
                d_search->start(d_last.data());
            const size_t row = d_decided % RING * d_parameters.survivors;
            d_search->step(output, &d_parents[row], &d_symbols[row], nullptr);
            d_decided++;
        }
        if (d_next >= lag)
            symbols[produced++] =
                scale * (d_next - lag < num_pilots ? d_pilot_output[d_next - lag]
                                                   : traced_back());
    }
    return produced;
}

// Decides the block that begins at symbol first, all its samples being there.
void configured_esn_impl::track_block(int64_t first)
{
    const int64_t last = first + TRACKED_BLOCK;
    const int64_t start = std::max<int64_t>(first - d_tracker->window(), 0);
    const int64_t begin = std::max<int64_t>(start - channel_tracker::MARGIN, 0);
    const int64_t size = last + TRACKED_LAG + FUTURE + EARLIEST - begin;
    d_history.resize(last - d_history_first);
    d_phase.conservativeResize(last - d_history_first);

    block_surroundings part;
    for (size_t q = 0; q < d_re.size(); q++) {
        const float* re = &d_re[q][begin - d_first_symbol];
        const float* im = &d_im[q][begin - d_first_symbol];
        Eigen::VectorXcd stream(size);
        stream.real() = Eigen::Map<const Eigen::VectorXf>(re, size).cast<double>();
        stream.imag() = Eigen::Map<const Eigen::VectorXf>(im, size).cast<double>();
        part.raw.push_back(stream);
    }
    part.symbols = d_history.cut(begin - d_history_first, last - d_history_first);
    part.symbols.resize(size);
    part.phase = Eigen::VectorXd::Zero(size);
    part.phase.head(first - begin) =
        d_phase.segment(begin - d_history_first, first - begin);
    part.known = { start - begin, first - begin };
    part.block = { first - begin, last - begin };
    part.searched = { first - begin, last + TRACKED_LAG - begin };
    d_tracker->detect(part);

    for (int64_t n = first; n < last; n++)
        d_history.set(n - d_history_first,
                      part.symbols.values(n - begin),
                      part.symbols.rings[n - begin]);
    d_history.decided = true;
    d_phase.tail(TRACKED_BLOCK) = part.phase.segment(first - begin, TRACKED_BLOCK);
}

size_t configured_esn_impl::detect_tracked(int64_t complete, gr_complex* symbols)
{
    const int64_t num_pilots = d_pilots.size();
    const int64_t end = std::min(complete - FUTURE + d_timing, num_pilots);
    for (size_t place = BLOCK; d_next < end; d_next++, place++) {
        if (place == BLOCK) {
            filter_block(d_next - d_past - d_timing - d_first_symbol,
                         std::min<int64_t>(BLOCK, end - d_next),
                         d_filtered.data());
            place = 0;
        }
        d_pilot_output.push_back(pilot_output(d_filtered[place]));
    }
    for (; d_tracked + TRACKED_BLOCK + TRACKED_LAG + FUTURE + EARLIEST <= complete;
         d_tracked += TRACKED_BLOCK)
        track_block(d_tracked);

    size_t produced = 0;
    const int64_t decided =
        complete - (FUTURE + EARLIEST + TRACKED_LAG + TRACKED_BLOCK - 1);
    for (; d_released < decided; d_released++)
        symbols[produced++] =
            float(d_symbol_scale) *
            (d_released < num_pilots
                 ? d_pilot_output[d_released]
                 : gr_complex(d_history.values(d_released - d_history_first)));
    const int64_t kept =
        d_tracked - channel_tracker::LONGEST_MEMORY - channel_tracker::MARGIN;
    if (kept - d_history_first > int64_t(UNUSED)) {
        const int64_t size = d_tracked - d_history_first;
        d_history = d_history.cut(kept - d_history_first, size);
        d_phase = d_phase.segment(kept - d_history_first, d_tracked - kept).eval();
        d_history_first = kept;
    }
    return produced;
}

size_t configured_esn_impl::do_detect(const gr_complex* const* received,
                                      size_t num_samples,
                                      gr_complex* const* symbols)
{
    const int64_t complete = d_first_symbol + append(received, num_samples);
    const size_t produced = d_tracking ? detect_tracked(complete, symbols[0])
                                       : detect_fixed(complete, symbols[0]);
    // what no later symbol reads
    int64_t unused = d_next - d_past - d_timing - d_first_symbol;
    if (d_tracking)
        unused = std::min(d_tracked - channel_tracker::LONGEST_MEMORY -
                              channel_tracker::MARGIN,
                          d_released) -
                 d_first_symbol;
    if (unused > int64_t(UNUSED)) {
        for (auto* streams : { &d_re, &d_im })
            for (auto& stream : *streams)
                stream.erase(stream.begin(), stream.begin() + unused);
        d_first_symbol += unused;
    }
    return produced;
}

stream_matrix configured_esn_impl::filter() const { return d_filter; }

detector::sptr configured_esn_impl::do_clone() const { return load(do_save()); }

void configured_esn_impl::do_adopt(const detector& trained)
{
    const auto& other = dynamic_cast<const configured_esn_impl&>(trained);
    require(other.d_parameters.feedback == d_parameters.feedback &&
                other.d_parameters.survivors == d_parameters.survivors &&
                other.d_unit_points == d_unit_points,
            "trained",
            "another constellation, survivors or feedback",
            "with the same parameters");
    d_sps = other.d_sps;
    d_input_gain = other.d_input_gain;
    d_symbol_scale = other.d_symbol_scale;
    d_frequency = other.d_frequency;
    d_timing = other.d_timing;
    d_past = other.d_past;
    d_filter = other.d_filter;
    d_gain = other.d_gain;
    d_model = other.d_model;
    d_pilots = other.d_pilots;
    d_tracking = false;
    do_reset();
}

pmt::pmt_t configured_esn_impl::do_save() const
{
    pmt::pmt_t dict = pmt::make_dict();
    const auto add = [&dict](const char* key, const pmt::pmt_t& value) {
        dict = pmt::dict_add(dict, pmt::mp(key), value);
    };
    add("parameters", d_parameters.to_pmt());
    add("num_inputs", pmt::from_long(num_inputs()));
    add("num_outputs", pmt::from_long(num_outputs()));
    add("power_delay_profile",
        pmt::init_f64vector(d_power_delay_profile.size(), d_power_delay_profile));
    add("known_channel", rows_to_pmt(d_known_channel));
    add("trained", pmt::from_bool(d_report.trained));
    if (!d_report.trained)
        return dict;
    add("sps", pmt::from_long(d_sps));
    add("scales",
        pmt::make_tuple(pmt::from_double(d_input_gain),
                        pmt::from_double(d_symbol_scale),
                        pmt::from_double(d_frequency)));
    add("window", pmt::make_tuple(pmt::from_long(d_timing), pmt::from_long(d_past)));
    add("filter", rows_to_pmt(d_filter));
    add("gain", pmt::from_complex(d_gain));
    add("feedback", pmt::init_c32vector(d_model.feedback.size(), d_model.feedback));
    add("warped_points", pmt::init_c32vector(d_model.points.size(), d_model.points));
    add("loop",
        pmt::make_tuple(pmt::from_double(d_model.alpha),
                        pmt::from_double(d_model.beta),
                        pmt::from_double(d_model.power)));
    add("pilots", pmt::init_c32vector(d_pilots.size(), d_pilots));
    add("figures",
        pmt::make_tuple(pmt::from_double(d_report.mse),
                        pmt::from_double(d_report.evm_db),
                        pmt::from_double(d_report.regularization),
                        pmt::from_double(d_report.noise_variance)));
    add("channel", rows_to_pmt(d_report.channel));
    add("poles", pmt::init_c32vector(d_report.poles.size(), d_report.poles));
    return dict;
}

configured_esn::sptr configured_esn_impl::load(const pmt::pmt_t& saved)
{
    auto loaded = std::make_shared<configured_esn_impl>(
        configured_parameters::from_pmt(saved_entry(saved, "parameters")),
        pmt::to_long(saved_entry(saved, "num_inputs")),
        pmt::to_long(saved_entry(saved, "num_outputs")));
    loaded->d_power_delay_profile =
        pmt::f64vector_elements(saved_entry(saved, "power_delay_profile"));
    loaded->d_known_channel = rows_from_pmt(saved_entry(saved, "known_channel"));
    if (!pmt::to_bool(saved_entry(saved, "trained")))
        return loaded;
    loaded->d_sps = pmt::to_long(saved_entry(saved, "sps"));
    const auto scales = saved_entry(saved, "scales");
    loaded->d_input_gain = pmt::to_double(pmt::tuple_ref(scales, 0));
    loaded->d_symbol_scale = pmt::to_double(pmt::tuple_ref(scales, 1));
    loaded->d_frequency = pmt::to_double(pmt::tuple_ref(scales, 2));
    const auto window = saved_entry(saved, "window");
    loaded->d_timing = pmt::to_long(pmt::tuple_ref(window, 0));
    loaded->d_past = pmt::to_long(pmt::tuple_ref(window, 1));
    loaded->d_filter = rows_from_pmt(saved_entry(saved, "filter"));
    const size_t taps = loaded->d_past + 1 + FUTURE;
    if (loaded->d_sps < 1 || loaded->d_past < 0 ||
        loaded->d_filter.size() != size_t(loaded->num_inputs() * loaded->d_sps) ||
        std::any_of(loaded->d_filter.begin(),
                    loaded->d_filter.end(),
                    [taps](const auto& row) { return row.size() != taps; }))
        throw std::runtime_error("load: the saved filter has another size");
    loaded->d_gain = gr_complex(pmt::to_complex(saved_entry(saved, "gain")));
    loaded->d_model.feedback = pmt::c32vector_elements(saved_entry(saved, "feedback"));
    loaded->d_model.points = pmt::c32vector_elements(saved_entry(saved, "warped_points"));
    if (loaded->d_model.points.size() != loaded->d_unit_points.size())
        throw std::runtime_error("load: the saved constellation has another size");
    for (const auto& point : loaded->d_model.points)
        loaded->d_model.centroids.push_back(loaded->d_gain * point);
    const auto loop = saved_entry(saved, "loop");
    loaded->d_model.alpha = pmt::to_double(pmt::tuple_ref(loop, 0));
    loaded->d_model.beta = pmt::to_double(pmt::tuple_ref(loop, 1));
    loaded->d_model.power = pmt::to_double(pmt::tuple_ref(loop, 2));
    loaded->d_model.survivors = loaded->d_parameters.survivors;
    loaded->d_pilots = pmt::c32vector_elements(saved_entry(saved, "pilots"));

    training_report& report = loaded->d_report;
    report.trained = true;
    report.delay = loaded->output_delay(loaded->d_timing); // tracking is not saved
    const auto figures = saved_entry(saved, "figures");
    report.mse = pmt::to_double(pmt::tuple_ref(figures, 0));
    report.evm_db = pmt::to_double(pmt::tuple_ref(figures, 1));
    report.regularization = pmt::to_double(pmt::tuple_ref(figures, 2));
    report.noise_variance = pmt::to_double(pmt::tuple_ref(figures, 3));
    report.channel = rows_from_pmt(saved_entry(saved, "channel"));
    report.poles = pmt::c32vector_elements(saved_entry(saved, "poles"));
    loaded->do_reset();
    return loaded;
}

} // namespace reservoir
} // namespace gr
