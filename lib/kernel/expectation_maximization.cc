/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/expectation_maximization.h>

#include "kernel/hermitian_solve.h"
#include <gnuradio/reservoir/kernel/lag_sums.h>
#include <algorithm>
#include <cmath>
#include <limits>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::ArrayXf;
using Eigen::ArrayXXf;
using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

namespace {

struct expected_symbols {
    VectorXcd mean;
    VectorXd variance;
    std::vector<char> there; // whether anything is known of a symbol
};

// Expected sums of the rows that have all symbols at these lags: a symbol's variance adds to its
// mean's square.
lag_sums expected_sums(const sample_streams& received,
                       const expected_symbols& sent,
                       Index first_lag,
                       Index num_lags)
{
    const Index size = sent.mean.size(), last_lag = first_lag + num_lags - 1;
    const VectorXd weights = rows_that_count(
        sent.there, std::max<Index>(last_lag, 0), std::max<Index>(-first_lag, 0));
    lag_sums sums =
        sum_lags(received, 0, sent.mean, { 0, size }, num_lags, first_lag, weights);
    for (Index l = 0; l < num_lags; l++) {
        const Index lag = first_lag + l, count = size - std::abs(lag);
        sums.gram(l, l) +=
            weights.segment(std::max<Index>(lag, 0), count)
                .dot(sent.variance.segment(std::max<Index>(-lag, 0), count));
    }
    return sums;
}

// Where a window of this length leaves least.
channel_window
place_window(const sample_streams& received, const expected_symbols& sent, Index length)
{
    const Index latest = (length - 1) / 2;
    const lag_sums all = expected_sums(received, sent, -latest, latest + length);
    channel_window best = { 0, int(length) };
    double least = std::numeric_limits<double>::infinity();
    for (Index start = 0; start + length <= all.length(); start++) {
        lag_sums sums(length, received.size());
        sums.gram = all.gram.block(start, start, length, length);
        sums.cross = all.cross.middleRows(start, length);
        sums.energy = all.energy;
        sums.weight = all.weight;
        const double left = sums.residual(sums.taps());
        if (left < least) {
            least = left;
            best.timing = latest - start;
        }
    }
    return best;
}

void fit_channel(expected_burst& found, const lag_sums& sums)
{
    constexpr int STEPS = 3;
    constexpr double RIDGE = 1e-3;       // at first, per row
    constexpr double LEAST_NOISE = 1e-4; // of the channel's power
    const Index length = sums.length();
    const double streams = sums.cross.cols();
    VectorXd ridge = VectorXd::Constant(length, RIDGE * sums.weight + 1e-12);
    for (int step = 0; step <= STEPS; step++) {
        MatrixXcd loaded = sums.gram;
        loaded.diagonal() += ridge;
        found.taps = hermitian_solve(loaded, sums.cross);
        // of the estimate's error, over the noise's variance
        const VectorXd spread =
            hermitian_solve(loaded, MatrixXcd::Identity(length, length))
                .diagonal()
                .real();
        const double unknowns = length - ridge.dot(spread);
        found.noise_variance = std::max(
            sums.residual(found.taps) / (streams * std::max(sums.weight - unknowns, 1.0)),
            LEAST_NOISE * found.taps.squaredNorm() / streams + 1e-12);
        const VectorXd power =
            found.taps.rowwise().squaredNorm() / streams + found.noise_variance * spread;
        ridge = found.noise_variance / power.array();
    }
}

/*
 * The forward-backward algorithm (Bahl, Cocke, Jelinek and Raviv, 1974) over all states: there are
 * few, and a channel that is not minimum phase needs them all.
 *
 * A state's digits, in the number of points M, are its symbols, the newest the most significant. A
 * branch is a newest symbol before a state; without its oldest digit it is the next state. A known
 * symbol has digit 0, and what it is more than that point is taken from the samples.
 */
class all_states
{
public:
    all_states(const partly_known_burst& burst, const expected_burst& channel);
    //! Points x symbols.
    ArrayXXf probabilities();

private:
    bool known(Index n) const { return n < 0 || n >= d_size || d_burst.known[n]; }
    void expect();
    void weigh(Index row);
    void go_forward(Index row);
    void go_back(Index row, ArrayXXf& found);

