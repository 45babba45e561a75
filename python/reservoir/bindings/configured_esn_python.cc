/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "described_class.h"
#include <gnuradio/reservoir/configured_esn.h>
#include <pybind11/stl.h>

namespace py = pybind11;
using namespace gr::reservoir;

void bind_configured_esn(py::module& m)
{
    described_class<configured_esn>(m)
        .def(
            "points",
            [](const configured_esn& self) {
                const auto points = self.points();
                return complex_array(points.size(), points.data());
            },
            "Points of the constellation, as given.")
        .def("labels", &configured_esn::labels, "Labels of the points.")
        .def(
            "filter",
            [](const configured_esn& self) { return to_matrix(self.filter()); },
            "The FIR filter that the trained network is, for samples of unit power: one "
            "row per "
            "antenna and sampling phase, oldest sample first. Empty before training.")
        .def("filter_start",
             &configured_esn::filter_start,
             "Symbols before symbol n where its filter begins.")
        .def(
            "feedback_weights",
            [](const configured_esn& self) {
                const auto weights = self.feedback_weights();
                return complex_array(weights.size(), weights.data());
            },
            "Weights of the last decisions, newest first.");
}
