/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_BLOCK_FADING_CC_H
#define INCLUDED_RESERVOIR_BLOCK_FADING_CC_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/sync_block.h>
#include <cstdint>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief A matrix of tapped delay lines with new random taps for each frame.
 * \ingroup reservoir
 *
 * \details
 * Output r is y_r[n] = sum over inputs t and taps l of h_rtl[n] x_t[n-l]. The delay lines
 * carry over from frame to frame: a frame's taps act on everything in them from the
 * frame's first sample on.
 *
 * Frames. Sample 0 starts one. If frame_len is 0, so does each sample of input 0 with a
 * tag of key redraw_tag; if it is above 0, every frame_len samples do and the tags have
 * no part in it.
 *
 * Taps. With \p taps they are fixed. With \p power_delay_profile, scaled to sum 1, each
 * frame draws them: independent circular complex Gaussian with the profile's powers
 * (Rayleigh block fading, J. Proakis, Digital Communications, ch. 13). With doppler > 0 a
 * tap moves within the frame as the sum of 16 equally strong waves exp(i (2 pi doppler
 * cos(angle) n + phase)) with random angles and phases (R. Clarke, 1968; W. Jakes, 1974),
 * drawn for each frame, n from the frame's first sample; with doppler_spectrum = "gaussian"
 * their frequencies are normal with standard deviation doppler/2, as those of one path of an
 * HF channel (C. Watterson, J. Juroshek and W. Bensema, 1970). With normalize the impulse
 * response from each input to each output is scaled to unit energy; with doppler > 0 that
 * is the mean energy over the frame's first frame_len samples, or 1024 where frame_len is
 * 0.
 *
 * Paths. With \p path_delays the powers are those of paths that come these delays late, in samples
 * and fractions of one: a windowed sine over 16 samples, right for signals up to 0.35 cycles/sample.
 * Everything then comes 8 samples later, signal, tags and frames, so that what belonged to a sample
 * still does; the last 8 samples of a stream do not come out. A tag "channel" holds the taps, 8
 * samples of delay included. The energy that normalize scales is the paths'.
 *
 * frequency_offset turns all outputs by exp(i 2 pi frequency_offset n), n counting from
 * sample 0, with a phase that depends on n alone. (A rotator_cc gives other last bits when
 * the scheduler cuts the stream elsewhere.)
 *
 * Tags. Each frame's first sample on output 0 carries a tag "channel" with the taps at
 * that sample: a c32vector for one input and one output, else a vector of num_rx vectors
 * of num_tx c32vectors. All tags of all inputs pass to all outputs, equal tags at the
 * same sample once.
 *
 * A sample that is NaN or infinite counts as zero. Costs num_rx num_tx L multiply-adds per
 * sample, and with doppler > 0 16 more for each path or tap, 32 for one with a delay. The same seed gives the same
 * output whatever the scheduler's buffer sizes.
 */
class RESERVOIR_API block_fading_cc : virtual public gr::sync_block
{
public:
    typedef std::shared_ptr<block_fading_cc> sptr;

    //! Impulse responses: [output][input][tap].
    typedef std::vector<std::vector<std::vector<gr_complex>>> taps_t;

    /*!
     * \param power_delay_profile mean powers of 1 ... 1024 taps, at least 0, not all 0;
     *        empty if \p taps is given
     * \param taps fixed taps [num_rx][num_tx][1 ... 1024], finite; empty if
     *        \p power_delay_profile is given
     * \param num_tx inputs, 1 ... 16
     * \param num_rx outputs, 1 ... 16
     * \param redraw_tag key of the tag that starts a frame; empty: no tag does
     * \param frame_len samples per frame, 0 ... 2^40; 0: frames start at tags
     * \param doppler largest Doppler frequency in cycles/sample, 0 ... 0.5; 0 with \p taps
     * \param seed of the taps, at least 0
     * \param normalize scale drawn impulse responses to unit energy; no effect on \p taps
     * \param frequency_offset carrier offset in cycles/sample, -0.5 ... 0.5
     * \param doppler_spectrum "clarke" (waves from all sides; doppler is its edge) or "gaussian" (paths
     * of an ionosphere; doppler is twice its standard deviation)
     * \param path_delays in samples, 0 ... 1000, one for each power of \p power_delay_profile; empty:
     *        tap l comes l samples late
     * \throws std::invalid_argument if a parameter is outside its range
     */
    static sptr make(const std::vector<double>& power_delay_profile = {},
                     const taps_t& taps = {},
                     int num_tx = 1,
                     int num_rx = 1,
                     const std::string& redraw_tag = "frame_start",
                     int64_t frame_len = 0,
                     double doppler = 0.0,
                     int64_t seed = 1,
                     bool normalize = true,
                     double frequency_offset = 0.0,
                     const std::string& doppler_spectrum = "clarke",
                     const std::vector<double>& path_delays = {});

    /*!
     * \brief Fix the taps from now on; the next sample carries a "channel" tag.
     *
     * \throws std::invalid_argument if they are not [num_rx][num_tx][1 ... 1024] and
     * finite, or there are path_delays
     */
    virtual void set_taps(const taps_t& taps) = 0;

    /*!
     * \brief Draw taps of this profile from the next frame on.
     *
     * \throws std::invalid_argument if it has not 1 ... 1024 powers, at least 0, not all 0, or not
     * one for each of the path_delays
     */
    virtual void
    set_power_delay_profile(const std::vector<double>& power_delay_profile) = 0;

    //! The phase goes on without a step. \throws std::invalid_argument outside -0.5 ... 0.5
    virtual void set_frequency_offset(double frequency_offset) = 0;

    //! The taps at the first sample of the current frame; none before the first sample.
    virtual taps_t taps() = 0;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_BLOCK_FADING_CC_H */
