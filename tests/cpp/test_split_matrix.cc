/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// Every instruction set that this machine runs, against Eigen.

#include "kernel/split_matrix.h"
#include "targets.h"
#include <gnuradio/reservoir/kernel/random.h>
#include <Eigen/Dense>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace gr::reservoir::kernel;
namespace kernel = gr::reservoir::kernel;
namespace data = boost::unit_test::data;
using Eigen::MatrixXcd;
using Eigen::MatrixXd;

namespace {

// below, at and above whole panels, vectors and pairs; 70 columns are more than a block of gram
const auto SIZES = data::make({ 1, 2, 7, 8, 9, 20, 33, 56 });
const auto OTHER_SIZES = data::make({ 1, 5, 3, 8, 17, 70, 64, 64 });

MatrixXcd noise(Eigen::Index rows, Eigen::Index columns, uint64_t seed)
{
    kernel::random generator(seed);
    MatrixXcd matrix(rows, columns);
    for (Eigen::Index i = 0; i < matrix.size(); i++)
        matrix.data()[i] = generator.complex_gaussian();
    return matrix;
}

MatrixXcd matrix_of(const split_matrix& x, Eigen::Index columns)
{
    MatrixXcd matrix(x.rows(), columns);
    for (Eigen::Index k = 0; k < columns; k++)
        for (size_t i = 0; i < x.rows(); i++)
            matrix(i, k) = { x.element(i, k)[0], x.element(i, k)[PANEL] };
    return matrix;
}

void check_near(const MatrixXcd& found, const MatrixXcd& expected)
{
    BOOST_REQUIRE(found.rows() == expected.rows() && found.cols() == expected.cols());
    BOOST_TEST((found - expected).norm() <= 1e-13 * expected.norm());
}

} // namespace

BOOST_DATA_TEST_CASE(products, SIZES ^ OTHER_SIZES, rows, columns)
{
    const MatrixXcd x = noise(rows, columns, 1);
    const MatrixXcd tall = x.adjoint();
    const Eigen::VectorXd weights = noise(columns, 1, 14).cwiseAbs2();
    const Eigen::Index even = columns + columns % 2;
    for_each_target([&] {
        const split_matrix packed(x, even);
        check_near(matrix_of(packed, columns), x);
        check_near(lower_half(gram(packed)),
                   MatrixXcd((x * x.adjoint()).triangularView<Eigen::Lower>()));
        check_near(lower_half(adjoint_gram(tall, weights)),
                   MatrixXcd((tall.adjoint() * weights.asDiagonal() * tall)
                                 .triangularView<Eigen::Lower>()));
        for (const int outputs : { 1, 2, 3 }) {
            const MatrixXcd y = noise(columns, outputs, 2), z = noise(rows, outputs, 3);
            check_near(product(packed, split_columns(y)).joined(rows), x * y);
            check_near(adjoint_product(packed, split_columns(z)).joined(columns),
                       x.adjoint() * z);
        }
        check_near(row_powers(packed).head(rows).matrix(), x.rowwise().squaredNorm());
    });
}

BOOST_AUTO_TEST_CASE(filters_see_zeros_where_there_is_no_sample)
{
    const MatrixXcd samples = noise(40, 1, 12), filters = noise(3, 11, 13);
    for_each_target([&] {
        for (const int first : { -60, -5, 0, 7, 35, 45 })
            for (const int rows : { 1, 8, 27 }) {
                MatrixXcd expected = MatrixXcd::Zero(rows, 3);
                for (int i = 0; i < rows; i++)
                    for (int j = 0; j < 11; j++)
                        if (first + i + j >= 0 && first + i + j < 40)
                            expected.row(i) +=
                                filters.col(j).transpose() * samples(first + i + j);
                check_near(filter_bank(samples, first, rows, filters), expected);
            }
    });
}

BOOST_AUTO_TEST_CASE(no_rows_have_a_gram_matrix_of_zeros)
{
    const MatrixXcd g = lower_half(adjoint_gram(MatrixXcd(0, 9), Eigen::VectorXd(0)));
    BOOST_TEST((g.array() == 0.0).all());
}

