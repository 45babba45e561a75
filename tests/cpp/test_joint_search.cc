/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/joint_search.h>
#include <gnuradio/reservoir/kernel/random.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace kernel = gr::reservoir::kernel;
using Eigen::Index;
using Eigen::VectorXcd;
using kernel::mimo_matrix;
using kernel::mimo_vector;
typedef std::complex<double> cdouble;

namespace {

constexpr double ROUNDING = 1e-9; // of distances, which are of the order of one

VectorXcd grid(int wide, int high, cdouble step = { 1.0, 1.0 })
{
    VectorXcd points(wide * high);
    for (int i = 0; i < wide; i++)
        for (int j = 0; j < high; j++)
            points(i * high + j) = { step.real() * (i - 0.5 * (wide - 1)),
                                     step.imag() * (j - 0.5 * (high - 1)) };
    return points;
}

VectorXcd ring(int count, double turn = 0.0)
{
    VectorXcd points(count);
    for (int k = 0; k < count; k++)
        points(k) = std::polar(1.0, turn + 2.0 * M_PI * k / count);
    return points;
}

VectorXcd listed(const std::vector<cdouble>& values)
{
    return Eigen::Map<const VectorXcd>(values.data(), values.size());
}

const std::map<std::string, VectorXcd> CONSTELLATIONS = {
    { "bpsk", ring(2) },
    { "qpsk", ring(4, M_PI / 4) },
    { "turned qpsk", ring(4) },
    { "8psk", ring(8) },
    { "16qam", grid(4, 4) / std::sqrt(2.5) },
    { "64qam", grid(8, 8) / std::sqrt(10.5) },
    { "wide grid", grid(5, 2, { 0.3, 2.0 }) },
    { "unequal steps",
      listed({ { 0, 0 }, { 1, 0 }, { 3, 0 }, { 0, 1 }, { 1, 1 }, { 3, 1 } }) },
    { "off centre", VectorXcd(grid(3, 3).array() + cdouble(7.0, -4.0)) },
    { "one point", listed({ { 0.3, -2.0 } }) },
    { "zero", listed({ 0.0 }) },
    { "the same point twice", listed({ 1.0, 1.0 }) },
    { "a corner missing", listed({ { 0, 0 }, { 0, 1 }, { 1, 0 }, { 0, 0 } }) },
};

std::vector<std::string> names()
{
    std::vector<std::string> found;
    for (const auto& entry : CONSTELLATIONS)
        found.push_back(entry.first);
    return found;
}

mimo_matrix random_channel(kernel::random& generator, Index antennas, Index streams)
{
    mimo_matrix channel(antennas, streams);
    for (Index j = 0; j < streams; j++)
        for (Index r = 0; r < antennas; r++)
            channel(r, j) = generator.complex_gaussian();
    return channel;
}

mimo_vector symbols(const VectorXcd& points, const std::vector<int>& which, Index streams)
{
    mimo_vector made(streams);
    for (Index j = 0; j < streams; j++)
        made(j) = points(which[j]);
    return made;
}

double distance(const VectorXcd& points,
                const mimo_matrix& channel,
                const mimo_vector& samples,
                const std::vector<int>& which)
{
    return (samples - channel * symbols(points, which, channel.cols())).squaredNorm();
}

double least_distance(const VectorXcd& points,
                      const mimo_matrix& channel,
                      const mimo_vector& samples)
{
    const Index streams = channel.cols();
    double least = std::numeric_limits<double>::infinity();
    std::vector<int> which(streams, 0);
    for (bool more = true; more;) {
        least = std::min(least, distance(points, channel, samples, which));
        more = false;
        for (Index j = 0; j < streams && !more; j++) {
            which[j] = (which[j] + 1) % points.size();
            more = which[j] > 0;
        }
    }
    return least;
}

struct trial {
    mimo_matrix channel;
    mimo_vector samples;
    std::vector<int> sent;
};

trial draw(kernel::random& generator,
           const VectorXcd& points,
           Index antennas,
           Index streams,
           double deviation)
{
    trial made;
    made.channel = random_channel(generator, antennas, streams);
    for (Index j = 0; j < streams; j++)
        made.sent.push_back(int(generator.below(points.size())));
    made.samples = made.channel * symbols(points, made.sent, streams);
    for (Index r = 0; r < antennas; r++)
        made.samples(r) += deviation * generator.complex_gaussian();
    return made;
}

} // namespace

BOOST_DATA_TEST_CASE(nearest_is_that_of_all_points, names(), name)
{
    const VectorXcd& points = CONSTELLATIONS.at(name);
    const kernel::point_slicer slicer(points);
    BOOST_TEST(slicer.points() == points);
    kernel::random generator(1);
    const auto check = [&](cdouble value) {
        const int found = slicer.nearest(value);
        BOOST_REQUIRE(found >= 0 && found < points.size());
        const double least = (points.array() - value).abs().minCoeff();
        BOOST_TEST(std::abs(points(found) - value) <= least + ROUNDING);
    };
    for (int n = 0; n < 2000; n++)
        check(points.mean() + 1.5 * generator.complex_gaussian());
    for (const cdouble point : points)
        check(point);
    for (const cdouble far : { cdouble(1e6, 0), cdouble(-1e6, 3e5), cdouble(0, -1e6) })
        check(far);
}

