/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_FADING_H
#define INCLUDED_RESERVOIR_KERNEL_FADING_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/kernel/oscillator.h>
#include <gnuradio/reservoir/kernel/random.h>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief A matrix of tapped delay lines whose taps are drawn for each frame: the physics of
 * block_fading_cc, which has the formulas and their sources.
 *
 * A frame begins with the first sample, every frame_len samples where that is above 0, and
 * wherever begin_frame is called. The delay lines carry over from frame to frame. A sample that is
 * not finite counts as zero. How a signal is cut into calls changes no bit. Not thread-safe.
 *
 * With path delays everything comes latency() samples later, and frames of frame_len samples begin so
 * much later than without.
 */
class RESERVOIR_API fading
{
public:
    typedef std::complex<float> sample_t;
    //! Impulse responses: [output][input][tap].
    typedef std::vector<std::vector<std::vector<sample_t>>> taps_t;

    static constexpr size_t MAX_TAPS = 1024;
    static constexpr uint64_t NO_END = UINT64_MAX;
    //! Samples on each side of the filter that delays a path by a fraction of a sample.
    static constexpr size_t HALF_FILTER = 8;

    /*!
     * \param power_delay_profile mean powers of 1 ... 1024 taps, at least 0, not all 0, scaled to
     * sum 1; empty if \p taps is given
     * \param taps fixed taps [num_rx][num_tx][1 ... 1024], finite; empty if
     * \p power_delay_profile is given
     * \param num_tx inputs, 1 ... 16
     * \param num_rx outputs, 1 ... 16
     * \param frame_len samples per frame, 0 ... 2^40; 0: begin_frame alone begins one
     * \param doppler largest Doppler frequency in cycles/sample, 0 ... 0.5; 0 with \p taps
     * \param seed of the taps, at least 0
     * \param normalize scale drawn impulse responses to unit energy; no effect on \p taps
     * \param frequency_offset carrier offset in cycles/sample, -0.5 ... 0.5
     * \param doppler_spectrum "clarke" (waves from all sides; doppler is its edge) or "gaussian" (paths
     * of an ionosphere; doppler is twice its standard deviation)
     * \param path_delays in samples, 0 ... 1000, one for each power of \p power_delay_profile, which
     * then are those of paths; empty: tap l comes l samples late
     * \throws std::invalid_argument naming the parameter, its value and its range
     */
    explicit fading(const std::vector<double>& power_delay_profile,
                    const taps_t& taps = {},
                    int num_tx = 1,
                    int num_rx = 1,
                    int64_t frame_len = 0,
                    double doppler = 0.0,
                    int64_t seed = 1,
                    bool normalize = true,
                    double frequency_offset = 0.0,
                    const std::string& doppler_spectrum = "clarke",
                    const std::vector<double>& path_delays = {});

    int num_tx() const { return d_num_tx; }
    int num_rx() const { return d_num_rx; }
    //! Samples by which a path of delay 0 comes late: HALF_FILTER with path delays, else 0.
    size_t latency() const { return d_spread.empty() ? 0 : HALF_FILTER; }

    //! Fixes the taps from the next sample on.
    //! \throws std::invalid_argument if they do not fit, or there are path delays
    void set_taps(const taps_t& taps);
    //! Draws taps of this profile from the next frame on.
    //! \throws std::invalid_argument if it does not fit, also not the path delays
    void set_power_delay_profile(const std::vector<double>& power_delay_profile);
    //! The phase goes on without a step. \throws std::invalid_argument
    void set_frequency_offset(double frequency_offset);

    //! The next sample is a frame's first: draws its taps, where there is a profile.
    void begin_frame();
    //! Samples until the next one begins a frame by itself; 0 before the first sample, or NO_END.
    uint64_t left_in_frame() const;

    //! The first sample's taps of the present frame, one impulse response after the other, by
    //! outputs and in these by inputs; empty before the first sample.
    const std::vector<sample_t>& flat_taps() const { return d_taps; }
    size_t num_taps() const { return d_num_taps; }
    taps_t taps() const;

    //! out[r][n] for in[t][n], n = 0 ... count - 1. A call goes on where the last one ended.
    void pass(const sample_t* const* in, size_t count, sample_t* const* out);

private:
    static constexpr size_t BLOCK = 512;         // samples worked on at a time
    static constexpr uint64_t EXACT_EVERY = 256; // samples between exact phases
    static constexpr size_t NUM_WAVES = 16;      // of a path with Doppler
    static constexpr int64_t NORM_LEN = 1024; // samples of mean energy without frame_len

    /*
     * exp(i (2 pi frequency n + phase)) of many waves, for n = 0, 1, 2, ...; not oscillators: those
     * of a tap are added up at each sample, and one sine for each is all that a short frame pays.
     */
    struct wave_bank {
        std::vector<double> frequency; // cycles/sample
        std::vector<double> phase;     // cycles
        std::vector<double> step_re, step_im;
        std::vector<double> re, im;

        void resize(size_t count);
        //! The waves at sample n, with steps that lead on from there.
        void set_exactly(uint64_t n);
        void advance();
    };

    void check_taps(const taps_t& taps) const;
    void set_path_delays(const std::vector<double>& path_delays);
    void set_num_taps(size_t num_taps);
    void draw_static();
    void draw_moving();
    void move_taps(size_t len);
    sample_t moving_gain(size_t path) const;
    void to_taps(const sample_t* gains, sample_t* taps, size_t stride) const;
    void
    filter(const sample_t* const* in, size_t offset, size_t len, sample_t* const* out);

    int d_num_tx;
    int d_num_rx;
    int64_t d_frame_len;
    double d_doppler;
    bool d_gaussian; // Doppler spectrum
    bool d_normalize;
    random d_random;

    /*
     * A path is a tap, or, with path delays, spread over 2 HALF_FILTER taps: the samples of a delayed
     * pulse. Paths are counted as taps are: by outputs, in these by inputs, in these by delays.
     */
    struct delayed_pulse {
        size_t first_tap;
        std::vector<float> samples;
    };
    std::vector<delayed_pulse>
        d_spread; // of the paths of one response; empty: no path delays

    std::vector<double> d_profile; // of the next frame; empty: fixed taps
    size_t d_num_taps = 0;         // of the present frame
    // h_rtl at [(r * num_tx + t) * num_taps + l], of the present frame's first sample
    std::vector<sample_t> d_taps;
    bool d_started = false;
    uint64_t d_index = 0; // of the next sample in its frame
    uint64_t d_extra_len =
        0; // samples by which the present frame is longer than frame_len

    bool d_moving = false;       // the present frame has Doppler
    size_t d_num_paths = 0;      // of one response, in the present frame
    wave_bank d_waves;           // NUM_WAVES neighbours for each path
    std::vector<double> d_scale; // of the paths
    std::vector<sample_t> d_gains;
    std::vector<sample_t> d_moving_taps; // [tap index][sample of the block]

    oscillator d_carrier;
    bool d_turning; // the carrier is not 1 throughout
    uint64_t d_carrier_index = 0;

    // for each input the last num_taps - 1 samples, then the block at work
    std::vector<std::vector<sample_t>> d_lines;
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_FADING_H */
