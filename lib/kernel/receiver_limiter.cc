/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/receiver_limiter.h>

#include <gnuradio/reservoir/kernel/lag_sums.h>
#include <boost/math/tools/minima.hpp>
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {
namespace kernel {

using Eigen::Index;
using Eigen::VectorXcd;

namespace {

typedef receiver_limiter::limited limited;

// Of the limit, what the largest sample is. At MODERATE any limiter that matters pays off already.
constexpr double LEAST = 0.05, MODERATE = 0.7, MOST = 0.9999;
constexpr double BELOW_LIMIT = 1.0 - 1e-6; // where f ends
constexpr int BITS = 12;                   // of the limit
constexpr double EMPTY = 1e-9; // share of the power in a part that is not there
constexpr Index FREE_ROWS = 6; // beyond the channel's taps
// A converter that is full puts many values at its limit: they have no density, and f would say
// nothing of them.
constexpr double AT_THE_EDGE = 1e-3,
                 CLIPPED = 0.03; // below the largest; share of the values

double share_of(double value, double limit)
{
    return std::clamp(value / limit, -BELOW_LIMIT, BELOW_LIMIT);
}

std::complex<double> inverse(limited what, double limit, std::complex<double> sample)
{
    if (what == limited::parts)
        return { limit * std::atanh(share_of(sample.real(), limit)),
                 limit * std::atanh(share_of(sample.imag(), limit)) };
    const double share = share_of(std::abs(sample), limit);
    return share > 0.0 ? std::atanh(share) / share * sample : sample;
}

// of the area around the sample
double log_stretch(limited what, double limit, std::complex<double> sample)
{
    const auto slope = [&](double share) { return 1.0 / (1.0 - share * share); };
    if (what == limited::parts)
        return std::log(slope(share_of(sample.real(), limit)) *
                        slope(share_of(sample.imag(), limit)));
    const double share = share_of(std::abs(sample), limit);
    return share > 0.0 ? std::log(slope(share) * std::atanh(share) / share) : 0.0;
}

// Real and imaginary parts that are there: a real signal with real noise has one.
double count_parts(const sample_streams& received, row_range rows)
{
    double re = 0.0, im = 0.0;
    for (const VectorXcd& stream : received) {
        re += stream.segment(rows.first, rows.size()).real().squaredNorm();
        im += stream.segment(rows.first, rows.size()).imag().squaredNorm();
    }
    return std::min(re, im) > EMPTY * (re + im) ? 2.0 : 1.0;
}

double largest(limited what, const sample_streams& received, row_range rows)
{
    double most = 0.0;
    for (const VectorXcd& stream : received) {
        const auto samples = stream.segment(rows.first, rows.size()).array();
        most = std::max(most,
                        what == limited::modulus
                            ? std::sqrt(samples.abs2().maxCoeff())
                            : std::max(samples.real().abs().maxCoeff(),
                                       samples.imag().abs().maxCoeff()));
    }
    return most;
}

bool clipped(limited what, const sample_streams& received, row_range rows, double most)
{
    const double edge = (1.0 - AT_THE_EDGE) * most;
    double beyond = 0.0, values = 0.0;
    for (const VectorXcd& stream : received) {
        const auto samples = stream.segment(rows.first, rows.size()).array();
        if (what == limited::modulus) {
            beyond += (samples.abs() >= edge).count();
        } else {
            beyond += (samples.real().abs() >= edge).count();
            beyond += (samples.imag().abs() >= edge).count();
        }
        values += samples.size();
    }
    return beyond > CLIPPED * values *
                        (what == limited::modulus ? 1.0 : count_parts(received, rows));
}

// What a linear channel leaves of the samples behind the inverse.
class likelihood
{
public:
    likelihood(const sample_streams& received,
               Index timing,
               const VectorXcd& known,
               row_range rows,
               Index length)
        : d_known(known),
          d_rows(rows),
          d_sums(sum_lags(received, timing, known, rows, length))
    {
        for (const VectorXcd& stream : received)
            d_seen.push_back(lagged(stream, { 0, rows.last }, 1, timing));
        d_values = count_parts(d_seen, rows) * d_seen.size() * rows.size();
        d_linear = residual({});
    }
    //! Over the power that the inverse stretches noise by; mean of all samples.
    double residual(const receiver_limiter& limiter) const
    {
        const lag_sums sums =
            sum_lags_of(limiter.undone(d_seen), 0, d_known, d_rows, d_sums);
        return sums.residual(sums.taps()) / limiter.power_stretch(d_seen, d_rows) /
               (d_seen.size() * d_rows.size());
    }
    //! Twice the logarithm of the likelihood over that without a limiter, by the criterion.
    double gain(const receiver_limiter& limiter) const
    {
        const double left = std::max(residual(limiter), 1e-300);
        return d_values * std::log(d_linear / left) - std::log(d_values);
    }

private:
    const VectorXcd& d_known;
    const row_range d_rows;
    const lag_sums d_sums;
    sample_streams d_seen; // known symbol n at n
    double d_values;       // real ones
    double d_linear;       // residual without a limiter
};

} // namespace

sample_streams receiver_limiter::undone(const sample_streams& received) const
{
    sample_streams out = received;
    if (used())
        for (VectorXcd& stream : out)
            for (auto& sample : stream)
                sample = inverse(what, limit, sample);
    return out;
}

double receiver_limiter::power_stretch(const sample_streams& received,
                                       row_range rows) const
{
    if (!used())
        return 1.0;
    double sum = 0.0;
    for (const VectorXcd& stream : received)
        for (Index n = rows.first; n < rows.last; n++)
            sum += log_stretch(what, limit, stream(n));
    return std::exp(2.0 * sum /
                    (count_parts(received, rows) * received.size() * rows.size()));
}

receiver_limiter find_receiver_limiter(const sample_streams& received,
                                       Index timing,
                                       const VectorXcd& known,
                                       row_range rows,
                                       Index length,
                                       row_range frame)
{
    receiver_limiter best;
    if (rows.size() < length + FREE_ROWS)
        return best;
    const likelihood with(received, timing, known, rows, length);
    double most = 0.0;
    for (const limited what : { limited::parts, limited::modulus }) {
        // of real values the modulus is the same map, and not of an area
        if (what == limited::modulus && count_parts(received, rows) < 2.0)
            continue;
        const double size = largest(what, received, frame);
        if (clipped(what, received, frame, size))
            return {};
        if (!(size > 0.0) || !(with.gain({ what, size / MODERATE, 0.0 }) > 0.0))
            continue;
        const auto loss = [&](double share) {
            return -with.gain({ what, size / share, 0.0 });
        };
        const auto [share, least] =
            boost::math::tools::brent_find_minima(loss, LEAST, MOST, BITS);
        if (-least > most) {
            most = -least;
            best = { what, size / share, 0.0 };
            best.residual = with.residual(best);
        }
    }
    return best;
}

} // namespace kernel
} // namespace reservoir
} // namespace gr
