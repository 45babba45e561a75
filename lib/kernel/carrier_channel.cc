/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/carrier_channel.h>

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <unsupported/Eigen/FFT>
#include <algorithm>
#include <cmath>
#include <limits>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;

namespace {

constexpr double CARRIER_RIDGE = 1e-3; // of the known carriers' energy, for unit-power ones

// sum over carriers of power[k] e^(2 pi i k l / N) for l = 0 ... N - 1.
VectorXcd correlation(Eigen::FFT<double>& fft, const VectorXcd& power)
{
    VectorXcd out(power.size());
    fft.inv(out.data(), power.data(), power.size());
    return out * double(power.size());
}

// Row and column streams * l + j are of tap l of stream j, so that fewer taps come first.
struct normal_equations {
    MatrixXcd gram, right;
    double energy; // of what was received
    Index count;   // of equations, per antenna
};

normal_equations equations_of(const carrier_streams& received,
                              const carrier_streams& known,
                              const carrier_mask& usable,
                              Index longest)
{
    const Index size = usable.rows();
    const Index streams = known.size(), antennas = received.size();
    Eigen::FFT<double> fft;
    const auto products = [&](const MatrixXcd& a, const MatrixXcd& b) {
        const Eigen::ArrayXXcd all = a.array().conjugate() * b.array();
        return VectorXcd(usable.select(all, 0.0).rowwise().sum());
    };
    normal_equations made = { MatrixXcd(streams * longest, streams * longest),
                              MatrixXcd(streams * longest, antennas),
                              0.0,
                              usable.count() };
    for (Index i = 0; i < streams; i++) {
        for (Index j = 0; j < streams; j++) {
            const VectorXcd lags = correlation(fft, products(known[i], known[j]));
            for (Index l = 0; l < longest; l++)
                for (Index m = 0; m < longest; m++)
                    made.gram(streams * l + i, streams * m + j) =
                        lags((l - m + size) % size);
        }
        for (Index r = 0; r < antennas; r++) {
            const VectorXcd lags = correlation(fft, products(known[i], received[r]));
            for (Index l = 0; l < longest; l++)
                made.right(streams * l + i, r) = lags(l);
        }
    }
    made.gram.diagonal().array() += CARRIER_RIDGE * made.count;
    for (const MatrixXcd& antenna : received)
        made.energy += usable.select(antenna.array().abs2(), 0.0).sum();
    return made;
}

} // namespace

std::vector<mimo_matrix> mimo_taps::responses(Index fft_len) const
{
    const Index streams = values.rows() / length, antennas = values.cols();
    std::vector<mimo_matrix> out(fft_len, mimo_matrix(antennas, streams));
    Eigen::FFT<double> fft;
    VectorXcd padded = VectorXcd::Zero(fft_len), response(fft_len);
    for (Index j = 0; j < streams; j++)
        for (Index r = 0; r < antennas; r++) {
            padded.head(length) = of(j).col(r);
            fft.fwd(response.data(), padded.data(), fft_len);
            for (Index k = 0; k < fft_len; k++)
                out[k](r, j) = response(k);
        }
    return out;
}

