/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_EXPECTATION_MAXIMIZATION_H
#define INCLUDED_RESERVOIR_KERNEL_EXPECTATION_MAXIMIZATION_H

#include <gnuradio/reservoir/kernel/timing_and_length.h>
#include <optional>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

//! A burst, received.
struct partly_known_burst {
    const sample_streams& received; //!< at least as long as the symbols
    Eigen::VectorXcd symbols;  //!< what they are where they are not known says nothing
    std::vector<char> known;   //!< whether a symbol is; one per symbol
    Eigen::VectorXcd points;   //!< that the others may have, of unit mean power
    bool real_streams = false; //!< streams, points and known symbols are real
};

//! What expect_and_maximize finds of it.
struct expected_burst {
    channel_window window;
    Eigen::MatrixXcd taps; //!< length x streams
    double noise_variance; //!< of one stream
    //! index of each symbol's likeliest point, -1 where it is known
    std::vector<int> likeliest;
};

/*!
 * \brief Channel and symbols of a burst whose channel stands still, in turn: the EM algorithm
 * (Kaleh and Vallet, 1994).
 *
 * The known symbols, from the second step on all symbols' means and variances, give the channel by
 * least squares; the channel gives the symbols' probabilities by the forward-backward algorithm. A
 * symbol that is not sure counts less, where a wrong decision would confirm the channel that it came
 * from.
 *
 * The channel has a fixed length L and is searched for where symbols are late by -(L-1)/2 to L-1. If it is
 * shorter, the other taps are drawn to zero, by as much as the noise's variance is of their power
 * (automatic relevance determination: MacKay, 1994). What may be sent around the burst is noise.
 *
 * Not responsible for a channel that moves. A step costs M^L branches per symbol for M points.
 *
 * \param length L; 3 L symbols in a row should be known
 * \param steps at least 1; fewer are made where all symbols are sure
 * \param window where the channel is, if that is known
 */
RESERVOIR_API expected_burst
expect_and_maximize(const partly_known_burst& burst,
                    Eigen::Index length,
                    int steps,
                    std::optional<channel_window> window = std::nullopt);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_EXPECTATION_MAXIMIZATION_H */
