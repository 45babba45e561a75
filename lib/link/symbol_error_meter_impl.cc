/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "link/symbol_error_meter_impl.h"

#include "check.h"
#include "link/unit_power_points.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <bitset>
#include <cmath>
#include <limits>
#include <optional>

namespace gr {
namespace reservoir {

namespace {

const pmt::pmt_t NUMBER_KEY = pmt::mp("frame");

const frame_source::sptr& checked_source(const frame_source::sptr& source)
{
    if (!source)
        reject_argument("frame_source", "none", "a frame_source");
    if (source->payload_length() == 0)
        reject_argument("frame_source payload_len", 0, "at least 1");
    return source;
}

std::vector<gr_complex>
checked_points(const gr::digital::constellation_sptr& constellation,
               const frame_source::sptr& source)
{
    auto points = unit_power_points(constellation);
    if (points != source->points())
        reject_argument("constellation",
                        "one of " + std::to_string(points.size()) + " points",
                        "the one that frame_source has");
    return points;
}

// The modulator sends value v as point code[v]: the bits of a point are the inverse code.
std::vector<unsigned> point_labels(gr::digital::constellation& constellation)
{
    const auto code = constellation.pre_diff_code();
    const size_t arity = constellation.points().size();
    std::vector<unsigned> labels(arity);
    for (size_t i = 0; i < arity; ++i)
        labels[i] = static_cast<unsigned>(i);
    if (!constellation.apply_pre_diff_code() || code.empty())
        return labels;
    std::vector<bool> used(arity, false);
    for (size_t value = 0; value < code.size(); ++value) {
        const bool valid = code.size() == arity && code[value] >= 0 &&
                           static_cast<size_t>(code[value]) < arity && !used[code[value]];
        if (!valid)
            reject_argument("constellation pre_diff_code element",
                            code[value],
                            "part of a permutation of the points");
        used[code[value]] = true;
        labels[code[value]] = static_cast<unsigned>(value);
    }
    return labels;
}

unsigned bits_of(size_t arity)
{
    unsigned bits = 1;
    while ((size_t(1) << bits) < arity)
        ++bits;
    return bits;
}

//! The frame's index in a frame tag's dictionary.
std::optional<uint64_t> frame_index(const pmt::pmt_t& value)
{
    if (!pmt::is_dict(value))
        return std::nullopt;
    try {
        const auto frame = pmt::dict_ref(value, NUMBER_KEY, pmt::PMT_NIL);
        if (pmt::is_uint64(frame))
            return pmt::to_uint64(frame);
        if (pmt::is_integer(frame) && pmt::to_long(frame) >= 0)
            return static_cast<uint64_t>(pmt::to_long(frame));
    } catch (const std::exception&) {
        // a pair that only looks like a dictionary
    }
    return std::nullopt;
}

double ratio(uint64_t part, uint64_t whole)
{
    return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole)
                     : std::numeric_limits<double>::quiet_NaN();
}

} // namespace

void symbol_error_meter_impl::counts::add(const counts& other)
{
    symbols += other.symbols;
    symbol_errors += other.symbol_errors;
    bits += other.bits;
    bit_errors += other.bit_errors;
    nonfinite += other.nonfinite;
    error_power += other.error_power;
    reference_power += other.reference_power;
}

double symbol_error_meter_impl::counts::ser() const
{
    return ratio(symbol_errors, symbols);
}

double symbol_error_meter_impl::counts::ber() const { return ratio(bit_errors, bits); }

double symbol_error_meter_impl::counts::evm_db() const
{
    if (!(reference_power > 0.0))
        return std::numeric_limits<double>::quiet_NaN();
    return 10.0 * std::log10(error_power / reference_power);
}

symbol_error_meter::sptr
symbol_error_meter::make(gr::digital::constellation_sptr constellation,
                         gr::reservoir::frame_source::sptr frame_source,
                         int warmup_frames,
                         const std::string& frame_tag)
{
    return gnuradio::make_block_sptr<symbol_error_meter_impl>(
        constellation, frame_source, warmup_frames, frame_tag);
}

symbol_error_meter_impl::symbol_error_meter_impl(
    gr::digital::constellation_sptr constellation,
    gr::reservoir::frame_source::sptr frame_source,
    int warmup_frames,
    const std::string& frame_tag)
    : gr::sync_block("symbol_error_meter",
                     gr::io_signature::make(1, 1, sizeof(gr_complex)),
                     gr::io_signature::make(0, 0, 0)),
      d_source(checked_source(frame_source)),
      d_points(checked_points(constellation, frame_source)),
      d_labels(point_labels(*constellation)),
      d_bits_per_symbol(bits_of(d_points.size())),
      d_num_pilots(static_cast<int>(frame_source->pilots().size())),
      d_payload_len(frame_source->payload_length()),
      d_warmup_frames(static_cast<uint64_t>(std::max(warmup_frames, 0))),
      d_frame_tag(pmt::intern(frame_tag)),
      d_report_port(pmt::mp("report"))
{
    if (warmup_frames < 0)
        reject_argument("warmup_frames", warmup_frames, "at least 0");
    if (frame_tag.empty())
        reject_argument("frame_tag", "\"\"", "the key of a tag, not empty");
    message_port_register_out(d_report_port);
}

void symbol_error_meter_impl::begin_frame(uint64_t frame)
{
    if (d_in_frame && d_position == 0 && d_frame == frame)
        return; // another antenna's tag
    drop_frame();
    d_in_frame = true;
    d_counted = d_started_frames >= d_warmup_frames;
    ++d_started_frames;
    d_frame = frame;
    d_position = 0;
    d_current = counts();
    constexpr auto LARGEST = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    d_sent = d_source->payload_indices(static_cast<int64_t>(frame & LARGEST));
}

void symbol_error_meter_impl::drop_frame()
{
    if (d_in_frame && d_counted)
        ++d_incomplete_frames;
    d_in_frame = false;
}

void symbol_error_meter_impl::finish_frame()
{
    d_in_frame = false;
    if (!d_counted)
        return;
    d_total.add(d_current);
    ++d_complete_frames;
    if (d_frame_counts.size() == MAX_FRAME_COUNTS)
        d_frame_counts.pop_front();
    d_frame_counts.emplace_back(d_current.symbol_errors, d_current.symbols);
    message_port_pub(d_report_port, report());
}

void symbol_error_meter_impl::count_symbol(const gr_complex& symbol, int sent)
{
    ++d_current.symbols;
    d_current.bits += d_bits_per_symbol;
    if (!(std::isfinite(symbol.real()) && std::isfinite(symbol.imag()))) {
        ++d_current.nonfinite;
        ++d_current.symbol_errors;
        d_current.bit_errors += d_bits_per_symbol;
        return;
    }
    // Twice the correlation minus the point's energy is largest at the nearest point.
    const double re = symbol.real();
    const double im = symbol.imag();
    int decided = 0;
    double best = -std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < d_points.size(); ++i) {
        const double x = d_points[i].real();
        const double y = d_points[i].imag();
        const double metric = 2.0 * (re * x + im * y) - (x * x + y * y);
        if (metric > best) {
            best = metric;
            decided = static_cast<int>(i);
        }
    }
    if (decided != sent) {
        ++d_current.symbol_errors;
        d_current.bit_errors +=
            std::bitset<32>(d_labels[decided] ^ d_labels[sent]).count();
    }
    const std::complex<double> reference(d_points[sent]);
    d_current.error_power += std::norm(std::complex<double>(symbol) - reference);
    d_current.reference_power += std::norm(reference);
}

