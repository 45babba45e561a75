/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/constellation_warp.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;

std::vector<int> amplitude_rings(const VectorXcd& points)
{
    std::vector<double> moduli;
    for (const auto& point : points)
        moduli.push_back(std::abs(point));
    std::vector<double> distinct = moduli;
    std::sort(distinct.begin(), distinct.end());
    const double tolerance = distinct.empty() ? 0.0 : 1e-5 * distinct.back();
    distinct.erase(
        std::unique(distinct.begin(),
                    distinct.end(),
                    [tolerance](double a, double b) { return b - a < tolerance; }),
        distinct.end());
    std::vector<int> rings;
    for (const double modulus : moduli)
        rings.push_back(std::min_element(distinct.begin(),
                                         distinct.end(),
                                         [modulus](double a, double b) {
                                             return std::abs(a - modulus) <
                                                    std::abs(b - modulus);
                                         }) -
                        distinct.begin());
    return rings;
}

constellation_warp fit_constellation_warp(const VectorXcd& received,
                                          const VectorXcd& known,
                                          const std::vector<int>& rings,
                                          const VectorXcd& points,
                                          row_range rows,
                                          const Eigen::VectorXd& weights,
                                          Index length)
{
    const std::vector<int> point_rings = amplitude_rings(points);
    const Index num_rings = 1 + *std::max_element(point_rings.begin(), point_rings.end());
    constellation_warp warp = { false, VectorXcd::Ones(num_rings) };
    if (num_rings == 1)
        return warp;

    // the symbols of one ring, zero elsewhere
    std::vector<VectorXcd> by_ring(num_rings, VectorXcd::Zero(known.size()));
    for (Index n = 0; n < known.size(); n++)
        if (rings[n] >= 0)
            by_ring[rings[n]](n) = known(n);
    const VectorXcd output = received.segment(rows.first, rows.size());
    const auto w = weights.segment(rows.first, rows.size());
    const double total = w.sum();

    double before = 0.0;
    channel_estimate channel;
    for (int iteration = 0;; iteration++) {
        VectorXcd warped = VectorXcd::Zero(known.size());
        for (Index k = 0; k < num_rings; k++)
            warped += warp.gains(k) * by_ring[k];
        channel = estimate_channel({ received }, warped, rows, weights, length);
        if (iteration == 0)
            before = channel.mean_residual;
        if (iteration == 3)
            break;
        MatrixXcd contributions(rows.size(), num_rings);
        for (Index k = 0; k < num_rings; k++)
            contributions.col(k) = channel_rows(by_ring[k], rows, channel.taps);
        MatrixXcd gram = contributions.adjoint() * w.asDiagonal() * contributions;
        gram.diagonal().array() += 1e-4 * total + 1e-12;
        const VectorXcd gains =
            gram.llt().solve(contributions.adjoint() * (w.asDiagonal() * output));
        double power = 0.0;
        std::complex<double> rotation = 0.0;
        for (Index m = 0; m < points.size(); m++) {
            const std::complex<double> point = points(m) * gains(point_rings[m]);
            power += std::norm(point) / points.size();
            rotation += point * std::conj(points(m));
        }
        if (!(power > 1e-12) || !(std::abs(rotation) > 1e-12))
            return { false, VectorXcd::Ones(num_rings) };
        warp.gains = gains / (std::sqrt(power) * rotation / std::abs(rotation));
    }
    warp.used = total * std::log(std::max(channel.mean_residual, 1e-300)) +
                    (num_rings - 1) * std::log(total) <
                total * std::log(std::max(before, 1e-300));
    if (!warp.used)
        warp.gains.setOnes();
    return warp;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
