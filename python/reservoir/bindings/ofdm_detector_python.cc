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
#include <optional>

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

// (rows, symbols, carriers) in the order of the grid, as rows in natural order.
stream_matrix carrier_rows(const complex_array& array, int fft_len, const ofdm_grid* grid)
{
    const size_t values = array.shape(array.ndim() - 1);
    const size_t count = values > 0 ? array.size() / values : 0;
    const size_t rows = array.ndim() == 3 ? array.shape(0) : 1;
    stream_matrix out(rows);
    const gr_complex* from = array.data();
    for (size_t i = 0; i < count; i++, from += fft_len)
        for (int k = 0; k < fft_len; k++)
            out[i / (count / rows)].push_back(from[grid ? grid->place(k) : k]);
    return out;
}

std::string shape_of(const py::array& array) { return py::str(array.attr("shape")); }

// (num_rx, symbols, fft_len); (symbols, fft_len) of one antenna
stream_matrix received_carriers(const ofdm_detector& self,
                                const complex_array& carriers,
                                const ofdm_grid* grid)
{
    const py::ssize_t dimensions = carriers.ndim();
    const bool fits = (dimensions == 3 ? carriers.shape(0) == self.num_rx()
                                       : dimensions == 2 && self.num_rx() == 1) &&
                      carriers.shape(dimensions - 1) == self.fft_len() &&
                      carriers.shape(dimensions - 2) > 0;
    if (!fits)
        throw py::value_error(
            "carriers shape = " + shape_of(carriers) + ": must be (num_rx, symbols, " +
            "fft_len) = (" + std::to_string(self.num_rx()) + ", 1 or more, " +
            std::to_string(self.fft_len()) + "), or without num_rx where that is 1");
    return carrier_rows(carriers, self.fft_len(), grid);
}

// (num_tx, num_rx, fft_len); (fft_len,) of one antenna and stream
stream_matrix taps_of_carriers(const ofdm_detector& self,
                               const complex_array& taps,
                               const ofdm_grid* grid)
{
    const py::ssize_t dimensions = taps.ndim();
    const bool fits =
        (dimensions == 3
             ? taps.shape(0) == self.num_tx() && taps.shape(1) == self.num_rx()
             : dimensions == 1 && self.num_rx() == 1 && self.num_tx() == 1) &&
        taps.shape(dimensions - 1) == self.fft_len();
    if (!fits)
        throw py::value_error(
            "initial_taps shape = " + shape_of(taps) +
            ": must be (num_tx, num_rx, fft_len) = (" + std::to_string(self.num_tx()) +
            ", " + std::to_string(self.num_rx()) + ", " + std::to_string(self.fft_len()) +
            "), or (fft_len,) where the others are 1");
    const py::ssize_t pairs = dimensions == 3 ? taps.shape(0) * taps.shape(1) : 1;
    return carrier_rows(
        taps.attr("reshape")(pairs, 1, self.fft_len()), self.fft_len(), grid);
}

py::object equalize(ofdm_detector& self,
                    const complex_array& carriers,
                    const std::optional<complex_array>& initial_taps,
                    const std::optional<pilots_or_grid>& pilots,
                    bool soft)
{
    const ofdm_grid* grid = pilots ? std::get_if<ofdm_grid>(&*pilots) : nullptr;
    if (!initial_taps && !pilots && self.takes_carriers())
        throw py::value_error("initial_taps = None: must be given where pilots are not, "
                              "as nothing else tells the channel");
    if (grid && grid->fft_len() != self.fft_len())
        throw py::value_error(
            "pilots = those of fft_len = " + std::to_string(grid->fft_len()) +
            ": must be those of fft_len = " + std::to_string(self.fft_len()));
    const stream_matrix rows = received_carriers(self, carriers, grid);
    stream_matrix taps;
    if (initial_taps)
        taps = taps_of_carriers(self, *initial_taps, grid);
    const int count = carriers.shape(carriers.ndim() - 2);
    const known_carriers known =
        pilots ? to_known(self, {}, *pilots, count)
               : (initial_taps ? known_carriers::from_taps(taps, self.num_tx(), count)
                               : known_carriers());
    soft_symbols found;
    {
        const py::gil_scoped_release release;
        if (soft)
            found = self.equalize_softly(rows, taps, known);
        else
            found.symbols = self.equalize(rows, taps, known);
    }
    const std::vector<int> data = known.data_symbols();
    const py::object symbols = to_carriers(found.symbols, data, self.fft_len(), grid);
    if (!soft)
        return symbols;
    const int bits = self.soft_bits_per_symbol();
    return py::make_tuple(symbols,
                          to_carriers(found.llrs, data, self.fft_len(), grid, bits));
}

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
        .def("takes_carriers",
             &ofdm_detector::takes_carriers,
             "Whether equalize() is for it: it needs no samples in time.")
        .def(
            "equalize",
            &equalize,
            py::arg("carriers"),
            py::arg("initial_taps") = py::none(),
            py::arg("pilots") = py::none(),
            py::arg("soft") = false,
            "One whole frame behind an FFT: carriers instead of samples, as GNU Radio's "
            "OFDM blocks have them. Of ofdm_lmmse and ofdm_configured; the others are "
            "trained on samples.\n\n"
            "carriers: (num_rx, symbols, fft_len), the FFT of each symbol at each "
            "antenna, in natural order or, with a grid, in the grid's; the FFT's window "
            "may begin within the cyclic prefix\n"
            "initial_taps: (num_tx, num_rx, fft_len), by what a stream's symbols come to "
            "an antenna on each carrier, in the same order; zero or not finite where it "
            "is not known. The channel is a few taps in time, at most fft_len / 4 and "
            "128, so that noisy ones are smoothed. None: the channel is estimated from "
            "the pilots. ofdm_lmmse takes the taps as they are; ofdm_configured fits the "
            "channel to its decisions, and follows it and the carrier's phase\n"
            "pilots: as of receive(). None: nothing is known, there are data on all "
            "carriers that have initial taps, in the constellation's units, and what the "
            "nearest points leave of the first symbol is noise\n"
            "soft: as of receive()\n"
            "Returns the data symbols, (num_tx, data symbols, fft_len), in the same "
            "order. Raises ValueError if the shapes do not fit.")
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
             "Writes parameters and report to a file. Raises RuntimeError\n"
             "if it cannot be written or could not be loaded.");
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
