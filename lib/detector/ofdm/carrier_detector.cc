/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/ofdm/carrier_detector.h"

#include "kernel/plain_complex.h"
#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {

using Eigen::Index;
using kernel::mimo_matrix;
using kernel::mimo_vector;
using kernel::plain::times;
using kernel::plain::times_conjugate;
typedef std::complex<double> cdouble;

namespace {

constexpr double LEAST_NOISE = 1e-9; // of unit power
constexpr double LEAST_GAIN = 1e-9;

mimo_matrix columns(const mimo_matrix& matrix, const std::vector<Index>& which)
{
    mimo_matrix out(matrix.rows(), which.size());
    for (size_t i = 0; i < which.size(); i++)
        out.col(i) = matrix.col(which[i]);
    return out;
}

// Eigen's product is made for larger ones; two antennas are the usual case.
void multiply(const mimo_matrix& matrix, const mimo_vector& vector, mimo_vector& product)
{
    const Index rows = matrix.rows(), columns = matrix.cols();
    product.resize(rows);
    if (rows == 2 && columns == 2) {
        const cdouble* const m = matrix.data();
        const cdouble first = vector(0), second = vector(1);
        product(0) = times(m[0], first) + times(m[2], second);
        product(1) = times(m[1], first) + times(m[3], second);
        return;
    }
    product.setZero();
    for (Index c = 0; c < columns; c++)
        for (Index r = 0; r < rows; r++)
            product(r) += times(matrix(r, c), vector(c));
}

// What a stream's own distortion adds cannot be told from the stream.
double regularization(const kernel::noise_split& noise)
{
    return std::max(noise.noise, LEAST_NOISE) / (1.0 + noise.distortion);
}

} // namespace

/*
 * With G = (H^H H + c I)^-1, a stream's gain g is the diagonal of G H^H H, and what is missing of one is that
 * of c G: the variance of the unbiased estimate is their ratio. One less the gain would not be above zero
 * where there is next to no noise.
 */
void carrier_detector::prepare_linear(const mimo_matrix& channel,
                                      const kernel::noise_split& noise)
{
    const double added = regularization(noise);
    mimo_matrix gram = channel.adjoint().lazyProduct(channel);
    gram.diagonal().array() += added;
    const mimo_matrix inverse =
        gram.llt().solve(mimo_matrix::Identity(gram.rows(), gram.cols()));
    const mimo_matrix weights = inverse.lazyProduct(channel.adjoint());
    const auto gains =
        weights.lazyProduct(channel).diagonal().real().array().max(LEAST_GAIN).eval();
    d_variances = added * inverse.diagonal().real().array() / gains;
    d_variances = d_variances * (1.0 + noise.distortion) + noise.distortion;
    d_weights = gains.inverse().matrix().asDiagonal() * weights;
}

// The same of two antennas and streams, in closed form: det(H^H H + c I) = c^2 + c |H|^2 + |det H|^2.
void carrier_detector::prepare_two(const mimo_matrix& channel,
                                   const kernel::noise_split& noise)
{
    const double added = regularization(noise);
    const cdouble a = channel(0, 0), b = channel(1, 0), c = channel(0, 1),
                  d = channel(1, 1);
    const double first = std::norm(a) + std::norm(b),
                 second = std::norm(c) + std::norm(d);
    const cdouble common = times_conjugate(c, a) + times_conjugate(d, b);
    const double both = std::norm(times(a, d) - times(b, c));
    const double determinant = added * added + added * (first + second) + both;
    const double scale = 1.0 / determinant;
    // of G H^H before the scale: (second + added) conj(h_1) - common conj(h_2) and the other way round
    const double gain[] = { std::max(scale * (added * first + both), LEAST_GAIN),
                            std::max(scale * (added * second + both), LEAST_GAIN) };
    const double missing[] = { scale * added * (second + added),
                               scale * added * (first + added) };
    const double one = scale / gain[0], two = scale / gain[1];
    d_weights.resize(2, 2);
    d_weights(0, 0) =
        one * ((second + added) * std::conj(a) - times_conjugate(common, c));
    d_weights(0, 1) =
        one * ((second + added) * std::conj(b) - times_conjugate(common, d));
    d_weights(1, 0) =
        two * ((first + added) * std::conj(c) - std::conj(times(common, a)));
    d_weights(1, 1) =
        two * ((first + added) * std::conj(d) - std::conj(times(common, b)));
    d_variances.resize(2);
    for (int j = 0; j < 2; j++)
        d_variances(j) =
            missing[j] / gain[j] * (1.0 + noise.distortion) + noise.distortion;
}

