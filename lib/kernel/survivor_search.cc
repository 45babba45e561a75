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
typedef float floats
    __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));

// Survivors s ... s + LANES - 1 of an array that has room for a multiple of eight.
floats& some(std::vector<float>& values, size_t s)
{
    return *reinterpret_cast<floats*>(&values[s]);
}

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
        const __m256i places = _mm256_cvtepu8_epi32(
            _mm_loadl_epi64(reinterpret_cast<const __m128i*>(parents)));
        _mm256_storeu_ps(to, _mm256_permutevar8x32_ps(_mm256_loadu_ps(from), places));
        return;
    }
#endif
    for (size_t s = 0; s < count; s++)
        to[s] = from[parents[s]];
}

// re[s] + i im[s] = table[which[s]]; all have room for a multiple of eight.
void look_up(const std::complex<float>* table,
             const uint16_t* which,
             size_t count,
             float* re,
             float* im)
{
#ifdef __AVX2__
    if (count <= 8) {
        const __m256i places = _mm256_cvtepu16_epi32(
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(which)));
        const float* const parts = reinterpret_cast<const float*>(table);
        _mm256_storeu_ps(re, _mm256_i32gather_ps(parts, places, 8));
        _mm256_storeu_ps(im, _mm256_i32gather_ps(parts + 1, places, 8));
        return;
    }
#endif
    for (size_t s = 0; s < count; s++) {
        re[s] = table[which[s]].real();
        im[s] = table[which[s]].imag();
    }
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
    d_few.resize(FEW + 1);
    d_keys.resize(FEW);
    d_ranks.resize(FEW);
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

// What each survivor expects of its past, the feedforward output in its phase, and all costs.
void survivor_search::predict(std::complex<float> feedforward)
{
    const float f_re = feedforward.real(), f_im = feedforward.imag();
    for (size_t s = 0; s < d_stride; s += LANES) {
        floats sum_re = {}, sum_im = {};
        for (size_t j = 0; j < d_model.feedback.size(); j++) {
            const float b_re = d_model.feedback[j].real(),
                        b_im = d_model.feedback[j].imag();
            const floats re = some(d_past_re, j * d_stride + s);
            const floats im = some(d_past_im, j * d_stride + s);
            sum_re += b_re * re - b_im * im;
            sum_im += b_re * im + b_im * re;
        }
        const floats turn_re = some(d_now.turn_re, s), turn_im = some(d_now.turn_im, s);
        const floats rotated_re = f_re * turn_re - f_im * turn_im;
        const floats rotated_im = f_re * turn_im + f_im * turn_re;
        const floats metric = some(d_metric, s);
        for (size_t m = 0; m < d_model.points.size(); m++) {
            const floats re = rotated_re + sum_re - d_model.centroids[m].real();
            const floats im = rotated_im + sum_im - d_model.centroids[m].imag();
            some(d_costs, m * d_stride + s) = re * re + im * im + metric;
        }
        some(d_now.sum_re, s) = sum_re;
        some(d_now.sum_im, s) = sum_im;
        some(d_now.rotated_re, s) = rotated_re;
        some(d_now.rotated_im, s) = rotated_im;
    }
}

// The cheapest candidates to d_order, the best one first.
void survivor_search::select(size_t kept)
{
    const size_t count = d_costs.size();
    int32_t* const keys = d_keys.data();
    if (count <= FEW) {
        std::memcpy(keys, d_costs.data(), count * sizeof(float));
        for (size_t k = 0; k < count; k++)
            keys[k] = int32_t((keys[k] & ~int32_t(FEW - 1)) | int32_t(k));
        rank_keys(count);
        for (size_t k = 0; k < count; k++)
            d_order[d_ranks[k]] = k;
        return;
    }
    // Each survivor has a candidate that costs no more than the dearest of the survivors' cheapest.
    if (kept <= size_t(d_alive)) {
        const size_t few = find_few();
        if (few <= FEW) {
            for (size_t k = 0; k < few; k++)
                keys[k] = int32_t((bits_of(d_costs[d_few[k]]) & ~int32_t(FEW - 1)) |
                                  int32_t(k));
            rank_keys(few);
            for (size_t k = 0; k < few; k++)
                d_order[d_ranks[k]] = d_few[k];
            return;
        }
    }
    for (size_t k = 0; k < count; k++)
        d_sorted[k] = int64_t(bits_of(d_costs[k])) << 32 | int64_t(k);
    std::nth_element(d_sorted.begin(), d_sorted.begin() + (kept - 1), d_sorted.end());
    std::iter_swap(d_sorted.begin(),
                   std::min_element(d_sorted.begin(), d_sorted.begin() + kept));
    for (size_t s = 0; s < kept; s++)
        d_order[s] = d_sorted[s] & 0xffffffff;
}

// The candidates within that bound to d_few; returns how many, or more than FEW.
size_t survivor_search::find_few()
{
    float* const cheapest = d_wanted_re.data(); // free until follow_phase
    std::copy_n(d_costs.begin(), d_stride, cheapest);
    for (size_t k = d_stride; k < d_costs.size(); k += d_stride)
        for (size_t s = 0; s < d_stride; s++)
            cheapest[s] = std::min(cheapest[s], d_costs[k + s]);
    const float bound = *std::max_element(cheapest, cheapest + d_alive);
    // infinite: follow_phase reads them
    std::fill(cheapest + d_alive, cheapest + d_stride, 0.0f);
    size_t found = 0;
    for (size_t k = 0; k < d_costs.size() && found <= FEW; k++) {
        d_few[found] = k;
        found += d_costs[k] <= bound;
    }
    return found;
}

