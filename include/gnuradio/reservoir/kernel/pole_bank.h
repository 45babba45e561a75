/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_POLE_BANK_H
#define INCLUDED_RESERVOIR_KERNEL_POLE_BANK_H

#include <gnuradio/reservoir/api.h>
#include <Eigen/Core>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief First-order recursive filters in parallel: a linear recurrent network, diagonalised.
 *
 * s_k[n] = p_k s_k[n-1] + u_k[n]: the response of pole p_k to an impulse is p_k^n (Oppenheim and
 * Schafer, Discrete-Time Signal Processing). A maximum-phase or mixed-phase channel is inverted
 * with the help of the anticausal bank s_k[n] = p_k s_k[n+1] + u[n].
 *
 * Parts of a state below 1e-30 become zero, at the latest after the next 32nd symbol. Otherwise the
 * state would decay into subnormal numbers, which are a hundred times as slow, and stay there for
 * ever with |p_k| > 1/2.
 */
class RESERVOIR_API pole_bank
{
public:
    /*!
     * \param poles every |p_k| < 1; may be empty
     * \throws std::invalid_argument naming the first pole that is not, with its index
     */
    explicit pole_bank(const std::vector<std::complex<float>>& poles);

    int num_poles() const { return static_cast<int>(d_state.size()); }

    //! All states zero.
    void reset();

    //! One symbol. \param drive num_poles values, one per pole; the result is state()
    void step(const std::complex<float>* drive);

    //! num_poles values, after the last symbol
    const std::complex<float>* state() const { return d_state.data(); }

    /*!
     * \brief Many symbols, the same input for all poles, going on from state().
     *
     * \param input count values
     * \param count number of symbols
     * \param states room for count x num_poles values, one row per symbol
     */
    void run(const std::complex<float>* input, size_t count, std::complex<float>* states);

    //! num_poles values and zeros up to a multiple of 16, real and imaginary parts apart, aligned.
    struct padded_values {
        explicit padded_values(const std::vector<std::complex<float>>& values);
        Eigen::ArrayXf re, im;
    };

    /*!
     * \brief Many symbols, a drive for each pole, and what a readout makes of the states.
     *
     * \param drive_re, drive_im count rows, each as long as padded_values and aligned like them
     * \param count number of symbols
     * \param readout a weight for each pole
     * \param outputs sum_k w_k s_k[n], count values
     */
    void run(const float* drive_re,
             const float* drive_im,
             size_t count,
             const padded_values& readout,
             std::complex<float>* outputs);

    /*!
     * \brief The same backward in time, with zero beyond the end of the input.
     *
     * \param poles every |p_k| < 1; may be empty
     * \param input count values
     * \param count number of symbols
     * \param states room for count x poles values, one row per symbol
     * \throws std::invalid_argument as the constructor
     */
    static void run_anticausal(const std::vector<std::complex<float>>& poles,
                               const std::complex<float>* input,
                               size_t count,
                               std::complex<float>* states);

private:
    void advance(std::complex<float> input, std::complex<float>* states);

    // apart, so that the compiler vectorises across the poles
    padded_values d_poles;
    padded_values d_states;
    std::vector<std::complex<float>> d_state;
    uint64_t d_symbols = 0; // of run with a readout, since the reset
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_POLE_BANK_H */
