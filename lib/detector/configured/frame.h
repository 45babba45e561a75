/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_FRAME_H
#define INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_FRAME_H

#include "detector/configured/soft_output.h"
#include "detector/level_steps.h"
#include <memory>
#include <optional>
#include <utility>

namespace gr {
namespace reservoir {

//! Where a frame's symbols lie: pilots, then the payload.
struct frame_layout {
    const frame_symbols& pilots;
    Eigen::Index num_pilots, payload_len;
    Eigen::Index end() const { return num_pilots + payload_len; }
};

//! A frame, received.
struct configured_frame {
    std::vector<int> decisions; // payload, indices of points; −1: known
    Eigen::VectorXcd soft;      // pilots and payload
    double soft_variance = 0.0;
    configured_readout readout; // of the last pass
    double carrier_offset = 0.0;
    int num_level_steps = 0;           // that were taken out
    std::vector<cdouble> last_factors; // what the last samples were multiplied by, then
    // where readout and carrier_offset are of samples behind a limiter's inverse: those of the samples
    std::optional<std::pair<configured_readout, double>> without_inverse;
    double pilot_residual = 0.0;   // noise variance that the pilots alone show
    double residual = 0.0;         // of the pass that was kept
    std::vector<double> residuals; // of every pass
    std::vector<double> condition_numbers;
    int kept_pass = 0;
    double expected_errors = 0.0; // in the payload, by the soft output
    bool linearised = false;
    bool tracked = false;
    int first_length = 1;
    double memory = 0.0;       // symbols, of the decisions around a tracked block
    double rows_per_fit = 0.0; // for the final prediction error
    std::shared_ptr<const soft_model> model; // where the settings ask for it

    //! Akaike's final prediction error.
    double prediction_error() const;
    void stretch_residuals(double factor);
};

/*!
 * What a less simple explanation of so many samples has to be better by: the residuals of two that
 * are as good, or as wrong, differ by about one over the root of the number of samples.
 */
double benefit_of_doubt(Eigen::Index num_samples);

//! A frame that was received without steps of the level, its residuals as of the samples themselves.
configured_frame without_steps(configured_frame frame, const level_steps& steps);

//! sum_l conj(h_l) e_l / ||h||² over taps and streams: what a matched filter makes of a residual.
cdouble matched(const Eigen::MatrixXcd& taps,
                const Eigen::Ref<const Eigen::MatrixXcd>& residual);

/*!
 * Errors in the payload that are to be expected, if all other decisions are right: of the decided
 * point and the nearest other one, the probability of the other by the matched filter's output.
 */
double expected_errors(const configured_network& network,
                       const configured_frame& frame,
                       Eigen::Index num_pilots);

//! Error variance of a matched filter's output; 1, a symbol's own power, where there is no channel.
double symbol_variance(double noise_variance, double channel_power);

//! Probability that a frame has no error in which so many are expected.
double confidence(double expected_errors);

/*!
 * Where slicing would not give the decision (only an exhaustive search ensures that), the decision
 * itself becomes the output.
 */
void keep_decisions(const configured_network& network,
                    configured_frame& frame,
                    Eigen::Index num_pilots);

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_FRAME_H */
