/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/frame_gate.h>

#include <pybind11/pybind11.h>

namespace py = pybind11;

void bind_frame_gate(py::module& m)
{
    using block = gr::reservoir::frame_gate;

    py::class_<block, gr::hier_block2, gr::basic_block, std::shared_ptr<block>>(
        m,
        "frame_gate",
        "Between a front end that cannot wait and a receiver that may be slower.\n\n"
        "Lets whole frames pass: frame_len samples from each training tag on, which may "
        "overlap. Samples between frames are left out. Frames wait in a queue of "
        "max_frames. When it is full, either the newest frame is dropped and counted, so "
        "that the input never waits (drop=True, for radios), or the input waits "
        "(drop=False, for files). The tag is passed on, on the first sample of its "
        "frame; other tags are not. A last frame that the end of the stream cuts short "
        "is filled up with zeros. A frame that a radio's overrun cuts (a tag rx_time "
        "behind its first sample) is left out and counted.")
        .def(py::init(&block::make),
             py::arg("frame_len"),
             py::arg("training_tag") = "training_start",
             py::arg("max_frames") = 32,
             py::arg("drop") = true,
             "frame_len: samples, 1 to 2**22; an equalizer needs (pilots + payload_len + "
             "48) * "
             "sps\n"
             "training_tag: key of the tag on the first pilot, not empty\n"
             "max_frames: frames that may wait, 1 to 65536\n"
             "drop: drop frames instead of making the input wait")
        .def("passed", &block::passed, "Frames let in.")
        .def("dropped", &block::dropped, "Frames dropped.")
        .def("truncated", &block::truncated, "Frames cut by an overrun.");
}
