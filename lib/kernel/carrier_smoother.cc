/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/carrier_smoother.h>

#include <Eigen/Cholesky>
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

constexpr double SMOOTHER_RIDGE = 1e-8; // of the diagonal
constexpr double LEAST_LEFT = 1e-11;    // of the energy, above what floats round away
constexpr Index MOST_TAPS = 128;

} // namespace

bool carrier_sums::add_tap(Index carrier, std::complex<float> tap, double power)
{
    if (!std::isfinite(tap.real()) || !std::isfinite(tap.imag()) || tap == 0.0F)
        return false;
    powers(carrier) += power;
    products(carrier) += power * std::complex<double>(tap);
    return true;
}

struct carrier_smoother::workspace {
    Eigen::FFT<double> fft;
    VectorXcd carriers, gram_lags, right_lags, taps;
    MatrixXcd gram;
    Eigen::LLT<MatrixXcd> factor;

    // sum_k in[k] e^(2 pi i k l / N)
    void correlate(const VectorXcd& in, VectorXcd& out)
    {
        out.resize(in.size());
        fft.inv(out.data(), in.data(), in.size());
        out *= double(in.size());
    }

    void set_equations(const carrier_sums& sums, Index length)
    {
        const Index size = sums.powers.size();
        carriers = sums.powers.cast<std::complex<double>>();
        correlate(carriers, gram_lags);
        correlate(sums.products, right_lags);
        gram.resize(length, length);
        for (Index i = 0; i < length; i++)
            for (Index j = 0; j < length; j++)
                gram(i, j) = gram_lags((i - j + size) % size);
        gram.diagonal().array() *= 1.0 + SMOOTHER_RIDGE;
        factor.compute(gram);
    }

    auto right(Index begin, Index length)
    {
        const Index size = right_lags.size();
        return VectorXcd::NullaryExpr(length, [this, begin, size](Index i) {
            return right_lags(((begin + i) % size + size) % size);
        });
    }
};

carrier_smoother::carrier_smoother(Index fft_len)
    : d_fft_len(fft_len), d_work(std::make_unique<workspace>())
{
}

carrier_smoother::~carrier_smoother() = default;

tap_support carrier_smoother::find_support(const carrier_sums& sums,
                                           Index earliest,
                                           Index latest,
                                           Index longest)
{
    double energy = 0.0;
    Index count = 0;
    for (Index k = 0; k < d_fft_len; k++)
        if (sums.powers(k) > 0.0) {
            energy += std::norm(sums.products(k)) / sums.powers(k);
            count++;
        }
    longest = std::clamp<Index>(longest, 1, std::max<Index>(count / 2, 1));
    d_work->set_equations(sums, longest);

    const double penalty = std::log(double(count));
    double best = std::numeric_limits<double>::infinity();
    tap_support found = { std::clamp<Index>(0, earliest, latest), 1 };
    for (Index begin = earliest; begin <= latest; begin++) {
        d_work->taps = d_work->right(begin, longest);
        d_work->factor.matrixL().solveInPlace(d_work->taps);
        double left = energy;
        for (Index length = 1; length <= longest; length++) {
            left -= std::norm(d_work->taps(length - 1));
            const double score =
                count * std::log(std::max(left, LEAST_LEFT * energy) / count) +
                length * penalty;
            if (score < best) {
                best = score;
                found = { begin, length };
            }
        }
    }
    return found;
}

tap_support carrier_smoother::find_support(const carrier_sums& sums)
{
    const Index quarter = d_fft_len / 4;
    return find_support(
        sums, -quarter, quarter, std::clamp<Index>(quarter, 1, MOST_TAPS));
}

const VectorXcd& carrier_smoother::taps(const carrier_sums& sums,
                                        const tap_support& support)
{
    d_work->set_equations(sums, support.length);
    d_work->taps = d_work->right(support.begin, support.length);
    d_work->factor.solveInPlace(d_work->taps);
    return d_work->taps;
}

void carrier_smoother::response(const carrier_sums& sums,
                                const tap_support& support,
                                VectorXcd& to)
{
    taps(sums, support);
    d_work->carriers.setZero(d_fft_len);
    for (Index i = 0; i < support.length; i++)
        d_work->carriers(((support.begin + i) % d_fft_len + d_fft_len) % d_fft_len) +=
            d_work->taps(i);
    to.resize(d_fft_len);
    d_work->fft.fwd(to.data(), d_work->carriers.data(), d_fft_len);
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
