/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_H
#define INCLUDED_RESERVOIR_DETECTOR_H

#include <gnuradio/digital/constellation.h>
#include <gnuradio/gr_complex.h>
#include <gnuradio/reservoir/known_symbols.h>
#include <gnuradio/reservoir/trainable.h>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

class soft_demapper;
struct constellation_points;

/*!
 * \brief Where symbols go, and how sure they are: one row per stream.
 */
struct RESERVOIR_API symbol_rows {
    symbol_rows(gr_complex* const* symbols_,
                float* const* noise_variance_ = nullptr,
                float* const* llrs_ = nullptr,
                const float* const* prior_llrs_ = nullptr)
        : symbols(symbols_),
          noise_variance(noise_variance_),
          llrs(llrs_),
          prior_llrs(prior_llrs_)
    {
    }
    gr_complex* const* symbols;
    //! variance of each symbol around what was sent, in pilot units; null: not wanted
    float* const* noise_variance;
    //! detector::soft_bits_per_symbol() for each symbol, see receive_softly; null: not wanted
    float* const* llrs;
    //! the same of what is known beforehand; null: nothing. For whole frames only
    const float* const* prior_llrs;
};

//! Symbols, and the log-likelihood ratios of their bits, one symbol's after the other's.
struct RESERVOIR_API soft_symbols {
    stream_matrix symbols;
    std::vector<std::vector<float>> llrs;
};

/*!
 * \brief A receiver that is trained on known pilots and detects symbols on a grid; no flowgraph
 * needed.
 *
 * \details
 * received[k·sps] is the sample at the instant of symbol k. Any decision delay is inside: output
 * k is symbol k, in the units of the pilots. fit() resets the state, as if only zeros had
 * come before the first pilot, and the next detect() starts at symbol 0.
 *
 * A detector is not responsible for finding frames, for tags, or for the alignment of streams:
 * that is the shell's work (gr::reservoir::equalizer).
 *
 * Samples that are not finite count as zero.
 */
class RESERVOIR_API detector : public trainable
{
public:
    typedef std::shared_ptr<detector> sptr;

    //! At least this many symbols of look-ahead are read by receive().
    static constexpr int LOOK_AHEAD = 48;
    //! Largest log-likelihood ratio of the soft output; that of known symbols' bits.
    static constexpr float MAX_LLR = 8.0f;
    //! Priors count as at most so large.
    static constexpr float MAX_PRIOR_LLR = 20.0f;

    ~detector() override;

    //! Samples per symbol of the last training; 0 before it.
    int trained_sps() const;
    //! Decision delay of the last training, in symbols: what detect holds back.
    int delay() const;
    //! Symbols beyond symbol k that its decision may need, whatever training finds.
    int look_ahead() const { return do_look_ahead(); }
    //! Symbol periods before the first pilot that receive() makes use of where it gets them.
    int look_back() const { return do_look_back(); }

    /*!
     * \brief Trains on known symbols.
     * \param received num_inputs rows; may run past the pilots, look-ahead uses it
     * \param pilots num_outputs rows of P symbols: known ones and, with takes_unknown_pilots(), NaN
     *        for those between them that are not
     * \param sps samples per symbol, 1 to 64
     * \throws std::invalid_argument if the shapes do not fit or the pilots are not finite
     */
    training_report
    fit(const stream_matrix& received, const stream_matrix& pilots, int sps = 1);

    /*!
     * \brief Detects the symbols that follow; streaming, state goes on from call to call.
     *
     * Look-ahead is held back: fewer symbols than instants may come out, and none is padded.
     * \throws std::runtime_error before the first fit
     */
    stream_matrix detect(const stream_matrix& received, int sps = 1);

