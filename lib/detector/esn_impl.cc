/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/esn_impl.h"

#include "check.h"
#include "detector/saved_file.h"
#include "detector/training_samples.h"

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
                    int num_outputs)
{
    return std::make_shared<esn_impl>(
        readout_parameters{ window, delay, regularization, update, forgetting },
        network_parameters{
            num_neurons, spectral_radius, sparsity, input_scaling, activation, seed },
        num_inputs,
        num_outputs);
}

void network_parameters::check() const
{
    require(
        num_neurons >= 1 && num_neurons <= 1024, "num_neurons", num_neurons, "1 to 1024");
    require(spectral_radius >= 0.0 && spectral_radius <= 2.0,
            "spectral_radius",
            spectral_radius,
            "0 to 2");
    require(sparsity >= 0.0 && sparsity < 1.0, "sparsity", sparsity, "0 to below 1");
    require(input_scaling >= 0.0 && input_scaling <= 100.0,
            "input_scaling",
            input_scaling,
            "0 to 100");
    if (kernel::activation_from_string(activation) == kernel::activation::identity)
        require(spectral_radius < 1.0,
                "spectral_radius",
                spectral_radius,
                "below 1 with activation identity, or the network is unstable");
    require(seed >= 0, "seed", seed, "at least 0");
}

pmt::pmt_t network_parameters::to_pmt() const
{
    return pmt::make_tuple(pmt::from_long(num_neurons),
                           pmt::from_double(spectral_radius),
                           pmt::from_double(sparsity),
                           pmt::from_double(input_scaling),
                           pmt::mp(activation),
                           pmt::from_uint64(seed));
}

network_parameters network_parameters::from_pmt(const pmt::pmt_t& saved)
{
    return { int(pmt::to_long(pmt::tuple_ref(saved, 0))),
             pmt::to_double(pmt::tuple_ref(saved, 1)),
             pmt::to_double(pmt::tuple_ref(saved, 2)),
             pmt::to_double(pmt::tuple_ref(saved, 3)),
             pmt::symbol_to_string(pmt::tuple_ref(saved, 4)),
             int64_t(pmt::to_uint64(pmt::tuple_ref(saved, 5))) };
}

namespace {

std::vector<gr_complex> eigenvalues(const Eigen::MatrixXcf& matrix)
{
    const Eigen::VectorXcf values = kernel::eigenvalues(matrix);
    return { values.begin(), values.end() };
}

} // namespace

esn_impl::esn_impl(const readout_parameters& readout,
                   const network_parameters& network,
                   int num_inputs,
                   int num_outputs)
    : detector(num_inputs, num_outputs),
      readout_detector(readout, "window"),
      d_network_parameters(network)
{
    network.check();
    kernel::random generator(network.seed);
    d_recurrent_weights = kernel::random_recurrent_weights(
        network.num_neurons, network.spectral_radius, network.sparsity, generator);
    d_poles = eigenvalues(d_recurrent_weights);
}

Eigen::MatrixXcf esn_impl::draw_input_weights(int sps) const
{
    // a sequence of its own, so that the number of taps does not move the recurrent weights
    kernel::random generator(~uint64_t(d_network_parameters.seed));
    return kernel::random_input_weights(d_network_parameters.num_neurons,
                                        num_inputs() * sps * d_parameters.window,
                                        d_network_parameters.input_scaling,
                                        generator);
}

std::unique_ptr<recurrence> esn_impl::make_network(int sps, int) const
{
    return std::make_unique<recurrence>(
        d_recurrent_weights,
        to_window_order(
            draw_input_weights(sps),
            kernel::tapped_delay_window(num_inputs(), sps, d_parameters.window)),
        kernel::activation_from_string(d_network_parameters.activation));
}

training_report esn_impl::do_fit(const gr_complex* const* received,
                                 size_t num_samples,
                                 const stream_matrix& pilots,
                                 int sps)
{
    training_report report = readout_detector::do_fit(received, num_samples, pilots, sps);
    report.poles = d_poles;
    return report;
}

stream_matrix esn_impl::recurrent_weights() const { return to_rows(d_recurrent_weights); }

stream_matrix esn_impl::input_weights(int sps) const
{
    require(sps >= 1 && sps <= 64, "sps", sps, "1 to 64");
    return to_rows(draw_input_weights(sps));
}

stream_matrix esn_impl::states(const stream_matrix& received, int sps) const
{
    require(received.size() == size_t(num_inputs()),
            "received",
            std::to_string(received.size()) + " rows",
            "num_inputs rows");
    return network_states(received, sps);
}

pmt::pmt_t esn_impl::do_save() const
{
    pmt::pmt_t dict = save_readout();
    dict = pmt::dict_add(dict, pmt::mp("network"), d_network_parameters.to_pmt());
    return pmt::dict_add(
        dict, pmt::mp("recurrent_weights"), matrix_to_pmt(d_recurrent_weights));
}

esn::sptr esn_impl::load(const pmt::pmt_t& saved)
{
    auto loaded = std::make_shared<esn_impl>(
        readout_parameters::from_pmt(saved_entry(saved, "parameters")),
        network_parameters::from_pmt(saved_entry(saved, "network")),
        pmt::to_long(saved_entry(saved, "num_inputs")),
        pmt::to_long(saved_entry(saved, "num_outputs")));
    loaded->d_recurrent_weights =
        matrix_from_pmt(saved_entry(saved, "recurrent_weights"));
    loaded->d_poles = eigenvalues(loaded->d_recurrent_weights);
    loaded->load_readout(saved);
    loaded->d_report.poles = loaded->d_poles;
    return loaded;
}

void esn_impl::do_adopt(const detector& trained)
{
    const auto& other = dynamic_cast<const esn_impl&>(trained);
    require(other.d_recurrent_weights == d_recurrent_weights,
            "trained",
            "another network",
            "with the same parameters");
    readout_detector::do_adopt(trained);
}

detector::sptr esn_impl::do_clone() const { return load(do_save()); }

} // namespace reservoir
} // namespace gr
