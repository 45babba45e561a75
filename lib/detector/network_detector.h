/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_NETWORK_DETECTOR_H
#define INCLUDED_RESERVOIR_DETECTOR_NETWORK_DETECTOR_H

#include "detector/recurrence.h"
#include <gnuradio/reservoir/detector.h>
#include <gnuradio/reservoir/kernel/tapped_delay_window.h>
#include <memory>

namespace gr {
namespace reservoir {

/*!
 * \brief A tapped-delay window, optionally a network driven by it, and a linear readout of both:
 * how fir, esn and rnn detect, whatever they have learnt from.
 */
class network_detector : public virtual detector
{
public:
    explicit network_detector(int window);

protected:
    //! The network for windows of that many taps; none by default.
    virtual std::unique_ptr<recurrence> make_network(int sps, int num_taps) const;
    //! Makes window and network where sps is another one.
    virtual void configure(int sps);
    //! Makes the network anew.
    void rebuild_network();
    //! What comes out for the block's symbols, from `skip` on, to symbols[o][place …].
    virtual void
    detect_block(size_t count, gr_complex* const* symbols, size_t skip, size_t place);

    uint64_t do_bad_samples() const override { return d_bad_samples; }
    size_t do_detect(const gr_complex* const* received,
                     size_t num_samples,
                     gr_complex* const* symbols) override;
    void do_reset() override;

    int num_neurons() const { return d_network ? d_network->num_neurons() : 0; }
    //! Steps the network to the block's symbol n; its input are that symbol's taps.
    void step_network(size_t n);
    /*!
     * Weights of the detector's output by features [neurons; window, input-major, newest first],
     * one column an output; without the window's rows it is not read.
     */
    void set_output_weights(const Eigen::MatrixXcf& weights);

    std::unique_ptr<kernel::tapped_delay_window> d_window;
    std::unique_ptr<recurrence> d_network;
    uint64_t d_bad_samples = 0; // in what was detected

private:
    const int d_window_length;
    size_t d_held_back = 0; // symbols still to be swallowed before symbol 0 comes out

    // The window's share of the readout: one filter an output, by branches, oldest sample first.
    std::vector<std::vector<float>> d_taps_re, d_taps_im;

    // scratch, so that detection does not allocate
    std::vector<const float*> d_branch_re, d_branch_im;
    std::vector<float> d_input_re, d_input_im;
    std::vector<gr_complex> d_filtered, d_recurrent;
    std::vector<gr_complex*> d_recurrent_rows;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_NETWORK_DETECTOR_H */
