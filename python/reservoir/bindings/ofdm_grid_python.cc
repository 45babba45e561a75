/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "carriers.h"
#include <pybind11/stl.h>
#include <numeric>
#include <variant>

namespace py = pybind11;
using namespace gr::reservoir;

namespace {

typedef std::variant<int, std::vector<int>> one_or_more;
// [set][k], the same for every stream, or [stream][set][k]
typedef std::variant<stream_matrix, ofdm_grid::pilot_sets> sets;

std::vector<int> to_list(const one_or_more& given)
{
    if (const int* one = std::get_if<int>(&given))
        return { *one };
    return std::get<std::vector<int>>(given);
}

ofdm_grid::pilot_sets to_sets(const sets& given)
{
    if (const stream_matrix* one = std::get_if<stream_matrix>(&given))
        return one->empty() ? ofdm_grid::pilot_sets{} : ofdm_grid::pilot_sets{ *one };
    return std::get<ofdm_grid::pilot_sets>(given);
}

} // namespace

void bind_ofdm_grid(py::module& m)
{
    py::class_<ofdm_grid>(
        m,
        "ofdm_grid",
        "Where an OFDM frame has pilots, data and nothing, as "
        "digital.ofdm_carrier_allocator_cvc lays it out.\n\n"
        "A frame is sync words, known as a whole, and then symbols with pilots and data. "
        "Symbol n after the sync words has set n + symbols_skipped of the occupied "
        "carriers, of the pilot carriers and of the pilot symbols, each taken from its "
        "list in turns. Carriers that are not in them are zero. A pilot symbol of zero "
        "is "
        "known as well: so an antenna is silent while another one sends its pilot.")
        .def(
            py::init([](int fft_len,
                        const one_or_more& cp_len,
                        int num_tx,
                        const ofdm_grid::carrier_sets& occupied_carriers,
                        const ofdm_grid::carrier_sets& pilot_carriers,
                        const sets& pilot_symbols,
                        const sets& sync_words,
                        int symbols_skipped,
                        bool shifted) {
                return ofdm_grid(fft_len,
                                 to_list(cp_len),
                                 num_tx,
                                 occupied_carriers,
                                 pilot_carriers,
                                 to_sets(pilot_symbols),
                                 to_sets(sync_words),
                                 symbols_skipped,
                                 shifted);
            }),
            py::arg("fft_len"),
            py::arg("cp_len"),
            py::arg("num_tx") = 1,
            py::kw_only(),
            py::arg("occupied_carriers"),
            py::arg("pilot_carriers") = ofdm_grid::carrier_sets{},
            py::arg("pilot_symbols") = stream_matrix{},
            py::arg("sync_words") = stream_matrix{},
            py::arg("symbols_skipped") = 0,
            py::arg("shifted") = true,
            "fft_len: carriers, 2 to 65536\n"
            "cp_len: samples of the cyclic prefix, 0 to fft_len; a list is taken in "
            "turns\n"
            "num_tx: streams, 1 to 8\n"
            "occupied_carriers: lists of those with data, counted from DC, -1 is the one "
            "below\n"
            "pilot_carriers: lists of those with pilots\n"
            "pilot_symbols: [set][k] for all streams, or [stream][set][k]\n"
            "sync_words: [word][carrier] for all streams, or [stream][word][carrier], "
            "fft_len values each\n"
            "symbols_skipped: of the sets, before the first symbol\n"
            "shifted: vectors of carriers have DC in their middle, as GNU Radio's OFDM "
            "blocks have them by default; False: first\n"
            "Raises ValueError naming the parameter, its value and what is allowed.")
        .def("fft_len", &ofdm_grid::fft_len, "Carriers.")
        .def("cp_len", &ofdm_grid::cp_len, "Samples of the symbols' prefixes, in turns.")
        .def("num_tx", &ofdm_grid::num_tx, "Streams.")
        .def("num_sync_words", &ofdm_grid::num_sync_words, "Symbols in front.")
        .def(
            "known",
            [](const ofdm_grid& self, int num_symbols) {
                const known_carriers known = self.known(num_symbols);
                std::vector<int> all(num_symbols);
                std::iota(all.begin(), all.end(), 0);
                const auto mask = to_carriers(known.known, all, self.fft_len(), &self);
                return py::make_tuple(
                    to_carriers(known.values, all, self.fft_len(), &self),
                    py::array(mask).attr("astype")("bool"));
            },
            py::arg("num_symbols"),
            "known(num_symbols) -> (values, mask)\n\nOf the frame's first symbols, sync "
            "words among them: complex64 and bool, (num_tx, num_symbols, fft_len). Where "
            "the mask is False the value is zero and not known.");
}
