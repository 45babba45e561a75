/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/survivor_search.h>

#include "kernel/survivor_loops.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>

namespace gr {
namespace reservoir {
namespace kernel {

namespace {

const survivor_model& checked(const survivor_model& model)
{
    if (model.survivors < 1 || model.survivors > 256)
        throw std::invalid_argument("survivors = " + std::to_string(model.survivors) +
                                    ": must be 1 to 256");
    if (model.points.empty() || model.points.size() != model.centroids.size() ||
        model.points.size() > 65536)
        throw std::invalid_argument("points: must be as many as centroids, 1 to 65536");
    return model;
}

// Floats that are not negative sort as their bits do.
int32_t bits_of(float cost)
{
    int32_t bits;
    std::memcpy(&bits, &cost, sizeof(bits));
    return bits;
}

} // namespace

namespace simd {

survivors::survivors(const survivor_model& search_model)
    : model(search_model),
      stride((model.survivors + SURVIVOR_PADDING - 1) / SURVIVOR_PADDING *
             SURVIVOR_PADDING)
{
    for (auto* buffer : { &past_re, &past_im, &next_re, &next_im })
        buffer->assign(model.feedback.size() * stride, 0.0f);
    now.assign(NUM_ROWS * stride, 0.0f);
    before = now;
    metric.assign(stride, std::numeric_limits<float>::infinity());
    wanted_re.assign(stride, 0.0f);
    wanted_im.assign(stride, 0.0f);
    parents.assign(stride, 0);
    points.assign(stride, 0);
    const size_t candidates = stride * model.points.size();
    costs.resize(candidates);
    order.resize(candidates);
    few.resize(MAX_RANKED);
    keys.resize(MAX_RANKED);
    ranks.resize(MAX_RANKED);
    if (candidates > MAX_RANKED)
        sorted.resize(candidates);
}

void sort_candidates(survivors& s, size_t count, size_t kept)
{
    auto& sorted = s.sorted;
    for (size_t c = 0; c < count; c++)
        sorted[c] = int64_t(bits_of(s.costs[c])) * (int64_t(1) << 32) | int64_t(c);
    std::nth_element(sorted.begin(), sorted.begin() + (kept - 1), sorted.begin() + count);
    std::iter_swap(sorted.begin(),
                   std::min_element(sorted.begin(), sorted.begin() + kept));
    for (size_t k = 0; k < kept; k++)
        s.order[k] = sorted[k] & 0xffffffff;
}

} // namespace simd

survivor_search::survivor_search(const survivor_model& model)
    : d_survivors(std::make_unique<simd::survivors>(checked(model)))
{
}

survivor_search::~survivor_search() = default;

int survivor_search::survivors() const { return d_survivors->model.survivors; }

float survivor_search::lead() const
{
    const simd::survivors& s = *d_survivors;
    const auto remembers_the_same = [&s](size_t k) {
        for (size_t row = 0; row < s.past_re.size(); row += s.stride)
            if (s.past_re[row + k] != s.past_re[row] ||
                s.past_im[row + k] != s.past_im[row])
                return false;
        return true;
    };
    float least = std::numeric_limits<float>::infinity();
    for (size_t k = 1; k < s.alive; k++)
        if (s.metric[k] < least && !remembers_the_same(k))
            least = s.metric[k];
    return least;
}

float survivor_search::theta(int survivor) const
{
    return d_survivors->now[simd::survivors::THETA * d_survivors->stride + survivor];
}
float survivor_search::nu(int survivor) const
{
    return d_survivors->now[simd::survivors::NU * d_survivors->stride + survivor];
}

void survivor_search::start(const std::complex<float>* past, float theta, float nu)
{
    simd::survivors& s = *d_survivors;
    s.alive = 1;
    std::fill(s.metric.begin(), s.metric.end(), std::numeric_limits<float>::infinity());
    s.metric[0] = 0.0f;
    s.now[s.THETA * s.stride] = theta;
    s.now[s.NU * s.stride] = nu;
    s.now[s.TURN_RE * s.stride] = std::cos(theta);
    s.now[s.TURN_IM * s.stride] = -std::sin(theta);
    for (size_t j = 0; j < s.model.feedback.size(); j++) {
        s.past_re[j * s.stride] = past[j].real();
        s.past_im[j * s.stride] = past[j].imag();
    }
}

int survivor_search::step(std::complex<float> feedforward,
                          uint8_t* parents,
                          uint16_t* symbols,
                          float* phases)
{
    const survivor_model& model = d_survivors->model;
    return go_on({ model.points.data(),
                   model.centroids.data(),
                   model.points.size(),
                   model.feedback.data(),
                   nullptr },
                 feedforward,
                 parents,
                 symbols,
                 phases);
}

int survivor_search::step(std::complex<float> feedforward,
                          const survivor_weights& weights,
                          uint8_t* parents,
                          uint16_t* symbols,
                          float* phases)
{
    const survivor_model& model = d_survivors->model;
    return go_on({ model.points.data(),
                   weights.centroids,
                   model.points.size(),
                   weights.feedback,
                   weights.penalties },
                 feedforward,
                 parents,
                 symbols,
                 phases);
}

int survivor_search::step(std::complex<float> feedforward,
                          const given_symbol& given,
                          uint8_t* parents,
                          uint16_t* symbols,
                          float* phases)
{
    const std::complex<float>* const feedback = d_survivors->model.feedback.data();
    return go_on({ &given.point, &given.centroid, 1, feedback, nullptr },
                 feedforward,
                 parents,
                 symbols,
                 phases);
}

int survivor_search::go_on(const simd::continuations& choice,
                           std::complex<float> feedforward,
                           uint8_t* parents,
                           uint16_t* symbols,
                           float* phases)
{
    simd::survivors& s = *d_survivors;
    simd::continue_survivors(s, feedforward, choice);
    std::copy_n(s.parents.begin(), s.alive, parents);
    std::copy_n(s.points.begin(), s.alive, symbols);
    if (phases)
        std::copy_n(&s.now[s.THETA * s.stride], s.alive, phases);
    return s.alive;
}

survivor_decisions decide_frame(survivor_search& search,
                                const std::complex<float>* feedforward,
                                size_t count)
{
    const size_t width = search.survivors();
    std::vector<uint8_t> parents(count * width);
    std::vector<uint16_t> symbols(count * width);
    std::vector<float> phases(count * width);
    for (size_t n = 0; n < count; n++)
        search.step(
            feedforward[n], &parents[n * width], &symbols[n * width], &phases[n * width]);

    survivor_decisions found;
    size_t survivor = search.best();
    found.theta = search.theta(survivor);
    found.nu = search.nu(survivor);
    found.symbols.resize(count);
    found.phases.resize(count);
    for (size_t n = count; n-- > 0;) {
        const size_t place = n * width + survivor;
        found.symbols[n] = symbols[place];
        found.phases[n] = phases[place];
        survivor = parents[place];
    }
    return found;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
