/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_POOL_H
#define INCLUDED_RESERVOIR_DETECTOR_POOL_H

#include <gnuradio/reservoir/training_report.h>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/thread/thread.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <utility>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief Does several things with a detector at once, each with a copy of it, and gives what they find in
 * their order.
 *
 * It comes out as if the detector itself had done them one after another. Not thread-safe: all functions
 * are for the thread that detects.
 *
 * \tparam Detector has clone() and what gr::reservoir::trainable has
 */
template <class Detector, class Result>
class detector_pool
{
public:
    typedef std::shared_ptr<Detector> detector_sptr;
    typedef std::function<Result(Detector&)> task;
    struct outcome {
        Result result;
        training_report report;
    };

    //! workers: threads, at least 2
    detector_pool(detector_sptr detector, int workers)
        : d_detector(detector), d_workers(workers), d_threads(workers)
    {
    }
    //! Gives up what runs or waits.
    ~detector_pool()
    {
        for (auto& task : d_tasks)
            task.worker.copied->cancel();
        d_threads.stop();
        d_threads.join();
    }

    //! Tasks that were started and not taken.
    size_t size() const { return d_tasks.size(); }
    //! As many as may be: those that run, and one for each worker to go on with.
    bool full() const { return size() >= 2 * d_workers; }

    void start(task next)
    {
        const copy worker = idle_copy();
        std::packaged_task<Result()> packaged(
            [detector = worker.copied, work = std::move(next)] {
                return work(*detector);
            });
        d_tasks.push_back(
            { worker, worker.copied->bad_samples(), packaged.get_future() });
        boost::asio::post(d_threads, std::move(packaged));
    }

    //! Whether the oldest is done, after waiting so long at the most.
    bool ready(std::chrono::microseconds patience) const
    {
        return d_tasks.front().found.wait_for(patience) == std::future_status::ready;
    }

    /*!
     * \brief The oldest, waited for; the detector is trained by it now.
     * \throws whatever it threw; boost::thread_interrupted
     */
    outcome take()
    {
        while (!ready(std::chrono::milliseconds(10)))
            boost::this_thread::interruption_point(); // by a flowgraph that is stopped
        running done = std::move(d_tasks.front());
        d_tasks.pop_front();
        Result found = done.found.get();
        const training_report report =
            d_detector->adopt_frame(*done.worker.copied, done.bad_samples);
        d_idle.push_back(done.worker);
        return { std::move(found), report };
    }

private:
    struct copy {
        detector_sptr copied;
        uint64_t settings; // of the original, when it was copied
    };
    struct running {
        copy worker;
        uint64_t bad_samples; // that it had seen before
        std::future<Result> found;
    };

    copy idle_copy()
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

    const detector_sptr d_detector;
    const size_t d_workers;
    std::vector<copy> d_idle;
    std::deque<running> d_tasks; // the oldest first
    boost::asio::thread_pool d_threads;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_POOL_H */
