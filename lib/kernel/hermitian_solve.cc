/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel/hermitian_solve.h"

#include "kernel/plain_complex.h"

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::MatrixXcd;

// L D L^H without square roots; below the diagonal of factor is L, on it 1 / D.
MatrixXcd hermitian_solve(const MatrixXcd& gram, MatrixXcd right)
{
    const Index size = gram.rows();
    MatrixXcd factor = gram;
    for (Index k = 0; k < size; k++) {
        std::complex<double>* const column = &factor(0, k);
        const double inverse_pivot = 1.0 / column[k].real();
        for (Index j = k + 1; j < size; j++) {
            const std::complex<double> share = inverse_pivot * column[j];
            std::complex<double>* const later = &factor(0, j);
            for (Index r = j; r < size; r++)
                later[r] -= plain::times_conjugate(column[r], share);
        }
        for (Index j = k + 1; j < size; j++)
            column[j] *= inverse_pivot;
        column[k] = inverse_pivot;
    }
    for (Index q = 0; q < right.cols(); q++) {
        std::complex<double>* const x = &right(0, q);
        for (Index k = 0; k < size; k++)
            for (Index r = k + 1; r < size; r++)
                x[r] -= plain::times(factor(r, k), x[k]);
        for (Index k = size - 1; k >= 0; k--) {
            x[k] *= factor(k, k).real();
            for (Index r = k + 1; r < size; r++)
                x[k] -= plain::times_conjugate(x[r], factor(r, k));
        }
    }
    return right;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
