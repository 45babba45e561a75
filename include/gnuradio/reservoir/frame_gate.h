/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_FRAME_GATE_H
#define INCLUDED_RESERVOIR_FRAME_GATE_H

#include <gnuradio/hier_block2.h>
#include <gnuradio/reservoir/api.h>
#include <cstdint>
#include <string>

namespace gr {
namespace reservoir {

/*!
 * \brief Between a front end that cannot wait and a receiver that may be slower.
 * \ingroup reservoir
 *
 * \details
 * Lets whole frames pass, and drops whole frames when the receiver after it cannot keep up. A frame
 * is the frame_len samples from a training tag on. Up to max_frames frames may overlap, more are
 * dropped; samples between frames are left out. Frames wait in a queue of max_frames. When it is
 * full, either the newest frame is dropped and counted, so that the input never waits (drop, for
 * radios), or the input waits (for files). The training tag is passed on, on the first sample of its
 * frame; other tags are not. A last frame that the end of the stream cuts short is filled up with
 * zeros. A frame that a radio's overrun cuts (a tag rx_time behind its first sample) is left out and
 * counted.
 */
class RESERVOIR_API frame_gate : virtual public gr::hier_block2
{
public:
    typedef std::shared_ptr<frame_gate> sptr;

    /*!
     * \param frame_len samples, 1 ... 2^22; an equalizer needs (pilots + payload_len + 48) * sps
     * \param training_tag key of the tag on the first pilot, not empty
     * \param max_frames frames that may wait, 1 ... 65536
     * \param drop drop frames instead of making the input wait
     * \throws std::invalid_argument if a parameter is outside its range
     */
    static sptr make(int frame_len,
                     const std::string& training_tag = "training_start",
                     int max_frames = 32,
                     bool drop = true);

    //! Frames let in.
    virtual uint64_t passed() const = 0;
    //! Frames dropped.
    virtual uint64_t dropped() const = 0;
    //! Frames cut by an overrun.
    virtual uint64_t truncated() const = 0;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_FRAME_GATE_H */
