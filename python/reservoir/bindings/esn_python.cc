/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "described_class.h"
#include <gnuradio/reservoir/esn.h>

namespace py = pybind11;
using namespace gr::reservoir;

void bind_esn(py::module& m)
{
    described_class<esn>(m)
        .def("activation", &esn::activation, "The activation's name.")
        .def(
            "recurrent_weights",
            [](const esn& self) { return to_matrix(self.recurrent_weights()); },
            "W, (num_neurons, num_neurons).")
        .def(
            "input_weights",
            [](const esn& self, int sps) { return to_matrix(self.input_weights(sps)); },
            py::arg("sps") = 1,
            "U, (num_neurons, num_inputs * window * sps): input-major, newest sample "
            "first.")
        .def(
            "readout",
            [](const esn& self) { return to_matrix(self.readout()); },
            "Trained readout, one row per output: [neurons; window]. Empty before "
            "training.")
        .def(
            "states",
            [](const esn& self, complex_array received, int sps) {
                return to_matrix(self.states(to_rows(received, "received"), sps));
            },
            py::arg("received"),
            py::arg("sps") = 1,
            "States (num_neurons, symbols) for samples that are already scaled, from "
            "zero on.");
}
