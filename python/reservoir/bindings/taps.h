/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_BINDINGS_TAPS_H
#define INCLUDED_RESERVOIR_BINDINGS_TAPS_H

#include "arrays.h"
#include <gnuradio/reservoir/kernel/fading.h>

#include <pybind11/complex.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <stdexcept>
#include <string>
#include <vector>

//! [output][input][tap]
typedef gr::reservoir::kernel::fading::taps_t impulse_responses;

//! None or an empty array: no taps.
inline impulse_responses to_taps(const pybind11::object& object)
{
    impulse_responses taps;
    if (object.is_none())
        return taps;
    const auto values = complex_array::ensure(object);
    if (!values) {
        PyErr_Clear();
        throw std::invalid_argument("taps: must be an array of complex numbers");
    }
    if (values.size() == 0)
        return taps;
    if (values.ndim() != 1 && values.ndim() != 3)
        throw std::invalid_argument("taps dimensions = " + std::to_string(values.ndim()) +
                                    ": must be 1 (L,) or 3 (num_rx, num_tx, L)");
    const pybind11::ssize_t num_taps = values.shape(values.ndim() - 1);
    const pybind11::ssize_t num_rx = values.ndim() == 3 ? values.shape(0) : 1;
    const pybind11::ssize_t num_tx = values.ndim() == 3 ? values.shape(1) : 1;
    const gr_complex* first = values.data();
    taps.resize(num_rx);
    for (auto& output : taps)
        for (pybind11::ssize_t t = 0; t < num_tx; ++t, first += num_taps)
            output.emplace_back(first, first + num_taps);
    return taps;
}

inline complex_array from_taps(const impulse_responses& taps)
{
    if (taps.empty())
        return complex_array(std::vector<pybind11::ssize_t>{ 0, 0, 0 });
    complex_array values(std::vector<pybind11::ssize_t>{
        static_cast<pybind11::ssize_t>(taps.size()),
        static_cast<pybind11::ssize_t>(taps[0].size()),
        static_cast<pybind11::ssize_t>(taps[0][0].size()) });
    gr_complex* next = values.mutable_data();
    for (const auto& output : taps)
        for (const auto& response : output)
            next = std::copy(response.begin(), response.end(), next);
    return values;
}

/*!
 * What the block and the kernel let a user set and see of the channel. Own: the types of the
 * arguments that only one of them has, before frame_len; `own` are their names and defaults.
 */
template <class Channel, class... Own, class Bound, class Make, class... Argument>
void bind_channel(Bound& bound,
                  Make make,
                  const std::string& frames,
                  const Argument&... own)
{
    namespace py = pybind11;
    const std::string parameters =
        "power_delay_profile: mean powers of 1 ... 1024 taps, scaled to sum 1; or\n"
        "taps: fixed taps, complex64 (L,) or (num_rx, num_tx, L)\n"
        "num_tx, num_rx: inputs and outputs, 1 ... 16\n" +
        frames +
        "doppler: largest Doppler frequency in cycles/sample, 0 ... 0.5; of a Gaussian "
        "spectrum "
        "twice its standard deviation\n"
        "seed: of the taps, at least 0\n"
        "normalize: scale each drawn impulse response to unit energy\n"
        "frequency_offset: carrier offset in cycles/sample, -0.5 ... 0.5\n"
        "doppler_spectrum: 'clarke', waves from all sides, or 'gaussian', paths of an "
        "ionosphere\n"
        "path_delays: in samples, 0 ... 1000, one for each power; all then comes 8 "
        "samples "
        "later;\n"
        "empty: tap l comes l samples late";
    bound
        .def(py::init([make](const std::vector<double>& power_delay_profile,
                             const py::object& taps,
                             int num_tx,
                             int num_rx,
                             const Own&... own_values,
                             int64_t frame_len,
                             double doppler,
                             int64_t seed,
                             bool normalize,
                             double frequency_offset,
                             const std::string& doppler_spectrum,
                             const std::vector<double>& path_delays) {
                 return make(power_delay_profile,
                             to_taps(taps),
                             num_tx,
                             num_rx,
                             own_values...,
                             frame_len,
                             doppler,
                             seed,
                             normalize,
                             frequency_offset,
                             doppler_spectrum,
                             path_delays);
             }),
             py::arg("power_delay_profile") = std::vector<double>(),
             py::arg("taps") = py::none(),
             py::arg("num_tx") = 1,
             py::arg("num_rx") = 1,
             own...,
             py::arg("frame_len") = 0,
             py::arg("doppler") = 0.0,
             py::arg("seed") = 1,
             py::arg("normalize") = true,
             py::arg("frequency_offset") = 0.0,
             py::arg("doppler_spectrum") = "clarke",
             py::arg("path_delays") = std::vector<double>(),
             parameters.c_str())
        .def(
            "set_taps",
            [](Channel& self, const py::object& taps) { self.set_taps(to_taps(taps)); },
            py::arg("taps"),
            "Fix the taps from now on, (L,) or (num_rx, num_tx, L).")
        .def("set_power_delay_profile",
             &Channel::set_power_delay_profile,
             py::arg("power_delay_profile"),
             "Draw taps of this profile from the next frame on.")
        .def("set_frequency_offset",
             &Channel::set_frequency_offset,
             py::arg("frequency_offset"),
             "Set the carrier offset in cycles/sample, -0.5 ... 0.5; the phase goes on.")
        .def(
            "taps",
            [](Channel& self) { return from_taps(self.taps()); },
            "The taps at the first sample of the present frame, complex64 (num_rx, "
            "num_tx, L).");
}

#endif /* INCLUDED_RESERVOIR_BINDINGS_TAPS_H */
