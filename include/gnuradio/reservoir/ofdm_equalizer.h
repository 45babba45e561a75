/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_OFDM_EQUALIZER_H
#define INCLUDED_RESERVOIR_OFDM_EQUALIZER_H

#include <gnuradio/block.h>
#include <gnuradio/reservoir/ofdm_detector.h>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief OFDM equalizer block: trains a detector on the known carriers of each frame and puts out its
 * data symbols.
 * \ingroup reservoir
 *
 * \details
 * Samples come in, carriers go out: cyclic prefixes, the FFT, the channel's estimate and equalization are
 * the detector's. The sample that carries the frame's tag is the first one of the first symbol's cyclic
 * prefix. The channel's first path may come later, up to the prefix's length.
 *
 * - A frame is the sync words of the grid, or the pilots, and as many symbols behind them as the tag's value
 *   says, if that is an integer, or else num_data_symbols. A number out of range is counted in bad_lengths,
 *   told once in the log, and its frame is dropped.
 * - Output is one vector of fft_len carriers for each data symbol, in the units of what is known. Data symbols
 *   are those of which not every carrier is known; known carriers in them have what is known. Carriers have
 *   the grid's order; without a grid they have natural order, DC first.
 * - A frame comes out when its last sample has come and it has been received. Until it has gone no samples
 *   are taken. Samples between frames are dropped.
 * - workers = N: up to N frames are received at once, each by a copy of the detector in a thread of its own;
 *   up to N more wait, then the input does. Symbols, tags and reports come in their order and are the same as
 *   with one worker; frames() counts frames as they begin.
 * - A frame's tag within a frame cuts the frame before it; so do a radio's overrun (a tag rx_time in a frame)
 *   and the end of the stream. Of such a frame the whole symbols are received and counted in
 *   truncated_frames; with no data symbol among them, or nothing that is known, the frame is dropped and
 *   counted in dropped_frames.
 * - Ports: detector.num_rx() complex inputs, num_tx() outputs of vectors. The frames' tags on input 0 count.
 * - The first vector of a frame has a tag of key length_tag_key on every output: the number of the frame's
 *   vectors, a long, as tagged streams have it. Such tags of the input do not pass.
 * - All other tags, of every input, go to every output, the frame's own too: on the vector of the data symbol within which they
 *   lie, or of the last one before it, or of the frame's first. Those between frames, or in a frame that is
 *   dropped, go on the next frame's first vector, of each key and input the last one.
 * - A tag ofdm_sync_carr_offset on the frame's first sample, as digital.ofdm_chanest_vcvc writes it, is the
 *   carrier offset in carriers: the frame's samples are turned back by it.
 * - The output does not depend on how the scheduler cuts the stream.
 *
 * Two mistakes are told once, in the log, in warnings() and in the next report's field warning: no tag of a
 * frame's key comes; in eight frames the known carriers are hardly explained (-1.5 dB), as they are not what
 * was sent or the tag does not lie on the first sample.
 *
 * Message port "command" (in): a dictionary or a single pair, {"num_data_symbols": integer} as
 * set_num_data_symbols, or what the detector knows beside it.
 *
 * Message port "report" (out): a dictionary for each frame, with the fields of
 * gr::reservoir::training_report and offset (the frame's first sample), frames, truncated_frames,
 * dropped_frames, bad_lengths and erased_frames so far. A frame in which a detector finds nothing to be
 * trained on is erased: what is known comes out, the rest is zero, and the report has no figures.
 */
class RESERVOIR_API ofdm_equalizer : virtual public gr::block
{
public:
    typedef std::shared_ptr<ofdm_equalizer> sptr;

    //! Largest number of symbols behind the sync words or pilots.
    static constexpr int MAX_DATA_SYMBOLS = 1 << 14;

    /*!
     * \param detector what is trained; belongs to this block from now on
     * \param grid where the frames have pilots, data and nothing; fft_len, cp_len and num_tx are those
     *        of the detector
     * \param num_data_symbols of a frame, behind the sync words, 1 to MAX_DATA_SYMBOLS, where the tag does
     *        not say
     * \param frame_start_tag key of the tag on a frame's first sample, not empty
     * \param length_tag_key key of the tag on a frame's first vector, another than frame_start_tag; empty:
     *        there is none
     * \param workers threads that receive frames, 1 to 64; 1: the block's own
     * \throws std::invalid_argument naming the parameter, its value and its range
     */
    static sptr make(ofdm_detector::sptr detector,
                     const ofdm_grid& grid,
                     int num_data_symbols,
                     const std::string& frame_start_tag = "frame_start",
                     const std::string& length_tag_key = "frame_len",
                     int workers = 1);
    /*!
     * \brief The same with full pilot symbols in front, then data on all carriers that they use.
     * \param pilots a row per stream of whole symbols, carriers in natural order, zero on unused ones
     */
    static sptr make(ofdm_detector::sptr detector,
                     const stream_matrix& pilots,
                     int num_data_symbols,
                     const std::string& frame_start_tag = "frame_start",
                     const std::string& length_tag_key = "frame_len",
                     int workers = 1);

    /*!
     * \brief Symbols behind the sync words or pilots where the tag does not say, from the next tag on.
     * \throws std::invalid_argument as make
     */
    virtual void set_num_data_symbols(int num_data_symbols) = 0;
    virtual int num_data_symbols() const = 0;
    /*!
     * \brief Another grid, or other pilots, from the next tag on.
     * \throws std::invalid_argument as make
     */
    virtual void set_pilots(const ofdm_grid& grid) = 0;
    virtual void set_pilots(const stream_matrix& pilots) = 0;

    //! Frames received, those among them that were cut short.
    virtual uint64_t frames() const = 0;
    //! Frames that were cut short and received as far as they go.
    virtual uint64_t truncated_frames() const = 0;
    //! Frames cut so short that there was nothing to receive.
    virtual uint64_t dropped_frames() const = 0;
    //! Tags with a number of data symbols that is out of range.
    virtual uint64_t bad_lengths() const = 0;
    //! Samples that were not finite.
    virtual uint64_t bad_samples() const = 0;
    //! The last frame's report.
    virtual training_report report() const = 0;
    //! What was told in the log in this run.
    virtual std::vector<std::string> warnings() const = 0;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_OFDM_EQUALIZER_H */
