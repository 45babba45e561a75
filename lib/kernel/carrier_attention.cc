/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/carrier_attention.h>

#include <gnuradio/reservoir/kernel/optimizer.h>
#include <gnuradio/reservoir/kernel/random.h>
#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::MatrixXd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

namespace {

constexpr Index WAVES = 3;                // in the band, of 1, 2 and 4 periods
constexpr Index FEATURES = 3 + 2 * WAVES; // and error, power, 1
constexpr Index DIMENSION = 4;            // of queries and keys
constexpr Index MOST_SYMBOLS = 4;         // that are left out
constexpr Index MOST_QUERIES = 64;        // of a symbol
constexpr Index SPAN = 64;                // carriers to each side that count

// What a regression sees of the known carriers, in the order of their frequencies: sums over symbols of
// z z^H and (x - z) z^H, a column per carrier.
struct evidence {
    MatrixXcd gram, cross;
    MatrixXd features;
};

class attention
{
public:
    attention(const carrier_streams& equalized,
              const carrier_streams& known,
              const carrier_mask& usable,
              const carrier_correction& start);

    bool train();
    std::vector<mimo_matrix> matrices() const;

private:
    typedef Eigen::Map<const MatrixXd> projection;
    struct weighted {
        Index first;
        VectorXd weights;
        mimo_matrix correction; // B
        Eigen::LLT<mimo_matrix> gram;
    };
    struct gradients {
        MatrixXd queries, keys; // of the symbol's carriers
    };

    double place(Index carrier) const { return double((carrier + d_size / 2) % d_size); }
    evidence without(Index symbol) const;
    projection query_projection() const
    {
        return { d_parameters.data(), DIMENSION, FEATURES };
    }
    projection key_projection() const
    {
        return { d_parameters.data() + DIMENSION * FEATURES, DIMENSION, FEATURES };
    }
    weighted attend(const evidence& seen,
                    const VectorXd& query,
                    const MatrixXd& keys,
                    double place) const;
    double error(Index first_query, VectorXd* gradient) const;
    double error_of(const evidence& seen,
                    const MatrixXd& queries,
                    const MatrixXd& keys,
                    Index symbol,
                    Index i,
                    gradients* found) const;
    double uncorrected(Index first_query) const;
    template <class Visit>
    void each_query(Index first_query, Index symbol, Visit&& visit) const;

