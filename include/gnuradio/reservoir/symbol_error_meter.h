/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_SYMBOL_ERROR_METER_H
#define INCLUDED_RESERVOIR_SYMBOL_ERROR_METER_H

#include <gnuradio/digital/constellation.h>
#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/frame_source.h>
#include <gnuradio/sync_block.h>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief Sink that counts the errors of received symbols against those that a frame_source sent.
 * \ingroup reservoir
 *
 * \details
 * One input sample is one symbol. A tag of key frame_tag, as frame_source makes them,
 * starts a frame with the dictionary's index "frame" wherever it lies; other tags, and
 * those without such a dictionary, are ignored. The frame's pilots are skipped; each
 * payload symbol is decided for the nearest point of the constellation at unit mean power
 * and compared with the one sent. The bits of a point are those of its index, or of the
 * index that the constellation's pre-diff code maps to it where that is applied, as
 * digital's modulators do.
 *
 * The error vector magnitude is 10 log10(sum |y - x|^2 / sum |x|^2) dB, x the points
 * sent. A symbol that is NaN or infinite is a symbol error with all of its bits wrong,
 * and has no part in the EVM. A frame counts when its last payload symbol has come; one
 * that a new frame or the end of the stream cuts short counts as incomplete, its symbols
 * not at all. The first warmup_frames frames count as nothing.
 *
 * Message port "report": a dictionary for each counted frame: frame, symbols,
 * symbol_errors, bit_errors, ser, ber, evm_db and totals, a dictionary of frames,
 * incomplete_frames, symbols, symbol_errors, bits, bit_errors, nonfinite_symbols, ser,
 * ber, evm_db. O(points of the constellation) per symbol. All functions may be called while
 * the flowgraph runs.
 */
class RESERVOIR_API symbol_error_meter : virtual public gr::sync_block
{
public:
    typedef std::shared_ptr<symbol_error_meter> sptr;

    /*!
     * \param constellation the one that \p frame_source has
     * \param frame_source what sent the frames; it need not be in the same flowgraph
     * \param warmup_frames frames that are not counted, 0 ... 2^31-1
     * \param frame_tag key of the tag that starts a frame, not empty
     * \throws std::invalid_argument if a parameter is outside its range, or the
     * constellation has other points than the source's
     */
    static sptr make(gr::digital::constellation_sptr constellation,
                     gr::reservoir::frame_source::sptr frame_source,
                     int warmup_frames = 0,
                     const std::string& frame_tag = "frame_start");

    virtual uint64_t total_frames() = 0;
    virtual uint64_t total_symbols() = 0;
    virtual uint64_t symbol_errors() = 0;
    virtual uint64_t total_bits() = 0;
    virtual uint64_t bit_errors() = 0;
    virtual uint64_t nonfinite_symbols() = 0;
    virtual uint64_t incomplete_frames() = 0;

    //! Symbol error rate of all counted frames; NaN before the first.
    virtual double ser() = 0;
    //! Bit error rate of all counted frames; NaN before the first.
    virtual double ber() = 0;
    //! Error vector magnitude of all counted frames in dB; NaN before the first.
    virtual double evm_db() = 0;

    //! Symbol errors and symbols of each counted frame, of the last 2^20 at most.
    virtual std::vector<std::pair<uint64_t, uint64_t>> frame_ser() = 0;

    //! Forget all counts; warm-up starts again, a frame under way is dropped.
    virtual void reset() = 0;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_SYMBOL_ERROR_METER_H */
