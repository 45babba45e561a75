/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/phase_loop_cc.h>

#include <pybind11/pybind11.h>

namespace py = pybind11;

void bind_phase_loop_cc(py::module& m)
{
    using block = gr::reservoir::phase_loop_cc;
    const auto release = py::call_guard<py::gil_scoped_release>();

    py::class_<block, gr::sync_block, gr::block, gr::basic_block, std::shared_ptr<block>>(
        m,
        "phase_loop_cc",
        "Turns an equalizer's symbols back by the phase that their decisions show.\n\n"
        "A second-order decision-directed loop that starts again at each frame's tag; "
        "for fir, esn and rnn. The configured ESN has a loop of its own.")
        .def(py::init(&block::make),
             py::arg("constellation"),
             py::arg("loop_bandwidth") = 0.01,
             py::arg("training_tag") = "training_start",
             "constellation: what is decided, at unit mean power\n"
             "loop_bandwidth: in rad/symbol, 0 to 0.5; 0: symbols pass as they are\n"
             "training_tag: key of the tag on a frame's first symbol; empty: no "
             "restart")
        .def("set_loop_bandwidth",
             &block::set_loop_bandwidth,
             py::arg("loop_bandwidth"),
             release,
             "From the next symbol on; 0 to 0.5.")
        .def("phase", &block::phase, release, "Of the last symbol, in rad.")
        .def("frequency", &block::frequency, release, "In rad/symbol, -0.1 to 0.1.");
}
