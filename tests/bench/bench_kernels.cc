/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

// The kernels alone, one core: items are symbols, or pilots trained on.

#include "kernel/simd.h"
#include <gnuradio/reservoir/kernel/dense_reservoir.h>
#include <gnuradio/reservoir/kernel/optimizer.h>
#include <gnuradio/reservoir/kernel/pole_bank.h>
#include <gnuradio/reservoir/kernel/random.h>
#include <gnuradio/reservoir/kernel/recurrent_network.h>
#include <gnuradio/reservoir/kernel/ridge.h>
#include <benchmark/benchmark.h>
#include <vector>

namespace kernel = gr::reservoir::kernel;

namespace {

std::vector<float> noise(size_t count)
{
    kernel::random generator(1);
    std::vector<float> values(count);
    for (auto& value : values)
        value = generator.gaussian();
    return values;
}

void fir(benchmark::State& state)
{
    const size_t taps = state.range(0), count = 256;
    const auto re = noise(count + taps + 64), im = noise(count + taps + 64);
    const auto w_re = noise(taps), w_im = noise(taps);
    const float *x_re = re.data(), *x_im = im.data();
    std::vector<std::complex<float>> out(count);
    for (auto _ : state) {
        kernel::simd::fir(&x_re, &x_im, 1, taps, w_re.data(), w_im.data(), count, out.data());
        benchmark::DoNotOptimize(out.data());
    }
    state.SetItemsProcessed(state.iterations() * count);
}

void dense_reservoir(benchmark::State& state)
{
    const int neurons = state.range(0), window = 24;
    kernel::random generator(1);
    kernel::dense_reservoir network(
        kernel::random_recurrent_weights(neurons, 0.4, 0.0, generator),
        kernel::random_input_weights(neurons, window, 0.05, generator),
        kernel::activation::magnitude_tanh);
    const auto re = noise(window), im = noise(window);
    for (auto _ : state) {
        network.step(re.data(), im.data());
        benchmark::DoNotOptimize(network.state_re());
    }
    state.SetItemsProcessed(state.iterations());
}

void pole_bank(benchmark::State& state)
{
    const std::vector<std::complex<float>> poles(state.range(0), { 0.5F, 0.3F });
    kernel::pole_bank bank(poles);
    const std::vector<std::complex<float>> in(256, { 1.0F, -1.0F });
    std::vector<std::complex<float>> states(in.size() * poles.size());
    for (auto _ : state) {
        bank.run(in.data(), in.size(), states.data());
        benchmark::DoNotOptimize(states.data());
    }
    state.SetItemsProcessed(state.iterations() * in.size());
}

void ridge_leave_one_out(benchmark::State& state)
{
    kernel::random generator(1);
    Eigen::MatrixXcd features(state.range(0), state.range(1)), targets(state.range(0), 1);
    for (auto* matrix : { &features, &targets })
        for (Eigen::Index i = 0; i < matrix->size(); i++)
            matrix->data()[i] = generator.complex_gaussian();
    for (auto _ : state)
        benchmark::DoNotOptimize(kernel::ridge(features).solve(targets, -1.0).weights);
    state.SetItemsProcessed(state.iterations() * state.range(0));
}

// One epoch: loss, gradient by back-propagation through time, step of adam. Items are pilots.
void recurrent_network_epoch(benchmark::State& state)
{
    const int neurons = state.range(0), window = 8;
    const size_t steps = state.range(1);
    kernel::random generator(1);
    const auto gaussian = [&generator](int rows, int columns) {
        Eigen::MatrixXcf matrix(rows, columns);
        for (auto& value : matrix.reshaped())
            value = std::complex<float>(generator.complex_gaussian());
        return matrix;
    };
    kernel::recurrent_network<float> network(
        { kernel::random_recurrent_weights(neurons, 0.9, 0.0, generator),
          kernel::random_input_weights(neurons, window, 0.5, generator),
          0.05F * gaussian(1, neurons),
          {} },
        kernel::activation::split_tanh);
    network.set_sequence(
        gaussian(window, steps), gaussian(1, steps), std::vector<float>(steps, 1.0F));
    kernel::optimizer<float> rule(kernel::descent::adam, 1e-6, 0.9);
    for (auto _ : state) {
        benchmark::DoNotOptimize(network.forward());
        network.backward();
        rule.step(network.parameters().data(),
                  network.gradient().data(),
                  network.parameters().size());
    }
    state.SetItemsProcessed(state.iterations() * steps);
}

void eigenvalues(benchmark::State& state)
{
    kernel::random generator(1);
    const auto weights =
        kernel::random_recurrent_weights(state.range(0), 0.9, 0.0, generator);
    for (auto _ : state)
        benchmark::DoNotOptimize(kernel::eigenvalues(weights));
}

} // namespace

BENCHMARK(fir)->Arg(8)->Arg(32)->Arg(128);
BENCHMARK(dense_reservoir)->Arg(8)->Arg(32)->Arg(128);
BENCHMARK(pole_bank)->Arg(8)->Arg(32);
BENCHMARK(ridge_leave_one_out)
    ->Args({ 64, 24 })
    ->Args({ 64, 56 })
    ->Args({ 512, 56 })
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(recurrent_network_epoch)
    ->Args({ 32, 64 })
    ->Args({ 32, 512 })
    ->Args({ 128, 512 })
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(eigenvalues)->Arg(32)->Arg(128)->Unit(benchmark::kMicrosecond);

BENCHMARK_MAIN();
