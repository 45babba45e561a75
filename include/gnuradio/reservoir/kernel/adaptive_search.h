/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_ADAPTIVE_SEARCH_H
#define INCLUDED_RESERVOIR_KERNEL_ADAPTIVE_SEARCH_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/kernel/survivor_search.h>
#include <optional>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

//! What decide_adaptively finds.
struct adaptive_decisions : survivor_decisions {
    /*!
     * How sure each judged symbol is: the output's squared distance from the nearest other point
     * less that from its own, over the squared distance of the two nearest points. 1 is the
     * middle of a point, below 0 the decision is not the nearest point.
     */
    std::vector<float> margins;
    float margin;    //!< the least of them, infinite where there are none
    double searched; //!< share of the symbols that several survivors went through
};

typedef std::vector<std::optional<given_symbol>> given_symbols;

/*!
 * \brief decide_frame, but with one survivor wherever the choice is clear.
 *
 * One survivor goes on while the second best point costs more by threshold than the best. From a
 * symbol where it does not, the search keeps all survivors until the cheapest leads by threshold.
 *
 * \param past the last decisions, newest first, one per feedback weight
 * \param threshold squared distance; infinite: decide_frame
 * \param judged symbols of which the margin is taken: those after them only help to decide
 * \param theta phase at the first symbol, and nu its step
 * \param given one per symbol where some are known, without a value where one is not; empty: none is. For a
 *        known one the decision is -1 and the margin infinite
 */
RESERVOIR_API adaptive_decisions decide_adaptively(const survivor_model& model,
                                                   const std::complex<float>* past,
                                                   const std::complex<float>* feedforward,
                                                   size_t count,
                                                   float threshold,
                                                   size_t judged,
                                                   float theta = 0.0f,
                                                   float nu = 0.0f,
                                                   const given_symbols& given = {});

//! Squared distance of the two nearest points, infinite for one point.
RESERVOIR_API float least_distance(const std::vector<std::complex<float>>& points);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_ADAPTIVE_SEARCH_H */
