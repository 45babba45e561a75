/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/amplified_channel.h>

#include "kernel/hermitian_solve.h"
#include "kernel/plain_complex.h"
#include "kernel/signal_loops.h"
#include <Eigen/Cholesky>
#include <Eigen/SparseCore>
#include <algorithm>
#include <cmath>
#include <limits>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;
typedef std::complex<double> cdouble;

namespace {

constexpr double SAMPLE_RIDGE = 1e-3;     // of the samples' energy, for unit power
constexpr double POLYNOMIAL_RIDGE = 1e-3; // of each power's energy
constexpr double LEAST_RIDGE = 1e-9;      // where there is none
constexpr int TURNS = 2;                  // of channel and polynomial

typedef Eigen::SparseMatrix<cdouble> sparse_matrix;

// With zeros in front, so that lags reach before the first sample.
VectorXcd behind_zeros(const VectorXcd& samples, Index zeros)
{
    VectorXcd out(zeros + samples.size());
    out << VectorXcd::Zero(zeros), samples;
    return out;
}

/*
 * Sums over the rows of conj(u[n - l]) v[n - m], with u and v among the powers of what was sent, and
 * of conj(u[n - l]) r[n]. Index powers * l + p is of lag l of power p, and power orders * j + q is
 * s_j |s_j|^2q, so that fewer lags come first.
 */
class lagged_products
{
public:
    lagged_products(const sample_streams& received,
                    const sample_streams& sent,
                    row_range rows,
                    Index longest,
                    int orders)
        : d_orders(orders), d_streams(sent.size()), d_rows(rows.size())
    {
        std::vector<VectorXcd> powers;
        for (const VectorXcd& stream : sent) {
            const VectorXcd padded = behind_zeros(stream, longest);
            powers.push_back(padded);
            for (int q = 1; q < orders; q++)
                powers.emplace_back(powers.back().array() * padded.array().abs2());
        }
        const Index count = powers.size();
        const Index first = rows.first + longest, last = rows.last + longest;
        gram.resize(count * longest, count * longest);
        right.resize(count * longest, received.size());
        VectorXcd sums(longest);
        for (Index v = 0; v < count; v++) {
            const cdouble* const begin = powers[v].data() + first;
            for (Index u = 0; u < count; u++) {
                simd::correlate(
                    begin, powers[u].data() + first, d_rows, longest, sums.data());
                for (Index m = 0; m < longest; m++)
                    gram(u, count * m + v) = std::conj(sums(m));
            }
            for (Index r = 0; r < Index(received.size()); r++) {
                simd::correlate(
                    begin, received[r].data() + rows.first, d_rows, longest, sums.data());
                for (Index m = 0; m < longest; m++)
                    right(count * m + v, r) = sums(m);
            }
        }
        // a lag more on both sides: a row more at the beginning, one less at the end
        for (Index l = 1; l < longest; l++)
            for (Index m = l; m < longest; m++)
                for (Index v = 0; v < count; v++)
                    for (Index u = 0; u < count; u++)
                        gram(count * l + u, count * m + v) =
                            gram(count * (l - 1) + u, count * (m - 1) + v) +
                            plain::times_conjugate(powers[v](first - m),
                                                   powers[u](first - l)) -
                            plain::times_conjugate(powers[v](last - m),
                                                   powers[u](last - l));
        gram.triangularView<Eigen::StrictlyLower>() = gram.adjoint();
        for (const VectorXcd& antenna : received)
            energy += antenna.segment(rows.first, d_rows).squaredNorm();
    }

    // The sums over products of mixtures of the powers.
    MatrixXcd mixed(const sparse_matrix& mix) const
    {
        VectorXcd half(mix.rows());
        MatrixXcd out(mix.cols(), mix.cols());
        Index rows = 0; // that this column and those before have
        for (Index b = 0; b < mix.cols(); b++) {
            for (sparse_matrix::InnerIterator part(mix, b); part; ++part)
                rows = std::max<Index>(rows, part.row() + 1);
            half.head(rows).setZero();
            for (sparse_matrix::InnerIterator part(mix, b); part; ++part)
                simd::add_filtered(
                    gram.col(part.row()).data(), &part.value(), 1, rows, half.data());
            for (Index a = 0; a <= b; a++) {
                cdouble sum = 0.0;
                for (sparse_matrix::InnerIterator part(mix, a); part; ++part)
                    sum += plain::times_conjugate(half(part.row()), part.value());
                out(a, b) = sum;
                out(b, a) = std::conj(sum);
            }
        }
        return out;
    }

