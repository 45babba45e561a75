/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_HERMITIAN_SOLVE_H
#define INCLUDED_RESERVOIR_KERNEL_HERMITIAN_SOLVE_H

#include <Eigen/Core>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief X of G X = B, G Hermitian and positive definite.
 *
 * For the few equations of a channel, solved for every memory and block; Eigen's factorisation is
 * made for large ones.
 * \param gram its lower half is read
 */
Eigen::MatrixXcd hermitian_solve(const Eigen::MatrixXcd& gram, Eigen::MatrixXcd right);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_HERMITIAN_SOLVE_H */
