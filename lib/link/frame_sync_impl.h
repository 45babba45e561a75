/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_FRAME_SYNC_IMPL_H
#define INCLUDED_RESERVOIR_FRAME_SYNC_IMPL_H

#include <gnuradio/reservoir/frame_sync.h>
#include <gnuradio/reservoir/kernel/burst_detector.h>
#include <gnuradio/reservoir/kernel/oscillator.h>
#include <deque>
#include <memory>

namespace gr {
namespace reservoir {

class frame_sync_impl : public frame_sync
{
public:
    frame_sync_impl(const kernel::burst_detector_settings& settings,
                    double sample_rate,
                    const std::string& tag_key);

    uint64_t frames() const override;
    uint64_t bad_samples() const override;

    bool start() override;
    void forecast(int noutput_items, gr_vector_int& ninput_items_required) override;
    int general_work(int noutput_items,
                     gr_vector_int& ninput_items,
                     gr_vector_const_void_star& input_items,
                     gr_vector_void_star& output_items) override;

private:
    void announce(const kernel::detected_burst& burst);
    void derotate(gr_complex* samples, uint64_t first, size_t count);

    const kernel::burst_detector_settings d_settings;
    const double d_sample_rate;
    const pmt::pmt_t d_tag_key;
    std::unique_ptr<kernel::burst_detector> d_detector;
    std::vector<gr_complex> d_held_back; // input from the next output sample on
    struct carried_burst {
        uint64_t start;
        kernel::oscillator carrier; // takes the offset out
    };
    std::deque<carried_burst> d_bursts; // the one that samples belong to, and later ones
    uint64_t d_frames = 0;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_FRAME_SYNC_IMPL_H */
