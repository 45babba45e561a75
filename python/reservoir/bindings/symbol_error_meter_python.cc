/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/symbol_error_meter.h>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

void bind_symbol_error_meter(py::module& m)
{
    using block = gr::reservoir::symbol_error_meter;
    const auto release = py::call_guard<py::gil_scoped_release>();

    py::class_<block, gr::sync_block, gr::block, gr::basic_block, std::shared_ptr<block>>(
        m,
        "symbol_error_meter",
        "Sink that counts the errors of received symbols against those a frame_source "
        "sent.\n\n"
        "The message port 'report' sends a dictionary for each counted frame.")
        .def(py::init(&block::make),
             py::arg("constellation"),
             py::arg("frame_source"),
             py::arg("warmup_frames") = 0,
             py::arg("frame_tag") = "frame_start",
             "constellation: the one that frame_source has\n"
             "frame_source: what sent the frames\n"
             "warmup_frames: frames that are not counted, at least 0\n"
             "frame_tag: key of the tag that starts a frame")
        .def("total_frames", &block::total_frames, release, "Frames counted.")
        .def("total_symbols", &block::total_symbols, release, "Payload symbols counted.")
        .def("symbol_errors", &block::symbol_errors, release, "Symbols decided wrongly.")
        .def("total_bits", &block::total_bits, release, "Payload bits counted.")
        .def("bit_errors", &block::bit_errors, release, "Bits decided wrongly.")
        .def("nonfinite_symbols",
             &block::nonfinite_symbols,
             release,
             "Counted symbols that were NaN or infinite.")
        .def("incomplete_frames",
             &block::incomplete_frames,
             release,
             "Frames cut short, not counted.")
        .def(
            "ser", &block::ser, release, "Symbol error rate; NaN before the first frame.")
        .def("ber", &block::ber, release, "Bit error rate; NaN before the first frame.")
        .def("evm_db",
             &block::evm_db,
             release,
             "Error vector magnitude in dB; NaN before the first frame.")
        .def("frame_ser",
             &block::frame_ser,
             release,
             "(symbol errors, symbols) of each counted frame.")
        .def("reset", &block::reset, release, "Forget all counts; warm-up starts again.");
}
