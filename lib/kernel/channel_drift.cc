/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/channel_drift.h>

#include <Eigen/Cholesky>
#include <unsupported/Eigen/FFT>
#include <algorithm>
#include <cmath>
#include <iterator>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;

namespace {

constexpr double DRIFT_RIDGE = 1e-2; // of the equations' mean diagonal
constexpr double LIGHTEST = 1e-3;    // symbols that count less do not count
constexpr double WEIGHTS[] = { 0.95, 0.9, 0.8, 0.65, 0.5, 0.35 };
constexpr double LEAST_CORRELATION = 0.2;
constexpr double WORTH = 0.98; // of the energy left, at most, or the channel stands still

} // namespace

struct channel_drift::workspace {
    Eigen::FFT<double> fft;
    VectorXcd in, lags;
    MatrixXcd gram, right;
    Eigen::LLT<MatrixXcd> factor;

    // lags[l] = sum_k a*[k] b[k] e^(2 pi i k l / N)
    template <class A, class B>
    void correlate(const A& a, const B& b)
    {
        in = a.conjugate().cwiseProduct(b);
        lags.resize(in.size());
        fft.inv(lags.data(), in.data(), in.size());
        lags *= double(in.size());
    }
};

channel_drift::channel_drift(Index fft_len, Index length)
    : d_fft_len(fft_len), d_length(length), d_work(std::make_unique<workspace>())
{
}

channel_drift::channel_drift(channel_drift&&) = default;
channel_drift::~channel_drift() = default;

void channel_drift::add(const MatrixXcd& left, const MatrixXcd& sent)
{
    equations made = { sent,
                       MatrixXcd(sent.cols() * d_length, left.cols()),
                       MatrixXcd(),
                       left.squaredNorm() };
    for (Index j = 0; j < sent.cols(); j++)
        for (Index r = 0; r < left.cols(); r++) {
            d_work->correlate(sent.col(j), left.col(r));
            made.right.block(d_length * j, r, d_length, 1) = d_work->lags.head(d_length);
        }
    d_symbols.push_back(std::move(made));
}

// Made when it is asked for: most channels stand still.
const MatrixXcd& channel_drift::gram_of(Index symbol)
{
    equations& one = d_symbols[symbol];
    const Index streams = one.sent.cols();
    if (one.gram.size() > 0)
        return one.gram;
    one.gram.resize(streams * d_length, streams * d_length);
    for (Index i = 0; i < streams; i++)
        for (Index j = i; j < streams; j++) {
            d_work->correlate(one.sent.col(i), one.sent.col(j));
            for (Index l = 0; l < d_length; l++)
                for (Index m = 0; m < d_length; m++) {
                    const auto lag = d_work->lags((l - m + d_fft_len) % d_fft_len);
                    one.gram(d_length * i + l, d_length * j + m) = lag;
                    one.gram(d_length * j + m, d_length * i + l) = std::conj(lag);
                }
        }
    return one.gram;
}

double channel_drift::correlation() const
{
    double common = 0.0, own = 0.0;
    for (size_t n = 0; n + 1 < d_symbols.size(); n++) {
        const MatrixXcd &a = d_symbols[n].right, &b = d_symbols[n + 1].right;
        common += a.conjugate().cwiseProduct(b).sum().real();
        own += 0.5 * (a.squaredNorm() + b.squaredNorm());
    }
    return own > 0.0 ? common / own : 0.0;
}

mimo_taps channel_drift::around(Index place, double weight, Index leave_out)
{
    const Index size = d_symbols[0].right.rows();
    MatrixXcd &gram = d_work->gram, &right = d_work->right;
    gram.setZero(size, size);
    right.setZero(size, d_symbols[0].right.cols());
    for (Index m = 0; m < num_symbols(); m++) {
        const double share = std::pow(weight, double(std::abs(place - m)));
        if (m == leave_out || share < LIGHTEST)
            continue;
        gram += share * gram_of(m);
        right += share * d_symbols[m].right;
    }
    gram.diagonal().array() += DRIFT_RIDGE * gram.trace().real() / double(size) + 1e-12;
    d_work->factor.compute(gram);
    return { d_length, d_work->factor.solve(right) };
}

// |left - sent * taps|^2 of a symbol.
double channel_drift::left_over(Index symbol, const mimo_taps& taps)
{
    const equations& one = d_symbols[symbol];
    const MatrixXcd turned = gram_of(symbol) * taps.values - 2.0 * one.right;
    return one.energy + taps.values.conjugate().cwiseProduct(turned).sum().real();
}

double channel_drift::work(Index num_symbols, Index unknowns)
{
    const double size = double(unknowns), count = double(num_symbols);
    return double(std::size(WEIGHTS)) * count *
           (count * size * size + size * size * size);
}

bool channel_drift::affordable(Index num_symbols, Index unknowns)
{
    constexpr double MOST_WORK = 2e8;
    return work(num_symbols, unknowns) < MOST_WORK;
}

std::vector<mimo_taps> channel_drift::likeliest()
{
    const Index count = num_symbols();
    if (correlation() < LEAST_CORRELATION)
        return {};
    double best = 0.0, found = 0.0;
    for (const equations& one : d_symbols)
        best += WORTH * one.energy;
    for (const double weight : WEIGHTS) {
        double left = 0.0;
        for (Index n = 0; n < count; n++)
            left += left_over(n, around(n, weight, n));
        if (left < best) {
            best = left;
            found = weight;
        }
    }
    std::vector<mimo_taps> taps;
    for (Index n = 0; n < count && found > 0.0; n++)
        taps.push_back(around(n, found));
    return taps;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
