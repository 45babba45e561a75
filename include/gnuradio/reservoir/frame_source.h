/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_FRAME_SOURCE_H
#define INCLUDED_RESERVOIR_FRAME_SOURCE_H

#include <gnuradio/digital/constellation.h>
#include <gnuradio/reservoir/api.h>
#include <gnuradio/sync_block.h>
#include <cstdint>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief Random points of a constellation at unit mean power, as pilots.
 *
 * \param constellation one complex number per symbol, at least 2 points
 * \param num_pilots 0 ... 2^24
 * \param seed at least 0
 * \throws std::invalid_argument if a parameter is outside its range
 */
RESERVOIR_API std::vector<gr_complex> random_pilots(
    gr::digital::constellation_sptr constellation, int num_pilots, int64_t seed = 1);

/*!
 * \brief Source of frames: a preamble if wanted, known pilots, random symbols, a gap of zeros.
 * \ingroup reservoir
 *
 * \details
 * Each frame is the preamble and the pilots as given, then payload_len equiprobable points of the
 * constellation, whose mean power is scaled to 1, then gap zeros. The symbols of a frame
 * depend on the seed and the frame's index alone: payload_indices gives those of any
 * frame, sent or yet to be sent. After num_frames frames the stream ends; a new run of
 * the flowgraph does not start again without reset.
 *
 * Tags on the first pilot (the first symbol where there are no pilots): frame_tag with a
 * dictionary {frame: uint64 index, pilots: their number, payload: payload_len}, and
 * training_tag with the double 1.0. Where there is a preamble, its first symbol carries the tag
 * burst_start with the frame's index, for channels that change from burst to burst. O(1) per symbol.
 */
class RESERVOIR_API frame_source : virtual public gr::sync_block
{
public:
    typedef std::shared_ptr<frame_source> sptr;

    /*!
     * \param constellation one complex number per symbol, 2 ... 65536 points
     * \param pilots any finite values, 0 ... 2^24 of them, sent as they are
     * \param payload_len random symbols per frame, 0 ... 2^24; a frame has at least one symbol
     * \param gap zeros after the payload, 0 ... 2^24
     * \param num_frames at least 0; 0: no end
     * \param seed of the random symbols, at least 0
     * \param frame_tag key of the tag with the frame's index; empty: no tag
     * \param training_tag key of the tag for receivers that train; empty: no tag
     * \param preamble any finite values, 0 ... 2^24 of them, sent before the pilots;
     *        burst_preamble() is what frame_sync looks for
     * \throws std::invalid_argument if a parameter is outside its range
     */
    static sptr make(gr::digital::constellation_sptr constellation,
                     const std::vector<gr_complex>& pilots,
                     int payload_len = 512,
                     int gap = 16,
                     int64_t num_frames = 0,
                     int64_t seed = 1,
                     const std::string& frame_tag = "frame_start",
                     const std::string& training_tag = "corr_est",
                     const std::vector<gr_complex>& preamble = {});

    /*!
     * \brief Indices of the constellation points that frame number \p frame carries.
     *
     * \throws std::invalid_argument if \p frame is below 0
     */
    virtual std::vector<int> payload_indices(int64_t frame) const = 0;

    //! The pilots of each frame.
    virtual std::vector<gr_complex> pilots() const = 0;
    //! The constellation's points at unit mean power.
    virtual std::vector<gr_complex> points() const = 0;
    //! Symbols of a frame's payload.
    virtual int payload_length() const = 0;
    //! The symbols before the pilots.
    virtual std::vector<gr_complex> preamble() const = 0;
    //! Samples of a frame: preamble, pilots, payload and gap.
    virtual int frame_length() const = 0;
    //! Start again at the first sample of frame 0.
    virtual void reset() = 0;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_FRAME_SOURCE_H */
