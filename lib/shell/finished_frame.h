/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_FINISHED_FRAME_H
#define INCLUDED_RESERVOIR_FINISHED_FRAME_H

#include <gnuradio/reservoir/detector.h>
#include <algorithm>
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

//! What else is done with a frame, in the thread that received it, of several at once.
struct frame_finisher {
    std::function<std::any(const finished_frame&)> finish; //!< empty: nothing
    std::function<bool(const std::any&)> again;            //!< of what finish returned
    explicit operator bool() const { return bool(finish); }
};

//! The sample at each symbol instant as it is; outputs beyond the inputs have the last input's.
inline void pass_through(const gr_complex* const* samples,
                         size_t num_inputs,
                         int sps,
                         gr_complex* const* symbols,
                         size_t num_outputs,
                         size_t count)
{
    for (size_t o = 0; o < num_outputs; o++) {
        const gr_complex* row = samples[std::min(o, num_inputs - 1)];
        for (size_t k = 0; k < count; k++)
            symbols[o][k] = row[k * sps];
    }
}

//! The effort of a detector, until the end of the scope.
class with_effort
{
public:
    with_effort(detector& receiver, detector::effort wanted) : d_receiver(receiver)
    {
        d_receiver.set_effort(wanted);
    }
    ~with_effort() { d_receiver.set_effort(detector::effort::full); }
    with_effort(const with_effort&) = delete;
    with_effort& operator=(const with_effort&) = delete;

private:
    detector& d_receiver;
};

/*!
 * \brief Receives a frame quickly, and in full only where that has not been enough, by a detector that makes
 * refits; by others once.
 * \param receive receives and finishes it
 * \param again whether what it returned is not enough
 */
template <class Receive, class Again>
auto receive_until_enough(detector& receiver, const Receive& receive, const Again& again)
{
    if (receiver.refits_frames()) {
        const with_effort quick(receiver, detector::effort::quick);
        auto found = receive();
        if (!again(found))
            return found;
    }
    const with_effort rest(receiver,
                           receiver.refits_frames() ? detector::effort::again
                                                    : detector::effort::full);
    return receive();
}

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_FINISHED_FRAME_H */
