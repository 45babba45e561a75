/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/singular_values.h>

#include <Eigen/QR>
#include <Eigen/SVD>
#include <limits>

namespace gr {
namespace reservoir {
namespace kernel {

namespace {

template <class Matrix>
Eigen::VectorXd values_of(const Matrix& matrix)
{
    if (matrix.size() == 0 || !matrix.allFinite())
        return {};
    const Matrix tall =
        matrix.rows() >= matrix.cols() ? matrix : Matrix(matrix.adjoint());
    const Eigen::HouseholderQR<Matrix> qr(tall);
    const Eigen::Index n = tall.cols();
    const Matrix triangle =
        qr.matrixQR().topRows(n).template triangularView<Eigen::Upper>();
    return Eigen::BDCSVD<Matrix>(triangle).singularValues();
}

} // namespace

Eigen::VectorXd singular_values(const Eigen::MatrixXd& matrix)
{
    return values_of(matrix);
}
Eigen::VectorXd singular_values(const Eigen::MatrixXcd& matrix)
{
    return values_of(matrix);
}

conditioning condition_of(const Eigen::VectorXd& singular_values)
{
    if (singular_values.size() == 0 || !(singular_values(0) > 0.0))
        return { std::numeric_limits<double>::quiet_NaN(), 0 };
    const int rank = (singular_values.array() > 1e-9 * singular_values(0)).count();
    return { singular_values(0) / singular_values(rank - 1), rank };
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
