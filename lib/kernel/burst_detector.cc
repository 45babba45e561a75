/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/burst_detector.h>

#include "check.h"
#include "kernel/inner_loops.h"
#include <gnuradio/filter/firdes.h>
#include <gnuradio/reservoir/kernel/oscillator.h>
#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <numeric>

namespace gr {
namespace reservoir {
namespace kernel {

namespace {

constexpr int SEQUENCE = 31;
constexpr int REPETITIONS = 4;
constexpr int SIGNS[REPETITIONS] = { 1, 1, -1, 1 };
constexpr int PULSE_SPAN = 8; // symbols on each side
constexpr int SEARCH = 16;    // symbols around the metric's maximum
constexpr int PATHS = 8;      // symbols around the correlation's maximum
constexpr int FRACTIONS = 8;  // of a sample, that the paths may be late
// noise reaches .03, payloads .10, preambles at 3 dB fall to .12
constexpr double MIN_PEAK = 0.11;
constexpr uint64_t ANCHOR = 4096; // running sums start again at its multiples
// Samples at a period's ends, in symbols, that the period before or behind may reach.
constexpr int GUARD_FRONT = 5, GUARD_BACK = 2;

// conj(a) b; std::complex's operator would look for infinities
std::complex<double> conjugate_product(std::complex<float> a, std::complex<float> b)
{
    const double a_re = a.real(), a_im = a.imag(), b_re = b.real(), b_im = b.imag();
    return { a_re * b_re + a_im * b_im, a_re * b_im - a_im * b_re };
}

double power(std::complex<float> a)
{
    const double re = a.real(), im = a.imag();
    return re * re + im * im;
}

std::complex<double> product(std::complex<double> a, std::complex<double> b)
{
    return { a.real() * b.real() - a.imag() * b.imag(),
             a.real() * b.imag() + a.imag() * b.real() };
}

// Real and imaginary parts apart, as the SIMD loops take them, readable a little beyond the end.
struct split_samples {
    std::vector<float> re, im;

