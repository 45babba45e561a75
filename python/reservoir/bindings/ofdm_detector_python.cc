/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "carriers.h"
#include "described_class.h"
#include <gnuradio/reservoir/ofdm_configured.h>
#include <gnuradio/reservoir/ofdm_esn.h>
#include <gnuradio/reservoir/ofdm_lmmse.h>
#include <gnuradio/reservoir/rcnet.h>
#include <pybind11/stl.h>

namespace py = pybind11;
using namespace gr::reservoir;

namespace {

known_carriers to_known(const ofdm_detector& self,
                        const stream_matrix& received,
                        const pilots_or_grid& pilots,
                        int num_symbols)
{
    const size_t samples = received.empty() ? 0 : received[0].size();
    const int count = num_symbols < 0 ? self.symbols_in(samples) : num_symbols;
    if (const ofdm_grid* grid = std::get_if<ofdm_grid>(&pilots)) {
        if (grid->cp_len() != self.cp_len())
            throw py::value_error("grid cp_len: must be that of the detector, or the "
                                  "symbols lie elsewhere");
        return grid->known(count);
    }
    return known_carriers::from_pilots(
        pilot_rows(std::get<complex_array>(pilots), self.fft_len()),
        self.fft_len(),
        count);
}

constexpr char ARGUMENTS[] =
    "received: (num_rx, samples), from the first symbol's cyclic prefix on\n"
    "pilots: an ofdm_grid; or (num_tx, symbols, fft_len) pilots of the first symbols, "
    "carriers in natural order, zero on the unused ones: then all carriers that they use "
    "have data in the symbols behind them\n"
    "num_symbols: of the frame, pilots and sync words among them; -1: all that are "
    "there\n"
    "Raises ValueError if the shapes do not fit.";

} // namespace

void bind_ofdm_detector(py::module& m)
{
    static const std::string receive_text =
        "One whole frame: the data symbols, (num_tx, data symbols, fft_len), those that "
        "are not known as a whole. Known carriers have what is known of them; all are in "
        "the grid's order, with pilots in natural order.\n\n" +
        std::string(ARGUMENTS) +
        "\n\nsoft: also return the log-likelihood ratios of the bits, float32 (num_tx, "
        "data "
        "symbols, fft_len, bits): log P(1)/P(0), the most significant bit first, as "
        "calc_soft_dec of the constellation has them; 0 on carriers that are known.";
    static const std::string fit_text =
        "Receives a frame and returns the training_report.\n\n" + std::string(ARGUMENTS);
    py::class_<ofdm_detector, ofdm_detector::sptr>(
        m,
        "ofdm_detector",
        "A receiver of OFDM frames, trained on the carriers that are known; no flowgraph "
        "needed.\n\nSymbols are in the units of the pilots.")
        .def("kind", &ofdm_detector::kind, "Name of the kind of detector.")
        .def("fft_len", &ofdm_detector::fft_len, "Carriers.")
        .def("cp_len",
             &ofdm_detector::cp_len,
             "Samples of the symbols' cyclic prefixes, in turns.")
        .def("num_rx", &ofdm_detector::num_rx, "Antennas.")
        .def("num_tx", &ofdm_detector::num_tx, "Streams.")
        .def(
            "receive",
            [](ofdm_detector& self,
               const complex_array& received,
               const pilots_or_grid& pilots,
               int num_symbols,
               bool soft) -> py::object {
                const stream_matrix rows = to_rows(received, "received");
                const known_carriers known = to_known(self, rows, pilots, num_symbols);
                soft_symbols found;
                {
                    const py::gil_scoped_release release;
                    if (soft)
                        found = self.receive_softly(rows, known);
                    else
                        found.symbols = self.receive(rows, known);
                }
                const auto shaped = [&](const auto& rows, int bits) {
                    return to_carriers(rows,
                                       known.data_symbols(),
                                       self.fft_len(),
                                       std::get_if<ofdm_grid>(&pilots),
                                       bits);
                };
                const py::object symbols = shaped(found.symbols, 0);
                if (!soft)
                    return symbols;
                return py::make_tuple(symbols,
                                      shaped(found.llrs, self.soft_bits_per_symbol()));
            },
            py::arg("received"),
            py::arg("pilots"),
            py::arg("num_symbols") = -1,
            py::arg("soft") = false,
            receive_text.c_str())
        .def(
            "fit",
            [](ofdm_detector& self,
               const complex_array& received,
               const pilots_or_grid& pilots,
               int num_symbols) {
                const stream_matrix rows = to_rows(received, "received");
                const known_carriers known = to_known(self, rows, pilots, num_symbols);
                const py::gil_scoped_release release;
                return self.fit(rows, known);
            },
            py::arg("received"),
            py::arg("pilots"),
            py::arg("num_symbols") = -1,
            fit_text.c_str())
        .def("trained", &ofdm_detector::trained, "Whether it was trained.")
        .def("bad_samples",
             &ofdm_detector::bad_samples,
             "Samples so far that were not finite and were taken as zero.")
        .def("report",
             &ofdm_detector::report,
             "The last training's report; of channel, rows num_tx * antenna + stream.")
        .def("save",
             &ofdm_detector::save,
             py::arg("path"),
             "Writes parameters and report to a file. Raises RuntimeError.");
}

void bind_ofdm_lmmse(py::module& m) { described_class<ofdm_lmmse, ofdm_detector>(m); }

void bind_ofdm_configured(py::module& m)
{
    described_class<ofdm_configured, ofdm_detector>(m);
}

void bind_ofdm_esn(py::module& m) { described_class<ofdm_esn, ofdm_detector>(m); }

void bind_rcnet(py::module& m)
{
    auto bound = described_class<rcnet, ofdm_detector>(m);
    py::options options;
    options.disable_function_signatures();
    bound.def(py::init([](const ofdm_stages& stages) {
                  return std::make_shared<rcnet>(rcnet_parameters::of(stages));
              }),
              py::arg("stages"),
              py::prepend());
}
