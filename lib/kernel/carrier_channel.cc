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

constexpr double CARRIER_RIDGE =
    1e-3; // of the known carriers' energy, for unit-power ones

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
    std::vector<Index> symbols;
    for (Index n = 0; n < usable.cols(); n++)
        if (usable.col(n).any())
            symbols.push_back(n);
    VectorXcd sum(size);
    const auto products = [&](const MatrixXcd& a,
                              const MatrixXcd& b) -> const VectorXcd& {
        sum.setZero();
        for (const Index n : symbols)
            sum.array() += usable.col(n).select(
                a.col(n).array().conjugate() * b.col(n).array(), 0.0);
        return sum;
    };
    normal_equations made = { MatrixXcd(streams * longest, streams * longest),
                              MatrixXcd(streams * longest, antennas),
                              0.0,
                              usable.count() };
    for (Index i = 0; i < streams; i++) {
        for (Index j = 0; j < streams; j++) {
            const VectorXcd lags = correlation(fft, products(known[i], known[j]));
            for (Index m = 0; m < longest; m++) // its lower half is all that is read
                for (Index l = m; l < longest; l++)
                    made.gram(streams * l + i, streams * m + j) = lags(l - m);
        }
        for (Index r = 0; r < antennas; r++) {
            const VectorXcd lags = correlation(fft, products(known[i], received[r]));
            for (Index l = 0; l < longest; l++)
                made.right(streams * l + i, r) = lags(l);
        }
    }
    made.gram.diagonal().array() += CARRIER_RIDGE * made.count;
    for (const MatrixXcd& antenna : received)
        for (const Index n : symbols)
            made.energy += usable.col(n).select(antenna.col(n).array().abs2(), 0.0).sum();
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
    channel.power = equations.energy / total;
    return channel;
}

mimo_matrix noise_split::covariance(const mimo_matrix& channel) const
{
    mimo_matrix out = channel.lazyProduct(channel.adjoint());
    out *= distortion;
    out.diagonal().array() += noise;
    return out;
}

namespace {

// The residual's energy along the eigenvectors of each carrier's H H^H: a row per carrier.
struct residual_spectrum {
    Eigen::ArrayXXd gains, energies;
    Eigen::ArrayXd counts; // OFDM symbols
};

// Without eigenvectors: tr(S E) = g_1 E_1 + g_2 E_2, tr(E) = E_1 + E_2.
void split_two(const mimo_matrix& squared,
               const mimo_matrix& residual,
               Index row,
               residual_spectrum& found)
{
    const double half = 0.5 * squared.trace().real();
    const double apart = 0.5 * (squared(0, 0).real() - squared(1, 1).real());
    const double root = std::sqrt(std::norm(squared(1, 0)) + apart * apart);
    const double total = residual.trace().real();
    const double seen = squared(0, 0).real() * residual(0, 0).real() +
                        squared(1, 1).real() * residual(1, 1).real() +
                        2.0 * (squared(1, 0) * std::conj(residual(1, 0))).real();
    double first = 0.5 * total; // any part, where the gains are equal
    if (root > 1e-9 * half)
        first = std::clamp(0.5 * (seen - (half - root) * total) / root, 0.0, total);
    found.gains.row(row) << half + root, std::max(half - root, 0.0);
    found.energies.row(row) << first, total - first;
}

void split(const mimo_matrix& squared,
           const mimo_matrix& residual,
           Index row,
           residual_spectrum& found)
{
    if (squared.rows() == 2)
        return split_two(squared, residual, row, found);
    const Eigen::SelfAdjointEigenSolver<mimo_matrix> solver(squared);
    for (Index r = 0; r < squared.rows(); r++) {
        const auto vector = solver.eigenvectors().col(r);
        found.gains(row, r) = std::max(solver.eigenvalues()(r), 0.0);
        found.energies(row, r) =
            vector.dot(residual.selfadjointView<Eigen::Lower>() * vector).real();
    }
}

residual_spectrum spectrum_of_residual(const carrier_streams& received,
                                       const carrier_streams& known,
                                       const carrier_mask& usable,
                                       const std::vector<mimo_matrix>& responses)
{
    const Index antennas = received.size(), streams = known.size();
    const Index used = usable.rowwise().any().count();
    residual_spectrum found{ Eigen::ArrayXXd(used, antennas),
                             Eigen::ArrayXXd(used, antennas),
                             Eigen::ArrayXd(used) };
    mimo_matrix residual(antennas, antennas), squared(antennas, antennas);
    mimo_vector left(antennas);
    Index row = 0;
    for (Index k = 0; k < usable.rows(); k++) {
        residual.setZero();
        Index count = 0;
        for (Index n = 0; n < usable.cols(); n++) {
            if (!usable(k, n))
                continue;
            for (Index r = 0; r < antennas; r++) {
                left(r) = received[r](k, n);
                for (Index j = 0; j < streams; j++)
                    left(r) -= responses[k](r, j) * known[j](k, n);
            }
            for (Index c = 0; c < antennas; c++) // the lower half
                for (Index r = c; r < antennas; r++)
                    residual(r, c) += left(r) * std::conj(left(c));
            count++;
        }
        if (count == 0)
            continue;
        squared = responses[k].lazyProduct(responses[k].adjoint());
        split(squared, residual, row, found);
        found.counts(row++) = double(count);
    }
    return found;
}

} // namespace

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
    const residual_spectrum spectrum =
        spectrum_of_residual(received, known, usable, responses);
    const double equations = usable.count();
    const double hidden = std::min(MOST_HIDDEN, used_taps / equations);
    const double total = equations * received.size();
    double best = std::numeric_limits<double>::infinity();
    noise_split found = {};
    Eigen::ArrayXd variances, determinants;
    for (const double ratio : RATIOS) {
        double energy = 0.0;
        determinants.setOnes(spectrum.counts.size());
        for (Index r = 0; r < spectrum.gains.cols(); r++) {
            variances = 1.0 + ratio * spectrum.gains.col(r);
            energy += (spectrum.energies.col(r) / variances).sum();
            determinants *= variances;
        }
        const double noise = std::max(energy / total, 1e-12);
        double score = total * std::log(noise);
        if (ratio > 0.0)
            score += WORTH_A_PARAMETER + (spectrum.counts * determinants.log()).sum();
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
