/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_OFDM_SAMPLE_EQUALIZER_H
#define INCLUDED_RESERVOIR_DETECTOR_OFDM_SAMPLE_EQUALIZER_H

#include "detector/ofdm/ofdm_frame.h"

namespace gr {
namespace reservoir {

/*!
 * A linear filter of the samples of all antennas, trained on the symbols that are known as a whole.
 * \param samples of the frame
 * \param whole symbols at the beginning, at least one
 * \return known carriers as they are known, the others unbiased
 */
kernel::carrier_streams equalize_samples(const ofdm_frame& frame,
                                         const kernel::sample_streams& samples,
                                         Eigen::Index whole);

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_OFDM_SAMPLE_EQUALIZER_H */
