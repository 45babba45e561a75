/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_PHASE_LOOP_CC_IMPL_H
#define INCLUDED_RESERVOIR_PHASE_LOOP_CC_IMPL_H

#include "detector/decision_device.h"
#include <gnuradio/blocks/control_loop.h>
#include <gnuradio/reservoir/phase_loop_cc.h>
#include <vector>

namespace gr {
namespace reservoir {

class phase_loop_cc_impl : public phase_loop_cc
{
private:
    const decision_device d_decide;
    const pmt::pmt_t d_training_tag;
    const bool d_starts_anew;
    double d_loop_bandwidth;
    gr::blocks::control_loop d_loop;
    std::vector<gr::tag_t> d_tags;

    gr_complex turn(gr_complex symbol);

public:
    phase_loop_cc_impl(gr::digital::constellation_sptr constellation,
                       double loop_bandwidth,
                       const std::string& training_tag);

    void set_loop_bandwidth(double loop_bandwidth) override;
    double phase() const override;
    double frequency() const override;

    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_PHASE_LOOP_CC_IMPL_H */