BOOST_AUTO_TEST_CASE(a_value_that_is_infinite_has_some_point)
{
    constexpr double INF = std::numeric_limits<double>::infinity();
    for (const auto& [name, points] : CONSTELLATIONS) {
        const kernel::point_slicer slicer(points);
        for (const cdouble value : { cdouble(INF, 0), cdouble(-INF, INF) }) {
            const int found = slicer.nearest(value);
            BOOST_TEST_CONTEXT(name) BOOST_TEST((found >= 0 && found < points.size()));
        }
    }
}

BOOST_AUTO_TEST_CASE(no_points_are_refused)
{
    BOOST_CHECK_THROW(kernel::point_slicer{ VectorXcd() }, std::invalid_argument);
    BOOST_CHECK_THROW(kernel::joint_search{ VectorXcd() }, std::invalid_argument);
}

BOOST_DATA_TEST_CASE(two_streams_are_searched_exactly, names(), name)
{
    const VectorXcd& points = CONSTELLATIONS.at(name);
    kernel::joint_search search(points);
    kernel::random generator(2);
    for (const Index antennas : { 2, 3 })
        for (const double deviation : { 0.05, 0.5, 2.0 })
            for (int n = 0; n < 40; n++) {
                const trial made = draw(generator, points, antennas, 2, deviation);
                search.set_channel(made.channel);
                const double found = distance(
                    points, made.channel, made.samples, search.decide(made.samples));
                const double least = least_distance(points, made.channel, made.samples);
                BOOST_TEST(found <= least + ROUNDING * (1.0 + least));
            }
}

BOOST_AUTO_TEST_CASE(one_stream_is_the_matched_filters_slice)
{
    const VectorXcd points = CONSTELLATIONS.at("16qam");
    kernel::joint_search search(points);
    const kernel::point_slicer slicer(points);
    kernel::random generator(3);
    for (int n = 0; n < 200; n++) {
        const trial made = draw(generator, points, 1 + n % 4, 1, 0.3);
        search.set_channel(made.channel);
        const cdouble matched = made.channel.col(0).dot(made.samples);
        BOOST_TEST(search.decide(made.samples)[0] ==
                   slicer.nearest(matched / made.channel.squaredNorm()));
    }
}

// 16 sequences of two streams are all that QPSK has, and the third one is sliced.
BOOST_AUTO_TEST_CASE(three_streams_of_qpsk_are_searched_exactly)
{
    const VectorXcd points = CONSTELLATIONS.at("qpsk");
    kernel::joint_search search(points);
    kernel::random generator(4);
    for (int n = 0; n < 300; n++) {
        const trial made = draw(generator, points, 3 + n % 2, 3, 0.1 * (1 + n % 8));
        search.set_channel(made.channel);
        const double found =
            distance(points, made.channel, made.samples, search.decide(made.samples));
        const double least = least_distance(points, made.channel, made.samples);
        BOOST_TEST(found <= least + ROUNDING * (1.0 + least));
    }
}

// The search keeps 16 of 64 sequences: with noise at -10 dB it may miss the best one, but rarely.
BOOST_AUTO_TEST_CASE(four_streams_of_qpsk_are_searched_almost_exactly)
{
    const VectorXcd points = CONSTELLATIONS.at("qpsk");
    kernel::joint_search search(points);
    kernel::random generator(5);
    int missed = 0;
    for (int n = 0; n < 1000; n++) {
        const trial made = draw(generator, points, 4, 4, 0.3);
        search.set_channel(made.channel);
        const double found =
            distance(points, made.channel, made.samples, search.decide(made.samples));
        const double least = least_distance(points, made.channel, made.samples);
        BOOST_TEST(found >= least - ROUNDING);
        missed += found > least + ROUNDING;
    }
    BOOST_TEST(missed <= 20);
}

