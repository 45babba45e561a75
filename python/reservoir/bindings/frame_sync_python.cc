/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/frame_sync.h>

#include <pybind11/complex.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

namespace py = pybind11;

void bind_frame_sync(py::module& m)
{
    using block = gr::reservoir::frame_sync;

    m.def(
        "burst_preamble",
        [] {
            const auto symbols = gr::reservoir::burst_preamble();
            return py::array_t<gr_complex>(static_cast<py::ssize_t>(symbols.size()),
                                           symbols.data());
        },
        "The 124 symbols, all +1 or -1, that frame_sync looks for; complex64.");

    py::class_<block, gr::block, gr::basic_block, std::shared_ptr<block>>(
        m,
        "frame_sync",
        "Finds bursts by their preamble, takes their carrier offset out, tags the first "
        "pilot.\n\n"
        "A burst is burst_preamble(), pilots, payload, shaped with a root-raised-cosine "
        "pulse. "
        "Samples come out as they go in, except for the carrier offset. The tag's "
        "dictionary and "
        "message port 'report': cfo (cycles/sample), snr_db (Es/N0), amplitude, peak, "
        "time, frame.")
        .def(py::init(&block::make),
             py::arg("sps") = 2,
             py::arg("excess_bandwidth") = 0.25,
             py::arg("threshold") = 0.2,
             py::arg("max_frequency_offset") = 0.05,
             py::arg("sample_rate") = 1.0,
             py::arg("tag_key") = "training_start",
             "sps: samples per symbol, 2 to 16\n"
             "excess_bandwidth: of the pulse, above 0, at most 1\n"
             "threshold: on the repetition metric, above 0 and below 1\n"
             "max_frequency_offset: cycles/sample, 0 to 0.5\n"
             "sample_rate: samples per second, for the tag's time\n"
             "tag_key: of the tag, not empty\n"
             "Raises ValueError naming the parameter, its value and its range.")
        .def("frames", &block::frames, "Bursts found since the flowgraph was started.")
        .def("bad_samples", &block::bad_samples, "Samples that were not finite.");
}
