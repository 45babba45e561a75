/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_BINDINGS_AMPLIFIERS_H
#define INCLUDED_RESERVOIR_BINDINGS_AMPLIFIERS_H

#include <gnuradio/gr_complex.h>

#include <pybind11/complex.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <vector>

//! What the block and the kernel let a user set and see of an amplifier.
template <class Amplifier, class Bound, class Init>
void bind_amplifier_model(Bound& bound, Init init)
{
    namespace py = pybind11;
    bound
        .def(std::move(init),
             py::arg("model") = "rapp",
             py::arg("input_backoff_db") = 3.0,
             py::arg("smoothness") = 2.0,
             py::arg("saleh") = std::vector<double>{ 2.1587, 1.1517, 4.0033, 9.1040 },
             py::arg("coefficients") = Amplifier::default_coefficients(),
             py::arg("output_gain") = 1.0,
             "model: 'rapp' (Rapp 1991), 'saleh' (Saleh 1981), 'memory_polynomial' or "
             "'linear'\n"
             "input_backoff_db: in dB, -60 ... 100\n"
             "smoothness: Rapp's p, 0.1 ... 100\n"
             "saleh: [alpha_a, beta_a, alpha_phi, beta_phi]\n"
             "coefficients: complex, a row for each odd order 1, 3, 5, ... (1 ... 8), a "
             "column for\n"
             "each memory tap (1 ... 64)\n"
             "output_gain: amplitude factor at the output, above 0, at most 1e6")
        .def_static("default_coefficients",
                    &Amplifier::default_coefficients,
                    "A mild polynomial of order 5 with 3 memory taps.")
        .def("mean_output_power",
             &Amplifier::mean_output_power,
             py::arg("input_backoff_db"),
             py::arg("points") = std::vector<gr_complex>(),
             "Mean output power for independent inputs of unit mean power, for "
             "output_gain = 1.\n"
             "points: the input's equiprobable values; none: a circular Gaussian input.")
        .def("set_operating_point",
             &Amplifier::set_operating_point,
             py::arg("input_backoff_db"),
             py::arg("output_gain"),
             "Set back-off (dB, -60 ... 100) and output gain (above 0, at most 1e6) "
             "between the same two samples.")
        .def("model", &Amplifier::model, "The model's name.")
        .def(
            "input_backoff_db", &Amplifier::input_backoff_db, "The input back-off in dB.")
        .def("output_gain",
             &Amplifier::output_gain,
             "The amplitude factor at the output.");
}

#endif /* INCLUDED_RESERVOIR_BINDINGS_AMPLIFIERS_H */
