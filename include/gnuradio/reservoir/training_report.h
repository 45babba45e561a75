/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_TRAINING_REPORT_H
#define INCLUDED_RESERVOIR_TRAINING_REPORT_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/reservoir/api.h>
#include <pmt/pmt.h>
#include <cstdint>
#include <limits>
#include <vector>

namespace gr {
namespace reservoir {

//! One row per antenna or stream, all of the same length.
typedef std::vector<std::vector<gr_complex>> stream_matrix;

//! What a figure of a report means.
struct report_field {
    const char* name;
    const char* text;
    //! Of training by gradient descent only: one entry per epoch, before its step.
    bool of_descent = false;
};

/*!
 * \brief What a training found. NaN where a figure does not apply.
 *
 * \details
 * visit() is the one list of the figures and their meaning: messages, Python, saved files and
 * documentation are made from it.
 */
struct RESERVOIR_API training_report {
    static constexpr double NONE = std::numeric_limits<double>::quiet_NaN();

    bool trained = false;
    double mse = NONE;
    double evm_db = NONE;
    double seconds = NONE;
    int delay = 0;
    double regularization = NONE;
    double noise_variance = NONE;
    std::vector<double>
        noise_variances; // of each stream; of a training here only, not saved
    uint64_t bad_samples = 0;
    stream_matrix channel;
    std::vector<gr_complex> poles;
    int timing = 0;
    double carrier_offset = NONE;
    std::vector<gr_complex> warp;
    std::vector<double> residuals;
    int refits = 0;
    bool tracked = false;
    int level_steps = 0;
    double confidence = NONE;
    std::vector<double> condition_number;
    std::vector<double> loss;
    std::vector<double> held_out_loss;
    std::vector<double> gradient_norm;
    stream_matrix eigenvalues;
    std::vector<int> jacobian_rank;
    std::vector<double> recurrent_condition_number;
    std::vector<double> gram_condition_number;
    int best_epoch = -1;
    int restart = 0;
    bool diverged = false;
    bool cancelled = false;

    template <class Self, class Visit>
    static void visit(Self& self, Visit&& visit)
    {
        constexpr bool DESCENT = true;
        visit(self.mse,
              report_field{ "mse",
                            "leave-one-out mean |e|² on the pilots, before unbiasing" });
        visit(self.evm_db,
              report_field{ "evm_db",
                            "leave-one-out error of the unbiased output over the "
                            "pilots' rms, in dB" });
        visit(self.seconds, report_field{ "seconds", "wall-clock time of the training" });
        visit(self.delay,
              report_field{
                  "delay",
                  "decision delay in symbols: what a stream's symbols are held back" });
        visit(self.regularization,
              report_field{ "regularization",
                            "λ, relative to the number of pilots and unit-power "
                            "features" });
        visit(self.noise_variance,
              report_field{ "noise_variance",
                            "variance of the unbiased output around the symbol, in "
                            "pilot units" });
        visit(self.bad_samples,
              report_field{ "bad_samples",
                            "samples so far that were not finite and were taken as "
                            "zero" });
        visit(self.channel,
              report_field{ "channel",
                            "impulse response at the sample rate, one row per input, of "
                            "several streams those of the first stream first; empty if "
                            "it was not estimated" });
        visit(self.poles,
              report_field{ "poles", "recurrent poles; empty where there are none" });
        visit(self.timing,
              report_field{ "timing",
                            "symbols that the channel begins early, as estimated" });
        visit(
            self.carrier_offset,
            report_field{ "carrier_offset", "cycles per symbol, of what was derotated" });
        visit(self.warp,
              report_field{ "warp", "transmitter's gain of each amplitude ring" });
        visit(self.residuals,
              report_field{ "residuals",
                            "forward-model residual of each pass over a frame, input "
                            "scale" });
        visit(self.refits,
              report_field{ "refits",
                            "passes after the first until the one that was kept" });
        visit(
            self.tracked,
            report_field{ "tracked", "whether the channel was followed block by block" });
        visit(self.level_steps,
              report_field{ "level_steps",
                            "how often the power jumped within the frame, as where the "
                            "receiver's gain did, and that was taken out" });
        visit(self.confidence,
              report_field{ "confidence",
                            "estimated probability that a frame was received without "
                            "a symbol error; NaN where nothing was decided" });
        visit(self.condition_number,
              report_field{ "condition_number",
                            "of the readout's normal equations; of rnn one per epoch: "
                            "of the Gauss–Newton matrix, over singular values of the "
                            "Jacobian above 1e-9 of the largest, NaN where it was not "
                            "computed" });
        visit(self.loss,
              report_field{ "loss",
                            "mean |e|² over the pilots that are trained on, of symbols "
                            "scaled to unit power",
                            DESCENT });
        visit(self.held_out_loss,
              report_field{ "held_out_loss",
                            "the same over those held out; NaN where there are none",
                            DESCENT });
        visit(self.gradient_norm,
              report_field{ "gradient_norm", "Euclidean, before clipping", DESCENT });
        visit(self.eigenvalues,
              report_field{ "eigenvalues",
                            "of the recurrent weights, one row per epoch; NaN where "
                            "not computed",
                            DESCENT });
        visit(self.jacobian_rank,
              report_field{
                  "jacobian_rank", "number of the singular values that count", DESCENT });
        visit(self.recurrent_condition_number,
              report_field{
                  "recurrent_condition_number", "of the recurrent weights", DESCENT });
        visit(self.gram_condition_number,
              report_field{
                  "gram_condition_number", "of the states' Gram matrix", DESCENT });
        visit(self.best_epoch,
              report_field{ "best_epoch",
                            "whose weights were kept; the number of epochs: after the "
                            "last step",
                            DESCENT });
        visit(self.restart, report_field{ "restart", "which restart was kept", DESCENT });
        visit(self.diverged,
              report_field{ "diverged",
                            "weights became non-finite, the last finite ones were kept",
                            DESCENT });
        visit(self.cancelled,
              report_field{
                  "cancelled", "the training was cut short by cancel()", DESCENT });
    }

    //! A dictionary for messages, keys as above; figures of descent only where there was one.
    pmt::pmt_t to_pmt() const;
    //! The other way round, as far as the dictionary goes. \throws an exception of pmt
    static training_report from_pmt(const pmt::pmt_t& dict);
};

/*!
 * \brief Where a long training is, once per epoch; as in the report.
 */
struct RESERVOIR_API training_progress {
    int restart = 0;
    int epoch = 0;
    int epochs = 0;
    double loss = training_report::NONE;
    double held_out_loss = training_report::NONE;
    double gradient_norm = training_report::NONE;
    double condition_number = training_report::NONE;
    std::vector<gr_complex> eigenvalues;

    template <class Self, class Visit>
    static void visit(Self& self, Visit&& visit)
    {
        visit(self.restart, report_field{ "restart", "which restart is trained" });
        visit(self.epoch, report_field{ "epoch", "from 0 on" });
        visit(self.epochs, report_field{ "epochs", "planned" });
        visit(self.loss, report_field{ "loss", "as in the report" });
        visit(self.held_out_loss, report_field{ "held_out_loss", "as in the report" });
        visit(self.gradient_norm, report_field{ "gradient_norm", "as in the report" });
        visit(self.condition_number,
              report_field{ "condition_number", "NaN where it was not computed" });
        visit(self.eigenvalues,
              report_field{ "eigenvalues", "empty where they were not computed" });
    }

    //! A dictionary for messages, keys as above.
    pmt::pmt_t to_pmt() const;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_TRAINING_REPORT_H */
