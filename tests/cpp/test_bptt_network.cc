/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/bptt_network.h>
#include <gnuradio/reservoir/kernel/random.h>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace gr::reservoir::kernel;
namespace kernel = gr::reservoir::kernel;
namespace data = boost::unit_test::data;

namespace {

typedef std::complex<double> complexd;

Eigen::MatrixXcd gaussian(int rows, int columns, double scale, kernel::random& generator)
{
    Eigen::MatrixXcd matrix(rows, columns);
    for (auto& value : matrix.reshaped())
        value = scale * generator.complex_gaussian();
    return matrix;
}

struct problem {
    network_weights<double> weights;
    Eigen::MatrixXcd inputs, targets;
    std::vector<double> step_weights;

    problem(
        int neurons, int num_inputs, int num_outputs, bool skip, int steps, uint64_t seed)
    {
        kernel::random generator(seed);
        weights.recurrent =
            gaussian(neurons, neurons, 0.8 / std::sqrt(neurons), generator);
        weights.input = gaussian(neurons, num_inputs, 0.9, generator);
        weights.readout = gaussian(num_outputs, neurons, 0.5, generator);
        if (skip)
            weights.skip = gaussian(num_outputs, num_inputs, 0.5, generator);
        inputs = gaussian(num_inputs, steps, 1.0, generator);
        targets = gaussian(num_outputs, steps, 1.0, generator);
        step_weights.assign(steps, 1.0);
        step_weights[0] = step_weights[1] = 0.0; // warm-up
        step_weights[steps / 2] = 0.0;           // held out
        step_weights[steps - 1] = 0.25;
    }

    template <class T>
    bptt_network<T> network(activation function) const
    {
        bptt_network<T> made(weights.cast<T>(), function);
        made.set_sequence(inputs.cast<std::complex<T>>(),
                          targets.cast<std::complex<T>>(),
                          { step_weights.begin(), step_weights.end() });
        return made;
    }
};

const auto EVERY_ACTIVATION = data::make(
    { activation::identity, activation::magnitude_tanh, activation::split_tanh });

} // namespace

namespace gr {
namespace reservoir {
namespace kernel {
std::ostream& operator<<(std::ostream& out, activation function)
{
    return out << to_string(function);
}
} // namespace kernel
} // namespace reservoir
} // namespace gr

// s[t] = f(W s[t-1] + U u[t]), y[t] = W_out s[t] + D u[t], and the loss, value by value.
BOOST_DATA_TEST_CASE(runs_by_the_equations,
                     EVERY_ACTIVATION* data::make({ 5, 16, 33 }),
                     function,
                     neurons)
{
    const problem p(neurons, 3, 2, true, 40, 1);
    auto network = p.network<double>(function);
    const double loss = network.forward();
    Eigen::VectorXcd s = Eigen::VectorXcd::Zero(neurons);
    double sum = 0.0, total = 0.0;
    for (int t = 0; t < 40; t++) {
        s = p.weights.recurrent * s + p.weights.input * p.inputs.col(t);
        for (auto& z : s)
            z = apply(function, z);
        const Eigen::VectorXcd y =
            p.weights.readout * s + p.weights.skip * p.inputs.col(t);
        BOOST_TEST((network.states().col(t) - s).norm() < 1e-9 * (1.0 + s.norm()));
        BOOST_TEST((network.outputs().col(t) - y).norm() < 1e-9 * (1.0 + y.norm()));
        sum += p.step_weights[t] * (y - p.targets.col(t)).squaredNorm();
        total += 2 * p.step_weights[t];
    }
    BOOST_TEST(std::abs(loss - sum / total) < 1e-9 * loss);
    BOOST_TEST(std::abs(p.network<float>(function).forward() - loss) < 1e-4 * loss);
}

// Central differences of every parameter, real and imaginary part.
BOOST_DATA_TEST_CASE(gradient_is_that_of_the_loss,
                     EVERY_ACTIVATION* data::make({ 1, 2, 4 }) *
                         data::make({ false, true }),
                     function,
                     num_inputs,
                     skip)
{
    const problem p(5, num_inputs, 1 + num_inputs / 2, skip, 24, 7);
    auto network = p.network<double>(function);
    network.forward();
    network.backward();
    const std::vector<double> gradient = network.gradient();
    double largest = 0.0;
    for (const double g : gradient)
        largest = std::max(largest, std::abs(g));
    constexpr double STEP = 1e-5;
    for (size_t k = 0; k < gradient.size(); k++) {
        if (network.parameters()[k] == 0.0) { // padding stays zero
            BOOST_TEST(gradient[k] == 0.0);
            continue;
        }
        const double value = network.parameters()[k];
        network.parameters()[k] = value + STEP;
        const double above = network.forward();
        network.parameters()[k] = value - STEP;
        const double below = network.forward();
        network.parameters()[k] = value;
        BOOST_TEST(std::abs(gradient[k] - (above - below) / (2 * STEP)) <
                   1e-6 * std::abs(gradient[k]) + 1e-9 * largest);
    }
}

