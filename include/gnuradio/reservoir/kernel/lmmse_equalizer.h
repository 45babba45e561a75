/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_LMMSE_EQUALIZER_H
#define INCLUDED_RESERVOIR_KERNEL_LMMSE_EQUALIZER_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/kernel/soft_channel.h>
#include <complex>
#include <memory>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief Linear equalizer of least mean squared error that knows something of the symbols already, in
 * the frequency domain (Tuechler and Hagenauer, 2001; Tuechler, Singer, Koetter, 2002).
 *
 * What the symbols' means explain is taken from the streams; the rest is filtered as if all symbols
 * had the variance v. With S = sum_q |H_q|^2 / sigma_q^2 over the streams, G = 1 / (v S + 1) and
 * mu = mean of S G over the frequencies,
 *
 *     z = m + IFFT(G sum_q conj(H_q) FFT(r_q - h_q * m) / sigma_q^2) / mu
 *
 * is a symbol in noise of the variance (1 - v mu) / mu, without what its own mean told: extrinsic.
 * One transform per stream, two for the taps and the result.
 *
 * Not for two threads at once.
 */
class RESERVOIR_API lmmse_equalizer
{
public:
    //! \param max_symbols equalized at a time, at least 1; the workspace is made here
    explicit lmmse_equalizer(Eigen::Index max_symbols);
    ~lmmse_equalizer();

    /*!
     * \brief Equalizes the symbols in rows, at most max_symbols and at least as many as taps.
     * \param received streams; samples that there are not count as zero
     * \param symbols as long as rows.last
     * \param timing p in r[n] = sum_l h_l x[n + p - l]
     * \param variance v of the symbols that are wanted, above 0
     * \param left_out so many samples at the beginning, at most rows.size(), as they see symbols that
     * nothing is known of
     * \param equalized rows.size() of them
     * \return the variance of the noise in these
     */
    double equalize(const sample_streams& received,
                    const soft_symbols& symbols,
                    row_range rows,
                    Eigen::Index timing,
                    const soft_channel& channel,
                    double variance,
                    Eigen::Index left_out,
                    Eigen::VectorXcd& equalized);

private:
    struct workspace;
    std::unique_ptr<workspace> d_work;
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_LMMSE_EQUALIZER_H */
