/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_BACKGROUND_TRAINER_H
#define INCLUDED_RESERVOIR_BACKGROUND_TRAINER_H

#include <gnuradio/reservoir/detector.h>
#include <cstdint>
#include <functional>
#include <future>
#include <optional>
#include <string>

namespace gr {
namespace reservoir {

/*!
 * \brief Trains copies of a detector in a thread, one after another, while the original detects.
 *
 * Holds one training that runs and one that waits, whatever comes: a newer one takes the place of
 * the one that waits. Not thread-safe itself: all functions are for the thread that detects.
 */
class RESERVOIR_API background_trainer
{
public:
    struct job {
        stream_matrix received;
        stream_matrix pilots;
        int sps;
        uint64_t offset; // names the job
    };
    struct result {
        detector::sptr trained;
        uint64_t offset;
        std::string refused; // why; nothing is trained then
    };
    //! Called once per epoch, in the training's thread.
    typedef std::function<void(uint64_t offset, const training_progress&)>
        progress_handler;

    //! \throws std::invalid_argument if the detector trains within a frame
    background_trainer(detector::sptr detector, progress_handler progress = nullptr);
    //! As abort, and waits until the epoch that runs has ended.
    ~background_trainer();

    //! Returns whether an older job that waited was dropped for this one.
    bool start(job next);
    //! What has been trained since the last call, if anything, and begins what waits.
    std::optional<result> take();
    //! Nothing of what was started so far will be returned by take.
    void abort();

private:
    void run(job next);

    const detector::sptr d_detector;
    const progress_handler d_progress;
    std::optional<job> d_waiting;
    detector::sptr d_copy; // that is being trained
    uint64_t d_offset = 0; // of that training
    std::future<void> d_training;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_BACKGROUND_TRAINER_H */
