/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "link/power_amplifier_cc_impl.h"

#include <gnuradio/io_signature.h>

namespace gr {
namespace reservoir {

std::vector<std::vector<gr_complex>> power_amplifier_cc::default_coefficients()
{
    return kernel::amplifier::default_coefficients();
}

power_amplifier_cc::sptr
power_amplifier_cc::make(const std::string& model,
                         double input_backoff_db,
                         double smoothness,
                         const std::vector<double>& saleh,
                         const std::vector<std::vector<gr_complex>>& coefficients,
                         double output_gain)
{
    return gnuradio::make_block_sptr<power_amplifier_cc_impl>(kernel::amplifier(
        model, input_backoff_db, smoothness, saleh, coefficients, output_gain));
}

power_amplifier_cc_impl::power_amplifier_cc_impl(const kernel::amplifier& amplifier)
    : gr::sync_block("power_amplifier_cc",
                     gr::io_signature::make(1, 1, sizeof(gr_complex)),
                     gr::io_signature::make(1, 1, sizeof(gr_complex))),
      d_amplifier(amplifier)
{
}

double
power_amplifier_cc_impl::mean_output_power(double input_backoff_db,
                                           const std::vector<gr_complex>& points) const
{
    return d_amplifier.mean_output_power(input_backoff_db, points);
}

void power_amplifier_cc_impl::set_input_backoff_db(double input_backoff_db)
{
    gr::thread::scoped_lock lock(d_setlock);
    d_amplifier.set_operating_point(input_backoff_db, d_amplifier.output_gain());
}

void power_amplifier_cc_impl::set_output_gain(double output_gain)
{
    gr::thread::scoped_lock lock(d_setlock);
    d_amplifier.set_operating_point(d_amplifier.input_backoff_db(), output_gain);
}

void power_amplifier_cc_impl::set_operating_point(double input_backoff_db,
                                                  double output_gain)
{
    gr::thread::scoped_lock lock(d_setlock);
    d_amplifier.set_operating_point(input_backoff_db, output_gain);
}

double power_amplifier_cc_impl::input_backoff_db()
{
    gr::thread::scoped_lock lock(d_setlock);
    return d_amplifier.input_backoff_db();
}

double power_amplifier_cc_impl::output_gain()
{
    gr::thread::scoped_lock lock(d_setlock);
    return d_amplifier.output_gain();
}

int power_amplifier_cc_impl::work(int noutput_items,
                                  gr_vector_const_void_star& input_items,
                                  gr_vector_void_star& output_items)
{
    gr::thread::scoped_lock lock(d_setlock);
    d_amplifier.amplify(static_cast<const gr_complex*>(input_items[0]),
                        noutput_items,
                        static_cast<gr_complex*>(output_items[0]));
    return noutput_items;
}

} // namespace reservoir
} // namespace gr
