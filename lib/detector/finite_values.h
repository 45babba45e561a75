/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_FINITE_VALUES_H
#define INCLUDED_RESERVOIR_DETECTOR_FINITE_VALUES_H

#include <gnuradio/gr_complex.h>
#include <algorithm>
#include <cmath>
#include <cstddef>

namespace gr {
namespace reservoir {

inline bool has_finite_parts(gr_complex value)
{
    return std::isfinite(value.real()) && std::isfinite(value.imag());
}

//! Nothing was received: a driver filled in a zero, or the sample is not finite.
inline bool is_nothing(gr_complex sample)
{
    return sample == gr_complex(0.0F) || !has_finite_parts(sample);
}

/*!
 * \brief Zeros for what is not finite.
 *
 * Weights of a training on next to nothing, or a sample that is huge beside the training's, may end
 * beyond single precision: such a symbol says nothing.
 */
inline void erase_infinite(gr_complex* values, size_t count)
{
    std::replace_if(
        values,
        values + count,
        [](gr_complex value) { return !has_finite_parts(value); },
        gr_complex(0.0F));
}

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_FINITE_VALUES_H */
