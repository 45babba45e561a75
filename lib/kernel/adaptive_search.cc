/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/adaptive_search.h>

#include "kernel/phase_loop.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

namespace gr {
namespace reservoir {
namespace kernel {

namespace {

typedef std::complex<float> cfloat;
constexpr float INFINITE = std::numeric_limits<float>::infinity();

struct signal_parts {
    std::vector<float> re, im;

    explicit signal_parts(size_t count = 0) : re(count), im(count) {}
    explicit signal_parts(const std::vector<cfloat>& values) : signal_parts(values.size())
    {
        for (size_t k = 0; k < values.size(); k++)
            set(k, values[k]);
    }
    void set(size_t k, cfloat value)
    {
        re[k] = value.real();
        im[k] = value.imag();
    }
};

class adaptive_search
{
public:
    adaptive_search(const survivor_model& model,
                    const cfloat* past,
                    const cfloat* feedforward,
                    size_t count,
                    float threshold,
                    size_t judged,
                    const given_symbols& given)
        : d_model(model),
          d_input(feedforward),
          d_count(count),
          d_threshold(threshold),
          d_judged(std::min(judged, count)),
          d_given(given),
          d_memory(model.feedback.size()),
          d_centroids(model.centroids),
          d_feedback(d_memory),
          d_decided(d_memory + count),
          d_width(model.survivors),
          d_recent(d_memory)
    {
        for (size_t j = 0; j < d_memory; j++) {
            d_feedback.set(d_memory - 1 - j, model.feedback[j]);
            d_decided.set(d_memory - 1 - j, past[j]);
        }
    }

    adaptive_decisions run(float theta, float nu)
    {
        d_found.symbols.resize(d_count);
        d_found.phases.resize(d_count);
        d_found.margins.resize(d_judged);
        phase_loop loop(d_model, d_model.power, theta, nu);
        size_t searched = 0;
        for (size_t n = 0; n < d_count;) {
            n = go_on_alone(n, loop);
            if (n == d_count)
                break;
            const size_t end = search(n, loop);
            searched += end - n;
            n = end;
        }
        d_found.theta = loop.theta;
        d_found.nu = loop.nu;
        const float unit = 1.0f / least_distance(d_model.centroids);
        d_found.margin = INFINITE;
        for (float& margin : d_found.margins) {
            margin *= unit;
            d_found.margin = std::min(d_found.margin, margin);
        }
        d_found.searched = d_count > 0 ? double(searched) / d_count : 0.0;
        return d_found;
    }

private:
    struct nearest_points {
        size_t best;
        float distance, lead;
    };

    cfloat feedback_sum(size_t n) const
    {
        const float *re = &d_decided.re[n], *im = &d_decided.im[n];
        float sum_re = 0.0f, sum_im = 0.0f;
        for (size_t j = 0; j < d_memory; j++) {
            sum_re += d_feedback.re[j] * re[j] - d_feedback.im[j] * im[j];
            sum_im += d_feedback.re[j] * im[j] + d_feedback.im[j] * re[j];
        }
        return { sum_re, sum_im };
    }

    cfloat turned(size_t n, cfloat turn) const
    {
        const cfloat f = d_input[n];
        return { f.real() * turn.real() - f.imag() * turn.imag(),
                 f.real() * turn.imag() + f.imag() * turn.real() };
    }

    float distance(cfloat output, size_t point) const
    {
        const float re = output.real() - d_centroids.re[point];
        const float im = output.imag() - d_centroids.im[point];
        return re * re + im * im;
    }

    nearest_points nearest(cfloat output) const
    {
        size_t best = 0;
        float least = INFINITE, second = INFINITE;
        for (size_t m = 0; m < d_centroids.re.size(); m++) {
            const float d = distance(output, m);
            const bool less = d < least;
            second = less ? least : std::min(second, d);
            best = less ? m : best;
            least = less ? d : least;
        }
        return { best, least, second - least };
    }

    const given_symbol* given(size_t n) const
    {
        return n < d_given.size() && d_given[n] ? &*d_given[n] : nullptr;
    }

    void decide(size_t n, size_t point, float theta)
    {
        const given_symbol* const known = given(n);
        d_found.symbols[n] = known ? -1 : int(point);
        d_found.phases[n] = theta;
        d_decided.set(d_memory + n, known ? known->point : d_model.points[point]);
    }

