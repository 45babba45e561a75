/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/ofdm_configured.h>

#include "detector/ofdm/carrier_detector.h"
#include <gnuradio/reservoir/detector_kind.h>
#include <gnuradio/reservoir/kernel/amplified_channel.h>
#include <gnuradio/reservoir/kernel/ridge.h>
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

/*
 * Decides a frame and takes away what the model says of the decisions, in turns.
 */
class canceller
{
public:
    canceller(const ofdm_frame& frame, const ofdm_configured_parameters& parameters)
        : d_frame(frame),
          d_parameters(parameters),
          d_detector(frame,
                     frame.points(parameters.constellation),
                     carrier_detector::method::joint)
    {
        d_found.symbols = frame.known;
    }

    ofdm_result run()
    {
        const int turns = TURNS_PER_REFIT * d_parameters.refits + LAST_TURNS;
        begin();
        for (int turn = 1; turn <= turns; turn++) {
            if (turn % TURNS_PER_REFIT == 0 && d_found.refits < d_parameters.refits) {
                fit(d_found.symbols, d_frame.num_symbols);
                d_found.refits++;
            } else if (!d_changed) {
                continue;
            }
            decide(without_what_is_added());
        }
        d_found.taps = d_model.taps;
        if (d_frame.soft)
            d_detector.log_likelihoods(without_what_is_added(),
                                       d_responses,
                                       noise(),
                                       d_found.symbols,
                                       d_found.log_likelihoods);
        return d_found;
    }

private:
    // By the symbols at the beginning that are known as a whole, or else by the known carriers.
    void begin()
    {
        const Index whole = d_frame.whole_symbols();
        if (whole > 0) {
            fit(d_frame.known, whole);
            d_found.mse = d_model.noise_variance;
        } else {
            const kernel::carrier_channel channel =
                kernel::estimate_carrier_channel(d_frame.received,
                                                 d_frame.known,
                                                 d_frame.usable,
                                                 longest(),
                                                 d_parameters.channel_len);
            const Index streams = d_frame.known.size();
            take({ channel.taps,
                   MatrixXcd(0, streams),
                   Eigen::VectorXd::Ones(streams),
                   channel.noise_variance });
            d_found.mse = channel.noise_variance / std::max(channel.power, 1e-30);
        }
        if (whole > 0 && d_model.taps.length - 1 > d_frame.transform->longest_cp())
            equalize_samples(whole);
        else
            decide(d_frame.received);
    }

    Index longest() const
    {
        const Index most = d_parameters.channel_len > 0
                               ? Index(d_parameters.channel_len)
                               : std::clamp(d_frame.transform->longest_cp(),
                                            LEAST_LONGEST,
                                            MOST_LONGEST);
        return std::min<Index>(most, d_parameters.fft_len);
    }

    void fit(const carrier_streams& symbols, Index count)
    {
        carrier_streams sent;
        for (const MatrixXcd& stream : symbols)
            sent.push_back(stream.leftCols(count));
        const Index end = d_frame.transform->begin(count), streams = sent.size();
        const Index most = std::max<Index>(end / (2 * streams), 1);
        const Index taps = std::min(longest(), most);
        const int order = d_parameters.amplifier_order;
        take(
            kernel::fit_amplified_channel(d_frame.samples,
                                          d_frame.sent(sent),
                                          { taps - 1, end },
                                          taps,
                                          std::min<Index>(d_parameters.channel_len, taps),
                                          order < 0 ? LIKELY_ORDER : order,
                                          std::max(order, 0)));
    }

    void take(const kernel::amplified_channel& model)
    {
        d_model = model;
        d_responses = model.taps.responses(d_parameters.fft_len);
        d_found.residuals.push_back(model.noise_variance);
    }

    kernel::noise_split noise() const { return { d_model.noise_variance, 0.0 }; }

    void decide(const carrier_streams& received)
    {
        const carrier_streams before = d_found.symbols;
        d_found.noise_variance =
            d_detector.detect(received, d_responses, noise(), d_found.symbols);
        d_changed = before != d_found.symbols;
    }

    carrier_streams without_what_is_added() const
    {
        carrier_streams out =
            d_frame.carriers(d_model.output(d_frame.sent(d_found.symbols)));
        for (Index r = 0; r < Index(out.size()); r++) {
            for (Index j = 0; j < Index(d_found.symbols.size()); j++)
                for (Index k = 0; k < out[r].rows(); k++)
                    out[r].row(k) -= d_responses[k](r, j) * d_found.symbols[j].row(k);
            out[r] = d_frame.received[r] - out[r];
        }
        return out;
    }

    // A linear filter of the samples of all antennas, and the nearest points to its carriers.
    void equalize_samples(Index whole)
    {
        constexpr Index WINDOW = 32, DELAY = 16; // samples
        const Index end = d_frame.transform->begin(whole);
        const Index size = d_frame.samples[0].size(), antennas = d_frame.samples.size();
        const auto features = [&](row_range rows) {
            MatrixXcd made(rows.size(), WINDOW * antennas);
            for (Index r = 0; r < antennas; r++)
                made.middleCols(WINDOW * r, WINDOW) =
                    kernel::lagged(d_frame.samples[r], rows, WINDOW, -DELAY);
            return made;
        };
        carrier_streams pilots;
        for (const MatrixXcd& stream : d_frame.known)
            pilots.push_back(stream.leftCols(whole));
        const sample_streams sent = d_frame.sent(pilots);
        MatrixXcd targets(end, sent.size());
        for (size_t j = 0; j < sent.size(); j++)
            targets.col(j) = sent[j];
        const kernel::ridge_result found =
            kernel::ridge(features({ 0, end })).solve(targets, -1.0);
        const MatrixXcd equalized = features({ 0, size }) * found.weights;
        for (Index j = 0; j < Index(sent.size()); j++) {
            const double gain = targets.col(j).dot(found.leave_one_out.col(j)).real() /
                                targets.col(j).squaredNorm();
            const MatrixXcd carriers = d_frame.transform->carriers(
                equalized.col(j) / std::max(gain, 0.1), d_frame.num_symbols);
            d_found.symbols[j] = d_frame.masks[j].select(d_frame.known[j], carriers);
        }
        d_detector.slice(d_found.symbols);
    }

    const ofdm_frame& d_frame;
    const ofdm_configured_parameters& d_parameters;
    carrier_detector d_detector;
    kernel::amplified_channel d_model;
    std::vector<kernel::mimo_matrix> d_responses; // of its taps
    ofdm_result d_found;
    bool d_changed = true; // some decision, in the last turn
};

} // namespace

ofdm_configured::ofdm_configured(const ofdm_configured_parameters& p)
    : described(checked(p), p.num_rx, p.num_tx, p.fft_len, p.cp_len)
{
}

ofdm_result ofdm_configured::do_receive(const ofdm_frame& frame)
{
    return canceller(frame, parameters()).run();
}

detector_kind describe_ofdm_configured() { return describe_kind<ofdm_configured>(); }

} // namespace reservoir
} // namespace gr
