/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/remembered_channel.h"

#include "kernel/hermitian_solve.h"
#include <cmath>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::MatrixXcd;

namespace {

constexpr double TAPS_RIDGE = 1e-3; // of the taps, per symbol
constexpr double SLOPE_RIDGE =
    1.0; // for symbols of unit power: no slope without evidence

} // namespace

remembered_channel::remembered_channel(tracking_memory memory,
                                       Index length,
                                       Index num_streams)
    : d_memory(memory),
      d_sums(length, num_streams),
      d_first(length, num_streams),
      d_second(MatrixXcd::Zero(length, length))
{
}

void remembered_channel::add(const kernel::lag_sums& block, Index num_symbols)
{
    const double passed = num_symbols / d_memory.symbols, decay = std::exp(-passed);
    if (d_memory.trend) { // what was at t is at t − passed
        const double middle = -passed / 2;
        d_second = decay * (d_second - 2.0 * passed * d_first.gram +
                            passed * passed * d_sums.gram) +
                   middle * middle * block.gram;
        d_first.gram =
            decay * (d_first.gram - passed * d_sums.gram) + middle * block.gram;
        d_first.cross =
            decay * (d_first.cross - passed * d_sums.cross) + middle * block.cross;
    }
    d_sums.fade(decay);
    d_sums.add(block);
}

MatrixXcd remembered_channel::taps(double ahead) const
{
    if (!d_memory.trend)
        return d_sums.taps(TAPS_RIDGE);
    const Index length = d_sums.length();
    MatrixXcd gram(2 * length, 2 * length), cross(2 * length, d_sums.cross.cols());
    gram << d_sums.gram, d_first.gram, d_first.gram, d_second;
    gram.diagonal().head(length).array() += TAPS_RIDGE * d_sums.weight + 1e-12;
    gram.diagonal().tail(length).array() += SLOPE_RIDGE;
    cross << d_sums.cross, d_first.cross;
    const MatrixXcd found = kernel::hermitian_solve(gram, cross);
    return found.topRows(length) + (ahead / d_memory.symbols) * found.bottomRows(length);
}

} // namespace reservoir
} // namespace gr
