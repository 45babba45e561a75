/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "carriers.h"
#include <gnuradio/reservoir/ofdm_equalizer.h>
#include <pybind11/stl.h>

namespace py = pybind11;
using namespace gr::reservoir;

void bind_ofdm_equalizer(py::module& m)
{
    py::class_<ofdm_equalizer, gr::block, gr::basic_block, ofdm_equalizer::sptr>(
        m,
        "ofdm_equalizer",
        "OFDM equalizer block: trains a detector on the known carriers of each frame and "
        "puts out its data symbols.\n\n"
        "Complex samples in, a stream per antenna; a vector of fft_len carriers for each "
        "data symbol out, a stream per transmitter. A tag on input 0 marks the first "
        "sample of a frame's first cyclic prefix; an integer as its value is the frame's "
        "number of symbols behind the sync words or pilots. Samples between frames are "
        "dropped. A tag within a frame, a radio's overrun (rx_time) and the end of the "
        "stream cut a frame short: its whole symbols come out. A tag "
        "'ofdm_sync_carr_offset' on a frame's first sample is its carrier offset in "
        "carriers, which is taken out.\n\n"
        "Two mistakes are told once in a run, in the log, in warnings() and in the "
        "report's field warning: no frame tag comes, or the known carriers are not what "
        "was sent.\n\n"
        "Message port 'command': a dict or a pair, {'num_data_symbols': int} as "
        "set_num_data_symbols, or what the detector knows beside it.\n\n"
        "Message port 'report': a dict for each frame, with the fields of "
        "training_report and offset, frames, truncated_frames, dropped_frames, "
        "bad_lengths and erased_frames; no figures of a frame that is erased.")
        .def(
            py::init([](ofdm_detector::sptr detector,
                        const pilots_or_grid& pilots,
                        int num_data_symbols,
                        const std::string& frame_start_tag,
                        const std::string& length_tag_key,
                        int workers) {
                if (const ofdm_grid* grid = std::get_if<ofdm_grid>(&pilots))
                    return ofdm_equalizer::make(detector,
                                                *grid,
                                                num_data_symbols,
                                                frame_start_tag,
                                                length_tag_key,
                                                workers);
                const stream_matrix rows =
                    detector
                        ? pilot_rows(std::get<complex_array>(pilots), detector->fft_len())
                        : stream_matrix();
                return ofdm_equalizer::make(detector,
                                            rows,
                                            num_data_symbols,
                                            frame_start_tag,
                                            length_tag_key,
                                            workers);
            }),
            py::arg("detector"),
            py::arg("pilots"),
            py::arg("num_data_symbols"),
            py::arg("frame_start_tag") = "frame_start",
            py::arg("length_tag_key") = "frame_len",
            py::arg("workers") = 1,
            "detector: what is trained, an ofdm_detector; belongs to this block from now "
            "on\n"
            "pilots: an ofdm_grid; or (num_tx, symbols, fft_len) pilots of the first "
            "symbols, carriers in natural order, zero on the unused ones: then all "
            "carriers that they use have data in the symbols behind them\n"
            "num_data_symbols: symbols behind the sync words or pilots, 1 to 16384, "
            "where "
            "the tag's value does not say\n"
            "frame_start_tag: key of the tag on a frame's first sample\n"
            "length_tag_key: key of the tag on a frame's first vector, the number of its "
            "vectors; '': none\n"
            "Raises ValueError naming the parameter, its value and its range.")
        .def("set_num_data_symbols",
             &ofdm_equalizer::set_num_data_symbols,
             py::arg("num_data_symbols"),
             "Symbols behind the sync words or pilots where the tag does not say, 1 to "
             "16384, from the next tag on. May be called while a flowgraph runs.")
        .def("num_data_symbols",
             &ofdm_equalizer::num_data_symbols,
             "Symbols behind the sync words or pilots where the tag does not say.")
        .def(
            "set_pilots",
            [](ofdm_equalizer& self, const pilots_or_grid& pilots) {
                if (const ofdm_grid* grid = std::get_if<ofdm_grid>(&pilots))
                    return self.set_pilots(*grid);
                const int bytes = self.output_signature()->sizeof_stream_item(0);
                self.set_pilots(pilot_rows(std::get<complex_array>(pilots),
                                           bytes / int(sizeof(gr_complex))));
            },
            py::arg("pilots"),
            "Another grid, or other pilots, from the next tag on. May be called while a "
            "flowgraph runs.")
        .def("frames",
             &ofdm_equalizer::frames,
             "Frames received so far, truncated ones among them.")
        .def("truncated_frames",
             &ofdm_equalizer::truncated_frames,
             "Frames that were cut short and received as far as they go.")
        .def("dropped_frames",
             &ofdm_equalizer::dropped_frames,
             "Frames cut so short that there was nothing to receive.")
        .def("bad_lengths",
             &ofdm_equalizer::bad_lengths,
             "Tags with a number of data symbols that is out of range.")
        .def("bad_samples", &ofdm_equalizer::bad_samples, "Samples that were not finite.")
        .def("report", &ofdm_equalizer::report, "The last frame's report.")
        .def("warnings",
             &ofdm_equalizer::warnings,
             "What was told in the log in this run.");
}
