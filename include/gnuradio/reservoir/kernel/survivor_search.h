/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_SURVIVOR_SEARCH_H
#define INCLUDED_RESERVOIR_KERNEL_SURVIVOR_SEARCH_H

#include <gnuradio/reservoir/api.h>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

//! What a survivor search needs to know of a readout.
struct survivor_model {
    std::vector<std::complex<float>> feedback;  //!< weights of x[n-1], x[n-2], ...
    std::vector<std::complex<float>> centroids; //!< where the output lies for each point
    std::vector<std::complex<float>> points;    //!< what each point feeds back
    int survivors = 1;                          //!< hypotheses that are kept, 1 to 256
    float alpha = 0.0f;                         //!< gain of the phase loop, 0: none
    float beta = 0.0f;                          //!< gain of its frequency branch
    float power = 1.0f;                         //!< mean square of the feedforward output
};

/*!
 * \brief Decision feedback over several hypotheses: the M-algorithm (Anderson and Mohan, 1984),
 * with a phase loop inside each survivor (Raheli, Polydoros and Tzou, 1995).
 *
 * A survivor with past decisions x, phase theta and frequency nu continues with every point m at
 * the cost |y - c_m|^2, y = exp(-i theta) f + sum_j b_j x[n-j], f the feedforward output; the
 * cheapest stay. Its loop then follows
 *
 *     e = Im(exp(-i theta) f conj(c_m - sum_j b_j x[n-j])) / power, clipped to +-0.5,
 *     nu += beta e,   theta += alpha e + nu.
 *
 * No allocation after construction.
 */
class RESERVOIR_API survivor_search
{
public:
    explicit survivor_search(const survivor_model& model);

    int survivors() const { return d_model.survivors; }

    //! One survivor with these past decisions (feedback.size() values, newest first).
    void start(const std::complex<float>* past, float theta = 0.0f, float nu = 0.0f);

    /*!
     * \brief One symbol.
     * \param feedforward f
     * \param parents room for survivors() values: which survivor each one continues
     * \param symbols the point it continued with
     * \param phases its theta after this symbol; may be null
     * \return survivors there are now, the first of the cheapest first
     */
    int step(std::complex<float> feedforward,
             uint8_t* parents,
             uint16_t* symbols,
             float* phases);

    //! The cheapest survivor.
    int best() const { return 0; }
    float theta(int survivor) const { return d_now.theta[survivor]; }
    float nu(int survivor) const { return d_now.nu[survivor]; }

private:
    // one value a survivor, padded
    struct hypotheses {
        std::vector<float> theta, nu;
        std::vector<float> turn_re, turn_im;       // exp(-i theta)
        std::vector<float> rotated_re, rotated_im; // feedforward output, turned
        std::vector<float> sum_re, sum_im;         // feedback
    };

    void predict(std::complex<float> feedforward);
    void select(size_t kept);
    size_t find_few();
    void rank_keys(size_t count);
    void take_over(size_t kept, float least);
    void follow_phase(size_t kept);
    void remember(size_t kept);

    survivor_model d_model;
    size_t d_stride; // survivors, padded
    int d_alive = 0;
    std::vector<float> d_past_re, d_past_im, d_next_re, d_next_im; // feedback x stride
    // over the best; infinite beyond alive
    std::vector<float> d_metric;
    hypotheses d_now, d_before;
    std::vector<float> d_wanted_re, d_wanted_im; // centroids of the newest points
    std::vector<uint8_t> d_parents;
    std::vector<uint16_t> d_points;
    // candidates: number point * stride + survivor
    std::vector<float> d_costs;
    std::vector<uint32_t> d_order;
    // of many candidates those that may be among the cheapest
    std::vector<uint32_t> d_few;
    std::vector<int32_t> d_keys, d_ranks;
    std::vector<int64_t> d_sorted; // cost above, number below: sorts by cost
};

//! What decide_frame finds.
struct survivor_decisions {
    std::vector<int> symbols;
    std::vector<float> phases; //!< theta along the survivor that won
    float theta, nu;           //!< at its end
};

//! Searches a whole block and traces the cheapest survivor back.
RESERVOIR_API survivor_decisions decide_frame(survivor_search& search,
                                              const std::complex<float>* feedforward,
                                              size_t count);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_SURVIVOR_SEARCH_H */
