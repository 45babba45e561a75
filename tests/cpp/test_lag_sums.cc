/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel/signal_loops.h"
#include "gaussian.h"
#include "targets.h"
#include <gnuradio/reservoir/kernel/lag_sums.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

namespace kernel = gr::reservoir::kernel;
using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

namespace {

VectorXd uneven(Index count)
{
    VectorXd weights(count);
    for (Index n = 0; n < count; n++)
        weights(n) = std::exp(-double(count - n) / 30.0);
    return weights;
}

} // namespace

// counts and lags that fill no vector, one, and several
BOOST_AUTO_TEST_CASE(loops_are_the_sums_they_stand_for)
{
    constexpr Index LAGS = 11;
    for_each_target([] {
        for (const Index count : { 1, 2, 7, 8, 40, 61 }) {
            for (Index lags = 1; lags <= LAGS; lags++) {
                const VectorXcd x = gaussian(count + LAGS, 1), y = gaussian(count, 2);
                const VectorXcd h = gaussian(lags, 3);
                VectorXcd sums(lags), filtered = y, expected = y;
                kernel::simd::correlate(
                    x.data() + LAGS, y.data(), count, lags, sums.data());
                kernel::simd::add_filtered(
                    x.data() + LAGS, h.data(), lags, count, filtered.data());
                for (Index l = 0; l < lags; l++) {
                    const VectorXcd delayed = x.segment(LAGS - l, count);
                    BOOST_CHECK_SMALL(std::abs(sums(l) - delayed.dot(y)), 1e-12);
                    expected += h(l) * delayed;
                }
                BOOST_CHECK_SMALL((filtered - expected).norm(), 1e-12);
            }
        }
    });
}

BOOST_AUTO_TEST_CASE(phases_are_turned_back_and_found)
{
    for_each_target([] {
        for (const Index count : { 1, 3, 8, 29 }) {
            VectorXd phase = 40.0 * gaussian(count, 4).real();
            phase(0) = 9000.0;
            const VectorXcd x = gaussian(count, 5);
            VectorXcd turned = x;
            kernel::simd::turn_back(turned.data(), phase.data(), count, turned.data());
            VectorXd angle(count);
            kernel::simd::angles(x.data(), count, angle.data());
            for (Index n = 0; n < count; n++) {
                BOOST_CHECK_SMALL(std::abs(turned(n) - x(n) * std::polar(1.0, -phase(n))),
                                  1e-11);
                BOOST_CHECK_SMALL(angle(n) - std::arg(x(n)), 1e-14);
            }
        }
        const std::complex<double> axes[] = {
            0.0, 2.0, { 0.0, 2.0 }, -2.0, { 0.0, -2.0 }
        };
        double angle[5];
        kernel::simd::angles(axes, 5, angle);
        const double expected[] = { 0.0, 0.0, M_PI / 2, M_PI, -M_PI / 2 };
        for (int k = 0; k < 5; k++)
            BOOST_CHECK_SMALL(angle[k] - expected[k], 1e-14);
    });
}

// with equal and with uneven weights, with lags ahead, where a signal begins and ends
BOOST_AUTO_TEST_CASE(sums_are_those_of_the_rows)
{
    const VectorXcd known = gaussian(60, 6);
    const kernel::sample_streams received = { gaussian(60, 7), gaussian(60, 8) };
    for (const Index timing : { -3, 0, 2 }) {
        for (const kernel::row_range rows :
             { kernel::row_range{ 0, 60 }, { 9, 40 }, { 30, 31 } }) {
            for (const bool equal : { true, false }) {
                for (const Index first_lag : { -4, 0 }) {
                    const VectorXd weights = equal ? VectorXd::Ones(60) : uneven(60);
                    const VectorXd w = weights.segment(rows.first, rows.size());
                    const MatrixXcd lags = kernel::lagged(known, rows, 7, first_lag);
                    MatrixXcd outputs(rows.size(), 2);
                    for (int q = 0; q < 2; q++)
                        outputs.col(q) = kernel::lagged(received[q], rows, 1, timing);
                    const kernel::lag_sums sums =
                        kernel::sum_lags(received,
                                         timing,
                                         known,
                                         rows,
                                         7,
                                         first_lag,
                                         equal ? VectorXd() : weights);
                    BOOST_CHECK_SMALL(
                        (sums.gram - lags.adjoint() * w.asDiagonal() * lags).norm(),
                        1e-11);
                    BOOST_CHECK_SMALL(
                        (sums.cross - lags.adjoint() * w.asDiagonal() * outputs).norm(),
                        1e-11);
                    BOOST_CHECK_SMALL(sums.weight - w.sum(), 1e-12);
                    const MatrixXcd taps = gaussian(14, 9).reshaped(7, 2);
                    const double left =
                        (w.asDiagonal() * (outputs - lags * taps).cwiseAbs2()).sum();
                    BOOST_CHECK_SMALL(sums.residual(taps) - left, 1e-10 * left);
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(ranges_add_up_and_fade)
{
    const VectorXcd known = gaussian(80, 10);
    const kernel::sample_streams received = { gaussian(80, 11) };
    VectorXd weights = VectorXd::Ones(80);
    weights.head(50).setConstant(0.25);
    kernel::lag_sums sums = kernel::sum_lags(received, 1, known, { 10, 50 }, 4);
    sums.fade(0.25);
    sums.add(kernel::sum_lags(received, 1, known, { 50, 80 }, 4));
    const kernel::lag_sums expected =
        kernel::sum_lags(received, 1, known, { 10, 80 }, 4, 0, weights);
    BOOST_CHECK_SMALL((sums.gram - expected.gram).norm(), 1e-11);
    BOOST_CHECK_SMALL((sums.cross - expected.cross).norm(), 1e-11);
    BOOST_CHECK_SMALL(sums.energy - expected.energy, 1e-11);
    BOOST_CHECK_SMALL(sums.weight - expected.weight, 1e-11);
    // no other taps leave less
    const MatrixXcd taps = sums.taps(0.0);
    for (int l = 0; l < 4; l++)
        for (const std::complex<double> step : { 1e-3, -1e-3 }) {
            MatrixXcd other = taps;
            other(l, 0) += step;
            BOOST_TEST(sums.residual(other) > sums.residual(taps));
        }
}

BOOST_AUTO_TEST_CASE(other_streams_of_the_same_symbols)
{
    const VectorXcd known = gaussian(50, 12);
    const kernel::sample_streams received = { gaussian(50, 13) },
                                 other = { gaussian(50, 14) };
    const kernel::lag_sums sums = kernel::sum_lags_of(
        other, 2, known, { 5, 50 }, kernel::sum_lags(received, 2, known, { 5, 50 }, 3));
    const kernel::lag_sums expected = kernel::sum_lags(other, 2, known, { 5, 50 }, 3);
    BOOST_CHECK_SMALL((sums.cross - expected.cross).norm(), 1e-13);
    BOOST_CHECK_SMALL((sums.gram - expected.gram).norm(), 1e-13);
    BOOST_CHECK_SMALL(sums.energy - expected.energy, 1e-12);
}