pmt::pmt_t symbol_error_meter_impl::report() const
{
    const auto put = [](pmt::pmt_t& dict, const char* key, const pmt::pmt_t& value) {
        dict = pmt::dict_add(dict, pmt::intern(key), value);
    };
    auto totals = pmt::make_dict();
    put(totals, "frames", pmt::from_uint64(d_complete_frames));
    put(totals, "incomplete_frames", pmt::from_uint64(d_incomplete_frames));
    put(totals, "symbols", pmt::from_uint64(d_total.symbols));
    put(totals, "symbol_errors", pmt::from_uint64(d_total.symbol_errors));
    put(totals, "bits", pmt::from_uint64(d_total.bits));
    put(totals, "bit_errors", pmt::from_uint64(d_total.bit_errors));
    put(totals, "nonfinite_symbols", pmt::from_uint64(d_total.nonfinite));
    put(totals, "ser", pmt::from_double(d_total.ser()));
    put(totals, "ber", pmt::from_double(d_total.ber()));
    put(totals, "evm_db", pmt::from_double(d_total.evm_db()));
    auto dict = pmt::make_dict();
    put(dict, "frame", pmt::from_uint64(d_frame));
    put(dict, "symbols", pmt::from_uint64(d_current.symbols));
    put(dict, "symbol_errors", pmt::from_uint64(d_current.symbol_errors));
    put(dict, "bit_errors", pmt::from_uint64(d_current.bit_errors));
    put(dict, "ser", pmt::from_double(d_current.ser()));
    put(dict, "ber", pmt::from_double(d_current.ber()));
    put(dict, "evm_db", pmt::from_double(d_current.evm_db()));
    put(dict, "totals", totals);
    return dict;
}

