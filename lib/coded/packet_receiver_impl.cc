/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "coded/packet_receiver_impl.h"

#include "check.h"
#include "overrun_tag.h"
#include "stream_end.h"
#include <gnuradio/io_signature.h>
#include <boost/thread/thread.hpp>
#include <algorithm>
#include <chrono>
#include <utility>

namespace gr {
namespace reservoir {

packet_receiver::sptr
packet_receiver::make(coded_receiver::sptr receiver,
                      int sps,
                      const std::vector<gr_complex>& training_sequence,
                      const std::string& training_tag,
                      int workers)
{
    require(bool(receiver), "receiver", "None", "a coded_receiver");
    return gnuradio::make_block_sptr<packet_receiver_impl>(
        receiver, sps, training_sequence, training_tag, workers);
}

packet_receiver_impl::packet_receiver_impl(
    coded_receiver::sptr receiver,
    int sps,
    const std::vector<gr_complex>& training_sequence,
    const std::string& training_tag,
    int workers)
    : gr::block("packet_receiver",
                gr::io_signature::make(receiver->detector()->num_inputs(),
                                       receiver->detector()->num_inputs(),
                                       sizeof(gr_complex)),
                gr::io_signature::make(0, 0, 0)),
      d_receiver(receiver),
      d_sps(sps),
      d_training({ training_sequence }),
      d_training_key(pmt::mp(training_tag)),
      d_workers(workers),
      d_log([this](const pmt::pmt_t& port, const pmt::pmt_t& message) {
          message_port_pub(port, message);
      })
{
    require_range("sps", sps, 1, 64);
    require(
        !training_sequence.empty(), "training_sequence", "empty", "at least one symbol");
    receiver->detector()->check_pilots("training_sequence", d_training);
    receiver->symbols_after(training_sequence);
    require(!training_tag.empty(), "training_tag", "''", "a tag's key");
    require_range("workers", workers, 1, 64);
    receiver->claim();
    d_frames = make_frame_receiver();
    message_port_register_out(packet_log::pdu_port());
    message_port_register_out(packet_log::report_port());
}

std::unique_ptr<frame_receiver> packet_receiver_impl::make_frame_receiver()
{
    std::unique_ptr<frame_workers> workers;
    if (d_workers > 1)
        workers = std::make_unique<frame_workers>(d_receiver->detector(), d_workers);
    return std::make_unique<frame_receiver>(
        d_receiver->detector(),
        d_sps,
        d_training,
        d_receiver->symbols_after(d_training[0]),
        nullptr,
        std::move(workers),
        false,
        0,
        false,
        frame_finisher{ [this](const finished_frame& frame) -> std::any {
                           return d_receiver->finish(frame);
                       },
                        [](const std::any& found) {
                            return !std::any_cast<coded_receiver::result>(found).packet;
                        } });
}

bool packet_receiver_impl::start()
{
    // Offsets begin at 0 again when a flowgraph is started again.
    d_frames = make_frame_receiver();
    d_infos.clear();
    d_ended = false;
    d_refusal_told = false;
    d_cut = 0;
    return block::start();
}

bool packet_receiver_impl::stop()
{
    // also from a destructor, where an interruption would end the program
    const boost::this_thread::disable_interruption wait_for_workers;
    end_stream(); // of a flowgraph that was stopped
    d_frames->stop_training();
    return block::stop();
}

/*
 * A sink is not called again when its inputs are done and empty. One sample is left there, so that
 * there is a call that knows of the end, and the last frame's packet leaves before the flowgraph's
 * other blocks hear that this one has ended.
 */
void packet_receiver_impl::forecast(int, gr_vector_int& ninput_items_required)
{
    std::fill(ninput_items_required.begin(),
              ninput_items_required.end(),
              any_input_done(*detail()) ? 1 : 2);
}

int packet_receiver_impl::general_work(int,
                                       gr_vector_int& ninput_items,
                                       gr_vector_const_void_star& input_items,
                                       gr_vector_void_star&)
{
    const bool last = any_input_done(*detail());
    const int there = *std::min_element(ninput_items.begin(), ninput_items.end());
    const int count = last ? there : std::max(there - 1, 0);
    take(input_items, count);
    const bool ended = any_input_ended(*detail(), count);
    consume_each(count);
    if (ended)
        end_stream();
    tell();
    return ended ? WORK_DONE : 0;
}

// Marks before the samples that follow them.
void packet_receiver_impl::take(const gr_vector_const_void_star& input_items, int count)
{
    get_tags_in_window(d_tags, 0, 0, count);
    std::stable_sort(d_tags.begin(), d_tags.end(), gr::tag_t::offset_compare);
    for (const auto& tag : d_tags) {
        if (pmt::eq(tag.key, d_training_key)) {
            if (d_infos.empty() || d_infos.back().first != tag.offset)
                d_infos.emplace_back(tag.offset, tag_info(tag.value));
            d_frames->mark(tag.offset);
        } else if (pmt::eq(tag.key, overrun_tag())) {
            d_frames->cut(tag.offset);
        }
    }
    std::vector<const gr_complex*> rows;
    for (const void* items : input_items)
        rows.push_back(static_cast<const gr_complex*>(items));
    d_frames->push(rows.data(), count);
}

void packet_receiver_impl::end_stream()
{
    if (d_ended)
        return;
    d_ended = true;
    d_frames->finish();
    while (d_frames->pending()) {
        d_frames->gather(std::chrono::milliseconds(10));
        tell();
    }
    tell();
}

pmt::pmt_t packet_receiver_impl::info_of(uint64_t offset)
{
    while (!d_infos.empty() && d_infos.front().first < offset)
        d_infos.pop_front();
    return d_infos.empty() || d_infos.front().first != offset ? pmt::make_dict()
                                                              : d_infos.front().second;
}

void packet_receiver_impl::count_cut(const frame_receiver::counts& counts)
{
    const uint64_t cut = counts.truncated_frames + counts.abandoned_trainings;
    d_log.frames_were_cut(cut - d_cut);
    d_cut = cut;
}

void packet_receiver_impl::tell()
{
    d_frames->gather(std::chrono::microseconds(0));
    for (const auto& why : d_frames->take_refusals())
        if (!std::exchange(d_refusal_told, true))
            d_logger->warn("a frame is dropped, and more may be: {:s}", why);
    for (const auto& training : d_frames->take_trainings()) {
        count_cut(training.counts);
        if (!training.finished.has_value())
            continue;
        const auto found = std::any_cast<coded_receiver::result>(training.finished);
        d_gained += found.gained;
        auto more = pmt::make_dict();
        more =
            pmt::dict_add(more, pmt::mp("iterations"), pmt::from_long(found.iterations));
        more = pmt::dict_add(more, pmt::mp("gained"), pmt::from_bool(found.gained));
        d_log.frame_ended(found.packet, found.evm_db, info_of(training.offset), more);
    }
    while (!d_infos.empty() && d_infos.front().first < d_frames->open_since())
        d_infos.pop_front();  // of frames that were cut short
    if (!d_frames->pending()) // a frame that comes later would tell of cuts behind it
        count_cut(d_frames->so_far());
    d_unused.resize(d_frames->available());
    gr_complex* row = d_unused.data();
    d_frames->pop(&row, d_unused.size());
}

} // namespace reservoir
} // namespace gr
