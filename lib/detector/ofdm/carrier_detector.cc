/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/ofdm/carrier_detector.h"

#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <algorithm>

namespace gr {
namespace reservoir {

using Eigen::Index;
using kernel::mimo_matrix;
using kernel::mimo_vector;

namespace {

mimo_matrix columns(const mimo_matrix& matrix, const std::vector<Index>& which)
{
    mimo_matrix out(matrix.rows(), which.size());
    for (size_t i = 0; i < which.size(); i++)
        out.col(i) = matrix.col(which[i]);
    return out;
}

// Eigen's product is made for larger ones.
void multiply(const mimo_matrix& matrix, const mimo_vector& vector, mimo_vector& product)
{
    product.setZero(matrix.rows());
    for (Index c = 0; c < matrix.cols(); c++)
        for (Index r = 0; r < matrix.rows(); r++)
            product(r) += matrix(r, c) * vector(c);
}

// Of a Hermitian positive definite one.
mimo_matrix inverse(const mimo_matrix& matrix)
{
    if (matrix.rows() == 2) // the usual case, in closed form
        return Eigen::Matrix2cd(matrix).inverse();
    return matrix.llt().solve(mimo_matrix::Identity(matrix.rows(), matrix.cols()));
}

} // namespace

void carrier_detector::prepare(const mimo_matrix& response,
                               const kernel::noise_split& noise,
                               const std::vector<Index>& streams)
{
    constexpr double LEAST_NOISE = 1e-9; // of unit power
    const mimo_matrix channel = columns(response, streams);
    // What a stream's own distortion adds cannot be told from the stream.
    const double regularization =
        std::max(noise.noise, LEAST_NOISE) / (1.0 + noise.distortion);
    mimo_matrix gram = channel.adjoint().lazyProduct(channel);
    gram.diagonal().array() += regularization;
    const mimo_matrix weights = inverse(gram).lazyProduct(channel.adjoint());
    const auto gains =
        weights.lazyProduct(channel).diagonal().real().array().max(1e-9).eval();
    d_variances = (1.0 / gains - 1.0) * (1.0 + noise.distortion) + noise.distortion;
    if (d_method == method::lmmse) {
        d_weights = gains.inverse().matrix().asDiagonal() * weights;
        return;
    }
    mimo_matrix covariance = noise.covariance(response);
    covariance.diagonal().array() += LEAST_NOISE;
    const Eigen::LLT<mimo_matrix> whitener(covariance);
    d_weights = whitener.matrixL().solve(
        mimo_matrix::Identity(covariance.rows(), covariance.cols()));
    d_search.set_channel(d_weights.lazyProduct(channel));
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
    std::vector<Index> streams;
    mimo_vector samples(antennas), seen(antennas);
    for (Index k = 0; k < d_frame.usable.rows(); k++) {
        unsigned before = 0; // a bit per unknown stream
        for (Index n = which.first; n < which.last; n++) {
            unsigned unknown = 0;
            for (Index j = 0; j < num_streams; j++)
                unknown |= unsigned(!d_frame.masks[j](k, n)) << j;
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
            if (Index(streams.size()) < num_streams)
                for (Index j = 0; j < num_streams; j++)
                    if (d_frame.masks[j](k, n))
                        samples -= responses[k].col(j) * symbols[j](k, n);
            multiply(d_weights, samples, seen);
            visitor(k, n, streams, seen);
        }
    }
}

double carrier_detector::detect(const kernel::carrier_streams& received,
                                const std::vector<mimo_matrix>& responses,
                                const kernel::noise_split& noise,
                                kernel::carrier_streams& symbols,
                                kernel::row_range which)
{
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
    const Index carriers = d_frame.usable.rows();
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
        d_method == method::joint ? double(d_frame.received.size()) : 1.0;
    constexpr int PASSES = 3;
    const Index carriers = d_frame.usable.rows();
    Eigen::ArrayXf likelihoods(d_points.size());
    float growth = 1.0f;
    for (int pass = 0; pass < PASSES; pass++) {
        double distances = 0.0, count = 0.0;
        for (size_t j = 0; j < found.size(); j++)
            for (Index n = 0; n < d_frame.num_symbols; n++)
                for (Index k = 0; k < carriers; k++) {
                    if (d_frame.masks[j](k, n))
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
                if (!d_frame.masks[j](k, n))
                    symbols[j](k, n) = d_points(slicer.nearest(symbols[j](k, n)));
}

} // namespace reservoir
} // namespace gr
