/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel/eigenvalues.h"

#include <Eigen/Eigenvalues>

namespace gr {
namespace reservoir {
namespace kernel {

eigen_decomposition decompose(const Eigen::MatrixXcd& matrix, bool with_vectors)
{
    const Eigen::ComplexEigenSolver<Eigen::MatrixXcd> solver(matrix, with_vectors);
    eigen_decomposition found{ solver.info() == Eigen::Success,
                               solver.eigenvalues(),
                               {} };
    if (with_vectors && found.converged)
        found.vectors = solver.eigenvectors();
    return found;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
