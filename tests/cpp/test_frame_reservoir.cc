/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// A network over a whole frame, against the network that steps and plain sums in double precision.

#include "kernel/frame_reservoir.h"
#include "kernel/inner_loops.h"
#include "targets.h"
#include <gnuradio/reservoir/kernel/dense_recurrence.h>
#include <Eigen/Dense>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace gr::reservoir::kernel;
namespace data = boost::unit_test::data;
using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::MatrixXcf;
using Eigen::VectorXcd;

namespace {

// neurons below, at and above the padding; windows that are and are not a power of two; one tap
const auto NEURONS = data::make({ 1, 16, 19, 32 });
const auto WINDOWS = data::make({ 1, 7, 32, 20 });
const auto INPUTS = data::make({ 1, 3, 2, 2 });
constexpr Index SAMPLES = 700, BEHIND = 9;

MatrixXcd noise(Index rows, Index columns, uint64_t seed)
{
    gr::reservoir::kernel::random generator(seed);
    MatrixXcd matrix(rows, columns);
    for (Index i = 0; i < matrix.size(); i++)
        matrix.data()[i] = generator.complex_gaussian();
    return matrix;
}

void check_near(const MatrixXcd& found, const MatrixXcd& expected, double tolerance)
{
    BOOST_REQUIRE(found.rows() == expected.rows() && found.cols() == expected.cols());
    BOOST_TEST((found - expected).norm() <= tolerance * expected.norm());
}

} // namespace

struct frame_scene {
    int neurons, window, inputs;
    MatrixXcf recurrent, input;
    sample_streams samples;
    MatrixXcd features; // of every instant, for samples times two

    frame_scene(int n, int w, int a)
        : frame_scene(
              n, w, a, noise(n, n, 1) * 0.4 / std::sqrt(n), 0.2 / std::sqrt(a * w))
    {
    }

    frame_scene(int n, int w, int a, const MatrixXcd& between, double input_scale)
        : neurons(n),
          window(w),
          inputs(a),
          recurrent(between.cast<std::complex<float>>()),
          input((noise(n, a * w, 2) * input_scale).cast<std::complex<float>>()),
          features(SAMPLES + BEHIND, n + a * w)
    {
        for (int k = 0; k < inputs; k++)
            samples.push_back(noise(SAMPLES, 1, 3 + k));
        MatrixXcd windows = MatrixXcd::Zero(SAMPLES + BEHIND, inputs * window);
        for (int k = 0; k < inputs; k++)
            for (int age = 0; age < window; age++)
                windows.col(k * window + age)
                    .segment(age, std::min(SAMPLES, SAMPLES + BEHIND - age)) =
                    2.0 * samples[k].head(std::min(SAMPLES, SAMPLES + BEHIND - age));
        dense_recurrence network(recurrent, input, activation::magnitude_tanh);
        const MatrixXcf inputs_by_rows = windows.transpose().cast<std::complex<float>>();
        MatrixXcf states(neurons, SAMPLES + BEHIND);
        network.run(inputs_by_rows.data(), SAMPLES + BEHIND, states.data());
        features << states.transpose().cast<std::complex<double>>(), windows;
    }

    frame_reservoir read() const
    {
        frame_reservoir found(recurrent, input, inputs, activation::magnitude_tanh);
        found.read(
            sample_streams(inputs, VectorXcd::Ones(3000)), 1.0, 0); // to be forgotten
        found.read(samples, 2.0, BEHIND);
        return found;
    }
};

BOOST_DATA_TEST_CASE(
    outputs_are_those_of_stepping, NEURONS ^ WINDOWS ^ INPUTS, neurons, window, inputs)
{
    const frame_scene s(neurons, window, inputs);
    const MatrixXcd weights = noise(s.features.cols(), 2, 20);
    for_each_target([&] {
        frame_reservoir network = s.read();
        for (const Index delay : { 0, 5, 9 }) {
            const sample_streams found =
                network.outputs(weights, delay, SAMPLES, { { 0, SAMPLES } });
            const sample_streams some =
                network.outputs(weights, delay, SAMPLES, { { 3, 70 }, { 100, SAMPLES } });
            const MatrixXcd expected = s.features.middleRows(delay, SAMPLES) * weights;
            for (int o = 0; o < 2; o++) {
                check_near(found[o], expected.col(o), 3e-6);
                VectorXcd wanted = found[o];
                wanted.head(3).setZero();
                wanted.segment(70, 30).setZero();
                check_near(some[o], wanted, 1e-6);
            }
        }
    });
}

// Neurons that forget slowly, under inputs too weak to saturate them: no part of the frame may be run by
// itself.
BOOST_AUTO_TEST_CASE(a_network_that_remembers_long)
{
    const frame_scene s(16, 4, 2, 0.98 * MatrixXcd::Identity(16, 16), 0.004);
    for_each_target([&] {
        check_near(s.read().rows({ 0, SAMPLES }), s.features.topRows(SAMPLES), 3e-6);
    });
}