// Of the Cholesky factor L of the noise's covariance, L^-1.
void carrier_detector::prepare_joint(const mimo_matrix& response,
                                     const mimo_matrix& channel,
                                     const kernel::noise_split& noise)
{
    const Index antennas = response.rows();
    d_weights.setZero(antennas, antennas);
    mimo_matrix seen(antennas, channel.cols());
    if (noise.distortion == 0.0) {
        const double scale = 1.0 / std::sqrt(noise.noise + LEAST_NOISE);
        d_weights.diagonal().setConstant(scale);
        for (Index j = 0; j < channel.cols(); j++)
            for (Index r = 0; r < antennas; r++)
                seen(r, j) = scale * channel(r, j);
        return d_search.set_channel(seen);
    }
    mimo_matrix covariance = noise.covariance(response);
    covariance.diagonal().array() += LEAST_NOISE;
    if (antennas == 2) {
        const double first = 1.0 / std::sqrt(covariance(0, 0).real());
        const cdouble common = first * covariance(1, 0);
        const double second =
            1.0 / std::sqrt(covariance(1, 1).real() - std::norm(common));
        d_weights(0, 0) = first;
        d_weights(1, 0) = -(first * second) * common;
        d_weights(1, 1) = second;
    } else {
        const Eigen::LLT<mimo_matrix> factor(covariance);
        d_weights = factor.matrixL().solve(mimo_matrix::Identity(antennas, antennas));
    }
    for (Index j = 0; j < channel.cols(); j++)
        for (Index r = 0; r < antennas; r++) {
            seen(r, j) = 0.0;
            for (Index i = 0; i <= r; i++)
                seen(r, j) += times(d_weights(r, i), channel(i, j));
        }
    d_search.set_channel(seen);
}

void carrier_detector::prepare(const mimo_matrix& response,
                               const kernel::noise_split& noise,
                               const std::vector<Index>& streams)
{
    const mimo_matrix channel = columns(response, streams);
    if (channel.rows() == 2 && channel.cols() == 2)
        prepare_two(channel, noise);
    else
        prepare_linear(channel, noise);
    if (d_method == method::joint)
        prepare_joint(response, channel, noise);
}

// visitor(carrier, symbol, streams that are unknown, what the weights make of the samples)
template <class Visitor>
void carrier_detector::visit(const kernel::carrier_streams& received,
                             const std::vector<mimo_matrix>& responses,
                             const kernel::noise_split& noise,
                             const kernel::carrier_streams& symbols,
                             kernel::row_range which,
                             Visitor&& visitor)
{
    const Index antennas = received.size(), num_streams = symbols.size();
    const std::vector<kernel::carrier_mask>& masks = d_frame.pilots->masks;
    std::vector<Index> streams;
    mimo_vector samples(antennas), seen(antennas);
    for (Index k = 0; k < masks[0].rows(); k++) {
        unsigned before = 0; // a bit per unknown stream
        for (Index n = which.first; n < which.last; n++) {
            unsigned unknown = 0;
            for (Index j = 0; j < num_streams; j++)
                unknown |= unsigned(!masks[j](k, n)) << j;
            if (unknown == 0)
                continue;
            if (unknown != before) {
                streams.clear();
                for (Index j = 0; j < num_streams; j++)
                    if (unknown >> j & 1)
                        streams.push_back(j);
                prepare(responses[k], noise, streams);
                before = unknown;
            }
            for (Index r = 0; r < antennas; r++)
                samples(r) = received[r](k, n);
            for (Index j = 0; j < num_streams; j++)
                if (!(unknown >> j & 1))
                    for (Index r = 0; r < antennas; r++)
                        samples(r) -= times(responses[k](r, j), symbols[j](k, n));
            multiply(d_weights, samples, seen);
            visitor(k, n, streams, seen);
        }
    }
}

// Linear estimates of two streams from two antennas, where both are known or both are not.
double carrier_detector::detect_two(const kernel::carrier_streams& received,
                                    const std::vector<mimo_matrix>& responses,
                                    const kernel::noise_split& noise,
                                    kernel::carrier_streams& symbols,
                                    kernel::row_range which)
{
    const Index carriers = received[0].rows();
    Eigen::ArrayXXcd weights(carriers, 4);
    Eigen::ArrayXd variances = Eigen::ArrayXd::Constant(carriers, -1.0); // not known yet
    double sum = 0.0;
    Index detected = 0;
    for (const carrier_run& run : d_frame.pilots->data()) {
        if (run.symbol < which.first || run.symbol >= which.last)
            continue;
        for (Index k = run.first; k < run.first + run.count; k++) {
            if (variances(k) < 0.0) {
                prepare_two(responses[k], noise);
                for (Index i = 0; i < 4; i++)
                    weights(k, i) = d_weights(i);
                variances(k) = d_variances.sum();
            }
            sum += variances(k);
        }
        detected += 2 * run.count;
        const auto first = received[0].col(run.symbol).segment(run.first, run.count);
        const auto second = received[1].col(run.symbol).segment(run.first, run.count);
        for (Index j = 0; j < 2; j++)
            symbols[j].col(run.symbol).segment(run.first, run.count).array() =
                weights.col(j).segment(run.first, run.count) * first.array() +
                weights.col(2 + j).segment(run.first, run.count) * second.array();
    }
    return detected > 0 ? sum / double(detected) : 0.0;
}