    /*!
     * \brief One whole frame: fit, then detect pilots and payload.
     * \param received num_inputs rows from the first pilot on
     * \param pilots as in fit
     * \param sps samples per symbol
     * \param payload_len D, symbols after the pilots; −1: all that was given. Samples after
     *        the frame serve as look-ahead only; where there are none, zeros do.
     * \param history num_inputs rows of the samples that came before the first pilot, if they are
     *        known; the last ones are used, whole symbol periods, at most look_back(). What was
     *        sent there is not known. Samples that are not there count as zeros
     * \return num_outputs rows of P + D symbols
     */
    stream_matrix receive(const stream_matrix& received,
                          const stream_matrix& pilots,
                          int sps = 1,
                          int payload_len = -1,
                          const stream_matrix& history = {});
    /*!
     * \brief The same with known symbols anywhere in the frame; what is received begins with the
     * pattern's first symbol.
     * \param payload_len symbols of the frame that are not known; −1: all that was given
     * \return num_outputs rows of known_symbols::length(payload_len) symbols
     */
    stream_matrix receive(const stream_matrix& received,
                          const known_symbols& known,
                          int sps = 1,
                          int payload_len = -1,
                          const stream_matrix& history = {});
    /*!
     * \brief From now on symbols' bits can be asked for: those of this constellation.
     *
     * Its raw or its unit-power scale is used, whichever fits the pilots; else unit power.
     * \param constellation null: that of a detector that has its own; one without has no soft output
     * then
     * \param pilots of a training before, if there was one
     * \throws std::invalid_argument if a detector that has its own is given another, or the
     *         constellation has not 2^n points with a label each
     */
    void set_soft_output(digital::constellation_sptr constellation,
                         const stream_matrix& pilots = {});
    //! 0 where there is no soft output.
    int soft_bits_per_symbol() const;
    /*!
     * \brief receive with log-likelihood ratios of the bits, log P(1)/P(0), in order and sign of
     * digital::constellation::calc_soft_dec, the most significant bit first.
     *
     * The ratios are extrinsic: what the frame says of a bit beyond its own prior. They are limited
     * to MAX_LLR, which is what bits of known symbols have; if such a symbol is no point, those of
     * the nearest. A linear detector takes its error for white Gaussian noise of the training's
     * leave-one-out variance. Of unknown symbols in a gap, 16 symbol periods or more without any signal,
     * they are 0.
     * \param prior_llrs empty, or for every symbol and bit of each stream; those of known symbols
     *        do not count, and NaN counts as 0
     * \throws std::invalid_argument as receive, and without set_soft_output
     */
    soft_symbols receive_softly(const stream_matrix& received,
                                const stream_matrix& pilots,
                                int sps = 1,
                                int payload_len = -1,
                                const stream_matrix& history = {},
                                const std::vector<std::vector<float>>& prior_llrs = {});
    soft_symbols receive_softly(const stream_matrix& received,
                                const known_symbols& known,
                                int sps = 1,
                                int payload_len = -1,
                                const stream_matrix& history = {},
                                const std::vector<std::vector<float>>& prior_llrs = {});
    //! Whether there may be unknown symbols between the known ones.
    virtual bool takes_unknown_pilots() const { return false; }

    /*!
     * \brief A detector of its own with the same parameters and what was trained, its state reset.
     * It belongs to no shell, is not cancelled, does not track and reports no progress.
     */
    sptr clone() const;

    /*!
     * \brief After the next fit, go on with training by decisions of this constellation.
     *
     * Its raw or its unit-power scale is used, whichever fits the pilots; else unit power.
     * A null pointer switches tracking off.
     */
    void set_tracking(digital::constellation_sptr constellation);

    /*!
     * \brief From the next training on, the channel is known instead of estimated: the command
     * "channel".
     * \param channel num_inputs rows, the impulse response at the sample rate, its first tap at
     *        the symbol's instant; scale and phase are fitted to the pilots. Empty: estimate it
     * \throws std::invalid_argument where the kind of detector has no use for it
     */
    void set_channel(const stream_matrix& channel);

    /*!
     * \brief From the next training on, mean powers of the channel's taps, one per symbol: the
     * command "power_delay_profile".
     * \throws std::invalid_argument where the detector has no use for them
     */
    void set_power_delay_profile(const std::vector<double>& powers);

    /*!
     * \brief Whether receive() passes over a frame again with the decisions of the pass before, where
     * that may pay.
     */
    virtual bool refits_frames() const { return false; }
    enum class effort {
        full,
        quick, //!< without these refits
        again //!< full, of the frame that was received quickly before: nothing is counted twice
    };
    //! Of the next frames.
    void set_effort(effort next);

    //! \throws std::invalid_argument naming the parameter if the symbols cannot be trained on
    void check_pilots(const char* name, const stream_matrix& pilots) const;