BOOST_DATA_TEST_CASE(cholesky_factor_solves, SIZES, size)
{
    const MatrixXcd x = noise(size, size + 3, 4), b = noise(11, size, 5),
                    y = noise(size, 2, 6);
    const double mu = 0.3;
    const MatrixXcd matrix = x * x.adjoint() + mu * MatrixXcd::Identity(size, size);
    const Eigen::LLT<MatrixXcd> expected(matrix);
    const MatrixXcd l = expected.matrixL();
    for_each_target([&] {
        const cholesky_factor factor = cholesky(gram(split_matrix(x, size + 3)), mu);
        check_near(lower_half(factor.lower), l);
        split_matrix rows(b, factor.lower.columns());
        solve_rows(factor, rows);
        check_near(matrix_of(rows, size) * l.adjoint(), b);
        const split_matrix given(b, factor.lower.columns());
        check_near(solved_row_powers(factor, given).head(11).matrix(),
                   row_powers(rows).head(11).matrix());
        split_columns solution(y);
        solve_adjoint(factor, solution);
        check_near(l.adjoint() * solution.joined(size), y);
    });
}

BOOST_DATA_TEST_CASE(tridiagonal_form_is_similar, SIZES, size)
{
    const MatrixXcd x = noise(size, size, 7), b = noise(13, size, 8);
    const MatrixXcd matrix = x * x.adjoint();
    for_each_target([&] {
        const tridiagonal_form form = tridiagonalize(gram(split_matrix(x, size)));
        MatrixXcd t = MatrixXcd::Zero(size, size);
        t.diagonal().real() = form.diagonal.matrix();
        for (int k = 0; k + 1 < size; k++)
            t(k + 1, k) = t(k, k + 1) = form.beside(k);
        split_columns turned(MatrixXcd::Identity(size, size));
        turn(form, turned);
        const MatrixXcd q = turned.joined(size);
        check_near(q.adjoint() * q, MatrixXcd::Identity(size, size));
        check_near(q * t * q.adjoint(), matrix);
        split_matrix rows(b, size + size % 2);
        turn_rows(form, rows);
        check_near(matrix_of(rows, size), b * q);
    });
}

BOOST_AUTO_TEST_CASE(a_diagonal_matrix_needs_no_reflection)
{
    MatrixXcd x = MatrixXcd::Identity(9, 9);
    x.diagonal() *= 2.0;
    for_each_target([&] {
        const tridiagonal_form form = tridiagonalize(gram(split_matrix(x, 9)));
        BOOST_TEST((form.diagonal == 4.0).all());
        BOOST_TEST((form.beside == 0.0).all());
    });
}

BOOST_DATA_TEST_CASE(whitened_powers_are_those_of_the_inverse, SIZES, size)
{
    const MatrixXcd x = noise(10, size, 9);
    const MatrixXd diagonal = 4.0 + noise(size, 1, 10).real().array().abs();
    const MatrixXd beside = noise(size, 1, 11).real();
    Eigen::ArrayXXd ratios(3, size), inverse_pivots(3, size);
    MatrixXcd expected(10, 3);
    for (int i = 0; i < 3; i++) {
        MatrixXd t = MatrixXd::Zero(size, size);
        for (int k = 0; k < size; k++) {
            const double left = k > 0 ? beside(k - 1) : 0.0;
            t(k, k) = diagonal(k) + 0.5 * i;
            ratios(i, k) = k > 0 ? left * inverse_pivots(i, k - 1) : 0.0;
            inverse_pivots(i, k) = 1.0 / (t(k, k) - ratios(i, k) * left);
            if (k > 0)
                t(k, k - 1) = t(k - 1, k) = left;
        }
        expected.col(i) = (x * t.inverse() * x.adjoint()).diagonal();
    }
    for_each_target([&] {
        const split_matrix packed(x, size + size % 2);
        check_near(whitened_powers(packed, ratios, inverse_pivots).topRows(10).matrix(),
                   expected);
    });
}
