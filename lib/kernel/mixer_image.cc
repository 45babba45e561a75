/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/mixer_image.h>

#include <Eigen/LU>
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::VectorXcd;

VectorXcd fit_mixer_image(const sample_streams& received,
                          const sample_streams& expected,
                          row_range rows)
{
    constexpr double MOST = 0.5;         // a mixer that is worse is broken
    constexpr double LEAST_LEFT = 1e-12; // of the energy, above what is rounded away
    VectorXcd image = VectorXcd::Zero(received.size());
    for (Index r = 0; r < image.size(); r++) {
        const auto x = expected[r].segment(rows.first, rows.size());
        const auto y = received[r].segment(rows.first, rows.size());
        const double energy = x.squaredNorm();
        const std::complex<double> improper = (x.array() * x.array()).sum();
        const std::complex<double> direct = x.dot(y),
                                   mirrored = (x.array() * y.array()).sum();
        if (!(energy > 0.0))
            continue;
        // normal equations [sum |x|^2, sum x*^2; sum x^2, sum |x|^2] [a; b] = [sum x* y; sum x y]
        Eigen::Matrix2cd gram;
        gram << energy, std::conj(improper), improper, energy;
        const Eigen::Vector2cd right(direct, mirrored);
        const Eigen::Vector2cd gains = gram.inverse() * right;
        const double all = y.squaredNorm(), least = LEAST_LEFT * all;
        const double without = std::max(all - std::norm(direct) / energy, least);
        const double with = std::max(all - right.dot(gains).real(), least);
        const double count = double(rows.size());
        const std::complex<double> found = gains(1) / std::conj(gains(0));
        if (count * std::log(without / with) > std::log(count) && std::abs(found) < MOST)
            image(r) = found;
    }
    return image;
}

sample_streams without_image(const sample_streams& received, const VectorXcd& image)
{
    sample_streams out;
    for (Index r = 0; r < image.size(); r++)
        out.emplace_back((received[r] - image(r) * received[r].conjugate()) /
                         (1.0 - std::norm(image(r))));
    return out;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
