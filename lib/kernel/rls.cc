/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/rls.h>

#include <cmath>
#include <stdexcept>
#include <string>

namespace gr {
namespace reservoir {
namespace kernel {

namespace {

constexpr double TRACE_GROWTH = 1e6;
constexpr double SILENCE = 1e-9;

int at_least_one(int value, const std::string& name)
{
    if (value < 1)
        throw std::invalid_argument(name + " = " + std::to_string(value) +
                                    ": must be at least 1");
    return value;
}

double in_unit_interval(double value, const std::string& name)
{
    if (!(value > 0.0 && value <= 1.0))
        throw std::invalid_argument(name + " = " + std::to_string(value) +
                                    ": must be above 0 and at most 1");
    return value;
}

} // namespace

rls::rls(int num_features, int num_outputs, double forgetting)
    : d_forgetting(in_unit_interval(forgetting, "forgetting")),
      d_weights(at_least_one(num_features, "num_features"),
                at_least_one(num_outputs, "num_outputs")),
      d_root(num_features, num_features),
      d_conj(num_features),
      d_f(num_features),
      d_g(num_features)
{
    reset(Eigen::VectorXd::Ones(num_features));
}

void rls::reset(const Eigen::VectorXd& prior_precision)
{
    if (prior_precision.size() != d_weights.rows())
        throw std::invalid_argument(
            "prior_precision has " + std::to_string(prior_precision.size()) +
            " values: must have " + std::to_string(d_weights.rows()) + ", one a feature");
    for (const double precision : prior_precision) {
        if (!(precision > 0.0 && std::isfinite(precision)))
            throw std::invalid_argument("prior_precision = " + std::to_string(precision) +
                                        ": must be positive and finite");
    }
    d_root.setZero();
    d_root.diagonal() =
        prior_precision.cwiseSqrt().cwiseInverse().cast<std::complex<double>>();
    d_weights.setZero();
    d_trace = d_root.squaredNorm();
    d_trace_bound = TRACE_GROWTH * d_trace;
    d_mean_energy = 0.0;
    d_skipped = 0;
}

void rls::set_weights(const Eigen::MatrixXcd& weights)
{
    if (weights.rows() != d_weights.rows() || weights.cols() != d_weights.cols())
        throw std::invalid_argument("weights is " + std::to_string(weights.rows()) +
                                    " x " + std::to_string(weights.cols()) +
                                    ": must be " + std::to_string(d_weights.rows()) +
                                    " x " + std::to_string(d_weights.cols()));
    if (!weights.allFinite())
        throw std::invalid_argument("weights: every value must be finite");
    d_weights = weights;
}

void rls::predict(const std::complex<double>* features,
                  std::complex<double>* outputs) const
{
    const Eigen::Map<const Eigen::VectorXcd> phi(features, d_weights.rows());
    for (Eigen::Index m = 0; m < d_weights.cols(); m++)
        outputs[m] = phi.cwiseProduct(d_weights.col(m)).sum();
}

void rls::update(const std::complex<double>* features, const std::complex<double>* errors)
{
    const Eigen::Map<const Eigen::VectorXcd> phi(features, d_weights.rows());
    const Eigen::Map<const Eigen::VectorXcd> e(errors, d_weights.cols());
    const double energy = phi.squaredNorm();
    if (!std::isfinite(energy) || !std::isfinite(e.squaredNorm())) {
        d_skipped++;
        return;
    }
    project(features);
    const double f2 = d_f.squaredNorm();
    const double g2 = d_g.squaredNorm();
    if (!std::isfinite(g2)) {
        d_skipped++;
        return;
    }
    apply(choose_step(f2, g2, is_silent(energy)), errors);
}

// The mean includes silence, so that a receiver turned down for good is soon heard again.
bool rls::is_silent(double energy)
{
    d_mean_energy = d_forgetting * d_mean_energy + (1.0 - d_forgetting) * energy;
    return energy <= SILENCE * d_mean_energy;
}

// f = S^H a and g = S f, column by column: no temporary
void rls::project(const std::complex<double>* features)
{
    d_conj = Eigen::Map<const Eigen::VectorXcd>(features, d_conj.size()).conjugate();
    d_g.setZero();
    for (Eigen::Index j = 0; j < d_root.cols(); j++) {
        d_f(j) = d_root.col(j).dot(d_conj);
        d_g += d_f(j) * d_root.col(j);
    }
}

rls::step rls::exponential_step(double trace, double f2, double g2, double forgetting)
{
    const double alpha = forgetting + f2;
    return { alpha,
             1.0 / (alpha + std::sqrt(forgetting * alpha)),
             1.0 / std::sqrt(forgetting),
             (trace - g2 / alpha) / forgetting };
}

// P <- P - g g^H (1 - 1/(forgetting (1 + |f|^2))) / |f|^2
rls::step rls::directional_step(double trace, double f2, double g2, double forgetting)
{
    const double kept = 1.0 / (forgetting * (1.0 + f2));
    return {
        1.0 + f2, (1.0 - std::sqrt(kept)) / f2, 1.0, trace - g2 * (1.0 - kept) / f2
    };
}

rls::step rls::choose_step(double f2, double g2, bool silent) const
{
    if (!silent) {
        const step all = exponential_step(d_trace, f2, g2, d_forgetting);
        if (all.trace <= d_trace_bound)
            return all;
        const step excited = directional_step(d_trace, f2, g2, d_forgetting);
        if (excited.trace <= d_trace_bound)
            return excited;
    }
    return exponential_step(d_trace, f2, g2, 1.0);
}

// The trace is taken from S itself: its recursion alone would multiply every rounding error by
// 1/forgetting at each update.
void rls::apply(const step& s, const std::complex<double>* errors)
{
    for (Eigen::Index m = 0; m < d_weights.cols(); m++)
        d_weights.col(m) += (errors[m] / s.gain_divisor) * d_g;
    d_trace = 0.0;
    for (Eigen::Index j = 0; j < d_root.cols(); j++) {
        d_root.col(j) =
            s.scale * d_root.col(j) - (s.scale * s.shrink * std::conj(d_f(j))) * d_g;
        d_trace += d_root.col(j).squaredNorm();
    }
}

Eigen::MatrixXcd rls::covariance() const { return d_root * d_root.adjoint(); }

} // namespace kernel
} // namespace reservoir
} // namespace gr
