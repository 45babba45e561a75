/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/block_fading_cc.h>

#include <pybind11/complex.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <stdexcept>

namespace py = pybind11;

namespace {

using block = gr::reservoir::block_fading_cc;
using array = py::array_t<gr_complex, py::array::c_style | py::array::forcecast>;

//! None or an empty array: no taps.
block::taps_t to_taps(const py::object& object)
{
    block::taps_t taps;
    if (object.is_none())
        return taps;
    const auto values = array::ensure(object);
    if (!values) {
        PyErr_Clear();
        throw std::invalid_argument("taps: must be an array of complex numbers");
    }
    if (values.size() == 0)
        return taps;
    if (values.ndim() != 1 && values.ndim() != 3)
        throw std::invalid_argument("taps dimensions = " + std::to_string(values.ndim()) +
                                    ": must be 1 (L,) or 3 (num_rx, num_tx, L)");
    const py::ssize_t num_taps = values.shape(values.ndim() - 1);
    const py::ssize_t num_rx = values.ndim() == 3 ? values.shape(0) : 1;
    const py::ssize_t num_tx = values.ndim() == 3 ? values.shape(1) : 1;
    const gr_complex* first = values.data();
    taps.resize(num_rx);
    for (auto& output : taps)
        for (py::ssize_t t = 0; t < num_tx; ++t, first += num_taps)
            output.emplace_back(first, first + num_taps);
    return taps;
}

array to_array(const block::taps_t& taps)
{
    if (taps.empty())
        return array(std::vector<py::ssize_t>{ 0, 0, 0 });
    array values(std::vector<py::ssize_t>{ static_cast<py::ssize_t>(taps.size()),
                                           static_cast<py::ssize_t>(taps[0].size()),
                                           static_cast<py::ssize_t>(taps[0][0].size()) });
    gr_complex* next = values.mutable_data();
    for (const auto& output : taps)
        for (const auto& response : output)
            next = std::copy(response.begin(), response.end(), next);
    return values;
}

} // namespace

void bind_block_fading_cc(py::module& m)
{
    py::class_<block, gr::sync_block, gr::block, gr::basic_block, std::shared_ptr<block>>(
        m,
        "block_fading_cc",
        "A matrix of tapped delay lines with new random taps for each frame.\n\n"
        "A frame starts at sample 0 and at each tag redraw_tag on input 0, or every "
        "frame_len\n"
        "samples where that is above 0. Its first sample on output 0 carries a tag "
        "'channel'\n"
        "with the taps.")
        .def(py::init([](const std::vector<double>& power_delay_profile,
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
             "frequency_offset: carrier offset in cycles/sample, -0.5 ... 0.5")
        .def(
            "set_taps",
            [](block& self, const py::object& taps) { self.set_taps(to_taps(taps)); },
            py::arg("taps"),
            "Fix the taps from now on, (L,) or (num_rx, num_tx, L).")
        .def("set_power_delay_profile",
             &block::set_power_delay_profile,
             py::arg("power_delay_profile"),
             "Draw taps of this profile from the next frame on.")
        .def("set_frequency_offset",
             &block::set_frequency_offset,
             py::arg("frequency_offset"),
             "Set the carrier offset in cycles/sample, -0.5 ... 0.5; the phase goes on.")
        .def(
            "taps",
            [](block& self) { return to_array(self.taps()); },
            "The taps at the first sample of the current frame, (num_rx, num_tx, L).");
}
