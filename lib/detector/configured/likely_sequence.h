/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_LIKELY_SEQUENCE_H
#define INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_LIKELY_SEQUENCE_H

#include "detector/configured/network.h"

namespace gr {
namespace reservoir {

//! All sequences of a block that is not sure are searched if their branches are so many at most.
constexpr size_t BLOCK_BRANCHES = 256;

//! What a search through all sequences of symbols works with.
struct sequence_model {
    kernel::channel_window window;
    Eigen::MatrixXcd taps;   // length x streams
    Eigen::VectorXcd points; // after the warp
    double noise_variance;   // of one stream
};

/*!
 * \brief The most likely symbols of a range, given those before it.
 * \param sent symbols after the warp; only those before the range are read
 * \param past points of the last symbols before the range, newest first; empty where some of them
 * are no points
 * \param last_of_all whether other signals may follow: the samples after the range tell of its last
 * symbols too, and what follows counts as noise there. Otherwise the last symbols are to be
 * decided again.
 * \param num_silent symbols after the range that gave the streams nothing
 * \return a point for each symbol of the range
 */
std::vector<int> likely_sequence(const sequence_model& model,
                                 const sample_streams& streams,
                                 const Eigen::VectorXcd& sent,
                                 const std::vector<int>& past,
                                 row_range range,
                                 bool last_of_all,
                                 Eigen::Index num_silent = 0);

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_CONFIGURED_LIKELY_SEQUENCE_H */
