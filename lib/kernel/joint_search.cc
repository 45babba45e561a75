/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/joint_search.h>

#include "check.h"
#include "kernel/plain_complex.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;

namespace {

constexpr size_t LEAST_WIDTH = 16;

std::vector<double> levels_of(const Eigen::VectorXd& values)
{
    constexpr double SAME = 1e-6;
    std::vector<double> levels(values.begin(), values.end());
    std::sort(levels.begin(), levels.end());
    const double span = std::max(levels.back() - levels.front(), 1e-12);
    const auto last = std::unique(levels.begin(), levels.end(), [&](double a, double b) {
        return b - a < SAME * span;
    });
    levels.erase(last, levels.end());
    return levels;
}

bool equally_spaced(const std::vector<double>& levels, double step)
{
    constexpr double TOLERANCE = 1e-4;
    for (size_t k = 1; k < levels.size(); k++)
        if (std::abs(levels[k] - levels[k - 1] - step) > TOLERANCE * step)
            return false;
    return true;
}

} // namespace

int point_slicer::axis::nearest(double value) const
{
    const double place = (value - first) * inverse_step;
    if (!(place > 0.0)) // nor is it a number
        return 0;
    return int(std::min(place, double(count - 1)) + 0.5);
}

point_slicer::point_slicer(const Eigen::VectorXcd& points) : d_points(points)
{
    require(points.size() >= 1, "points", "[]", "at least one");
    const auto axis_of = [](const std::vector<double>& levels) {
        const int count = int(levels.size());
        const double step =
            count > 1 ? (levels.back() - levels.front()) / (count - 1) : 1.0;
        return axis{ levels.front(), step, 1.0 / step, count };
    };
    const std::vector<double> re = levels_of(points.real()),
                              im = levels_of(points.imag());
    d_re = axis_of(re);
    d_im = axis_of(im);
    if (re.size() * im.size() != size_t(points.size()) ||
        !equally_spaced(re, d_re.step) || !equally_spaced(im, d_im.step))
        return;
    constexpr int NONE = -1;
    d_on_grid.assign(points.size(), NONE);
    for (Index k = 0; k < points.size(); k++)
        d_on_grid[d_re.nearest(points(k).real()) * d_im.count +
                  d_im.nearest(points(k).imag())] = int(k);
    if (std::count(d_on_grid.begin(), d_on_grid.end(), NONE) > 0)
        d_on_grid.clear(); // some point is there twice
}

int point_slicer::nearest(std::complex<double> value) const
{
    if (!d_on_grid.empty())
        return d_on_grid[d_re.nearest(value.real()) * d_im.count +
                         d_im.nearest(value.imag())];
    Index best;
    (d_points.array() - value).abs2().minCoeff(&best);
    return int(best);
}

joint_search::joint_search(const Eigen::VectorXcd& points)
    : d_slicer(points), d_width(std::max<size_t>(LEAST_WIDTH, points.size()))
{
    d_paths.reserve(d_width * points.size());
    d_longer.reserve(d_width * points.size());
}

// Gram-Schmidt's orthogonalization, the weakest stream first, so that the search, which begins at the
// last, begins with the strongest.
void joint_search::set_channel(const mimo_matrix& channel)
{
    const Index count = channel.cols(), rows = channel.rows();
    require_range<Index>("streams", count, 1, MAX_ANTENNAS);
    require_range<Index>("antennas", rows, count, MAX_ANTENNAS);
    d_q = channel;
    d_r.setZero(count, count);
    d_order.resize(count);
    std::iota(d_order.begin(), d_order.end(), 0);
    d_decided.resize(count);
    for (Index k = 0; k < count; k++) {
        take_weakest(k);
        const double norm = d_r(k, k).real();
        for (Index i = 0; i < rows; i++)
            d_q(i, k) /= norm;
        for (Index j = k + 1; j < count; j++) {
            std::complex<double> common = 0.0;
            for (Index i = 0; i < rows; i++)
                common += plain::times_conjugate(d_q(i, j), d_q(i, k));
            d_r(k, j) = common;
            for (Index i = 0; i < rows; i++)
                d_q(i, j) -= plain::times(common, d_q(i, k));
        }
    }
    scale_points();
}

// Of the columns from k on; to column k, and its norm to the diagonal.
void joint_search::take_weakest(Index k)
{
    constexpr double LEAST_NORM = 1e-150;
    const Index count = d_q.cols(), rows = d_q.rows();
    Index weakest = k;
    double least = std::numeric_limits<double>::infinity();
    for (Index j = k; j < count; j++) {
        double energy = 0.0;
        for (Index i = 0; i < rows; i++)
            energy += std::norm(d_q(i, j));
        if (j > k && !(energy < least))
            continue;
        weakest = j;
        least = energy;
    }
    if (weakest != k) {
        for (Index i = 0; i < rows; i++)
            std::swap(d_q(i, k), d_q(i, weakest));
        for (Index i = 0; i < k; i++)
            std::swap(d_r(i, k), d_r(i, weakest));
        std::swap(d_order[k], d_order[weakest]);
    }
    d_r(k, k) = std::max(std::sqrt(least), LEAST_NORM);
}

void joint_search::scale_points()
{
    const Index count = d_r.cols();
    const Eigen::VectorXcd& points = d_slicer.points();
    d_scaled.resize(points.size(), count * count);
    for (Index k = 0; k < count; k++) {
        d_scaled.col(count * k + k) = d_r(k, k).real() * points;
        for (Index j = k + 1; j < count; j++)
            d_scaled.col(count * k + j) = d_r(k, j) * points;
    }
}

