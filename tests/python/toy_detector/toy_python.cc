/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "described_class.h"
#include <gnuradio/reservoir/toy.h>

namespace py = pybind11;
using namespace gr::reservoir;

void bind_toy(py::module& m)
{
    described_class<toy>(m).def("gain", &toy::gain, "The gain, 1 before training.");
}