    Index streams() const { return d_streams; }
    Index antennas() const { return right.cols(); }
    Index rows() const { return d_rows; }
    double samples() const { return double(d_rows * right.cols()); }
    Index index(Index lag, Index stream, int order) const
    {
        return (lag * d_streams + stream) * d_orders + order;
    }

    MatrixXcd gram, right;
    double energy = 0.0;

private:
    const Index d_orders, d_streams, d_rows;
};

// Channel taps by least squares when the polynomial is known; row streams * l + j.
class channel_fit
{
public:
    channel_fit(const lagged_products& sums, const MatrixXcd& coefficients, Index longest)
        : channel_fit(sums, mix_of(sums, coefficients, longest))
    {
    }

    // What is left of the energy with so many taps.
    double residual(Index length) const
    {
        return std::max(d_sums.energy -
                            d_turned.topRows(d_sums.streams() * length).squaredNorm(),
                        1e-12 * d_sums.energy);
    }
    Index likeliest_length() const
    {
        const double total = d_sums.samples();
        const Index streams = d_sums.streams(), longest = d_turned.rows() / streams;
        Index best = 1;
        double least = std::numeric_limits<double>::infinity();
        for (Index l = 1; l <= longest; l++) {
            const double score =
                total * std::log(residual(l) / total) +
                double(d_sums.antennas() * streams * l) * std::log(total);
            if (score < least) {
                least = score;
                best = l;
            }
        }
        return best;
    }
    MatrixXcd taps(Index length) const
    {
        MatrixXcd found = d_turned.topRows(d_sums.streams() * length);
        d_factor.solve_upper(found);
        return found;
    }

private:
    channel_fit(const lagged_products& sums, const sparse_matrix& mix)
        : d_sums(sums),
          d_turned(mix.adjoint() * sums.right.topRows(mix.rows())),
          d_factor(gram_of(sums, mix))
    {
        d_factor.solve_lower(d_turned);
    }

    // All powers of a stream to what its amplifier gives.
    static sparse_matrix
    mix_of(const lagged_products& sums, const MatrixXcd& coefficients, Index longest)
    {
        const Index streams = sums.streams(), size = streams * longest;
        sparse_matrix mix(sums.index(longest, 0, 0), size);
        mix.reserve(Eigen::VectorXi::Constant(size, coefficients.rows() + 1));
        for (Index l = 0; l < longest; l++)
            for (Index j = 0; j < streams; j++) {
                mix.insert(sums.index(l, j, 0), streams * l + j) = 1.0;
                for (Index q = 0; q < coefficients.rows(); q++)
                    mix.insert(sums.index(l, j, int(q) + 1), streams * l + j) =
                        coefficients(q, j);
            }
        return mix;
    }
    static MatrixXcd gram_of(const lagged_products& sums, const sparse_matrix& mix)
    {
        MatrixXcd gram = sums.mixed(mix);
        gram.diagonal().array() += SAMPLE_RIDGE * sums.rows();
        return gram;
    }

