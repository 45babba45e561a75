/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * The kernels alone, one core: items are symbols, or pilots trained on. Counters: floating-point
 * operations an item, of the leading terms, a complex multiply-add counting as eight; "flop" in
 * single, "flop_double" in double precision.
 */

#include "kernel/inner_loops.h"
#include "peak.h"
#include <gnuradio/reservoir/kernel/bptt_network.h>
#include <gnuradio/reservoir/kernel/dense_recurrence.h>
#include <gnuradio/reservoir/kernel/optimizer.h>
#include <gnuradio/reservoir/kernel/pole_bank.h>
#include <gnuradio/reservoir/kernel/random.h>
#include <gnuradio/reservoir/kernel/ridge.h>
#include <gnuradio/reservoir/kernel/survivor_search.h>
#include <gnuradio/reservoir/kernel/tapped_delay_window.h>
#include <benchmark/benchmark.h>
#include <algorithm>
#include <cmath>
#include <vector>

namespace kernel = gr::reservoir::kernel;

namespace {

constexpr double COMPLEX_MULTIPLY_ADD = 8.0;

template <class T>
void fma_peak(benchmark::State& state)
{
    volatile T factor = T(1e-9);
    size_t flop = 0;
    for (auto _ : state) {
        T sum = 1;
        flop = peak::multiply_add(4096, factor, sum);
        benchmark::DoNotOptimize(sum);
    }
    state.SetItemsProcessed(state.iterations());
    state.counters[sizeof(T) == sizeof(float) ? "flop" : "flop_double"] = flop;
}

// Bytes read and bytes written.
void memory_peak(benchmark::State& state)
{
    const std::vector<char> from(state.range(0), 1);
    std::vector<char> to(from.size());
    for (auto _ : state) {
        std::copy(from.begin(), from.end(), to.begin());
        benchmark::DoNotOptimize(to.data());
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(state.iterations() * 2 * from.size());
}

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
        kernel::simd::fir(
            &x_re, &x_im, 1, taps, w_re.data(), w_im.data(), count, out.data());
        benchmark::DoNotOptimize(out.data());
    }
    state.SetItemsProcessed(state.iterations() * count);
    state.counters["flop"] = COMPLEX_MULTIPLY_ADD * taps;
}

// As the esn runs it: window, recurrence, tanh and one readout.
void dense_recurrence(benchmark::State& state)
{
    const int neurons = state.range(0), taps = 24;
    kernel::random generator(1);
    kernel::dense_recurrence network(
        kernel::random_recurrent_weights(neurons, 0.4, 0.0, generator),
        kernel::random_input_weights(neurons, taps, 0.05, generator),
        kernel::activation::magnitude_tanh);
    const std::vector<std::complex<float>> in(kernel::tapped_delay_window::BLOCK,
                                              { 1.0F, -1.0F });
    kernel::tapped_delay_window window(1, 1, taps);
    const std::complex<float>* input = in.data();
    window.write(&input, 0, in.size());
    const size_t count = window.symbols();
    const std::vector<std::vector<float>> readout = { noise(
        kernel::simd::padded(neurons)) };
    std::vector<std::complex<float>> out(count);
    std::complex<float>* output = out.data();
    for (auto _ : state) {
        network.run(window, count, readout, readout, &output);
        benchmark::DoNotOptimize(out.data());
    }
    state.SetItemsProcessed(state.iterations() * count);
    state.counters["flop"] = COMPLEX_MULTIPLY_ADD * neurons * (neurons + taps + 1);
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
    state.counters["flop"] = COMPLEX_MULTIPLY_ADD * poles.size();
}

void pole_bank_with_readout(benchmark::State& state, kernel::activation function)
{
    const size_t poles = state.range(0), count = 256;
    const Eigen::ArrayXf pole_re = Eigen::ArrayXf::Constant(poles, 0.5F),
                         pole_im = Eigen::ArrayXf::Constant(poles, 0.3F),
                         weights = pole_re;
    Eigen::ArrayXf state_re = Eigen::ArrayXf::Zero(poles), state_im = state_re;
    const auto re = noise(count), im = noise(count);
    std::vector<std::complex<float>> out(count);
    for (auto _ : state) {
        kernel::simd::run_pole_bank({ pole_re.data(),
                                      pole_im.data(),
                                      poles,
                                      function,
                                      re.data(),
                                      im.data(),
                                      nullptr,
                                      nullptr,
                                      weights.data(),
                                      weights.data(),
                                      0,
                                      count },
                                    state_re.data(),
                                    state_im.data(),
                                    out.data());
        benchmark::DoNotOptimize(out.data());
    }
    state.SetItemsProcessed(state.iterations() * count);
    state.counters["flop"] = 2 * COMPLEX_MULTIPLY_ADD * poles;
}

void pole_bank_readout(benchmark::State& state)
{
    pole_bank_with_readout(state, kernel::activation::identity);
}

void pole_bank_tanh(benchmark::State& state)
{
    pole_bank_with_readout(state, kernel::activation::magnitude_tanh);
}

