/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/power_amplifier_cc.h>

#include <pybind11/complex.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

void bind_power_amplifier_cc(py::module& m)
{
    using block = gr::reservoir::power_amplifier_cc;

    py::class_<block, gr::sync_block, gr::block, gr::basic_block, std::shared_ptr<block>>(
        m,
        "power_amplifier_cc",
        "Baseband model of a power amplifier that compresses.\n\n"
        "With g = 10**(-input_backoff_db/20) and the model's characteristic F the output "
        "is\n"
        "output_gain * F(g*x)/g for an input x of unit mean power. The output power is "
        "not\n"
        "normalised: see mean_output_power.")
        .def(py::init(&block::make),
             py::arg("model") = "rapp",
             py::arg("input_backoff_db") = 3.0,
             py::arg("smoothness") = 2.0,
             py::arg("saleh") = std::vector<double>{ 2.1587, 1.1517, 4.0033, 9.1040 },
             py::arg("coefficients") = block::default_coefficients(),
             py::arg("output_gain") = 1.0,
             "model: 'rapp' (Rapp 1991), 'saleh' (Saleh 1981), 'memory_polynomial' or "
             "'linear'\n"
             "input_backoff_db: -60 ... 100\n"
             "smoothness: Rapp's p, 0.1 ... 100\n"
             "saleh: [alpha_a, beta_a, alpha_phi, beta_phi]\n"
             "coefficients: one row for each odd order 1, 3, 5, ..., one column for each "
             "memory tap\n"
             "output_gain: amplitude factor at the output, above 0, at most 1e6")
        .def_static("default_coefficients",
                    &block::default_coefficients,
                    "A mild polynomial of order 5 with 3 memory taps.")
        .def("mean_output_power",
             &block::mean_output_power,
             py::arg("input_backoff_db"),
             py::arg("points") = std::vector<gr_complex>(),
             "Mean output power for independent inputs of unit mean power, for "
             "output_gain = 1.\n"
             "points: the input's equiprobable values; none: a circular Gaussian input.")
        .def("set_input_backoff_db",
             &block::set_input_backoff_db,
             py::arg("input_backoff_db"),
             "Set the input back-off in dB, -60 ... 100.")
        .def("set_output_gain",
             &block::set_output_gain,
             py::arg("output_gain"),
             "Set the amplitude factor at the output, above 0, at most 1e6.")
        .def("set_operating_point",
             &block::set_operating_point,
             py::arg("input_backoff_db"),
             py::arg("output_gain"),
             "Set back-off and output gain between the same two samples.")
        .def("model", &block::model, "The model's name.")
        .def("input_backoff_db", &block::input_backoff_db, "The input back-off in dB.")
        .def("output_gain", &block::output_gain, "The amplitude factor at the output.");
}