// Without noise what was sent has distance zero at every step, so that no search loses it.
BOOST_DATA_TEST_CASE(without_noise_all_streams_are_found,
                     boost::unit_test::data::xrange(1, kernel::MAX_ANTENNAS + 1),
                     streams)
{
    const VectorXcd points = CONSTELLATIONS.at("16qam");
    kernel::joint_search search(points);
    kernel::random generator(6);
    for (int n = 0; n < 20; n++) {
        const Index antennas =
            streams + Index(generator.below(kernel::MAX_ANTENNAS - streams + 1));
        const trial made = draw(generator, points, antennas, streams, 0.0);
        search.set_channel(made.channel);
        BOOST_TEST(search.decide(made.samples) == made.sent,
                   boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(a_permutation_of_streams_permutes_decisions)
{
    const VectorXcd points = CONSTELLATIONS.at("8psk");
    kernel::joint_search search(points), other(points);
    kernel::random generator(7);
    for (int n = 0; n < 50; n++) {
        const trial made = draw(generator, points, 2, 2, 0.3);
        search.set_channel(made.channel);
        other.set_channel(made.channel.rowwise().reverse());
        const std::vector<int> forwards = search.decide(made.samples);
        const std::vector<int> backwards = other.decide(made.samples);
        BOOST_TEST(forwards[0] == backwards[1]);
        BOOST_TEST(forwards[1] == backwards[0]);
    }
}

// Nothing is wanted of the decisions but that they are points, and as near as can be.
BOOST_AUTO_TEST_CASE(channels_without_full_rank)
{
    const VectorXcd points = CONSTELLATIONS.at("16qam");
    kernel::joint_search search(points);
    kernel::random generator(8);
    for (const Index streams : { 1, 2, 4, 8 }) {
        const mimo_matrix one = random_channel(generator, 8, 1);
        mimo_matrix silent = random_channel(generator, 8, streams);
        silent.col(0).setZero();
        for (const mimo_matrix& channel : { mimo_matrix(mimo_matrix::Zero(8, streams)),
                                            mimo_matrix(one.replicate(1, streams)),
                                            silent,
                                            mimo_matrix(1e-200 * silent),
                                            mimo_matrix(1e100 * silent) }) {
            search.set_channel(channel);
            const mimo_vector samples = random_channel(generator, 8, 1);
            for (const double scale : { 0.0, 1.0, 1e30 }) {
                const std::vector<int> found = search.decide(scale * samples);
                BOOST_REQUIRE(found.size() == size_t(streams));
                for (const int point : found)
                    BOOST_TEST((point >= 0 && point < points.size()));
            }
        }
    }
    // a stream that nobody hears does not disturb the other one
    mimo_matrix channel = random_channel(generator, 2, 2);
    channel.col(1).setZero();
    search.set_channel(channel);
    BOOST_TEST(search.decide(channel.col(0) * points(5))[0] == 5);
}

namespace {

// Of all sequences with this point of this stream.
double
least_distance_with(const VectorXcd& points, const trial& made, Index stream, int point)
{
    const mimo_vector rest = made.samples - made.channel.col(stream) * points(point);
    mimo_matrix others(made.channel.rows(), made.channel.cols() - 1);
    for (Index j = 0, k = 0; j < made.channel.cols(); j++)
        if (j != stream)
            others.col(k++) = made.channel.col(j);
    return others.cols() == 0 ? rest.squaredNorm() : least_distance(points, others, rest);
}

} // namespace

// But for a constant, where there are more antennas than streams.
BOOST_DATA_TEST_CASE(log_likelihoods_of_up_to_two_streams_are_exact, names(), name)
{
    const VectorXcd& points = CONSTELLATIONS.at(name);
    kernel::joint_search search(points);
    kernel::random generator(9);
    Eigen::MatrixXd found;
    for (const Index streams : { 1, 2 })
        for (int n = 0; n < 10; n++) {
            const trial made = draw(generator, points, streams + n % 2, streams, 0.4);
            search.set_channel(made.channel);
            search.log_likelihoods(made.samples, found);
            BOOST_REQUIRE(found.rows() == points.size());
            BOOST_REQUIRE(found.cols() == streams);
            const double constant = found(0, 0) + least_distance_with(points, made, 0, 0);
            if (made.channel.rows() == streams)
                BOOST_TEST(std::abs(constant) < ROUNDING * 100);
            for (Index j = 0; j < streams; j++)
                for (Index p = 0; p < points.size(); p++) {
                    const double least = least_distance_with(points, made, j, int(p));
                    BOOST_TEST(std::abs(found(p, j) + least - constant) <
                               ROUNDING * (1.0 + least));
                }
        }
}

// Of three streams of QPSK all 64 sequences are in the list; of four the nearer half.
BOOST_AUTO_TEST_CASE(log_likelihoods_of_more_streams)
{
    const VectorXcd points = CONSTELLATIONS.at("qpsk");
    kernel::joint_search search(points);
    kernel::random generator(10);
    Eigen::MatrixXd found;
    for (int n = 0; n < 20; n++) {
        for (const Index streams : { 3, 4 }) {
            const trial made = draw(generator, points, streams, streams, 0.2);
            search.set_channel(made.channel);
            search.log_likelihoods(made.samples, found);
            const std::vector<int> decided = search.decide(made.samples);
            for (Index j = 0; j < streams; j++) {
                Index best;
                found.col(j).maxCoeff(&best);
                BOOST_TEST(best == decided[j]);
                for (Index p = 0; p < points.size() && streams == 3; p++) {
                    const double least = least_distance_with(points, made, j, int(p));
                    BOOST_TEST(std::abs(found(p, j) + least) < ROUNDING * (1.0 + least));
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(more_streams_than_antennas_are_refused)
{
    kernel::joint_search search(CONSTELLATIONS.at("qpsk"));
    BOOST_CHECK_THROW(search.set_channel(mimo_matrix::Ones(2, 3)), std::invalid_argument);
    BOOST_CHECK_THROW(search.set_channel(mimo_matrix(2, 0)), std::invalid_argument);
}
