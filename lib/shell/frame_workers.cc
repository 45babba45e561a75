/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "shell/frame_workers.h"

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

void frame_workers::start(frame next)
{
    d_pool.start([work = std::move(next)](detector& receiver) {
        const bool quick = work.finish && receiver.refits_frames();
        result found;
        for (bool first = true;; first = false) {
            receiver.set_hurry(work.hurry || (quick && first));
            found.received = received_of(receiver, work);
            if (!work.finish)
                break;
            found.report = receiver.report();
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
}

frame_workers::result frame_workers::take()
{
    auto [found, report] = d_pool.take();
    found.report = report;
    return found;
}

} // namespace reservoir
} // namespace gr
