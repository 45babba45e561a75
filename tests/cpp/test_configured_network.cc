/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "gaussian.h"
#include <gnuradio/reservoir/kernel/channel_estimate.h>
#include <gnuradio/reservoir/kernel/model_prior.h>
#include <gnuradio/reservoir/kernel/spectral_factor.h>
#include <gnuradio/reservoir/kernel/takenaka_malmquist.h>

#include <Eigen/Eigenvalues>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace kernel = gr::reservoir::kernel;
namespace data = boost::unit_test::data;
using cdouble = std::complex<double>;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;

namespace {

// coefficients of prod (1 - z_k z^-1)
VectorXcd from_zeros(const std::vector<cdouble>& zeros)
{
    VectorXcd taps = VectorXcd::Ones(1);
    for (const auto& zero : zeros) {
        VectorXcd next = VectorXcd::Zero(taps.size() + 1);
        next.head(taps.size()) += taps;
        next.tail(taps.size()) -= zero * taps;
        taps = next;
    }
    return taps;
}

} // namespace

BOOST_AUTO_TEST_CASE(without_noise_the_poles_are_the_zeros_or_their_mirror_images)
{
    const cdouble inside(0.5, 0.3), outside(1.2, -0.9);
    const VectorXcd poles =
        kernel::spectral_factor_poles(from_zeros({ inside, outside }), 0.0);
    BOOST_REQUIRE_EQUAL(poles.size(), 2);
    BOOST_CHECK_SMALL(std::abs(poles(0) - inside), 1e-9); // sorted by modulus: .58, .67
    BOOST_CHECK_SMALL(std::abs(poles(1) - 1.0 / std::conj(outside)), 1e-9);
}

BOOST_DATA_TEST_CASE(spectral_factor_reproduces_the_spectrum,
                     data::make({ 2, 3, 6, 11, 16 }),
                     length)
{
    MatrixXcd taps(length, 2);
    taps << gaussian(length, length), gaussian(length, 100 + length);
    const double noise = 0.2;
    const VectorXcd poles = kernel::spectral_factor_poles(taps, noise);
    const VectorXcd factor = from_zeros({ poles.begin(), poles.end() });
    double ratio = 0.0;
    for (int k = 0; k < 50; k++) {
        const cdouble delay = std::polar(1.0, -2.0 * M_PI * k / 50);
        cdouble h0 = 0.0, h1 = 0.0, g = 0.0;
        for (int l = length - 1; l >= 0; l--) {
            h0 = h0 * delay + taps(l, 0);
            h1 = h1 * delay + taps(l, 1);
            g = g * delay + factor(l);
        }
        const double value = (std::norm(h0) + std::norm(h1) + noise) / std::norm(g);
        if (k == 0)
            ratio = value;
        BOOST_CHECK_CLOSE(value, ratio, 1e-4);
    }
    for (const auto& pole : poles)
        BOOST_CHECK_LE(std::abs(pole), kernel::MAX_POLE_MODULUS + 1e-12);
}

BOOST_AUTO_TEST_CASE(degenerate_channels_have_finite_poles)
{
    BOOST_CHECK_EQUAL(kernel::spectral_factor_poles(VectorXcd::Zero(4), 0.0).norm(), 0.0);
    BOOST_CHECK_EQUAL(kernel::spectral_factor_poles(VectorXcd::Ones(1), 0.1).size(), 0);
    VectorXcd padded = VectorXcd::Zero(5); // a two-tap channel, over-long
    padded.segment(1, 2) << 1.0, -0.5;
    const VectorXcd poles = kernel::spectral_factor_poles(padded, 0.0);
    BOOST_CHECK_SMALL(std::abs(poles(3) - 0.5), 1e-9);
    BOOST_CHECK_SMALL(poles.head(3).norm(), 1e-9);
    for (const auto& pole :
         kernel::spectral_factor_poles(from_zeros({ 1.0, 1.0, 1.0 }), 1e-9))
        BOOST_CHECK(std::abs(pole) <= kernel::MAX_POLE_MODULUS + 1e-12);
}

