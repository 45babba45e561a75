/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_H
#define INCLUDED_RESERVOIR_DETECTOR_H

#include <gnuradio/digital/constellation.h>
#include <gnuradio/gr_complex.h>
#include <gnuradio/reservoir/api.h>
#include <pmt/pmt.h>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

//! One row an antenna or a stream, all of the same length.
typedef std::vector<std::vector<gr_complex>> stream_matrix;

/*!
 * \brief What a training found. NaN where a figure does not apply.
 */
struct RESERVOIR_API training_report {
    static constexpr double NONE = std::numeric_limits<double>::quiet_NaN();

    bool trained = false;
    //! leave-one-out mean |e|² on the pilots, before unbiasing
    double mse = NONE;
    //! leave-one-out error of the unbiased output over the pilots' rms
    double evm_db = NONE;
    double seconds = NONE; //!< wall-clock time of the training
    int delay = 0;         //!< decision delay in symbols
    //! λ, relative to the number of pilots and unit-power features
    double regularization = NONE;
    //! variance of the unbiased output around the symbol, pilot units
    double noise_variance = NONE;
    uint64_t bad_samples = 0; //!< samples so far that were not finite (taken as zero)
    //! impulse response at the sample rate, one row an input; empty if none
    stream_matrix channel;
    std::vector<gr_complex> poles; //!< recurrent poles; empty where there are none
    //! symbols that the channel begins early, as estimated
    int timing = 0;
    double carrier_offset = NONE;  //!< cycles a symbol, of what was derotated
    std::vector<gr_complex> warp;  //!< transmitter's gain of each amplitude ring
    std::vector<double> residuals; //!< forward-model residual of each pass, input scale
    int refits = 0;                //!< passes after the first until the one that was kept
    bool tracked = false;          //!< whether the channel was followed block by block
    //! Of the readout's normal equations; after descent one an epoch, see below.
    std::vector<double> condition_number;

    //! \name Of training by gradient descent: one entry an epoch, before its step.
    //! Losses are of symbols scaled to unit power; all are of the restart that was kept.
    //! \{
    std::vector<double> loss;          //!< mean |e|² over the pilots that are trained on
    std::vector<double> held_out_loss; //!< over those held out; NaN where there are none
    std::vector<double> gradient_norm; //!< Euclidean, before clipping
    //! of the recurrent weights, one row an epoch; NaN if not computed
    stream_matrix eigenvalues;
    // condition_number: of the Gauss–Newton matrix JᵀJ, over singular values of J above 1e-9 of
    // the largest; NaN where it was not computed, as are the next two
    std::vector<int> jacobian_rank;                 //!< number of these singular values
    std::vector<double> recurrent_condition_number; //!< of W
    std::vector<double> gram_condition_number;      //!< of the states' Gram matrix
    //! \}
    //! whose weights were kept; as many as epochs: after the last step
    int best_epoch = -1;
    int restart = 0;        //!< which restart was kept
    bool diverged = false;  //!< weights became non-finite: the last finite ones were kept
    bool cancelled = false; //!< the training was cut short by cancel()

    //! The same as a dictionary for messages, keys as above.
    pmt::pmt_t to_pmt() const;
};

/*!
 * \brief Where a long training is, once an epoch; as in the report. The condition number is NaN
 * and the eigenvalues are empty where they were not computed.
 */
struct RESERVOIR_API training_progress {
    int restart = 0;
    int epoch = 0;
    int epochs = 0; //!< planned
    double loss = training_report::NONE;
    double held_out_loss = training_report::NONE;
    double gradient_norm = training_report::NONE;
    double condition_number = training_report::NONE;
    std::vector<gr_complex> eigenvalues;

    //! The same as a dictionary for messages, keys as above.
    pmt::pmt_t to_pmt() const;
};

