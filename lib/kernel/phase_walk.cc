/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/phase_walk.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::VectorXcd;
using Eigen::VectorXd;

namespace {

constexpr Index BLOCK = 8; // samples
// variance of a step from block to block, over that of the noise per sample
constexpr double STEPS[] = { 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0 };

// Phases of blocks. Variances are in units of the noise's.
class walk_filter
{
public:
    walk_filter(const VectorXcd& products, const VectorXd& energies)
        : d_products(products), d_energies(energies)
    {
    }

    // -2 log likelihood but for constants, at the likeliest noise variance; keeps the filter's run.
    double run(double step, bool keep)
    {
        const Index count = d_products.size();
        double phase = std::arg(d_products.sum()), variance = 0.0;
        if (step > 0.0) { // starts at the first block that says something
            variance = 1.0 / std::max(d_energies(0), LEAST);
            phase = std::arg(d_products(0));
        }
        double squares = 0.0, logs = 0.0, seen = 0.0;
        for (Index b = 0; b < count; b++) {
            variance += step;
            if (d_energies(b) > LEAST) {
                const double noise = 0.5 / d_energies(b), total = variance + noise;
                const double error = std::arg(d_products(b) * std::polar(1.0, -phase));
                squares += error * error / total;
                logs += std::log(total);
                seen += 1.0;
                phase += error * variance / total;
                variance *= noise / total;
            }
            if (keep) {
                d_phases.push_back(phase);
                d_variances.push_back(variance);
            }
        }
        return seen * std::log(std::max(squares, LEAST) / std::max(seen, 1.0)) + logs;
    }

    std::vector<double> smoothed(double step)
    {
        d_phases.clear();
        d_variances.clear();
        run(step, true);
        for (Index b = Index(d_phases.size()) - 2; b >= 0; b--)
            d_phases[b] += d_variances[b] / (d_variances[b] + step) *
                           (d_phases[b + 1] - d_phases[b]);
        return d_phases;
    }

private:
    static constexpr double LEAST = 1e-12;
    const VectorXcd& d_products;
    const VectorXd& d_energies;
    std::vector<double> d_phases, d_variances;
};

} // namespace

VectorXd fit_phase_walk(const sample_streams& received,
                        const sample_streams& expected,
                        row_range rows)
{
    constexpr Index LEAST_BLOCKS = 8;
    constexpr double WORTH = 2.0; // a parameter is, of the criterion's logarithms
    const Index count = rows.size() / BLOCK;
    if (count < LEAST_BLOCKS)
        return {};
    VectorXcd products = VectorXcd::Zero(count);
    VectorXd energies = VectorXd::Zero(count);
    for (size_t r = 0; r < received.size(); r++)
        for (Index b = 0; b < count; b++) {
            const auto x = expected[r].segment(rows.first + b * BLOCK, BLOCK);
            products(b) += x.dot(received[r].segment(rows.first + b * BLOCK, BLOCK));
            energies(b) += x.squaredNorm();
        }
    walk_filter filter(products, energies);
    double best = filter.run(0.0, false) - WORTH * std::log(double(count));
    double found = 0.0;
    for (const double step : STEPS) {
        const double score = filter.run(step, false);
        if (score < best) {
            best = score;
            found = step;
        }
    }
    if (found == 0.0)
        return {};
    const std::vector<double> phases = filter.smoothed(found);
    VectorXd out(rows.last);
    for (Index n = 0; n < out.size(); n++) {
        const double place = (double(n - rows.first) + 0.5) / BLOCK - 0.5;
        const double inside = std::clamp(place, 0.0, double(count - 1));
        const Index before = std::min(Index(inside), count - 2);
        const double part = inside - double(before);
        out(n) = (1.0 - part) * phases[before] + part * phases[before + 1];
    }
    return out;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
