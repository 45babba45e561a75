/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/level_steps.h"

#include <gnuradio/reservoir/kernel/power_steps.h>
#include <algorithm>
#include <cmath>
#include <numeric>

namespace gr {
namespace reservoir {

using Eigen::Index;
using Eigen::VectorXcd;
using Eigen::VectorXd;
using kernel::row_range;

namespace {

constexpr double SILENCE = 1e-10; // of the strongest level
constexpr double MOST_TURN = 0.6; // of a gain; decisions of 8-PSK may be turned by pi/4

// One antenna's samples, in their order.
VectorXcd
samples_of(const kernel::sample_streams& streams, size_t antenna, int phases, Index count)
{
    VectorXcd samples(count);
    for (Index q = 0; q < phases; q++)
        samples(Eigen::seqN(q, count / phases, phases)) =
            streams[antenna * phases + q].head(count / phases);
    return samples;
}

// What gives each level that of the first that are not silent.
std::vector<std::complex<double>> factors_of(const std::vector<double>& levels)
{
    const double silence = SILENCE * *std::max_element(levels.begin(), levels.end());
    const auto is_sound = [&](double level) { return level > silence; };
    const auto reference = std::find_if(levels.begin(), levels.end(), is_sound);
    std::vector<std::complex<double>> factors;
    for (const double level : levels)
        factors.emplace_back(is_sound(level) ? std::sqrt(*reference / level) : 1.0);
    return factors;
}

} // namespace

level_steps::level_steps(const kernel::sample_streams& streams,
                         int phases,
                         Index num_symbols,
                         double least_log_ratio,
                         Index window)
    : d_phases(phases), d_window(window * phases)
{
    const Index size = num_symbols * phases;
    for (size_t a = 0; a < streams.size() / phases; a++) {
        const VectorXd powers = samples_of(streams, a, phases, size).cwiseAbs2();
        antenna one = { size,
                        kernel::find_power_steps(powers, least_log_ratio, d_window),
                        {} };
        std::vector<double> levels;
        for (size_t i = 0; i <= one.steps.size(); i++) {
            const row_range rows = one.part(i);
            levels.push_back(powers.segment(rows.first, rows.size()).mean());
        }
        one.factors = factors_of(levels);
        d_antennas.push_back(std::move(one));
    }
}

int level_steps::count() const
{
    return std::accumulate(
        d_antennas.begin(), d_antennas.end(), 0, [](int sum, const antenna& one) {
            return sum + int(one.steps.size());
        });
}

kernel::sample_streams level_steps::undone(const kernel::sample_streams& streams) const
{
    kernel::sample_streams out = streams;
    for (size_t q = 0; q < out.size(); q++) {
        const antenna& one = d_antennas[q / d_phases];
        size_t i = 0;
        for (Index n = 0; n < out[q].size(); n++) {
            while (i < one.steps.size() &&
                   n * d_phases + Index(q) % d_phases >= one.steps[i])
                i++;
            out[q](n) *= one.factors[i];
        }
    }
    return out;
}

level_steps level_steps::refined(const kernel::sample_streams& streams,
                                 const kernel::sample_streams& model) const
{
    level_steps found = *this;
    for (size_t a = 0; a < d_antennas.size(); a++) {
        antenna& one = found.d_antennas[a];
        const VectorXcd seen = samples_of(streams, a, d_phases, one.size);
        const VectorXcd sent = samples_of(model, a, d_phases, one.size);
        one.fit_factors(seen, sent);
        one.fit_steps(seen, sent, d_window / 4);
        one.fit_factors(seen, sent);
    }
    return found;
}

// Samples between two steps.
row_range level_steps::antenna::part(size_t i) const
{
    return { i > 0 ? steps[i - 1] : 0, i < steps.size() ? steps[i] : size };
}

// |e|² of rows, should they belong to a part.
VectorXd level_steps::antenna::errors(size_t i,
                                      const VectorXcd& seen,
                                      const VectorXcd& sent,
                                      row_range rows) const
{
    return (factors[i] * seen.segment(rows.first, rows.size()) -
            sent.segment(rows.first, rows.size()))
        .cwiseAbs2();
}

void level_steps::antenna::fit_factors(const VectorXcd& seen, const VectorXcd& sent)
{
    for (size_t i = 0; i < factors.size(); i++) {
        const row_range rows = part(i);
        const auto expected = sent.segment(rows.first, rows.size());
        const std::complex<double> gain =
            expected.dot(seen.segment(rows.first, rows.size())) / expected.squaredNorm();
        if (!std::isfinite(std::abs(1.0 / gain))) // nothing was sent, or came
            continue;
        const bool turned = std::abs(std::arg(gain)) > MOST_TURN;
        factors[i] = 1.0 / (turned ? std::abs(gain) : gain);
    }
}

void level_steps::antenna::fit_steps(const VectorXcd& seen,
                                     const VectorXcd& sent,
                                     Index most)
{
    double noise = 0.0;
    for (size_t i = 0; i < factors.size(); i++)
        noise += errors(i, seen, sent, part(i)).sum();
    noise = std::max(noise / double(size), 1e-300);
    for (size_t i = 0; i < steps.size(); i++) {
        const row_range both = { part(i).first, part(i + 1).last };
        const VectorXd more =
            errors(i + 1, seen, sent, both) - errors(i, seen, sent, both);
        const double stretch = 2.0 * std::log(std::abs(factors[i] / factors[i + 1]));
        steps[i] = both.first + kernel::likeliest_step(more.array() / noise + stretch,
                                                       steps[i] - both.first,
                                                       most);
    }
}

std::vector<std::complex<double>> level_steps::last_factors() const
{
    std::vector<std::complex<double>> factors;
    for (const antenna& one : d_antennas)
        factors.push_back(one.factors.back());
    return factors;
}

double level_steps::power_stretch() const
{
    double sum = 0.0;
    for (const antenna& one : d_antennas)
        for (size_t i = 0; i < one.factors.size(); i++)
            sum += 2.0 * std::log(std::abs(one.factors[i])) * one.part(i).size();
    return std::exp(sum / num_samples());
}

bool level_steps::pay_off(double residual, double as_received) const
{
    const double values = 2.0 * num_samples(); // real ones
    const double parameters = 2.0 * count();   // places and gains
    return values * std::log(as_received / residual) > parameters * std::log(values);
}

} // namespace reservoir
} // namespace gr
