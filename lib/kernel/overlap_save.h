/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_OVERLAP_SAVE_H
#define INCLUDED_RESERVOIR_KERNEL_OVERLAP_SAVE_H

#include <gnuradio/reservoir/api.h>
#include <Eigen/Core>
#include <cstddef>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief Many filters of the same few signals, by Fourier transforms of overlapping blocks: the
 * overlap-save method (Stockham, 1966).
 *
 * With F filters of L taps, a block of B samples gives B - L + 1 outputs of every filter for
 * F (inputs + log B) B complex products. Filters lie beside each other in a vector, so that one pass
 * transforms several of them. In single precision.
 */
class RESERVOIR_API overlap_save
{
public:
    /*!
     * \param filters one per row, the taps of the first input, newest sample first, then those of the next
     * \param num_inputs of which filters.cols() is a multiple
     */
    overlap_save(const Eigen::MatrixXcf& filters, int num_inputs);

    /*!
     * y_k[n] = Σ_a Σ_l h_k[a·taps + l] x_a[n − l], n = 0 … count−1.
     * \param x_re, x_im the inputs; readable from n = 1 − taps on
     * \param y_re, y_im count rows of simd::padded(filters) values
     */
    void run(const float* const* x_re,
             const float* const* x_im,
             size_t count,
             float* y_re,
             float* y_im);

private:
    float* spectrum(Eigen::ArrayXf& of, size_t group, size_t input);

    const size_t d_num_inputs;
    const size_t d_taps;
    const size_t d_size; // of a block: a power of four
    const size_t d_groups;
    Eigen::ArrayXf d_cosine, d_sine; // of 2π k / size
    // by groups of filters or of blocks, by inputs, by carriers: a row
    Eigen::ArrayXf d_filters_re, d_filters_im;
    Eigen::ArrayXf d_blocks_re, d_blocks_im;
    Eigen::ArrayXf d_work_re, d_work_im;
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_OVERLAP_SAVE_H */
