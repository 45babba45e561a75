/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/power_steps.h>

#include <gnuradio/reservoir/kernel/channel_estimate.h>
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::VectorXd;

namespace {

constexpr Index LEAST_SAMPLES = 12; // on a side
constexpr double NOTHING = 1e-12;   // of the mean power: silence has no logarithm

// Mean powers of ranges
class mean_powers
{
public:
    explicit mean_powers(const VectorXd& powers) : d_sums(powers.size() + 1)
    {
        d_sums(0) = 0.0;
        for (Index n = 0; n < powers.size(); n++)
            d_sums(n + 1) = d_sums(n) + powers(n);
        d_least = std::max(NOTHING * of(0, powers.size()), 1e-300);
    }
    double of(Index first, Index last) const
    {
        return std::max((d_sums(last) - d_sums(first)) / double(last - first), d_least);
    }

private:
    VectorXd d_sums;
    double d_least = 0.0;
};

// Log-likelihood that two mean powers, of so many samples each, win over one.
double won_by(double left, double before, double right, double behind)
{
    const double both = (left * before + right * behind) / (left + right);
    return left * std::log(both / before) + right * std::log(both / behind);
}

double won_by(Index step, row_range range, const mean_powers& mean)
{
    return won_by(step - range.first,
                  mean.of(range.first, step),
                  range.last - step,
                  mean.of(step, range.last));
}

// The samples from the step before this one to the step behind it.
row_range around(const std::vector<Index>& steps, size_t i, Index size)
{
    return { i > 0 ? steps[i - 1] : 0, i + 1 < steps.size() ? steps[i + 1] : size };
}

// Places of values that are large enough, the largest one of those nearer than `apart`; ascending.
std::vector<Index> largest(const VectorXd& values, double least, Index apart)
{
    std::vector<Index> order, places;
    for (Index n = 0; n < values.size(); n++)
        if (values(n) >= least)
            order.push_back(n);
    std::sort(order.begin(), order.end(), [&](Index one, Index other) {
        return values(one) != values(other) ? values(one) > values(other) : one < other;
    });
    std::vector<char> taken(values.size(), false);
    for (const Index place : order) {
        if (taken[place])
            continue;
        places.push_back(place);
        std::fill(taken.begin() + std::max<Index>(place - apart, 0),
                  taken.begin() + std::min<Index>(place + apart, values.size()),
                  true);
    }
    std::sort(places.begin(), places.end());
    return places;
}

// Drops steps, the least one first, until all of those that remain win enough.
void drop_small(std::vector<Index>& steps,
                double least,
                const mean_powers& mean,
                Index size)
{
    const auto won = [&](size_t i) {
        return won_by(steps[i], around(steps, i, size), mean);
    };
    std::vector<double> all;
    for (size_t i = 0; i < steps.size(); i++)
        all.push_back(won(i));
    while (!steps.empty()) {
        const auto smallest = std::min_element(all.begin(), all.end());
        if (*smallest >= least)
            return;
        const size_t i = smallest - all.begin();
        steps.erase(steps.begin() + i);
        all.erase(smallest);
        if (i > 0)
            all[i - 1] = won(i - 1);
        if (i < steps.size())
            all[i] = won(i);
    }
}

} // namespace

std::vector<Index>
find_power_steps(const VectorXd& powers, double least_log_ratio, Index window)
{
    const Index size = powers.size();
    if (size < 2 * LEAST_SAMPLES)
        return {};
    const mean_powers mean(powers);
    const double least_ratio =
        std::exp(std::sqrt(4.0 * least_log_ratio / double(window)));
    VectorXd won = VectorXd::Zero(size);
    for (Index n = LEAST_SAMPLES; n <= size - LEAST_SAMPLES; n++) {
        const row_range near = { std::max<Index>(n - window, 0),
                                 std::min(n + window, size) };
        const double before = mean.of(near.first, n), behind = mean.of(n, near.last);
        // by Hoeffding's lemma a smaller ratio wins too little
        if (std::max(before, behind) >= least_ratio * std::min(before, behind))
            won(n) = won_by(n - near.first, before, near.last - n, behind);
    }
    std::vector<Index> steps = largest(won, least_log_ratio, window / 4);
    drop_small(steps, least_log_ratio, mean, size);
    for (size_t i = 0; i < steps.size(); i++) {
        const row_range both = around(steps, i, size);
        const double before = mean.of(both.first, steps[i]);
        const double behind = mean.of(steps[i], both.last);
        const VectorXd advantages = powers.segment(both.first, both.size()).array() *
                                        (1.0 / behind - 1.0 / before) +
                                    std::log(behind / before);
        steps[i] =
            both.first + likeliest_step(advantages, steps[i] - both.first, window / 4);
    }
    return steps;
}

Index likeliest_step(const VectorXd& advantages, Index place, Index most)
{
    const Index end = std::min(place + most, advantages.size());
    Index likeliest = place;
    double sum = 0.0, best = -HUGE_VAL;
    for (Index n = std::max<Index>(place - most, 0) + 1; n < end; n++) {
        if (sum > best) {
            best = sum;
            likeliest = n;
        }
        sum += advantages(n);
    }
    return likeliest;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
