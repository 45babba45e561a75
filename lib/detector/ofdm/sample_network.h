/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_OFDM_SAMPLE_NETWORK_H
#define INCLUDED_RESERVOIR_DETECTOR_OFDM_SAMPLE_NETWORK_H

#include "kernel/frame_reservoir.h"
#include <gnuradio/reservoir/ofdm_esn.h>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief The network of ofdm_esn and its readouts: one run over a frame serves all delays, trainings and
 * outputs.
 *
 * Not responsible for carriers, nor for what it is trained on.
 */
class sample_network
{
public:
    explicit sample_network(const ofdm_esn_parameters& parameters);

    //! A frame that begins with so many samples to be trained on: they set the network's input to unit power.
    void read(const kernel::sample_streams& samples, Eigen::Index training);
    //! Another one with the same gain; the readout stays.
    void read_on(const kernel::sample_streams& samples);

    //! The readout of the delay and the regularization that are best, for what was sent from the first sample on.
    void fit(const kernel::sample_streams& sent);
    //! Again for this delay.
    void refit(const kernel::sample_streams& sent);
    //! Of the readout, on what it was trained on, as cross-validation has it
    double mse() const { return d_mse; }
    //! ... with the output's gain taken out
    double noise_variance() const { return d_noise_variance; }

    //! What it makes of the frame's first samples, without bias; those that are not wanted are zero.
    kernel::sample_streams outputs(Eigen::Index count,
                                   const std::vector<kernel::row_range>& wanted);

private:
    void train(const kernel::sample_streams& sent, const std::vector<int>& delays);
    void train_on_rows(const Eigen::MatrixXcd& targets, const std::vector<int>& delays);
    struct choice {
        Eigen::Index delay; // its place
        double lambda;
    };
    choice choose(const kernel::normal_equations& window,
                  const kernel::ridge_path& path,
                  kernel::row_range shared,
                  const Eigen::MatrixXcd& delayed,
                  Eigen::Index num_delays) const;
    Eigen::ArrayXd history_weights(const kernel::ridge_path& path,
                                   Eigen::Index first,
                                   kernel::row_range shared,
                                   const Eigen::MatrixXcd& targets) const;
    void take(const kernel::ridge_fit& fit, const Eigen::ArrayXd& energy, double rows);

    const std::vector<int> d_delays; // that are tried
    const double d_regularization;
    kernel::frame_reservoir d_reservoir;
    Eigen::ArrayXd d_penalties; // of the features
    double d_gain = 1.0;
    int d_delay = 0;
    Eigen::MatrixXcd d_weights;
    double d_mse = 0.0, d_noise_variance = 0.0;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_OFDM_SAMPLE_NETWORK_H */
