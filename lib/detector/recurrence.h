/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_RECURRENCE_H
#define INCLUDED_RESERVOIR_DETECTOR_RECURRENCE_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/reservoir/kernel/dense_recurrence.h>
#include <gnuradio/reservoir/kernel/pole_bank.h>
#include <Eigen/Core>
#include <optional>
#include <vector>

namespace gr {
namespace reservoir {

/*!
 * \brief The recurrent part of an ESN with its share of the readout: dense, or as a bank of poles
 * where the network is linear and can be diagonalised. Both give the same states and outputs.
 */
class recurrence
{
public:
    recurrence(const Eigen::MatrixXcf& recurrent,
               const Eigen::MatrixXcf& input,
               kernel::activation function);

    int num_neurons() const { return d_dense.num_neurons(); }
    bool is_modal() const { return d_modal.has_value(); }
    void reset();
    //! One step; the inputs in split form.
    void step(const float* input_re, const float* input_im);
    //! The neurons' state, num_neurons values.
    void copy_state(gr_complex* state) const;
    //! weights: num_neurons × outputs.
    void set_readout(const Eigen::MatrixXcf& weights);
    /*!
     * Steps over symbols 0 … count−1 of the window and reads out each. Where an output would not
     * be finite (a linear network that was trained to be unstable, an overflow) it is zero, and
     * the network starts again from zero.
     */
    void run(const kernel::tapped_delay_window& window,
             size_t count,
             gr_complex* const* outputs);

private:
    struct modal_network {
        modal_network(const kernel::modal_form& form);
        Eigen::MatrixXcf modes;
        kernel::dense_recurrence drive; // V⁻¹ U u[n]: no recurrent part
        kernel::pole_bank poles;
        std::vector<gr_complex> driven;
        kernel::pole_bank before;          // the block, with several outputs
        Eigen::ArrayXf drive_re, drive_im; // of a block, a row per symbol
    };

    kernel::dense_recurrence d_dense;
    std::optional<modal_network> d_modal;
    void run_modal(const kernel::tapped_delay_window& window,
                   size_t count,
                   gr_complex* const* outputs);

    // an output: of the modes
    std::vector<kernel::pole_bank::padded_values> d_modal_weights;
    std::vector<std::vector<float>> d_out_re, d_out_im; // per output, padded
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_RECURRENCE_H */