carrier_channel estimate_carrier_channel(const carrier_streams& received,
                                         const carrier_streams& known,
                                         const carrier_mask& usable,
                                         Index longest,
                                         Index length)
{
    const Index streams = known.size(), antennas = received.size();
    const Index count = usable.count();
    longest = std::clamp<Index>(longest, 1, std::max<Index>(count / (2 * streams), 1));
    const normal_equations equations = equations_of(received, known, usable, longest);
    const Eigen::LLT<MatrixXcd> factor(equations.gram);
    const MatrixXcd turned = factor.matrixL().solve(equations.right);

    const double total = double(count * antennas);
    double left = equations.energy, best = 0.0, best_left = left;
    Index found = 0;
    for (Index l = 1; l <= longest; l++) {
        left -= turned.middleRows(streams * (l - 1), streams).squaredNorm();
        const double score =
            total * std::log(std::max(left, 1e-12 * equations.energy) / total) +
            double(antennas * streams * l) * std::log(total);
        if (length > 0 ? l == std::min(length, longest) : found == 0 || score < best) {
            best = score;
            best_left = left;
            found = l;
        }
    }
    const Index unknowns = streams * found;
    const MatrixXcd mixed = factor.matrixLLT()
                                .topLeftCorner(unknowns, unknowns)
                                .triangularView<Eigen::Lower>()
                                .adjoint()
                                .solve(turned.topRows(unknowns));
    carrier_channel channel;
    channel.taps = { found, MatrixXcd(unknowns, antennas) };
    for (Index j = 0; j < streams; j++)
        for (Index l = 0; l < found; l++)
            channel.taps.values.row(found * j + l) = mixed.row(streams * l + j);
    const double freedom = std::max(double(count - unknowns), 0.1 * count) * antennas;
    best_left -= CARRIER_RIDGE * count * mixed.squaredNorm(); // the ridge's part
    channel.noise_variance = std::max(best_left, 1e-12 * equations.energy) / freedom;
    return channel;
}

mimo_matrix noise_split::covariance(const mimo_matrix& channel) const
{
    mimo_matrix out = distortion * channel * channel.adjoint();
    out.diagonal().array() += noise;
    return out;
}

noise_split split_noise(const carrier_streams& received,
                        const carrier_streams& known,
                        const carrier_mask& usable,
                        const std::vector<mimo_matrix>& responses,
                        Index used_taps)
{
    constexpr double MOST_HIDDEN = 0.8;
    constexpr double WORTH_A_PARAMETER = 2.0; // of the log-likelihood
    constexpr double RATIOS[] = {
        0.0, 0.01, 0.018, 0.032, 0.056, 0.1,  0.18, 0.32, 0.56,
        1.0, 1.8,  3.2,   5.6,   10.0,  18.0, 32.0, 56.0, 100.0
    };
    const Index antennas = received.size(), streams = known.size();
    // of every carrier the residual's energy along the eigenvectors of H H^H
    std::vector<double> gains, energies, counts;
    for (Index k = 0; k < usable.rows(); k++) {
        const double count = usable.row(k).count();
        if (count == 0)
            continue;
        const mimo_matrix squared = responses[k] * responses[k].adjoint();
        const Eigen::SelfAdjointEigenSolver<mimo_matrix> solver(squared);
        Eigen::Matrix<double, Eigen::Dynamic, 1, 0, MAX_ANTENNAS, 1> energy =
            Eigen::Matrix<double, Eigen::Dynamic, 1, 0, MAX_ANTENNAS, 1>::Zero(antennas);
        for (Index n = 0; n < usable.cols(); n++) {
            if (!usable(k, n))
                continue;
            mimo_vector left(antennas), sent(streams);
            for (Index r = 0; r < antennas; r++)
                left(r) = received[r](k, n);
            for (Index j = 0; j < streams; j++)
                sent(j) = known[j](k, n);
            left -= responses[k] * sent;
            energy += (solver.eigenvectors().adjoint() * left).cwiseAbs2();
        }
        for (Index r = 0; r < antennas; r++) {
            gains.push_back(std::max(solver.eigenvalues()(r), 0.0));
            energies.push_back(energy(r));
            counts.push_back(count);
        }
    }
    const double equations = usable.count();
    const double hidden = std::min(MOST_HIDDEN, used_taps / equations);
    const double total = equations * antennas;
    double best = std::numeric_limits<double>::infinity();
    noise_split found = {};
    for (const double ratio : RATIOS) {
        double energy = 0.0, score = ratio > 0.0 ? WORTH_A_PARAMETER : 0.0;
        for (size_t i = 0; i < gains.size(); i++) {
            const double variance = 1.0 + ratio * gains[i];
            energy += energies[i] / variance;
            score += counts[i] * std::log(variance);
        }
        const double noise = std::max(energy / total, 1e-12);
        score += total * std::log(noise);
        if (score < best) {
            best = score;
            found = { noise / (1.0 - hidden), ratio * noise / (1.0 - hidden) };
        }
    }
    return found;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
