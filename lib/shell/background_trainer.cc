/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "shell/background_trainer.h"

#include "check.h"
#include <chrono>
#include <utility>
#ifdef __linux__
#include <sys/resource.h>
#endif

namespace gr {
namespace reservoir {

namespace {

// Where cores are scarce, detection comes first.
void step_back()
{
#ifdef __linux__
    setpriority(PRIO_PROCESS, 0, 10); // of this thread
#endif
}

} // namespace

background_trainer::background_trainer(detector::sptr detector, progress_handler progress)
    : d_detector(detector), d_progress(std::move(progress))
{
    require(detector->trains_in_epochs(),
            "background_training",
            true,
            ("false for " + detector->kind() + ", which trains within a frame").c_str());
}

background_trainer::~background_trainer() { abort(); } // the future's destructor waits

void background_trainer::run(job next)
{
    d_copy = d_detector->clone();
    d_offset = next.offset;
    if (d_progress)
        d_copy->set_progress(
            [handler = d_progress, offset = d_offset](const training_progress& progress) {
                handler(offset, progress);
            });
    d_training = std::async(std::launch::async, [copy = d_copy, work = std::move(next)] {
        step_back();
        copy->fit(work.received, work.pilots, work.sps);
    });
}

bool background_trainer::start(job next)
{
    if (!d_training.valid()) {
        run(std::move(next));
        return false;
    }
    const bool dropped = d_waiting.has_value();
    d_waiting = std::move(next);
    return dropped;
}

std::optional<background_trainer::result> background_trainer::take()
{
    if (!d_training.valid() ||
        d_training.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
        return std::nullopt;
    result found{ d_copy, d_offset, {} };
    try {
        d_training.get();
    } catch (const std::exception& error) {
        found.refused = error.what();
    }
    if (d_waiting) {
        run(*std::exchange(d_waiting, std::nullopt));
    }
    return found.trained->cancelled() ? std::nullopt : std::make_optional(found);
}

void background_trainer::abort()
{
    d_waiting.reset();
    if (d_training.valid())
        d_copy->cancel();
}

} // namespace reservoir
} // namespace gr
