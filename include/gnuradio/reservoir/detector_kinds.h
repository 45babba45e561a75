/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_KINDS_H
#define INCLUDED_RESERVOIR_DETECTOR_KINDS_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/detector_kind.h>
#include <vector>

/*!
 * The detectors there are, in the order in which they are shown. A class of this name is declared
 * in gnuradio/reservoir/NAME.h and bound to Python in python/reservoir/bindings/NAME_python.cc.
 */
#define RESERVOIR_DETECTORS(X) \
    X(fir)                     \
    X(esn)                     \
    X(configured_esn)          \
    X(rnn)

namespace gr {
namespace reservoir {

//! All of them.
RESERVOIR_API const std::vector<detector_kind>& detector_kinds();

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_KINDS_H */
