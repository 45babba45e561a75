/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "link/phase_loop_cc_impl.h"

#include "check.h"
#include "link/unit_power_points.h"
#include <gnuradio/expj.h>
#include <gnuradio/io_signature.h>
#include <gnuradio/thread/thread.h>
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {

namespace {

constexpr float MAX_FREQUENCY = 0.1f; // rad/symbol
constexpr float MAX_ERROR = 0.5f;     // rad

const gr::digital::constellation_sptr&
checked_constellation(const gr::digital::constellation_sptr& constellation)
{
    unit_power_points(constellation); // refuses what nothing can be decided by
    return constellation;
}

double checked_bandwidth(double loop_bandwidth)
{
    require_range("loop_bandwidth", loop_bandwidth, 0.0, 0.5);
    return loop_bandwidth;
}

} // namespace

phase_loop_cc::sptr phase_loop_cc::make(gr::digital::constellation_sptr constellation,
                                        double loop_bandwidth,
                                        const std::string& training_tag)
{
    return gnuradio::make_block_sptr<phase_loop_cc_impl>(
        constellation, loop_bandwidth, training_tag);
}

phase_loop_cc_impl::phase_loop_cc_impl(gr::digital::constellation_sptr constellation,
                                       double loop_bandwidth,
                                       const std::string& training_tag)
    : gr::sync_block("phase_loop_cc",
                     gr::io_signature::make(1, 1, sizeof(gr_complex)),
                     gr::io_signature::make(1, 1, sizeof(gr_complex))),
      d_decide(checked_constellation(constellation)),
      d_training_tag(pmt::mp(training_tag)),
      d_starts_anew(!training_tag.empty()),
      d_loop_bandwidth(checked_bandwidth(loop_bandwidth)),
      d_loop(loop_bandwidth, MAX_FREQUENCY, -MAX_FREQUENCY)
{
}

void phase_loop_cc_impl::set_loop_bandwidth(double loop_bandwidth)
{
    checked_bandwidth(loop_bandwidth);
    const gr::thread::scoped_lock lock(d_setlock);
    d_loop_bandwidth = loop_bandwidth;
    d_loop.set_loop_bandwidth(loop_bandwidth);
}

double phase_loop_cc_impl::phase() const
{
    const gr::thread::scoped_lock lock(const_cast<phase_loop_cc_impl*>(this)->d_setlock);
    return d_loop.get_phase();
}

double phase_loop_cc_impl::frequency() const
{
    const gr::thread::scoped_lock lock(const_cast<phase_loop_cc_impl*>(this)->d_setlock);
    return d_loop.get_frequency();
}

gr_complex phase_loop_cc_impl::turn(gr_complex symbol)
{
    const gr_complex turned = symbol * gr_expj(-d_loop.get_phase());
    if (!std::isfinite(turned.real()) || !std::isfinite(turned.imag()))
        return symbol;
    const float error = (turned * std::conj(d_decide.decide(turned))).imag();
    d_loop.advance_loop(std::clamp(error, -MAX_ERROR, MAX_ERROR));
    d_loop.phase_wrap();
    d_loop.frequency_limit();
    return turned;
}

int phase_loop_cc_impl::work(int noutput_items,
                             gr_vector_const_void_star& input_items,
                             gr_vector_void_star& output_items)
{
    const auto in = static_cast<const gr_complex*>(input_items[0]);
    auto out = static_cast<gr_complex*>(output_items[0]);
    const gr::thread::scoped_lock lock(d_setlock);
    if (d_loop_bandwidth == 0.0) {
        std::copy(in, in + noutput_items, out);
        return noutput_items;
    }
    d_tags.clear();
    if (d_starts_anew)
        get_tags_in_window(d_tags, 0, 0, noutput_items, d_training_tag);
    std::sort(d_tags.begin(), d_tags.end(), gr::tag_t::offset_compare);
    auto tag = d_tags.begin();
    for (int n = 0; n < noutput_items; n++) {
        for (; tag != d_tags.end() && tag->offset == nitems_read(0) + n; ++tag) {
            d_loop.set_phase(0.0f);
            d_loop.set_frequency(0.0f);
        }
        out[n] = turn(in[n]);
    }
    return noutput_items;
}

} // namespace reservoir
} // namespace gr
