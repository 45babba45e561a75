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
    std::packaged_task<soft_symbols()> task(
        [detector = receiver.copied, work = std::move(next)] {
            detector->set_hurry(work.hurry);
            return work.soft ? detector->receive_softly(work.received,
                                                        work.pilots,
                                                        work.sps,
                                                        work.payload_len,
                                                        work.history)
                             : soft_symbols{ detector->receive(work.received,
                                                               work.pilots,
                                                               work.sps,
                                                               work.payload_len,
                                                               work.history),
                                             {} };
        });
    d_frames.push_back({ receiver, receiver.copied->bad_samples(), task.get_future() });
    boost::asio::post(d_pool, std::move(task));
}

bool frame_workers::ready(std::chrono::microseconds patience) const
{
    return d_frames.front().symbols.wait_for(patience) == std::future_status::ready;
}

frame_workers::result frame_workers::take()
{
    while (!ready(std::chrono::milliseconds(10)))
        boost::this_thread::interruption_point(); // by a flowgraph that is stopped
    running done = std::move(d_frames.front());
    d_frames.pop_front();
    result found;
    found.received = done.symbols.get();
    found.report = d_detector->adopt_frame(*done.receiver.copied, done.bad_samples);
    d_idle.push_back(done.receiver);
    return found;
}

} // namespace reservoir
} // namespace gr
