/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/recurrence.h"

#include "kernel/inner_loops.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace reservoir {

recurrence::modal_network::modal_network(const kernel::modal_form& form)
    : modes(form.modes),
      drive(Eigen::MatrixXcf::Zero(form.drive.rows(), form.drive.rows()),
            form.drive,
            kernel::activation::identity),
      poles(form.poles),
      driven(form.poles.size()),
      before(form.poles),
      drive_re(kernel::simd::padded(form.poles.size()) *
               kernel::tapped_delay_window::BLOCK),
      drive_im(drive_re.size())
{
}

recurrence::recurrence(const Eigen::MatrixXcf& recurrent,
                       const Eigen::MatrixXcf& input,
                       kernel::activation function)
    : d_dense(recurrent, input, function)
{
    if (function != kernel::activation::identity)
        return;
    if (const auto form = kernel::diagonalise(recurrent, input))
        d_modal.emplace(*form);
}

void recurrence::reset()
{
    d_dense.reset();
    if (d_modal)
        d_modal->poles.reset();
}

void recurrence::step(const float* input_re, const float* input_im)
{
    if (!d_modal) {
        d_dense.step(input_re, input_im);
        return;
    }
    auto& modal = *d_modal;
    modal.drive.step(input_re, input_im);
    for (size_t k = 0; k < modal.driven.size(); k++)
        modal.driven[k] = { modal.drive.state_re()[k], modal.drive.state_im()[k] };
    modal.poles.step(modal.driven.data());
}

void recurrence::copy_state(gr_complex* state) const
{
    const int n = num_neurons();
    if (d_modal) {
        Eigen::Map<Eigen::VectorXcf>(state, n) =
            d_modal->modes *
            Eigen::Map<const Eigen::VectorXcf>(d_modal->poles.state(), n);
        return;
    }
    for (int k = 0; k < n; k++)
        state[k] = { d_dense.state_re()[k], d_dense.state_im()[k] };
}

void recurrence::set_readout(const Eigen::MatrixXcf& weights)
{
    if (d_modal) {
        const Eigen::MatrixXcf readout = d_modal->modes.transpose() * weights;
        d_modal_weights.clear();
        for (const auto column : readout.colwise())
            d_modal_weights.emplace_back(
                std::vector<gr_complex>(column.begin(), column.end()));
        return;
    }
    d_out_re.assign(weights.cols(),
                    std::vector<float>(kernel::simd::padded(num_neurons()), 0.0F));
    d_out_im = d_out_re;
    for (Eigen::Index o = 0; o < weights.cols(); o++) {
        for (Eigen::Index k = 0; k < weights.rows(); k++) {
            d_out_re[o][k] = weights(k, o).real();
            d_out_im[o][k] = weights(k, o).imag();
        }
    }
}

void recurrence::run(const kernel::tapped_delay_window& window,
                     size_t count,
                     gr_complex* const* outputs)
{
    if (d_modal)
        run_modal(window, count, outputs);
    else
        d_dense.run(window, count, d_out_re, d_out_im, outputs);
}

void recurrence::run_modal(const kernel::tapped_delay_window& window,
                           size_t count,
                           gr_complex* const* outputs)
{
    const auto finite = [](gr_complex value) {
        return std::isfinite(value.real()) && std::isfinite(value.imag());
    };
    auto& modal = *d_modal;
    const size_t row = modal.drive_re.size() / kernel::tapped_delay_window::BLOCK;
    modal.drive.drive(window, count, modal.drive_re.data(), modal.drive_im.data());
    for (size_t begin = 0; begin < count;) {
        size_t end = count;
        if (d_modal_weights.size() > 1)
            modal.before = modal.poles;
        for (size_t o = 0; o < d_modal_weights.size(); o++) {
            if (o > 0)
                modal.poles = modal.before; // the states are the same for every output
            modal.poles.run(&modal.drive_re(begin * row),
                            &modal.drive_im(begin * row),
                            count - begin,
                            d_modal_weights[o],
                            outputs[o] + begin);
            end = std::find_if_not(outputs[o] + begin, outputs[o] + end, finite) -
                  outputs[o];
        }
        if (end == count)
            return;
        for (size_t o = 0; o < d_modal_weights.size(); o++)
            outputs[o][end] = 0.0F;
        modal.poles.reset();
        begin = end + 1;
    }
}

} // namespace reservoir
} // namespace gr
