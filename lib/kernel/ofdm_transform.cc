/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/ofdm_transform.h>

#include "check.h"
#include "kernel/fourier_transform.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;

ofdm_transform::ofdm_transform(int fft_len, const std::vector<int>& cp_len)
    : d_fft_len(fft_len), d_cp_len(cp_len)
{
    require(fft_len >= 2, "fft_len", fft_len, "at least 2");
    require(!cp_len.empty(), "cp_len", "[]", "at least one length");
    for (const int length : cp_len)
        require_range("cp_len", length, 0, fft_len);
    d_fourier = fourier_transform::of(fft_len);
}

ofdm_transform::~ofdm_transform() = default;

Index ofdm_transform::cp_len(Index symbol) const
{
    return d_cp_len[symbol % d_cp_len.size()];
}

Index ofdm_transform::longest_cp() const
{
    return *std::max_element(d_cp_len.begin(), d_cp_len.end());
}

Index ofdm_transform::begin(Index symbol) const
{
    const Index period = d_cp_len.size();
    const auto first = d_cp_len.begin();
    const Index whole = std::accumulate(first, d_cp_len.end(), Index(0));
    const Index rest = std::accumulate(first, first + symbol % period, Index(0));
    return symbol * d_fft_len + symbol / period * whole + rest;
}

Index ofdm_transform::num_symbols(Index num_samples) const
{
    Index count = 0;
    while (begin(count + 1) <= num_samples)
        count++;
    return count;
}

MatrixXcd ofdm_transform::carriers(const VectorXcd& samples, Index num_symbols) const
{
    const double scale = 1.0 / std::sqrt(double(d_fft_len));
    MatrixXcd out(d_fft_len, num_symbols);
    for (Index n = 0; n < num_symbols; n++) {
        d_fourier->forward(samples.data() + begin(n) + cp_len(n), out.col(n).data());
        out.col(n) *= scale;
    }
    return out;
}

VectorXcd ofdm_transform::samples(const MatrixXcd& carriers) const
{
    const double scale = 1.0 / std::sqrt(double(d_fft_len));
    VectorXcd out(begin(carriers.cols()));
    for (Index n = 0; n < carriers.cols(); n++) {
        const Index prefix = cp_len(n);
        auto symbol = out.segment(begin(n) + prefix, d_fft_len);
        d_fourier->inverse(carriers.col(n).data(), symbol.data());
        symbol *= scale;
        out.segment(begin(n), prefix) = symbol.tail(prefix);
    }
    return out;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
