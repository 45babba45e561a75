/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/mixer_image.h>
#include <gnuradio/reservoir/kernel/random.h>

#include <boost/test/unit_test.hpp>

namespace kernel = gr::reservoir::kernel;
using Eigen::Index;
using Eigen::VectorXcd;
using kernel::sample_streams;
typedef std::complex<double> cdouble;

namespace {

constexpr Index SIZE = 600;
constexpr kernel::row_range ROWS = { 7, SIZE };
const cdouble DIRECT(1.05, 0.04), IMAGE(-0.06, 0.045);

VectorXcd drawn(kernel::random& generator)
{
    VectorXcd samples(SIZE);
    for (cdouble& value : samples)
        value = generator.complex_gaussian();
    return samples;
}

} // namespace

BOOST_AUTO_TEST_CASE(image_is_found_and_taken_away)
{
    kernel::random generator(1);
    const sample_streams sent = { drawn(generator), drawn(generator) };
    const sample_streams received = { DIRECT * sent[0] + IMAGE * sent[0].conjugate(),
                                      sent[1] };
    const VectorXcd found = kernel::fit_mixer_image(received, sent, ROWS);
    BOOST_TEST(std::abs(found(0) - IMAGE / std::conj(DIRECT)) < 1e-12);
    BOOST_TEST(std::abs(found(1)) < 1e-12);
    const sample_streams clean = kernel::without_image(received, found);
    BOOST_TEST((clean[0] - DIRECT * sent[0]).norm() < 1e-10);
    BOOST_TEST((clean[1] - sent[1]).norm() < 1e-10);
}

BOOST_AUTO_TEST_CASE(none_where_there_is_none)
{
    for (int seed = 1; seed <= 20; seed++) {
        kernel::random generator(seed);
        const sample_streams sent = { drawn(generator) };
        const sample_streams received = { cdouble(0.2, -0.9) * sent[0] +
                                          0.1 * drawn(generator) };
        BOOST_TEST(kernel::fit_mixer_image(received, sent, ROWS)(0) == 0.0);
    }
    const sample_streams silence = { VectorXcd::Zero(SIZE) };
    BOOST_TEST(kernel::fit_mixer_image(silence, silence, ROWS)(0) == 0.0);
}

// 24 dB below the signal, in noise at 20 dB.
BOOST_AUTO_TEST_CASE(image_below_the_noise)
{
    kernel::random generator(3);
    const sample_streams sent = { drawn(generator) };
    const sample_streams received = { sent[0] + IMAGE * sent[0].conjugate() +
                                      0.1 * drawn(generator) };
    const VectorXcd found = kernel::fit_mixer_image(received, sent, ROWS);
    BOOST_TEST(std::abs(found(0) - IMAGE) < 0.015);
}