/*!
 * \brief Learns a receiver on known pilots and detects symbols with it; no flowgraph needed.
 *
 * \details
 * received[k·sps] is the sample at the instant of symbol k. Any decision delay is inside: output
 * k is symbol k, in the units of the pilots. fit() resets the state, as if only zeros had
 * come before the first pilot, and the next detect() starts at symbol 0.
 *
 * A detector is not responsible for finding frames, for tags, or for the alignment of streams:
 * that is the shell's work (gr::reservoir::equalizer). It belongs to one shell.
 *
 * Samples that are not finite count as zero. All methods may be called from any thread.
 */
class RESERVOIR_API detector
{
public:
    typedef std::shared_ptr<detector> sptr;

    //! At least this many symbols of look-ahead are read by receive().
    static constexpr int LOOK_AHEAD = 48;

    virtual ~detector();
    detector(const detector&) = delete;
    detector& operator=(const detector&) = delete;

    //! Name of the kind of detector, as in Python: "fir", "esn", …
    virtual std::string kind() const = 0;
    int num_inputs() const { return d_num_inputs; }
    int num_outputs() const { return d_num_outputs; }
    bool trained() const;
    //! Samples a symbol of the last training; 0 before it.
    int trained_sps() const;
    //! Decision delay of the last training, in symbols: what detect holds back.
    int delay() const;
    //! Samples so far that were not finite and were taken as zero.
    uint64_t bad_samples() const;
    //! Symbols beyond symbol k that its decision may need, whatever training finds.
    int look_ahead() const { return do_look_ahead(); }

    /*!
     * \brief Trains on known symbols.
     * \param received num_inputs rows; may run past the pilots, look-ahead uses it
     * \param pilots num_outputs rows of P known symbols
     * \param sps samples a symbol, at least 1
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
     * \param sps samples a symbol
     * \param payload_len D, symbols after the pilots; −1: all that was given. Samples after
     *        the frame serve as look-ahead only; where there are none, zeros do.
     * \return num_outputs rows of P + D symbols
     */
    stream_matrix receive(const stream_matrix& received,
                          const stream_matrix& pilots,
                          int sps = 1,
                          int payload_len = -1);

    //! Clears the state, keeps what was learnt: the next detect starts at symbol 0.
    void reset();

    //! The last training's report.
    training_report report() const;

    //! Writes parameters and what was learnt to a file. \throws std::runtime_error
    void save(const std::string& path) const;

    /*!
     * \brief While set, a fit that takes many epochs stops after the present one and keeps what it
     * has, and later ones stop after their first. Does not wait for a fit that is running.
     */
    void cancel(bool cancel = true) { d_cancel = cancel; }
    bool cancelled() const { return d_cancel; }

    /*!
     * \brief Called once an epoch, on the thread that fits; an empty function: nothing is called.
     *
     * The detector is locked meanwhile: of its methods only cancel() may be called. An exception
     * ends the fit, which then has changed nothing.
     */
    void set_progress(std::function<void(const training_progress&)> progress);

    //! Whether fit() may take longer than a frame: background training is for these.
    virtual bool trains_in_epochs() const { return false; }

    /*!
     * \brief A detector of its own with the same parameters and what was learnt, its state reset.
     * It belongs to no shell, is not cancelled, does not track and reports no progress.
     */
    sptr clone() const;

    /*!
     * \brief Takes over what another has learnt, with its report; state reset.
     * \param trained of the same kind and with the same parameters: a clone
     * \throws std::invalid_argument if it is of another kind, or has learnt nothing
     */
    void adopt(const detector& trained);

    /*!
     * \brief After the next fit, go on learning from decisions of this constellation.
     *
     * Its raw or its unit-power scale is used, whichever fits the pilots; else unit power.
     * A null pointer switches tracking off.
     */
    void set_tracking(digital::constellation_sptr constellation);

    /*!
     * \brief From the next training on, the channel is known instead of estimated.
     * \param channel num_inputs rows, the impulse response at the sample rate, its first tap at
     *        the symbol's instant; scale and phase are fitted to the pilots. Empty: estimate it
     * \throws std::invalid_argument where the kind of detector has no use for it
     */
    void set_channel(const stream_matrix& channel);

