/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel/hermitian_solve.h"

#include "kernel/plain_complex.h"
#include <algorithm>
#include <cmath>
#include <utility>

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

nested_cholesky::nested_cholesky(MatrixXcd gram)
    : d_lower(std::move(gram)), d_inverse(d_lower.rows())
{
    constexpr double LEAST_PIVOT = 1e-300;
    const Index size = d_lower.rows();
    for (Index k = 0; k < size; k++) {
        std::complex<double>* const column = &d_lower(0, k);
        d_inverse(k) = 1.0 / std::sqrt(std::max(column[k].real(), LEAST_PIVOT));
        for (Index r = k + 1; r < size; r++)
            column[r] *= d_inverse(k);
        for (Index j = k + 1; j < size; j++) {
            const std::complex<double> share = column[j];
            std::complex<double>* const later = &d_lower(0, j);
            for (Index r = j; r < size; r++)
                later[r] -= plain::times_conjugate(column[r], share);
        }
    }
}

void nested_cholesky::solve_lower(MatrixXcd& right) const
{
    const Index size = d_lower.rows();
    for (Index q = 0; q < right.cols(); q++) {
        std::complex<double>* const x = &right(0, q);
        for (Index k = 0; k < size; k++) {
            x[k] *= d_inverse(k);
            const std::complex<double>* const column = &d_lower(0, k);
            const std::complex<double> known = x[k];
            for (Index r = k + 1; r < size; r++)
                x[r] -= plain::times(column[r], known);
        }
    }
}

void nested_cholesky::solve_upper(MatrixXcd& right) const
{
    const Index size = right.rows();
    for (Index q = 0; q < right.cols(); q++) {
        std::complex<double>* const x = &right(0, q);
        for (Index k = size - 1; k >= 0; k--) {
            const std::complex<double>* const column = &d_lower(0, k);
            std::complex<double> rest = x[k];
            for (Index r = k + 1; r < size; r++)
                rest -= plain::times_conjugate(x[r], column[r]);
            x[k] = rest * d_inverse(k);
        }
    }
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
