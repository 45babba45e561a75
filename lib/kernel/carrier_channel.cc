/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/carrier_channel.h>

#include "kernel/fourier_transform.h"
#include "kernel/hermitian_solve.h"
#include "kernel/plain_complex.h"
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;

namespace {

constexpr double CARRIER_RIDGE =
    1e-3; // of the known carriers' energy, for unit-power ones

// What is usable of some OFDM symbols; zero elsewhere.
MatrixXcd usable_part(const MatrixXcd& values,
                      const carrier_mask& usable,
                      const std::vector<Index>& symbols)
{
    MatrixXcd part(values.rows(), symbols.size());
    for (Index n = 0; n < part.cols(); n++)
        part.col(n) = usable.col(symbols[n]).select(values.col(symbols[n]), 0.0);
    return part;
}

// sum over OFDM symbols of conj(a) b, sums[k] of carrier k, then lags[l] = sum_k sums[k] e^(2 pi i k l / N).
class carrier_correlation
{
public:
    explicit carrier_correlation(const fourier_transform& fourier)
        : d_fourier(fourier), d_sums(fourier.size()), d_lags(fourier.size())
    {
    }
    //! \param symbols columns of b, for those of a
    const VectorXcd&
    operator()(const MatrixXcd& a, const MatrixXcd& b, const std::vector<Index>& symbols)
    {
        d_sums.setZero();
        for (Index n = 0; n < a.cols(); n++)
            d_sums += a.col(n).conjugate().cwiseProduct(b.col(symbols[n]));
        d_fourier.inverse(d_sums.data(), d_lags.data());
        return d_lags;
    }

private:
    const fourier_transform& d_fourier;
    VectorXcd d_sums, d_lags;
};

// Row and column streams * l + j are of tap l of stream j, so that fewer taps come first.
MatrixXcd gram_of(const carrier_streams& known,
                  Index longest,
                  Index count,
                  const fourier_transform& fourier)
{
    const Index streams = known.size();
    MatrixXcd gram(streams * longest, streams * longest);
    std::vector<Index> all(known[0].cols());
    std::iota(all.begin(), all.end(), 0);
    carrier_correlation correlate(fourier);
    for (Index i = 0; i < streams; i++)
        for (Index j = 0; j < streams; j++) {
            const VectorXcd& lags = correlate(known[i], known[j], all);
            for (Index m = 0; m < longest; m++) // its lower half is all that is read
                for (Index l = m; l < longest; l++)
                    gram(streams * l + i, streams * m + j) = lags(l - m);
        }
    gram.diagonal().array() += CARRIER_RIDGE * count;
    return gram;
}

} // namespace

struct carrier_channel_estimator::equations {
    equations(const carrier_streams& values, const carrier_mask& usable, Index most)
        : streams(values.size()),
          count(usable.count()),
          longest(std::clamp<Index>(most, 1, std::max<Index>(count / (2 * streams), 1))),
          fourier(fourier_transform::of(usable.rows())),
          symbols(symbols_of(usable)),
          known(known_of(values, usable, symbols)),
          factor(gram_of(known, longest, count, *fourier))
    {
        in_use.resize(usable.rows(), symbols.size());
        for (size_t n = 0; n < symbols.size(); n++)
            in_use.col(n) = usable.col(symbols[n]).cast<double>();
    }

    static std::vector<Index> symbols_of(const carrier_mask& usable)
    {
        std::vector<Index> found;
        for (Index n = 0; n < usable.cols(); n++)
            if (usable.col(n).any())
                found.push_back(n);
        return found;
    }
    static carrier_streams known_of(const carrier_streams& values,
                                    const carrier_mask& usable,
                                    const std::vector<Index>& symbols)
    {
        carrier_streams found;
        for (const MatrixXcd& stream : values)
            found.push_back(usable_part(stream, usable, symbols));
        return found;
    }
    //! L^-1 of the right-hand side, a column per antenna.
    MatrixXcd turned(const carrier_streams& received) const
    {
        MatrixXcd right(streams * longest, received.size());
        carrier_correlation correlate(*fourier);
        for (Index i = 0; i < streams; i++)
            for (Index r = 0; r < right.cols(); r++) {
                const VectorXcd& lags = correlate(known[i], received[r], symbols);
                for (Index l = 0; l < longest; l++)
                    right(streams * l + i, r) = lags(l);
            }
        factor.solve_lower(right);
        return right;
    }
    double energy(const carrier_streams& received) const
    {
        double sum = 0.0;
        for (const MatrixXcd& antenna : received)
            for (size_t n = 0; n < symbols.size(); n++)
                sum += (in_use.col(n) * antenna.col(symbols[n]).array().abs2()).sum();
        return sum;
    }

    const Index streams, count; // count: equations, per antenna
    const Index longest;
    const std::shared_ptr<const fourier_transform> fourier;
    const std::vector<Index> symbols; // where something is usable
    const carrier_streams known;      // in these symbols, zero where not usable
    const nested_cholesky factor;
    Eigen::ArrayXXd in_use; // in these symbols, one or zero
};

carrier_channel_estimator::carrier_channel_estimator(const carrier_streams& known,
                                                     const carrier_mask& usable,
                                                     Index longest)
    : d_equations(std::make_unique<equations>(known, usable, longest))
{
}

carrier_channel_estimator::~carrier_channel_estimator() = default;

