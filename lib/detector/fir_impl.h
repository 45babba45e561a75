/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DETECTOR_FIR_IMPL_H
#define INCLUDED_RESERVOIR_DETECTOR_FIR_IMPL_H

#include "detector/readout_detector.h"
#include <gnuradio/reservoir/fir.h>

namespace gr {
namespace reservoir {

class fir_impl : public fir, public readout_detector
{
public:
    fir_impl(const readout_parameters& parameters, int num_inputs, int num_outputs);
    static sptr load(const pmt::pmt_t& saved);

    std::string kind() const override { return "fir"; }
    stream_matrix taps() const override { return user_weights(); }

protected:
    detector::sptr do_clone() const override;
    pmt::pmt_t do_save() const override { return save_readout(); }
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DETECTOR_FIR_IMPL_H */
