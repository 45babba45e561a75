/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/least_squares_detector.h>

#include "detector/least_squares_readout.h"
#include <gnuradio/reservoir/parameter.h>

namespace gr {
namespace reservoir {

least_squares_detector::least_squares_detector(int num_inputs, int num_outputs)
    : detector(num_inputs, num_outputs)
{
}

least_squares_detector::~least_squares_detector() {}

stream_matrix least_squares_detector::readout_weights() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_report.trained ? d_readout->weights() : stream_matrix();
}

int least_squares_detector::do_look_ahead() const { return d_readout->look_ahead(); }

int least_squares_detector::do_look_back() const { return d_readout->look_back(); }

uint64_t least_squares_detector::do_bad_samples() const
{
    return d_readout->bad_samples();
}

void least_squares_detector::do_reset() { d_readout->reset(history() + d_report.delay); }

training_report least_squares_detector::do_fit(const gr_complex* const* received,
                                               size_t num_samples,
                                               const stream_matrix& pilots,
                                               int sps)
{
    return d_readout->fit(received, num_samples, pilots, sps, history());
}

size_t least_squares_detector::do_detect(const gr_complex* const* received,
                                         size_t num_samples,
                                         gr_complex* const* symbols)
{
    return d_readout->detect(received, num_samples, symbols);
}

void least_squares_detector::do_set_tracking(digital::constellation_sptr constellation)
{
    d_readout->set_tracking(constellation);
}

pmt::pmt_t least_squares_detector::do_save() const
{
    return d_report.trained ? d_readout->save() : pmt::make_dict();
}

void least_squares_detector::do_restore(const pmt::pmt_t& saved)
{
    if (!d_report.trained)
        return;
    check_value(parameter("delay", "").within(0, do_look_ahead()), d_report.delay);
    d_readout->restore(saved, d_sps);
    do_reset();
}

void least_squares_detector::do_adopt(const trainable& trained)
{
    const auto& other = dynamic_cast<const least_squares_detector&>(trained);
    d_readout->adopt(*other.d_readout, d_sps);
    do_reset();
}

} // namespace reservoir
} // namespace gr
