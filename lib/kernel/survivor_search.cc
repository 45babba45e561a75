/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/survivor_search.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace gr {
namespace reservoir {
namespace kernel {

namespace {

// Floats that are not negative sort as their bits do.
uint64_t candidate(float cost, uint32_t number)
{
    uint32_t bits;
    std::memcpy(&bits, &cost, sizeof(bits));
    return uint64_t(bits) << 32 | number;
}

float cost_of(uint64_t candidate)
{
    const uint32_t bits = candidate >> 32;
    float cost;
    std::memcpy(&cost, &bits, sizeof(cost));
    return cost;
}

// exp(-i angle) for |angle| < 0.1 to single precision
std::complex<float> small_turn(float angle)
{
    const float square = angle * angle;
    return { 1.0f - square * (0.5f - square / 24.0f), -angle * (1.0f - square / 6.0f) };
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
    for (auto* buffer : { &d_metric,
                          &d_theta,
                          &d_nu,
                          &d_old_theta,
                          &d_old_nu,
                          &d_rotated_re,
                          &d_rotated_im,
                          &d_sum_re,
                          &d_sum_im })
        buffer->assign(d_stride, 0.0f);
    d_turn.assign(d_stride, 1.0f);
    d_old_turn = d_turn;
    d_candidates.resize(model.survivors * model.points.size());
}

void survivor_search::start(const std::complex<float>* past, float theta, float nu)
{
    d_alive = 1;
    d_best = 0;
    d_metric[0] = 0.0f;
    d_theta[0] = theta;
    d_nu[0] = nu;
    d_turn[0] = std::polar(1.0f, -theta);
    for (size_t j = 0; j < d_model.feedback.size(); j++) {
        d_past_re[j * d_stride] = past[j].real();
        d_past_im[j * d_stride] = past[j].imag();
    }
}

int survivor_search::step(std::complex<float> feedforward,
                          uint8_t* parents,
                          uint16_t* symbols,
                          float* phases)
{
    const size_t feedback = d_model.feedback.size();
    const size_t stride = d_stride;
    const size_t points = d_model.points.size();
    const bool loop = d_model.alpha > 0.0f;

    std::fill(d_sum_re.begin(), d_sum_re.end(), 0.0f);
    std::fill(d_sum_im.begin(), d_sum_im.end(), 0.0f);
    for (size_t j = 0; j < feedback; j++) {
        const float b_re = d_model.feedback[j].real();
        const float b_im = d_model.feedback[j].imag();
        const float* const re = &d_past_re[j * stride];
        const float* const im = &d_past_im[j * stride];
        for (size_t s = 0; s < stride; s++) {
            d_sum_re[s] += b_re * re[s] - b_im * im[s];
            d_sum_im[s] += b_re * im[s] + b_im * re[s];
        }
    }

    uint32_t count = 0;
    for (int s = 0; s < d_alive; s++) {
        const float turn_re = d_turn[s].real(), turn_im = d_turn[s].imag();
        d_rotated_re[s] = feedforward.real() * turn_re - feedforward.imag() * turn_im;
        d_rotated_im[s] = feedforward.real() * turn_im + feedforward.imag() * turn_re;
        const float y_re = d_rotated_re[s] + d_sum_re[s];
        const float y_im = d_rotated_im[s] + d_sum_im[s];
        for (size_t m = 0; m < points; m++, count++) {
            const float re = y_re - d_model.centroids[m].real();
            const float im = y_im - d_model.centroids[m].imag();
            d_candidates[count] = candidate(re * re + im * im + d_metric[s], count);
        }
    }

    const int kept = std::min<uint32_t>(d_model.survivors, count);
    if (kept < int(count))
        std::nth_element(d_candidates.begin(),
                         d_candidates.begin() + kept - 1,
                         d_candidates.begin() + count);

    d_old_theta = d_theta;
    d_old_nu = d_nu;
    d_old_turn = d_turn;
    d_best = 0;
    for (int s = 0; s < kept; s++) {
        const uint32_t number = uint32_t(d_candidates[s]);
        const uint32_t parent = number / points;
        const uint32_t point = number % points;
        parents[s] = parent;
        symbols[s] = point;
        d_metric[s] = cost_of(d_candidates[s]);
        if (d_metric[s] < d_metric[d_best])
            d_best = s;
        float theta = d_old_theta[parent], nu = d_old_nu[parent];
        if (loop) {
            const float wanted_re = d_model.centroids[point].real() - d_sum_re[parent];
            const float wanted_im = d_model.centroids[point].imag() - d_sum_im[parent];
            const float error = (d_rotated_im[parent] * wanted_re -
                                 d_rotated_re[parent] * wanted_im) /
                                d_model.power;
            const float bounded = std::min(std::max(error, -0.5f), 0.5f);
            nu += d_model.beta * bounded;
            const float step = d_model.alpha * bounded + nu;
            theta += step;
            const std::complex<float> turned =
                std::abs(step) < 0.1f ? small_turn(step) : std::polar(1.0f, -step);
            const std::complex<float> before = d_old_turn[parent];
            const float re = before.real() * turned.real() - before.imag() * turned.imag();
            const float im = before.real() * turned.imag() + before.imag() * turned.real();
            const float trim = 1.5f - 0.5f * (re * re + im * im); // back to unit modulus
            d_turn[s] = { trim * re, trim * im };
        } else {
            d_turn[s] = d_old_turn[parent];
        }
        d_theta[s] = theta;
        d_nu[s] = nu;
        if (phases)
            phases[s] = theta;
        if (feedback) {
            d_next_re[s] = d_model.points[point].real();
            d_next_im[s] = d_model.points[point].imag();
        }
        for (size_t j = 1; j < feedback; j++) {
            d_next_re[j * stride + s] = d_past_re[(j - 1) * stride + parent];
            d_next_im[j * stride + s] = d_past_im[(j - 1) * stride + parent];
        }
    }
    d_past_re.swap(d_next_re);
    d_past_im.swap(d_next_im);
    const float least = d_metric[d_best];
    for (int s = 0; s < kept; s++)
        d_metric[s] -= least;
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
