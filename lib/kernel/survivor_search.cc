/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/survivor_search.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>
#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace gr {
namespace reservoir {
namespace kernel {

namespace {

constexpr size_t FEW = 64; // candidates that are ranked, all against all

#ifdef __AVX2__
constexpr int LANES = 8;
#else
constexpr int LANES = 4;
#endif
typedef int32_t lanes __attribute__((vector_size(LANES * sizeof(int32_t)), aligned(4)));

// How many of the keys are smaller than each of V vectors of them, from block on.
template <int V>
void rank(const int32_t* keys, size_t count, size_t block, int32_t* ranks)
{
    lanes own[V], smaller[V] = {};
    std::memcpy(own, keys + block, sizeof(own));
    for (size_t j = 0; j < count; j++)
        for (int v = 0; v < V; v++)
            smaller[v] -= keys[j] < own[v]; // true is -1
    std::memcpy(ranks + block, smaller, sizeof(smaller));
}

// to[s] = from[parents[s]]; both have room for a multiple of eight.
void inherit(const float* from, const uint8_t* parents, size_t count, float* to)
{
#ifdef __AVX2__
    if (count <= 8) {
        const __m256i places =
            _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(parents)));
        _mm256_storeu_ps(to, _mm256_permutevar8x32_ps(_mm256_loadu_ps(from), places));
        return;
    }
#endif
    for (size_t s = 0; s < count; s++)
        to[s] = from[parents[s]];
}

// Floats that are not negative sort as their bits do.
int32_t bits_of(float cost)
{
    int32_t bits;
    std::memcpy(&bits, &cost, sizeof(bits));
    return bits;
}

} // namespace

survivor_search::survivor_search(const survivor_model& model) : d_model(model)
{
    if (model.survivors < 1 || model.survivors > 256)
        throw std::invalid_argument("survivors = " + std::to_string(model.survivors) +
                                    ": must be 1 to 256");
    if (model.points.empty() || model.points.size() != model.centroids.size() ||
        model.points.size() > 65536)
        throw std::invalid_argument("points: must be as many as centroids, 1 to 65536");
    d_stride = (model.survivors + 7) / 8 * 8;
    const size_t past = model.feedback.size() * d_stride;
    for (auto* buffer : { &d_past_re, &d_past_im, &d_next_re, &d_next_im })
        buffer->assign(past, 0.0f);
    for (auto* hypotheses : { &d_now, &d_before })
        for (auto* buffer : { &hypotheses->theta,
                              &hypotheses->nu,
                              &hypotheses->turn_re,
                              &hypotheses->turn_im,
                              &hypotheses->rotated_re,
                              &hypotheses->rotated_im,
                              &hypotheses->sum_re,
                              &hypotheses->sum_im })
            buffer->assign(d_stride, 0.0f);
    d_metric.assign(d_stride, std::numeric_limits<float>::infinity());
    d_wanted_re.assign(d_stride, 0.0f);
    d_wanted_im.assign(d_stride, 0.0f);
    d_parents.assign(d_stride, 0);
    d_points.assign(d_stride, 0);
    const size_t candidates = d_stride * model.points.size();
    d_costs.resize(candidates);
    d_order.resize(candidates);
    d_keys.resize(std::min(candidates, FEW));
    d_ranks.resize(d_keys.size());
    if (candidates > FEW)
        d_sorted.resize(candidates);
}

void survivor_search::start(const std::complex<float>* past, float theta, float nu)
{
    d_alive = 1;
    std::fill(d_metric.begin(), d_metric.end(), std::numeric_limits<float>::infinity());
    d_metric[0] = 0.0f;
    d_now.theta[0] = theta;
    d_now.nu[0] = nu;
    d_now.turn_re[0] = std::cos(theta);
    d_now.turn_im[0] = -std::sin(theta);
    for (size_t j = 0; j < d_model.feedback.size(); j++) {
        d_past_re[j * d_stride] = past[j].real();
        d_past_im[j * d_stride] = past[j].imag();
    }
}