double carrier_detector::detect(const kernel::carrier_streams& received,
                                const std::vector<mimo_matrix>& responses,
                                const kernel::noise_split& noise,
                                kernel::carrier_streams& symbols,
                                kernel::row_range which)
{
    if (d_method == method::lmmse && received.size() == 2 && symbols.size() == 2 &&
        d_frame.pilots->alike())
        return detect_two(received, responses, noise, symbols, which);
    double variances = 0.0;
    Index detected = 0;
    const auto decide = [&](Index k, Index n, const auto& streams, const auto& seen) {
        variances += d_variances.sum();
        detected += streams.size();
        if (d_method == method::lmmse) {
            for (size_t i = 0; i < streams.size(); i++)
                symbols[streams[i]](k, n) = seen(i);
            return;
        }
        const std::vector<int>& found = d_search.decide(seen);
        for (size_t i = 0; i < streams.size(); i++)
            symbols[streams[i]](k, n) = d_points(found[i]);
    };
    visit(received, responses, noise, symbols, which, decide);
    return detected > 0 ? variances / detected : 0.0;
}

void carrier_detector::log_likelihoods(const kernel::carrier_streams& received,
                                       const std::vector<mimo_matrix>& responses,
                                       const kernel::noise_split& noise,
                                       const kernel::carrier_streams& symbols,
                                       kernel::row_range which,
                                       std::vector<Eigen::MatrixXf>& found)
{
    const Index carriers = d_frame.pilots->usable.rows();
    found.resize(symbols.size());
    for (Eigen::MatrixXf& stream : found)
        stream.resize(d_points.size(), carriers * d_frame.num_symbols);
    Eigen::MatrixXd of_streams;
    const auto note = [&](Index k, Index n, const auto& streams, const auto& seen) {
        if (d_method == method::joint) {
            d_search.log_likelihoods(seen, of_streams);
        } else {
            of_streams.resize(d_points.size(), streams.size());
            for (size_t i = 0; i < streams.size(); i++)
                of_streams.col(i) = -(d_points.array() - seen(i)).abs2() / d_variances(i);
        }
        for (size_t i = 0; i < streams.size(); i++)
            found[streams[i]].col(carriers * n + k) = of_streams.col(i).cast<float>();
    };
    visit(received, responses, noise, symbols, which, note);
}

/*
 * The known carriers may have shown less noise than the data have: interference from a symbol to the next
 * one, say. So the noise is estimated again from the data, by expectation maximization (Dempster, Laird and
 * Rubin, 1977), and the log-likelihoods are divided by what it has grown.
 */
void carrier_detector::flatten(std::vector<Eigen::MatrixXf>& found) const
{
    const double expected =
        d_method == method::joint ? double(d_frame.received().size()) : 1.0;
    constexpr int PASSES = 3;
    const Index carriers = d_frame.pilots->usable.rows();
    Eigen::ArrayXf likelihoods(d_points.size());
    float growth = 1.0f;
    for (int pass = 0; pass < PASSES; pass++) {
        double distances = 0.0, count = 0.0;
        for (size_t j = 0; j < found.size(); j++)
            for (Index n = 0; n < d_frame.num_symbols; n++)
                for (Index k = 0; k < carriers; k++) {
                    if (d_frame.pilots->masks[j](k, n))
                        continue;
                    const auto column = found[j].col(carriers * n + k).array();
                    likelihoods = ((column - column.maxCoeff()) / growth).exp();
                    distances -= (likelihoods * column).sum() / likelihoods.sum();
                    count += expected;
                }
        if (count == 0.0)
            return;
        growth = std::max(float(distances / count), 1.0f);
    }
    for (Eigen::MatrixXf& stream : found)
        stream /= growth;
}

void carrier_detector::slice(kernel::carrier_streams& symbols) const
{
    const kernel::point_slicer slicer(d_points);
    for (size_t j = 0; j < symbols.size(); j++)
        for (Index n = 0; n < d_frame.num_symbols; n++)
            for (Index k = 0; k < symbols[j].rows(); k++)
                if (!d_frame.pilots->masks[j](k, n))
                    symbols[j](k, n) = d_points(slicer.nearest(symbols[j](k, n)));
}

} // namespace reservoir
} // namespace gr
