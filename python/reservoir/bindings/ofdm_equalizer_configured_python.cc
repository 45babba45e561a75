/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/reservoir/ofdm_equalizer_configured.h>
#include <pybind11/complex.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;
using namespace gr::reservoir;

void bind_ofdm_equalizer_configured(py::module& m)
{
    typedef ofdm_equalizer_configured equalizer;
    py::class_<equalizer, gr::digital::ofdm_equalizer_1d_pilots, equalizer::sptr>(
        m,
        "ofdm_equalizer_configured",
        "Equalizer for digital.ofdm_frame_equalizer_vcvc, in place of "
        "digital.ofdm_equalizer_simpledfe.\n\n"
        "The channel is a few taps in time and not one number per carrier, so that all "
        "carriers tell about each. Where they begin and how many there are is found from "
        "the initial taps (Bayesian information criterion). Each symbol's common phase "
        "comes from its pilots or from the symbol before, then from decisions; the taps "
        "follow pilots and decisions with the memory that predicts best.\n\n"
        "Symbols come out soft, in the constellation's units; pilots as they are known. "
        "Hand base() to the block.")
        .def(
            py::init([](int fft_len,
                        const equalizer::carrier_sets& occupied_carriers,
                        const equalizer::carrier_sets& pilot_carriers,
                        const std::vector<std::vector<gr_complex>>& pilot_symbols,
                        int symbols_skipped,
                        bool input_is_shifted,
                        gr::digital::constellation_sptr constellation) {
                return std::make_shared<equalizer>(fft_len,
                                                   occupied_carriers,
                                                   pilot_carriers,
                                                   pilot_symbols,
                                                   symbols_skipped,
                                                   input_is_shifted,
                                                   constellation_points(constellation));
            }),
            py::arg("fft_len"),
            py::arg("occupied_carriers") = equalizer::carrier_sets{},
            py::arg("pilot_carriers") = equalizer::carrier_sets{},
            py::arg("pilot_symbols") = std::vector<std::vector<gr_complex>>{},
            py::arg("symbols_skipped") = 0,
            py::arg("input_is_shifted") = true,
            py::arg("constellation") = gr::digital::constellation_sptr(),
            "fft_len: carriers, 2 to 65536\n"
            "occupied_carriers: lists of those with data, counted from DC, -1 is the one "
            "below; empty: all\n"
            "pilot_carriers: lists of those with pilots; they win over data\n"
            "pilot_symbols: lists of a value per pilot carrier, not zero\n"
            "symbols_skipped: of the sets, before the first symbol, 0 to 1048576; 1 "
            "behind a header of one symbol\n"
            "input_is_shifted: DC is in the middle of a symbol, at fft_len // 2; False: "
            "first\n"
            "constellation: of the data, as constellation.base(); QPSK if there is none\n"
            "Raises ValueError naming the parameter, its value and what is allowed.");
}
