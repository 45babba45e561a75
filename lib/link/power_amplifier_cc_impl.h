/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_POWER_AMPLIFIER_CC_IMPL_H
#define INCLUDED_RESERVOIR_POWER_AMPLIFIER_CC_IMPL_H

#include <gnuradio/reservoir/kernel/amplifier.h>
#include <gnuradio/reservoir/power_amplifier_cc.h>

namespace gr {
namespace reservoir {

class power_amplifier_cc_impl : public power_amplifier_cc
{
private:
    kernel::amplifier d_amplifier;

public:
    explicit power_amplifier_cc_impl(const kernel::amplifier& amplifier);

    double mean_output_power(double input_backoff_db,
                             const std::vector<gr_complex>& points) const override;

    void set_input_backoff_db(double input_backoff_db) override;
    void set_output_gain(double output_gain) override;
    void set_operating_point(double input_backoff_db, double output_gain) override;

    std::string model() const override { return d_amplifier.model(); }
    double input_backoff_db() override;
    double output_gain() override;

    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_POWER_AMPLIFIER_CC_IMPL_H */
