/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/fir.h>

#include "detector/least_squares_readout.h"
#include <gnuradio/reservoir/detector_kind.h>

namespace gr {
namespace reservoir {

fir::sptr fir::make(int num_taps,
                    int delay,
                    double regularization,
                    const std::string& update,
                    double forgetting,
                    int num_inputs,
                    int num_outputs,
                    const std::string& prior)
{
    return std::make_shared<fir>(fir_parameters{ num_taps,
                                                 delay,
                                                 regularization,
                                                 update,
                                                 forgetting,
                                                 num_inputs,
                                                 num_outputs,
                                                 prior });
}

fir::fir(const fir_parameters& p) : described(p)
{
    d_readout = std::make_unique<least_squares_readout>(
        least_squares_readout::settings{ p.num_inputs,
                                         p.num_outputs,
                                         p.num_taps,
                                         p.delay,
                                         p.regularization,
                                         p.update == "rls",
                                         p.forgetting,
                                         p.prior == "delay" });
}

detector_kind describe_fir() { return describe_kind<fir>(); }

} // namespace reservoir
} // namespace gr
