/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "link/frame_sync_impl.h"

#include "check.h"
#include "stream_end.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {

namespace {

constexpr uint64_t EARLIER = 8; // symbols before a burst's start that belong to it
constexpr size_t MAX_CHUNK = 8192;

} // namespace

std::vector<gr_complex> burst_preamble() { return kernel::burst_preamble(); }

frame_sync::sptr frame_sync::make(int sps,
                                  double excess_bandwidth,
                                  double threshold,
                                  double max_frequency_offset,
                                  double sample_rate,
                                  const std::string& tag_key)
{
    return gnuradio::make_block_sptr<frame_sync_impl>(
        kernel::burst_detector_settings{
            sps, excess_bandwidth, threshold, max_frequency_offset },
        sample_rate,
        tag_key);
}

frame_sync_impl::frame_sync_impl(const kernel::burst_detector_settings& settings,
                                 double sample_rate,
                                 const std::string& tag_key)
    : gr::block("frame_sync",
                gr::io_signature::make(1, 1, sizeof(gr_complex)),
                gr::io_signature::make(1, 1, sizeof(gr_complex))),
      d_settings(settings),
      d_sample_rate(sample_rate),
      d_tag_key(pmt::mp(tag_key)),
      d_detector(std::make_unique<kernel::burst_detector>(settings))
{
    require(sample_rate > 0.0 && std::isfinite(sample_rate),
            "sample_rate",
            sample_rate,
            "above 0 and finite");
    require(!tag_key.empty(), "tag_key", "''", "a tag's key");
    message_port_register_out(pmt::mp("report"));
}

uint64_t frame_sync_impl::frames() const
{
    gr::thread::scoped_lock guard(const_cast<frame_sync_impl*>(this)->d_setlock);
    return d_frames;
}

uint64_t frame_sync_impl::bad_samples() const
{
    gr::thread::scoped_lock guard(const_cast<frame_sync_impl*>(this)->d_setlock);
    return d_detector->bad_samples();
}

bool frame_sync_impl::start()
{
    // Offsets begin at 0 again when a flowgraph is started again.
    gr::thread::scoped_lock guard(d_setlock);
    d_detector = std::make_unique<kernel::burst_detector>(d_settings);
    d_held_back.clear();
    d_bursts.clear();
    d_frames = 0;
    return block::start();
}

void frame_sync_impl::forecast(int, gr_vector_int& ninput_items_required)
{
    // At the end what is held back comes out without input.
    ninput_items_required[0] = any_input_done(*detail()) ? 0 : 1;
}

void frame_sync_impl::announce(const kernel::detected_burst& burst)
{
    const uint64_t offset = burst.start + d_detector->preamble_length();
    pmt::pmt_t dict = pmt::make_dict();
    const auto add = [&dict](const char* key, const pmt::pmt_t& value) {
        dict = pmt::dict_add(dict, pmt::mp(key), value);
    };
    add("cfo", pmt::from_double(burst.frequency_offset));
    add("snr_db", pmt::from_double(burst.snr_db));
    add("amplitude", pmt::from_double(burst.amplitude));
    add("peak", pmt::from_double(burst.peak));
    add("time", pmt::from_double(offset / d_sample_rate));
    add("frame", pmt::from_uint64(d_frames++));
    add_item_tag(0, offset, d_tag_key, dict, alias_pmt());
    message_port_pub(pmt::mp("report"), dict);
    d_bursts.push_back({ burst.start, kernel::oscillator(-burst.frequency_offset) });
}

// From first on; every sample by the offset of the burst that it belongs to.
void frame_sync_impl::derotate(gr_complex* samples, uint64_t first, size_t count)
{
    const uint64_t earlier = EARLIER * d_settings.sps, end = first + count;
    for (uint64_t place = first; place < end && !d_bursts.empty();) {
        while (d_bursts.size() > 1 && place + earlier >= d_bursts[1].start)
            d_bursts.pop_front();
        const auto& burst = d_bursts[0];
        if (place + earlier < burst.start) {
            place = burst.start - earlier;
            continue;
        }
        const uint64_t next =
            d_bursts.size() > 1 ? std::min(end, d_bursts[1].start - earlier) : end;
        gr_complex* const turned = samples + (place - first);
        burst.carrier.turn(turned, place + earlier - burst.start, next - place, turned);
        place = next;
    }
}

int frame_sync_impl::general_work(int noutput_items,
                                  gr_vector_int& ninput_items,
                                  gr_vector_const_void_star& input_items,
                                  gr_vector_void_star& output_items)
{
    gr::thread::scoped_lock guard(d_setlock);
    const auto* in = static_cast<const gr_complex*>(input_items[0]);
    auto* out = static_cast<gr_complex*>(output_items[0]);

    // While more is held back than can come out, no samples are taken.
    const bool hungry = d_held_back.size() < size_t(noutput_items) + MAX_CHUNK;
    const size_t count = hungry ? std::min<size_t>(ninput_items[0], MAX_CHUNK) : 0;
    d_detector->push(in, count);
    for (size_t n = 0; n < count; n++) {
        const bool finite = std::isfinite(in[n].real()) && std::isfinite(in[n].imag());
        d_held_back.push_back(finite ? in[n] : gr_complex(0.0F));
    }
    const bool ended = any_input_ended(*detail(), int(count));
    consume(0, count);
    if (ended)
        d_detector->finish();
    for (const auto& burst : d_detector->take())
        announce(burst);

    const uint64_t first = nitems_written(0);
    const uint64_t decided = d_detector->decided();
    const uint64_t earlier = EARLIER * d_settings.sps; // a burst reaches back so far
    const uint64_t end = ended ? decided : decided - std::min(decided, earlier);
    const size_t produced =
        std::min<size_t>(noutput_items, end > first ? end - first : 0);
    std::copy_n(d_held_back.begin(), produced, out);
    d_held_back.erase(d_held_back.begin(), d_held_back.begin() + produced);
    derotate(out, first, produced);
    if (ended && produced == 0)
        return WORK_DONE;
    return produced;
}

} // namespace reservoir
} // namespace gr
