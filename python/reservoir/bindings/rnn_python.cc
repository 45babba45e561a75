/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "described_class.h"
#include <gnuradio/reservoir/rnn.h>
#include <pybind11/stl.h>
#include <optional>

namespace py = pybind11;
using namespace gr::reservoir;

void bind_rnn(py::module& m)
{
    described_class<rnn>(m)
        .def(
            "set_weights",
            [](rnn& self,
               complex_array recurrent,
               complex_array input,
               complex_array readout,
               std::optional<complex_array> skip) {
                const bool none = !skip || skip->size() == 0;
                const rnn_weights weights{ to_rows(recurrent, "recurrent"),
                                           to_rows(input, "input"),
                                           to_rows(readout, "readout"),
                                           none ? stream_matrix()
                                                : to_rows(*skip, "skip") };
                const py::gil_scoped_release release;
                self.set_weights(weights);
            },
            py::arg("recurrent"),
            py::arg("input"),
            py::arg("readout"),
            py::arg("skip") = py::none(),
            "Weights that the following fits start from (their first restart), for "
            "samples scaled "
            "to unit power, giving symbols in the units of the pilots.\n\n"
            "recurrent: W, (num_neurons, num_neurons)\n"
            "input: U, (num_neurons, num_inputs * window * sps): input-major, newest "
            "sample first\n"
            "readout: W_out, (num_outputs, num_neurons)\n"
            "skip: D, (num_outputs, num_inputs * window * sps); None without skip\n"
            "Raises ValueError if the shapes do not fit or a weight is not finite.")
        .def("start_from",
             &rnn::start_from,
             py::arg("network"),
             py::call_guard<py::gil_scoped_release>(),
             "The following fits start from this trained esn and its readout. Needs "
             "skip=True "
             "and the same num_neurons, window, delay, activation, num_inputs and "
             "num_outputs; "
             "else raises ValueError.")
        .def("start_from_seed",
             &rnn::start_from_seed,
             py::call_guard<py::gil_scoped_release>(),
             "The following fits start from the seed again.")
        .def(
            "weights",
            [](const rnn& self) {
                rnn_weights weights;
                {
                    const py::gil_scoped_release release;
                    weights = self.weights();
                }
                return py::make_tuple(to_matrix(weights.recurrent),
                                      to_matrix(weights.input),
                                      to_matrix(weights.readout),
                                      to_matrix(weights.skip));
            },
            "(W, U, W_out, D) as trained, as set_weights takes them; before training "
            "those that a "
            "fit would start from (for one sample per symbol and pilots of unit power).");
}
