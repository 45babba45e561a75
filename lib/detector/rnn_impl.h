/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_RNN_IMPL_H
#define INCLUDED_RESERVOIR_DETECTOR_RNN_IMPL_H

#include "detector/descent.h"
#include "detector/network_detector.h"
#include <gnuradio/reservoir/rnn.h>
#include <optional>

namespace gr {
namespace reservoir {

struct rnn_parameters {
    int num_neurons;
    int window;
    int delay;
    std::string activation;
    std::string optimizer;
    double learning_rate;
    double momentum;
    int epochs;
    double gradient_clip;
    double spectral_radius;
    bool train_poles;
    int64_t seed;
    double input_scaling;
    bool skip;
    int warm_up;
    double held_out;
    int patience;
    int restarts;
    int condition_every;
    int eigenvalues_every;

    void check() const;
    pmt::pmt_t to_pmt() const;
    static rnn_parameters from_pmt(const pmt::pmt_t& saved);
};

class rnn_impl : public rnn, public network_detector
{
public:
    rnn_impl(const rnn_parameters& parameters, int num_inputs, int num_outputs);
    static std::shared_ptr<rnn_impl> load(const pmt::pmt_t& saved);

    std::string kind() const override { return "rnn"; }
    bool trains_in_epochs() const override { return true; }
    void set_weights(const rnn_weights& weights) override;
    void start_from(const esn& network) override;
    void start_from_seed() override;
    rnn_weights weights() const override;

protected:
    std::unique_ptr<recurrence> make_network(int sps, int num_taps) const override;
    int do_look_ahead() const override { return d_parameters.delay; }
    training_report do_fit(const gr_complex* const* received,
                           size_t num_samples,
                           const stream_matrix& pilots,
                           int sps) override;
    pmt::pmt_t do_save() const override;
    detector::sptr do_clone() const override;
    void do_adopt(const detector& trained) override;

private:
    // Taps in the user's order, the readout in the units of the pilots.
    typedef kernel::network_weights<float> weight_matrices;

    //! \throws std::invalid_argument if the shapes do not fit
    void check_weights(const weight_matrices& weights) const;
    weight_matrices draw(int restart, int sps) const;
    weight_matrices start(int restart, int sps) const;
    //! The pilots' steps begin with step `delay`; scale is the pilots' rms.
    training_sequence sequence(kernel::tapped_delay_window& window,
                               const gr_complex* const* received,
                               size_t num_samples,
                               const Eigen::MatrixXcd& pilots,
                               double scale) const;
    trained_network train(const training_sequence& training,
                          const kernel::tapped_delay_window& window,
                          double scale) const;
    void use(const weight_matrices& weights, int sps, float input_gain);

    const rnn_parameters d_parameters;
    const kernel::activation d_activation;
    std::optional<weight_matrices> d_start;
    weight_matrices d_trained;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_RNN_IMPL_H */
