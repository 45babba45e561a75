/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_BLOCK_FADING_CC_IMPL_H
#define INCLUDED_RESERVOIR_BLOCK_FADING_CC_IMPL_H

#include <gnuradio/reservoir/block_fading_cc.h>
#include <gnuradio/reservoir/kernel/fading.h>
#include <vector>

namespace gr {
namespace reservoir {

class block_fading_cc_impl : public block_fading_cc
{
private:
    const pmt::pmt_t d_redraw_tag;
    const bool d_redraw_at_tags;
    kernel::fading d_fading;
    bool d_announce = false; // the next sample carries a channel tag

    std::vector<gr::tag_t> d_tags;
    std::vector<gr::tag_t> d_passed;
    std::vector<uint64_t> d_starts;      // output samples
    std::vector<const gr_complex*> d_in; // of what is worked on
    std::vector<gr_complex*> d_out;

    pmt::pmt_t taps_as_pmt() const;
    void pass_tags(int noutput_items);

public:
    block_fading_cc_impl(const kernel::fading& fading,
                         const std::string& redraw_tag,
                         bool redraw_at_tags);

    void set_taps(const taps_t& taps) override;
    void set_power_delay_profile(const std::vector<double>& power_delay_profile) override;
    void set_frequency_offset(double frequency_offset) override;
    taps_t taps() override;

    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_BLOCK_FADING_CC_IMPL_H */
