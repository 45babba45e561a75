/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_TAPPED_DELAY_WINDOW_H
#define INCLUDED_RESERVOIR_KERNEL_TAPPED_DELAY_WINDOW_H

#include <gnuradio/reservoir/api.h>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief The last `window` symbol periods of every input, at every symbol instant.
 *
 * The samples of input a fall into sps *branches*: branch a·sps + i holds, for symbol n, the
 * sample r_a[n·sps − i]. A fractionally spaced equalizer is thus a symbol-spaced one with more
 * inputs. Real and imaginary parts lie in arrays of their own, so that SIMD code can read
 * consecutive symbols of a branch. Samples before the first are zero.
 *
 * Samples are scaled by a gain on their way in; one that is not finite (or not any more after
 * scaling) becomes zero and is counted.
 *
 * Use: write() until symbols() are there, read them through re()/im(), discard() them.
 */
class RESERVOIR_API tapped_delay_window
{
public:
    //! Symbols that can be held before discard().
    static constexpr size_t BLOCK = 256;

    /*!
     * \param num_inputs antennas, at least 1
     * \param sps samples per symbol, at least 1
     * \param window length in symbol periods, at least 1
     */
    tapped_delay_window(int num_inputs, int sps, int window);

    void reset();
    void set_gain(float gain) { d_gain = gain; }
    float gain() const { return d_gain; }

    int num_branches() const { return d_num_inputs * d_sps; }
    int sps() const { return d_sps; }
    int window() const { return d_window; }
    //! Taps over all branches: num_inputs · sps · window.
    int num_taps() const { return num_branches() * d_window; }

    /*!
     * Takes samples in[a][0 … count−1], as many as fit; a null pointer stands for zeros.
     * \return the number taken
     */
    size_t write(const std::complex<float>* const* in, size_t offset, size_t count);

    //! Complete symbols that can be read.
    size_t symbols() const;

    /*!
     * Branch b as an array over time: element n + window − 1 is symbol n's newest sample,
     * element n its oldest. At least 64 elements beyond the last symbol may be read.
     */
    const float* re(int branch) const { return d_re[branch].data(); }
    const float* im(int branch) const { return d_im[branch].data(); }

    //! Symbol n's taps in the order of branches, oldest first: num_taps() values each.
    void copy_taps(size_t n, float* re, float* im) const;

    /*!
     * Where a user finds tap (branch, age in symbols): input-major, newest sample first,
     * a·window·sps + age·sps + i.
     */
    int tap_index(int branch, int age) const
    {
        return (branch / d_sps) * d_window * d_sps + age * d_sps + branch % d_sps;
    }

    //! Forgets all complete symbols but the window − 1 that later ones still see.
    void discard();

    //! Samples replaced by zero since the last call.
    uint64_t take_bad_samples() { return std::exchange(d_bad_samples, 0); }

private:
    const int d_num_inputs;
    const int d_sps;
    const int d_window;
    float d_gain = 1.0F;
    uint64_t d_bad_samples = 0;
    size_t d_written = 0; // samples since the instant before the block's first symbol
    std::vector<std::vector<float>> d_re, d_im;
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_TAPPED_DELAY_WINDOW_H */
