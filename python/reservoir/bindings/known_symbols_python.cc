/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "arrays.h"
#include <gnuradio/reservoir/known_symbols.h>
#include <pybind11/stl.h>
#include <limits>
#include <optional>

namespace py = pybind11;
using namespace gr::reservoir;

namespace {

const gr_complex UNKNOWN(std::numeric_limits<float>::quiet_NaN(), 0.0F);

std::vector<int> positions_of(const std::vector<bool>& mask)
{
    std::vector<int> positions;
    for (size_t k = 0; k < mask.size(); k++)
        if (mask[k])
            positions.push_back(k);
    return positions;
}

known_symbols make(const complex_array& values,
                   const std::optional<std::vector<int>>& positions,
                   const std::optional<std::vector<bool>>& mask,
                   int period)
{
    stream_matrix rows = to_rows(values, "values");
    if (positions && mask)
        throw py::value_error("positions and mask: must not both be given");
    if (positions || mask)
        rows = known_symbols(positions ? *positions : positions_of(*mask), rows).values();
    const int length = rows.empty() ? 0 : rows[0].size();
    if (period != 0 && (period < length || period > 1 << 24))
        throw py::value_error("period = " + std::to_string(period) +
                              ": must be 0, or the pattern's " + std::to_string(length) +
                              " symbols at least and 2^24 at most");
    for (auto& row : rows)
        row.resize(std::max(period, length), UNKNOWN);
    return known_symbols(rows, period != 0);
}

} // namespace

void bind_known_symbols(py::module& m)
{
    py::class_<known_symbols>(m,
                              "known_symbols",
                              "Which symbols of a burst are known, and what they are: a "
                              "prefix, a midamble, blocks "
                              "that come back.\n\n"
                              "Symbols are counted from the first of the burst. All "
                              "streams know the same ones.")
        .def(
            py::init(&make),
            py::arg("values"),
            py::arg("positions") = py::none(),
            py::arg("mask") = py::none(),
            py::arg("period") = 0,
            "values: (N,) or (streams, N), NaN where a symbol is not known; with "
            "positions "
            "or mask one value for each known symbol\n"
            "positions: of the known symbols, ascending from 0 on\n"
            "mask: a bool for each symbol, True where it is known\n"
            "period: symbols after which the pattern begins again, until the burst ends; "
            "0: it does not\n"
            "Raises ValueError naming the parameter, its value and its range.")
        .def(
            "values",
            [](const known_symbols& self) { return to_array(self.values()); },
            "The pattern, NaN where a symbol is not known.")
        .def("periodic", &known_symbols::periodic, "Whether the pattern comes back.")
        .def("__len__", &known_symbols::size)
        .def("num_known", &known_symbols::num_known, "Known symbols of the pattern.")
        .def(
            "length",
            [](const known_symbols& self, int64_t payload_len) {
                return self.length(to_count(payload_len, "payload_len"));
            },
            py::arg("payload_len"),
            "Symbols of a burst of which payload_len are not known.")
        .def(
            "training",
            [](const known_symbols& self, int64_t length) {
                return to_array(self.training(to_count(length, "length")));
            },
            py::arg("length"),
            "What is known of a burst of this length, up to its last known symbol.");
}