// Keys are costs whose last bits, 2^-17 of them, gave way to a number, so that no two are equal;
// as many are before a candidate as are smaller.
void survivor_search::rank_keys(size_t count)
{
    int32_t* const keys = d_keys.data();
    int32_t* const ranks = d_ranks.data();
    const size_t padded = (count + LANES - 1) / LANES * LANES;
    std::fill(keys + count, keys + padded, std::numeric_limits<int32_t>::max());
    size_t block = 0;
    for (; block + 4 * LANES <= padded; block += 4 * LANES)
        rank<4>(keys, count, block, ranks);
    for (; block < padded; block += LANES)
        rank<1>(keys, count, block, ranks);
}

// One step of every survivor's phase loop, from what its parent saw.
void survivor_search::follow_phase(size_t kept)
{
    look_up(d_model.centroids.data(),
            d_points.data(),
            kept,
            d_wanted_re.data(),
            d_wanted_im.data());
    const float alpha = d_model.alpha, beta = d_model.beta, scale = 1.0f / d_model.power;
    for (size_t s = 0; s < d_stride; s += LANES) {
        const floats wanted_re = some(d_wanted_re, s) - some(d_now.sum_re, s);
        const floats wanted_im = some(d_wanted_im, s) - some(d_now.sum_im, s);
        floats error = (some(d_now.rotated_im, s) * wanted_re -
                        some(d_now.rotated_re, s) * wanted_im) *
                       scale;
        const floats bound = floats{} + 0.5f;
        error = error < -bound ? -bound : error;
        error = error > bound ? bound : error;
        floats& nu = some(d_now.nu, s);
        nu += beta * error;
        const floats step = alpha * error + nu;
        some(d_now.theta, s) += step;
        // exp(-i step), to single precision for |step| < 0.5
        const floats square = step * step;
        const floats cosine =
            1.0f - square * (0.5f - square * (1.0f / 24.0f - square * (1.0f / 720.0f)));
        const floats sine =
            step * (1.0f - square * (1.0f / 6.0f - square * (1.0f / 120.0f -
                                                             square * (1.0f / 5040.0f))));
        floats& turn_re = some(d_now.turn_re, s);
        floats& turn_im = some(d_now.turn_im, s);
        const floats re = turn_re * cosine + turn_im * sine;
        const floats im = turn_im * cosine - turn_re * sine;
        const floats trim = 1.5f - 0.5f * (re * re + im * im); // back to unit modulus
        turn_re = trim * re;
        turn_im = trim * im;
    }
}

// The past of every survivor, its newest point in front.
void survivor_search::remember(size_t kept)
{
    const size_t feedback = d_model.feedback.size();
    if (feedback == 0)
        return;
    const uint8_t* const parents = d_parents.data();
    look_up(
        d_model.points.data(), d_points.data(), kept, d_next_re.data(), d_next_im.data());
    for (size_t j = 1; j < feedback; j++) {
        inherit(&d_past_re[(j - 1) * d_stride], parents, kept, &d_next_re[j * d_stride]);
        inherit(&d_past_im[(j - 1) * d_stride], parents, kept, &d_next_im[j * d_stride]);
    }
    d_past_re.swap(d_next_re);
    d_past_im.swap(d_next_im);
}

// What the cheapest candidates cost over the first, which by its key may not be quite the least,
// which survivors they continue, with which points.
void survivor_search::take_over(size_t kept, float least)
{
#ifdef __AVX2__
    if (d_stride == 8) {
        const __m256i numbers =
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(d_order.data()));
        const __m256 costs = _mm256_i32gather_ps(d_costs.data(), numbers, 4);
        const __m256 over = _mm256_sub_ps(costs, _mm256_set1_ps(least));
        _mm256_storeu_ps(d_metric.data(), _mm256_max_ps(over, _mm256_setzero_ps()));
        std::fill(d_metric.begin() + kept,
                  d_metric.end(),
                  std::numeric_limits<float>::infinity());
        // eight numbers of 32 bits to 16 bits; the parents then to 8 bits
        const auto narrowed = [](__m256i values) {
            return _mm_packus_epi32(_mm256_castsi256_si128(values),
                                    _mm256_extracti128_si256(values, 1));
        };
        _mm_storeu_si128(reinterpret_cast<__m128i*>(d_points.data()),
                         narrowed(_mm256_srli_epi32(numbers, 3)));
        const __m128i parents = narrowed(_mm256_and_si256(numbers, _mm256_set1_epi32(7)));
        _mm_storel_epi64(reinterpret_cast<__m128i*>(d_parents.data()),
                         _mm_packus_epi16(parents, parents));
        return;
    }
#endif
    for (size_t s = 0; s < kept; s++) {
        const uint32_t number = d_order[s];
        d_metric[s] = std::max(d_costs[number] - least, 0.0f);
        d_parents[s] = number % d_stride;
        d_points[s] = number / d_stride;
    }
}

int survivor_search::step(std::complex<float> feedforward,
                          uint8_t* parents,
                          uint16_t* symbols,
                          float* phases)
{
    predict(feedforward);
    const size_t kept =
        std::min<size_t>(d_model.survivors, d_alive * d_model.points.size());
    select(kept);

    const float least = d_costs[d_order[0]];
    std::swap(d_now, d_before);
    // what belongs to a survivor goes from its parent's place to its own
    const auto move = [kept, this](const std::vector<float>& from,
                                   std::vector<float>& to) {
        inherit(from.data(), d_parents.data(), kept, to.data());
    };
    take_over(kept, least);
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
