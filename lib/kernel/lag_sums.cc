/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/lag_sums.h>

#include "kernel/hermitian_solve.h"
#include "kernel/signal_loops.h"
#include <algorithm>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

namespace {

// Known symbols of rows and before, so that lag l of row i is at[length - 1 + i - l].
struct known_lags {
    VectorXcd at;
    Index length;

    known_lags(const VectorXcd& known, row_range rows, Index num_lags, Index first_lag)
        : at(lagged(known, { rows.first - num_lags + 1, rows.last }, 1, first_lag)),
          length(num_lags)
    {
    }
    const std::complex<double>* lag(Index l) const { return at.data() + length - 1 - l; }
    std::complex<double> operator()(Index row, Index l) const
    {
        return at(length - 1 + row - l);
    }
};

// Each entry follows from the one above and left of it, which saw the same products but one.
void set_gram(MatrixXcd& gram, const known_lags& known, Index count)
{
    const Index length = gram.rows();
    simd::correlate(known.lag(0), known.lag(0), count, length, gram.col(0).data());
    for (Index c = 1; c < length; c++)
        for (Index r = c; r < length; r++)
            gram(r, c) = gram(r - 1, c - 1) + std::conj(known(0, r)) * known(0, c) -
                         std::conj(known(count, r)) * known(count, c);
}

void set_gram(MatrixXcd& gram, const known_lags& known, const VectorXd& weights)
{
    const Index length = gram.rows();
    for (Index c = 0; c < length; c++) {
        const VectorXcd weighted =
            weights.cwiseProduct(known.at.segment(length - 1 - c, weights.size()));
        simd::correlate(known.lag(c),
                        weighted.data(),
                        weights.size(),
                        length - c,
                        gram.col(c).data() + c);
    }
}

void set_received(lag_sums& sums,
                  const sample_streams& received,
                  Index timing,
                  const known_lags& known,
                  row_range rows,
                  const VectorXd& weights)
{
    sums.energy = 0.0;
    for (size_t q = 0; q < received.size(); q++) {
        VectorXcd output = lagged(received[q], rows, 1, timing);
        if (weights.size() > 0) {
            sums.energy += weights.dot(output.cwiseAbs2());
            output.array() *= weights.array();
        } else
            sums.energy += output.squaredNorm();
        simd::correlate(known.lag(0),
                        output.data(),
                        rows.size(),
                        sums.length(),
                        sums.cross.col(q).data());
    }
}

} // namespace

lag_sums::lag_sums(Index length, Index num_streams)
    : gram(MatrixXcd::Zero(length, length)), cross(MatrixXcd::Zero(length, num_streams))
{
}

void lag_sums::add(const lag_sums& other)
{
    gram += other.gram;
    cross += other.cross;
    energy += other.energy;
    weight += other.weight;
}

void lag_sums::fade(double factor)
{
    gram *= factor;
    cross *= factor;
    energy *= factor;
    weight *= factor;
}

MatrixXcd lag_sums::taps(double ridge) const
{
    MatrixXcd loaded = gram;
    loaded.diagonal().array() += ridge * weight + 1e-12;
    return hermitian_solve(loaded, cross);
}

double lag_sums::residual(const MatrixXcd& taps) const
{
    const MatrixXcd model = gram * taps;
    const double left =
        energy + (taps.conjugate().array() * (model - 2.0 * cross).array()).sum().real();
    return std::max(left, 1e-14 * energy); // what rounding leaves
}

lag_sums sum_lags(const sample_streams& received,
                  Index timing,
                  const VectorXcd& known,
                  row_range rows,
                  Index length,
                  Index first_lag,
                  const VectorXd& weights)
{
    lag_sums sums(length, received.size());
    if (rows.size() == 0)
        return sums;
    const bool equal = weights.size() == 0;
    const VectorXd w =
        equal ? VectorXd() : VectorXd(weights.segment(rows.first, rows.size()));
    const known_lags lags(known, rows, length, first_lag);
    if (equal)
        set_gram(sums.gram, lags, rows.size());
    else
        set_gram(sums.gram, lags, w);
    sums.gram = MatrixXcd(sums.gram.selfadjointView<Eigen::Lower>());
    sums.weight = equal ? rows.size() : w.sum();
    set_received(sums, received, timing, lags, rows, w);
    return sums;
}

VectorXd rows_that_count(const std::vector<char>& there, Index before, Index behind)
{
    VectorXd weights = VectorXd::Zero(there.size());
    Index in_a_row = 0;
    for (Index n = 0; n < weights.size(); n++) {
        in_a_row = there[n] ? in_a_row + 1 : 0;
        if (in_a_row > before + behind)
            weights(n - behind) = 1.0;
    }
    return weights;
}

lag_sums sum_lags_of(const sample_streams& received,
                     Index timing,
                     const VectorXcd& known,
                     row_range rows,
                     const lag_sums& same_symbols)
{
    lag_sums sums = same_symbols;
    if (rows.size() > 0)
        set_received(sums,
                     received,
                     timing,
                     known_lags(known, rows, sums.length(), 0),
                     rows,
                     VectorXd());
    return sums;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
