/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detector/fir_impl.h"

#include "detector/saved_file.h"

namespace gr {
namespace reservoir {

fir::sptr fir::make(int num_taps,
                    int delay,
                    double regularization,
                    const std::string& update,
                    double forgetting,
                    int num_inputs,
                    int num_outputs)
{
    return std::make_shared<fir_impl>(
        readout_parameters{ num_taps, delay, regularization, update, forgetting },
        num_inputs,
        num_outputs);
}

fir_impl::fir_impl(const readout_parameters& parameters, int num_inputs, int num_outputs)
    : detector(num_inputs, num_outputs), readout_detector(parameters, "num_taps")
{
}

fir::sptr fir_impl::load(const pmt::pmt_t& saved)
{
    auto loaded = std::make_shared<fir_impl>(
        readout_parameters::from_pmt(saved_entry(saved, "parameters")),
        pmt::to_long(saved_entry(saved, "num_inputs")),
        pmt::to_long(saved_entry(saved, "num_outputs")));
    loaded->load_readout(saved);
    return loaded;
}

detector::sptr fir_impl::do_clone() const { return load(do_save()); }

} // namespace reservoir
} // namespace gr
