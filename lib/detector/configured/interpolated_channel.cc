/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/interpolated_channel.h"

#include "kernel/hermitian_solve.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;
using Eigen::VectorXd;
using kernel::row_range;

namespace {

constexpr double RIDGE = 1e-3;       // of the taps, per row
constexpr double TREND_RIDGE = 3e-3; // of what the slope moves them by, per row
constexpr double LEAST_WEIGHT = 0.02;

} // namespace

MatrixXcd local_channel::at(double symbol) const
{
    return slope.size() == 0 ? taps : MatrixXcd(taps + (symbol - middle) * slope);
}

interpolated_channel::interpolated_channel(const kernel::sample_streams& streams,
                                           kernel::channel_window window,
                                           const VectorXcd& sent,
                                           const std::vector<char>& there)
    : d_streams(streams),
      d_window(window),
      d_pieces((there.size() + PIECE - 1) / PIECE,
               kernel::lag_sums(window.length, streams.size())),
      d_ridge(VectorXd::Zero(window.length))
{
    for (size_t piece = 0; piece < d_pieces.size(); piece++)
        sum_piece(sent, there, piece);
}

void interpolated_channel::learn(const VectorXcd& sent,
                                 const std::vector<char>& there,
                                 row_range range)
{
    const row_range pieces = pieces_of({ range.first, range.last + d_window.length - 1 });
    for (Index piece = pieces.first; piece < pieces.last; piece++)
        sum_piece(sent, there, piece);
}

row_range interpolated_channel::pieces_of(row_range block) const
{
    return { block.first / PIECE,
             std::min<Index>((block.last + PIECE - 1) / PIECE, d_pieces.size()) };
}

void interpolated_channel::sum_piece(const VectorXcd& sent,
                                     const std::vector<char>& there,
                                     Index piece)
{
    const Index length = d_window.length, end = there.size();
    kernel::lag_sums& sums = d_pieces[piece];
    sums = kernel::lag_sums(length, d_streams.size());
    const row_range rows = { std::max<Index>(
                                 { piece * PIECE, length - 1, d_window.timing }),
                             std::min((piece + 1) * PIECE, end) };
    Index since = 0; // symbols in a row that are there, up to this one
    for (Index n = std::max<Index>(rows.first - length + 1, 0); n < rows.first; n++)
        since = there[n] ? since + 1 : 0;
    for (Index n = rows.first; n < rows.last;) {
        Index last = n;
        for (; last < rows.last; last++) {
            since = there[last] ? since + 1 : 0;
            if (since < length)
                break;
        }
        if (last > n)
            sums.add(
                kernel::sum_lags(d_streams, d_window.timing, sent, { n, last }, length));
        n = last + 1;
    }
}

local_channel
interpolated_channel::around(row_range block, tracking_memory memory, bool own) const
{
    const Index length = d_window.length, streams = d_streams.size();
    const row_range mine = pieces_of(block);
    local_channel found;
    found.middle = 0.5 * (block.first + block.last);
    kernel::lag_sums sums(length, streams), first(length, streams);
    MatrixXcd second = MatrixXcd::Zero(length, length);
    double spread = 0.0; // Σ w t²
    const double reach = memory.symbols * -std::log(LEAST_WEIGHT);
    const row_range near =
        pieces_of({ Index(std::max(block.first - reach, 0.0)),
                    Index(std::min<double>(block.last + reach, num_symbols())) });
    for (Index piece = near.first; piece < near.last; piece++) {
        const kernel::lag_sums& part = d_pieces[piece];
        if (part.weight == 0.0 || (!own && piece >= mine.first && piece < mine.last))
            continue;
        const double middle = (piece + 0.5) * PIECE;
        const double distance =
            std::max({ block.first - middle, middle - block.last, 0.0 });
        const double weight = std::exp(-distance / memory.symbols);
        sums.gram += weight * part.gram;
        sums.cross += weight * part.cross;
        sums.energy += weight * part.energy;
        sums.weight += weight * part.weight;
        if (!memory.trend)
            continue;
        const double t = middle - found.middle;
        first.gram += (weight * t) * part.gram;
        first.cross += (weight * t) * part.cross;
        second += (weight * t * t) * part.gram;
        spread += weight * t * t * part.weight;
    }
    double left, unknowns = length;
    if (memory.trend) {
        MatrixXcd gram(2 * length, 2 * length), cross(2 * length, streams);
        gram << sums.gram, first.gram, first.gram, second;
        cross << sums.cross, first.cross;
        MatrixXcd loaded = gram;
        loaded.diagonal().head(length).array() +=
            d_ridge.array() + (RIDGE * sums.weight + 1e-12);
        loaded.diagonal().tail(length).array() += TREND_RIDGE * spread + 1e-9;
        const MatrixXcd both = kernel::hermitian_solve(loaded, cross);
        found.taps = both.topRows(length);
        found.slope = both.bottomRows(length);
        left =
            sums.energy +
            (both.conjugate().array() * (gram * both - 2.0 * cross).array()).sum().real();
        unknowns *= 1.5; // the slope is half as free
    } else {
        MatrixXcd loaded = sums.gram;
        loaded.diagonal().array() += d_ridge.array() + (RIDGE * sums.weight + 1e-12);
        found.taps = kernel::hermitian_solve(loaded, sums.cross);
        left = sums.residual(found.taps);
    }
    const double shown = std::max(left, 0.0) / streams /
                         std::max(sums.weight - unknowns, 0.3 * sums.weight + 1.0);
    found.rows = sums.weight;
    found.noise_variance =
        std::max(shown, 1e-4 * found.taps.squaredNorm() / streams + 1e-12) *
        (1.0 + unknowns / std::max(sums.weight, unknowns));
    return found;
}

void interpolated_channel::weigh_taps(const std::vector<row_range>& blocks,
                                      tracking_memory memory)
{
    constexpr int STEPS = 2;
    for (int step = 0; step < STEPS; step++) {
        VectorXd power = VectorXd::Zero(d_window.length);
        double noise = 0.0;
        for (const row_range block : blocks) {
            const local_channel now = around(block, memory);
            power += now.taps.cwiseAbs2().rowwise().mean();
            if (step > 0) // what the estimate does not know of the taps
                power.array() += now.noise_variance / (now.rows + d_ridge.array() + 1.0);
            noise += now.noise_variance;
        }
        d_ridge = noise / power.array().max(1e-9 * noise);
    }
}

double interpolated_channel::residual(row_range block, const local_channel& channel) const
{
    const row_range pieces = pieces_of(block);
    double left = 0.0;
    for (Index piece = pieces.first; piece < pieces.last; piece++)
        if (d_pieces[piece].weight > 0.0)
            left += d_pieces[piece].residual(channel.at((piece + 0.5) * PIECE));
    return left;
}

double interpolated_channel::rows(row_range block) const
{
    const row_range pieces = pieces_of(block);
    double sum = 0.0;
    for (Index piece = pieces.first; piece < pieces.last; piece++)
        sum += d_pieces[piece].weight;
    return sum * d_streams.size();
}

double interpolated_channel::energy(row_range block) const
{
    const row_range pieces = pieces_of(block);
    double sum = 0.0;
    for (Index piece = pieces.first; piece < pieces.last; piece++)
        sum += d_pieces[piece].energy;
    return sum;
}

} // namespace reservoir
} // namespace gr
