/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/carrier_offset.h>
#include <gnuradio/reservoir/kernel/joint_channel.h>
#include <gnuradio/reservoir/kernel/oscillator.h>
#include <gnuradio/reservoir/kernel/random.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace kernel = gr::reservoir::kernel;
namespace data = boost::unit_test::data;
using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;
using kernel::row_range;
using kernel::sample_streams;
typedef std::complex<double> cdouble;

namespace {

constexpr double ROUNDING = 1e-9;

sample_streams drawn(Index streams, Index size, int seed, double deviation = 1.0)
{
    kernel::random generator(seed);
    sample_streams made(streams, VectorXcd(size));
    for (auto& stream : made)
        for (auto& value : stream)
            value = deviation * generator.complex_gaussian();
    return made;
}

cdouble at(const VectorXcd& values, Index n)
{
    return n >= 0 && n < values.size() ? values(n) : cdouble(0.0);
}

// What the channel makes of the streams, its first tap timing symbols early, and noise.
sample_streams received_from(const sample_streams& sent,
                             const MatrixXcd& taps,
                             Index timing,
                             double noise)
{
    sample_streams made =
        kernel::delayed(kernel::joint_channel_output(sent, taps), -timing);
    const sample_streams added = drawn(made.size(), made[0].size(), 99, noise);
    for (size_t q = 0; q < made.size(); q++)
        made[q] += added[q];
    return made;
}

MatrixXcd drawn_taps(Index length, Index streams, Index inputs)
{
    MatrixXcd taps(length * streams, inputs);
    const sample_streams values = drawn(inputs, length * streams, 5);
    for (Index q = 0; q < inputs; q++)
        taps.col(q) = values[q];
    return taps;
}

} // namespace

// by the definition, over the ends of what there is, too
BOOST_DATA_TEST_CASE(sums_are_what_they_say,
                     data::make({ 1, 2, 3 }) * data::make({ -2, 0, 1 }) *
                         data::make({ -1, 0, 2 }),
                     streams,
                     first_lag,
                     timing)
{
    const Index lags = 4, inputs = 2;
    const sample_streams sent = drawn(streams, 30, 1), received = drawn(inputs, 32, 2);
    const row_range rows = { 1, 29 };
    const kernel::joint_sums sums =
        kernel::sum_joint_lags(received, timing, sent, rows, lags, first_lag);
    BOOST_TEST(sums.weight == 28.0);
    BOOST_TEST(sums.streams == streams);
    const auto known = [&](Index n, Index row) {
        return at(sent[row % streams], n - first_lag - row / streams);
    };
    MatrixXcd gram = MatrixXcd::Zero(lags * streams, lags * streams);
    MatrixXcd cross = MatrixXcd::Zero(lags * streams, inputs);
    MatrixXcd power = MatrixXcd::Zero(inputs, inputs);
    for (Index n = rows.first; n < rows.last; n++)
        for (Index a = 0; a < gram.rows(); a++) {
            for (Index b = 0; b < gram.cols(); b++)
                gram(a, b) += std::conj(known(n, a)) * known(n, b);
            for (Index q = 0; q < inputs; q++)
                cross(a, q) += std::conj(known(n, a)) * at(received[q], n - timing);
        }
    for (Index n = rows.first; n < rows.last; n++)
        for (Index p = 0; p < inputs; p++)
            for (Index q = 0; q < inputs; q++)
                power(p, q) +=
                    std::conj(at(received[p], n - timing)) * at(received[q], n - timing);
    BOOST_TEST((sums.gram - gram).norm() < ROUNDING);
    BOOST_TEST((sums.cross - cross).norm() < ROUNDING);
    BOOST_TEST((sums.received - power).norm() < ROUNDING);
}

BOOST_AUTO_TEST_CASE(channel_without_noise_is_found)
{
    const MatrixXcd taps = drawn_taps(3, 2, 3);
    const sample_streams sent = drawn(2, 60, 3);
    const sample_streams received = received_from(sent, taps, 0, 0.0);
    const kernel::joint_sums sums =
        kernel::sum_joint_lags(received, 0, sent, { 2, 60 }, 3);
    BOOST_TEST((sums.taps(0.0) - taps).norm() < ROUNDING);
    BOOST_TEST(sums.residual(taps).norm() < ROUNDING * sums.received.norm());
}

// as the rows' errors themselves have it
BOOST_AUTO_TEST_CASE(residual_is_that_of_the_rows)
{
    const MatrixXcd taps = drawn_taps(3, 2, 3), others = drawn_taps(3, 2, 3).reverse();
    const sample_streams sent = drawn(2, 60, 3);
    const sample_streams received = received_from(sent, taps, 0, 0.5);
    const sample_streams model = kernel::joint_channel_output(sent, others);
    MatrixXcd errors(58, 3);
    for (Index q = 0; q < 3; q++)
        errors.col(q) = (received[q] - model[q]).tail(58);
    const MatrixXcd found =
        kernel::sum_joint_lags(received, 0, sent, { 2, 60 }, 3).residual(others);
    BOOST_TEST((found - errors.adjoint() * errors).norm() < ROUNDING * found.norm());
}

BOOST_DATA_TEST_CASE(window_is_found, data::make({ -5, -1, 0, 2, 4 }), timing)
{
    const MatrixXcd taps = drawn_taps(5, 2, 2);
    const sample_streams sent = drawn(2, 160, 4);
    const kernel::channel_window found = kernel::select_joint_window(
        received_from(sent, taps, timing, 0.1), sent, { 0, 140 });
    BOOST_TEST(found.timing == timing);
    BOOST_TEST(found.length == 5);
}

// noise that all antennas hear, as strong as the signal, does not hide weak taps
BOOST_AUTO_TEST_CASE(window_is_found_in_interference)
{
    MatrixXcd taps = drawn_taps(5, 2, 3);
    taps.bottomRows(4) *= 0.2;
    const sample_streams sent = drawn(2, 160, 4);
    sample_streams received = received_from(sent, taps, 0, 0.05);
    const VectorXcd other = drawn(1, 160, 8)[0];
    for (size_t q = 0; q < received.size(); q++)
        received[q] += std::polar(2.0, 1.3 * q) * other;
    const kernel::channel_window found =
        kernel::select_joint_window(received, sent, { 0, 140 });
    BOOST_TEST(found.timing == 0);
    BOOST_TEST(found.length == 5);
}

BOOST_AUTO_TEST_CASE(window_of_few_symbols)
{
    const sample_streams few = drawn(2, 2, 4);
    const kernel::channel_window found = kernel::select_joint_window(few, few, { 0, 2 });
    BOOST_TEST(found.timing == 0);
    BOOST_TEST(found.length == 1);
}

BOOST_DATA_TEST_CASE(carrier_offset_is_found,
                     data::make({ -2e-3, 3e-4, 1e-3 }),
                     frequency)
{
    const MatrixXcd taps = drawn_taps(4, 2, 2);
    const sample_streams sent = drawn(2, 128, 6);
    sample_streams received = received_from(sent, taps, 0, 0.1);
    for (auto& stream : received) {
        const VectorXcd still = stream;
        kernel::oscillator(frequency).turn(still.data(), 0, still.size(), stream.data());
    }
    const kernel::carrier_offset found =
        kernel::find_joint_carrier_offset(received, sent, { 0, 128 }, { 0, 4 }, 5e-3);
    BOOST_TEST(found.significant);
    BOOST_TEST(std::abs(found.frequency - frequency) < 5e-5);
}
