/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_SPLIT_MATRIX_H
#define INCLUDED_RESERVOIR_KERNEL_SPLIT_MATRIX_H

#include <gnuradio/reservoir/api.h>
#include <Eigen/Core>
#include <cstddef>

namespace gr {
namespace reservoir {
namespace kernel {

//! Rows of a panel.
constexpr size_t PANEL = 8;

constexpr size_t whole_panels(size_t rows) { return (rows + PANEL - 1) / PANEL * PANEL; }

/*!
 * \brief A complex matrix in double precision, laid out for the loops of trainings.
 *
 * Rows lie in panels of eight, the last one filled up with zeros; a panel lies by columns, eight
 * real parts before eight imaginary parts. Products of complex numbers whose parts lie beside
 * each other, as in std::complex, reach a fifth of a core's peak.
 */
class RESERVOIR_API split_matrix
{
public:
    static constexpr size_t COLUMN = 2 * PANEL; //!< values

    //! Values are left as they are in memory.
    split_matrix(size_t rows, size_t columns)
        : d_rows(rows), d_columns(columns), d_values(whole_panels(rows) * columns * 2)
    {
    }
    //! A matrix; columns beyond its own are zero.
    split_matrix(const Eigen::MatrixXcd& matrix, size_t columns);

    size_t rows() const { return d_rows; }
    size_t columns() const { return d_columns; }
    size_t num_panels() const { return whole_panels(d_rows) / PANEL; }

    //! Eight rows of a column: the real parts, then the imaginary parts.
    double* column(size_t panel, size_t k)
    {
        return d_values.data() + (panel * d_columns + k) * COLUMN;
    }
    const double* column(size_t panel, size_t k) const
    {
        return d_values.data() + (panel * d_columns + k) * COLUMN;
    }

    //! The real part of an element; the imaginary part lies PANEL values behind it.
    const double* element(size_t row, size_t k) const
    {
        return column(row / PANEL, k) + row % PANEL;
    }

private:
    size_t d_rows;
    size_t d_columns;
    Eigen::ArrayXd d_values;
};

/*!
 * A vector, filled up with zeros to whole panels; real and imaginary parts apart. Matrices of
 * real and of imaginary parts, by columns, stand for several vectors.
 */
struct RESERVOIR_API split_columns {
    split_columns(size_t rows, size_t columns)
        : re(Eigen::ArrayXXd::Zero(whole_panels(rows), columns)),
          im(Eigen::ArrayXXd::Zero(whole_panels(rows), columns))
    {
    }
    explicit split_columns(const Eigen::MatrixXcd& matrix);
    Eigen::MatrixXcd joined(size_t rows) const;

    Eigen::ArrayXXd re;
    Eigen::ArrayXXd im;
};

//! X X^H: the lower half, and of the upper half what lies in the panels of the diagonal. X has a
//! column or more.
RESERVOIR_API split_matrix gram(const split_matrix& x);

//! A^H W A, the same part of it. Weights are at least 0.
RESERVOIR_API split_matrix adjoint_gram(const Eigen::MatrixXcd& matrix,
                                        const Eigen::VectorXd& weights);

//! A square matrix with zeros above the diagonal.
RESERVOIR_API Eigen::MatrixXcd lower_half(const split_matrix& g);

//! L of G + mu I = L L^H.
struct cholesky_factor {
    split_matrix lower;
    Eigen::ArrayXd inverse_diagonal;
};
RESERVOIR_API cholesky_factor cholesky(split_matrix g, double mu);

//! X L^-H in place of X.
RESERVOIR_API void solve_rows(const cholesky_factor& factor, split_matrix& x);

//! L^-H y in place of y.
RESERVOIR_API void solve_adjoint(const cholesky_factor& factor, split_columns& y);

//! X^H y.
RESERVOIR_API split_columns adjoint_product(const split_matrix& x,
                                            const split_columns& y);

//! X y.
RESERVOIR_API split_columns product(const split_matrix& x, const split_columns& y);

/*!
 * Row i, column k: Σ_j filters(k, j) samples[first + i + j], zero where there is no sample.
 * \param filters one per row
 */
RESERVOIR_API Eigen::MatrixXcd filter_bank(const Eigen::VectorXcd& samples,
                                           Eigen::Index first,
                                           Eigen::Index rows,
                                           const Eigen::MatrixXcd& filters);

//! Σ_k |x_ik|² of every row i, filled up with zeros to whole panels.
RESERVOIR_API Eigen::ArrayXd row_powers(const split_matrix& x);

//! row_powers of X L^-H.
RESERVOIR_API Eigen::ArrayXd solved_row_powers(const cholesky_factor& factor,
                                               const split_matrix& x);

//! The trace of (L L^H)^-1: the sum of the squares of L^-1.
RESERVOIR_API double inverse_trace(const cholesky_factor& factor);

/*!
 * \brief G = Q T Q^H, T tridiagonal and real (Golub and Van Loan, 2013, section 8.3.1).
 *
 * Q = H_0 H_1 ... of reflections H_k = I - tau_k v_k v_k^H, where v_k is zero up to row k and one
 * in row k + 1.
 */
struct tridiagonal_form {
    Eigen::ArrayXd diagonal;
    Eigen::ArrayXd beside; //!< the value below the diagonal, zero in the last column
    split_columns v;       //!< an even number of columns
    Eigen::ArrayXcd tau;
};
RESERVOIR_API tridiagonal_form tridiagonalize(split_matrix g);

//! X Q in place of X.
RESERVOIR_API void turn_rows(const tridiagonal_form& form, split_matrix& x);

//! Q y in place of y.
RESERVOIR_API void turn(const tridiagonal_form& form, split_columns& y);

/*!
 * x_i (T + mu I)^-1 x_i^H of every row x_i of X and every mu, where T + mu I = L D L^T. X may have
 * more columns than T, which do not count.
 * \param ratios mus x columns: what stands left of the diagonal of L, zero in the first column
 * \param inverse_pivots mus x columns: D^-1
 * \return rows, filled up to whole panels, x mus
 */
RESERVOIR_API Eigen::ArrayXXd whitened_powers(const split_matrix& x,
                                              const Eigen::ArrayXXd& ratios,
                                              const Eigen::ArrayXXd& inverse_pivots);

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_SPLIT_MATRIX_H */
