/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_FINISHED_FRAME_H
#define INCLUDED_RESERVOIR_FINISHED_FRAME_H

#include <gnuradio/reservoir/detector.h>
#include <any>
#include <cstddef>
#include <functional>

namespace gr {
namespace reservoir {

//! A whole frame that a detector has received, with all that it received it from.
struct finished_frame {
    const gr_complex* const* samples; //!< a row per input, from the first symbol on
    int num_inputs;
    size_t num_samples; //!< look-ahead included
    int sps;
    const stream_matrix& pilots;      //!< a row per stream, NaN: not known
    const gr_complex* const* symbols; //!< what the detector found, a row per stream
    size_t num_symbols;
    const training_report& report;
};

/*!
 * What else is done with a frame, in the thread that received it, of several at once. A detector that
 * makes refits receives it in a hurry first, and again without where that is asked for.
 */
struct frame_finisher {
    std::function<std::any(const finished_frame&)> finish; //!< empty: nothing
    std::function<bool(const std::any&)> again;            //!< of what finish returned
    explicit operator bool() const { return bool(finish); }
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_FINISHED_FRAME_H */
