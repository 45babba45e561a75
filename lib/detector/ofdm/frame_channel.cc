/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/ofdm/frame_channel.h"

#include "detector/ofdm/carrier_detector.h"
#include "detector/ofdm/symbol_follower.h"
#include <gnuradio/reservoir/kernel/carrier_smoother.h>
#include <algorithm>
#include <complex>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::MatrixXcd;

namespace {

struct energies {
    double left = 0.0, received = 0.0, count = 0.0;
};

// Of what the responses leave of the carriers that are chosen.
energies energies_of(const ofdm_frame& frame,
                     const std::vector<kernel::mimo_matrix>& responses,
                     const kernel::carrier_streams& symbols,
                     const kernel::carrier_mask& chosen)
{
    energies found;
    for (Index n = 0; n < frame.num_symbols; n++) {
        const MatrixXcd left = left_over(frame.received(), responses, symbols, n);
        for (Index r = 0; r < left.cols(); r++)
            for (Index k = 0; k < left.rows(); k++)
                if (chosen(k, n)) {
                    found.left += std::norm(left(k, r));
                    found.received += std::norm(frame.received()[r](k, n));
                    found.count++;
                }
    }
    return found;
}

/*
 * Of decisions for a given channel, in turns: the noise of the first ones is guessed. The first symbol with
 * data alone, for which the channel was given; it may move.
 */
energies energies_of_decisions(const ofdm_frame& frame,
                               const std::vector<kernel::mimo_matrix>& responses,
                               const Eigen::VectorXcd& points)
{
    constexpr double FIRST_GUESS = 1e-3; // of unit power
    constexpr int TURNS = 2;
    const Index first = frame.whole_symbols();
    if (first == frame.num_symbols)
        return {};
    typedef carrier_detector::method method;
    // sliced linear estimates leave too much where the channel hardly tells the streams apart
    const bool joint = frame.pilots->known.size() <= frame.received().size();
    carrier_detector detector(frame, points, joint ? method::joint : method::lmmse);
    energies found = { FIRST_GUESS, 0.0, 1.0 };
    for (int turn = 0; turn < TURNS; turn++) {
        kernel::carrier_streams symbols = frame.pilots->known;
        detector.detect(frame.received(),
                        responses,
                        { found.left / std::max(found.count, 1.0), 0.0 },
                        symbols,
                        { first, first + 1 });
        detector.slice(symbols);
        kernel::carrier_mask chosen = in_use(symbols);
        chosen.leftCols(first) = false;
        chosen.rightCols(frame.num_symbols - first - 1) = false;
        found = energies_of(frame, responses, symbols, chosen);
    }
    return found;
}

frame_channel given_channel(const ofdm_frame& frame,
                            const constellation_points& constellation)
{
    frame_channel found;
    found.taps = frame.taps;
    found.responses = frame.taps.responses(frame.transform->fft_len());
    const bool known = frame.pilots->usable.any();
    const energies seen =
        known
            ? energies_of(
                  frame, found.responses, frame.pilots->known, frame.pilots->usable)
            : energies_of_decisions(frame, found.responses, frame.points(constellation));
    found.residual = seen.left / std::max(seen.count, 1.0);
    found.power = seen.received / std::max(seen.count, 1.0);
    found.noise = { found.residual, 0.0 };
    if (known)
        found.noise = kernel::split_noise(frame.received(),
                                          frame.pilots->known,
                                          frame.pilots->usable,
                                          found.responses,
                                          0);
    return found;
}

} // namespace

double residual_but_phase(const ofdm_frame& frame, const frame_channel& channel)
{
    double left = 0.0, count = 0.0;
    for (Index n = 0; n < frame.num_symbols; n++) {
        const MatrixXcd missing =
            left_over(frame.received(), channel.responses, frame.pilots->known, n);
        double energy = 0.0;
        std::complex<double> match = 0.0;
        for (Index r = 0; r < missing.cols(); r++)
            for (Index k = 0; k < missing.rows(); k++)
                if (frame.pilots->usable(k, n)) {
                    const std::complex<double> seen = frame.received()[r](k, n);
                    const std::complex<double> model = seen - missing(k, r);
                    energy += std::norm(seen) + std::norm(model);
                    match += std::conj(model) * seen;
                    count++;
                }
        left += energy - 2.0 * std::abs(match);
    }
    return std::max(left, 0.0) / std::max(count, 1.0);
}

kernel::carrier_mask in_use(const kernel::carrier_streams& symbols)
{
    kernel::carrier_mask used = symbols[0].array() != 0.0;
    for (const MatrixXcd& stream : symbols)
        used = used || stream.array() != 0.0;
    return used;
}

frame_channel find_frame_channel(const ofdm_frame& frame,
                                 Index longest,
                                 Index length,
                                 const constellation_points& constellation)
{
    if (frame.channel_is_given())
        return given_channel(frame, constellation);
    return estimated_channel(frame,
                             kernel::estimate_carrier_channel(frame.received(),
                                                              frame.pilots->known,
                                                              frame.pilots->usable,
                                                              longest,
                                                              length));
}

frame_channel estimated_channel(const ofdm_frame& frame,
                                const kernel::carrier_channel& channel)
{
    frame_channel found;
    found.taps = channel.taps;
    found.responses = channel.taps.responses(frame.transform->fft_len());
    found.noise = kernel::split_noise(frame.received(),
                                      frame.pilots->known,
                                      frame.pilots->usable,
                                      found.responses,
                                      channel.taps.values.rows());
    found.residual = channel.noise_variance;
    found.power = channel.power;
    return found;
}

kernel::mimo_taps
taps_of_carriers(const stream_matrix& estimates, Index antennas, Index& begin)
{
    const Index carriers = estimates[0].size(), streams = estimates.size() / antennas;
    kernel::carrier_smoother smoother(carriers);
    std::vector<kernel::tap_support> supports(estimates.size());
    std::vector<Eigen::VectorXcd> taps(estimates.size());
    Index end = 0;
    bool any = false;
    for (size_t i = 0; i < estimates.size(); i++) {
        kernel::carrier_sums sums(carriers);
        bool known = false;
        for (Index k = 0; k < carriers; k++)
            known = sums.add_tap(k, estimates[i][k], 1.0) || known;
        if (!known)
            continue; // the stream does not reach the antenna
        supports[i] = smoother.find_support(sums);
        taps[i] = smoother.taps(sums, supports[i]);
        begin = any ? std::min(begin, supports[i].begin) : supports[i].begin;
        end = any ? std::max(end, supports[i].begin + supports[i].length)
                  : supports[i].begin + supports[i].length;
        any = true;
    }
    const Index length = std::min(end - begin, carriers);
    kernel::mimo_taps found = { length, MatrixXcd::Zero(length * streams, antennas) };
    for (Index j = 0; j < streams; j++)
        for (Index r = 0; r < antennas; r++) {
            const size_t i = antennas * j + r;
            if (taps[i].size() > 0)
                found.values.col(r).segment(length * j + supports[i].begin - begin,
                                            taps[i].size()) = taps[i];
        }
    return found;
}

} // namespace reservoir
} // namespace gr
