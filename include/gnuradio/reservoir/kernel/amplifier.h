/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_AMPLIFIER_H
#define INCLUDED_RESERVOIR_KERNEL_AMPLIFIER_H

#include <gnuradio/reservoir/api.h>
#include <complex>
#include <cstddef>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief Baseband model of a power amplifier that compresses: the physics of power_amplifier_cc,
 * which has the formulas and their sources.
 *
 * With g = 10^(-input_backoff_db/20) and the model's characteristic F an input x of unit mean
 * power gives output_gain F(g x)/g, in double precision. A sample that is not finite counts as
 * zero. Not thread-safe. No allocation after construction.
 */
class RESERVOIR_API amplifier
{
public:
    typedef std::vector<std::vector<std::complex<float>>> coefficients_t;

    //! A mild polynomial of order 5 with 3 memory taps.
    static coefficients_t default_coefficients();

    /*!
     * \param model "rapp" (Rapp, 1991), "saleh" (Saleh, 1981), "memory_polynomial" (Ding et al.,
     * 2004) or "linear"
     * \param input_backoff_db -60 ... 100
     * \param smoothness Rapp's p, 0.1 ... 100
     * \param saleh alpha_a > 0, beta_a >= 0, alpha_phi, beta_phi >= 0
     * \param coefficients a row for each odd order 1, 3, 5, ... (1 ... 8), a column for each
     * memory tap (1 ... 64), finite
     * \param output_gain amplitude factor, above 0, at most 1e6
     * \throws std::invalid_argument naming the parameter, its value and its range
     */
    explicit amplifier(
        const std::string& model = "rapp",
        double input_backoff_db = 3.0,
        double smoothness = 2.0,
        const std::vector<double>& saleh = { 2.1587, 1.1517, 4.0033, 9.1040 },
        const coefficients_t& coefficients = default_coefficients(),
        double output_gain = 1.0);

    const std::string& model() const { return d_name; }
    double input_backoff_db() const { return d_input_backoff_db; }
    double output_gain() const { return d_output_gain; }
    //! Both or, where one is outside its range, neither. \throws std::invalid_argument
    void set_operating_point(double input_backoff_db, double output_gain);

    //! out[n] is the output for in[n]; out may be in. A call goes on where the last one ended.
    void amplify(const std::complex<float>* in, size_t count, std::complex<float>* out);

    //! The samples before the next one are zero.
    void forget();

    /*!
     * \brief Mean output power for independent inputs of unit mean power, for output_gain = 1.
     *
     * \param input_backoff_db -60 ... 100, need not be the one in use
     * \param points the input's equiprobable values, scaled to unit mean power before use; none:
     * a circular Gaussian input
     * \throws std::invalid_argument if the back-off is outside its range, or the points have no
     * finite power above 0
     */
    double mean_output_power(double input_backoff_db,
                             const std::vector<std::complex<float>>& points = {}) const;

private:
    enum class model_t { RAPP, SALEH, MEMORY_POLYNOMIAL, LINEAR };

    static model_t parse_model(const std::string& model);
    void set_coefficients(const coefficients_t& coefficients);
    std::complex<double> gain(double amplitude, double drive, int tap) const;
    void add_gaussian_power(double drive, int tap, double& power) const;

    std::string d_name;
    model_t d_model;
    double d_smoothness;
    std::vector<double> d_saleh;
    // c_kq at [q * orders + k]: the orders of one tap are neighbours
    int d_num_orders = 1;
    int d_num_taps = 1;
    std::vector<std::complex<double>> d_coefficients;

    double d_input_backoff_db;
    double d_output_gain;
    // the last num_taps - 1 inputs, then the block at work
    std::vector<std::complex<double>> d_line;
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_AMPLIFIER_H */
