/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/lmmse_equalizer.h>

#include "check.h"
#include <unsupported/Eigen/FFT>
#include <algorithm>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::VectorXcd;

namespace {

// Zeros behind a frame, so that its end and its beginning do not see each other.
constexpr Index APART = 64;

// The least product of 2, 3 and 5 that is not less.
Index easy_to_transform(Index least)
{
    for (Index size = least;; size++) {
        Index rest = size;
        for (const Index factor : { 2, 3, 5 })
            while (rest % factor == 0)
                rest /= factor;
        if (rest == 1)
            return size;
    }
}

} // namespace

struct lmmse_equalizer::workspace {
    explicit workspace(Index size)
        : samples(size), spectrum(size), taps(size), matched(size), power(size)
    {
    }
    Eigen::FFT<double> fft;
    VectorXcd samples, spectrum;
    VectorXcd taps, matched;
    Eigen::VectorXd power;
};

lmmse_equalizer::lmmse_equalizer(Index max_symbols)
{
    require(max_symbols >= 1, "max_symbols", max_symbols, "at least 1");
    d_work = std::make_unique<workspace>(easy_to_transform(max_symbols + APART));
}

lmmse_equalizer::~lmmse_equalizer() = default;

double lmmse_equalizer::equalize(const sample_streams& received,
                                 const soft_symbols& symbols,
                                 row_range rows,
                                 Index timing,
                                 const soft_channel& channel,
                                 double variance,
                                 Index left_out,
                                 VectorXcd& equalized)
{
    workspace& work = *d_work;
    const Index size = work.power.size(), count = rows.size();
    const Eigen::MatrixXcd explained = channel_rows(symbols.mean, rows, channel.taps);
    work.matched.setZero();
    work.power.setZero();
    for (Index q = 0; q < Index(received.size()); q++) {
        const double certainty = 1.0 / channel.noise_variance(q);
        work.samples.setZero();
        work.samples.head(count) =
            lagged(received[q], rows, 1, timing) - explained.col(q);
        work.samples.head(left_out).setZero();
        work.fft.fwd(work.spectrum.data(), work.samples.data(), size);
        work.samples.setZero();
        work.samples.head(channel.taps.rows()) = channel.taps.col(q);
        work.fft.fwd(work.taps.data(), work.samples.data(), size);
        work.power += certainty * work.taps.cwiseAbs2();
        work.matched += certainty * work.taps.conjugate().cwiseProduct(work.spectrum);
    }
    const Eigen::ArrayXd gain = 1.0 / (variance * work.power.array() + 1.0);
    const double mean = std::max((gain * work.power.array()).mean(), 1e-30);
    work.matched.array() *= gain;
    work.fft.inv(work.samples.data(), work.matched.data(), size);
    equalized = symbols.mean.segment(rows.first, count) + work.samples.head(count) / mean;
    return std::max((1.0 - variance * mean) / mean, 1e-9);
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
