/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_LIKELY_SEQUENCE_H
#define INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_LIKELY_SEQUENCE_H

#include "detector/configured/network.h"

namespace gr {
namespace reservoir {

//! What a search through all sequences of symbols works with.
struct sequence_model {
    kernel::channel_window window;
    Eigen::MatrixXcd taps;   // length x streams
    Eigen::VectorXcd points; // after the warp
    double noise_variance;   // of one stream
};

/*!
 * \brief The most likely symbols of a range, given those before it.
 *
 * Samples after the range tell of its last symbols too: there the unknown symbols count as noise.
 * \param sent symbols after the warp; only those before the range are read
 * \return a point for each symbol of the range
 */
std::vector<int> likely_sequence(const sequence_model& model,
                                 const kernel::sample_streams& streams,
                                 const Eigen::VectorXcd& sent,
                                 kernel::row_range range);

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_LIKELY_SEQUENCE_H */
