/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/receiver_saturation.h>

#include <gnuradio/reservoir/kernel/lag_sums.h>
#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;

namespace {

constexpr double RIDGE = 1e-3;
constexpr int ITERATIONS = 3;

VectorXcd least_squares(const MatrixXcd& regressors, const VectorXcd& output)
{
    MatrixXcd gram = regressors.adjoint() * regressors;
    gram.diagonal().array() += RIDGE;
    return gram.llt().solve(regressors.adjoint() * output);
}

MatrixXcd odd_powers(const VectorXcd& signal, double rms)
{
    MatrixXcd powers(signal.size(), 3);
    const Eigen::ArrayXd square = signal.array().abs2() / (rms * rms);
    powers.col(0) = signal;
    powers.col(1) = (signal.array() * square.cast<std::complex<double>>()).matrix();
    powers.col(2) =
        (powers.col(1).array() * square.cast<std::complex<double>>()).matrix();
    return powers;
}

// s from r = g(s), by linear interpolation on a grid of radii
VectorXcd invert(const VectorXcd& received, const VectorXcd& gains, double rms)
{
    constexpr int GRID = 241;
    std::vector<double> radius, modulus;
    std::vector<std::complex<double>> back; // what turns the image to the radius
    for (int i = 0; i < GRID; i++) {
        const double q = 3.0 * rms * i / (GRID - 1);
        const double square = (q / rms) * (q / rms);
        const std::complex<double> gain =
            gains(0) + square * (gains(1) + square * gains(2));
        const double size = std::sqrt(std::norm(gain));
        if (i > 0 && q * size <= modulus.back())
            break;
        radius.push_back(q);
        modulus.push_back(q * size);
        back.push_back(std::conj(gain) / size);
    }
    if (radius.size() < 5)
        return received / gains(0);
    VectorXcd out(received.size());
    for (Index n = 0; n < received.size(); n++) {
        const double size = std::sqrt(std::norm(received(n)));
        const size_t next =
            std::lower_bound(modulus.begin(), modulus.end(), size) - modulus.begin();
        double q;
        std::complex<double> turn;
        if (next == 0 || next == modulus.size()) {
            q = next == 0 ? 0.0 : radius.back();
            turn = next == 0 ? back.front() : back.back();
        } else {
            const double share =
                (size - modulus[next - 1]) / (modulus[next] - modulus[next - 1]);
            q = radius[next - 1] + share * (radius[next] - radius[next - 1]);
            turn = back[next - 1] + share * (back[next] - back[next - 1]);
        }
        const double gain = size > 0.0 ? q / size : 0.0;
        out(n) = gain *
                 std::complex<double>(
                     received(n).real() * turn.real() - received(n).imag() * turn.imag(),
                     received(n).real() * turn.imag() + received(n).imag() * turn.real());
    }
    return out;
}

} // namespace

linearised_receiver linearise_receiver(const VectorXcd& received,
                                       const VectorXcd& known,
                                       row_range rows,
                                       Index length)
{
    const double count = rows.size();
    linearised_receiver result = { false, received, 0.0 };
    if (rows.size() < length + 6)
        return result;
    const lag_sums sums = sum_lags({ received }, 0, known, rows, length);
    const VectorXcd output = received.segment(rows.first, rows.size());
    VectorXcd channel = sums.taps(RIDGE / count);
    const double before =
        (output - channel_rows(known, rows, channel)).squaredNorm() / count;

    double after = before;
    VectorXcd gains, linear = received;
    double rms = 0.0;
    for (int iteration = 0; iteration < ITERATIONS; iteration++) {
        if (iteration > 0) {
            linear.segment(rows.first, rows.size()) = invert(output, gains, rms);
            channel = sum_lags_of({ linear }, 0, known, rows, sums).taps(RIDGE / count);
        }
        const VectorXcd signal = channel_rows(known, rows, channel);
        rms = std::sqrt(signal.squaredNorm() / count);
        if (!(rms > 1e-9))
            return result;
        const MatrixXcd powers = odd_powers(signal, rms);
        gains = least_squares(powers, output);
        if (!(std::abs(gains(0)) > 1e-9))
            return result;
        after = (output - powers * gains).squaredNorm() / count;
    }
    result.used = count * std::log(std::max(after, 1e-300)) + 4.0 * std::log(count) <
                  count * std::log(std::max(before, 1e-300)) - 4.0;
    result.residual = result.used ? after : before;
    if (result.used)
        result.samples = invert(received, gains, rms);
    return result;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