    const Index d_size, d_streams;
    const double d_sigma, d_ridge;
    std::vector<Index> d_carriers; // known in some symbol
    VectorXd d_places;
    std::vector<Index> d_symbols;                               // in which some are
    Eigen::Array<bool, Eigen::Dynamic, Eigen::Dynamic> d_known; // those carriers, symbols
    std::vector<MatrixXcd> d_z, d_missing; // of each symbol, streams x those carriers
    evidence d_all;
    std::vector<Index> d_left_out;    // numbers of symbols
    std::vector<evidence> d_evidence; // without each of them
    VectorXd d_parameters;
};

attention::attention(const carrier_streams& equalized,
                     const carrier_streams& known,
                     const carrier_mask& usable,
                     const carrier_correction& start)
    : d_size(usable.rows()),
      d_streams(known.size()),
      d_sigma(start.width),
      d_ridge(start.ridge)
{
    for (Index n = 0; n < usable.cols(); n++)
        if (usable.col(n).any())
            d_symbols.push_back(n);
    for (Index p = 0; p < d_size; p++) {
        const Index k = (p + d_size - d_size / 2) % d_size;
        if (usable.row(k).any())
            d_carriers.push_back(k);
    }
    const Index count = d_carriers.size(), symbols = d_symbols.size();
    d_places.resize(count);
    d_known.resize(count, symbols);
    for (Index s = 0; s < symbols; s++) {
        d_z.push_back(MatrixXcd::Zero(d_streams, count));
        d_missing.push_back(d_z.back());
        for (Index i = 0; i < count; i++) {
            const Index k = d_carriers[i], n = d_symbols[s];
            d_places(i) = place(k);
            d_known(i, s) = usable(k, n);
            for (Index j = 0; j < d_streams && usable(k, n); j++) {
                d_z[s](j, i) = equalized[j](k, n);
                d_missing[s](j, i) = known[j](k, n) - equalized[j](k, n);
            }
        }
    }
    d_all = without(-1);
    const Index used = std::min(symbols, MOST_SYMBOLS);
    for (Index f = 0; f < used; f++) {
        d_left_out.push_back(f * symbols / used);
        d_evidence.push_back(without(d_left_out.back()));
    }
    // Keys of zero: at first only the distance counts, and what adam sees first are the keys' gradients.
    d_parameters = VectorXd::Zero(2 * DIMENSION * FEATURES);
    random draw(1);
    for (Index i = 0; i < DIMENSION * FEATURES; i++)
        d_parameters(i) = 0.5 * draw.gaussian();
}

// Features are zero in the mean and of unit power over the carriers, so that no scale matters.
void standardize(Eigen::Ref<MatrixXd> features, Index row)
{
    auto values = features.row(row).array();
    values -= values.mean();
    const double power = values.square().mean();
    if (power > 1e-12)
        values /= std::sqrt(power);
}

evidence attention::without(Index symbol) const
{
    const Index count = d_carriers.size(), entries = d_streams * d_streams;
    evidence sums = { MatrixXcd::Zero(entries, count),
                      MatrixXcd::Zero(entries, count),
                      MatrixXd::Zero(FEATURES, count) };
    VectorXd error = VectorXd::Zero(count), power = error, number = error;
    for (Index s = 0; s < Index(d_symbols.size()); s++)
        for (Index i = 0; i < count; i++) {
            if (s == symbol || !d_known(i, s))
                continue;
            const VectorXcd z = d_z[s].col(i), missing = d_missing[s].col(i);
            sums.gram.col(i) += (z * z.adjoint()).reshaped();
            sums.cross.col(i) += (missing * z.adjoint()).reshaped();
            error(i) += missing.squaredNorm();
            power(i) += z.squaredNorm();
            number(i) += 1.0;
        }
    for (Index i = 0; i < count; i++) {
        const double n = std::max(number(i), 1.0);
        sums.features(0, i) = std::log(error(i) / n + 1e-3);
        sums.features(1, i) = std::log(power(i) / n + 1e-3);
        sums.features(2, i) = 1.0;
        for (Index w = 0; w < WAVES; w++) {
            const double phase =
                2.0 * M_PI * double(1 << w) * d_places(i) / double(d_size);
            sums.features(3 + 2 * w, i) = std::cos(phase);
            sums.features(4 + 2 * w, i) = std::sin(phase);
        }
    }
    standardize(sums.features, 0);
    standardize(sums.features, 1);
    return sums;
}

attention::weighted attention::attend(const evidence& seen,
                                      const VectorXd& query,
                                      const MatrixXd& keys,
                                      double place) const
{
    const double* const begin = d_places.data();
    const double* const end = begin + d_places.size();
    const double* const first = std::lower_bound(begin, end, place - SPAN);
    const Index count = std::upper_bound(first, end, place + SPAN) - first;
    weighted found;
    found.first = first - begin;
    VectorXd near = VectorXd::Zero(count);
    if (std::isfinite(d_sigma))
        near =
            -0.5 *
            ((d_places.segment(found.first, count).array() - place) / d_sigma).square();
    const VectorXd scores = near + keys.middleCols(found.first, count).transpose() *
                                       query / std::sqrt(double(DIMENSION));
    found.weights = (scores.array() - scores.maxCoeff()).exp();
    found.weights /= found.weights.sum();
    // the ridge is that of weights exp(-d^2 / 2 sigma^2), which do not sum to one
    const double ridge = d_ridge / std::max(near.array().exp().sum(), 1e-9);
    const VectorXcd gram = seen.gram.middleCols(found.first, count) * found.weights;
    const VectorXcd cross = seen.cross.middleCols(found.first, count) * found.weights;
    mimo_matrix loaded = gram.reshaped(d_streams, d_streams);
    loaded.diagonal().array() += ridge;
    found.gram.compute(loaded);
    const mimo_matrix c = cross.reshaped(d_streams, d_streams);
    found.correction = found.gram.solve(c.adjoint()).adjoint();
    return found;
}

template <class Visit>
void attention::each_query(Index first_query, Index symbol, Visit&& visit) const
{
    const Index count = d_carriers.size();
    const Index every = std::max<Index>(1, count / (2 * MOST_QUERIES));
    for (Index i = first_query; i < count; i += 2 * every)
        if (d_known(i, symbol))
            visit(i);
}

/*
 * E = |m - B z|^2 with B = C S^-1. As dB = (dC - B dS) S^-1, the derivative by the weight of carrier l is
 * -2 Re e^H (C_l - B G_l) S^-1 z, with C_l and G_l of that carrier alone.
 */
double attention::error_of(const evidence& seen,
                           const MatrixXd& queries,
                           const MatrixXd& keys,
                           Index symbol,
                           Index i,
                           gradients* found) const
{
    const VectorXcd z = d_z[symbol].col(i);
    const weighted at = attend(seen, queries.col(i), keys, d_places(i));
    const VectorXcd e = d_missing[symbol].col(i) - at.correction * z;
    if (!found)
        return e.squaredNorm();
    const Index count = at.weights.size();
    const VectorXcd y = at.gram.solve(z);
    const VectorXcd of_cross = (e.conjugate() * y.transpose()).reshaped();
    const VectorXcd of_gram =
        ((at.correction.adjoint() * e).conjugate() * y.transpose()).reshaped();
    const VectorXd by_weight =
        -2.0 * (seen.cross.middleCols(at.first, count).transpose() * of_cross -
                seen.gram.middleCols(at.first, count).transpose() * of_gram)
                   .real();
    const double mean = at.weights.dot(by_weight);
    const VectorXd by_score =
        at.weights.array() * (by_weight.array() - mean) / std::sqrt(double(DIMENSION));
    found->queries.col(i) += keys.middleCols(at.first, count) * by_score;
    found->keys.middleCols(at.first, count) += queries.col(i) * by_score.transpose();
    return e.squaredNorm();
}

double attention::error(Index first_query, VectorXd* gradient) const
{
    double sum = 0.0;
    if (gradient)
        gradient->setZero(d_parameters.size());
    for (size_t f = 0; f < d_left_out.size(); f++) {
        const evidence& seen = d_evidence[f];
        const MatrixXd queries = query_projection() * seen.features;
        const MatrixXd keys = key_projection() * seen.features;
        gradients found = { MatrixXd::Zero(DIMENSION, queries.cols()),
                            MatrixXd::Zero(DIMENSION, queries.cols()) };
        each_query(first_query, d_left_out[f], [&](Index i) {
            sum += error_of(
                seen, queries, keys, d_left_out[f], i, gradient ? &found : nullptr);
        });
        if (!gradient)
            continue;
        gradient->head(DIMENSION * FEATURES) +=
            (found.queries * seen.features.transpose()).reshaped();
        gradient->tail(DIMENSION * FEATURES) +=
            (found.keys * seen.features.transpose()).reshaped();
    }
    return sum;
}

double attention::uncorrected(Index first_query) const
{
    double sum = 0.0;
    for (const Index s : d_left_out)
        each_query(
            first_query, s, [&](Index i) { sum += d_missing[s].col(i).squaredNorm(); });
    return sum;
}

bool attention::train()
{
    constexpr int STEPS = 60;
    constexpr double RATE = 0.02;
    const double before = std::min(error(1, nullptr), uncorrected(1));
    const double scale = error(0, nullptr);
    if (!(scale > 0.0) || !(before > 0.0))
        return false;
    optimizer<double> adam(descent::adam, RATE, 0.0);
    VectorXd gradient;
    for (int step = 0; step < STEPS; step++) {
        error(0, &gradient);
        gradient /= scale;
        adam.step(d_parameters.data(), gradient.data(), gradient.size());
    }
    return error(1, nullptr) < before;
}

std::vector<mimo_matrix> attention::matrices() const
{
    const MatrixXd keys = key_projection() * d_all.features;
    const double* const begin = d_places.data();
    const Index last = d_places.size() - 1;
    std::vector<mimo_matrix> found;
    for (Index k = 0; k < d_size; k++) {
        // a carrier that is never known asks as the known one next to it does
        Index i = std::lower_bound(begin, begin + last, place(k)) - begin;
        if (i > 0 && place(k) - d_places(i - 1) < d_places(i) - place(k))
            i--;
        VectorXd features = d_all.features.col(i);
        const VectorXd query = query_projection() * features;
        const double seen =
            std::clamp<double>(place(k), d_places(i) - SPAN, d_places(i) + SPAN);
        found.push_back(attend(d_all, query, keys, seen).correction);
    }
    return found;
}

} // namespace

carrier_correction fit_carrier_attention(const carrier_streams& equalized,
                                         const carrier_streams& known,
                                         const carrier_mask& usable)
{
    carrier_correction found = fit_carrier_correction(equalized, known, usable);
    if (!(found.width > 0.0)) // too few symbols
        return found;
    attention weights(equalized, known, usable, found);
    if (weights.train())
        found.matrices = weights.matrices();
    return found;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
