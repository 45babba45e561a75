/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/amplifier.h>

#include "check.h"
#include "kernel/unit_power.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {
namespace kernel {

namespace {

constexpr size_t BLOCK = 1024; // samples worked on at a time

void check_input_backoff_db(double input_backoff_db)
{
    require_range("input_backoff_db", input_backoff_db, -60.0, 100.0);
}

double check_smoothness(double smoothness)
{
    require_range("smoothness", smoothness, 0.1, 100.0);
    return smoothness;
}

std::vector<double> check_saleh(const std::vector<double>& saleh)
{
    if (saleh.size() != 4)
        reject_argument("saleh length",
                        saleh.size(),
                        "4: saleh is [alpha_a, beta_a, alpha_phi, beta_phi]");
    if (!(saleh[0] > 0.0 && std::isfinite(saleh[0])))
        reject_argument("saleh alpha_a", saleh[0], "finite and above 0");
    if (!(saleh[1] >= 0.0 && std::isfinite(saleh[1])))
        reject_argument("saleh beta_a", saleh[1], "finite and at least 0");
    if (!std::isfinite(saleh[2]))
        reject_argument("saleh alpha_phi", saleh[2], "finite");
    if (!(saleh[3] >= 0.0 && std::isfinite(saleh[3])))
        reject_argument("saleh beta_phi", saleh[3], "finite and at least 0");
    return saleh;
}

} // namespace

amplifier::coefficients_t amplifier::default_coefficients()
{
    return { { { 1.0f, 0.0f }, { 0.08f, -0.05f }, { -0.03f, 0.02f } },
             { { -0.14f, -0.07f }, { -0.03f, 0.02f }, { 0.01f, 0.0f } },
             { { 0.012f, 0.012f }, { 0.0f, 0.0f }, { 0.0f, 0.0f } } };
}

amplifier::amplifier(const std::string& model,
                     double input_backoff_db,
                     double smoothness,
                     const std::vector<double>& saleh,
                     const coefficients_t& coefficients,
                     double output_gain)
    : d_name(model),
      d_model(parse_model(model)),
      d_smoothness(check_smoothness(smoothness)),
      d_saleh(check_saleh(saleh))
{
    set_operating_point(input_backoff_db, output_gain);
    set_coefficients(coefficients);
    d_line.assign(d_num_taps - 1 + BLOCK, 0.0);
}

amplifier::model_t amplifier::parse_model(const std::string& model)
{
    if (model == "rapp")
        return model_t::RAPP;
    if (model == "saleh")
        return model_t::SALEH;
    if (model == "memory_polynomial")
        return model_t::MEMORY_POLYNOMIAL;
    if (model == "linear")
        return model_t::LINEAR;
    reject_argument("model",
                    "\"" + model + "\"",
                    "\"rapp\", \"saleh\", \"memory_polynomial\" or \"linear\"");
}

void amplifier::set_coefficients(const coefficients_t& coefficients)
{
    require_range<size_t>("coefficients rows", coefficients.size(), 1, 8);
    const size_t num_taps = coefficients.front().size();
    require_range<size_t>("coefficients columns", num_taps, 1, 64);
    for (const auto& row : coefficients) {
        if (row.size() != num_taps)
            reject_argument(
                "coefficients row length", row.size(), "the same in every row");
        for (const auto& coefficient : row)
            if (!(std::isfinite(coefficient.real()) && std::isfinite(coefficient.imag())))
                reject_argument("coefficients element", coefficient, "finite");
    }
    if (d_model != model_t::MEMORY_POLYNOMIAL)
        return;
    d_num_orders = static_cast<int>(coefficients.size());
    d_num_taps = static_cast<int>(num_taps);
    for (size_t tap = 0; tap < num_taps; ++tap)
        for (const auto& row : coefficients)
            d_coefficients.emplace_back(row[tap]);
}

void amplifier::set_operating_point(double input_backoff_db, double output_gain)
{
    check_input_backoff_db(input_backoff_db);
    if (!(output_gain > 0.0 && output_gain <= 1e6))
        reject_argument("output_gain", output_gain, "above 0 and at most 1e6");
    d_input_backoff_db = input_backoff_db;
    d_output_gain = output_gain;
}

void amplifier::forget() { std::fill(d_line.begin(), d_line.end(), 0.0); }

//! F(g x)/(g x) of memory tap q; a Rapp, Saleh or linear amplifier has tap 0 only.
std::complex<double> amplifier::gain(double amplitude, double drive, int tap) const
{
    const double r = drive * amplitude;
    switch (d_model) {
    case model_t::RAPP: {
        // above saturation in the form that cannot overflow
        const double exponent = 2.0 * d_smoothness;
        if (r <= 1.0)
            return std::pow(1.0 + std::pow(r, exponent), -1.0 / exponent);
        return std::pow(1.0 + std::pow(r, -exponent), -1.0 / exponent) / r;
    }
    case model_t::SALEH: {
        const double r2 = r * r;
        return std::polar(d_saleh[0] / (1.0 + d_saleh[1] * r2),
                          d_saleh[2] * r2 / (1.0 + d_saleh[3] * r2));
    }
    case model_t::MEMORY_POLYNOMIAL: {
        const double r2 = r * r;
        const auto* c = &d_coefficients[tap * d_num_orders];
        std::complex<double> sum = c[d_num_orders - 1];
        for (int k = d_num_orders - 2; k >= 0; --k)
            sum = sum * r2 + c[k];
        return sum;
    }
    case model_t::LINEAR:
        break;
    }
    return 1.0;
}

void amplifier::amplify(const std::complex<float>* in,
                        size_t count,
                        std::complex<float>* out)
{
    const double drive = std::pow(10.0, -d_input_backoff_db / 20.0);
    const int memory = d_num_taps - 1;

    for (size_t start = 0; start < count; start += BLOCK) {
        const size_t len = std::min(BLOCK, count - start);
        auto* x = d_line.data() + memory;
        for (size_t n = 0; n < len; ++n) {
            const std::complex<double> sample(in[start + n]);
            const bool finite =
                std::isfinite(sample.real()) && std::isfinite(sample.imag());
            x[n] = finite ? sample : 0.0;
        }
        for (size_t n = 0; n < len; ++n) {
            double re = 0.0;
            double im = 0.0;
            for (int q = 0; q <= memory; ++q) {
                const auto u = x[std::ptrdiff_t(n) - q];
                const auto g = gain(std::abs(u), drive, q);
                re += g.real() * u.real() - g.imag() * u.imag();
                im += g.real() * u.imag() + g.imag() * u.real();
            }
            out[start + n] = std::complex<float>(d_output_gain * re, d_output_gain * im);
        }
        std::copy(x + len - memory, x + len, d_line.begin());
    }
}

// |x|^2 is exponential and the phase averages to zero; composite Simpson's rule over the
// amplitude, whose density is 2 r exp(-r^2).
void amplifier::add_gaussian_power(double drive, int tap, double& power) const
{
    constexpr int INTERVALS = 2000;
    constexpr double LIMIT = 7.0;
    const double step = LIMIT / INTERVALS;
    for (int i = 1; i < INTERVALS; ++i) {
        const double r = i * step;
        const double weight = (i % 2 ? 4.0 : 2.0) * step / 3.0;
        power +=
            weight * 2.0 * r * std::exp(-r * r) * r * r * std::norm(gain(r, drive, tap));
    }
}

double amplifier::mean_output_power(double input_backoff_db,
                                    const std::vector<std::complex<float>>& points) const
{
    check_input_backoff_db(input_backoff_db);
    const double drive = std::pow(10.0, -input_backoff_db / 20.0);
    const auto values =
        points.empty() ? points : unit_power(points, "points"); // also checks them
    double power = 0.0;
    std::complex<double> mean_sum = 0.0;
    for (int tap = 0; tap < d_num_taps; ++tap) {
        if (values.empty()) {
            add_gaussian_power(drive, tap, power);
            continue;
        }
        // independent samples: the powers of the taps add, except for their means
        std::complex<double> mean = 0.0;
        double tap_power = 0.0;
        for (const auto& value : values) {
            const std::complex<double> x(value);
            const auto y = x * gain(std::abs(x), drive, tap);
            mean += y;
            tap_power += std::norm(y);
        }
        mean /= static_cast<double>(values.size());
        power += tap_power / static_cast<double>(values.size()) - std::norm(mean);
        mean_sum += mean;
    }
    return power + std::norm(mean_sum);
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
