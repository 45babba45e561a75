/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/random.h>
#include <gnuradio/reservoir/kernel/rls.h>

#include <Eigen/Dense>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace kernel = gr::reservoir::kernel;
namespace data = boost::unit_test::data;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;
using Eigen::VectorXd;
using kernel::rls;

namespace {

const double NaN = std::numeric_limits<double>::quiet_NaN();
const double INF = std::numeric_limits<double>::infinity();

MatrixXcd gaussian_matrix(int rows, int columns, kernel::random& generator)
{
    MatrixXcd matrix(rows, columns);
    for (int k = 0; k < columns; k++)
        for (int p = 0; p < rows; p++)
            matrix(p, k) = generator.complex_gaussian();
    return matrix;
}

// One symbol of training; returns the a priori errors.
VectorXcd train(rls& filter, const VectorXcd& features, const VectorXcd& desired)
{
    VectorXcd predicted(desired.size());
    filter.predict(features.data(), predicted.data());
    const VectorXcd errors = desired - predicted;
    filter.update(features.data(), errors.data());
    return errors;
}

// Trains on noiseless outputs of a fixed filter; returns the last squared error.
double follow(rls& filter,
              const MatrixXcd& weights,
              const VectorXd& amplitude,
              int count,
              kernel::random& generator)
{
    double last = 0.0;
    for (int n = 0; n < count; n++) {
        const VectorXcd features =
            amplitude.asDiagonal() * gaussian_matrix(weights.rows(), 1, generator);
        last = train(filter, features, weights.transpose() * features).squaredNorm();
    }
    return last;
}

double least_eigenvalue(const MatrixXcd& hermitian)
{
    return Eigen::SelfAdjointEigenSolver<MatrixXcd>(hermitian).eigenvalues()(0);
}

} // namespace

BOOST_DATA_TEST_CASE(equals_the_weighted_normal_equations,
                     data::make({ 1.0, 0.97, 0.9 }),
                     forgetting)
{
    const int rows = 80, size = 5, outputs = 2;
    kernel::random generator(1);
    const MatrixXcd features = gaussian_matrix(rows, size, generator);
    const MatrixXcd desired = gaussian_matrix(rows, outputs, generator);
    VectorXd precision(size);
    precision << 0.1, 1.0, 2.0, 5.0, 10.0;

    rls filter(size, outputs, forgetting);
    filter.reset(precision);
    for (int n = 0; n < rows; n++)
        train(filter, features.row(n).transpose(), desired.row(n).transpose());

    VectorXd weighting(rows);
    for (int n = 0; n < rows; n++)
        weighting(n) = std::pow(forgetting, rows - 1 - n);
    MatrixXcd information = features.adjoint() * weighting.asDiagonal() * features;
    information += MatrixXcd((std::pow(forgetting, rows) * precision).asDiagonal());
    const MatrixXcd expected =
        information.ldlt().solve(features.adjoint() * weighting.asDiagonal() * desired);
    BOOST_CHECK_SMALL((filter.weights() - expected).norm() / expected.norm(), 1e-10);
    const MatrixXcd should_be_identity = filter.covariance() * information;
    BOOST_CHECK_SMALL((should_be_identity - MatrixXcd::Identity(size, size)).norm(),
                      1e-9);
}

BOOST_AUTO_TEST_CASE(predict_does_not_conjugate)
{
    rls filter(2, 1, 1.0);
    MatrixXcd weights(2, 1);
    weights << std::complex<double>(0, 1), 2.0;
    filter.set_weights(weights);
    const std::complex<double> features[] = { { 0, 1 }, { 3, 4 } };
    std::complex<double> output;
    filter.predict(features, &output);
    BOOST_CHECK_SMALL(std::abs(output - std::complex<double>(5, 8)), 1e-15);
}

BOOST_AUTO_TEST_CASE(tracks_a_change)
{
    kernel::random generator(2);
    const VectorXd amplitude = VectorXd::Ones(4);
    rls filter(4, 2, 0.9);
    for (int change = 0; change < 3; change++) {
        const MatrixXcd weights = gaussian_matrix(4, 2, generator);
        BOOST_CHECK_SMALL(follow(filter, weights, amplitude, 400, generator), 1e-20);
        BOOST_CHECK_SMALL((filter.weights() - weights).norm(), 1e-10);
    }
}

BOOST_AUTO_TEST_CASE(covariance_stays_positive_with_ill_conditioned_features)
{
    kernel::random generator(3);
    const int size = 8;
    VectorXd amplitude(size);
    for (int k = 0; k < size; k++)
        amplitude(k) = std::pow(10.0, -k);
    const MatrixXcd mixing = gaussian_matrix(size, size, generator);
    rls filter(size, 1, 0.98);
    filter.reset(VectorXd::Constant(size, 1e-6));
    for (int n = 0; n < 100000; n++) {
        const VectorXcd features =
            mixing * (amplitude.asDiagonal() * gaussian_matrix(size, 1, generator));
        train(filter, features, gaussian_matrix(1, 1, generator));
    }
    const MatrixXcd covariance = filter.covariance();
    BOOST_REQUIRE(covariance.allFinite() && filter.weights().allFinite());
    BOOST_CHECK_GE(least_eigenvalue(covariance), -1e-14 * covariance.norm());
    BOOST_CHECK_EQUAL(filter.skipped(), 0u);
}

