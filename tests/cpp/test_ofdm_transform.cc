/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/ofdm_transform.h>
#include <gnuradio/reservoir/kernel/random.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <stdexcept>
#include <vector>

namespace kernel = gr::reservoir::kernel;
using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;

namespace {

constexpr double ROUNDING = 1e-12;

MatrixXcd random_matrix(Index rows, Index columns, uint64_t seed)
{
    kernel::random generator(seed);
    MatrixXcd drawn(rows, columns);
    for (Index j = 0; j < columns; j++)
        for (Index i = 0; i < rows; i++)
            drawn(i, j) = generator.complex_gaussian();
    return drawn;
}

} // namespace

// powers of two and others
BOOST_DATA_TEST_CASE(samples_and_carriers_are_inverse,
                     boost::unit_test::data::make({ 2, 7, 12, 64, 100, 1024 }),
                     fft_len)
{
    kernel::ofdm_transform transform(fft_len, { fft_len / 4 });
    const MatrixXcd sent = random_matrix(fft_len, 5, 1);
    const VectorXcd samples = transform.samples(sent);
    BOOST_TEST(samples.size() == 5 * (fft_len + fft_len / 4));
    BOOST_TEST((transform.carriers(samples, 5) - sent).norm() < ROUNDING * sent.norm());
    // fewer than there are
    const MatrixXcd two = transform.carriers(samples, 2);
    BOOST_TEST(two.cols() == 2);
    BOOST_TEST((two - sent.leftCols(2)).norm() < ROUNDING * sent.norm());
}

// X[k] = 1/sqrt(N) sum_n x[n] exp(-2 pi i k n / N)
BOOST_AUTO_TEST_CASE(carrier_one_turns_forwards)
{
    constexpr int N = 16;
    kernel::ofdm_transform transform(N, { 3 });
    MatrixXcd sent = MatrixXcd::Zero(N, 1);
    sent(1, 0) = 2.0;
    const VectorXcd samples = transform.samples(sent);
    for (int n = -3; n < N; n++) {
        const auto wanted = std::polar(2.0 / std::sqrt(double(N)), 2.0 * M_PI * n / N);
        BOOST_TEST(std::abs(samples(n + 3) - wanted) < ROUNDING);
    }
}

BOOST_AUTO_TEST_CASE(transform_is_unitary)
{
    kernel::ofdm_transform transform(64, { 0 });
    const MatrixXcd sent = random_matrix(64, 3, 2);
    BOOST_TEST(transform.samples(sent).norm() == sent.norm(),
               boost::test_tools::tolerance(ROUNDING));
}

BOOST_AUTO_TEST_CASE(prefix_is_the_symbols_end)
{
    const std::vector<int> lengths = { 5, 0, 8 };
    kernel::ofdm_transform transform(8, lengths);
    const VectorXcd samples = transform.samples(random_matrix(8, 7, 3));
    for (Index n = 0; n < 7; n++) {
        const Index prefix = lengths[n % 3];
        const auto symbol = samples.segment(transform.begin(n), prefix + 8);
        BOOST_TEST(symbol.head(prefix) == symbol.tail(prefix));
    }
}

BOOST_AUTO_TEST_CASE(prefixes_in_turns)
{
    // one slot of LTE
    kernel::ofdm_transform transform(128, { 10, 9, 9, 9, 9, 9, 9 });
    BOOST_TEST(transform.longest_cp() == 10);
    Index begin = 0;
    for (Index n = 0; n < 30; n++) {
        BOOST_TEST(transform.begin(n) == begin);
        BOOST_TEST(transform.cp_len(n) == (n % 7 == 0 ? 10 : 9));
        begin += 128 + transform.cp_len(n);
    }
    BOOST_TEST(transform.begin(7) == 960); // 0.5 ms at 1.92 MS/s
    const MatrixXcd sent = random_matrix(128, 15, 4);
    const MatrixXcd back = transform.carriers(transform.samples(sent), 15);
    BOOST_TEST((back - sent).norm() < ROUNDING * sent.norm());
}

BOOST_AUTO_TEST_CASE(only_whole_symbols_count)
{
    const kernel::ofdm_transform transform(16, { 4, 2 });
    BOOST_TEST(transform.num_symbols(0) == 0);
    for (Index n = 1; n < 9; n++) {
        BOOST_TEST(transform.num_symbols(transform.begin(n) - 1) == n - 1);
        BOOST_TEST(transform.num_symbols(transform.begin(n)) == n);
        BOOST_TEST(transform.num_symbols(transform.begin(n) + 1) == n);
    }
}

// A channel within the prefix multiplies carriers, one beyond it does not.
BOOST_AUTO_TEST_CASE(delay_within_the_prefix_is_a_phase)
{
    constexpr int N = 32, PREFIX = 6;
    kernel::ofdm_transform transform(N, { PREFIX });
    const MatrixXcd sent = random_matrix(N, 4, 5);
    const VectorXcd samples = transform.samples(sent);
    const auto error = [&](Index delay) {
        VectorXcd late = VectorXcd::Zero(samples.size());
        late.tail(samples.size() - delay) = samples.head(samples.size() - delay);
        MatrixXcd left = transform.carriers(late, 4);
        for (Index k = 0; k < N; k++)
            left.row(k) -= std::polar(1.0, -2.0 * M_PI * k * delay / N) * sent.row(k);
        return left.norm() / sent.norm();
    };
    BOOST_TEST(error(0) < ROUNDING);
    BOOST_TEST(error(PREFIX) < ROUNDING);
    BOOST_TEST(error(PREFIX + 1) > 0.01);
}

BOOST_AUTO_TEST_CASE(bad_lengths_are_refused)
{
    typedef kernel::ofdm_transform transform;
    BOOST_CHECK_THROW(transform(1, { 0 }), std::invalid_argument);
    BOOST_CHECK_THROW(transform(8, {}), std::invalid_argument);
    BOOST_CHECK_THROW(transform(8, { 9 }), std::invalid_argument);
    BOOST_CHECK_THROW(transform(8, { 2, -1 }), std::invalid_argument);
    BOOST_CHECK_NO_THROW(transform(8, { 8 }));
}
