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
 * The detectors there are, in the order in which they are shown. Of each there is
 * - gnuradio/reservoir/NAME.h: a struct of parameters that describes itself
 *   (gr::reservoir::parameter) and a class that is gr::reservoir::described;
 * - lib/detector/NAME.cc: the class, and `detector_kind describe_NAME()`;
 * - python/reservoir/bindings/NAME_python.cc: `bind_NAME`, with described_class();
 * a line here and in the CMakeLists.txt of the latter two. All else that shows a detector is made
 * from its description, some of it by `make generate`. tests/python/toy_detector is the least
 * that one can be.
 */
#define RESERVOIR_DETECTORS(X) \
    X(fir)                     \
    X(esn)                     \
    X(configured_esn)          \
    X(rnn)

//! Those of OFDM frames (gr::reservoir::ofdm_detector), likewise, in lib/detector/ofdm/.
#define RESERVOIR_OFDM_DETECTORS(X) \
    X(ofdm_lmmse)                   \
    X(ofdm_configured)              \
    X(ofdm_esn)                     \
    X(rcnet)

namespace gr {
namespace reservoir {

//! All of them.
RESERVOIR_API const std::vector<detector_kind>& detector_kinds();
RESERVOIR_API const std::vector<detector_kind>& ofdm_detector_kinds();

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_KINDS_H */
