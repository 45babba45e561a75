/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "link/block_fading_cc_impl.h"

#include <gnuradio/io_signature.h>
#include <algorithm>

namespace gr {
namespace reservoir {

namespace {

const pmt::pmt_t CHANNEL_TAG = pmt::mp("channel");

} // namespace

block_fading_cc::sptr
block_fading_cc::make(const std::vector<double>& power_delay_profile,
                      const taps_t& taps,
                      int num_tx,
                      int num_rx,
                      const std::string& redraw_tag,
                      int64_t frame_len,
                      double doppler,
                      int64_t seed,
                      bool normalize,
                      double frequency_offset,
                      const std::string& doppler_spectrum,
                      const std::vector<double>& path_delays)
{
    return gnuradio::make_block_sptr<block_fading_cc_impl>(
        kernel::fading(power_delay_profile,
                       taps,
                       num_tx,
                       num_rx,
                       frame_len,
                       doppler,
                       seed,
                       normalize,
                       frequency_offset,
                       doppler_spectrum,
                       path_delays),
        redraw_tag,
        frame_len == 0 && !redraw_tag.empty());
}

block_fading_cc_impl::block_fading_cc_impl(const kernel::fading& fading,
                                           const std::string& redraw_tag,
                                           bool redraw_at_tags)
    : gr::sync_block(
          "block_fading_cc",
          gr::io_signature::make(fading.num_tx(), fading.num_tx(), sizeof(gr_complex)),
          gr::io_signature::make(fading.num_rx(), fading.num_rx(), sizeof(gr_complex))),
      d_redraw_tag(pmt::intern(redraw_tag)),
      d_redraw_at_tags(redraw_at_tags),
      d_fading(fading),
      d_in(fading.num_tx()),
      d_out(fading.num_rx())
{
    set_tag_propagation_policy(TPP_DONT);
}

void block_fading_cc_impl::set_taps(const taps_t& taps)
{
    gr::thread::scoped_lock lock(d_setlock);
    d_fading.set_taps(taps);
    d_announce = true;
}

void block_fading_cc_impl::set_power_delay_profile(
    const std::vector<double>& power_delay_profile)
{
    gr::thread::scoped_lock lock(d_setlock);
    d_fading.set_power_delay_profile(power_delay_profile);
}

void block_fading_cc_impl::set_frequency_offset(double frequency_offset)
{
    gr::thread::scoped_lock lock(d_setlock);
    d_fading.set_frequency_offset(frequency_offset);
}

block_fading_cc::taps_t block_fading_cc_impl::taps()
{
    gr::thread::scoped_lock lock(d_setlock);
    return d_fading.taps();
}

pmt::pmt_t block_fading_cc_impl::taps_as_pmt() const
{
    const auto& taps = d_fading.flat_taps();
    const int num_tx = d_fading.num_tx(), num_rx = d_fading.num_rx();
    if (num_rx == 1 && num_tx == 1)
        return pmt::init_c32vector(taps.size(), taps);
    auto outputs = pmt::make_vector(num_rx, pmt::PMT_NIL);
    const gr_complex* first = taps.data();
    for (int r = 0; r < num_rx; ++r) {
        auto inputs = pmt::make_vector(num_tx, pmt::PMT_NIL);
        for (int t = 0; t < num_tx; ++t, first += d_fading.num_taps())
            pmt::vector_set(inputs, t, pmt::init_c32vector(d_fading.num_taps(), first));
        pmt::vector_set(outputs, r, inputs);
    }
    return outputs;
}

// Passes all tags, as late as the samples come, and collects where frames start (d_starts, ascending;
// some may lie behind these samples).
void block_fading_cc_impl::pass_tags(int noutput_items)
{
    d_passed.clear();
    for (int t = 0; t < d_fading.num_tx(); ++t) {
        get_tags_in_window(d_tags, t, 0, noutput_items);
        for (auto& tag : d_tags) {
            tag.offset += d_fading.latency();
            if (t == 0 && d_redraw_at_tags && pmt::eq(tag.key, d_redraw_tag))
                d_starts.push_back(tag.offset);
            const auto same = [&tag](const gr::tag_t& other) {
                return tag.offset == other.offset && pmt::equal(tag.key, other.key) &&
                       pmt::equal(tag.value, other.value);
            };
            if (t > 0 && std::any_of(d_passed.begin(), d_passed.end(), same))
                continue;
            if (d_fading.num_tx() > 1)
                d_passed.push_back(tag);
            for (int r = 0; r < d_fading.num_rx(); ++r)
                add_item_tag(r, tag);
        }
    }
    std::sort(d_starts.begin(), d_starts.end());
}

int block_fading_cc_impl::work(int noutput_items,
                               gr_vector_const_void_star& input_items,
                               gr_vector_void_star& output_items)
{
    gr::thread::scoped_lock lock(d_setlock);
    pass_tags(noutput_items);

    const uint64_t first = nitems_written(0), end_of_all = first + noutput_items;
    auto next_start = d_starts.begin();
    for (int done = 0; done < noutput_items;) {
        bool frame_start = d_fading.left_in_frame() == 0;
        for (; next_start != d_starts.end() && *next_start == first + done; ++next_start)
            frame_start = true;
        if (frame_start) {
            d_fading.begin_frame();
            d_announce = true;
        }
        if (d_announce) {
            add_item_tag(0, first + done, CHANNEL_TAG, taps_as_pmt(), alias_pmt());
            d_announce = false;
        }

        const uint64_t end =
            next_start != d_starts.end() ? std::min(*next_start, end_of_all) : end_of_all;
        const int len = std::min(end - first - done, d_fading.left_in_frame());
        for (size_t t = 0; t < d_in.size(); ++t)
            d_in[t] = static_cast<const gr_complex*>(input_items[t]) + done;
        for (size_t r = 0; r < d_out.size(); ++r)
            d_out[r] = static_cast<gr_complex*>(output_items[r]) + done;
        d_fading.pass(d_in.data(), len, d_out.data());
        done += len;
    }
    d_starts.erase(d_starts.begin(), next_start);
    return noutput_items;
}

} // namespace reservoir
} // namespace gr
