/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_TRAINING_SAMPLES_H
#define INCLUDED_RESERVOIR_DETECTOR_TRAINING_SAMPLES_H

#include <gnuradio/reservoir/kernel/channel_estimate.h>
#include <gnuradio/reservoir/kernel/tapped_delay_window.h>
#include <gnuradio/reservoir/training_report.h>
#include <Eigen/Core>
#include <functional>
#include <vector>

namespace gr {
namespace reservoir {

//! What scales count samples of every input to unit power together; silence stays as it is.
double unit_power_gain(const gr_complex* const* received, int num_inputs, size_t count);

//! One stream per antenna and sampling phase, one sample per symbol; what is not finite counts as zero.
kernel::sample_streams phase_streams(const gr_complex* const* received,
                                     size_t num_samples,
                                     int num_inputs,
                                     int sps,
                                     double gain);

/*!
 * Which of so many symbols are in a gap: 16 symbol periods or more in a row in which nothing was received, as
 * where a driver fills in zeros for samples that it lost. What is not finite is nothing.
 */
std::vector<bool> symbols_in_gaps(const gr_complex* const* received,
                                  int num_inputs,
                                  size_t num_samples,
                                  int sps,
                                  size_t num_symbols);

//! Of filters with a row per antenna and sampling phase: rows of each antenna times its factor.
void multiply_rows(stream_matrix& filter,
                   const std::vector<std::complex<double>>& factors,
                   int phases);

//! Transposed: one column per row.
Eigen::MatrixXcd to_columns(const stream_matrix& rows);

//! Which of the symbols are known, ascending.
std::vector<Eigen::Index> known_positions(const stream_matrix& pilots);

//! One row per row.
stream_matrix to_rows(const Eigen::MatrixXcf& matrix);
Eigen::MatrixXcf to_matrix(const stream_matrix& rows);

//! a in estimate = a x + error, one per column; 1 where nothing was found, so that nothing is blown up.
Eigen::VectorXcd output_gain(const Eigen::MatrixXcd& estimates,
                             const Eigen::MatrixXcd& pilots);

/*!
 * Fills in mse, and noise_variance and evm_db of the output with the gain taken out, from
 * weighted estimates and targets, one column per output; `total` is the sum of the weights.
 */
void describe_errors(const Eigen::MatrixXcd& estimates,
                     const Eigen::MatrixXcd& targets,
                     const Eigen::VectorXcd& gain,
                     double total,
                     training_report& report);

/*!
 * Puts the first `rows` symbols through the window; what is missing beyond the last sample counts
 * as zero. visit(n, row) is called while symbol `row` is the block's symbol n.
 */
void read_symbols(kernel::tapped_delay_window& window,
                  const gr_complex* const* received,
                  size_t num_samples,
                  size_t rows,
                  const std::function<void(size_t, size_t)>& visit);

//! \name Columns of taps as a user sees them, and as the window hands them over: by branches, oldest first.
//! \{
Eigen::MatrixXcf to_window_order(const Eigen::MatrixXcf& weights,
                                 const kernel::tapped_delay_window& window);
Eigen::MatrixXcf from_window_order(const Eigen::MatrixXcf& weights,
                                   const kernel::tapped_delay_window& window);
//! \}

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_TRAINING_SAMPLES_H */
