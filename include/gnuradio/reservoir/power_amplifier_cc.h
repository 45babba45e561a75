/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_POWER_AMPLIFIER_CC_H
#define INCLUDED_RESERVOIR_POWER_AMPLIFIER_CC_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/sync_block.h>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief Baseband model of a power amplifier that compresses.
 * \ingroup reservoir
 *
 * \details
 * The input has unit mean power. With g = 10^(-input_backoff_db/20) and the model's
 * characteristic F, the output is y = output_gain F(g x)/g, so that the small-signal gain
 * does not depend on the back-off:
 *
 * - rapp (C. Rapp, 1991): F(u) = u/(1 + |u|^(2p))^(1/(2p)), p = smoothness. Small-signal
 * gain 1; the output saturates at the amplitude A = 10^(input_backoff_db/20).
 * - saleh (A. Saleh, IEEE Trans. Commun. 29, 1981): |F| = alpha_a r/(1 + beta_a r^2),
 * phase turned by alpha_phi r^2/(1 + beta_phi r^2), r = |u|. Small-signal gain alpha_a;
 * the largest output is at r = 1/sqrt(beta_a).
 * - memory_polynomial (L. Ding et al., IEEE Trans. Commun. 52, 2004):
 *   F(u)[n] = sum over k = 1, 3, 5, ... and q of c_kq u[n-q] |u[n-q]|^(k-1). At 0 dB of
 * back-off the coefficients hold for an input of unit mean power. The linear response is
 * row c_1q.
 * - linear: F(u) = u.
 *
 * The output power is not measured: that would make a sample depend on how the scheduler
 * cuts the stream. For unit mean output power set output_gain =
 * 1/sqrt(mean_output_power(input_backoff_db, points)).
 *
 * A sample that is NaN or infinite counts as zero. All tags pass. O(orders x taps) per sample.
 */
class RESERVOIR_API power_amplifier_cc : virtual public gr::sync_block
{
public:
    typedef std::shared_ptr<power_amplifier_cc> sptr;

    //! A mild polynomial of order 5 with 3 memory taps.
    static std::vector<std::vector<gr_complex>> default_coefficients();

    /*!
     * \param model "rapp", "saleh", "memory_polynomial" or "linear"
     * \param input_backoff_db input back-off in dB, -60 ... 100
     * \param smoothness Rapp's p, 0.1 ... 100
     * \param saleh alpha_a > 0, beta_a >= 0, alpha_phi, beta_phi >= 0
     * \param coefficients one row for each odd order 1, 3, 5, ... (1 ... 8 rows), one
     *        column for each memory tap (1 ... 64), finite
     * \param output_gain amplitude factor at the output, above 0, at most 1e6
     * \throws std::invalid_argument if a parameter is outside its range
     */
    static sptr make(
        const std::string& model = "rapp",
        double input_backoff_db = 3.0,
        double smoothness = 2.0,
        const std::vector<double>& saleh = { 2.1587, 1.1517, 4.0033, 9.1040 },
        const std::vector<std::vector<gr_complex>>& coefficients = default_coefficients(),
        double output_gain = 1.0);

    /*!
     * \brief Mean output power for independent inputs of unit mean power, with output_gain 1.
     *
     * \param input_backoff_db -60 ... 100, need not be the one in use
     * \param points the input's equiprobable values, scaled to unit mean power before
     *        use; none: a circular Gaussian input
     * \throws std::invalid_argument if the back-off is outside its range, or the points
     *         have no finite power above 0
     */
    virtual double
    mean_output_power(double input_backoff_db,
                      const std::vector<gr_complex>& points = {}) const = 0;

    //! \throws std::invalid_argument outside -60 ... 100 dB
    virtual void set_input_backoff_db(double input_backoff_db) = 0;
    //! \throws std::invalid_argument unless above 0 and at most 1e6
    virtual void set_output_gain(double output_gain) = 0;
    //! Sets both between two samples. \throws std::invalid_argument
    virtual void set_operating_point(double input_backoff_db, double output_gain) = 0;

    virtual std::string model() const = 0;
    virtual double input_backoff_db() = 0;
    virtual double output_gain() = 0;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_POWER_AMPLIFIER_CC_H */
