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

frame_workers::result finished_by(detector& receiver, const frame_workers::frame& work)
{
    if (!work.finish) {
        const with_effort wanted(receiver, work.effort);
        return { received_of(receiver, work), {}, {}, {} };
    }
    const auto receive_once = [&] {
        frame_workers::result found;
        found.received = received_of(receiver, work);
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
        return found;
    };
    return receive_until_enough(
        receiver, receive_once, [&work](const frame_workers::result& found) {
            return work.finish.again(found.finished);
        });
}

stream_matrix passed_through(const frame_workers::frame& work, size_t num_outputs)
{
    const size_t count = work.pilots[0].size() + work.payload_len;
    stream_matrix symbols(num_outputs, std::vector<gr_complex>(count));
    std::vector<gr_complex*> rows;
    for (auto& row : symbols)
        rows.push_back(row.data());
    pass_through(row_starts(work.received).data(),
                 work.received.size(),
                 work.sps,
                 rows.data(),
                 num_outputs,
                 count);
    return symbols;
}

} // namespace

void frame_workers::start(frame next)
{
    d_pool.start([work = std::move(next)](detector& receiver) {
        try {
            return finished_by(receiver, work);
        } catch (const std::exception& error) {
            const size_t num_outputs = receiver.num_outputs();
            return result{
                { passed_through(work, num_outputs), {} }, {}, {}, error.what()
            };
        }
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
