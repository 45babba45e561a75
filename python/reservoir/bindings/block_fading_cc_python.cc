/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "taps.h"
#include <gnuradio/reservoir/block_fading_cc.h>

#include <pybind11/complex.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

void bind_block_fading_cc(py::module& m)
{
    using block = gr::reservoir::block_fading_cc;

    py::class_<block, gr::sync_block, gr::block, gr::basic_block, std::shared_ptr<block>>
        bound(
            m,
            "block_fading_cc",
            "A matrix of tapped delay lines with new random taps for each frame.\n\n"
            "A frame starts at sample 0 and at each tag redraw_tag on input 0, or every "
            "frame_len\n"
            "samples where that is above 0. Its first sample on output 0 carries a tag "
            "'channel'\n"
            "with the taps.");
    bound.def(py::init([](const std::vector<double>& power_delay_profile,
                          const py::object& taps,
                          int num_tx,
                          int num_rx,
                          const std::string& redraw_tag,
                          int64_t frame_len,
                          double doppler,
                          int64_t seed,
                          bool normalize,
                          double frequency_offset) {
                  return block::make(power_delay_profile,
                                     to_taps(taps),
                                     num_tx,
                                     num_rx,
                                     redraw_tag,
                                     frame_len,
                                     doppler,
                                     seed,
                                     normalize,
                                     frequency_offset);
              }),
              py::arg("power_delay_profile") = std::vector<double>(),
              py::arg("taps") = py::none(),
              py::arg("num_tx") = 1,
              py::arg("num_rx") = 1,
              py::arg("redraw_tag") = "frame_start",
              py::arg("frame_len") = 0,
              py::arg("doppler") = 0.0,
              py::arg("seed") = 1,
              py::arg("normalize") = true,
              py::arg("frequency_offset") = 0.0,
              "power_delay_profile: mean powers of the taps; or\n"
              "taps: fixed taps, (L,) or (num_rx, num_tx, L)\n"
              "num_tx, num_rx: inputs and outputs, 1 ... 16\n"
              "redraw_tag: key of the tag that starts a frame; empty: no tag does\n"
              "frame_len: samples per frame; 0: frames start at tags\n"
              "doppler: largest Doppler frequency in cycles/sample, 0 ... 0.5\n"
              "seed: of the taps, at least 0\n"
              "normalize: scale each drawn impulse response to unit energy\n"
              "frequency_offset: carrier offset in cycles/sample, -0.5 ... 0.5");
    bind_channel<block>(bound);
}
