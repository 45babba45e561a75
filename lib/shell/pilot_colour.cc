/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "shell/pilot_colour.h"

#include <gnuradio/reservoir/kernel/singular_values.h>
#include <algorithm>
#include <limits>

namespace gr {
namespace reservoir {

namespace {

typedef std::vector<gr_complex> symbols;
constexpr Eigen::Index NUM_LAGS = 8;

Eigen::MatrixXcd autocorrelation_matrix(const symbols& row)
{
    Eigen::MatrixXcd matrix(NUM_LAGS, NUM_LAGS);
    for (Eigen::Index lag = 0; lag < NUM_LAGS; lag++) {
        std::complex<double> sum = 0.0;
        for (size_t k = lag; k < row.size(); k++)
            sum += std::complex<double>(row[k]) *
                   std::conj(std::complex<double>(row[k - lag]));
        matrix.diagonal(-lag).setConstant(sum);
        matrix.diagonal(lag).setConstant(std::conj(sum));
    }
    return matrix;
}

double noise_enhancement_of(const symbols& row)
{
    // the matrix is positive definite: its singular values are its eigenvalues
    const Eigen::VectorXd eigenvalues =
        kernel::singular_values(autocorrelation_matrix(row));
    if (eigenvalues.size() == 0 || !(eigenvalues.minCoeff() > 0.0))
        return std::numeric_limits<double>::infinity();
    return eigenvalues.mean() * eigenvalues.cwiseInverse().mean();
}

// Pairs of symbols across a gap say little.
symbols longest_known_run(const symbols& row)
{
    symbols longest, run;
    for (const auto& symbol : row) {
        if (is_known(symbol))
            run.push_back(symbol);
        else
            run.clear();
        if (run.size() > longest.size())
            longest = run;
    }
    return longest;
}

} // namespace

double noise_enhancement(const stream_matrix& pilots)
{
    double worst = 1.0;
    for (const auto& row : pilots)
        worst = std::max(worst, noise_enhancement_of(longest_known_run(row)));
    return worst;
}

bool is_coloured(const stream_matrix& pilots)
{
    // 2.5: between random symbols (1.8 at the most of 20000 draws of 48) and bits that are repeated
    // three times (at least 2.6). The fewer symbols, the more of their colour is chance.
    constexpr double LIMIT = 2.5;
    constexpr double MANY = 48.0;
    constexpr size_t LEAST = 16;
    const size_t count = longest_known_run(pilots[0]).size();
    return count >= LEAST &&
           noise_enhancement(pilots) > LIMIT * std::max(1.0, MANY / count);
}

} // namespace reservoir
} // namespace gr
