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
#include <memory>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

namespace simd {
struct survivors;
struct continuations;
} // namespace simd

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

//! What one symbol is decided with where that changes from symbol to symbol.
struct survivor_weights {
    const std::complex<float>* feedback;  //!< as many as the model has
    const std::complex<float>* centroids; //!< one per point
    const float* penalties; //!< what each point costs beyond its distance, at least 0
};

//! A symbol that is known: what it feeds back, and where the output lies for it.
struct given_symbol {
    std::complex<float> point, centroid;
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
    //! \throws std::invalid_argument survivors not in 1 to 256; as many points as centroids, 1 to 65536
    explicit survivor_search(const survivor_model& model);
    ~survivor_search();

    int survivors() const;

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
    //! With weights of this symbol's own instead of the model's.
    int step(std::complex<float> feedforward,
             const survivor_weights& weights,
             uint8_t* parents,
             uint16_t* symbols,
             float* phases);
    //! A symbol that is known: every survivor continues with it, at its cost.
    int step(std::complex<float> feedforward,
             const given_symbol& given,
             uint8_t* parents,
             uint16_t* symbols,
             float* phases);

    //! The cheapest survivor.
    int best() const { return 0; }
    /*!
     * \brief What the next one costs more than the cheapest, infinite where there is none.
     *
     * One that remembers the same symbols does not count: from there on both go the same way, and
     * the cheapest stays so.
     */
    float lead() const;
    float theta(int survivor) const;
    float nu(int survivor) const;

private:
    int go_on(const simd::continuations& choice,
              std::complex<float> feedforward,
              uint8_t* parents,
              uint16_t* symbols,
              float* phases);

    std::unique_ptr<simd::survivors> d_survivors;
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
