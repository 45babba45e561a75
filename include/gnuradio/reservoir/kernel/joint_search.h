/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_JOINT_SEARCH_H
#define INCLUDED_RESERVOIR_KERNEL_JOINT_SEARCH_H

#include <gnuradio/reservoir/api.h>
#include <Eigen/Core>
#include <complex>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

//! Antennas and streams that are detected together, at most.
constexpr int MAX_ANTENNAS = 8;
//! Antennas x streams, without memory of its own on the heap.
typedef Eigen::Matrix<std::complex<double>,
                      Eigen::Dynamic,
                      Eigen::Dynamic,
                      0,
                      MAX_ANTENNAS,
                      MAX_ANTENNAS>
    mimo_matrix;
//! One value per antenna or stream.
typedef Eigen::Matrix<std::complex<double>, Eigen::Dynamic, 1, 0, MAX_ANTENNAS, 1>
    mimo_vector;

/*!
 * \brief Nearest point of a constellation; by rounding where the points are a grid of equal steps.
 */
class RESERVOIR_API point_slicer
{
public:
    //! \param points at least one
    explicit point_slicer(const Eigen::VectorXcd& points);
    int nearest(std::complex<double> value) const;
    const Eigen::VectorXcd& points() const { return d_points; }

private:
    struct axis {
        double first = 0.0, step = 1.0, inverse_step = 1.0; // of the levels
        int count = 1;
        int nearest(double value) const;
    };
    const Eigen::VectorXcd d_points;
    axis d_re, d_im;
    std::vector<int> d_on_grid; // point on each crossing, im within re; empty: no grid
};

/*!
 * \brief Symbols of several streams that one vector of samples has in it: least ||y - H x||^2.
 *
 * Breadth-first search on a sorted QR decomposition (Wuebben et al., 2001) that keeps the best
 * max(16, points) sequences per stream (K-best; Wong et al., 2002), the last stream sliced: exact for
 * two streams, and for more where K is large enough.
 *
 * Not for two threads at once.
 */
class RESERVOIR_API joint_search
{
public:
    //! \param points of every stream, at least one
    explicit joint_search(const Eigen::VectorXcd& points);

    //! \param channel H, at most MAX_ANTENNAS x MAX_ANTENNAS, no more streams than antennas
    void set_channel(const mimo_matrix& channel);
    //! The point of each stream.
    const std::vector<int>& decide(const mimo_vector& samples);
    /*!
     * \brief Of each point of each stream less the least ||y - H x||^2 that any sequence with it has: the
     * log-likelihood in noise of unit variance, but for a constant (max-log).
     *
     * Exact for two streams. Of more, SOFT_WIDTH times as many sequences as decide() keeps are the list
     * (Hochwald and ten Brink, 2003); points in none of them are as far as its last.
     * \param log_likelihoods a row per point, a column per stream
     */
    void log_likelihoods(const mimo_vector& samples, Eigen::MatrixXd& log_likelihoods);

private:
    static constexpr size_t SOFT_WIDTH = 8;

    struct path {
        double distance;
        int points[MAX_ANTENNAS];
    };
    void widen(const mimo_vector& samples, Eigen::Index stream, size_t width);
    void two_log_likelihoods(const mimo_vector& samples, Eigen::MatrixXd& out) const;
    const std::vector<int>& decide_two();
    void take_weakest(Eigen::Index k);
    void scale_points();
    void turn(const mimo_vector& samples);
    const point_slicer d_slicer;
    const size_t d_width;
    mimo_matrix d_q, d_r;
    mimo_vector d_turned;      // Q^H y
    Eigen::MatrixXcd d_scaled; // column streams * k + j: r(k, j) times each point
    std::vector<int> d_order;  // stream of each column of r
    std::vector<path> d_paths, d_longer;
    std::vector<int> d_decided;
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_JOINT_SEARCH_H */