BOOST_AUTO_TEST_CASE(statistics_place_poles_where_zeros_lie)
{
    const std::vector<double> profile = { 1.0, 0.6, 0.35, 0.2, 0.1 };
    const auto placed = kernel::poles_from_power_delay_profile(profile, 400);
    BOOST_CHECK_EQUAL(placed.causal.size() + placed.anticausal.size(), 400);
    // Monte Carlo: share of zeros inside the circle; taps decay, so most are
    int inside = 0, zeros = 0;
    for (int f = 0; f < 2000; f++) {
        const VectorXcd g = gaussian(5, 900 + f);
        MatrixXcd companion = MatrixXcd::Zero(4, 4);
        companion.diagonal(-1).setOnes();
        for (int l = 1; l < 5; l++)
            companion(0, l - 1) = -g(l) / g(0) * std::sqrt(profile[l] / profile[0]);
        const VectorXcd roots = companion.eigenvalues();
        for (const auto& root : roots) {
            inside += std::abs(root) < 1.0;
            zeros++;
        }
    }
    BOOST_CHECK_SMALL(double(inside) / zeros - placed.causal.size() / 400.0, 0.02);
    // a rising profile mirrors it
    const auto mirrored =
        kernel::poles_from_power_delay_profile({ profile.rbegin(), profile.rend() }, 400);
    BOOST_CHECK_EQUAL(mirrored.anticausal.size(), placed.causal.size());
    for (const std::vector<double>& bad :
         { std::vector<double>{}, { 1.0 }, { 0.0, 1.0 }, { 1.0, -1.0, 1.0 } })
        BOOST_CHECK_THROW(kernel::poles_from_power_delay_profile(bad, 4),
                          std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(cascade_is_orthonormal)
{
    VectorXcd poles(6); // two coincide, a conjugate pair, one at zero
    poles << 0.0, cdouble(0.5, 0.4), cdouble(0.5, 0.4), cdouble(0.5, -0.4), -0.9, 0.3;
    const MatrixXcd responses = kernel::takenaka_malmquist(poles, 600);
    const MatrixXcd gram = responses * responses.adjoint();
    BOOST_CHECK_SMALL((gram - MatrixXcd::Identity(6, 6)).norm(), 1e-9);
    // pole zero: the sample itself
    BOOST_CHECK_SMALL(responses.row(0).tail(599).norm(), 1e-15);
}

BOOST_AUTO_TEST_CASE(cascade_spans_the_powers_of_its_poles)
{
    VectorXcd poles(3);
    poles << 0.0, cdouble(0.6, 0.2), cdouble(-0.3, 0.5);
    const MatrixXcd responses = kernel::takenaka_malmquist(poles, 400);
    for (const auto& pole : poles) {
        Eigen::RowVectorXcd powers(400);
        cdouble power = 1.0;
        for (int m = 0; m < 400; m++, power *= pole)
            powers(m) = power;
        const Eigen::RowVectorXcd projected = powers * responses.adjoint() * responses;
        BOOST_CHECK_SMALL((projected - powers).norm(), 1e-9);
    }
}

BOOST_AUTO_TEST_CASE(model_moments_are_those_of_data)
{
    constexpr Eigen::Index COUNT = 200000, PAST = 2, FUTURE = 3;
    MatrixXcd taps(3, 2);
    taps << gaussian(3, 1), gaussian(3, 2);
    const double noise = 0.3;
    MatrixXcd functionals(2, PAST + 1 + FUTURE);
    functionals << gaussian(6, 3).transpose(), gaussian(6, 4).transpose();

    const VectorXcd sent = gaussian(COUNT, 5);
    auto received = kernel::channel_output(sent, taps);
    MatrixXcd features(COUNT, 6);
    for (int q = 0; q < 2; q++) {
        received[q] += std::sqrt(noise) * gaussian(COUNT, 6 + q);
        features.middleCols(2 * q, 2) =
            kernel::lagged(received[q], { 0, COUNT }, 6, -FUTURE).rowwise().reverse() *
            functionals.transpose();
    }
    features.rightCols(2) = kernel::lagged(sent, { 0, COUNT }, 2, 1);
    const auto model = kernel::model_gram(functionals, PAST, taps, noise, 2);
    const MatrixXcd gram = features.adjoint() * features / double(COUNT);
    const VectorXcd cross = features.adjoint() * sent / double(COUNT);
    BOOST_CHECK_SMALL((gram - model.gram).norm() / gram.norm(), 0.02);
    BOOST_CHECK_SMALL((cross - model.cross).norm() / cross.norm(), 0.02);
}

BOOST_AUTO_TEST_CASE(prior_is_a_limit)
{
    MatrixXcd features(30, 3);
    features << gaussian(30, 1), gaussian(30, 2), gaussian(30, 3);
    VectorXcd truth(3);
    truth << cdouble(1.0, 0.5), cdouble(0.0, -2.0), 0.3;
    const VectorXcd targets = features * truth;
    kernel::model_moments prior = { MatrixXcd::Identity(3, 3), VectorXcd(3) };
    prior.cross << 0.2, cdouble(0.0, 0.1), -0.4;
    const Eigen::VectorXd ones = Eigen::VectorXd::Ones(30);
    const auto data_only = kernel::prior_ridge(features, targets, ones, prior, { 0.0 });
    BOOST_CHECK_SMALL((data_only.weights - truth).norm(), 1e-2); // the loading alone
    const auto model_only = kernel::prior_ridge(features, targets, ones, prior, { 1e6 });
    BOOST_CHECK_SMALL((model_only.weights - prior.cross).norm(), 1e-3);
    // noiseless targets: leave-one-out takes the data's side
    const auto chosen =
        kernel::prior_ridge(features, targets, ones, prior, { 1e6, 0.0, 1.0 });
    BOOST_CHECK_EQUAL(chosen.prior_weight, 0.0);
}

BOOST_AUTO_TEST_CASE(leave_one_out_is_what_leaving_out_gives)
{
    MatrixXcd features(12, 3);
    features << gaussian(12, 1), gaussian(12, 2), gaussian(12, 3);
    const VectorXcd targets = gaussian(12, 4);
    // no loading and no prior worth mentioning, so that leaving a row out changes nothing else
    kernel::model_moments prior = { 1e-9 * MatrixXcd::Identity(3, 3),
                                    VectorXcd::Zero(3) };
    const auto found = kernel::prior_ridge(
        features, targets, Eigen::VectorXd::Ones(12), prior, { 1e-9 });
    Eigen::VectorXd weights = Eigen::VectorXd::Ones(12);
    weights(5) = 0.0;
    const auto without = kernel::prior_ridge(features, targets, weights, prior, { 1e-9 });
    const cdouble predicted = features.row(5) * without.weights;
    BOOST_CHECK_SMALL(std::abs(predicted - found.leave_one_out(5)), 2e-3);
}

BOOST_AUTO_TEST_CASE(gain_of_the_centroids)
{
    const VectorXcd symbols = gaussian(50, 1);
    const cdouble gain(0.4, -0.7);
    const Eigen::VectorXd ones = Eigen::VectorXd::Ones(50);
    BOOST_CHECK_SMALL(
        std::abs(kernel::centroid_gain(gain * symbols, symbols, ones) - gain), 1e-12);
    BOOST_CHECK_EQUAL(kernel::centroid_gain(VectorXcd::Zero(50), symbols, ones), 0.05);
}
