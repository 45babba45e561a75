/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/ofdm_configured.h>

#include "detector/level_steps.h"
#include "detector/ofdm/carrier_detector.h"
#include "detector/ofdm/carrier_receiver.h"
#include "detector/ofdm/sample_conditioner.h"
#include "detector/ofdm/sample_equalizer.h"
#include "detector/ofdm/symbol_follower.h"
#include <gnuradio/reservoir/detector_kind.h>
#include <gnuradio/reservoir/kernel/amplified_channel.h>
#include <algorithm>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::MatrixXcd;
using kernel::carrier_streams;
using kernel::row_range;
using kernel::sample_streams;

namespace {

// taps of the channel, by the criterion: to try those of the longest prefixes would take seconds
constexpr Index LEAST_LONGEST = 16, MOST_LONGEST = 96;
constexpr int LIKELY_ORDER = 2; // of the amplifiers' polynomial, by the criterion
constexpr int TURNS_PER_REFIT = 2;
constexpr int LAST_TURNS = 2;
constexpr double OFDM_LOG_RATIO = 14.0;  // of a step: samples of OFDM are more random
constexpr Index LEAST_STEP_WINDOW = 128; // samples on each side of it
constexpr int PILOT_PASSES = 3;          // of what is taken out of the samples
constexpr double FITS_WORSE =
    1.25; // residual over the pilots', where the channel may move

Index longest_channel(const ofdm_frame& frame,
                      const ofdm_configured_parameters& parameters)
{
    const Index most =
        parameters.channel_len > 0
            ? Index(parameters.channel_len)
            : std::clamp(frame.transform->longest_cp(), LEAST_LONGEST, MOST_LONGEST);
    return std::min<Index>(most, parameters.fft_len);
}

/*
 * Decides a frame and takes away what the model says of the decisions, in turns.
 */
class canceller
{
public:
    canceller(const ofdm_frame& frame, const ofdm_configured_parameters& parameters)
        : d_frame(frame),
          d_parameters(parameters),
          d_whole(frame.whole_symbols()),
          d_conditioner(frame),
          d_detector(frame,
                     frame.points(parameters.constellation),
                     carrier_detector::method::joint)
    {
        d_found.symbols = frame.pilots->known;
    }

    ofdm_result run()
    {
        const int turns = TURNS_PER_REFIT * d_parameters.refits + LAST_TURNS;
        begin();
        for (int turn = 1; turn <= turns; turn++) {
            const bool refit =
                turn % TURNS_PER_REFIT == 0 && d_found.refits < d_parameters.refits;
            if (refit) {
                fit(d_found.symbols, d_frame.num_symbols, 1);
                d_found.refits++;
            } else if (!d_changed) {
                continue;
            }
            const carrier_streams cleaned = without_what_is_added();
            if (!d_drift.empty() || (refit && may_drift() && fits_worse()))
                d_drift = drift_of(cleaned, model(), d_found.symbols).likeliest();
            decide(cleaned);
            if (turn == 1 && d_whole > 0 && may_drift())
                follow(cleaned);
        }
        d_found.taps = d_conditioner.own(d_model.taps, d_parameters.channel_len);
        if (d_frame.soft)
            find_log_likelihoods();
        return d_found;
    }

    //! What was sent, at the antennas; behind run().
    sample_streams expected() const
    {
        kernel::amplified_channel model = d_model;
        model.taps = d_conditioner.own(d_model.taps);
        return model.output(d_frame.sent(d_found.symbols));
    }

private:
    // By the symbols at the beginning that are known as a whole, or else by the known carriers.
    void begin()
    {
        if (d_whole > 0) {
            fit(d_frame.pilots->known, d_whole, PILOT_PASSES);
        } else {
            const kernel::carrier_channel channel =
                kernel::estimate_carrier_channel(d_frame.received(),
                                                 d_frame.pilots->known,
                                                 d_frame.pilots->usable,
                                                 longest(),
                                                 d_parameters.channel_len);
            const Index streams = d_frame.pilots->known.size();
            take({ channel.taps,
                   MatrixXcd(0, streams),
                   Eigen::VectorXd::Ones(streams),
                   channel.noise_variance });
            d_found.mse = relative_error(channel.noise_variance, channel.power);
        }
        if (d_whole > 0 && !within_prefix()) {
            d_found.symbols = equalize_samples(d_frame, d_conditioner.samples(), d_whole);
            d_detector.slice(d_found.symbols);
        } else {
            decide(d_conditioner.carriers());
        }
    }

