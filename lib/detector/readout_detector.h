/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_READOUT_DETECTOR_H
#define INCLUDED_RESERVOIR_DETECTOR_READOUT_DETECTOR_H

#include "detector/decision_device.h"
#include "detector/network_detector.h"
#include <gnuradio/reservoir/kernel/rls.h>
#include <memory>

namespace gr {
namespace reservoir {

//! Parameters that every detector with a linear readout has; check() refuses bad ones.
struct readout_parameters {
    int window;            // symbol periods
    int delay;             // −1: search
    double regularization; // negative: leave-one-out
    std::string update;
    double forgetting;

    void check(const char* window_name) const;
    pmt::pmt_t to_pmt() const;
    static readout_parameters from_pmt(const pmt::pmt_t& saved);
};

/*!
 * \brief The readout of a window and a fixed network, trained by least squares: what fir and esn
 * have in common.
 */
class readout_detector : public network_detector
{
public:
    readout_detector(const readout_parameters& parameters, const char* window_name);

protected:
    void configure(int sps) override;
    int do_look_ahead() const override;
    training_report do_fit(const gr_complex* const* received,
                           size_t num_samples,
                           const stream_matrix& pilots,
                           int sps) override;
    void detect_block(size_t count,
                      gr_complex* const* symbols,
                      size_t skip,
                      size_t place) override;
    void do_adopt(const detector& trained) override;
    void do_set_tracking(digital::constellation_sptr constellation) override;

    //! Readout by features [neurons; window, input-major, newest first], one row an output.
    stream_matrix user_weights() const;
    //! Reservoir states for samples that are already scaled.
    stream_matrix network_states(const stream_matrix& received, int sps) const;

    pmt::pmt_t save_readout() const;
    void load_readout(const pmt::pmt_t& saved);

    const readout_parameters d_parameters;

private:
    //! Features of the block's symbol n; steps the network.
    void next_features(size_t n, std::complex<double>* features);
    Eigen::MatrixXcd
    training_features(const gr_complex* const* received, size_t num_samples, size_t rows);
    //! Inverse relative error variance of each training row; see the source.
    Eigen::VectorXd history_weights(const Eigen::MatrixXcd& windows,
                                    const Eigen::MatrixXcd& targets,
                                    int delay) const;
    //! Recursive least squares over the training, from a prior that is the ridge's penalty.
    std::unique_ptr<kernel::rls> recurse(const Eigen::MatrixXcd& features,
                                         const Eigen::MatrixXcd& targets,
                                         double regularization) const;
    //! Weights as least squares makes them, and the gain that unbiasing takes out.
    void set_weights(const Eigen::MatrixXcd& weights, const Eigen::VectorXcd& gain);
    Eigen::MatrixXcd unbiased_weights() const;
    void track_block(size_t count, gr_complex* const* symbols, size_t skip, size_t place);

    Eigen::MatrixXcd d_weights; // features x outputs
    Eigen::VectorXcd d_gain;    // of each output over the pilots

    std::unique_ptr<decision_device> d_decide; // set while tracking
    std::unique_ptr<kernel::rls> d_rls;        // ... and trained

    // scratch, so that detection does not allocate
    std::vector<gr_complex> d_state;
    std::vector<std::complex<double>> d_features, d_predicted, d_errors;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_READOUT_DETECTOR_H */
