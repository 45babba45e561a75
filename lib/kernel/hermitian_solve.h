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

/*!
 * \brief G = L L^H, G Hermitian and positive definite (Cholesky), for equations of which the first ones
 * are solved alone as well: their factor is the first part of L.
 */
class nested_cholesky
{
public:
    //! \param gram its lower half is read
    explicit nested_cholesky(Eigen::MatrixXcd gram);
    //! L^-1 B, of all equations.
    void solve_lower(Eigen::MatrixXcd& right) const;
    //! L^-H B, of the first B.rows() equations.
    void solve_upper(Eigen::MatrixXcd& right) const;

private:
    Eigen::MatrixXcd
        d_lower; // what is above the diagonal is not used, nor is the diagonal
    Eigen::VectorXd d_inverse; // 1 / diagonal
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_HERMITIAN_SOLVE_H */
