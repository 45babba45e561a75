/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "shell/frame_workers.h"

#include <boost/asio/post.hpp>
#include <boost/thread/thread.hpp>
#include <utility>

namespace gr {
namespace reservoir {

namespace {

std::vector<const gr_complex*> row_starts(const stream_matrix& rows)
{
    std::vector<const gr_complex*> starts;
    for (const auto& row : rows)
        starts.push_back(row.data());
    return starts;
}

soft_symbols received_of(detector& receiver, const frame_workers::frame& work)
{
    if (work.soft)
        return receiver.receive_softly(
            work.received, work.pilots, work.sps, work.payload_len, work.history);
    return { receiver.receive(
                 work.received, work.pilots, work.sps, work.payload_len, work.history),
             {} };
}

} // namespace

frame_workers::frame_workers(detector::sptr detector, int workers)
    : d_detector(detector), d_workers(workers), d_pool(workers)
{
}

frame_workers::~frame_workers()
{
    for (auto& frame : d_frames)
        frame.receiver.copied->cancel();
    d_pool.stop();
    d_pool.join();
}

frame_workers::copy frame_workers::idle_copy()
{
    const uint64_t settings = d_detector->settings();
    while (!d_idle.empty()) {
        const copy last = d_idle.back();
        d_idle.pop_back();
        if (last.settings == settings)
            return last;
    }
    return { d_detector->clone(), settings };
}

void frame_workers::start(frame next)
{
    const copy receiver = idle_copy();
    std::packaged_task<result()> task(
        [detector = receiver.copied, work = std::move(next)] {
            const bool quick = work.finish && detector->refits_frames();
            result found;
            for (bool first = true;; first = false) {
                detector->set_hurry(work.hurry || (quick && first));
                found.received = received_of(*detector, work);
                if (!work.finish)
                    break;
                found.report = detector->report();
                const auto samples = row_starts(work.received);
                const auto symbols = row_starts(found.received.symbols);
                found.finished = work.finish.finish({ samples.data(),
                                                      int(samples.size()),
                                                      work.received[0].size(),
                                                      work.sps,
                                                      work.pilots,
                                                      symbols.data(),
                                                      found.received.symbols[0].size(),
                                                      found.report });
                if (!quick || !first || !work.finish.again(found.finished))
                    break;
            }
            return found;
        });
    d_frames.push_back({ receiver, receiver.copied->bad_samples(), task.get_future() });
    boost::asio::post(d_pool, std::move(task));
}

bool frame_workers::ready(std::chrono::microseconds patience) const
{
    return d_frames.front().found.wait_for(patience) == std::future_status::ready;
}

frame_workers::result frame_workers::take()
{
    while (!ready(std::chrono::milliseconds(10)))
        boost::this_thread::interruption_point(); // by a flowgraph that is stopped
    running done = std::move(d_frames.front());
    d_frames.pop_front();
    result found = done.found.get();
    found.report = d_detector->adopt_frame(*done.receiver.copied, done.bad_samples);
    d_idle.push_back(done.receiver);
    return found;
}

} // namespace reservoir
} // namespace gr
