/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/soft_bits.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>

namespace gr {
namespace reservoir {
namespace kernel {

namespace {

constexpr int MAX_BITS = 12;
// exp of more than this is not told from 0 beside 1, in log of float
constexpr float LEAST_SUM = 1.8e-35f; // e^-MAX_RATIO

[[noreturn]] void refuse_labels(const std::string& what)
{
    throw std::invalid_argument("labels " + what);
}

// log 1 / (1 + e^-x)
float log_logistic(float x)
{
    return std::min(x, 0.0f) - std::log1p(std::exp(-std::abs(x)));
}

} // namespace

std::vector<int> bit_labels(const digital::constellation_sptr& constellation)
{
    if (!constellation)
        throw std::invalid_argument("constellation = None: must be a constellation");
    if (constellation->dimensionality() != 1)
        throw std::invalid_argument("constellation dimensionality = " +
                                    std::to_string(constellation->dimensionality()) +
                                    ": must be 1");
    const size_t size = constellation->points().size();
    if (constellation->apply_pre_diff_code()) {
        const std::vector<int> code = constellation->pre_diff_code();
        if (code.size() != size)
            throw std::invalid_argument(
                "constellation pre_diff_code length = " + std::to_string(code.size()) +
                ": must be that of the points, " + std::to_string(size));
        return code;
    }
    std::vector<int> labels(size);
    std::iota(labels.begin(), labels.end(), 0);
    return labels;
}

soft_bits::soft_bits(const std::vector<int>& labels) : d_labels(labels), d_bits(0)
{
    while (d_bits < MAX_BITS && size_t(1) << d_bits < labels.size())
        d_bits++;
    if (labels.size() < 2 || labels.size() != size_t(1) << d_bits)
        refuse_labels("size = " + std::to_string(labels.size()) +
                      ": must be 2, 4, 8 ... 4096");
    std::vector<char> seen(labels.size(), 0);
    for (const int label : labels) {
        if (label < 0 || label >= int(labels.size()) || seen[label])
            refuse_labels("element = " + std::to_string(label) +
                          ": must be each of 0 ... " + std::to_string(labels.size() - 1) +
                          " once");
        seen[label] = 1;
    }
}

void soft_bits::ratios(const float* log_likelihoods, size_t count, float* llrs) const
{
    std::array<float, MAX_BITS> ones, zeros;
    const size_t size = num_points();
    for (size_t n = 0; n < count; n++, log_likelihoods += size, llrs += d_bits) {
        float most = -std::numeric_limits<float>::infinity();
        for (size_t m = 0; m < size; m++)
            if (std::isfinite(log_likelihoods[m]))
                most = std::max(most, log_likelihoods[m]);
        ones.fill(0.0f);
        zeros.fill(0.0f);
        for (size_t m = 0; m < size; m++) {
            if (!std::isfinite(log_likelihoods[m]))
                continue;
            const float likelihood = std::exp(log_likelihoods[m] - most);
            for (int b = 0; b < d_bits; b++)
                (is_one(m, b) ? ones : zeros)[b] += likelihood;
        }
        for (int b = 0; b < d_bits; b++)
            llrs[b] = std::clamp(std::log(std::max(ones[b], LEAST_SUM)) -
                                     std::log(std::max(zeros[b], LEAST_SUM)),
                                 -MAX_RATIO,
                                 MAX_RATIO);
    }
}

void soft_bits::bit_log_probabilities(const float* llrs, float* of_bits) const
{
    for (int b = 0; b < d_bits; b++) {
        const float llr =
            std::isnan(llrs[b]) ? 0.0f : std::clamp(llrs[b], -MAX_RATIO, MAX_RATIO);
        of_bits[2 * b] = log_logistic(-llr);
        of_bits[2 * b + 1] = log_logistic(llr);
    }
}

float soft_bits::log_prior(size_t point, const float* of_bits) const
{
    float sum = 0.0f;
    for (int b = 0; b < d_bits; b++)
        sum += of_bits[2 * b + is_one(point, b)];
    return sum;
}

void soft_bits::log_priors(const float* llrs, size_t count, float* priors) const
{
    std::array<float, 2 * MAX_BITS> of_bits;
    for (size_t n = 0; n < count; n++, llrs += d_bits) {
        bit_log_probabilities(llrs, of_bits.data());
        for (size_t m = 0; m < num_points(); m++)
            *priors++ = log_prior(m, of_bits.data());
    }
}

void soft_bits::moments(const float* llrs,
                        size_t count,
                        const gr_complex* points,
                        gr_complex* means,
                        float* variances) const
{
    std::array<float, 2 * MAX_BITS> of_bits;
    for (size_t n = 0; n < count; n++, llrs += d_bits) {
        bit_log_probabilities(llrs, of_bits.data());
        gr_complex mean = 0.0f;
        float total = 0.0f;
        for (size_t m = 0; m < num_points(); m++) {
            const float probability = std::exp(log_prior(m, of_bits.data()));
            mean += probability * points[m];
            total += probability;
        }
        mean /= total;
        // around the mean, so that nothing cancels where one point is sure
        float variance = 0.0f;
        for (size_t m = 0; m < num_points(); m++)
            variance +=
                std::exp(log_prior(m, of_bits.data())) * std::norm(points[m] - mean);
        means[n] = mean;
        variances[n] = variance / total;
    }
}

void clip_ratios(float* llrs, size_t count, float limit)
{
    for (size_t k = 0; k < count; k++)
        llrs[k] = std::isnan(llrs[k]) ? 0.0f : std::clamp(llrs[k], -limit, limit);
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
