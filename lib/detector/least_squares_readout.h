/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_LEAST_SQUARES_READOUT_H
#define INCLUDED_RESERVOIR_DETECTOR_LEAST_SQUARES_READOUT_H

#include "detector/decision_device.h"
#include "detector/windowed_network.h"
#include <gnuradio/reservoir/kernel/ridge.h>
#include <gnuradio/reservoir/kernel/rls.h>
#include <gnuradio/reservoir/training_report.h>
#include <pmt/pmt.h>
#include <memory>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief The readout of a window and a fixed network, trained by least squares: what fir and esn
 * have in common.
 *
 * Not responsible for checks of arguments, locks, or what is reported beyond errors.
 */
class least_squares_readout
{
public:
    struct settings {
        int num_inputs;
        int num_outputs;
        int window;            // symbol periods
        int delay;             // −1: search
        double regularization; // negative: leave-one-out
        bool recursive;        // rows count by their age
        double forgetting;
        bool towards_delay; // what the ridge draws to, instead of zero
    };

    least_squares_readout(const settings& settings,
                          windowed_network::recurrence_maker make_recurrence = nullptr);

    int look_ahead() const;
    int look_back() const;
    uint64_t bad_samples() const { return d_network.bad_samples(); }

    //! State as if only zeros had come; the first `held_back` symbols will not come out.
    void reset(int held_back) { d_network.reset(held_back); }
    /*!
     * Ends with the state reset.
     * \param history symbol periods before received that can be read, and will be given to detect
     */
    training_report fit(const gr_complex* const* received,
                        size_t num_samples,
                        const stream_matrix& pilots,
                        int sps,
                        int history);
    size_t detect(const gr_complex* const* received,
                  size_t num_samples,
                  gr_complex* const* symbols);
    //! Weights that another was trained to have; tracking ends. Does not reset the state.
    void adopt(const least_squares_readout& trained, int sps);
    void set_tracking(const digital::constellation_sptr& constellation);

    //! Readout by features [neurons; window, input-major, newest first], one row per output.
    stream_matrix weights() const;
    //! Reservoir states for samples that are already scaled.
    stream_matrix states(const stream_matrix& received, int sps) const;

    //! A dictionary of what was trained.
    pmt::pmt_t save() const;
    //! \throws std::runtime_error if it does not fit
    void restore(const pmt::pmt_t& saved, int sps);

private:
    //! Window and network where sps is another one.
    void configure(int sps);
    //! One row per symbol, after those of the history.
    Eigen::MatrixXcd training_features(const gr_complex* const* received,
                                       size_t num_samples,
                                       size_t rows,
                                       size_t history);
    //! Inverse relative error variance of each training row; see the source.
    Eigen::VectorXd history_weights(const Eigen::MatrixXcd& windows,
                                    const Eigen::MatrixXcd& targets,
                                    const std::vector<Eigen::Index>& positions,
                                    int unknown) const;
    //! Features of the short filter that the ridge may draw the readout to.
    std::vector<Eigen::Index> around_delay(const Eigen::MatrixXcd& features,
                                           const Eigen::MatrixXcd& targets) const;
    kernel::ridge_result solve_rows(const Eigen::MatrixXcd& features,
                                    const Eigen::MatrixXcd& targets) const;
    //! Recursive least squares over the training, from a prior that is the ridge's penalty.
    std::unique_ptr<kernel::rls> recurse(const Eigen::MatrixXcd& features,
                                         const Eigen::MatrixXcd& targets,
                                         double regularization) const;
    //! Weights as least squares makes them, and the gain that unbiasing takes out.
    void set_weights(const Eigen::MatrixXcd& weights, const Eigen::VectorXcd& gain);
    Eigen::MatrixXcd unbiased_weights() const;
    void track_block(size_t count, gr_complex* const* symbols, size_t skip, size_t place);

    const settings d_settings;
    const windowed_network::recurrence_maker d_make_recurrence;
    windowed_network d_network;

    Eigen::MatrixXcd d_weights; // features x outputs
    Eigen::VectorXcd d_gain;    // of each output over the pilots

    std::unique_ptr<decision_device> d_decide; // set while tracking
    std::unique_ptr<kernel::rls> d_rls;        // ... and trained

    // scratch, so that detection does not allocate
    std::vector<std::complex<double>> d_features, d_predicted, d_errors;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_LEAST_SQUARES_READOUT_H */