    explicit split_samples(size_t count) : re(count + 64), im(count + 64) {}
    template <class T>
    void set(size_t n, std::complex<T> value)
    {
        re[n] = float(value.real());
        im[n] = float(value.imag());
    }
};

} // namespace

std::vector<std::complex<float>> burst_preamble()
{
    std::vector<float> sequence;
    unsigned state = 1;
    for (int n = 0; n < SEQUENCE; n++) {
        sequence.push_back(state & 1 ? 1.0F : -1.0F);
        const unsigned bit = (state ^ state >> 2) & 1; // x^5 + x^2 + 1
        state = state >> 1 | bit << 4;
    }
    std::vector<std::complex<float>> preamble;
    for (const int sign : SIGNS)
        for (const float symbol : sequence)
            preamble.emplace_back(sign * symbol);
    return preamble;
}

burst_detector::burst_detector(const burst_detector_settings& settings)
    : d_settings(settings), d_period(SEQUENCE * settings.sps)
{
    const int sps = settings.sps;
    require_range("sps", sps, 2, 16);
    require(settings.excess_bandwidth > 0.0 && settings.excess_bandwidth <= 1.0,
            "excess_bandwidth",
            settings.excess_bandwidth,
            "above 0, at most 1");
    require(settings.threshold > 0.0 && settings.threshold < 1.0,
            "threshold",
            settings.threshold,
            "above 0 and below 1");
    require_range("max_frequency_offset", settings.max_frequency_offset, 0.0, 0.5);

    const std::vector<float> pulse =
        filter::firdes::root_raised_cosine(1.0,
                                           sps * FRACTIONS,
                                           1.0,
                                           settings.excess_bandwidth,
                                           2 * PULSE_SPAN * sps * FRACTIONS + 1);
    const auto symbols = burst_preamble();
    const int delay = PULSE_SPAN * sps;
    const int length = (symbols.size() - 1 + 2 * PULSE_SPAN) * sps + 1;
    for (int late = 0; late < FRACTIONS; late++) {
        Eigen::VectorXf waveform = Eigen::VectorXf::Zero(length);
        for (size_t k = 0; k < symbols.size(); k++)
            for (int m = late > 0; m <= 2 * PULSE_SPAN * sps; m++)
                waveform(k * sps + m) += symbols[k].real() * pulse[m * FRACTIONS - late];
        if (late == 0)
            d_sequence = waveform.segment(delay + d_period, d_period);
        prepare_paths(waveform.tail(length - delay));
    }

    const int whole_turns = int(settings.max_frequency_offset * d_period) + 1;
    for (int k = -whole_turns; k <= whole_turns; k++) {
        std::vector<cdouble> turned(d_period);
        oscillator(double(k) / d_period).generate(0, d_period, turned.data());
        for (int n = 0; n < d_period; n++)
            turned[n] *= d_sequence(n);
        d_turned.push_back(turned);
    }
}

// waveform: from the instant of the preamble's first symbol on, late by a fraction of a sample
void burst_detector::prepare_paths(const Eigen::VectorXf& waveform)
{
    const int sps = d_settings.sps;
    // Where all paths carry symbols of the preamble alone.
    const int rows = preamble_length() - 2 * PATHS * sps;
    Eigen::MatrixXd paths(rows, 2 * PATHS + 1);
    for (int l = 0; l < paths.cols(); l++)
        paths.col(l) = waveform.segment((2 * PATHS - l) * sps, rows).cast<double>();
    const Eigen::LLT<Eigen::MatrixXd> factor(paths.transpose() * paths);
    const Eigen::MatrixXd projection = factor.matrixL().solve(paths.transpose());
    d_factors.push_back(factor.matrixL());
    const size_t padded = simd::padded(paths.cols());
    std::vector<float> columns(rows * padded);
    for (int n = 0; n < rows; n++)
        for (int l = 0; l < paths.cols(); l++)
            columns[n * padded + l] = float(projection(l, n));
    d_projections.push_back(columns);
}

std::vector<std::complex<float>> burst_detector::part(int64_t first, size_t count) const
{
    std::vector<cfloat> samples(count);
    const int64_t from = std::max(first, int64_t(d_begin));
    const int64_t to = std::min(first + int64_t(count), int64_t(d_end));
    if (from < to)
        std::copy(d_samples.begin() + (from - d_begin),
                  d_samples.begin() + (to - d_begin),
                  samples.begin() + (from - first));
    return samples;
}

void burst_detector::push(const std::complex<float>* samples, size_t count)
{
    d_samples.insert(d_samples.end(), samples, samples + count);
    for (auto sample = d_samples.end() - count; sample != d_samples.end(); ++sample) {
        if (std::isfinite(sample->real()) && std::isfinite(sample->imag()))
            continue;
        *sample = 0.0F;
        d_bad_samples++;
    }
    d_end += count;
    for (size_t n = d_powers.size(); n < d_samples.size(); n++)
        d_powers.push_back(power(d_samples[n]));
    for (size_t n = d_products.size(); n + d_period < d_samples.size(); n++)
        d_products.push_back(conjugate_product(d_samples[n], d_samples[n + d_period]));
    for (; d_next + preamble_length() <= d_end; d_next++)
        evaluate(d_next);
    discard();
}

void burst_detector::finish()
{
    // Two periods before a burst that is cut short there is a maximum, too.
    if (d_pending && d_best.place + (REPETITIONS + 2) * d_period <= d_end)
        examine(d_best);
    d_pending = false;
    d_next = std::max(d_next, d_end);
}

uint64_t burst_detector::decided() const
{
    const uint64_t place = d_pending ? d_best.place : d_next;
    const uint64_t earlier = (SEARCH + PATHS) * d_settings.sps;
    return d_next >= d_end ? d_end : place - std::min(place, earlier);
}

std::vector<detected_burst> burst_detector::take()
{
    std::vector<detected_burst> found;
    found.swap(d_found);
    return found;
}

void burst_detector::sum_up(const double* power, const cdouble* product)
{
    d_energy_first = d_energy_last = 0.0;
    for (int k = 0; k < REPETITIONS - 1; k++) {
        d_sums[k] = 0.0;
        for (int n = k * d_period; n < (k + 1) * d_period; n++) {
            d_sums[k] += product[n];
            d_energy_first += power[n];
            d_energy_last += power[n + d_period];
        }
    }
}

/*
 * The running sums at this place, from those at the place before. They are summed up again now and then,
 * as rounding errors add up, and where a sample has left beside which the others were next to nothing.
 */
void burst_detector::advance(uint64_t place)
{
    constexpr double NEXT_TO_NOTHING = 1e-6;
    const double* const power = d_powers.data() + (place - d_begin);
    const cdouble* const product = d_products.data() + (place - d_begin);
    if (place % ANCHOR == 0)
        return sum_up(power, product);
    for (int k = 0; k < REPETITIONS - 1; k++)
        d_sums[k] += product[(k + 1) * d_period - 1] - product[k * d_period - 1];
    d_energy_first += power[3 * d_period - 1] - power[-1];
    d_energy_last += power[4 * d_period - 1] - power[d_period - 1];
    if (d_energy_first < NEXT_TO_NOTHING * power[-1] ||
        d_energy_last < NEXT_TO_NOTHING * power[d_period - 1])
        sum_up(power, product);
}

void burst_detector::evaluate(uint64_t place)
{
    advance(place);
    const cdouble sum = d_sums[0] - d_sums[1] - d_sums[2];
    const double energy = d_energy_first * d_energy_last;
    const double squared = sum.real() * sum.real() + sum.imag() * sum.imag();
    if (squared > d_settings.threshold * energy && energy > 1e-60 &&
        place >= d_dead_until && (!d_pending || squared > d_best.metric * energy)) {
        d_pending = true;
        d_best = { place, squared / energy, sum };
    }
    // two periods before a burst that follows silence there is another maximum
    if (d_pending && place >= d_best.place + 5 * d_period / 2) {
        examine(d_best);
        d_pending = false;
        d_dead_until = d_best.place + 3 * d_period;
    }
}

void burst_detector::examine(const candidate& found)
{
    const correlation coarse = correlate(found);
    if (!(coarse.peak > MIN_PEAK) || coarse.start < 0)
        return;
    double frequency = refined(part(coarse.start, preamble_length()), coarse.frequency);
    const int64_t start = coarse.start + strongest_path(coarse.start, frequency);
    if (start < 0)
        return;
    const std::vector<cfloat> preamble = part(start, preamble_length());
    frequency = refined(preamble, frequency);

    const double energy = product_sum(preamble, 0).real() / REPETITIONS;
    const double common = std::abs(product_sum(preamble, 1)) / (REPETITIONS - 1);
    const double share = std::min(common / std::max(energy, 1e-300), 1.0 - 1e-9);
    const int used = d_period - (GUARD_FRONT + GUARD_BACK) * d_settings.sps;
    d_found.push_back({ uint64_t(start),
                        frequency,
                        10.0 * std::log10(share / (1.0 - share) * d_settings.sps + 1e-30),
                        std::sqrt(common / used),
                        coarse.peak });
}

// Best place and offset of the preamble near the metric's maximum. The repetitions are added up
// first: whole turns per period, which the metric leaves open, do not change their sum.
burst_detector::correlation burst_detector::correlate(const candidate& found) const
{
    const int reach = SEARCH * d_settings.sps;
    const double base = std::arg(found.sum) / (2.0 * M_PI * d_period);
    const oscillator carrier(-base);
    cdouble turns[REPETITIONS];
    for (int k = 0; k < REPETITIONS; k++)
        turns[k] = double(SIGNS[k]) * carrier.at(k * d_period);
    const int64_t first = int64_t(found.place) - reach;
    const int count = 2 * reach + d_period;
    const std::vector<cfloat> received = part(first, count + 3 * d_period);
    split_samples folded(count);
    std::vector<double> energy(count);
    for (int n = 0; n < count; n++) {
        cdouble sum = 0.0;
        for (int k = 0; k < REPETITIONS; k++) {
            const cfloat sample = received[n + k * d_period];
            sum += product(turns[k], sample);
            energy[n] += power(sample);
        }
        folded.set(n, sum);
    }
    std::vector<cdouble> base_turn(d_period);
    oscillator(base).generate(0, d_period, base_turn.data());
    split_samples sequence(d_period);
    std::vector<cfloat> correlated(2 * reach + 1);
    correlation best = { -1, 0.0, 0.0 };
    double most = 0.0;
    const int whole_turns = int(d_turned.size()) / 2;
    for (int k = -whole_turns; k <= whole_turns; k++) {
        const double frequency = base + double(k) / d_period;
        if (std::abs(frequency) > d_settings.max_frequency_offset + 0.1 / d_period)
            continue;
        for (int n = 0; n < d_period; n++)
            sequence.set(n,
                         std::conj(product(base_turn[n], d_turned[k + whole_turns][n])));
        const float *re = folded.re.data(), *im = folded.im.data();
        simd::fir(&re,
                  &im,
                  1,
                  d_period,
                  sequence.re.data(),
                  sequence.im.data(),
                  correlated.size(),
                  correlated.data());
        for (int d = 0; d <= 2 * reach; d++) {
            const double power = std::norm(correlated[d]);
            if (power > most) {
                most = power;
                const auto from = energy.begin() + d;
                const double all = std::accumulate(from, from + d_period, 0.0);
                best = { first + d,
                         frequency,
                         power / (REPETITIONS * all * d_sequence.squaredNorm()) };
            }
        }
    }
    return best;
}

// Least squares on paths at symbol spacing, at the fraction of a symbol that explains most; how
// many samples the strongest of them is behind.
int burst_detector::strongest_path(int64_t coarse, double frequency) const
{
    const int sps = d_settings.sps;
    const int rows = preamble_length() - 2 * PATHS * sps;
    std::vector<cfloat> received = part(coarse + PATHS * sps - sps, rows + 2 * sps);
    oscillator(-frequency).turn(received.data(), 0, received.size(), received.data());
    std::vector<double> energies(received.size() + 1); // of all samples before
    for (size_t n = 0; n < received.size(); n++)
        energies[n + 1] = energies[n] + power(received[n]);
    const double gain = 1.0 / std::sqrt(std::max(energies.back(), 1e-300));
    split_samples seen(received.size());
    for (size_t n = 0; n < received.size(); n++)
        seen.set(n, gain * cdouble(received[n]));

    constexpr int NUM_PATHS = 2 * PATHS + 1;
    std::vector<float> re(simd::padded(NUM_PATHS)), im(simd::padded(NUM_PATHS));
    const auto projected = [&] {
        Eigen::VectorXcd z(NUM_PATHS);
        for (int l = 0; l < NUM_PATHS; l++)
            z(l) = cdouble(re[l], im[l]);
        return z;
    };
    double explained = 0.0;
    int best_whole = 0, best_rest = 0;
    Eigen::VectorXcd best_projected;
    for (int late = -sps * FRACTIONS / 2; late < sps * FRACTIONS / 2; late++) {
        const int whole = (late + sps * FRACTIONS) / FRACTIONS; // from sps too early on
        const int rest = late + sps * FRACTIONS - whole * FRACTIONS;
        simd::multiply_real(d_projections[rest].data(),
                            re.size(),
                            rows,
                            seen.re.data() + whole,
                            seen.im.data() + whole,
                            re.data(),
                            im.data());
        const Eigen::VectorXcd z = projected();
        const double share =
            z.squaredNorm() / (gain * gain * (energies[whole + rows] - energies[whole]));
        if (share > explained) {
            explained = share;
            best_whole = whole;
            best_rest = rest;
            best_projected = z;
        }
    }
    if (explained == 0.0)
        return 0;
    const Eigen::VectorXcd paths =
        d_factors[best_rest].transpose().triangularView<Eigen::Upper>().solve(
            best_projected);
    int strongest;
    paths.cwiseAbs2().maxCoeff(&strongest);
    return best_whole - sps + (strongest - PATHS) * sps + (best_rest > FRACTIONS / 2);
}

// Sum of the products of samples so many periods apart, where multipath has settled.
burst_detector::cdouble burst_detector::product_sum(const std::vector<cfloat>& preamble,
                                                    int periods) const
{
    cdouble sum = 0.0;
    for (int k = 0; k + periods < REPETITIONS; k++) {
        cdouble part = 0.0;
        for (int n = GUARD_FRONT * d_settings.sps;
             n < d_period - GUARD_BACK * d_settings.sps;
             n++)
            part += conjugate_product(preamble[k * d_period + n],
                                      preamble[(k + periods) * d_period + n]);
        sum += double(SIGNS[k] * SIGNS[k + periods]) * part;
    }
    return sum;
}

// The carrier offset from products one, two and three periods apart, near one that is known.
double burst_detector::refined(const std::vector<cfloat>& preamble,
                               double frequency) const
{
    double offset = 0.0, weights = 0.0;
    for (int periods = 1; periods < REPETITIONS; periods++) {
        const double turn = 2.0 * M_PI * periods * d_period;
        const cdouble rest =
            product_sum(preamble, periods) * std::polar(1.0, -turn * frequency);
        const double weight = periods * periods * (REPETITIONS - periods);
        offset += weight * std::arg(rest) / turn;
        weights += weight;
    }
    return frequency + offset / weights;
}

// Keeps what a burst may still need.
void burst_detector::discard()
{
    const uint64_t place = d_pending ? std::min(d_best.place, d_next) : d_next;
    const uint64_t earlier = (SEARCH + 2 * PATHS) * d_settings.sps;
    const uint64_t keep = place - std::min(place, earlier);
    if (keep < d_begin + 4096)
        return; // moving the rest for so little does not pay
    const auto drop = [count = keep - d_begin](auto& values) {
        values.erase(values.begin(), values.begin() + count);
    };
    drop(d_samples);
    drop(d_powers);
    drop(d_products);
    d_begin = keep;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
