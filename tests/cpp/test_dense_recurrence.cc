/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/dense_recurrence.h>
#include <boost/test/unit_test.hpp>

using namespace gr::reservoir::kernel;
namespace kernel = gr::reservoir::kernel;
typedef std::complex<float> complexf;

BOOST_AUTO_TEST_CASE(states_follow_the_equation)
{
    for (auto function :
         { activation::identity, activation::magnitude_tanh, activation::split_tanh }) {
        kernel::random generator(1);
        const int neurons = 19, inputs = 5, steps = 50;
        const auto w = random_recurrent_weights(neurons, 0.8, 0.3, generator);
        const auto u = random_input_weights(neurons, inputs, 0.5, generator);
        dense_recurrence network(w, u, function);
        Eigen::MatrixXcf in(inputs, steps), states(neurons, steps);
        for (auto& value : in.reshaped())
            value = complexf(generator.complex_gaussian());
        network.run(in.data(), steps, states.data()); // column-major: a column a step

        Eigen::VectorXcd s = Eigen::VectorXcd::Zero(neurons);
        for (int n = 0; n < steps; n++) {
            s = w.cast<std::complex<double>>() * s +
                u.cast<std::complex<double>>() * in.col(n).cast<std::complex<double>>();
            for (auto& z : s)
                z = apply(function, z);
            BOOST_TEST((states.col(n).cast<std::complex<double>>() - s).norm() < 1e-5);
        }
    }
}

BOOST_AUTO_TEST_CASE(random_weights_have_the_radius_and_norms_asked_for)
{
    kernel::random generator(2);
    const auto w = random_recurrent_weights(40, 0.7, 0.5, generator);
    BOOST_TEST(std::abs(spectral_radius(w) - 0.7) < 1e-5);
    const double zeros = (w.cwiseAbs().array() == 0.0F).count() / 1600.0;
    BOOST_TEST(std::abs(zeros - 0.5) < 0.06);
    const auto u = random_input_weights(40, 24, 0.05, generator);
    for (const auto row : u.rowwise())
        BOOST_TEST(std::abs(row.norm() - 0.05) < 1e-6);
    BOOST_TEST(random_recurrent_weights(8, 0.0, 0.0, generator).norm() == 0.0F);
}

// The first weights of seed 1: the same network on every machine.
BOOST_AUTO_TEST_CASE(a_seed_is_a_network)
{
    kernel::random first(1), second(1), other(2);
    const auto w = random_recurrent_weights(16, 0.9, 0.2, first);
    BOOST_TEST((w - random_recurrent_weights(16, 0.9, 0.2, second)).norm() == 0.0F);
    BOOST_TEST((w - random_recurrent_weights(16, 0.9, 0.2, other)).norm() > 0.1F);
}

BOOST_AUTO_TEST_CASE(a_network_without_cycles_is_refused)
{
    kernel::random generator(3);
    BOOST_CHECK_THROW(random_recurrent_weights(1, 0.5, 0.999999, generator),
                      std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(modes_reproduce_the_matrix)
{
    kernel::random generator(4);
    const auto w = random_recurrent_weights(32, 0.9, 0.0, generator);
    const auto u = random_input_weights(32, 3, 1.0, generator);
    const auto modal = diagonalise(w, u);
    BOOST_REQUIRE(modal.has_value());
    const Eigen::Map<const Eigen::VectorXcf> poles(modal->poles.data(), 32);
    BOOST_TEST((w * modal->modes - modal->modes * poles.asDiagonal()).norm() < 1e-5);
    BOOST_TEST((modal->modes * modal->drive - u).norm() < 1e-4);
    BOOST_TEST(std::abs(poles.cwiseAbs().maxCoeff() - 0.9) < 1e-5);
}

BOOST_AUTO_TEST_CASE(a_defective_matrix_is_not_diagonalised)
{
    Eigen::MatrixXcf w = Eigen::MatrixXcf::Zero(4, 4); // a Jordan block
    w.diagonal().setConstant(0.5F);
    w.diagonal(1).setConstant(0.1F);
    BOOST_TEST(!diagonalise(w, Eigen::MatrixXcf::Ones(4, 1)).has_value());
}
