/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "amplifiers.h"
#include <gnuradio/reservoir/power_amplifier_cc.h>

namespace py = pybind11;

void bind_power_amplifier_cc(py::module& m)
{
    using block = gr::reservoir::power_amplifier_cc;

    py::class_<block, gr::sync_block, gr::block, gr::basic_block, std::shared_ptr<block>>
        bound(
            m,
            "power_amplifier_cc",
            "Baseband model of a power amplifier that compresses.\n\n"
            "With g = 10**(-input_backoff_db/20) and the model's characteristic F the "
            "output is\n"
            "output_gain * F(g*x)/g for an input x of unit mean power. The output power "
            "is not\n"
            "normalised: see mean_output_power.");
    bind_amplifier_model<block>(bound, py::init(&block::make));
    bound
        .def("set_input_backoff_db",
             &block::set_input_backoff_db,
             py::arg("input_backoff_db"),
             "Set the input back-off in dB, -60 ... 100.")
        .def("set_output_gain",
             &block::set_output_gain,
             py::arg("output_gain"),
             "Set the amplitude factor at the output, above 0, at most 1e6.");
}
