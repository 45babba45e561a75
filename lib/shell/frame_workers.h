/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_FRAME_WORKERS_H
#define INCLUDED_RESERVOIR_FRAME_WORKERS_H

#include "shell/detector_pool.h"
#include "shell/finished_frame.h"
#include <gnuradio/reservoir/detector.h>
#include <any>
#include <chrono>
#include <string>

namespace gr {
namespace reservoir {

/*!
 * \brief Receives several frames at once, each with a copy of the detector, in their order.
 *
 * A frame comes out as if the detector itself had received them one after another. Not
 * thread-safe: all functions are for the thread that detects.
 */
class frame_workers
{
public:
    struct frame {
        stream_matrix received;
        stream_matrix pilots;
        int sps;
        size_t payload_len;
        stream_matrix history;   // samples before the first pilot
        detector::effort effort; // without finish
        bool soft;               // bits are wanted
        frame_finisher finish;   // empty: nothing; else of samples without history
    };
    struct result {
        soft_symbols received;
        training_report report;
        std::any finished;
        std::string
            refused; // why; the samples at the symbol instants are received instead
    };

    //! workers: threads, at least 2
    frame_workers(detector::sptr detector, int workers) : d_pool(detector, workers) {}

    //! Frames that were started and not taken.
    size_t size() const { return d_pool.size(); }
    //! As many as may be: those that run, and one for each worker to go on with.
    bool full() const { return d_pool.full(); }
    void start(frame next);
    //! Whether the oldest is done, after waiting so long at the most.
    bool ready(std::chrono::microseconds patience) const
    {
        return d_pool.ready(patience);
    }
    /*!
     * \brief The oldest, waited for; the detector is trained by it now.
     * \throws boost::thread_interrupted
     */
    result take();

private:
    detector_pool<detector, result> d_pool;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_FRAME_WORKERS_H */