// dL = Re sum conj(G) dW: gradients come out as dL/dRe + i dL/dIm.
BOOST_AUTO_TEST_CASE(gradient_has_the_documented_convention)
{
    problem p(4, 2, 2, true, 20, 3);
    auto network = p.network<double>(activation::split_tanh);
    const double loss = network.forward();
    network.backward();
    const network_weights<double> gradient = network.gradient_weights();
    kernel::random generator(4);
    for (auto part : { &network_weights<double>::recurrent,
                       &network_weights<double>::input,
                       &network_weights<double>::readout,
                       &network_weights<double>::skip }) {
        const Eigen::MatrixXcd change =
            gaussian((p.weights.*part).rows(), (p.weights.*part).cols(), 1e-6, generator);
        problem moved = p;
        moved.weights.*part += change;
        const double expected =
            (gradient.*part).conjugate().cwiseProduct(change).sum().real();
        const double found =
            moved.network<double>(activation::split_tanh).forward() - loss;
        BOOST_TEST(std::abs(found - expected) < 1e-4 * std::abs(expected) + 1e-11);
    }
}

BOOST_DATA_TEST_CASE(single_precision_follows_double, EVERY_ACTIVATION, function)
{
    const problem p(32, 8, 1, true, 128, 5);
    auto in_float = p.network<float>(function);
    auto in_double = p.network<double>(function);
    in_float.forward();
    in_float.backward();
    in_double.forward();
    in_double.backward();
    double difference = 0.0, norm = 0.0;
    for (size_t k = 0; k < in_double.gradient().size(); k++) {
        difference += std::pow(in_double.gradient()[k] - in_float.gradient()[k], 2);
        norm += std::pow(in_double.gradient()[k], 2);
    }
    BOOST_TEST(std::sqrt(difference / norm) < 1e-4);
}

BOOST_AUTO_TEST_CASE(recurrent_weights_can_be_left_out)
{
    const problem p(6, 2, 1, false, 20, 6);
    auto network = p.network<double>(activation::magnitude_tanh);
    network.forward();
    network.backward();
    const auto whole = network.gradient_weights();
    network.backward(false);
    BOOST_TEST(network.gradient_weights().recurrent.norm() == 0.0);
    BOOST_TEST((network.gradient_weights().input - whole.input).norm() < 1e-15);
    BOOST_TEST((network.gradient_weights().readout - whole.readout).norm() < 1e-15);
    BOOST_TEST(network.jacobian(true).cols() == 2 * (36 + 12 + 6));
    BOOST_TEST(network.jacobian(false).cols() == 2 * (12 + 6));
}

// Jᵀ e is half of the gradient, up to the mean that the loss takes.
BOOST_DATA_TEST_CASE(jacobian_gives_the_gradient, EVERY_ACTIVATION, function)
{
    problem p(5, 2, 2, true, 18, 8);
    for (auto& weight : p.step_weights)
        weight = weight > 0.0;
    auto network = p.network<double>(function);
    network.forward();
    network.backward();
    const Eigen::MatrixXcd errors = network.outputs() - p.targets;
    std::vector<double> e;
    for (int t = 0; t < 18; t++)
        for (int o = 0; o < 2; o++)
            if (p.step_weights[t] > 0.0)
                e.insert(e.end(), { errors(o, t).real(), errors(o, t).imag() });
    const Eigen::Map<const Eigen::VectorXd> vector(e.data(), e.size());
    double norm = 0.0;
    for (const double g : network.gradient())
        norm += g * g;
    const Eigen::VectorXd gradient =
        network.jacobian().transpose() * vector * (4.0 / e.size());
    BOOST_TEST(std::abs(gradient.norm() - std::sqrt(norm)) < 1e-9 * std::sqrt(norm));
}

BOOST_AUTO_TEST_CASE(wrong_shapes_are_refused)
{
    const problem p(4, 2, 1, false, 10, 9);
    auto weights = p.weights;
    weights.readout.resize(1, 3);
    BOOST_CHECK_THROW(bptt_network<double>(weights, activation::identity),
                      std::invalid_argument);
    bptt_network<double> network(p.weights, activation::identity);
    BOOST_CHECK_THROW(network.set_sequence(p.inputs, p.targets, { 1.0 }),
                      std::invalid_argument);
    BOOST_CHECK_THROW(
        network.set_sequence(p.inputs, p.targets, std::vector<double>(10, 0.0)),
        std::invalid_argument);
}
