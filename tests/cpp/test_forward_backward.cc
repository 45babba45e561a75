/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/forward_backward.h>
#include <gnuradio/reservoir/kernel/random.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

namespace kernel = gr::reservoir::kernel;
using Eigen::Index;
using Eigen::MatrixXcf;

namespace {

typedef std::vector<gr_complex> symbols_t;

const float NOISE = 0.4f;
const symbols_t SQUARE = { { .8f, .7f }, { -.7f, .7f }, { -.7f, -.6f }, { .7f, -.7f } };
const symbols_t TRIANGLE = { 1.0f, { -.5f, .9f }, { -.5f, -.9f } };

struct frame {
    symbols_t points;
    MatrixXcf taps;     // length x streams
    MatrixXcf received; // streams x rows
    symbols_t past;     // newest first
    symbols_t known;    // NaN where it is not
    std::vector<float> log_priors;
};

frame make_frame(const symbols_t& points, Index length, Index streams, Index rows)
{
    kernel::random generator(17 + 10 * length + streams);
    const auto drawn = [&generator] { return gr_complex(generator.complex_gaussian()); };
    frame f;
    f.points = points;
    f.taps.resize(length, streams);
    for (auto& tap : f.taps.reshaped())
        tap = drawn();
    symbols_t sent;
    for (Index l = 1; l < length; l++)
        sent.push_back(drawn()); // need not be points
    f.past = { sent.rbegin(), sent.rend() };
    f.received.resize(streams, rows);
    for (Index n = 0; n < rows; n++) {
        sent.push_back(points[generator.below(points.size())]);
        for (Index q = 0; q < streams; q++) {
            f.received(q, n) = std::sqrt(NOISE) * drawn();
            for (Index l = 0; l < length; l++)
                f.received(q, n) += f.taps(l, q) * sent[sent.size() - 1 - l];
        }
    }
    f.known.assign(rows, std::numeric_limits<float>::quiet_NaN());
    for (Index k = 0; k < rows * Index(points.size()); k++)
        f.log_priors.push_back(drawn().real());
    return f;
}

// Sum over all sequences.
std::vector<double> by_definition(const frame& f)
{
    const Index order = f.points.size(), rows = f.received.cols();
    std::vector<double> sums(rows * order, 0.0);
    for (Index number = 0; number < std::lround(std::pow(order, rows)); number++) {
        double cost = 0.0;
        std::vector<Index> digits;
        symbols_t sent;
        for (Index n = 0, left = number; n < rows; n++, left /= order) {
            digits.push_back(left % order);
            const bool known = !std::isnan(f.known[n].real());
            sent.push_back(known ? f.known[n] : f.points[digits[n]]);
            if (!known)
                cost -= f.log_priors[n * order + digits[n]];
            for (Index q = 0; q < f.taps.cols(); q++) {
                gr_complex error = f.received(q, n);
                for (Index l = 0; l < f.taps.rows(); l++)
                    error -= f.taps(l, q) * (l <= n ? sent[n - l] : f.past[l - n - 1]);
                cost += std::norm(error) / NOISE;
            }
        }
        for (Index n = 0; n < rows; n++)
            sums[n * order + digits[n]] += std::exp(-cost);
    }
    return sums;
}

std::vector<float> found(const frame& f, kernel::forward_backward& algorithm)
{
    algorithm.set_channel(f.taps, f.points.data());
    algorithm.start(f.past.data());
    for (Index n = 0; n < f.received.cols(); n++) {
        const gr_complex* samples = f.received.col(n).data();
        if (std::isnan(f.known[n].real()))
            algorithm.step(samples, NOISE, &f.log_priors[n * f.points.size()]);
        else
            algorithm.step_known(samples, NOISE, f.known[n]);
    }
    std::vector<float> posteriors(algorithm.num_rows() * f.points.size());
    algorithm.posteriors(posteriors.data());
    return posteriors;
}

void check_is_definition(const frame& f, const std::vector<float>& posteriors)
{
    const std::vector<double> sums = by_definition(f);
    const size_t order = f.points.size();
    for (Index n = 0; n < f.received.cols(); n++) {
        if (!std::isnan(f.known[n].real()))
            continue;
        const auto of_row = sums.begin() + n * order;
        const double most = *std::max_element(of_row, of_row + order);
        for (size_t m = 0; m < order; m++) {
            const double expected = std::log(of_row[m] / most);
            // paths that are not followed are less likely by e^20
            if (expected > -10.0)
                BOOST_TEST(std::abs(posteriors[n * order + m] - expected) < 1e-2);
            else
                BOOST_TEST(posteriors[n * order + m] < -9.9);
        }
    }
}

} // namespace

