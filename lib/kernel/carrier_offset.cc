/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/carrier_offset.h>

#include "kernel/signal_loops.h"
#include <gnuradio/reservoir/kernel/oscillator.h>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;

namespace {

// E(f): columns of products are conj(B_l) r_q
double explained_energy(const MatrixXcd& products, double frequency)
{
    VectorXcd carrier(products.rows());
    oscillator(-frequency).generate(0, carrier.size(), carrier.data());
    return (carrier.transpose() * products).squaredNorm();
}

} // namespace

carrier_offset find_joint_carrier_offset(const sample_streams& received,
                                         const sample_streams& known,
                                         row_range range,
                                         channel_window window,
                                         double max_frequency)
{
    const Index length = window.length * known.size(); // unknowns per received stream
    const row_range rows = {
        std::max<Index>(range.first + window.length - 1, window.timing), range.last
    };
    const Index count = rows.size();
    if (count < 3 * length + 8 || !(max_frequency > 0.0))
        return { 0.0, false };
    MatrixXcd regressors(count, length);
    for (size_t m = 0; m < known.size(); m++)
        regressors.middleCols(m * window.length, window.length) =
            lagged(known[m], rows, window.length);
    const MatrixXcd basis = Eigen::HouseholderQR<MatrixXcd>(regressors).householderQ() *
                            MatrixXcd::Identity(count, length);
    const Index streams = received.size();
    MatrixXcd products(count, streams * length);
    double energy = 0.0;
    for (Index q = 0; q < streams; q++) {
        const VectorXcd output =
            delayed(received[q], window.timing).segment(rows.first, count);
        energy += output.squaredNorm();
        for (Index l = 0; l < length; l++)
            products.col(q * length + l) = basis.col(l).conjugate().cwiseProduct(output);
    }

    const double grid = std::exp2(std::ceil(std::log2(8.0 * count)));
    const Index furthest = std::floor(std::min(max_frequency, 0.5) * grid);
    std::vector<double> explained;
    for (Index k = -furthest - 1; k <= furthest + 1; k++)
        explained.push_back(explained_energy(products, k / grid));
    const Index peak =
        std::max_element(explained.begin() + 1, explained.end() - 1) - explained.begin();
    const double a = explained[peak - 1], b = explained[peak], c = explained[peak + 1];
    const double curvature = a - 2.0 * b + c;
    const double shift = std::abs(curvature) > 1e-12
                             ? std::clamp(0.5 * (a - c) / curvature, -0.5, 0.5)
                             : 0.0;
    const double frequency = (peak - furthest - 1 + shift) / grid;
    const double without = std::max(energy - explained_energy(products, 0.0), 1e-12);
    const double with = std::max(energy - explained_energy(products, frequency), 1e-12);
    return { frequency,
             (count - length) * streams * std::log(without / with) >
                 2.0 * std::log(count) };
}

carrier_offset find_carrier_offset(const sample_streams& received,
                                   const VectorXcd& known,
                                   row_range range,
                                   channel_window window,
                                   double max_frequency)
{
    return find_joint_carrier_offset(received, { known }, range, window, max_frequency);
}

Eigen::VectorXd smoothed_phase(const sample_streams& received,
                               const sample_streams& model,
                               row_range rows,
                               Index half_width)
{
    const Index count = rows.size();
    VectorXcd product = VectorXcd::Zero(count);
    for (size_t q = 0; q < received.size(); q++)
        product += received[q]
                       .segment(rows.first, count)
                       .cwiseProduct(model[q].segment(rows.first, count).conjugate());
    const Index half = std::max<Index>(std::min(half_width, (count - 1) / 2), 0);
    // a triangle is a box run forward, then the same box run backward
    VectorXcd boxed(count + half), smoothed(count);
    std::complex<double> sum = 0.0;
    for (Index m = 0; m < count + half; m++) {
        sum += m < count ? product(m) : 0.0;
        sum -= m > half ? product(m - half - 1) : 0.0;
        boxed(m) = sum;
    }
    sum = boxed.tail(half).sum();
    for (Index n = count - 1; n >= 0; n--) {
        sum += boxed(n);
        smoothed(n) = sum;
        sum -= boxed(n + half);
    }
    Eigen::VectorXd phase(count);
    simd::angles(smoothed.data(), count, phase.data());
    double turns = 0.0, last = count > 0 ? phase(0) : 0.0;
    for (Index n = 1; n < count; n++) {
        const double angle = phase(n), step = angle - last;
        turns += step > M_PI ? -2.0 * M_PI : step < -M_PI ? 2.0 * M_PI : 0.0;
        phase(n) = angle + turns;
        last = angle;
    }
    return phase;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
