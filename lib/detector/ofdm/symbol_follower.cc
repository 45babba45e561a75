/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/ofdm/symbol_follower.h"

#include "kernel/plain_complex.h"
#include <cmath>
#include <complex>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::MatrixXcd;
using kernel::carrier_streams;
using kernel::mimo_matrix;

namespace {

constexpr double MOVED = 1.5;  // what is left over, over the noise
constexpr double MEMORY = 0.7; // of a symbol, in the next one's channel
// What is left over when followed, of what is when not: an amplifier's distortion that is not modelled
// yet has 0.84 and more, phase noise and Doppler 0.65 and less.
constexpr double WORTH_FOLLOWING = 0.75;
constexpr double WORTH_GOING_ON = 0.9; // at half of the symbols
constexpr double SAME_ANGLE = 0.03;    // radians: needs no second decision

MatrixXcd sent_in(const carrier_streams& symbols, Index symbol)
{
    MatrixXcd sent(symbols[0].rows(), symbols.size());
    for (Index j = 0; j < sent.cols(); j++)
        sent.col(j) = symbols[j].col(symbol);
    return sent;
}

} // namespace

MatrixXcd left_over(const carrier_streams& received,
                    const std::vector<mimo_matrix>& responses,
                    const carrier_streams& symbols,
                    Index symbol)
{
    MatrixXcd left(received[0].rows(), received.size());
    for (Index r = 0; r < left.cols(); r++) {
        left.col(r) = received[r].col(symbol);
        for (Index j = 0; j < Index(symbols.size()); j++)
            for (Index k = 0; k < left.rows(); k++)
                left(k, r) -=
                    kernel::plain::times(responses[k](r, j), symbols[j](k, symbol));
    }
    return left;
}

kernel::channel_drift drift_of(const carrier_streams& received,
                               const frame_model& model,
                               const carrier_streams& symbols)
{
    kernel::channel_drift drift(received[0].rows(), model.taps);
    for (Index n = 0; n < received[0].cols(); n++)
        drift.add(left_over(received, model.responses, symbols, n), sent_in(symbols, n));
    return drift;
}

std::vector<mimo_matrix> moved_responses(const std::vector<mimo_matrix>& responses,
                                         const kernel::mimo_taps& drift)
{
    std::vector<mimo_matrix> moved = drift.responses(responses.size());
    for (size_t k = 0; k < moved.size(); k++)
        moved[k] += responses[k];
    return moved;
}

symbol_follower::symbol_follower(const ofdm_frame& frame,
                                 carrier_detector& detector,
                                 const frame_model& model,
                                 Index whole)
    : d_frame(frame),
      d_detector(detector),
      d_model(model),
      d_whole(whole),
      d_angles(Eigen::VectorXd::Zero(frame.num_symbols)),
      d_drift(frame.transform->fft_len(), model.taps)
{
}

bool symbol_follower::seems_to_move(const carrier_streams& received,
                                    const carrier_streams& symbols) const
{
    double left = 0.0, values = 0.0;
    for (Index n = d_whole; n < d_frame.num_symbols; n++) {
        const MatrixXcd of_symbol = left_over(received, d_model.responses, symbols, n);
        left += of_symbol.squaredNorm();
        values += double(of_symbol.size());
    }
    return left > MOVED * values * d_model.noise_variance;
}

bool symbol_follower::follow(carrier_streams received, carrier_streams& symbols)
{
    const Index count = d_frame.num_symbols, half = (d_whole + count) / 2;
    carrier_streams decided = symbols;
    double still = 0.0, followed = 0.0;
    for (Index n = 0; n < count; n++) {
        if (n >= d_whole) {
            still += left_over(received, d_model.responses, symbols, n).squaredNorm();
            followed += step(received, decided, n);
            if (n == half && followed > WORTH_GOING_ON * still)
                return false;
        }
        d_drift.add(left_over(received, d_model.responses, decided, n),
                    sent_in(decided, n));
    }
    if (followed > WORTH_FOLLOWING * still)
        return false;
    symbols = decided;
    return true;
}

// Turns one symbol back and decides it, twice if its own angle is another; returns what is left over.
double
symbol_follower::step(carrier_streams& received, carrier_streams& symbols, Index symbol)
{
    const std::vector<mimo_matrix> responses =
        d_drift.num_symbols() > 0
            ? moved_responses(d_model.responses, d_drift.around(symbol, MEMORY))
            : d_model.responses;
    const kernel::noise_split white = { d_model.noise_variance, 0.0 };
    double angle = symbol > 0 ? d_angles(symbol - 1) : 0.0;
    MatrixXcd left;
    for (int turn = 0; turn < 2; turn++) {
        for (MatrixXcd& antenna : received)
            antenna.col(symbol) *= std::polar(1.0, -angle);
        d_angles(symbol) += angle;
        if (turn == 0 || std::abs(angle) > SAME_ANGLE)
            d_detector.detect(
                received, responses, white, symbols, { symbol, symbol + 1 });
        left = left_over(received, responses, symbols, symbol);
        std::complex<double> sum = 0.0;
        for (Index r = 0; r < left.cols(); r++) {
            const auto seen = received[r].col(symbol);
            sum += (seen - left.col(r)).dot(seen);
        }
        angle = std::arg(sum);
    }
    return left.squaredNorm();
}

} // namespace reservoir
} // namespace gr
