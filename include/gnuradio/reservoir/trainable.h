/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_TRAINABLE_H
#define INCLUDED_RESERVOIR_TRAINABLE_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/training_report.h>
#include <pmt/pmt.h>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief What has parameters, is trained, reported, saved and copied.
 *
 * \details
 * Not responsible for what it is trained on, nor for what it does with a signal: that is said by
 * the class for symbols on a grid (gr::reservoir::detector). It belongs to one shell. All methods
 * may be called from any thread.
 *
 * A class that can be made has a struct of parameters and derives from gr::reservoir::described,
 * which brings kind(), saving, copying and comparing.
 */
class RESERVOIR_API trainable
{
public:
    typedef std::shared_ptr<trainable> sptr;

    virtual ~trainable();
    trainable(const trainable&) = delete;
    trainable& operator=(const trainable&) = delete;

    //! Name of the kind, as in Python: "fir", "esn", …
    virtual std::string kind() const = 0;
    int num_inputs() const { return d_num_inputs; }
    int num_outputs() const { return d_num_outputs; }
    bool trained() const;
    //! Samples so far that were not finite and were taken as zero.
    uint64_t bad_samples() const;
    //! The last training's report.
    training_report report() const;

    //! Clears the state, keeps what was trained.
    void reset();

    /*!
     * \brief Writes parameters and what was trained to a file, in place of one that is there only when
     * all is written.
     * \throws std::runtime_error if it cannot be written, or load would refuse it: what is trained on
     * samples of wild levels may lie beyond single precision
     */
    void save(const std::string& path) const;

    /*!
     * \brief Takes over what another was trained to be, with its report; state reset.
     * \param trained of the same kind and with the same parameters: a clone
     * \throws std::invalid_argument if it is of another kind, or untrained
     */
    void adopt(const trainable& trained);

    /*!
     * \brief While set, a fit that takes many epochs stops after the present one and keeps what it
     * has, and later ones stop after their first. Does not wait for a fit that is running.
     */
    void cancel(bool cancel = true) { d_cancel = cancel; }
    bool cancelled() const { return d_cancel; }

    /*!
     * \brief Called once per epoch, on the thread that fits; an empty function: nothing is called.
     *
     * The object is locked meanwhile: of its methods only cancel() may be called. An exception
     * ends the fit, which then has changed nothing.
     */
    void set_progress(std::function<void(const training_progress&)> progress);

    //! Whether a fit may take longer than a frame: background training is for these.
    virtual bool trains_in_epochs() const { return false; }

    /*!
     * \brief Carries out what a message asks of this kind, from the next training on.
     * \param name one of commands()
     * \param value as the kind documents it
     * \throws std::invalid_argument if the kind does not know the command or refuses the value
     */
    void command(const std::string& name, const pmt::pmt_t& value);
    //! Commands that this kind knows; none by default.
    virtual std::vector<std::string> commands() const { return {}; }

    /*!
     * \brief Takes over what save() wrote of one with the same parameters; gr::reservoir::load does.
     * \throws an exception of pmt, std::runtime_error or std::invalid_argument if it is damaged
     */
    void restore(const pmt::pmt_t& saved);

    //! \name For shells
    //! \{
    //! Changes with what is set from outside, which a clone made before knows not of.
    uint64_t settings() const { return d_settings; }
    /*!
     * \brief As adopt, of a clone that has received a frame: its bad samples count here as well.
     * \param clone that has received it
     * \param bad_samples what the clone had counted before that frame
     * \return the report, its bad samples those of this object so far
     */
    training_report adopt_frame(const trainable& clone, uint64_t bad_samples);
    //! Marks it as belonging to a shell. \throws std::invalid_argument if it did already
    void claim();
    //! \}

protected:
    trainable(int num_inputs, int num_outputs);

    //! One of its own with the same parameters, untrained.
    virtual sptr do_make_alike() const = 0;
    virtual pmt::pmt_t do_parameters() const = 0;
    //! The other is of the same kind.
    virtual bool do_has_parameters_of(const trainable& other) const = 0;

    virtual uint64_t do_bad_samples() const = 0;
    virtual void do_reset() = 0;
    //! What was trained and set, but for parameters and report. Called with or without training.
    virtual pmt::pmt_t do_save() const = 0;
    //! The other way round; d_report and d_sps are restored already. Ends with the state reset.
    virtual void do_restore(const pmt::pmt_t& saved) = 0;
    //! The other is locked, of the same kind and with the same parameters; d_report is that one's.
    virtual void do_adopt(const trainable& trained) = 0;
    //! The default knows none.
    virtual void do_command(const std::string& name, const pmt::pmt_t& value);
    //! For what else a fit depends on, see settings().
    void settings_changed() { d_settings++; }

    sptr do_clone() const;

    training_report d_report;
    int d_sps = 1; // samples per symbol of the last training
    std::function<void(const training_progress&)> d_progress;
    mutable std::mutex d_mutex; // held while the functions above run

private:
    void take_over(const trainable& trained);

    const int d_num_inputs;
    const int d_num_outputs;
    uint64_t d_bad_samples_elsewhere = 0; // in frames that clones received
    std::atomic<uint64_t> d_settings{ 0 };
    std::atomic_bool d_claimed{ false };
    std::atomic_bool d_cancel{ false };
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_TRAINABLE_H */
