/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_OFDM_TRANSFORM_H
#define INCLUDED_RESERVOIR_KERNEL_OFDM_TRANSFORM_H

#include <gnuradio/reservoir/api.h>
#include <Eigen/Core>
#include <memory>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

class fourier_transform;

/*!
 * \brief Samples of OFDM symbols with cyclic prefixes to carriers, and back.
 *
 * A symbol is its cyclic prefix and then fft_len samples. Carriers are in natural order (0 is DC) and
 * the transform is unitary: X = FFT(x) / sqrt(fft_len).
 */
class RESERVOIR_API ofdm_transform
{
public:
    /*!
     * \param fft_len 2 or more
     * \param cp_len prefixes of the symbols, one after another, then from the first again; at least
     * one of 0 to fft_len
     * \throws std::invalid_argument naming the parameter, its value and its range
     */
    ofdm_transform(int fft_len, const std::vector<int>& cp_len);
    ~ofdm_transform();

    Eigen::Index fft_len() const { return d_fft_len; }
    Eigen::Index cp_len(Eigen::Index symbol) const;
    //! The longest of them.
    Eigen::Index longest_cp() const;
    //! The first sample of the symbol's prefix; of symbol n the number of samples before it.
    Eigen::Index begin(Eigen::Index symbol) const;
    //! Whole symbols in so many samples.
    Eigen::Index num_symbols(Eigen::Index num_samples) const;

    //! A column for each of the first symbols, of which there must be all samples.
    Eigen::MatrixXcd carriers(const Eigen::VectorXcd& samples,
                              Eigen::Index num_symbols) const;
    //! The other way round, with the prefixes.
    Eigen::VectorXcd samples(const Eigen::MatrixXcd& carriers) const;

private:
    const Eigen::Index d_fft_len;
    const std::vector<int> d_cp_len;
    std::shared_ptr<const fourier_transform> d_fourier;
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_OFDM_TRANSFORM_H */