BOOST_DATA_TEST_CASE(silence_is_survived, data::make({ 0.0, 1e-12, 1e-3 }), level)
{
    kernel::random generator(4);
    const VectorXd amplitude = VectorXd::Ones(4);
    const MatrixXcd before = gaussian_matrix(4, 1, generator);
    const MatrixXcd after = gaussian_matrix(4, 1, generator);
    rls filter(4, 1, 0.9);
    follow(filter, before, amplitude, 200, generator);
    const VectorXcd noise = level * gaussian_matrix(4, 1, generator);
    const VectorXcd zero = VectorXcd::Zero(1);
    for (int n = 0; n < 1000000; n++)
        filter.update(noise.data(), zero.data());
    BOOST_REQUIRE(filter.covariance().allFinite());
    BOOST_CHECK_LE(filter.covariance().trace().real(), 4e6 * (1 + 1e-9));
    if (level == 0.0)
        BOOST_CHECK_SMALL((filter.weights() - before).norm(), 1e-9);
    BOOST_CHECK_SMALL(follow(filter, after, amplitude, 400, generator), 1e-18);
    BOOST_CHECK_SMALL((filter.weights() - after).norm(), 1e-8);
}

BOOST_AUTO_TEST_CASE(an_unexcited_feature_does_not_stop_the_tracking)
{
    // Its variance reaches the bound, where forgetting in all directions has to end.
    kernel::random generator(5);
    VectorXd amplitude = VectorXd::Ones(4);
    amplitude(2) = 0.0;
    rls filter(4, 1, 0.95);
    MatrixXcd weights = gaussian_matrix(4, 1, generator);
    follow(filter, weights, amplitude, 20000, generator);
    BOOST_CHECK_GT(filter.covariance()(2, 2).real(), 1e5);
    BOOST_CHECK_LE(filter.covariance().trace().real(), 4e6 * (1 + 1e-9));

    weights = gaussian_matrix(4, 1, generator);
    // one direction a symbol: slower than forgetting in all, yet without a floor
    BOOST_CHECK_SMALL(follow(filter, weights, amplitude, 2000, generator), 1e-16);
    amplitude(2) = 1.0;
    BOOST_CHECK_SMALL(follow(filter, weights, amplitude, 1000, generator), 1e-16);
    BOOST_CHECK_SMALL((filter.weights() - weights).norm(), 1e-7);
}

BOOST_DATA_TEST_CASE(what_is_not_finite_is_skipped,
                     data::make({ NaN, INF, -INF, 1e200 }),
                     bad)
{
    kernel::random generator(6);
    rls filter(3, 2, 0.95);
    const MatrixXcd weights = gaussian_matrix(3, 2, generator);
    follow(filter, weights, VectorXd::Ones(3), 10, generator);
    const MatrixXcd kept_weights = filter.weights();
    const MatrixXcd kept_covariance = filter.covariance();

    VectorXcd features = gaussian_matrix(3, 1, generator);
    VectorXcd errors = gaussian_matrix(2, 1, generator);
    errors(1) = { 0.0, bad };
    filter.update(features.data(), errors.data());
    errors(1) = 0.0;
    features(0) = bad;
    filter.update(features.data(), errors.data());
    BOOST_CHECK_EQUAL(filter.skipped(), 2u);
    BOOST_CHECK(filter.weights() == kept_weights);
    BOOST_CHECK(filter.covariance() == kept_covariance);

    BOOST_CHECK_SMALL(follow(filter, weights, VectorXd::Ones(3), 400, generator), 1e-20);
    filter.reset(VectorXd::Ones(3));
    BOOST_CHECK_EQUAL(filter.skipped(), 0u);
    BOOST_CHECK_EQUAL(filter.weights().norm(), 0.0);
}

BOOST_AUTO_TEST_CASE(a_burst_of_great_energy_does_not_end_the_forgetting)
{
    kernel::random generator(7);
    const VectorXd amplitude = VectorXd::Ones(3);
    rls filter(3, 1, 0.9);
    follow(filter, gaussian_matrix(3, 1, generator), amplitude, 100, generator);
    follow(filter, gaussian_matrix(3, 1, generator), 1e9 * amplitude, 1, generator);
    const MatrixXcd weights = gaussian_matrix(3, 1, generator);
    BOOST_CHECK_SMALL(follow(filter, weights, amplitude, 1500, generator), 1e-16);
}

BOOST_AUTO_TEST_CASE(bad_arguments)
{
    BOOST_CHECK_THROW(rls(0, 1, 1.0), std::invalid_argument);
    BOOST_CHECK_THROW(rls(1, 0, 1.0), std::invalid_argument);
    BOOST_CHECK_THROW(rls(-1, 1, 1.0), std::invalid_argument);
    for (const double forgetting : { 0.0, -0.5, 1.0001, NaN })
        BOOST_CHECK_THROW(rls(2, 1, forgetting), std::invalid_argument);
    rls filter(2, 1, 1.0);
    BOOST_CHECK_THROW(filter.reset(VectorXd::Ones(3)), std::invalid_argument);
    for (const double precision : { 0.0, -1.0, NaN, INF })
        BOOST_CHECK_THROW(filter.reset(VectorXd::Constant(2, precision)),
                          std::invalid_argument);
    BOOST_CHECK_THROW(filter.set_weights(MatrixXcd::Zero(1, 2)), std::invalid_argument);
    BOOST_CHECK_THROW(filter.set_weights(MatrixXcd::Constant(2, 1, NaN)),
                      std::invalid_argument);
}