    /*!
     * \brief From the next training on, mean powers of the channel's taps, one a symbol.
     * \throws std::invalid_argument where the detector has no use for them
     */
    void set_power_delay_profile(const std::vector<double>& powers);

    //! \name For shells: row pointers instead of containers. Arguments as above.
    //! \{
    training_report fit(const gr_complex* const* received,
                        size_t num_samples,
                        const stream_matrix& pilots,
                        int sps);
    //! symbols has num_outputs rows with room for num_samples / sps + 1 each. Returns how many came.
    size_t detect(const gr_complex* const* received,
                  size_t num_samples,
                  int sps,
                  gr_complex* const* symbols);
    //! symbols has room for P + payload_len each.
    void receive(const gr_complex* const* received,
                 size_t num_samples,
                 const stream_matrix& pilots,
                 int sps,
                 int payload_len,
                 gr_complex* const* symbols);
    //! Changes with what is set from outside, which a clone made before knows not of.
    uint64_t settings() const { return d_settings; }
    /*!
     * \brief As adopt, of a clone that has received a frame: its bad samples count here as well.
     * \param bad_samples what the clone had counted before that frame
     * \return the report, its bad samples those of this detector so far
     */
    training_report adopt_frame(const detector& clone, uint64_t bad_samples);
    //! Marks the detector as belonging to a shell. \throws std::invalid_argument if it did already
    void claim();
    //! \}

protected:
    detector(int num_inputs, int num_outputs);

    virtual int do_look_ahead() const = 0; // constant
    virtual uint64_t do_bad_samples() const = 0;
    virtual training_report do_fit(const gr_complex* const* received,
                                   size_t num_samples,
                                   const stream_matrix& pilots,
                                   int sps) = 0;
    virtual size_t do_detect(const gr_complex* const* received,
                             size_t num_samples,
                             gr_complex* const* symbols) = 0;
    //! The frame in one piece. The default fits and detects; report.delay symbols are held back.
    virtual void do_receive(const gr_complex* const* received,
                            size_t num_samples,
                            const stream_matrix& pilots,
                            int sps,
                            size_t num_symbols,
                            gr_complex* const* symbols);
    virtual void do_reset() = 0;
    //! Parameters and weights, everything load() needs.
    virtual pmt::pmt_t do_save() const = 0;
    //! The default refuses.
    virtual void do_set_tracking(digital::constellation_sptr constellation);
    virtual void do_set_channel(const stream_matrix& channel);
    virtual void do_set_power_delay_profile(const std::vector<double>& powers);
    //! For what else a fit depends on, see settings().
    void settings_changed() { d_settings++; }
    virtual sptr do_clone() const = 0;
    //! The other is locked and of the same kind and shape; the report is copied by the caller.
    virtual void do_adopt(const detector& trained) = 0;

    training_report d_report;
    int d_sps = 1; // of the last training
    std::function<void(const training_progress&)> d_progress;
    mutable std::mutex d_mutex; // held while the functions above run

private:
    void check_training(size_t num_samples, const stream_matrix& pilots, int sps) const;
    void check_received(const stream_matrix& received) const;
    void timed_fit(const gr_complex* const* received,
                   size_t num_samples,
                   const stream_matrix& pilots,
                   int sps);

    void take_over(const detector& trained);

    const int d_num_inputs;
    const int d_num_outputs;
    uint64_t d_bad_samples_elsewhere = 0; // in frames that clones received
    std::atomic<uint64_t> d_settings{ 0 };
    std::atomic_bool d_claimed{ false };
    std::atomic_bool d_cancel{ false };
};

/*!
 * \brief Reads a detector that save() wrote: trained, its state reset.
 * \throws std::runtime_error naming the file if it is not there, damaged or of another version
 */
RESERVOIR_API detector::sptr load(const std::string& path);

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_H */
