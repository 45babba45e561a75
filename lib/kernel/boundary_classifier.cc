/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/boundary_classifier.h>

#include <gnuradio/reservoir/kernel/optimizer.h>
#include <gnuradio/reservoir/kernel/random.h>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {
namespace kernel {

namespace {

// Different ones among them, rising.
std::vector<double> distinct(std::vector<double> values, double tolerance)
{
    std::sort(values.begin(), values.end());
    std::vector<double> found;
    for (const double value : values)
        if (found.empty() || value - found.back() > tolerance)
            found.push_back(value);
    return found;
}

size_t nearest_level(double value, const std::vector<double>& levels)
{
    size_t best = 0;
    for (size_t m = 1; m < levels.size(); m++)
        if (std::abs(value - levels[m]) < std::abs(value - levels[best]))
            best = m;
    return best;
}

} // namespace

std::optional<level_grid> level_grid::of(const std::vector<gr_complex>& points)
{
    constexpr double TOLERANCE = 1e-3; // of the largest component
    double largest = 0.0;
    std::vector<double> re, im;
    for (const gr_complex point : points) {
        re.push_back(point.real());
        im.push_back(point.imag());
        largest = std::max({ largest, std::abs(re.back()), std::abs(im.back()) });
    }
    const double tolerance = TOLERANCE * largest;
    level_grid found = { distinct(re, tolerance), distinct(im, tolerance), 0.0 };
    if (points.size() < 2 || found.re.size() * found.im.size() != points.size())
        return {};
    const std::vector<double>& longer = found.re.size() > 1 ? found.re : found.im;
    found.step = longer[1] - longer[0];
    for (const auto* levels : { &found.re, &found.im })
        for (size_t m = 1; m < levels->size(); m++)
            if (std::abs((*levels)[m] - (*levels)[m - 1] - found.step) > 2 * tolerance)
                return {};
    // as many as pairs of levels: if all differ, every pair is there
    std::vector<size_t> pairs;
    for (size_t i = 0; i < points.size(); i++)
        pairs.push_back(nearest_level(re[i], found.re) * found.im.size() +
                        nearest_level(im[i], found.im));
    std::sort(pairs.begin(), pairs.end());
    if (std::adjacent_find(pairs.begin(), pairs.end()) != pairs.end())
        return {};
    return found;
}

boundary_classifier::boundary_classifier(const level_grid& levels) : d_levels(levels) {}

double boundary_classifier::log_odds(double u) const
{
    double sum = d_network.a * u;
    for (int i = 0; i < NEURONS; i++)
        sum += d_network.v[i] * std::tanh(d_network.w[i] * u);
    return sum;
}

size_t boundary_classifier::level(double value, const std::vector<double>& levels) const
{
    if (!d_trained)
        return nearest_level(value, levels);
    // From one level to the next only the boundary between them changes sides, and
    // log sigmoid(g) - log sigmoid(-g) = g.
    size_t best = 0;
    double sum = 0.0, largest = 0.0;
    for (size_t m = 1; m < levels.size(); m++) {
        const double boundary = levels[m] - d_levels.step / 2;
        sum += log_odds((value - boundary) / (d_levels.step / 2));
        if (sum > largest) {
            largest = sum;
            best = m;
        }
    }
    return best;
}

std::complex<double> boundary_classifier::decide(std::complex<double> symbol) const
{
    return { d_levels.re[level(symbol.real(), d_levels.re)],
             d_levels.im[level(symbol.imag(), d_levels.im)] };
}

size_t boundary_classifier::errors(const std::vector<component>& known) const
{
    return std::count_if(known.begin(), known.end(), [&](const component& c) {
        return level(c.value, *c.levels) != c.level;
    });
}

void boundary_classifier::train(const std::vector<component>& known)
{
    constexpr size_t MOST = 1024; // distances: more of them gain nothing but time
    constexpr int STEPS = 300;
    constexpr float RATE = 0.02F, DECAY = 1e-4F;
    std::vector<float> distances, above;
    for (const component& c : known)
        for (const size_t m : { c.level, c.level + 1 }) { // the boundary below level m
            if (m == 0 || m == c.levels->size())
                continue;
            const double boundary = (*c.levels)[m] - d_levels.step / 2;
            distances.push_back(float((c.value - boundary) / (d_levels.step / 2)));
            above.push_back(m == c.level ? 1.0F : 0.0F);
        }
    const size_t every = (distances.size() + MOST - 1) / MOST;
    const Eigen::Index count = (distances.size() + every - 1) / every;
    // Rows as vectors are wide, so that every machine word is whole: those added have no gradient.
    const Eigen::Index rows = (count + 15) / 16 * 16;
    Eigen::ArrayXf u = Eigen::ArrayXf::Zero(rows),
                   t = Eigen::ArrayXf::Constant(rows, 0.5F);
    for (Eigen::Index n = 0; n < count; n++) {
        u(n) = distances[n * every];
        t(n) = above[n * every];
    }
    // w, v, a
    Eigen::ArrayXf parameters(2 * NEURONS + 1), gradient(2 * NEURONS + 1);
    random draw(1);
    for (int i = 0; i < NEURONS; i++)
        parameters(i) = float(0.5 * draw.gaussian());
    for (int i = NEURONS; i < 2 * NEURONS; i++)
        parameters(i) = float(0.1 * draw.gaussian());
    parameters(2 * NEURONS) = 2.0F;
    optimizer<float> adam(descent::adam, RATE, 0.0);
    Eigen::ArrayXXf hidden(rows, NEURONS);
    Eigen::ArrayXf odds(rows), error(rows);
    for (int step = 0; step < STEPS; step++) {
        odds = parameters(2 * NEURONS) * u;
        for (int i = 0; i < NEURONS; i++) {
            hidden.col(i) = (parameters(i) * u).tanh();
            odds += parameters(NEURONS + i) * hidden.col(i);
        }
        error = (1.0F / (1.0F + (-odds).exp()) - t) / float(count);
        for (int i = 0; i < NEURONS; i++) {
            const float w = parameters(i), v = parameters(NEURONS + i);
            gradient(i) =
                v * (error * u * (1.0F - hidden.col(i).square())).sum() + DECAY * w;
            gradient(NEURONS + i) = (error * hidden.col(i)).sum() + DECAY * v;
        }
        gradient(2 * NEURONS) = (error * u).sum();
        adam.step(parameters.data(), gradient.data(), parameters.size());
    }
    std::copy_n(parameters.data(), NEURONS, d_network.w);
    std::copy_n(parameters.data() + NEURONS, NEURONS, d_network.v);
    d_network.a = parameters(2 * NEURONS);
    d_trained = true;
}

bool boundary_classifier::fit(const std::vector<std::complex<double>>& symbols,
                              const std::vector<std::complex<double>>& sent)
{
    constexpr size_t LEAST = 64; // components of each half
    const double tolerance = 0.01 * d_levels.step;
    d_trained = false;
    std::vector<component> half[2];
    for (size_t n = 0; n < sent.size(); n++) {
        const size_t re = nearest_level(sent[n].real(), d_levels.re);
        const size_t im = nearest_level(sent[n].imag(), d_levels.im);
        const std::complex<double> point = { d_levels.re[re], d_levels.im[im] };
        if (std::abs(sent[n] - point) > tolerance)
            continue;
        if (d_levels.re.size() > 1)
            half[n % 2].push_back({ symbols[n].real(), re, &d_levels.re });
        if (d_levels.im.size() > 1)
            half[n % 2].push_back({ symbols[n].imag(), im, &d_levels.im });
    }
    const size_t nearest = errors(half[0]) + errors(half[1]);
    if (nearest == 0 || half[0].size() < LEAST || half[1].size() < LEAST)
        return false;
    size_t classified = 0;
    for (const int other : { 0, 1 }) {
        train(half[other]);
        classified += errors(half[1 - other]);
    }
    d_trained = false;
    if (classified >= nearest)
        return false;
    half[0].insert(half[0].end(), half[1].begin(), half[1].end());
    train(half[0]);
    return true;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
