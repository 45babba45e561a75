/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_OFDM_DETECTOR_H
#define INCLUDED_RESERVOIR_OFDM_DETECTOR_H

#include <gnuradio/digital/constellation.h>
#include <gnuradio/reservoir/described.h>
#include <gnuradio/reservoir/detector.h>
#include <gnuradio/reservoir/ofdm_grid.h>
#include <gnuradio/reservoir/trainable.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gr {
namespace reservoir {

struct ofdm_frame;
struct ofdm_result;
struct pilot_pattern;
namespace kernel {
class ofdm_transform;
}

/*!
 * \brief A receiver of OFDM frames from one or several antennas, trained on the carriers that are
 * known.
 *
 * \details
 * Samples begin with the first symbol's cyclic prefix; the channel's first path may come later, up to
 * the prefix's length. What is known of the frame says gr::reservoir::known_carriers, so that full
 * pilot symbols, combs, scattered pilots and antennas that are silent in turns are all the same to a
 * detector. Symbols come out in the pilots' units.
 *
 * Not responsible for finding frames, nor for the carrier offset.
 *
 * Samples that are not finite count as zero.
 */
class RESERVOIR_API ofdm_detector : public trainable
{
public:
    typedef std::shared_ptr<ofdm_detector> sptr;

    ~ofdm_detector() override;

    int fft_len() const { return d_fft_len; }
    const std::vector<int>& cp_len() const { return d_cp_len; }
    int num_rx() const { return num_inputs(); }
    int num_tx() const { return num_outputs(); }
    //! One of its own with the same parameters; it belongs to no shell.
    sptr clone() const;
    //! Whole symbols in so many samples.
    int symbols_in(size_t num_samples) const;
    //! Samples of so many symbols.
    size_t samples_of(int num_symbols) const;

    /*!
     * \brief One whole frame.
     * \param received num_rx rows, at least known.num_symbols symbols
     * \param known num_tx rows; some carrier is known on every stream, and not zero on all
     * \return num_tx rows of all symbols' carriers in natural order: those known as they are known,
     *         the others as they were detected
     * \throws std::invalid_argument if shapes do not fit
     */
    stream_matrix receive(const stream_matrix& received, const known_carriers& known);
    //! Of the data.
    const constellation_points& constellation() const { return do_constellation(); }
    //! Bits of one of its points.
    int soft_bits_per_symbol() const;
    /*!
     * \brief receive with log-likelihood ratios of the bits, log P(1)/P(0), in order and sign of
     * digital::constellation::calc_soft_dec, the most significant bit first.
     *
     * They are limited to detector::MAX_LLR; those of carriers that are known are 0, and of a symbol in which
     * nothing was received.
     * \return symbols as receive has them, and soft_bits_per_symbol() ratios for each
     * \throws std::invalid_argument as receive, and if the constellation's labels are not those of 2^n points
     */
    soft_symbols receive_softly(const stream_matrix& received,
                                const known_carriers& known);
    //! Whether equalize() is for it: it needs no samples in time.
    virtual bool takes_carriers() const { return false; }
    /*!
     * \brief The same behind an FFT: carriers instead of samples, and what is known of their channel.
     *
     * received[r] = sum_j taps[j][r] sent[j] on every carrier, the symbols in the pilots' units, or in the
     * constellation's where nothing is known of the frame. The channel is a few taps in time, at most
     * fft_len / 4 and 128: noisy initial taps are smoothed, those that are missing interpolated.
     * \param carriers num_rx rows of known.num_symbols symbols in natural order
     * \param initial_taps of stream j at antenna r row num_rx * j + r, a value per carrier; zero or not
     *        finite: not known. No rows: the channel is estimated from the known carriers
     * \param known num_tx rows; without initial taps as of receive(), with them anything, see
     *        known_carriers::from_taps
     * \return as receive()
     * \throws std::invalid_argument if shapes do not fit, nothing tells the channel, or it does not take
     *        carriers
     */
    stream_matrix equalize(const stream_matrix& carriers,
                           const stream_matrix& initial_taps,
                           const known_carriers& known);
    //! As receive_softly().
    soft_symbols equalize_softly(const stream_matrix& carriers,
                                 const stream_matrix& initial_taps,
                                 const known_carriers& known);
    //! The known carriers' part alone. \return what was found
    training_report fit(const stream_matrix& received, const known_carriers& known);

