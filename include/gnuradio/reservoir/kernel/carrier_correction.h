/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_CARRIER_CORRECTION_H
#define INCLUDED_RESERVOIR_KERNEL_CARRIER_CORRECTION_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/kernel/carrier_channel.h>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief What equalized carriers still lack: x = z + B_k z, with a matrix B_k of streams x streams for
 * each carrier k.
 *
 * An equalizer of the samples knows nothing of carriers. By the known ones a ridge regression finds what
 * mixes the streams there, from the neighbours as well: a carrier at a distance of d counts
 * exp(-d^2 / 2 sigma^2). Sigma and the ridge are those with the least error when each OFDM symbol is
 * left out once. As in the time-frequency networks of Zhou et al. (2020) the second stage works on
 * carriers; this one is solved, not trained by descent.
 */
struct carrier_correction {
    std::vector<mimo_matrix> matrices; //!< B_k; empty: nothing is gained by one
    double width = 0.0,
           ridge = 0.0; //!< sigma and the ridge that were best; 0: none was tried
    RESERVOIR_API void apply(carrier_streams& symbols) const;
};

/*!
 * \param equalized of every stream, what an equalizer made of all carriers
 * \param known likewise
 * \param usable where all streams are known; a correction needs two OFDM symbols that have some
 */
RESERVOIR_API carrier_correction fit_carrier_correction(const carrier_streams& equalized,
                                                        const carrier_streams& known,
                                                        const carrier_mask& usable);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_CARRIER_CORRECTION_H */
