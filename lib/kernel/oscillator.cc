/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/oscillator.h>

#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {
namespace kernel {

namespace {

// To -0.5 ... 0.5, without rounding.
double fraction(double cycles) { return cycles - std::nearbyint(cycles); }

// Of frequency n, whose rounding error is taken along.
double phase_after(double n, double frequency, double phase)
{
    const double cycles = frequency * n;
    const double rounding = std::fma(frequency, n, -cycles);
    return fraction(fraction(cycles) + phase + rounding);
}

std::complex<double> unit(double cycles) { return std::polar(1.0, 2.0 * M_PI * cycles); }

// In the samples' precision; not with operator*, which looks for infinite factors.
template <class T>
std::complex<T> product(std::complex<T> x, std::complex<double> carrier)
{
    const T re = T(carrier.real()), im = T(carrier.imag());
    return { x.real() * re - x.imag() * im, x.real() * im + x.imag() * re };
}

} // namespace

oscillator::oscillator(double frequency, double phase)
    : d_frequency(frequency), d_phase(fraction(phase))
{
    // few sines, and one multiplication for a value: powers would add up their errors
    constexpr size_t ROOT = 8;
    std::complex<double> fine[ROOT];
    for (size_t k = 0; k < ROOT; k++)
        fine[k] = unit(phase_after(k, frequency, 0.0));
    for (size_t first = 0; first < PERIOD; first += ROOT) {
        const auto coarse = unit(phase_after(first, frequency, 0.0));
        for (size_t k = 0; k < ROOT; k++) {
            const auto value = product(coarse, fine[k]);
            d_re[first + k] = value.real();
            d_im[first + k] = value.imag();
        }
    }
}

double oscillator::phase(uint64_t n) const
{
    return phase_after(n, d_frequency, d_phase);
}

std::complex<double> oscillator::exact(uint64_t n) const { return unit(phase(n)); }

std::complex<double> oscillator::at(uint64_t n) const
{
    const size_t k = n % PERIOD;
    return product(exact(n - k), { d_re[k], d_im[k] });
}

// Calls write(k, sample first + k) for each of them.
template <class Write>
void oscillator::visit(uint64_t first, size_t count, Write write) const
{
    for (size_t done = 0; done < count;) {
        const size_t begin = (first + done) % PERIOD;
        const size_t length = std::min(PERIOD - begin, count - done);
        const auto coarse = exact(first + done - begin);
        for (size_t k = 0; k < length; k++)
            write(done + k, product(coarse, { d_re[begin + k], d_im[begin + k] }));
        done += length;
    }
}

void oscillator::generate(uint64_t first, size_t count, std::complex<double>* out) const
{
    visit(first, count, [out](size_t k, std::complex<double> value) { out[k] = value; });
}

void oscillator::turn(const std::complex<float>* in,
                      uint64_t first,
                      size_t count,
                      std::complex<float>* out) const
{
    visit(first, count, [in, out](size_t k, std::complex<double> value) {
        out[k] = product(in[k], value);
    });
}

void oscillator::turn(const std::complex<double>* in,
                      uint64_t first,
                      size_t count,
                      std::complex<double>* out) const
{
    visit(first, count, [in, out](size_t k, std::complex<double> value) {
        out[k] = product(in[k], value);
    });
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
