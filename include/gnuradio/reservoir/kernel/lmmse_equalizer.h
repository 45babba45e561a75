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
    //! \param num_symbols of a frame, at least 1; its workspace is made here
    explicit lmmse_equalizer(Eigen::Index num_symbols);
    ~lmmse_equalizer();

    /*!
     * \param received streams of at least num_symbols samples
     * \param symbols num_symbols of them
     * \param timing p in r[n] = sum_l h_l x[n + p - l]
     * \param channel taps and noise; at most num_symbols taps
     * \param variance v of the symbols that are wanted, above 0
     * \param known symbols before the first that is not known; rows that see what was sent before the
     * frame are left out as far as these reach
     * \param equalized num_symbols of them
     * \return the variance of the noise in these
     */
    double equalize(const sample_streams& received,
                    const soft_symbols& symbols,
                    Eigen::Index timing,
                    const soft_channel& channel,
                    double variance,
                    Eigen::Index known,
                    Eigen::VectorXcd& equalized);

private:
    struct workspace;
    const Eigen::Index d_num_symbols;
    const std::unique_ptr<workspace> d_work;
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_LMMSE_EQUALIZER_H */