uint64_t symbol_error_meter_impl::total_frames()
{
    gr::thread::scoped_lock lock(d_setlock);
    return d_complete_frames;
}

uint64_t symbol_error_meter_impl::total_symbols()
{
    gr::thread::scoped_lock lock(d_setlock);
    return d_total.symbols;
}

uint64_t symbol_error_meter_impl::symbol_errors()
{
    gr::thread::scoped_lock lock(d_setlock);
    return d_total.symbol_errors;
}

uint64_t symbol_error_meter_impl::total_bits()
{
    gr::thread::scoped_lock lock(d_setlock);
    return d_total.bits;
}

uint64_t symbol_error_meter_impl::bit_errors()
{
    gr::thread::scoped_lock lock(d_setlock);
    return d_total.bit_errors;
}

uint64_t symbol_error_meter_impl::nonfinite_symbols()
{
    gr::thread::scoped_lock lock(d_setlock);
    return d_total.nonfinite;
}

uint64_t symbol_error_meter_impl::incomplete_frames()
{
    gr::thread::scoped_lock lock(d_setlock);
    return d_incomplete_frames;
}

double symbol_error_meter_impl::ser()
{
    gr::thread::scoped_lock lock(d_setlock);
    return d_total.ser();
}

double symbol_error_meter_impl::ber()
{
    gr::thread::scoped_lock lock(d_setlock);
    return d_total.ber();
}

double symbol_error_meter_impl::evm_db()
{
    gr::thread::scoped_lock lock(d_setlock);
    return d_total.evm_db();
}

std::vector<std::pair<uint64_t, uint64_t>> symbol_error_meter_impl::frame_ser()
{
    gr::thread::scoped_lock lock(d_setlock);
    return { d_frame_counts.begin(), d_frame_counts.end() };
}

void symbol_error_meter_impl::reset()
{
    gr::thread::scoped_lock lock(d_setlock);
    d_in_frame = false;
    d_total = counts();
    d_started_frames = 0;
    d_complete_frames = 0;
    d_incomplete_frames = 0;
    d_frame_counts.clear();
}

bool symbol_error_meter_impl::stop()
{
    gr::thread::scoped_lock lock(d_setlock);
    drop_frame();
    return true;
}

int symbol_error_meter_impl::work(int noutput_items,
                                  gr_vector_const_void_star& input_items,
                                  gr_vector_void_star&)
{
    const auto* in = static_cast<const gr_complex*>(input_items[0]);
    gr::thread::scoped_lock lock(d_setlock);
    get_tags_in_window(d_tags, 0, 0, noutput_items, d_frame_tag);
    std::sort(d_tags.begin(), d_tags.end(), gr::tag_t::offset_compare);

    auto tag = d_tags.begin();
    for (int done = 0; done < noutput_items;) {
        for (; tag != d_tags.end() && tag->offset - nitems_read(0) <= uint64_t(done);
             ++tag)
            if (const auto frame = frame_index(tag->value))
                begin_frame(*frame);

        int len = noutput_items - done;
        if (tag != d_tags.end())
            len = std::min(len, static_cast<int>(tag->offset - nitems_read(0)) - done);
        const int end = done + len;
        if (!d_in_frame)
            done = end;
        while (done < end && d_in_frame) {
            if (d_position >= d_num_pilots)
                count_symbol(in[done], d_sent[d_position - d_num_pilots]);
            ++done;
            if (++d_position == d_num_pilots + d_payload_len)
                finish_frame();
        }
    }
    return noutput_items;
}

} // namespace reservoir
} // namespace gr