BOOST_DATA_TEST_CASE(all_states_give_the_posteriors_by_definition,
                     boost::unit_test::data::make({ 1, 2, 3 }) *
                         boost::unit_test::data::make({ 1, 2 }),
                     length,
                     streams)
{
    for (const symbols_t& points : { SQUARE, TRIANGLE }) {
        const frame f = make_frame(points, length, streams, 6);
        kernel::forward_backward algorithm(points.size(), length, 64);
        check_is_definition(f, found(f, algorithm));
    }
}

BOOST_AUTO_TEST_CASE(known_symbols_are_what_they_are)
{
    frame f = make_frame(SQUARE, 3, 1, 6);
    f.known[2] = { 0.3f, -1.0f }; // no point
    f.known[3] = SQUARE[1];
    kernel::forward_backward algorithm(4, 3, 64);
    const std::vector<float> posteriors = found(f, algorithm);
    check_is_definition(f, posteriors);
    for (int m = 0; m < 4; m++)
        BOOST_TEST(posteriors[4 * 2 + m] == 0.0f);
}

BOOST_AUTO_TEST_CASE(buffers_of_a_frame_before_change_nothing)
{
    const frame f = make_frame(SQUARE, 3, 2, 6), other = make_frame(SQUARE, 3, 2, 4);
    kernel::forward_backward used(4, 3, 8), fresh(4, 3, 8);
    found(other, used);
    const std::vector<float> again = found(f, used), once = found(f, fresh);
    BOOST_TEST(again == once);
}

// In a minimum-phase channel few states know nearly as much as all of them.
BOOST_AUTO_TEST_CASE(few_states_are_nearly_all)
{
    constexpr Index ROWS = 400;
    const Eigen::VectorXcf taps{ { 2.0f, { 0.8f, 0.6f }, -0.6f, { 0, 0.4f }, 0.2f } };
    frame f = make_frame(SQUARE, 5, 1, ROWS);
    // another channel: what the drawn one gave is replaced
    kernel::random generator(5);
    symbols_t sent(f.past.rbegin(), f.past.rend());
    f.taps = taps;
    for (Index n = 0; n < ROWS; n++) {
        sent.push_back(SQUARE[generator.below(4)]);
        f.received(0, n) = std::sqrt(NOISE) * gr_complex(generator.complex_gaussian());
        for (Index l = 0; l < 5; l++)
            f.received(0, n) += taps(l) * sent[sent.size() - 1 - l];
    }
    std::fill(f.log_priors.begin(), f.log_priors.end(), 0.0f);
    kernel::forward_backward few(4, 5, 16), all(4, 5, 256);
    const std::vector<float> a = found(f, few), b = found(f, all);
    int differ = 0;
    for (size_t k = 0; k < a.size(); k++) {
        BOOST_REQUIRE(!std::isnan(a[k]));
        differ += std::abs(std::max(a[k], -8.0f) - std::max(b[k], -8.0f)) > 0.5f;
    }
    BOOST_TEST(differ < int(a.size()) / 50);
}

BOOST_AUTO_TEST_CASE(samples_that_are_not_finite_say_nothing)
{
    const float nan = std::numeric_limits<float>::quiet_NaN();
    frame f = make_frame(SQUARE, 3, 1, 8);
    f.received(0, 2) = nan;
    f.received(0, 5) = { std::numeric_limits<float>::infinity(), 0.0f };
    f.received(0, 6) = 1e30f;
    std::fill(f.log_priors.begin(), f.log_priors.end(), 0.0f);
    for (const int states : { 1, 3, 64 }) {
        kernel::forward_backward algorithm(4, 3, states);
        for (const float p : found(f, algorithm))
            BOOST_TEST((p <= 0.0f && !std::isnan(p)));
    }
}

BOOST_AUTO_TEST_CASE(bad_arguments_are_refused)
{
    const auto make = [](size_t points, Index length, int states) {
        return kernel::forward_backward(points, length, states);
    };
    BOOST_CHECK_THROW(make(1, 2, 8), std::invalid_argument);
    BOOST_CHECK_THROW(make(4097, 2, 8), std::invalid_argument);
    BOOST_CHECK_THROW(make(4, 0, 8), std::invalid_argument);
    BOOST_CHECK_THROW(make(4, 2, 0), std::invalid_argument);
    BOOST_CHECK_THROW(make(4, 2, 4097), std::invalid_argument);
    kernel::forward_backward three = make(4, 3, 8);
    BOOST_CHECK_THROW(three.set_channel(MatrixXcf::Ones(2, 1), SQUARE.data()),
                      std::invalid_argument);
}
