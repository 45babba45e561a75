/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_SINGULAR_VALUES_H
#define INCLUDED_RESERVOIR_KERNEL_SINGULAR_VALUES_H

#include <gnuradio/reservoir/api.h>
#include <Eigen/Core>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief Singular values, largest first: QR of the taller shape, then the bidiagonal form of its
 * triangle.
 *
 * Costs about m n² multiply-adds for m × n, m > n. None are returned if an element, or its
 * square, is not finite.
 */
RESERVOIR_API Eigen::VectorXd singular_values(const Eigen::MatrixXd& matrix);
RESERVOIR_API Eigen::VectorXd singular_values(const Eigen::MatrixXcd& matrix);

struct RESERVOIR_API conditioning {
    double ratio; //!< largest over least singular value that counts; NaN where none does
    int rank;     //!< how many count
};

//! Of the singular values above 1e-9 of the largest: a rank-deficient problem has a condition too.
RESERVOIR_API conditioning condition_of(const Eigen::VectorXd& singular_values);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_SINGULAR_VALUES_H */