BOOST_DATA_TEST_CASE(sums_are_those_of_features,
                     NEURONS ^ WINDOWS ^ INPUTS,
                     neurons,
                     window_length,
                     inputs)
{
    const frame_scene s(neurons, window_length, inputs);
    const row_range instants{ 4, 404 };
    const MatrixXcd targets = noise(instants.size(), 3, 30);
    ArrayXd weights = ArrayXd::Ones(instants.size());
    weights.head(11) = ArrayXd::LinSpaced(11, 0.01, 0.9);
    const auto rows = s.features.middleRows(instants.first, instants.size());
    for_each_target([&] {
        const frame_reservoir network = s.read();
        check_near(
            network.windows(instants), rows.rightCols(inputs * window_length), 1e-15);
        check_near(network.rows(instants), rows, 3e-7);
        // windows summed over all instants, all but some, or all but more than have weights
        const auto summed =
            std::vector<row_range>{ instants, { 10, 401 }, { 20, 404 }, { 4, 300 } };
        for (int c = 0; c < 8; c++) {
            const bool weighted = c % 2 == 1;
            const row_range some = summed[c / 2];
            const Eigen::VectorXd by =
                weighted ? weights : ArrayXd::Ones(instants.size());
            const normal_equations window = network.window_sums(
                some, targets.middleRows(some.first - instants.first, some.size()));
            const normal_equations found =
                network.sums(window,
                             some,
                             instants,
                             targets,
                             weighted ? ArrayXd(weights.head(11)) : ArrayXd());
            const MatrixXcd gram = rows.adjoint() * by.asDiagonal() * rows;
            const MatrixXcd lower = found.gram.triangularView<Eigen::Lower>();
            check_near(lower, gram.triangularView<Eigen::Lower>(), 1e-6);
            check_near(found.cross, rows.adjoint() * by.asDiagonal() * targets, 1e-6);
            const Eigen::VectorXd energy =
                (by.asDiagonal() * targets.cwiseAbs2()).colwise().sum().transpose();
            check_near(found.energy.matrix().cast<std::complex<double>>(),
                       energy.cast<std::complex<double>>(),
                       1e-13);
            BOOST_TEST(std::abs(found.rows - by.sum()) < 1e-9);

            // the window's share, in double precision
            const Index taps = inputs * window_length;
            const MatrixXcd corner = found.gram.bottomRightCorner(taps, taps);
            const MatrixXcd part = gram.bottomRightCorner(taps, taps);
            check_near(corner.triangularView<Eigen::Lower>(),
                       part.triangularView<Eigen::Lower>(),
                       1e-12);
            check_near(found.cross.bottomRows(taps),
                       rows.rightCols(taps).adjoint() * by.asDiagonal() * targets,
                       1e-12);
        }
    });
}

BOOST_AUTO_TEST_CASE(first_instant_has_no_past)
{
    const frame_scene s(3, 5, 2);
    const MatrixXcd targets = noise(50, 1, 40);
    const MatrixXcd rows = s.features.topRows(50).rightCols(10);
    const normal_equations found = s.read().window_sums({ 0, 50 }, targets);
    const MatrixXcd lower = found.gram.triangularView<Eigen::Lower>();
    const MatrixXcd gram = rows.adjoint() * rows;
    check_near(lower, gram.triangularView<Eigen::Lower>(), 1e-13);
}

BOOST_AUTO_TEST_CASE(overlap_save_filters)
{
    const Index taps = 11, count = 1300;
    const MatrixXcd filters = noise(18, 2 * taps, 50);
    std::vector<Eigen::ArrayXf> re, im;
    std::vector<const float*> from_re, from_im;
    MatrixXcd expected = MatrixXcd::Zero(18, count);
    for (int a = 0; a < 2; a++) {
        VectorXcd x = noise(taps - 1 + count, 1, 60 + a);
        re.push_back(x.real().cast<float>().array());
        im.push_back(x.imag().cast<float>().array());
        for (Index l = 0; l < taps; l++)
            expected +=
                filters.col(a * taps + l) * x.segment(taps - 1 - l, count).transpose();
    }
    for (int a = 0; a < 2; a++) {
        from_re.push_back(re[a].data() + taps - 1);
        from_im.push_back(im[a].data() + taps - 1);
    }
    for_each_target([&] {
        overlap_save bank(filters.cast<std::complex<float>>(), 2);
        // more blocks than fit into one pass, a whole number of blocks, less than one, nothing
        for (const Index some : { count, Index(54), Index(3), Index(0) }) {
            Eigen::ArrayXXf y_re = Eigen::ArrayXXf::Constant(32, count, 7.0f);
            Eigen::ArrayXXf y_im = y_re;
            bank.run(from_re.data(), from_im.data(), some, y_re.data(), y_im.data());
            MatrixXcd found(18, some);
            found.real() = y_re.topLeftCorner(18, some).cast<double>().matrix();
            found.imag() = y_im.topLeftCorner(18, some).cast<double>().matrix();
            check_near(found, expected.leftCols(some), 2e-6);
            BOOST_TEST((y_re.rightCols(count - some) == 7.0f).all());
            BOOST_TEST((y_re.block(18, 0, 14, some) == 0.0f).all());
        }
    });
}
