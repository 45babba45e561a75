/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_SURVIVOR_LOOPS_H
#define INCLUDED_RESERVOIR_KERNEL_SURVIVOR_LOOPS_H

#include <gnuradio/reservoir/kernel/survivor_search.h>
#include <Eigen/Core>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {
namespace simd {

//! Survivors are padded to a multiple of this many, which is also the widest vector.
constexpr size_t SURVIVOR_PADDING = 8;

//! Candidates that are ranked, all against all; more are partially sorted.
constexpr size_t MAX_RANKED = 64;

/*!
 * The state of a survivor search. Arrays have one value per survivor, padded, and are aligned;
 * past and next have such a row for each feedback weight; candidate point · stride + survivor
 * is survivor's continuation with that point.
 */
struct survivors {
    typedef std::vector<float, Eigen::aligned_allocator<float>> floats;
    typedef std::vector<int32_t, Eigen::aligned_allocator<int32_t>> integers;

    explicit survivors(const survivor_model& search_model);

    //! What a survivor takes over from its parent; the last four only for the phase loop.
    enum row {
        THETA,
        NU,
        TURN_RE, //!< exp(−i theta)
        TURN_IM,
        ROTATED_RE, //!< feedforward output, turned
        ROTATED_IM,
        SUM_RE, //!< feedback
        SUM_IM,
        NUM_ROWS
    };

    survivor_model model;
    size_t stride; //!< survivors, padded
    size_t alive = 0;
    floats past_re, past_im, next_re, next_im;
    floats metric;               //!< over the cheapest one; infinite beyond alive
    floats now, before;          //!< NUM_ROWS rows
    floats wanted_re, wanted_im; //!< centroids of the newest points
    std::vector<uint8_t> parents;
    std::vector<uint16_t> points;
    floats costs;   //!< of candidates
    integers order; //!< candidates, the cheapest first
    integers few;   //!< of many candidates those that may be among the cheapest
    integers keys, ranks;
    std::vector<int64_t> sorted; //!< cost above, candidate below: sorts by cost
};

//! What every survivor may continue with.
struct continuations {
    const std::complex<float>* points;
    const std::complex<float>* centroids;
    size_t count;                        //!< at most as many as the model has points
    const std::complex<float>* feedback; //!< weights, as many as the model has
    const float* penalties;              //!< of the points; null: none
};

//! The cheapest kept of the first count candidates to order, the first of them in front; by
//! partial sorting.
void sort_candidates(survivors& s, size_t count, size_t kept);

/*!
 * One symbol with the feedforward output f. Instruction sets with a fused multiply-add give the
 * same bits among each other, and so do those without.
 */
void continue_survivors(survivors& s, std::complex<float> f, continuations choice);

} // namespace simd
} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_SURVIVOR_LOOPS_H */
