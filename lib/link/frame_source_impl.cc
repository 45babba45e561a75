/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "link/frame_source_impl.h"

#include "check.h"
#include "link/unit_power_points.h"
#include <gnuradio/io_signature.h>
#include <gnuradio/reservoir/kernel/random.h>
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {

namespace {

constexpr int MAX_LEN = 1 << 24;
const pmt::pmt_t BURST_TAG = pmt::mp("burst_start");
const pmt::pmt_t FRAME_KEY = pmt::mp("frame");
const pmt::pmt_t PILOTS_KEY = pmt::mp("pilots");
const pmt::pmt_t PAYLOAD_KEY = pmt::mp("payload");

int check_len(const char* name, int len)
{
    require_range(name, len, 0, MAX_LEN);
    return len;
}

int check_symbols(const std::string& name, const std::vector<gr_complex>& symbols)
{
    require_range<size_t>(name + " length", symbols.size(), 0, MAX_LEN);
    for (const auto& symbol : symbols)
        if (!(std::isfinite(symbol.real()) && std::isfinite(symbol.imag())))
            reject_argument(name + " element", symbol, "finite");
    return static_cast<int>(symbols.size());
}

uint64_t check_natural(const char* name, int64_t value)
{
    if (value < 0)
        reject_argument(name, value, "at least 0");
    return static_cast<uint64_t>(value);
}

pmt::pmt_t tag_key(const std::string& name)
{
    return name.empty() ? pmt::pmt_t(pmt::PMT_NIL) : pmt::intern(name);
}

//! The generator of one frame's symbols.
kernel::random frame_random(uint64_t seed, uint64_t frame)
{
    uint64_t mixed = seed;
    mixed = kernel::splitmix64(mixed) ^ frame;
    return kernel::random(kernel::splitmix64(mixed));
}

} // namespace

std::vector<gr_complex>
random_pilots(gr::digital::constellation_sptr constellation, int num_pilots, int64_t seed)
{
    const auto points = unit_power_points(constellation);
    std::vector<gr_complex> pilots(check_len("num_pilots", num_pilots));
    kernel::random random(check_natural("seed", seed));
    for (auto& pilot : pilots)
        pilot = points[random.below(points.size())];
    return pilots;
}

frame_source::sptr frame_source::make(gr::digital::constellation_sptr constellation,
                                      const std::vector<gr_complex>& pilots,
                                      int payload_len,
                                      int gap,
                                      int64_t num_frames,
                                      int64_t seed,
                                      const std::string& frame_tag,
                                      const std::string& training_tag,
                                      const std::vector<gr_complex>& preamble)
{
    return gnuradio::make_block_sptr<frame_source_impl>(constellation,
                                                        pilots,
                                                        payload_len,
                                                        gap,
                                                        num_frames,
                                                        seed,
                                                        frame_tag,
                                                        training_tag,
                                                        preamble);
}

frame_source_impl::frame_source_impl(gr::digital::constellation_sptr constellation,
                                     const std::vector<gr_complex>& pilots,
                                     int payload_len,
                                     int gap,
                                     int64_t num_frames,
                                     int64_t seed,
                                     const std::string& frame_tag,
                                     const std::string& training_tag,
                                     const std::vector<gr_complex>& preamble)
    : gr::sync_block("frame_source",
                     gr::io_signature::make(0, 0, 0),
                     gr::io_signature::make(1, 1, sizeof(gr_complex))),
      d_points(unit_power_points(constellation)),
      d_num_preamble(check_symbols("preamble", preamble)),
      d_num_pilots(check_symbols("pilots", pilots)),
      d_payload_len(check_len("payload_len", payload_len)),
      d_num_frames(check_natural("num_frames", num_frames)),
      d_seed(check_natural("seed", seed)),
      d_frame_tag(tag_key(frame_tag)),
      d_training_tag(tag_key(training_tag)),
      d_frame_data(preamble)
{
    require_range<size_t>("constellation size", d_points.size(), 2, 65536);
    check_len("gap", gap);
    if (pilots.empty() && payload_len == 0)
        reject_argument(
            "payload_len", payload_len, "at least 1 where there are no pilots");
    d_frame_data.insert(d_frame_data.end(), pilots.begin(), pilots.end());
    d_frame_data.resize(d_frame_data.size() + payload_len + gap);
}

std::vector<int> frame_source_impl::payload_indices(int64_t frame) const
{
    auto random = frame_random(d_seed, check_natural("frame", frame));
    std::vector<int> indices(d_payload_len);
    for (auto& index : indices)
        index = static_cast<int>(random.below(d_points.size()));
    return indices;
}

std::vector<gr_complex> frame_source_impl::pilots() const
{
    return { d_frame_data.begin() + d_num_preamble,
             d_frame_data.begin() + payload_start() };
}

std::vector<gr_complex> frame_source_impl::preamble() const
{
    return { d_frame_data.begin(), d_frame_data.begin() + d_num_preamble };
}

void frame_source_impl::reset()
{
    gr::thread::scoped_lock lock(d_setlock);
    d_frame = 0;
    d_position = 0;
}

void frame_source_impl::begin_frame()
{
    auto random = frame_random(d_seed, d_frame);
    for (int n = 0; n < d_payload_len; ++n)
        d_frame_data[payload_start() + n] = d_points[random.below(d_points.size())];
}

void frame_source_impl::tag_frame(uint64_t offset)
{
    if (!pmt::is_null(d_frame_tag)) {
        auto dict = pmt::make_dict();
        dict = pmt::dict_add(dict, FRAME_KEY, pmt::from_uint64(d_frame));
        dict = pmt::dict_add(dict, PILOTS_KEY, pmt::from_long(d_num_pilots));
        dict = pmt::dict_add(dict, PAYLOAD_KEY, pmt::from_long(d_payload_len));
        add_item_tag(0, offset, d_frame_tag, dict, alias_pmt());
    }
    if (!pmt::is_null(d_training_tag))
        add_item_tag(0, offset, d_training_tag, pmt::from_double(1.0), alias_pmt());
}

int frame_source_impl::work(int noutput_items,
                            gr_vector_const_void_star&,
                            gr_vector_void_star& output_items)
{
    auto* out = static_cast<gr_complex*>(output_items[0]);
    gr::thread::scoped_lock lock(d_setlock);
    int done = 0;
    while (done < noutput_items) {
        if (d_position == 0) {
            if (d_num_frames > 0 && d_frame >= d_num_frames)
                break;
            begin_frame();
            const uint64_t here = nitems_written(0) + done;
            if (d_num_preamble > 0)
                add_item_tag(0, here, BURST_TAG, pmt::from_uint64(d_frame), alias_pmt());
            tag_frame(here + d_num_preamble);
        }
        const int len = std::min(noutput_items - done, frame_length() - d_position);
        std::copy_n(d_frame_data.begin() + d_position, len, out + done);
        done += len;
        d_position += len;
        if (d_position == frame_length()) {
            d_position = 0;
            ++d_frame;
        }
    }
    return done > 0 ? done : WORK_DONE;
}

} // namespace reservoir
} // namespace gr
