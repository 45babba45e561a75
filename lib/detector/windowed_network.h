/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_WINDOWED_NETWORK_H
#define INCLUDED_RESERVOIR_DETECTOR_WINDOWED_NETWORK_H

#include "detector/recurrence.h"
#include <gnuradio/reservoir/kernel/tapped_delay_window.h>
#include <Eigen/Core>
#include <functional>
#include <memory>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief A tapped-delay window, optionally a recurrent network driven by it, and a linear readout
 * of both: how fir, esn and rnn detect.
 *
 * Not responsible for where the weights come from.
 */
class windowed_network
{
public:
    //! Makes the recurrent part for such a window.
    typedef std::function<std::unique_ptr<recurrence>(const kernel::tapped_delay_window&)>
        recurrence_maker;
    //! Called for a block's symbols; puts those from `skip` on to symbols[o][place …].
    typedef std::function<void(
        size_t count, gr_complex* const* symbols, size_t skip, size_t place)>
        block_reader;

    //! Without a maker the window is read alone.
    windowed_network(int num_inputs,
                     int num_outputs,
                     int window,
                     recurrence_maker make_recurrence = nullptr);

    //! Makes window and recurrence where sps is another one. Returns whether it did.
    bool configure(int sps);
    //! Makes the recurrence again, from weights that have changed.
    void rebuild();
    //! State as if only zeros had come; the first `held_back` symbols will not come out.
    void reset(size_t held_back);

    kernel::tapped_delay_window& window() { return *d_window; }
    const kernel::tapped_delay_window& window() const { return *d_window; }
    int num_neurons() const { return d_recurrence ? d_recurrence->num_neurons() : 0; }
    int num_features() const { return num_neurons() + d_window->num_taps(); }
    //! Samples that were not finite, in what was detected.
    uint64_t bad_samples() const { return d_bad_samples; }

    /*!
     * Weights of the outputs by features [neurons; window, input-major, newest first],
     * one column per output; without the window's rows it is not read.
     */
    void set_output_weights(const Eigen::MatrixXcf& weights);

    //! Features of the block's symbol n, in this order; steps the network.
    void next_features(size_t n, std::complex<double>* features);
    //! What comes out by the output weights; a block_reader.
    void read_block(size_t count, gr_complex* const* symbols, size_t skip, size_t place);
    /*!
     * \brief Detects, block by block, through read.
     * \return the symbols that came out
     */
    size_t detect(const gr_complex* const* received,
                  size_t num_samples,
                  gr_complex* const* symbols,
                  const block_reader& read);
    size_t detect(const gr_complex* const* received,
                  size_t num_samples,
                  gr_complex* const* symbols);

private:
    const int d_num_inputs;
    const int d_num_outputs;
    const int d_window_length;
    const recurrence_maker d_make_recurrence;
    std::unique_ptr<kernel::tapped_delay_window> d_window;
    std::unique_ptr<recurrence> d_recurrence;
    uint64_t d_bad_samples = 0;
    size_t d_held_back = 0; // symbols still to be swallowed before symbol 0 comes out

    // The window's share of the readout: one filter per output, by branches, oldest sample first.
    std::vector<std::vector<float>> d_taps_re, d_taps_im;

    // scratch, so that detection does not allocate
    std::vector<const float*> d_branch_re, d_branch_im;
    std::vector<float> d_input_re, d_input_im;
    std::vector<gr_complex> d_state, d_filtered, d_recurrent;
    std::vector<gr_complex*> d_recurrent_rows;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_WINDOWED_NETWORK_H */
