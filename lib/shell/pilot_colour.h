/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_PILOT_COLOUR_H
#define INCLUDED_RESERVOIR_PILOT_COLOUR_H

#include <gnuradio/reservoir/detector.h>

namespace gr {
namespace reservoir {

/*!
 * \brief What the colour of known symbols costs: how many times the error variance of a
 * least-squares estimate of an 8-tap channel is that with white symbols of the same power.
 *
 * With R the Toeplitz matrix of the symbols' autocorrelation, lags 0 to 7, that is
 * tr(R⁻¹) tr(R) / 8². 1 for white symbols. Of several rows the worst counts.
 * \param pilots rows of at least one symbol; one without power gives infinity
 */
RESERVOIR_API double noise_enhancement(const stream_matrix& pilots);

/*!
 * \brief Whether that is more than chance makes of random symbols.
 *
 * Of 16 random QPSK symbols or more, none are; bits that are repeated three times are from 48
 * symbols on. Of fewer than 16 nothing is said: any are coloured.
 */
RESERVOIR_API bool is_coloured(const stream_matrix& pilots);

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_PILOT_COLOUR_H */