carrier_channel carrier_channel_estimator::estimate(const carrier_streams& received,
                                                    Index length) const
{
    const equations& made = *d_equations;
    const Index streams = made.streams, antennas = received.size();
    const MatrixXcd turned = made.turned(received);
    const double energy = made.energy(received);

    const double total = double(made.count * antennas);
    double left = energy, best = 0.0, best_left = left;
    Index found = 0;
    for (Index l = 1; l <= made.longest; l++) {
        left -= turned.middleRows(streams * (l - 1), streams).squaredNorm();
        const double score = total * std::log(std::max(left, 1e-12 * energy) / total) +
                             double(antennas * streams * l) * std::log(total);
        if (length > 0 ? l == std::min(length, made.longest)
                       : found == 0 || score < best) {
            best = score;
            best_left = left;
            found = l;
        }
    }
    const Index unknowns = streams * found;
    MatrixXcd mixed = turned.topRows(unknowns);
    made.factor.solve_upper(mixed);
    carrier_channel channel;
    channel.taps = { found, MatrixXcd(unknowns, antennas) };
    for (Index j = 0; j < streams; j++)
        for (Index l = 0; l < found; l++)
            channel.taps.values.row(found * j + l) = mixed.row(streams * l + j);
    const double freedom =
        std::max(double(made.count - unknowns), 0.1 * made.count) * antennas;
    best_left -= CARRIER_RIDGE * made.count * mixed.squaredNorm(); // the ridge's part
    channel.noise_variance = std::max(best_left, 1e-12 * energy) / freedom;
    channel.power = energy / total;
    return channel;
}

carrier_channel estimate_carrier_channel(const carrier_streams& received,
                                         const carrier_streams& known,
                                         const carrier_mask& usable,
                                         Index longest,
                                         Index length)
{
    return carrier_channel_estimator(known, usable, longest).estimate(received, length);
}

std::vector<mimo_matrix> mimo_taps::responses(Index fft_len) const
{
    const Index streams = values.rows() / length, antennas = values.cols();
    std::vector<mimo_matrix> out(fft_len, mimo_matrix(antennas, streams));
    const auto fourier = fourier_transform::of(fft_len);
    VectorXcd padded = VectorXcd::Zero(fft_len), response(fft_len);
    for (Index j = 0; j < streams; j++)
        for (Index r = 0; r < antennas; r++) {
            padded.head(length) = of(j).col(r);
            fourier->forward(padded.data(), response.data());
            for (Index k = 0; k < fft_len; k++)
                out[k](r, j) = response(k);
        }
    return out;
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
    const double first = squared(0, 0).real(), second = squared(1, 1).real();
    const double half = 0.5 * (first + second), apart = 0.5 * (first - second);
    const double root = std::sqrt(std::norm(squared(1, 0)) + apart * apart);
    const double total = residual(0, 0).real() + residual(1, 1).real();
    const double seen =
        first * residual(0, 0).real() + second * residual(1, 1).real() +
        2.0 * plain::times_conjugate(squared(1, 0), residual(1, 0)).real();
    double stronger = 0.5 * total; // any part, where the gains are equal
    if (root > 1e-9 * half)
        stronger = std::clamp(0.5 * (seen - (half - root) * total) / root, 0.0, total);
    found.gains(row, 0) = half + root;
    found.gains(row, 1) = std::max(half - root, 0.0);
    found.energies(row, 0) = stronger;
    found.energies(row, 1) = total - stronger;
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
    // of both, the lower half
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
                    left(r) -= plain::times(responses[k](r, j), known[j](k, n));
            }
            for (Index c = 0; c < antennas; c++)
                for (Index r = c; r < antennas; r++)
                    residual(r, c) += plain::times_conjugate(left(r), left(c));
            count++;
        }
        if (count == 0)
            continue;
        squared.setZero();
        for (Index j = 0; j < streams; j++)
            for (Index c = 0; c < antennas; c++)
                for (Index r = c; r < antennas; r++)
                    squared(r, c) +=
                        plain::times_conjugate(responses[k](r, j), responses[k](c, j));
        split(squared, residual, row, found);
        found.counts(row++) = double(count);
    }
    return found;
}

// sum_k counts[k] log(values[k]), of values that are not below one: logarithms are taken of products.
double sum_of_logs(const Eigen::ArrayXd& values, const Eigen::ArrayXd& counts)
{
    constexpr double LARGE = 1e100;
    double sum = 0.0, product = 1.0;
    for (Index k = 0; k < values.size(); k++) {
        product *= values(k);
        const bool last = k + 1 == values.size() || counts(k + 1) != counts(k);
        if (last || product > LARGE) {
            sum += counts(k) * std::log(product);
            product = 1.0;
        }
    }
    return sum;
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
    Eigen::ArrayXd variances, determinants, energies;
    for (const double ratio : RATIOS) {
        determinants.setOnes(spectrum.counts.size());
        energies.setZero(spectrum.counts.size()); // times the determinant
        for (Index r = 0; r < spectrum.gains.cols(); r++) {
            variances = 1.0 + ratio * spectrum.gains.col(r);
            energies = energies * variances + spectrum.energies.col(r) * determinants;
            determinants *= variances;
        }
        const double energy = (energies / determinants).sum();
        const double noise = std::max(energy / total, 1e-12);
        double score = total * std::log(noise);
        if (ratio > 0.0)
            score += WORTH_A_PARAMETER + sum_of_logs(determinants, spectrum.counts);
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
