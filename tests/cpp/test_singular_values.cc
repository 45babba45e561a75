/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/singular_values.h>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

using namespace gr::reservoir::kernel;

// Householder reflections on both sides of a known diagonal: wide and tall alike.
BOOST_AUTO_TEST_CASE(values_are_those_it_was_made_of)
{
    const Eigen::Vector4d values(100.0, 3.0, 0.5, 2e-8);
    const auto reflection = [](int n) {
        const Eigen::VectorXd v = Eigen::VectorXd::LinSpaced(n, -1.0, 2.0).normalized();
        return (Eigen::MatrixXd::Identity(n, n) - 2.0 * v * v.transpose()).eval();
    };
    Eigen::MatrixXd tall = Eigen::MatrixXd::Zero(9, 4);
    tall.topRows(4) = values.asDiagonal();
    tall = reflection(9) * tall * reflection(4);
    BOOST_TEST((singular_values(tall) - values).norm() < 1e-12);
    BOOST_TEST((singular_values(Eigen::MatrixXd(tall.transpose())) - values).norm() <
               1e-12);
    const std::complex<double> turn(0.6, 0.8);
    BOOST_TEST((singular_values(Eigen::MatrixXcd(turn * tall)) - values).norm() < 1e-12);

    const conditioning found = condition_of(singular_values(tall));
    BOOST_TEST(found.rank == 3); // 2e-8 is less than 1e-9 of 100
    BOOST_TEST(std::abs(found.ratio - 200.0) < 1e-9);
}

// Complex reflections: a conjugate in the wrong place would show.
BOOST_AUTO_TEST_CASE(values_of_a_complex_matrix_with_a_null_space)
{
    const auto reflection = [](int n, double twist) {
        Eigen::VectorXcd v(n);
        for (int k = 0; k < n; k++)
            v(k) = std::polar(1.0 + k % 3, twist * k * k);
        v.normalize();
        return (Eigen::MatrixXcd::Identity(n, n) - 2.0 * v * v.adjoint()).eval();
    };
    Eigen::VectorXd values = Eigen::VectorXd::Zero(40);
    for (int k = 0; k < 30; k++)
        values(k) = std::pow(10.0, -0.2 * k);
    Eigen::MatrixXcd tall = Eigen::MatrixXcd::Zero(50, 40);
    tall.topRows(40) = values.cast<std::complex<double>>().asDiagonal();
    tall = reflection(50, 0.3) * reflection(50, 0.7) * tall * reflection(40, 0.4) *
           reflection(40, 0.9);
    const Eigen::VectorXd found = singular_values(tall);
    BOOST_TEST(found.size() == 40);
    BOOST_TEST((found - values).cwiseAbs().maxCoeff() < 1e-14);
    BOOST_TEST(condition_of(found).rank == 30);
}

BOOST_AUTO_TEST_CASE(nothing_has_no_condition)
{
    Eigen::MatrixXd matrix = Eigen::MatrixXd::Zero(3, 2);
    BOOST_TEST(std::isnan(condition_of(singular_values(matrix)).ratio));
    BOOST_TEST(condition_of(singular_values(matrix)).rank == 0);
    matrix(1, 1) = std::numeric_limits<double>::infinity();
    BOOST_TEST(std::isnan(condition_of(singular_values(matrix)).ratio));
}
