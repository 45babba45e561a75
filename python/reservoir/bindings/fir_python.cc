/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "described_class.h"
#include <gnuradio/reservoir/fir.h>

namespace py = pybind11;
using namespace gr::reservoir;

void bind_fir(py::module& m)
{
    described_class<fir>(m).def(
        "taps",
        [](const fir& self) { return to_matrix(self.taps()); },
        "Trained taps for samples of unit power, one row per output: input-major, "
        "newest "
        "sample first. Empty before training.");
}