    //! \name For detectors that are made of others
    //! \{
    //! Kind and parameters: ofdm_detector_from() makes one alike, untrained.
    pmt::pmt_t description() const;
    //! As receive(), of a frame that is prepared already. It leaves no report.
    ofdm_result receive_frame(const ofdm_frame& frame);
    //! \}

protected:
    ofdm_detector(int num_rx, int num_tx, int fft_len, const std::vector<int>& cp_len);

    //! Called with the lock held; the frame has samples and known carriers of unit power. Where
    //! takes_carriers() it may have no samples.
    virtual ofdm_result do_receive(const ofdm_frame& frame) = 0;
    virtual const constellation_points& do_constellation() const = 0;

    uint64_t do_bad_samples() const override { return d_bad_samples; }
    void do_reset() override {}
    pmt::pmt_t do_save() const override;
    void do_restore(const pmt::pmt_t& saved) override;
    void do_adopt(const trainable& trained) override;

private:
    void check(const stream_matrix& received, const known_carriers& known) const;
    void check_known(const known_carriers& known) const;
    void check_carriers(const stream_matrix& carriers,
                        const stream_matrix& initial_taps,
                        const known_carriers& known) const;
    ofdm_frame prepare(const stream_matrix& received, const known_carriers& known);
    ofdm_frame prepare_carriers(const stream_matrix& carriers,
                                const stream_matrix& initial_taps,
                                const known_carriers& known);
    std::shared_ptr<const pilot_pattern> pilots_of(const known_carriers& known);
    void make_report(const ofdm_frame& frame, const ofdm_result& found, double seconds);
    template <class Prepare>
    std::pair<ofdm_frame, ofdm_result> run(Prepare&& prepare, bool soft);
    soft_symbols with_bits(const known_carriers& known,
                           const ofdm_frame& frame,
                           const ofdm_result& found) const;

    const int d_fft_len;
    const std::vector<int> d_cp_len;
    const std::shared_ptr<kernel::ofdm_transform> d_transform;
    known_carriers d_known; // of the last frame, and what was made of it
    std::shared_ptr<const pilot_pattern> d_pilots;
    uint64_t d_bad_samples = 0;
};

//! \name What several of them have
//! \{
inline constexpr parameter OFDM_FFT_LEN =
    parameter("fft_len", "carriers, of which some may be unused")
        .within(2, 65536)
        .labelled("FFT Length");
inline constexpr parameter OFDM_CP_LEN =
    parameter("cp_len", "samples of the symbols' cyclic prefixes, in turns")
        .within(0, 65536)
        .in("samples")
        .labelled("Cyclic Prefix Length");
inline constexpr parameter OFDM_NUM_RX =
    parameter("num_rx", "receiving antennas").within(1, 8).labelled("Num. Inputs");
inline constexpr parameter OFDM_NUM_TX =
    parameter("num_tx", "streams that are sent").within(1, 8).labelled("Num. Outputs");
inline constexpr parameter OFDM_CONSTELLATION =
    parameter("constellation", "of the data; QPSK if there is none")
        .labelled("Constellation");
inline constexpr parameter OFDM_CHANNEL_LEN =
    parameter("channel_len", "taps of the channel")
        .within(1, 4096)
        .or_else(0, "by the Bayesian information criterion")
        .labelled("Channel Length")
        .in("samples")
        .seldom();
//! What must hold in any of them.
template <class Parameters, class Rule>
void ofdm_rules(const Parameters& parameters, Rule&& rule)
{
    bool fits = true;
    for (const int length : parameters.cp_len)
        fits = fits && length <= parameters.fft_len;
    rule(fits, "cp_len", "at most fft_len", "max(cp_len) <= fft_len");
}
//! \}

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_OFDM_DETECTOR_H */