// The same as one writes it down first; what the compiler makes of it.
void pole_bank_tanh_plain_loop(benchmark::State& state)
{
    const size_t poles = state.range(0), count = 256;
    const std::vector<float> pole_re(poles, 0.5F), pole_im(poles, 0.3F),
        weights(poles, 0.5F);
    std::vector<float> state_re(poles), state_im(poles);
    const auto re = noise(count), im = noise(count);
    std::vector<std::complex<float>> out(count);
    for (auto _ : state) {
        for (size_t n = 0; n < count; n++) {
            float sum_re = 0.0F, sum_im = 0.0F;
            for (size_t k = 0; k < poles; k++) {
                const float x =
                    pole_re[k] * state_re[k] - pole_im[k] * state_im[k] + re[n];
                const float y =
                    pole_re[k] * state_im[k] + pole_im[k] * state_re[k] + im[n];
                const float magnitude = std::sqrt(x * x + y * y) + 1e-20F;
                const float scale = std::tanh(magnitude) / magnitude;
                state_re[k] = scale * x;
                state_im[k] = scale * y;
                sum_re += weights[k] * (state_re[k] - state_im[k]);
                sum_im += weights[k] * (state_im[k] + state_re[k]);
            }
            out[n] = { sum_re, sum_im };
        }
        benchmark::DoNotOptimize(out.data());
    }
    state.SetItemsProcessed(state.iterations() * count);
}

// Survivors among a square constellation's points, with six feedback weights and the phase loop.
void survivor_search(benchmark::State& state)
{
    const int side = state.range(0), survivors = state.range(1), count = 256;
    kernel::survivor_model model;
    for (int m = 0; m < side * side; m++)
        model.points.emplace_back(m / side - 0.5F * (side - 1),
                                  m % side - 0.5F * (side - 1));
    model.centroids = model.points;
    model.feedback = { { 0.3F, 0.1F },  { 0.2F, -0.1F },  { -0.1F, 0.1F },
                       { 0.1F, 0.05F }, { 0.05F, 0.05F }, { 0.02F, 0.0F } };
    model.survivors = survivors;
    model.alpha = 0.02F;
    model.beta = 0.00005F;
    model.power = (side * side - 1) / 6.0F;
    kernel::survivor_search search(model);
    const std::vector<std::complex<float>> past(model.feedback.size());
    const auto re = noise(2 * count);
    std::vector<uint8_t> parents(survivors);
    std::vector<uint16_t> symbols(survivors);
    search.start(past.data());
    for (auto _ : state) {
        for (int n = 0; n < count; n++)
            search.step({ re[2 * n] * side / 2, re[2 * n + 1] * side / 2 },
                        parents.data(),
                        symbols.data(),
                        nullptr);
        benchmark::DoNotOptimize(symbols.data());
    }
    state.SetItemsProcessed(state.iterations() * count);
}

void regress(benchmark::State& state, double regularization, double flop)
{
    kernel::random generator(1);
    Eigen::MatrixXcd features(state.range(0), state.range(1)), targets(state.range(0), 1);
    for (auto* matrix : { &features, &targets })
        for (Eigen::Index i = 0; i < matrix->size(); i++)
            matrix->data()[i] = generator.complex_gaussian();
    for (auto _ : state)
        benchmark::DoNotOptimize(
            kernel::ridge(features).solve(targets, regularization).weights);
    state.SetItemsProcessed(state.iterations() * state.range(0));
    state.counters["flop_double"] = flop / state.range(0);
}

// More rows than features: half a Gram matrix, its tridiagonal form (a third of a product of
// square matrices twice over), and the features turned by it.
void ridge_leave_one_out(benchmark::State& state)
{
    const double rows = state.range(0), features = state.range(1),
                 square = features * features;
    regress(state,
            -1.0,
            COMPLEX_MULTIPLY_ADD *
                (rows * square / 2 + square * features * 2 / 3 + rows * square));
}

// Half a Gram matrix, its Cholesky factor, and the features solved by it.
void ridge_given_lambda(benchmark::State& state)
{
    const double rows = state.range(0), features = state.range(1),
                 square = features * features;
    regress(state,
            0.01,
            COMPLEX_MULTIPLY_ADD *
                (rows * square / 2 + square * features / 6 + rows * square / 2));
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
    kernel::bptt_network<float> network(
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
    // forward W s + U u, backward W^H g, and the gradients g s^H and g u^H
    state.counters["flop"] = COMPLEX_MULTIPLY_ADD * neurons * (3 * neurons + 2 * window);
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

BENCHMARK(fma_peak<float>);
BENCHMARK(fma_peak<double>);
BENCHMARK(memory_peak)->Arg(1 << 27)->Unit(benchmark::kMillisecond);
BENCHMARK(fir)->Arg(8)->Arg(32)->Arg(128);
BENCHMARK(dense_recurrence)->Arg(8)->Arg(32)->Arg(128);
BENCHMARK(pole_bank)->Arg(8)->Arg(32);
BENCHMARK(pole_bank_readout)->Arg(32);
BENCHMARK(pole_bank_tanh)->Arg(32);
BENCHMARK(pole_bank_tanh_plain_loop)->Arg(32);
BENCHMARK(survivor_search)
    ->Args({ 2, 8 })
    ->Args({ 4, 8 })
    ->Args({ 8, 8 })
    ->Args({ 4, 32 });
BENCHMARK(ridge_leave_one_out)
    ->Args({ 64, 24 })
    ->Args({ 64, 56 })
    ->Args({ 512, 56 })
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(ridge_given_lambda)
    ->Args({ 64, 24 })
    ->Args({ 64, 56 })
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(recurrent_network_epoch)
    ->Args({ 32, 64 })
    ->Args({ 32, 512 })
    ->Args({ 128, 512 })
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(eigenvalues)->Arg(32)->Arg(128)->Unit(benchmark::kMicrosecond);

BENCHMARK_MAIN();
