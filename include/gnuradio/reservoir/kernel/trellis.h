/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_TRELLIS_H
#define INCLUDED_RESERVOIR_KERNEL_TRELLIS_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/reservoir/api.h>
#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief The Viterbi algorithm over the states of a channel (Forney, 1972), row by row.
 *
 * Finds the symbols x of least sum of w[n] |r_q[n] - sum_l h_q[l] x[n-l]|^2 over rows n and
 * streams q. M points and L taps have M^(L-1) states; a row costs M^L additions and comparisons.
 * The channel may be another in every row. Not responsible for what the symbols mean.
 */
class RESERVOIR_API trellis
{
public:
    //! Branches M^L that a trellis may have.
    static constexpr size_t MAX_BRANCHES = size_t(1) << 20;
    static bool fits(size_t num_points, Eigen::Index length, size_t max_branches);

    //! \throws std::invalid_argument points not 2 to 256, length < 1, more branches than allowed
    trellis(const Eigen::VectorXcf& points, Eigen::Index length);

    //! Only paths from these symbols, before the first row: points, newest first, length - 1.
    void start(const std::vector<int>& past);
    //! So many rows will need no allocation.
    void reserve(size_t num_rows);
    /*!
     * \brief The channel of the rows to come.
     * \param taps length x streams
     * \param first_free age of the newest symbol that is not known, 0: the row's own
     * \param num_free symbols that are not known, from that age on; the others' part must be
     * taken from the samples
     */
    void set_channel(const Eigen::MatrixXcf& taps,
                     Eigen::Index first_free,
                     Eigen::Index num_free);
    //! One row: its samples of all streams, and its weight.
    void step(const gr_complex* samples, float weight = 1.0f);
    //! Points of all rows so far, along the best path.
    std::vector<int> trace() const;

private:
    const size_t d_order;
    const Eigen::Index d_length;
    const Eigen::VectorXcf d_points;
    size_t d_between; // states with the oldest symbol taken away
    // what the newest symbol, those between and the oldest give: points or states x streams
    Eigen::MatrixXcf d_newest, d_between_part, d_oldest_part;
    Eigen::VectorXf d_energy, d_weighted_energy; // of the oldest's part
    Eigen::MatrixXf d_newest_re, d_newest_im, d_between_re, d_between_im;
    Eigen::MatrixXf d_oldest_re, d_oldest_im;
    std::vector<float> d_metric, d_by_oldest, d_next; // of the states
    std::vector<uint8_t> d_oldest; // rows x states: the symbol that the best path forgot
    size_t d_rows = 0;
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_TRELLIS_H */
