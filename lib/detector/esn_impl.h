/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_ESN_IMPL_H
#define INCLUDED_RESERVOIR_DETECTOR_ESN_IMPL_H

#include "detector/readout_detector.h"
#include <gnuradio/reservoir/esn.h>

namespace gr {
namespace reservoir {

//! What makes the fixed network.
struct network_parameters {
    int num_neurons;
    double spectral_radius;
    double sparsity;
    double input_scaling;
    std::string activation;
    int64_t seed;

    void check() const;
    pmt::pmt_t to_pmt() const;
    static network_parameters from_pmt(const pmt::pmt_t& saved);
};

class esn_impl : public esn, public readout_detector
{
public:
    esn_impl(const readout_parameters& readout,
             const network_parameters& network,
             int num_inputs,
             int num_outputs);
    //! The saved recurrent weights are used, not drawn again.
    static sptr load(const pmt::pmt_t& saved);

    std::string kind() const override { return "esn"; }
    std::string activation() const override { return d_network_parameters.activation; }
    stream_matrix recurrent_weights() const override;
    stream_matrix input_weights(int sps) const override;
    stream_matrix readout() const override { return user_weights(); }
    stream_matrix states(const stream_matrix& received, int sps) const override;

protected:
    std::unique_ptr<recurrence> make_network(int sps, int num_taps) const override;
    training_report do_fit(const gr_complex* const* received,
                           size_t num_samples,
                           const stream_matrix& pilots,
                           int sps) override;
    detector::sptr do_clone() const override;
    void do_adopt(const detector& trained) override;
    pmt::pmt_t do_save() const override;

private:
    Eigen::MatrixXcf draw_input_weights(int sps) const;

    const network_parameters d_network_parameters;
    Eigen::MatrixXcf d_recurrent_weights;
    std::vector<gr_complex> d_poles; // their eigenvalues
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_ESN_IMPL_H */