void joint_search::turn(const mimo_vector& samples)
{
    const Index count = d_q.cols(), rows = d_q.rows();
    d_turned.resize(count);
    const std::complex<double>* q = d_q.data();
    for (Index k = 0; k < count; k++) {
        std::complex<double> sum = 0.0;
        for (Index i = 0; i < rows; i++)
            sum += plain::times_conjugate(samples(i), *q++);
        d_turned(k) = sum;
    }
}

// Every path by every point of this stream; the nearest of them.
void joint_search::widen(const mimo_vector& samples, Index stream, size_t width)
{
    const Index count = d_r.cols(), num_points = d_slicer.points().size();
    d_longer.clear();
    for (const path& before : d_paths) {
        std::complex<double> rest = samples(stream);
        for (Index j = stream + 1; j < count; j++)
            rest -= d_scaled(before.points[j], count * stream + j);
        for (Index p = 0; p < num_points; p++) {
            path next = before;
            next.points[stream] = int(p);
            next.distance += std::norm(rest - d_scaled(p, count * stream + stream));
            d_longer.push_back(next);
        }
    }
    const auto nearer = [](const path& a, const path& b) {
        return a.distance < b.distance;
    };
    if (d_longer.size() > width) {
        std::nth_element(
            d_longer.begin(), d_longer.begin() + width, d_longer.end(), nearer);
        d_longer.resize(width);
    }
    d_paths.swap(d_longer);
}

/*
 * All points of the second stream, without paths. The nearest one is tried first: most others are then
 * farther away already than both streams together.
 */
const std::vector<int>& joint_search::decide_two()
{
    const std::complex<double> first = d_turned(0), second = d_turned(1);
    const double scale = 1.0 / d_r(0, 0).real();
    double least = std::numeric_limits<double>::infinity();
    d_decided[0] = d_decided[1] = 0;
    const auto attempt = [&](Index p, double distance) {
        const std::complex<double> rest = first - d_scaled(p, 1);
        const int nearest = d_slicer.nearest(rest * scale);
        distance += std::norm(rest - d_scaled(nearest, 0));
        if (!(distance < least))
            return;
        least = distance;
        d_decided[d_order[0]] = nearest;
        d_decided[d_order[1]] = int(p);
    };
    const Index likely = d_slicer.nearest(second * (1.0 / d_r(1, 1).real()));
    attempt(likely, std::norm(second - d_scaled(likely, 3)));
    for (Index p = 0; p < d_scaled.rows(); p++) {
        const double distance = std::norm(second - d_scaled(p, 3));
        if (distance < least && p != likely)
            attempt(p, distance);
    }
    return d_decided;
}

const std::vector<int>& joint_search::decide(const mimo_vector& samples)
{
    const Index count = d_r.cols();
    turn(samples);
    if (count == 2)
        return decide_two();
    const mimo_vector& turned = d_turned;
    d_paths.assign(1, path{ 0.0, {} });
    for (Index k = count - 1; k > 0; k--)
        widen(turned, k, d_width);
    const double scale = 1.0 / d_r(0, 0).real();
    double least = std::numeric_limits<double>::infinity();
    const path* best = nullptr;
    for (path& last : d_paths) {
        if (best && last.distance >= least)
            continue;
        std::complex<double> rest = turned(0);
        for (Index j = 1; j < count; j++)
            rest -= d_scaled(last.points[j], j);
        last.points[0] = d_slicer.nearest(rest * scale);
        last.distance += std::norm(rest - d_scaled(last.points[0], 0));
        if (best && !(last.distance < least))
            continue;
        least = last.distance;
        best = &last;
    }
    for (Index j = 0; j < count; j++)
        d_decided[d_order[j]] = best->points[j];
    return d_decided;
}

// All pairs of points.
void joint_search::two_log_likelihoods(const mimo_vector& samples,
                                       Eigen::MatrixXd& out) const
{
    for (Index p = 0; p < d_scaled.rows(); p++) {
        const double second = std::norm(samples(1) - d_scaled(p, 3));
        const std::complex<double> rest = samples(0) - d_scaled(p, 1);
        for (Index q = 0; q < d_scaled.rows(); q++) {
            const double found = -second - std::norm(rest - d_scaled(q, 0));
            out(q, d_order[0]) = std::max(out(q, d_order[0]), found);
            out(p, d_order[1]) = std::max(out(p, d_order[1]), found);
        }
    }
}

void joint_search::log_likelihoods(const mimo_vector& samples,
                                   Eigen::MatrixXd& log_likelihoods)
{
    constexpr double NONE = -std::numeric_limits<double>::infinity();
    const Index count = d_r.cols();
    turn(samples);
    log_likelihoods.setConstant(d_slicer.points().size(), count, NONE);
    if (count == 2)
        return two_log_likelihoods(d_turned, log_likelihoods);
    d_paths.assign(1, path{ 0.0, {} });
    for (Index k = count - 1; k >= 0; k--)
        widen(d_turned, k, SOFT_WIDTH * d_width);
    double farthest = 0.0;
    for (const path& found : d_paths) {
        farthest = std::max(farthest, found.distance);
        for (Index k = 0; k < count; k++) {
            double& known = log_likelihoods(found.points[k], d_order[k]);
            known = std::max(known, -found.distance);
        }
    }
    log_likelihoods = log_likelihoods.cwiseMax(-farthest);
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
