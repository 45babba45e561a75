/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_CARRIER_SMOOTHER_H
#define INCLUDED_RESERVOIR_KERNEL_CARRIER_SMOOTHER_H

#include <gnuradio/reservoir/api.h>
#include <Eigen/Core>
#include <complex>
#include <memory>

namespace gr {
namespace reservoir {
namespace kernel {

//! What known symbols tell about each carrier's channel; carriers in natural order.
struct carrier_sums {
    Eigen::VectorXd powers;    //!< sum of |X|^2; zero where nothing is known
    Eigen::VectorXcd products; //!< sum of conj(X) Y

    explicit carrier_sums(Eigen::Index fft_len = 0)
        : powers(Eigen::VectorXd::Zero(fft_len)),
          products(Eigen::VectorXcd::Zero(fft_len))
    {
    }
    void
    add(Eigen::Index carrier, std::complex<double> sent, std::complex<double> received)
    {
        powers(carrier) += std::norm(sent);
        products(carrier) += std::conj(sent) * received;
    }
    /*!
     * An estimate of the carrier's channel, made by symbols of this power. One that is zero or not
     * finite counts as not known. \return whether it is known
     */
    RESERVOIR_API bool
    add_tap(Eigen::Index carrier, std::complex<float> tap, double power);
    void fade(double factor)
    {
        powers *= factor;
        products *= factor;
    }
};

//! Taps begin ... begin + length - 1. Tap 0 is at the first sample of the FFT's window; where
//! the window is late in the symbol, paths have negative places.
struct tap_support {
    Eigen::Index begin = 0;
    Eigen::Index length = 1;
};

/*!
 * \brief The channel of an OFDM symbol's carriers as the response of few taps, by least squares.
 *
 * \details
 * H[k] = sum_l h_l e^(-2 pi i k l / N) with l in the support minimizes sum_k P[k] |Q[k] / P[k] - H[k]|^2
 * with powers P and products Q (van de Beek et al., 1995). Noise falls by the ratio of taps to
 * carriers. The cost is two FFTs and O(length^3).
 *
 * Not for two threads at once.
 */
class RESERVOIR_API carrier_smoother
{
public:
    //! \param fft_len 2 or more
    explicit carrier_smoother(Eigen::Index fft_len);
    ~carrier_smoother();

    /*!
     * \brief Begin and length of the taps by the Bayesian information criterion (Schwarz, 1978).
     *
     * All begins share one Cholesky factor, as a shift of the taps does not change the equations'
     * matrix; so do all lengths.
     *
     * \param sums some power is not zero
     * \param earliest, latest places of the first tap to try
     * \param longest taps, 1 or more; at most half of the carriers that are known are tried
     */
    tap_support find_support(const carrier_sums& sums,
                             Eigen::Index earliest,
                             Eigen::Index latest,
                             Eigen::Index longest);
    /*!
     * \brief The same for a window of the FFT that lies within a quarter of the symbol early or late: at
     * most a quarter of the carriers are taps, and 128.
     */
    tap_support find_support(const carrier_sums& sums);

    //! The taps in the support, the first one first.
    const Eigen::VectorXcd& taps(const carrier_sums& sums, const tap_support& support);
    //! Of all carriers, those that are not known among them.
    void
    response(const carrier_sums& sums, const tap_support& support, Eigen::VectorXcd& to);

private:
    struct workspace;
    const Eigen::Index d_fft_len;
    std::unique_ptr<workspace> d_work;
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_CARRIER_SMOOTHER_H */
