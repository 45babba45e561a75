/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// Ridge regressions from sums of rows, against the rows themselves.

#include "kernel/normal_equations.h"
#include "kernel/ridge_grid.h"
#include "targets.h"
#include <gnuradio/reservoir/kernel/random.h>
#include <gnuradio/reservoir/kernel/ridge.h>
#include <Eigen/Dense>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace gr::reservoir::kernel;
namespace data = boost::unit_test::data;
using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXcd;

namespace {

MatrixXcd noise(Index rows, Index columns, uint64_t seed)
{
    gr::reservoir::kernel::random generator(seed);
    MatrixXcd matrix(rows, columns);
    for (Index i = 0; i < matrix.size(); i++)
        matrix.data()[i] = generator.complex_gaussian();
    return matrix;
}

const auto SIZES = data::make({ 1, 8, 21, 40 });

} // namespace

// features of unequal power that depend on one another, targets that they explain in part
struct rows_scene {
    MatrixXcd features, targets;
    ArrayXd penalties;

    rows_scene(Index rows, Index columns)
        : features(noise(rows, columns, 1) *
                   (MatrixXcd::Identity(columns, columns) + noise(columns, columns, 2)) *
                   ArrayXd::LinSpaced(columns, 0.1, 3.0).matrix().asDiagonal()),
          targets(features * noise(columns, 2, 3) + 5.0 * noise(rows, 2, 4)),
          penalties(ArrayXd::LinSpaced(columns, 1.0, 10.0))
    {
    }

    normal_equations sums() const
    {
        normal_equations found;
        // what is above the diagonal must not count
        found.gram = (features.adjoint() * features).triangularView<Eigen::Lower>();
        found.cross = features.adjoint() * targets;
        found.energy = targets.colwise().squaredNorm().transpose().array();
        found.rows = features.rows();
        return found;
    }

    MatrixXcd hat(double lambda) const
    {
        return features * inverse(lambda) * features.adjoint();
    }

    MatrixXcd inverse(double lambda) const
    {
        MatrixXcd gram = features.adjoint() * features;
        gram.diagonal() += (lambda * penalties * gram.diagonal().real().array()).matrix();
        return gram.inverse();
    }
};

namespace {

void check_fit(const rows_scene& s, double lambda, Index first, const ridge_fit& fit)
{
    const MatrixXcd targets = s.targets.rightCols(s.targets.cols() - first);
    const MatrixXcd predicted = s.hat(lambda) * targets;
    const MatrixXcd weights = s.inverse(lambda) * s.features.adjoint() * targets;
    BOOST_REQUIRE(fit.weights.cols() == targets.cols());
    BOOST_TEST((fit.weights - weights).norm() < 1e-10 * weights.norm());
    BOOST_TEST(std::abs(fit.share - s.hat(lambda).trace().real() / 50) < 1e-12);
    BOOST_TEST(std::abs(fit.inflation() * (1.0 - fit.share) - 1.0) < 1e-12);
    for (Index o = 0; o < targets.cols(); o++) {
        const double scale = targets.col(o).squaredNorm();
        const auto y = targets.col(o), p = predicted.col(o);
        BOOST_TEST(std::abs(fit.overlap(o) - y.dot(p)) < 1e-11 * scale);
        BOOST_TEST(std::abs(fit.power(o) - p.squaredNorm()) < 1e-11 * scale);
        BOOST_TEST(std::abs(fit.residual(o) - (y - p).squaredNorm()) < 1e-11 * scale);
    }
}

} // namespace

BOOST_DATA_TEST_CASE(fits_are_those_of_rows, SIZES, size)
{
    const rows_scene s(50, size);
    for_each_target([&] {
        check_fit(s, 0.03, 0, fit_ridge(s.sums(), s.penalties, 0.03));
        const ridge_path path(s.sums(), s.penalties);
        check_fit(s, 0.03, 0, path.fit(0.03, 0, 2));
        check_fit(s, 0.4, 1, path.fit(0.4, 1, 1));
    });
}

BOOST_DATA_TEST_CASE(errors_are_those_of_fits, SIZES, size)
{
    const rows_scene s(50, size);
    const ArrayXd lambdas = ridge_grid();
    for_each_target([&] {
        const Eigen::ArrayXXd errors = ridge_path(s.sums(), s.penalties).errors(lambdas);
        for (Index i = 0; i < lambdas.size(); i++) {
            const MatrixXcd hat = s.hat(lambdas(i));
            const Eigen::RowVectorXd expected =
                (s.targets - hat * s.targets).colwise().squaredNorm() /
                std::pow(1.0 - hat.trace().real() / 50, 2);
            for (Index o = 0; o < 2; o++)
                BOOST_TEST(std::abs(errors(i, o) - expected(o)) < 1e-8 * expected(o));
        }
    });
}

// Rows that are all turns of one row have equal shares: then it is leave-one-out itself.
BOOST_AUTO_TEST_CASE(circulant_rows_give_leave_one_out)
{
    const Index rows = 24;
    rows_scene s(rows, rows);
    const MatrixXcd sequence = noise(rows, 1, 9);
    for (Index n = 0; n < rows; n++)
        for (Index k = 0; k < rows; k++)
            s.features(n, k) = sequence((n - k + rows) % rows);
    s.penalties.setOnes();
    const ridge_result exact = ridge(s.features).solve(s.targets, 0.1);
    const ridge_fit fit = fit_ridge(s.sums(), s.penalties, 0.1);
    const double inflated = fit.residual.sum() * fit.inflation() * fit.inflation();
    BOOST_TEST(std::abs(inflated / (2 * rows) - exact.leave_one_out_mse) <
               1e-10 * exact.leave_one_out_mse);
}

BOOST_AUTO_TEST_CASE(a_feature_of_zeros_has_weight_zero)
{
    rows_scene s(50, 5);
    s.features.col(2).setZero();
    const ridge_fit fit = fit_ridge(s.sums(), s.penalties, 1e-3);
    BOOST_TEST(fit.weights.row(2).norm() == 0.0);
    BOOST_TEST(fit.weights.allFinite());
    BOOST_TEST(ridge_path(s.sums(), s.penalties).errors(ridge_grid()).allFinite());
}
