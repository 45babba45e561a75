/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/kernel/viterbi_equalizer.h>
#include <pybind11/complex.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

void bind_viterbi_equalizer(py::module& m)
{
    m.def("viterbi_equalizer",
          &gr::reservoir::kernel::viterbi_equalizer,
          py::arg("received"),
          py::arg("num_symbols"),
          py::arg("channel"),
          py::arg("points"),
          py::arg("past"),
          py::arg("future") = std::vector<std::complex<float>>(),
          py::call_guard<py::gil_scoped_release>(),
          "Maximum-likelihood sequence estimation (Forney, 1972): indices of points.\n\n"
          "received: on-time samples of the symbols wanted, and of as many known ones "
          "after them; "
          "channel: impulse response; points: constellation; past: symbols before the "
          "first, "
          "newest first; future: known symbols after the last, in order. Raises "
          "ValueError where points to the power of taps exceed 2**20.");
}
