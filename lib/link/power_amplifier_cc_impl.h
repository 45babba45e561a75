/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_POWER_AMPLIFIER_CC_IMPL_H
#define INCLUDED_RESERVOIR_POWER_AMPLIFIER_CC_IMPL_H

#include <gnuradio/reservoir/power_amplifier_cc.h>
#include <complex>

namespace gr {
namespace reservoir {

class power_amplifier_cc_impl : public power_amplifier_cc
{
private:
    enum class model_t { RAPP, SALEH, MEMORY_POLYNOMIAL, LINEAR };
    static constexpr int BLOCK_LEN = 1024;

    const std::string d_name;
    const model_t d_model;
    const double d_smoothness;
    const std::vector<double> d_saleh;
    // c_kq at [q * orders + k]: the orders of one tap are neighbours
    int d_num_orders = 1;
    int d_num_taps = 1;
    std::vector<std::complex<double>> d_coefficients;

    double d_input_backoff_db;
    double d_output_gain;
    // the last num_taps - 1 inputs, then the block at work
    std::vector<std::complex<double>> d_line;

    static model_t parse_model(const std::string& model);
    void set_coefficients(const std::vector<std::vector<gr_complex>>& coefficients);

    //! F(g x)/(g x) of memory tap q; a Rapp, Saleh or linear amplifier has tap 0 only.
    std::complex<double> gain(double amplitude, double drive, int tap) const;

public:
    power_amplifier_cc_impl(const std::string& model,
                            double input_backoff_db,
                            double smoothness,
                            const std::vector<double>& saleh,
                            const std::vector<std::vector<gr_complex>>& coefficients,
                            double output_gain);

    double mean_output_power(double input_backoff_db,
                             const std::vector<gr_complex>& points) const override;

    void set_input_backoff_db(double input_backoff_db) override;
    void set_output_gain(double output_gain) override;
    void set_operating_point(double input_backoff_db, double output_gain) override;

    std::string model() const override { return d_name; }
    double input_backoff_db() override;
    double output_gain() override;

    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_POWER_AMPLIFIER_CC_IMPL_H */