    const partly_known_burst& d_burst;
    const MatrixXcd& d_taps;
    const Index d_size, d_timing, d_points, d_states, d_rows;
    const double d_noise;
    ArrayXXf d_expected; // branches x real and imaginary parts of the streams
    ArrayXXf d_weights;  // branches x rows: likelihoods, over that of the likeliest
    ArrayXXf d_before;   // states x rows: probabilities by the samples before the row
    ArrayXf d_behind;    // ... of the next states by those behind it
};

// No product of three is smaller than floats are at full speed.
constexpr float LEAST_LOG = -28.0f, LEAST_SHARE = 1e-12f;

Index power_of(Index base, Index exponent)
{
    return exponent == 0 ? 1 : base * power_of(base, exponent - 1);
}

all_states::all_states(const partly_known_burst& burst, const expected_burst& channel)
    : d_burst(burst),
      d_taps(channel.taps),
      d_size(burst.symbols.size()),
      d_timing(channel.window.timing),
      d_points(burst.points.size()),
      d_states(power_of(d_points, std::max<Index>(channel.window.length - 1, 1))),
      d_rows(d_size + channel.window.length - 1),
      // of a complex stream, half of the noise is where two points differ
      d_noise((burst.real_streams ? 2.0 : 1.0) * channel.noise_variance),
      d_weights(d_states * d_points, d_rows),
      d_before(d_states, d_rows + 1)
{
    expect();
}

void all_states::expect()
{
    const Index parts = d_burst.real_streams ? 1 : 2;
    d_expected.resize(d_states * d_points, parts * d_taps.cols());
    for (Index q = 0; q < d_taps.cols(); q++) {
        VectorXcd sums = VectorXcd::Zero(1);
        for (Index l = std::max<Index>(d_taps.rows(), 2); l-- > 0;) {
            const std::complex<double> tap = l < d_taps.rows() ? d_taps(l, q) : 0.0;
            VectorXcd longer(sums.size() * d_points);
            for (Index m = 0; m < d_points; m++)
                longer.segment(m * sums.size(), sums.size()) =
                    sums.array() + tap * d_burst.points(m);
            sums = longer;
        }
        d_expected.col(parts * q) = sums.real().cast<float>();
        if (parts == 2)
            d_expected.col(parts * q + 1) = sums.imag().cast<float>();
    }
}

// Likelihoods of the row's branches. What was sent around the burst is noise.
void all_states::weigh(Index row)
{
    auto weights = d_weights.col(row);
    weights.setZero();
    const Index at = row - d_timing;
    double noise = d_noise;
    for (Index l = 0; l < d_taps.rows(); l++)
        if (row - l < 0 || row - l >= d_size)
            noise += d_taps.row(l).squaredNorm() / d_taps.cols();
    for (Index q = 0; q < d_taps.cols() && at >= 0 && at < d_burst.received[q].size();
         q++) {
        std::complex<double> sample = d_burst.received[q](at);
        for (Index l = 0; l < d_taps.rows(); l++) {
            const Index n = row - l;
            if (known(n))
                sample -=
                    d_taps(l, q) * ((n < 0 || n >= d_size ? 0.0 : d_burst.symbols(n)) -
                                    d_burst.points(0));
        }
        const Index parts = d_burst.real_streams ? 1 : 2;
        weights -= (d_expected.col(parts * q) - float(sample.real())).square();
        if (parts == 2)
            weights -= (d_expected.col(parts * q + 1) - float(sample.imag())).square();
    }
    weights = ((weights - weights.maxCoeff()) / float(noise)).max(LEAST_LOG).exp();
}

void all_states::go_forward(Index row)
{
    const Index next = d_states / d_points, choices = known(row) ? 1 : d_points;
    d_before.col(row + 1).setZero();
    for (Index m = 0; m < choices; m++) {
        const float* const before = &d_before(0, row);
        const float* const weights = &d_weights(m * d_states, row);
        float* const after = &d_before(m * next, row + 1);
        for (Index state = 0; state < next; state++)
            for (Index oldest = 0; oldest < d_points; oldest++) {
                const Index from = state * d_points + oldest;
                after[state] += before[from] * weights[from];
            }
    }
    d_before.col(row + 1) =
        (d_before.col(row + 1) / d_before.col(row + 1).sum()).max(LEAST_SHARE);
}

void all_states::go_back(Index row, ArrayXXf& found)
{
    const Index next = d_states / d_points, choices = known(row) ? 1 : d_points;
    ArrayXf behind = ArrayXf::Zero(d_states);
    for (Index m = 0; m < choices; m++) {
        const float* const weights = &d_weights(m * d_states, row);
        const float* const after = &d_behind(m * next);
        ArrayXf through(d_states);
        for (Index state = 0; state < next; state++)
            for (Index oldest = 0; oldest < d_points; oldest++) {
                const Index from = state * d_points + oldest;
                through(from) = weights[from] * after[state];
            }
        if (row < d_size)
            found(m, row) = d_before.col(row).matrix().dot(through.matrix());
        behind += through;
    }
    d_behind = (behind / behind.maxCoeff()).max(LEAST_SHARE);
}

ArrayXXf all_states::probabilities()
{
    d_before.col(0).setZero();
    d_before(0, 0) = 1.0f;
    for (Index row = 0; row < d_rows; row++) {
        weigh(row);
        go_forward(row);
    }
    d_behind = ArrayXf::Ones(d_states);
    ArrayXXf found = ArrayXXf::Zero(d_points, d_size);
    for (Index row = d_rows; row-- > 0;)
        go_back(row, found);
    return found.rowwise() / found.colwise().sum();
}

expected_symbols expect(const partly_known_burst& burst, expected_burst& found)
{
    const Index size = burst.symbols.size();
    const ArrayXXf probabilities = all_states(burst, found).probabilities();
    expected_symbols sent = { burst.symbols,
                              VectorXd::Zero(size),
                              std::vector<char>(size, true) };
    found.likeliest.assign(size, -1);
    for (Index n = 0; n < size; n++) {
        if (burst.known[n])
            continue;
        const VectorXd share = probabilities.col(n).cast<double>();
        sent.mean(n) =
            share.cast<std::complex<double>>().cwiseProduct(burst.points).sum();
        sent.variance(n) =
            share.dot((burst.points.array() - sent.mean(n)).abs2().matrix());
        share.maxCoeff(&found.likeliest[n]);
    }
    return sent;
}

} // namespace

expected_burst expect_and_maximize(const partly_known_burst& burst,
                                   Index length,
                                   int steps,
                                   std::optional<channel_window> window)
{
    constexpr double SURE = 0.1; // symbols that are doubtful, in all
    expected_burst found;
    expected_symbols sent = { burst.symbols,
                              VectorXd::Zero(burst.symbols.size()),
                              burst.known };
    for (int step = 0; step < steps; step++) {
        found.window = window ? *window : place_window(burst.received, sent, length);
        fit_channel(found,
                    expected_sums(
                        burst.received, sent, -found.window.timing, found.window.length));
        const std::vector<int> before = found.likeliest;
        sent = expect(burst, found);
        if (found.likeliest == before && sent.variance.sum() < SURE)
            break;
    }
    return found;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
