/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/esn.h>

#include "check.h"
#include "detector/least_squares_readout.h"
#include "detector/saved_file.h"
#include "detector/training_samples.h"
#include <gnuradio/reservoir/detector_kind.h>

namespace gr {
namespace reservoir {

esn::sptr esn::make(int num_neurons,
                    int window,
                    int delay,
                    double spectral_radius,
                    double sparsity,
                    double input_scaling,
                    const std::string& activation,
                    double regularization,
                    const std::string& update,
                    double forgetting,
                    int64_t seed,
                    int num_inputs,
                    int num_outputs,
                    const std::string& prior)
{
    return std::make_shared<esn>(esn_parameters{ num_neurons,
                                                 window,
                                                 delay,
                                                 spectral_radius,
                                                 sparsity,
                                                 input_scaling,
                                                 activation,
                                                 regularization,
                                                 update,
                                                 forgetting,
                                                 seed,
                                                 num_inputs,
                                                 num_outputs,
                                                 prior });
}

namespace {

std::vector<gr_complex> eigenvalues(const Eigen::MatrixXcf& matrix)
{
    const Eigen::VectorXcf values = kernel::eigenvalues(matrix);
    return { values.begin(), values.end() };
}

} // namespace

esn::esn(const esn_parameters& p) : described(p)
{
    kernel::random generator(p.seed);
    d_recurrent_weights = kernel::random_recurrent_weights(
        p.num_neurons, p.spectral_radius, p.sparsity, generator);
    d_poles = eigenvalues(d_recurrent_weights);
    d_readout = std::make_unique<least_squares_readout>(
        least_squares_readout::settings{ p.num_inputs,
                                         p.num_outputs,
                                         p.window,
                                         p.delay,
                                         p.regularization,
                                         p.update == "rls",
                                         p.forgetting,
                                         p.prior == "delay" },
        [this](const auto& window) { return make_recurrence(window); });
}

Eigen::MatrixXcf esn::draw_input_weights(int sps) const
{
    // a sequence of its own, so that the number of taps does not move the recurrent weights
    kernel::random generator(~uint64_t(d_parameters.seed));
    return kernel::random_input_weights(d_parameters.num_neurons,
                                        num_inputs() * sps * d_parameters.window,
                                        d_parameters.input_scaling,
                                        generator);
}

std::unique_ptr<recurrence>
esn::make_recurrence(const kernel::tapped_delay_window& window) const
{
    return std::make_unique<recurrence>(
        d_recurrent_weights,
        to_window_order(draw_input_weights(window.sps()), window),
        kernel::activation_from_string(d_parameters.activation));
}

stream_matrix esn::recurrent_weights() const { return to_rows(d_recurrent_weights); }

stream_matrix esn::input_weights(int sps) const
{
    require(sps >= 1 && sps <= 64, "sps", sps, "1 to 64");
    return to_rows(draw_input_weights(sps));
}

stream_matrix esn::states(const stream_matrix& received, int sps) const
{
    require(received.size() == size_t(num_inputs()),
            "received",
            std::to_string(received.size()) + " rows",
            "num_inputs rows");
    require(sps >= 1 && sps <= 64, "sps", sps, "1 to 64");
    return d_readout->states(received, sps);
}

bool esn::do_has_parameters_of(const trainable& other) const
{
    // a network from a file of another version may have been drawn otherwise
    return described::do_has_parameters_of(other) &&
           dynamic_cast<const esn&>(other).d_recurrent_weights == d_recurrent_weights;
}

training_report esn::do_fit(const gr_complex* const* received,
                            size_t num_samples,
                            const stream_matrix& pilots,
                            int sps)
{
    training_report report =
        least_squares_detector::do_fit(received, num_samples, pilots, sps);
    report.poles = d_poles;
    return report;
}

pmt::pmt_t esn::do_save() const
{
    return pmt::dict_add(least_squares_detector::do_save(),
                         pmt::mp("recurrent_weights"),
                         matrix_to_pmt(d_recurrent_weights));
}

// The saved recurrent weights are used, whatever the seed gives here.
void esn::do_restore(const pmt::pmt_t& saved)
{
    const Eigen::MatrixXcf weights =
        matrix_from_pmt(saved_entry(saved, "recurrent_weights"));
    if (weights.rows() != d_recurrent_weights.rows() ||
        weights.cols() != d_recurrent_weights.cols())
        throw std::runtime_error("load: the saved network has another size");
    d_recurrent_weights = weights;
    d_poles = eigenvalues(d_recurrent_weights);
    least_squares_detector::do_restore(saved);
}

detector_kind describe_esn() { return describe_kind<esn>(); }

} // namespace reservoir
} // namespace gr
