/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_LEVEL_STEPS_H
#define INCLUDED_RESERVOIR_DETECTOR_LEVEL_STEPS_H

#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/kernel/channel_estimate.h>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief How a receiver's gain jumped within a frame, as a gain control makes it jump, and the samples
 * without that.
 *
 * Every antenna has a gain of its own; that of its first samples that are not silent stays as it is.
 * Silence is no level. The power jumps for other reasons, too, such as fading and bursts of interference:
 * whether it pays to take the steps out, the frame that is received without them tells.
 */
class RESERVOIR_API level_steps
{
public:
    //! Least log-likelihood ratio of a step against none; data without a step hardly ever reach it.
    static constexpr double LEAST_LOG_RATIO = 8.0;

    /*!
     * \param streams antenna-major, sampling phase by phase
     * \param phases of an antenna
     * \param num_symbols of the frame; what comes behind it has the last of its gains
     * \param least_log_ratio as kernel::find_power_steps takes it
     * \param window symbols on each side of a step, 16 or more
     */
    level_steps(const kernel::sample_streams& streams,
                int phases,
                Eigen::Index num_symbols,
                double least_log_ratio = LEAST_LOG_RATIO,
                Eigen::Index window = 128);

    //! Of all antennas together.
    int count() const;
    kernel::sample_streams undone(const kernel::sample_streams& streams) const;
    /*!
     * \brief The same steps, their places and gains by what was sent rather than by powers. A gain has a
     * phase where decisions that are turned cannot be the reason.
     * \param streams as they were received
     * \param model of what they would be without noise and without steps, as undone() leaves them
     */
    level_steps refined(const kernel::sample_streams& streams,
                        const kernel::sample_streams& model) const;
    //! What undone() multiplies the last samples of each antenna by.
    std::vector<std::complex<double>> last_factors() const;
    //! By how much undone() stretches the power of noise, as a geometric mean: residuals are compared by it.
    double power_stretch() const;
    /*!
     * \brief Whether they are likelier than none, by the Bayesian information criterion.
     * \param residual mean |e|² that is left without them, over power_stretch()
     * \param as_received that is left with them
     */
    bool pay_off(double residual, double as_received) const;

private:
    // Samples in their order; those of all sampling phases
    struct antenna {
        Eigen::Index size;
        std::vector<Eigen::Index> steps;
        std::vector<std::complex<double>> factors; // of the parts between, one more

        kernel::row_range part(size_t i) const;
        Eigen::VectorXd errors(size_t i,
                               const Eigen::VectorXcd& seen,
                               const Eigen::VectorXcd& sent,
                               kernel::row_range rows) const;
        void fit_factors(const Eigen::VectorXcd& seen, const Eigen::VectorXcd& sent);
        void fit_steps(const Eigen::VectorXcd& seen,
                       const Eigen::VectorXcd& sent,
                       Eigen::Index most);
    };
    double num_samples() const { return double(d_antennas[0].size) * d_antennas.size(); }

    int d_phases;
    Eigen::Index d_window; // samples
    std::vector<antenna> d_antennas;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_LEVEL_STEPS_H */
