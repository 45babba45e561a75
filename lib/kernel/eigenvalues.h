/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_EIGENVALUES_H
#define INCLUDED_RESERVOIR_KERNEL_EIGENVALUES_H

#include <Eigen/Core>

namespace gr {
namespace reservoir {
namespace kernel {

struct eigen_decomposition {
    bool converged;
    Eigen::VectorXcd values;
    Eigen::MatrixXcd vectors; //!< empty where not asked for
};

//! Eigen's solver for any square matrix: compiled once, it takes long.
eigen_decomposition decompose(const Eigen::MatrixXcd& matrix, bool with_vectors);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_EIGENVALUES_H */
