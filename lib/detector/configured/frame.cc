/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/configured/frame.h"

#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::MatrixXcd;

double configured_frame::prediction_error() const
{
    const double share = readout.window.length / std::max(rows_per_fit, 1.0);
    return residual * (1.0 + share) / std::max(1.0 - share, 0.1);
}

double benefit_of_doubt(Index num_samples)
{
    return 1.0 + 0.75 / std::sqrt(double(num_samples));
}

std::complex<double> matched(const MatrixXcd& taps,
                             const Eigen::Ref<const MatrixXcd>& residual)
{
    return (taps.conjugate().array() * residual.array()).sum() /
           std::max(taps.squaredNorm(), 1e-12);
}

void keep_decisions(const configured_network& network,
                    configured_frame& frame,
                    Index num_pilots)
{
    for (size_t i = 0; i < frame.decisions.size(); i++) {
        auto& soft = frame.soft(num_pilots + i);
        if (network.nearest(soft) != frame.decisions[i])
            soft = network.settings().points(frame.decisions[i]);
    }
}

} // namespace reservoir
} // namespace gr