    bool within_prefix() const
    {
        return d_model.taps.length - 1 <= d_frame.transform->longest_cp();
    }

    // A channel is followed from symbol to symbol only where that does not take seconds.
    bool may_drift() const
    {
        const Index unknowns = d_model.taps.length * Index(d_frame.pilots->known.size());
        return within_prefix() &&
               kernel::channel_drift::affordable(d_frame.num_symbols, unknowns);
    }

    // The whole frame, than the pilots alone. Without whole pilots that is not known.
    bool fits_worse() const
    {
        return d_whole == 0 ||
               d_model.noise_variance > FITS_WORSE * d_found.residuals.front();
    }

    Index longest() const { return longest_channel(d_frame, d_parameters); }

    // The model, then what is to be taken out of the samples, and the model again if there is something.
    void fit(const carrier_streams& symbols, Index count, int passes)
    {
        carrier_streams known;
        for (const MatrixXcd& stream : symbols)
            known.push_back(stream.leftCols(count));
        const sample_streams sent = d_frame.sent(known);
        const Index end = d_frame.transform->begin(count), streams = sent.size();
        const Index most = std::max<Index>(end / (2 * streams), 1);
        const int order = d_parameters.amplifier_order;
        kernel::amplified_channel model;
        for (int pass = 0;; pass++) {
            const Index memory = d_conditioner.memory();
            const Index taps =
                std::min({ longest() + memory, most, Index(d_parameters.fft_len) });
            const Index length =
                d_parameters.channel_len > 0 ? d_parameters.channel_len + memory : 0;
            model = kernel::fit_amplified_channel(d_conditioner.samples(),
                                                  sent,
                                                  { taps - 1, end },
                                                  taps,
                                                  std::min(length, taps),
                                                  order < 0 ? LIKELY_ORDER : order,
                                                  std::max(order, 0));
            if (d_found.residuals.empty() && pass == 0)
                d_found.mse = // nothing is whitened yet
                    relative_error(model.noise_variance, power_of({ taps - 1, end }));
            if (pass == passes ||
                !d_conditioner.learn(model, sent, count == d_whole, d_drift.empty()))
                break;
        }
        take(model);
    }

    double power_of(row_range rows) const
    {
        double power = 0.0;
        for (const Eigen::VectorXcd& antenna : d_conditioner.samples())
            power += antenna.segment(rows.first, rows.size()).squaredNorm();
        return power / double(rows.size() * d_conditioner.samples().size());
    }

    void take(const kernel::amplified_channel& model)
    {
        d_model = model;
        d_responses = model.taps.responses(d_parameters.fft_len);
        d_found.residuals.push_back(model.noise_variance);
    }

    kernel::noise_split noise() const { return { d_model.noise_variance, 0.0 }; }

    // act(responses, OFDM symbols that have them)
    template <class Action>
    void by_responses(Action&& act) const
    {
        if (d_drift.empty())
            return act(d_responses, row_range{ 0, d_frame.num_symbols });
        for (Index n = 0; n < d_frame.num_symbols; n++)
            act(moved_responses(d_responses, d_drift[n]), row_range{ n, n + 1 });
    }

    void decide(const carrier_streams& received)
    {
        const carrier_streams before = d_found.symbols;
        double sum = 0.0;
        by_responses([&](const auto& responses, row_range which) {
            sum +=
                d_detector.detect(received, responses, noise(), d_found.symbols, which);
        });
        const Index parts = d_drift.empty() ? 1 : d_frame.num_symbols - d_whole;
        d_found.noise_variance = sum / double(std::max<Index>(parts, 1));
        d_changed = before != d_found.symbols;
    }

    void find_log_likelihoods()
    {
        const carrier_streams cleaned = without_what_is_added();
        by_responses([&](const auto& responses, row_range which) {
            d_detector.log_likelihoods(cleaned,
                                       responses,
                                       noise(),
                                       d_found.symbols,
                                       which,
                                       d_found.log_likelihoods);
        });
        d_detector.flatten(d_found.log_likelihoods);
    }