    //! \name For shells: row pointers instead of containers. Arguments as above.
    //! \{
    training_report fit(const gr_complex* const* received,
                        size_t num_samples,
                        const stream_matrix& pilots,
                        int sps);
    /*!
     * \brief Soft bits of symbols first, first + 1 ... of a frame, where they are known: as sure as can
     * be. The others stay.
     */
    void demap_known(const stream_matrix& pilots,
                     size_t first,
                     size_t count,
                     float* const* llrs) const;
    /*!
     * The rows have room for num_samples / sps + 1 symbols each. Returns how many came. Soft bits
     * of known symbols are those of any other.
     */
    size_t detect(const gr_complex* const* received,
                  size_t num_samples,
                  int sps,
                  const symbol_rows& rows);
    /*!
     * The rows have room for P + payload_len symbols each. The samples begin with those of
     * num_history symbol periods before the first pilot.
     */
    void receive(const gr_complex* const* received,
                 size_t num_samples,
                 const stream_matrix& pilots,
                 int sps,
                 int payload_len,
                 const symbol_rows& rows,
                 size_t num_history = 0);
    //! \}

protected:
    detector(int num_inputs, int num_outputs);

    virtual int do_look_ahead() const = 0; // constant
    /*!
     * Constant. Where it is not 0, do_fit and do_reset heed history().
     */
    virtual int do_look_back() const { return 0; }
    virtual training_report do_fit(const gr_complex* const* received,
                                   size_t num_samples,
                                   const stream_matrix& pilots,
                                   int sps) = 0;
    virtual size_t do_detect(const gr_complex* const* received,
                             size_t num_samples,
                             gr_complex* const* symbols) = 0;
    effort present_effort() const { return d_effort; }
    /*!
     * \brief Symbol periods whose samples may be read before the first one given to do_fit and
     * do_receive: received[a][−history()·sps …]. 0 but in a receive() that was given some.
     *
     * After such a do_fit, do_detect begins with the first of these periods, and what it finds for
     * them does not come out.
     */
    int history() const { return d_history; }
    //! The frame in one piece. The default fits and detects; report.delay symbols are held back.
    virtual void do_receive(const gr_complex* const* received,
                            size_t num_samples,
                            const stream_matrix& pilots,
                            int sps,
                            size_t num_symbols,
                            gr_complex* const* symbols);
    /*!
     * \brief The detector's own constellation, whose bits the soft output is of; by default none.
     */
    virtual const constellation_points* do_constellation() const { return nullptr; }
    //! Whether do_soft_output will be called after the do_receive or do_detect that goes on.
    bool soft_output_wanted() const { return d_soft_wanted; }
    /*!
     * \brief Ratios for the count symbols that do_receive or do_detect has just given, priors excluded.
     * The default takes them for symbols in white noise. Those of known symbols are set afterwards.
     */
    virtual void
    do_soft_output(soft_demapper& demapper, size_t count, const symbol_rows& rows);
    //! Of the training's unbiased output.
    double noise_variance(int output) const;
    //! The default refuses.
    virtual void do_set_tracking(digital::constellation_sptr constellation);

private:
    void check_training(size_t num_samples, const stream_matrix& pilots, int sps) const;
    void check_samples(const char* name, const stream_matrix& received) const;
    void timed_fit(const gr_complex* const* received,
                   size_t num_samples,
                   const stream_matrix& pilots,
                   int sps);
    void fill_noise_variance(size_t count, const symbol_rows& rows) const;
    void check_soft_output() const;
    void set_known(const stream_matrix& pilots,
                   size_t first,
                   size_t count,
                   float* const* llrs) const;
    void doubt_gaps(const std::vector<bool>& in_gap,
                    const stream_matrix& pilots,
                    const symbol_rows& rows);
    stream_matrix receive_rows(const stream_matrix& received,
                               const stream_matrix& pilots,
                               int sps,
                               int payload_len,
                               const stream_matrix& history,
                               std::vector<std::vector<float>>* llrs,
                               const std::vector<std::vector<float>>& prior_llrs);

    int d_history = 0;
    effort d_effort = effort::full;
    std::unique_ptr<soft_demapper> d_demapper; // null: no soft output
    bool d_soft_wanted = false;
};

/*!
 * \brief Reads a detector that save() wrote: trained, its state reset.
 * \throws std::runtime_error naming the file if it is not there, damaged or of another version
 */
RESERVOIR_API trainable::sptr load(const std::string& path);

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_H */
