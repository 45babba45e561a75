/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_DESCENT_H
#define INCLUDED_RESERVOIR_DETECTOR_DESCENT_H

#include <gnuradio/reservoir/kernel/activation.h>
#include <gnuradio/reservoir/kernel/bptt_network.h>
#include <gnuradio/reservoir/kernel/optimizer.h>
#include <gnuradio/reservoir/training_report.h>
#include <functional>
#include <vector>

namespace gr {
namespace reservoir {

struct descent_parameters {
    kernel::descent optimizer;
    double learning_rate;
    double momentum;
    int epochs;
    double gradient_clip; // 0: none
    bool train_poles;
    int patience; // 0: none
    int condition_every;
    int eigenvalues_every;
};

struct training_sequence {
    Eigen::MatrixXcf inputs;     // M × steps
    Eigen::MatrixXcf targets;    // O × steps
    std::vector<float> trained;  // weight of every step in the loss
    std::vector<float> held_out; // … in the held-out loss; empty: none
};

struct trained_network {
    kernel::network_weights<float> weights;
    double loss = 0.0; // of these weights
    double held_out_loss = 0.0;
    Eigen::MatrixXcf outputs; // O × steps
    training_report history;
};

/*!
 * \brief Gradient descent from given weights, with early stopping; every epoch is recorded.
 * \param go_on called once per epoch; false: this is the last
 */
trained_network descend(const kernel::network_weights<float>& start,
                        kernel::activation activation,
                        const training_sequence& sequence,
                        const descent_parameters& parameters,
                        const std::function<bool(const training_progress&)>& go_on);

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_DESCENT_H */
