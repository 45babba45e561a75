/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "arrays.h"
#include <gnuradio/reservoir/kernel/viterbi_equalizer.h>
#include <pybind11/complex.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

void bind_viterbi_equalizer(py::module& m)
{
    typedef std::vector<gr_complex> symbols;
    m.def(
        "viterbi_equalizer",
        [](const symbols& received,
           int64_t num_symbols,
           const symbols& channel,
           const symbols& points,
           const symbols& past,
           const symbols& future) {
            return gr::reservoir::kernel::viterbi_equalizer(
                received,
                to_count(num_symbols, "num_symbols"),
                channel,
                points,
                past,
                future);
        },
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
