/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_FRAME_SYNC_H
#define INCLUDED_RESERVOIR_FRAME_SYNC_H

#include <gnuradio/block.h>
#include <gnuradio/reservoir/api.h>
#include <cstdint>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

//! The 124 symbols, all ±1, that frame_sync looks for; frame_source sends them before the pilots.
RESERVOIR_API std::vector<gr_complex> burst_preamble();

/*!
 * \brief Finds bursts by their preamble, takes their carrier offset out, and tags the first pilot.
 * \ingroup reservoir
 *
 * \details
 * A burst is burst_preamble(), pilots, payload, one after another on the same symbol grid, shaped
 * with a root-raised-cosine pulse. Samples come out as they go in, except for the carrier offset: from
 * the beginning of a burst to that of the next they are turned back by the offset that the preamble
 * shows. Level, phase and carrier offset of a burst do not matter. The tag is near the strongest
 * path; the equalizer corrects the rest: the fraction of a sample, and the path where another one
 * is as strong.
 *
 * Tag on the sample at the first symbol after the preamble: a dictionary
 * {cfo: cycles/sample, snr_db: Es/N0 in dB, amplitude: rms of the preamble without noise,
 * peak: share of the energy that the strongest path explains, time: of that sample in seconds
 * from the stream's beginning, frame: number of the burst, from 0}. The same dictionary goes to
 * the message port "report".
 *
 * See kernel::burst_detector for the method. Two preambles less than three of its four
 * repetitions apart count as one; a preamble in the middle of another burst begins a new one.
 * About 5 repetitions' samples are held back; at the end of the stream they come out.
 * Samples that are not finite become zero and are counted. The output does not depend on how the
 * scheduler cuts the stream.
 */
class RESERVOIR_API frame_sync : virtual public gr::block
{
public:
    typedef std::shared_ptr<frame_sync> sptr;

    /*!
     * \param sps samples per symbol, 2 to 16
     * \param excess_bandwidth of the pulse, above 0, at most 1
     * \param threshold on the repetition metric, above 0 and below 1; noise exceeds .2 less than once
     * in 1e12 samples, random symbols once in 1e8
     * \param max_frequency_offset cycles/sample, 0 to 0.5
     * \param sample_rate samples per second, above 0; for the tag's time
     * \param tag_key of the tag, not empty
     * \throws std::invalid_argument naming the parameter, its value and its range
     */
    static sptr make(int sps = 2,
                     double excess_bandwidth = 0.25,
                     double threshold = 0.2,
                     double max_frequency_offset = 0.05,
                     double sample_rate = 1.0,
                     const std::string& tag_key = "training_start");

    //! Bursts found since the flowgraph was started.
    virtual uint64_t frames() const = 0;
    //! Samples that were not finite.
    virtual uint64_t bad_samples() const = 0;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_FRAME_SYNC_H */