// What each survivor expects of its past, and the feedforward output in its phase.
void survivor_search::predict(std::complex<float> feedforward)
{
    const size_t stride = d_stride;
    float* const sum_re = d_now.sum_re.data();
    float* const sum_im = d_now.sum_im.data();
    std::fill_n(sum_re, stride, 0.0f);
    std::fill_n(sum_im, stride, 0.0f);
    for (size_t j = 0; j < d_model.feedback.size(); j++) {
        const float b_re = d_model.feedback[j].real();
        const float b_im = d_model.feedback[j].imag();
        const float* const re = &d_past_re[j * stride];
        const float* const im = &d_past_im[j * stride];
        for (size_t s = 0; s < stride; s++) {
            sum_re[s] += b_re * re[s] - b_im * im[s];
            sum_im[s] += b_re * im[s] + b_im * re[s];
        }
    }
    const float f_re = feedforward.real(), f_im = feedforward.imag();
    const float* const turn_re = d_now.turn_re.data();
    const float* const turn_im = d_now.turn_im.data();
    float* const rotated_re = d_now.rotated_re.data();
    float* const rotated_im = d_now.rotated_im.data();
    for (size_t s = 0; s < stride; s++) {
        rotated_re[s] = f_re * turn_re[s] - f_im * turn_im[s];
        rotated_im[s] = f_re * turn_im[s] + f_im * turn_re[s];
    }
    for (size_t m = 0; m < d_model.points.size(); m++) {
        const float c_re = d_model.centroids[m].real();
        const float c_im = d_model.centroids[m].imag();
        const float* const metric = d_metric.data();
        float* const costs = &d_costs[m * stride];
        for (size_t s = 0; s < stride; s++) {
            const float re = rotated_re[s] + sum_re[s] - c_re;
            const float im = rotated_im[s] + sum_im[s] - c_im;
            costs[s] = re * re + im * im + metric[s];
        }
    }
}

// The cheapest candidates to d_order, the best one first.
void survivor_search::select(size_t kept)
{
    const size_t count = d_costs.size();
    if (count > FEW) {
        for (size_t k = 0; k < count; k++)
            d_sorted[k] = int64_t(bits_of(d_costs[k])) << 32 | int64_t(k);
        std::nth_element(d_sorted.begin(), d_sorted.begin() + (kept - 1), d_sorted.end());
        std::iter_swap(d_sorted.begin(),
                       std::min_element(d_sorted.begin(), d_sorted.begin() + kept));
        for (size_t s = 0; s < kept; s++)
            d_order[s] = d_sorted[s] & 0xffffffff;
        return;
    }
    // The last bits of a cost, 2^-17 of it, give way to the number, so that no two are equal; then
    // as many are before a candidate as are smaller.
    int32_t* const keys = d_keys.data();
    std::memcpy(keys, d_costs.data(), count * sizeof(float));
    for (size_t k = 0; k < count; k++)
        keys[k] = int32_t((keys[k] & ~int32_t(FEW - 1)) | int32_t(k));
    int32_t* const ranks = d_ranks.data();
    size_t block = 0;
    for (; block + 4 * LANES <= count; block += 4 * LANES)
        rank<4>(keys, count, block, ranks);
    for (; block < count; block += LANES)
        rank<1>(keys, count, block, ranks);
    for (size_t k = 0; k < count; k++)
        d_order[ranks[k]] = k;
}