    carrier_streams without_what_is_added() const
    {
        carrier_streams out =
            d_frame.carriers(d_model.output(d_frame.sent(d_found.symbols)));
        Eigen::VectorXcd response(d_parameters.fft_len);
        for (Index r = 0; r < Index(out.size()); r++) {
            for (Index j = 0; j < Index(d_found.symbols.size()); j++) {
                for (Index k = 0; k < response.size(); k++)
                    response(k) = d_responses[k](r, j);
                for (Index n = 0; n < d_frame.num_symbols; n++)
                    out[r].col(n) -= response.cwiseProduct(d_found.symbols[j].col(n));
            }
            out[r] = d_conditioner.carriers()[r] - out[r];
        }
        return out;
    }

    frame_model model() const
    {
        return { d_responses, d_model.taps.length, d_model.noise_variance };
    }

    // Decides again, symbol by symbol, where the channel has moved since the pilots.
    void follow(const carrier_streams& cleaned)
    {
        symbol_follower follower(d_frame, d_detector, model(), d_whole);
        if (!follower.seems_to_move(cleaned, d_found.symbols) ||
            !follower.follow(cleaned, d_found.symbols))
            return;
        d_conditioner.turn_back(follower.angles());
        d_drift = follower.drift();
        d_changed = true;
    }

    const ofdm_frame& d_frame;
    const ofdm_configured_parameters& d_parameters;
    const Index d_whole; // symbols that are known, at the beginning
    sample_conditioner d_conditioner;
    carrier_detector d_detector;
    kernel::amplified_channel d_model;
    std::vector<kernel::mimo_matrix> d_responses; // of its taps
    std::vector<kernel::mimo_taps> d_drift;       // of each symbol; empty: none
    ofdm_result d_found;
    bool d_changed = true; // some decision, in the last turn
};

// A frame without the steps of its level.
struct level_frame {
    ofdm_result found;
    sample_streams expected; // what was sent, at the antennas
    double error;            // mean |e|², as of the samples with the steps
};

level_frame receive_without(const level_steps& steps,
                            ofdm_frame frame,
                            const ofdm_configured_parameters& parameters)
{
    frame.samples = steps.undone(frame.samples);
    frame.set_received({});
    canceller one(frame, parameters);
    ofdm_result found = one.run();
    found.num_level_steps = steps.count();
    const double stretch = steps.power_stretch();
    for (double& residual : found.residuals)
        residual /= stretch;
    const double error = found.residuals.back();
    return { std::move(found), one.expected(), error };
}

// As it is, without the steps that powers show, and without those that its decisions show.
ofdm_result receive_samples(const ofdm_frame& frame,
                            const ofdm_configured_parameters& parameters)
{
    ofdm_result found = canceller(frame, parameters).run();
    if (parameters.refits == 0) // what is left of the whole frame is not known
        return found;
    const double error = found.residuals.back();
    const level_steps steps(frame.samples,
                            1,
                            frame.samples[0].size(),
                            error > FITS_WORSE * found.residuals.front()
                                ? level_steps::LEAST_LOG_RATIO
                                : OFDM_LOG_RATIO,
                            std::max<Index>(parameters.fft_len / 2, LEAST_STEP_WINDOW));
    if (steps.count() == 0)
        return found;
    const level_frame level = receive_without(steps, frame, parameters);
    if (!steps.pay_off(level.error, error))
        return found;
    const level_frame again =
        receive_without(steps.refined(frame.samples, level.expected), frame, parameters);
    return again.error < level.error ? again.found : level.found;
}

} // namespace

ofdm_configured::ofdm_configured(const ofdm_configured_parameters& p)
    : described(checked(p), p.num_rx, p.num_tx, p.fft_len, p.cp_len)
{
}

ofdm_result ofdm_configured::do_receive(const ofdm_frame& frame)
{
    if (frame.samples.empty())
        return carrier_receiver(frame,
                                parameters().constellation,
                                longest_channel(frame, parameters()),
                                parameters().channel_len,
                                parameters().refits)
            .run();
    return receive_samples(frame, parameters());
}

detector_kind describe_ofdm_configured() { return describe_kind<ofdm_configured>(); }

} // namespace reservoir
} // namespace gr
