/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_STREAM_END_H
#define INCLUDED_RESERVOIR_STREAM_END_H

#include <gnuradio/block_detail.h>
#include <gnuradio/buffer_reader.h>
#include <limits>

namespace gr {
namespace reservoir {

/*!
 * \brief Whether one of a block's inputs gets no more items, with at most so many still to read.
 *
 * Whoever fills an input does so under its lock. Without it the end might be seen before the last
 * items, on processors that do not keep the order of other threads' writes.
 */
inline bool any_input_ended(gr::block_detail& detail, int still_to_read)
{
    for (int i = 0; i < detail.ninputs(); i++) {
        const auto input = detail.input(i);
        const gr::thread::scoped_lock lock(*input->mutex());
        if (input->done() && input->items_available() <= still_to_read)
            return true;
    }
    return false;
}

//! Whether it gets no more, however many there are.
inline bool any_input_done(gr::block_detail& detail)
{
    return any_input_ended(detail, std::numeric_limits<int>::max());
}

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_STREAM_END_H */
