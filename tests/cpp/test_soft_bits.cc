/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/digital/constellation.h>
#include <gnuradio/reservoir/kernel/random.h>
#include <gnuradio/reservoir/kernel/soft_bits.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace digital = gr::digital;
namespace kernel = gr::reservoir::kernel;

namespace {

// What the labels are of: Gray and natural ones, with a pre_diff_code and without, and one whose
// code is not its own inverse.
digital::constellation_sptr constellation_called(const std::string& name)
{
    const std::vector<gr_complex> square = { { 1, 1 }, { -1, 1 }, { -1, -1 }, { 1, -1 } };
    if (name == "bpsk")
        return digital::constellation_bpsk::make();
    if (name == "qpsk") // has a pre_diff_code, which is not applied
        return digital::constellation_qpsk::make();
    if (name == "dqpsk")
        return digital::constellation_dqpsk::make();
    if (name == "8psk")
        return digital::constellation_8psk::make();
    if (name == "8psk_natural")
        return digital::constellation_8psk_natural::make();
    if (name == "16qam")
        return digital::constellation_16qam::make();
    if (name == "cycle")
        return digital::constellation_calcdist::make(square, { 2, 0, 1, 3 }, 4, 1);
    return digital::constellation_calcdist::make(square, {}, 4, 1);
}

const std::vector<std::string> NAMES = { "bpsk",         "qpsk",  "dqpsk", "8psk",
                                         "8psk_natural", "16qam", "cycle", "plain" };

// log P(y | x) of every point, in noise of variance 0.05
std::vector<float> log_likelihoods(const std::vector<gr_complex>& points, gr_complex y)
{
    std::vector<float> likelihoods;
    for (const auto& point : points)
        likelihoods.push_back(-std::norm(y - point) / 0.05f);
    return likelihoods;
}

} // namespace

BOOST_DATA_TEST_CASE(order_and_sign_are_those_of_calc_soft_dec, NAMES, name)
{
    const auto constellation = constellation_called(name);
    const auto points = constellation->points();
    const kernel::soft_bits soft(kernel::bit_labels(constellation));
    BOOST_REQUIRE_EQUAL(soft.bits(), int(constellation->bits_per_symbol()));
    kernel::random generator(3);
    for (int i = 0; i < 200; i++) {
        const size_t sent = i % points.size();
        const gr_complex y =
            points[sent] + 0.05f * gr_complex(generator.complex_gaussian());
        std::vector<float> llrs(soft.bits());
        soft.ratios(log_likelihoods(points, y).data(), 1, llrs.data());
        const std::vector<float> theirs = constellation->calc_soft_dec(y, 0.1f);
        BOOST_REQUIRE_EQUAL(theirs.size(), llrs.size());
        for (size_t b = 0; b < llrs.size(); b++)
            BOOST_TEST((llrs[b] > 0.0f) == (theirs[b] > 0.0f));
    }
}

BOOST_AUTO_TEST_CASE(ratios_of_bpsk_are_four_y_over_the_noise_variance)
{
    const kernel::soft_bits soft({ 0, 1 });
    const std::vector<float> likelihoods = log_likelihoods({ -1, 1 }, { 0.3f, -2.0f });
    float llr;
    soft.ratios(likelihoods.data(), 1, &llr);
    BOOST_TEST(llr == 4.0f * 0.3f / 0.05f, boost::test_tools::tolerance(1e-4f));
}

BOOST_AUTO_TEST_CASE(ratios_sum_probabilities)
{
    const kernel::soft_bits soft({ 2, 0, 3, 1 });
    // the second symbol up to a factor, as it may be
    const float p[] = { 0.1f, 0.2f, 0.3f, 0.4f, 5.0f, 1.0f, 0.25f, 0.0f };
    std::vector<float> likelihoods, llrs(4);
    for (const float value : p)
        likelihoods.push_back(std::log(value));
    soft.ratios(likelihoods.data(), 2, llrs.data());
    const float expected[] = { std::log(0.4f / 0.6f),
                               std::log(0.7f / 0.3f),
                               std::log(5.25f / 1.0f),
                               std::log(0.25f / 6.0f) };
    for (int k = 0; k < 4; k++)
        BOOST_TEST(llrs[k] == expected[k], boost::test_tools::tolerance(1e-5f));
}

