/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/carrier_correction.h>

#include <Eigen/Cholesky>
#include <cmath>
#include <limits>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::MatrixXcd;

namespace {

constexpr double FLAT = std::numeric_limits<double>::infinity();
constexpr double WIDTHS[] = { 0.5, 1.0, 2.0, 4.0, 8.0, FLAT }; // sigma, carriers
constexpr double RIDGES[] = { 0.03, 0.3, 3.0 }; // for known carriers of unit power

mimo_vector of_carrier(const carrier_streams& streams, Index carrier, Index symbol)
{
    mimo_vector out(streams.size());
    for (size_t j = 0; j < streams.size(); j++)
        out(j) = streams[j](carrier, symbol);
    return out;
}

// Sums over a neighbourhood, of z z^H and (x - z) z^H.
struct moments {
    mimo_matrix gram, cross;
    moments& operator+=(const moments& other)
    {
        gram += other.gram;
        cross += other.cross;
        return *this;
    }
    // B, without a part of the sums.
    mimo_matrix solved_without(const moments& part, double ridge) const
    {
        mimo_matrix loaded = gram - part.gram;
        loaded.diagonal().array() += ridge;
        return loaded.llt().solve((cross - part.cross).adjoint()).adjoint();
    }
};

class regression
{
public:
    regression(const carrier_streams& equalized,
               const carrier_streams& known,
               const carrier_mask& usable)
        : d_size(usable.rows()), d_streams(known.size()), d_usable(usable)
    {
        for (Index n = 0; n < usable.cols(); n++)
            if (usable.col(n).any())
                d_symbols.push_back(n);
        for (const Index n : d_symbols)
            for (Index k = 0; k < d_size; k++) {
                moments here = zero();
                if (usable(k, n)) {
                    const mimo_vector z = of_carrier(equalized, k, n);
                    const mimo_vector missing = of_carrier(known, k, n) - z;
                    here = { z * z.adjoint(), missing * z.adjoint() };
                    d_energy += missing.squaredNorm();
                }
                d_of_carrier.push_back(here);
            }
    }

    Index num_symbols() const { return d_symbols.size(); }
    double uncorrected() const { return d_energy; }

    // From now on carriers' neighbours count so much.
    void set_width(double sigma)
    {
        Eigen::VectorXd weights(d_size);
        for (Index d = 0; d < d_size; d++)
            weights(d) =
                std::isinf(sigma) ? 1.0 : std::exp(-0.5 * d * d / (sigma * sigma));
        d_around.assign(d_of_carrier.size(), zero());
        for (Index s = 0; s < num_symbols(); s++)
            for (Index k = 0; k < d_size; k++)
                for (Index other = 0; other < d_size; other++) {
                    const double weight = weights(std::abs(place(k) - place(other)));
                    if (weight < 1e-6 || !d_usable(other, d_symbols[s]))
                        continue;
                    const moments& there = d_of_carrier[s * d_size + other];
                    moments& here = d_around[s * d_size + k];
                    here.gram += weight * there.gram;
                    here.cross += weight * there.cross;
                }
        d_all.assign(d_size, zero());
        for (size_t i = 0; i < d_around.size(); i++)
            d_all[i % d_size] += d_around[i];
    }

    // Error's energy, each symbol left out once.
    double left_out(double ridge,
                    const carrier_streams& equalized,
                    const carrier_streams& known) const
    {
        double energy = 0.0;
        for (Index s = 0; s < num_symbols(); s++)
            for (Index k = 0; k < d_size; k++) {
                if (!d_usable(k, d_symbols[s]))
                    continue;
                const mimo_vector z = of_carrier(equalized, k, d_symbols[s]);
                const mimo_matrix b =
                    d_all[k].solved_without(d_around[s * d_size + k], ridge);
                energy += (of_carrier(known, k, d_symbols[s]) - z - b * z).squaredNorm();
            }
        return energy;
    }

    std::vector<mimo_matrix> matrices(double ridge) const
    {
        std::vector<mimo_matrix> out;
        for (Index k = 0; k < d_size; k++)
            out.push_back(d_all[k].solved_without(zero(), ridge));
        return out;
    }

private:
    moments zero() const
    {
        const mimo_matrix none = mimo_matrix::Zero(d_streams, d_streams);
        return { none, none };
    }
    // Carriers in the order of their frequencies.
    Index place(Index carrier) const { return (carrier + d_size / 2) % d_size; }

    const Index d_size, d_streams;
    const carrier_mask& d_usable;
    std::vector<Index> d_symbols;      // with known carriers
    std::vector<moments> d_of_carrier; // of each of them
    double d_energy = 0.0;
    std::vector<moments> d_around, d_all; // of a neighbourhood, by symbol and in all
};

} // namespace

void carrier_correction::apply(carrier_streams& symbols) const
{
    for (size_t k = 0; k < matrices.size(); k++)
        for (Index n = 0; n < symbols[0].cols(); n++) {
            const mimo_vector z = of_carrier(symbols, k, n);
            const mimo_vector more = matrices[k] * z;
            for (size_t j = 0; j < symbols.size(); j++)
                symbols[j](k, n) += more(j);
        }
}

carrier_correction fit_carrier_correction(const carrier_streams& equalized,
                                          const carrier_streams& known,
                                          const carrier_mask& usable)
{
    regression fit(equalized, known, usable);
    carrier_correction found;
    if (fit.num_symbols() < 2)
        return found;
    double least = fit.uncorrected(), best = std::numeric_limits<double>::max();
    for (const double width : WIDTHS) {
        fit.set_width(width);
        for (const double ridge : RIDGES) {
            const double energy = fit.left_out(ridge, equalized, known);
            if (energy < best) {
                best = energy;
                found.width = width;
                found.ridge = ridge;
            }
            if (!(energy < least))
                continue;
            least = energy;
            found.matrices = fit.matrices(ridge);
        }
    }
    return found;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
