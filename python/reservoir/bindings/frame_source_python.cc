/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/frame_source.h>

#include <pybind11/complex.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <stdexcept>

namespace py = pybind11;

namespace {

using complex_array = py::array_t<gr_complex, py::array::c_style | py::array::forcecast>;

template <class T>
py::array_t<T> to_array(const std::vector<T>& values)
{
    return py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

std::vector<gr_complex> to_vector(const complex_array& values, const char* name)
{
    if (values.ndim() != 1)
        throw std::invalid_argument(
            name + (" dimensions = " + std::to_string(values.ndim())) + ": must be 1");
    return { values.data(), values.data() + values.size() };
}

} // namespace

void bind_frame_source(py::module& m)
{
    using block = gr::reservoir::frame_source;

    m.def(
        "random_pilots",
        [](gr::digital::constellation_sptr constellation, int num_pilots, int64_t seed) {
            return to_array(
                gr::reservoir::random_pilots(constellation, num_pilots, seed));
        },
        py::arg("constellation"),
        py::arg("num_pilots"),
        py::arg("seed") = 1,
        "Random points of a constellation at unit mean power, complex64.");

    py::class_<block, gr::sync_block, gr::block, gr::basic_block, std::shared_ptr<block>>(
        m,
        "frame_source",
        "Source of frames: a preamble if wanted, known pilots, random symbols, a gap of "
        "zeros.\n\n"
        "The first pilot carries the tags frame_tag, a dictionary {frame, pilots, "
        "payload}, and\n"
        "training_tag, 1.0.")
        .def(py::init([](gr::digital::constellation_sptr constellation,
                         const complex_array& pilots,
                         int payload_len,
                         int gap,
                         int64_t num_frames,
                         int64_t seed,
                         const std::string& frame_tag,
                         const std::string& training_tag,
                         const complex_array& preamble) {
                 return block::make(constellation,
                                    to_vector(pilots, "pilots"),
                                    payload_len,
                                    gap,
                                    num_frames,
                                    seed,
                                    frame_tag,
                                    training_tag,
                                    to_vector(preamble, "preamble"));
             }),
             py::arg("constellation"),
             py::arg("pilots"),
             py::arg("payload_len") = 512,
             py::arg("gap") = 16,
             py::arg("num_frames") = 0,
             py::arg("seed") = 1,
             py::arg("frame_tag") = "frame_start",
             py::arg("training_tag") = "corr_est",
             py::arg("preamble") = complex_array(0),
             "constellation: its points are sent at unit mean power\n"
             "pilots: complex values, sent as they are\n"
             "payload_len: random symbols per frame\n"
             "gap: zeros after the payload\n"
             "num_frames: frames before the stream ends; 0: no end\n"
             "seed: of the random symbols, at least 0\n"
             "frame_tag, training_tag: keys of the tags; empty: no tag\n"
             "preamble: complex values sent before the pilots; burst_preamble() is what "
             "frame_sync looks for")
        .def(
            "payload_indices",
            [](const block& self, int64_t frame) {
                return to_array(self.payload_indices(frame));
            },
            py::arg("frame"),
            "Indices of the constellation points that a frame carries.")
        .def(
            "pilots",
            [](const block& self) { return to_array(self.pilots()); },
            "The pilots of each frame.")
        .def(
            "points",
            [](const block& self) { return to_array(self.points()); },
            "The constellation's points at unit mean power.")
        .def(
            "preamble",
            [](const block& self) { return to_array(self.preamble()); },
            "The symbols before the pilots.")
        .def("payload_length", &block::payload_length, "Symbols of a frame's payload.")
        .def("frame_length", &block::frame_length, "Samples of a frame with its gap.")
        .def("reset", &block::reset, "Start again at the first sample of frame 0.");
}