// One step of every survivor's phase loop, from what its parent saw.
void survivor_search::follow_phase(size_t kept)
{
    for (size_t s = 0; s < kept; s++) {
        d_wanted_re[s] = d_model.centroids[d_points[s]].real();
        d_wanted_im[s] = d_model.centroids[d_points[s]].imag();
    }
    const float alpha = d_model.alpha, beta = d_model.beta, scale = 1.0f / d_model.power;
    const float *const rotated_re = d_now.rotated_re.data(),
                       *const rotated_im = d_now.rotated_im.data();
    const float *const sum_re = d_now.sum_re.data(), *const sum_im = d_now.sum_im.data();
    const float *const centroid_re = d_wanted_re.data(), *const centroid_im = d_wanted_im.data();
    float *const theta = d_now.theta.data(), *const nu = d_now.nu.data();
    float *const turn_re = d_now.turn_re.data(), *const turn_im = d_now.turn_im.data();
    for (size_t s = 0; s < d_stride; s++) {
        const float wanted_re = centroid_re[s] - sum_re[s];
        const float wanted_im = centroid_im[s] - sum_im[s];
        const float error = (rotated_im[s] * wanted_re - rotated_re[s] * wanted_im) * scale;
        const float bounded = std::min(std::max(error, -0.5f), 0.5f);
        nu[s] += beta * bounded;
        const float step = alpha * bounded + nu[s];
        theta[s] += step;
        // exp(-i step), to single precision for |step| < 0.5
        const float square = step * step;
        const float cosine =
            1.0f - square * (0.5f - square * (1.0f / 24.0f - square * (1.0f / 720.0f)));
        const float sine =
            step * (1.0f - square * (1.0f / 6.0f - square * (1.0f / 120.0f - square * (1.0f / 5040.0f))));
        const float re = turn_re[s] * cosine + turn_im[s] * sine;
        const float im = turn_im[s] * cosine - turn_re[s] * sine;
        const float trim = 1.5f - 0.5f * (re * re + im * im); // back to unit modulus
        turn_re[s] = trim * re;
        turn_im[s] = trim * im;
    }
}

// The past of every survivor, its newest point in front.
void survivor_search::remember(size_t kept)
{
    const size_t feedback = d_model.feedback.size();
    if (feedback == 0)
        return;
    const uint8_t* const parents = d_parents.data();
    for (size_t s = 0; s < kept; s++) {
        d_next_re[s] = d_model.points[d_points[s]].real();
        d_next_im[s] = d_model.points[d_points[s]].imag();
    }
    for (size_t j = 1; j < feedback; j++) {
        inherit(&d_past_re[(j - 1) * d_stride], parents, kept, &d_next_re[j * d_stride]);
        inherit(&d_past_im[(j - 1) * d_stride], parents, kept, &d_next_im[j * d_stride]);
    }
    d_past_re.swap(d_next_re);
    d_past_im.swap(d_next_im);
}

int survivor_search::step(std::complex<float> feedforward,
                          uint8_t* parents,
                          uint16_t* symbols,
                          float* phases)
{
    const size_t stride = d_stride;
    predict(feedforward);
    const size_t kept = std::min<size_t>(d_model.survivors, d_alive * d_model.points.size());
    select(kept);

    const float least = d_costs[d_order[0]];
    std::swap(d_now, d_before);
    // what belongs to a survivor goes from its parent's place to its own
    const auto move = [kept, this](const std::vector<float>& from, std::vector<float>& to) {
        inherit(from.data(), d_parents.data(), kept, to.data());
    };
    for (size_t s = 0; s < kept; s++) {
        const uint32_t number = d_order[s];
        d_metric[s] = d_costs[number] - least;
        d_parents[s] = number % stride;
        d_points[s] = number / stride;
    }
    move(d_before.theta, d_now.theta);
    move(d_before.nu, d_now.nu);
    move(d_before.turn_re, d_now.turn_re);
    move(d_before.turn_im, d_now.turn_im);
    if (d_model.alpha > 0.0f) {
        move(d_before.rotated_re, d_now.rotated_re);
        move(d_before.rotated_im, d_now.rotated_im);
        move(d_before.sum_re, d_now.sum_re);
        move(d_before.sum_im, d_now.sum_im);
        follow_phase(kept);
    }
    remember(kept);
    std::copy_n(d_parents.begin(), kept, parents);
    std::copy_n(d_points.begin(), kept, symbols);
    if (phases)
        std::copy_n(d_now.theta.begin(), kept, phases);
    d_alive = kept;
    return kept;
}

survivor_decisions
decide_frame(survivor_search& search, const std::complex<float>* feedforward, size_t count)
{
    const size_t width = search.survivors();
    std::vector<uint8_t> parents(count * width);
    std::vector<uint16_t> symbols(count * width);
    std::vector<float> phases(count * width);
    for (size_t n = 0; n < count; n++)
        search.step(feedforward[n], &parents[n * width], &symbols[n * width], &phases[n * width]);

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
