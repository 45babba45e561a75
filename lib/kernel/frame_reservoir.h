/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_KERNEL_FRAME_RESERVOIR_H
#define INCLUDED_RESERVOIR_KERNEL_FRAME_RESERVOIR_H

#include "kernel/normal_equations.h"
#include "kernel/overlap_save.h"
#include <gnuradio/reservoir/api.h>
#include <gnuradio/reservoir/kernel/activation.h>
#include <gnuradio/reservoir/kernel/channel_estimate.h>
#include <Eigen/Core>
#include <vector>

namespace gr {
namespace reservoir {
namespace kernel {

/*!
 * \brief A recurrent network that sees a window of every input's samples, run once over a whole frame; its
 * states are kept, so that readouts of several delays can be trained on them and applied to them.
 *
 * Features of instant n are the states s[n] and then the window's samples x_a[n], x_a[n − 1], … of every
 * input, as in an esn with one sample per symbol. Samples before the first are zero.
 *
 * Of the window's Gram matrix only the first row and column of each pair of inputs are sums over
 * instants: each other value follows from the one above and left of it.
 *
 * Not responsible for how weights are found from the sums.
 */
class RESERVOIR_API frame_reservoir
{
public:
    /*!
     * \param recurrent W, N × N
     * \param input U, N × (inputs · window), input-major, newest sample first
     */
    frame_reservoir(const Eigen::MatrixXcf& recurrent,
                    const Eigen::MatrixXcf& input,
                    int num_inputs,
                    activation function);

    Eigen::Index num_neurons() const { return d_num_neurons; }
    Eigen::Index num_taps() const { return d_samples.size() * d_window; }
    Eigen::Index window() const { return d_window; }

    //! Runs over gain times the samples, and so many zeros behind them.
    void read(const sample_streams& samples, double gain, Eigen::Index zeros_behind);

    //! Of the window's features alone. \param targets of these instants, one column per output
    normal_equations window_sums(row_range instants,
                                 const Eigen::MatrixXcd& targets) const;
    /*!
     * Of all features.
     * \param window what window_sums() gave for these targets
     * \param summed the instants that it did so for, of those that are wanted; windows of others are added
     * \param first_weights of the first instants, at most one; all others count one
     */
    normal_equations sums(const normal_equations& window,
                          row_range summed,
                          row_range instants,
                          const Eigen::MatrixXcd& targets,
                          const Eigen::ArrayXd& first_weights = {}) const;

    //! All features of these instants: a row each.
    Eigen::MatrixXcd rows(row_range instants) const;
    //! The window's samples of these instants: a row each.
    Eigen::MatrixXcd windows(row_range instants) const;

    /*!
     * Features times weights: count values of one stream per column, value n of instant n + delay.
     * \param wanted the others are zero
     */
    sample_streams outputs(const Eigen::MatrixXcd& weights,
                           Eigen::Index delay,
                           Eigen::Index count,
                           const std::vector<row_range>& wanted);

private:
    const std::complex<double>* sample(Eigen::Index input, Eigen::Index instant) const
    {
        return d_samples[input].data() + d_window + instant;
    }
    void run_states(Eigen::Index instants);
    void add_windows(row_range instants,
                     const Eigen::VectorXd& weights,
                     double sign,
                     const Eigen::Ref<const Eigen::MatrixXcd>& targets,
                     normal_equations& sums) const;
    void set_window_gram(row_range instants, Eigen::MatrixXcd& gram) const;
    void add_states(row_range instants,
                    const Eigen::MatrixXcd& targets,
                    const Eigen::ArrayXd& first_weights,
                    normal_equations& sums) const;

    const Eigen::Index d_num_neurons;
    const Eigen::Index d_window;
    const activation d_function;
    const Eigen::Index d_padded;     // neurons
    const Eigen::Index d_remembered; // instants
    Eigen::ArrayXf d_recurrent_re, d_recurrent_sum, d_recurrent_difference;
    overlap_save d_drive;

    // the frame: samples behind window zeros, in single precision behind one less; every instant's states,
    // and behind them those of as many instants as are remembered
    sample_streams d_samples;
    std::vector<Eigen::ArrayXf> d_re, d_im;
    Eigen::ArrayXf d_states_re, d_states_im;
    Eigen::VectorXcf d_output;
};

} // namespace kernel
} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_KERNEL_FRAME_RESERVOIR_H */
