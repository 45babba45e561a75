/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/trainable.h>

#include "check.h"
#include "detector/saved_file.h"
#include "detector/saved_reader.h"
#include <gnuradio/reservoir/parameter.h>
#include <algorithm>
#include <utility>

namespace gr {
namespace reservoir {

trainable::trainable(int num_inputs, int num_outputs)
    : d_num_inputs(num_inputs), d_num_outputs(num_outputs)
{
    check_value(NUM_INPUTS, num_inputs);
    check_value(NUM_OUTPUTS, num_outputs);
}

trainable::~trainable() {}

bool trainable::trained() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_report.trained;
}

uint64_t trainable::bad_samples() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return do_bad_samples() + d_bad_samples_elsewhere;
}

training_report trainable::report() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_report;
}

void trainable::reset()
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    do_reset();
}

void trainable::claim()
{
    if (d_claimed.exchange(true))
        throw std::invalid_argument(
            "detector = " + kind() +
            ": must not belong to another block already; make one for each");
}

void trainable::set_progress(std::function<void(const training_progress&)> progress)
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    d_progress = std::move(progress);
}

void trainable::command(const std::string& name, const pmt::pmt_t& value)
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    do_command(name, value);
    settings_changed();
}

void trainable::do_command(const std::string& name, const pmt::pmt_t&)
{
    throw std::invalid_argument(name + ": " + kind() + " does not use one");
}

void trainable::take_over(const trainable& trained)
{
    d_report = trained.d_report;
    d_sps = trained.d_sps;
    do_adopt(trained);
}

void trainable::adopt(const trainable& trained)
{
    require(trained.kind() == kind(), "trained", trained.kind(), kind().c_str());
    require(&trained != this, "trained", "the same detector", "another one");
    const std::scoped_lock lock(d_mutex, trained.d_mutex);
    require(
        trained.d_report.trained, "trained", "untrained", "a detector that was trained");
    require(do_has_parameters_of(trained),
            "trained",
            "another " + kind(),
            "with the same parameters");
    take_over(trained);
    d_report.bad_samples =
        std::max(d_report.bad_samples, do_bad_samples() + d_bad_samples_elsewhere);
}

training_report trainable::adopt_frame(const trainable& clone, uint64_t bad_samples)
{
    const std::scoped_lock lock(d_mutex, clone.d_mutex);
    if (clone.d_report.trained)
        take_over(clone);
    d_report.bad_samples += do_bad_samples() + d_bad_samples_elsewhere - bad_samples;
    d_bad_samples_elsewhere += clone.do_bad_samples() - bad_samples;
    return d_report;
}

trainable::sptr trainable::do_clone() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    const sptr copy = do_make_alike();
    copy->do_restore(do_save()); // untrained: only what was set
    if (d_report.trained)
        copy->take_over(*this);
    return copy;
}

/*
 * kind, parameters by name, trained or not, report and sps if it is, and what the class adds.
 */
void trainable::save(const std::string& path) const
{
    pmt::pmt_t content = pmt::make_dict();
    const auto add = [&content](const char* key, const pmt::pmt_t& value) {
        content = pmt::dict_add(content, pmt::mp(key), value);
    };
    sptr copy;
    {
        const std::lock_guard<std::mutex> lock(d_mutex);
        add("kind", pmt::mp(kind()));
        add("parameters", do_parameters());
        add("trained", pmt::from_bool(d_report.trained));
        if (d_report.trained) {
            add("report", d_report.to_pmt());
            add("sps", pmt::from_long(d_sps));
        }
        add("state", do_save());
        copy = do_make_alike();
    }
    try {
        copy->restore(content);
    } catch (const std::exception& error) {
        // trained on next to nothing, or on huge samples
        throw std::runtime_error(
            "save: " + path + " is not written, it could not be loaded: " + error.what());
    }
    write_saved_file(path, content);
}

void trainable::restore(const pmt::pmt_t& saved)
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    if (pmt::to_bool(saved_entry(saved, "trained"))) {
        d_report = training_report::from_pmt(saved_entry(saved, "report"));
        d_report.trained = true;
        d_sps = saved_reader(saved).integer("sps", 1, 64);
    }
    do_restore(pmt::dict_ref(saved, pmt::mp("state"), pmt::make_dict()));
}

} // namespace reservoir
} // namespace gr