BOOST_AUTO_TEST_CASE(priors_give_their_ratios_back_and_sum_to_one)
{
    const kernel::soft_bits soft({ 5, 2, 0, 7, 1, 6, 3, 4 });
    const std::vector<float> llrs = { 1.0f, -2.5f, 0.25f, -19.0f, 20.0f, 0.0f };
    std::vector<float> priors(16), back(6);
    soft.log_priors(llrs.data(), 2, priors.data());
    for (int n = 0; n < 2; n++) {
        float sum = 0.0f;
        for (int m = 0; m < 8; m++)
            sum += std::exp(priors[8 * n + m]);
        BOOST_TEST(sum == 1.0f, boost::test_tools::tolerance(1e-5f));
    }
    soft.ratios(priors.data(), 2, back.data());
    for (size_t k = 0; k < llrs.size(); k++)
        BOOST_TEST(std::abs(back[k] - llrs[k]) < 1e-4f);
}

BOOST_AUTO_TEST_CASE(moments_are_those_of_the_distribution)
{
    const std::vector<gr_complex> points = { { 1, 1 }, { -1, 1 }, { -1, -1 }, { 1, -1 } };
    const kernel::soft_bits soft({ 0, 1, 3, 2 }); // bit 0: im < 0, bit 1: re < 0
    const std::vector<float> llrs = { 0.0f, 2.0f, 0.0f, 0.0f, -80.0f, 80.0f };
    gr_complex means[3];
    float variances[3];
    soft.moments(llrs.data(), 3, points.data(), means, variances);
    const float t = std::tanh(1.0f);
    BOOST_TEST(std::abs(means[0] - gr_complex(-t, 0)) < 1e-6f);
    BOOST_TEST(variances[0] == 2.0f - t * t, boost::test_tools::tolerance(1e-5f));
    BOOST_TEST(std::abs(means[1]) < 1e-6f);
    BOOST_TEST(variances[1] == 2.0f, boost::test_tools::tolerance(1e-5f));
    BOOST_TEST(std::abs(means[2] - points[1]) < 1e-6f);
    BOOST_TEST(variances[2] < 1e-10f);
}

BOOST_AUTO_TEST_CASE(nothing_gives_nan)
{
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    const std::vector<float> odd = { nan,    infinity, -infinity, 1e30f,
                                     -1e30f, 0.0f,     nan,       nan };
    const std::vector<gr_complex> points = { 1, { 0, 1 }, -1, { 0, -1 } };
    const kernel::soft_bits soft({ 0, 1, 3, 2 });
    std::vector<float> llrs(4), priors(16), variances(4);
    std::vector<gr_complex> means(4);
    soft.ratios(odd.data(), 2, llrs.data());
    for (const float llr : llrs)
        BOOST_TEST(std::abs(llr) <= kernel::soft_bits::MAX_RATIO);
    soft.log_priors(odd.data(), 4, priors.data());
    for (const float prior : priors)
        BOOST_TEST(std::isfinite(prior));
    soft.moments(odd.data(), 4, points.data(), means.data(), variances.data());
    for (int n = 0; n < 4; n++)
        BOOST_TEST((std::isfinite(std::abs(means[n])) && std::isfinite(variances[n]) &&
                    variances[n] >= 0.0f));
    const std::vector<float> none(4, nan);
    soft.ratios(none.data(), 1, llrs.data());
    BOOST_TEST(llrs[0] == 0.0f);
    std::vector<float> clipped = odd;
    kernel::clip_ratios(clipped.data(), clipped.size(), 8.0f);
    const std::vector<float> expected = { 0, 8, -8, 8, -8, 0, 0, 0 };
    BOOST_TEST(clipped == expected);
}

BOOST_AUTO_TEST_CASE(bad_labels_are_refused)
{
    const std::vector<std::vector<int>> bad = { {},       { 0 },         { 0, 1, 2 },
                                                { 0, 0 }, { 0, 2 },      { -1, 1 },
                                                { 1, 2 }, { 0, 1, 3, 3 } };
    for (const auto& labels : bad)
        BOOST_CHECK_THROW(kernel::soft_bits{ labels }, std::invalid_argument);
    BOOST_CHECK_THROW(kernel::soft_bits(std::vector<int>(8192)), std::invalid_argument);
    BOOST_CHECK_THROW(kernel::bit_labels(nullptr), std::invalid_argument);
    BOOST_CHECK_THROW(kernel::bit_labels(digital::constellation_calcdist::make(
                          { 1, -1, 1, 1 }, {}, 2, 2)),
                      std::invalid_argument);
}
