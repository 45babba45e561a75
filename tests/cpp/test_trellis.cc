/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "targets.h"
#include <gnuradio/reservoir/kernel/random.h>
#include <gnuradio/reservoir/kernel/trellis.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <stdexcept>

namespace kernel = gr::reservoir::kernel;
using Eigen::Index;
using Eigen::MatrixXcf;
using Eigen::VectorXcf;

namespace {

MatrixXcf gaussian(Index rows, Index columns, uint64_t seed)
{
    kernel::random generator(seed);
    MatrixXcf values(rows, columns);
    for (auto& value : values.reshaped())
        value = std::complex<float>(generator.complex_gaussian());
    return values;
}

VectorXcf phase_shift_keying(int order)
{
    VectorXcf points(order);
    for (int m = 0; m < order; m++)
        points(m) = std::polar(1.0f, float(2.0 * M_PI * (m + 0.5) / order));
    return points;
}

// The best of all sequences, the symbols before them being the points past, newest first.
std::vector<int> best_of_all(const VectorXcf& points,
                             const MatrixXcf& taps,
                             const MatrixXcf& received, // streams x rows
                             const std::vector<float>& weights,
                             const std::vector<int>& past)
{
    const Index order = points.size(), rows = received.cols();
    std::vector<int> best;
    double least = 1e30;
    for (Index number = 0; number < std::lround(std::pow(order, rows)); number++) {
        std::vector<int> sequence(rows);
        Index digits = number;
        for (int& symbol : sequence) {
            symbol = digits % order;
            digits /= order;
        }
        double cost = 0.0;
        for (Index n = 0; n < rows; n++) {
            VectorXcf error = received.col(n);
            for (Index l = 0; l < taps.rows(); l++)
                error -= taps.row(l).transpose() *
                         points(l <= n ? sequence[n - l] : past[l - n - 1]);
            cost += weights[n] * error.squaredNorm();
        }
        if (cost < least) {
            least = cost;
            best = sequence;
        }
    }
    return best;
}

} // namespace

// states that fill no vector and several, one stream and two, uneven weights
BOOST_AUTO_TEST_CASE(it_finds_the_best_of_all_sequences)
{
    const std::vector<float> weights = { 1.0f, 0.3f, 2.0f, 1.0f, 0.0f, 1.0f, 0.7f, 1.0f };
    for (const int order : { 2, 3, 4 }) {
        for (Index length = 1; length <= 5; length++) {
            for (const Index streams : { 1, 2 }) {
                const Index rows = order == 2 ? 8 : 5;
                const VectorXcf points = phase_shift_keying(order);
                const MatrixXcf taps = gaussian(length, streams, 10 * order + length);
                const MatrixXcf received = 2.0f * gaussian(streams, rows, length);
                const std::vector<int> past = { 1, 0, 1, 1 };
                const auto expected = best_of_all(points, taps, received, weights, past);
                for_each_target([&] {
                    kernel::trellis paths(points, length);
                    paths.start(past);
                    paths.set_channel(taps, 0, length);
                    for (Index n = 0; n < rows; n++)
                        paths.step(received.col(n).data(), weights[n]);
                    BOOST_TEST(paths.trace() == expected);
                });
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_long_sequence_is_found_without_noise)
{
    constexpr Index ROWS = 3000, LENGTH = 4;
    const VectorXcf points = phase_shift_keying(4);
    const MatrixXcf taps = gaussian(LENGTH, 1, 3);
    kernel::random generator(4);
    std::vector<int> sent(ROWS);
    for (int& symbol : sent)
        symbol = generator.complex_gaussian().real() > 0 ? 3 : 1;
    kernel::trellis paths(points, LENGTH);
    paths.set_channel(taps, 0, LENGTH);
    for (Index n = 0; n < ROWS; n++) {
        std::complex<float> sample = 0.0f;
        for (Index l = 0; l < LENGTH && l <= n; l++)
            sample += taps(l, 0) * points(sent[n - l]);
        if (n < LENGTH) // the symbols before are none
            paths.set_channel(taps, 0, n + 1);
        paths.step(&sample);
    }
    BOOST_TEST(paths.trace() == sent);
}

BOOST_AUTO_TEST_CASE(too_many_branches_are_refused)
{
    BOOST_TEST(kernel::trellis::fits(4, 6, 4096));
    BOOST_TEST(!kernel::trellis::fits(4, 7, 4096));
    BOOST_CHECK_THROW(kernel::trellis(phase_shift_keying(4), 11), std::invalid_argument);
    BOOST_CHECK_THROW(kernel::trellis(phase_shift_keying(4), 0), std::invalid_argument);
    BOOST_CHECK_THROW(kernel::trellis(phase_shift_keying(1), 2), std::invalid_argument);
}
