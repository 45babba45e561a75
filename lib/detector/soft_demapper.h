/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_SOFT_DEMAPPER_H
#define INCLUDED_RESERVOIR_DETECTOR_SOFT_DEMAPPER_H

#include "detector/decision_device.h"
#include <gnuradio/reservoir/kernel/soft_bits.h>
#include <gnuradio/reservoir/parameter.h>
#include <gnuradio/reservoir/training_report.h>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief Extrinsic log-likelihood ratios of symbols in the units of the pilots.
 *
 * Order and sign are kernel::soft_bits'. Not responsible for what the noise is.
 */
class soft_demapper
{
public:
    //! \throws std::invalid_argument if the labels are not those of 2^n points
    explicit soft_demapper(const constellation_points& constellation);

    int bits() const { return d_bits.bits(); }
    //! Raw or unit-power points, whichever the known ones of these lie on; unit power if neither.
    void fit_scale(const stream_matrix& pilots);

    /*!
     * \brief Of symbols in white Gaussian noise.
     * \param variance E|e|^2; what is not finite says that nothing is known
     * \param priors bits() for each symbol; null: none
     * \param llrs bits() for each symbol, priors excluded
     */
    void demap(const gr_complex* symbols,
               size_t count,
               double variance,
               const float* priors,
               float* llrs);
    //! Of posteriors as kernel::forward_backward has them: num_points() for each symbol.
    void demap_posteriors(const float* posteriors,
                          size_t count,
                          const float* priors,
                          float* llrs) const;
    //! Natural logarithms of the points' prior probabilities.
    std::vector<float> log_priors(const float* priors, size_t count) const;
    //! Of the nearest point, as sure as can be.
    void demap_known(gr_complex symbol, float* llrs) const;

private:
    decision_device d_decide;
    kernel::soft_bits d_bits;
    std::vector<float> d_likelihoods; // of a symbol
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_SOFT_DEMAPPER_H */