    // Returns the first symbol that needs a search.
    size_t go_on_alone(size_t n, phase_loop& loop)
    {
        for (; n < d_count; n++) {
            const cfloat sum = feedback_sum(n), rotated = turned(n, loop.turn);
            if (const given_symbol* const known = given(n)) {
                if (n < d_judged)
                    d_found.margins[n] = INFINITE;
                loop.follow(rotated, known->centroid - sum);
                decide(n, 0, loop.theta);
                continue;
            }
            const nearest_points found = nearest(rotated + sum);
            if (d_width > 1 && !(found.lead > d_threshold))
                break;
            if (n < d_judged)
                d_found.margins[n] = found.lead;
            loop.follow(rotated, d_model.centroids[found.best] - sum);
            decide(n, found.best, loop.theta);
        }
        return n;
    }

    // Several survivors from symbol start until one leads. Returns the symbol after the last.
    size_t search(size_t start, phase_loop& loop)
    {
        for (size_t j = 0; j < d_memory; j++)
            d_recent[j] = { d_decided.re[start + d_memory - 1 - j],
                            d_decided.im[start + d_memory - 1 - j] };
        if (!d_search)
            d_search = std::make_unique<survivor_search>(d_model);
        d_search->start(d_recent.data(), loop.theta, loop.nu);
        size_t n = start;
        for (bool leads = false; n < d_count && !leads; n++) {
            const size_t place = (n - start) * d_width;
            if (d_parents.size() < place + d_width) {
                const size_t room = std::max(2 * place, 64 * d_width);
                d_parents.resize(room);
                d_points.resize(room);
                d_phases.resize(room);
            }
            uint8_t* const parents = &d_parents[place];
            uint16_t* const points = &d_points[place];
            if (const given_symbol* const known = given(n))
                d_search->step(d_input[n], *known, parents, points, &d_phases[place]);
            else
                d_search->step(d_input[n], parents, points, &d_phases[place]);
            leads = d_search->lead() > d_threshold;
        }
        size_t survivor = d_search->best();
        for (size_t i = n; i-- > start;) {
            const size_t place = (i - start) * d_width + survivor;
            decide(i, d_points[place], d_phases[place]);
            survivor = d_parents[place];
        }
        judge(start, std::min(n, d_judged), loop.theta);
        loop.start(d_search->theta(d_search->best()), d_search->nu(d_search->best()));
        return n;
    }

    // The margins along the decided path.
    void judge(size_t first, size_t last, float theta)
    {
        for (size_t n = first; n < last; n++) {
            const cfloat output = turned(n, std::polar(1.0f, -theta)) + feedback_sum(n);
            const int own = d_found.symbols[n];
            const nearest_points found = nearest(output);
            d_found.margins[n] = own < 0 ? INFINITE
                                 : int(found.best) == own
                                     ? found.lead
                                     : found.distance - distance(output, own);
            theta = d_found.phases[n];
        }
    }

    const survivor_model& d_model;
    const cfloat* const d_input;
    const size_t d_count;
    const float d_threshold;
    const size_t d_judged;
    const given_symbols& d_given;
    const size_t d_memory;
    const signal_parts d_centroids;
    signal_parts d_feedback; // oldest first, as d_decided
    signal_parts d_decided;  // the past, then the symbols
    const size_t d_width;
    std::unique_ptr<survivor_search> d_search;
    std::vector<cfloat> d_recent;
    std::vector<uint8_t> d_parents;
    std::vector<uint16_t> d_points;
    std::vector<float> d_phases;
    adaptive_decisions d_found;
};

} // namespace

adaptive_decisions decide_adaptively(const survivor_model& model,
                                     const std::complex<float>* past,
                                     const std::complex<float>* feedforward,
                                     size_t count,
                                     float threshold,
                                     size_t judged,
                                     float theta,
                                     float nu,
                                     const given_symbols& given)
{
    return adaptive_search(model, past, feedforward, count, threshold, judged, given)
        .run(theta, nu);
}

float least_distance(const std::vector<std::complex<float>>& points)
{
    float least = INFINITE;
    for (size_t a = 0; a < points.size(); a++)
        for (size_t b = 0; b < a; b++)
            least = std::min(least, std::norm(points[a] - points[b]));
    return least;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