    const lagged_products& d_sums;
    MatrixXcd d_turned;
    nested_cholesky d_factor;
};

// The polynomial by least squares when the channel is known.
MatrixXcd polynomial_fit(const lagged_products& sums, const MatrixXcd& taps, int count)
{
    const Index streams = sums.streams(), length = taps.rows() / streams;
    const auto column = [&](Index stream, int order) {
        return stream * (count + 1) + order;
    };
    MatrixXcd gram = MatrixXcd::Zero(streams * (count + 1), streams * (count + 1));
    VectorXcd right = VectorXcd::Zero(streams * (count + 1));
    for (Index r = 0; r < sums.antennas(); r++) {
        sparse_matrix mix(sums.index(length, 0, 0), streams * (count + 1));
        mix.reserve(Eigen::VectorXi::Constant(mix.cols(), length));
        for (Index j = 0; j < streams; j++)
            for (int q = 0; q <= count; q++)
                for (Index l = 0; l < length; l++)
                    mix.insert(sums.index(l, j, q), column(j, q)) =
                        taps(streams * l + j, r);
        gram += sums.mixed(mix);
        right += mix.adjoint() * sums.right.col(r).head(mix.rows());
    }
    // What it has beyond the linear amplifier. The first order is free as well: what the others have in
    // common with it is in the taps, and turns with a fixed one would converge slowly.
    for (Index j = 0; j < streams; j++)
        right -= gram.col(column(j, 0));
    gram.diagonal() *= 1.0 + POLYNOMIAL_RIDGE;
    gram.diagonal().array() += LEAST_RIDGE * gram.trace().real() + LEAST_RIDGE;
    const VectorXcd solution = gram.llt().solve(right);
    MatrixXcd coefficients(count, streams);
    for (Index j = 0; j < streams; j++)
        coefficients.col(j) =
            solution.segment(column(j, 1), count) / (1.0 + solution(column(j, 0)));
    return coefficients;
}

} // namespace

sample_streams amplified_channel::output(const sample_streams& sent) const
{
    const Index antennas = taps.values.cols();
    sample_streams out(antennas, VectorXcd::Zero(sent[0].size()));
    for (Index j = 0; j < Index(sent.size()); j++) {
        const Eigen::ArrayXd power =
            sent[j].cwiseAbs2().array().min(largest(j) * largest(j));
        Eigen::ArrayXcd gain = Eigen::ArrayXcd::Zero(power.size());
        for (Index q = coefficients.rows(); q-- > 0;)
            gain = (gain + coefficients(q, j)) * power;
        const VectorXcd amplified =
            behind_zeros(sent[j].array() * (1.0 + gain), taps.length);
        for (Index r = 0; r < antennas; r++)
            simd::add_filtered(amplified.data() + taps.length,
                               taps.of(j).col(r).data(),
                               taps.length,
                               sent[j].size(),
                               out[r].data());
    }
    return out;
}

amplified_channel fit_amplified_channel(const sample_streams& received,
                                        const sample_streams& sent,
                                        row_range rows,
                                        Index longest,
                                        Index length,
                                        int most_coefficients,
                                        int least_coefficients)
{
    constexpr double WORTH = 1.5; // a coefficient is, of the criterion's logarithms
    const lagged_products sums(received, sent, rows, longest, most_coefficients + 1);
    const Index streams = sent.size();
    const double total = sums.samples();
    double best = std::numeric_limits<double>::infinity();
    amplified_channel found;
    Index taps = length;
    for (int count = least_coefficients; count <= most_coefficients; count++) {
        MatrixXcd coefficients = MatrixXcd::Zero(count, streams);
        for (int turn = 0;; turn++) {
            const bool last = turn == (count > 0 ? TURNS : 0);
            // in between, the length that was the likeliest before
            const channel_fit fit(sums, coefficients, last || taps == 0 ? longest : taps);
            if (length == 0 && (last || taps == 0))
                taps = fit.likeliest_length();
            if (!last) {
                coefficients = polynomial_fit(sums, fit.taps(taps), count);
                continue;
            }
            const double left = fit.residual(taps);
            const double score =
                total * std::log(left / total) +
                (sums.antennas() * streams * taps + WORTH * double(count * streams)) *
                    std::log(total);
            if (score < best) {
                best = score;
                const MatrixXcd values = fit.taps(taps);
                found.taps = { taps, MatrixXcd(values.rows(), values.cols()) };
                for (Index j = 0; j < streams; j++)
                    for (Index l = 0; l < taps; l++)
                        found.taps.values.row(taps * j + l) = values.row(streams * l + j);
                found.coefficients = coefficients;
                const double freedom =
                    std::max(double(sums.rows() - streams * taps), 0.1 * sums.rows()) *
                    sums.antennas();
                const double ridge = SAMPLE_RIDGE * sums.rows() * values.squaredNorm();
                found.noise_variance =
                    std::max(left - ridge, 1e-12 * sums.energy) / freedom;
            }
            break;
        }
    }
    found.largest.resize(streams);
    for (Index j = 0; j < streams; j++)
        found.largest(j) = std::sqrt(sent[j].head(rows.last).cwiseAbs2().maxCoeff());
    return found;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
