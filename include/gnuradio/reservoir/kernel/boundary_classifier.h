/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_BOUNDARY_CLASSIFIER_H
#define INCLUDED_RESERVOIR_KERNEL_BOUNDARY_CLASSIFIER_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/reservoir/api.h>
#include <complex>
#include <optional>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

//! Levels of a constellation's real and imaginary parts, of which all pairs are points.
struct RESERVOIR_API level_grid {
    std::vector<double> re, im; //!< rising
    double step;                //!< between neighbours

    //! Nothing where the points are no such grid, or its levels are not equally far apart.
    static std::optional<level_grid> of(const std::vector<gr_complex>& points);
};

/*!
 * \brief Decisions by one binary classifier that all boundaries between levels share (RC-Struct of Xu,
 * Zhou, Li, Zheng and Liu, 2022; reconstructed, as no code was published).
 *
 * With u, a component's distance from a boundary in half steps, the log-odds of the level above are
 *
 *     g(u) = a u + sum_i v_i tanh(w_i u),   16 neurons: odd, as both sides are alike,
 *
 * trained by adam on the logistic loss of the components next to a boundary. A level's logarithm is the
 * sum over all boundaries, of log sigmoid(g) for those below it and log sigmoid(-g) for those above.
 *
 * That sum grows by g(u) from one level to the next. So where g has the sign of u, the decision is the
 * nearest level: this can only differ from slicing where components lie on the wrong side of a boundary
 * more often than not.
 */
class RESERVOIR_API boundary_classifier
{
public:
    explicit boundary_classifier(const level_grid& levels);

    /*!
     * \brief Trains on what is known.
     *
     * First each half of the symbols is decided by what the other half teaches.
     * \param sent those that are no points do not count
     * \return whether that made fewer errors than the nearest points; if not, it is not trained
     */
    bool fit(const std::vector<std::complex<double>>& symbols,
             const std::vector<std::complex<double>>& sent);
    //! The point that is decided for; before it is trained, the nearest one.
    std::complex<double> decide(std::complex<double> symbol) const;
    //! g(u).
    double log_odds(double u) const;

private:
    static constexpr int NEURONS = 16;
    struct network {
        float w[NEURONS], v[NEURONS], a;
    };
    struct component {
        double value;
        size_t level;
        const std::vector<double>* levels;
    };

    void train(const std::vector<component>& known);
    size_t level(double value, const std::vector<double>& levels) const;
    size_t errors(const std::vector<component>& known) const;

    const level_grid d_levels;
    bool d_trained = false;
    network d_network = {};
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_BOUNDARY_CLASSIFIER_H */
