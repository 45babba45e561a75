/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "arrays.h"
#include "bytes.h"
#include <gnuradio/reservoir/coded_receiver.h>
#include <gnuradio/reservoir/kernel/convolutional_bcjr.h>
#include <pybind11/stl.h>

namespace py = pybind11;
using gr::reservoir::coded_receiver;

namespace {

typedef py::array_t<float, py::array::c_style | py::array::forcecast> float_array;

py::dict receive(coded_receiver& self,
                 const complex_array& received,
                 const complex_array& pilots,
                 int sps)
{
    const auto rows = to_rows(received, "received");
    const auto known = to_rows(pilots, "pilots");
    if (known.size() != 1)
        throw py::value_error("pilots rows = " + std::to_string(known.size()) +
                              ": must be 1");
    coded_receiver::result found;
    {
        const py::gil_scoped_release others_run;
        found = self.receive(rows, known[0], sps);
    }
    py::dict made;
    made["data"] =
        found.packet ? py::cast(python_bytes{ found.packet->data }) : py::none();
    made["sequence"] = found.packet ? py::cast(found.packet->sequence) : py::none();
    made["evm_db"] = found.evm_db;
    made["iterations"] = found.iterations;
    made["gained"] = found.gained;
    return made;
}

py::tuple
decode(const float_array& ratios, const std::vector<int>& polynomials, int constraint_len)
{
    const py::ssize_t tail = 2 * (constraint_len - 1);
    if (ratios.ndim() != 1 || ratios.size() % 2 != 0 || ratios.size() <= tail)
        throw py::value_error("ratios size = " + std::to_string(ratios.size()) +
                              ": must be 2 (num_info + constraint_len - 1), 1-D");
    const size_t num_info = (ratios.size() - tail) / 2;
    gr::reservoir::kernel::convolutional_bcjr decoder(
        polynomials, constraint_len, num_info);
    float_array coded(ratios.size()), info(num_info);
    decoder.decode(ratios.data(), coded.mutable_data(), info.mutable_data());
    return py::make_tuple(coded, info);
}

} // namespace

void bind_coded_receiver(py::module& m)
{
    py::class_<coded_receiver, coded_receiver::sptr>(
        m,
        "coded_receiver",
        "A receiver that equalizes and decodes a frame in turns (turbo equalization: "
        "Douillard et al., 1995); no flowgraph needed.\n\n"
        "First the detector receives the frame, and the packet is decoded from its "
        "symbols. Only where its CRC is wrong do the turns begin, so no packet is lost "
        "that a decoder behind the equalizer gets: channel and noise from pilots and "
        "decisions; a linear equalizer of least mean squared error that knows what the "
        "decoder expects (Tuechler, Singer, Koetter, 2002); a BCJR decoder (Bahl et al., "
        "1974), until its CRC is right; channel and noise again from what it says "
        "(expectation maximisation).\n\n"
        "Antennas and sampling phases are combined, each with its own noise. A carrier "
        "offset that the detector reports is taken out. The turns see one channel for "
        "the "
        "whole frame.")
        .def(py::init(&coded_receiver::make),
             py::arg("detector"),
             py::arg("packet_format"),
             py::arg("iterations") = 2,
             "detector: of one stream; belongs to this receiver from now on. Its pilots "
             "and symbols are at the scale of the format's points\n"
             "packet_format: with code=\"cc\"\n"
             "iterations: how often the decoder's ratios go back to the equalizer, 0 to "
             "32\n"
             "Raises ValueError naming the parameter, its value and its range.")
        .def(
            "receive",
            &receive,
            py::arg("received"),
            py::arg("pilots"),
            py::arg("sps") = 1,
            "One frame: a dictionary {data, sequence, evm_db, iterations, gained}.\n\n"
            "received: complex64 (samples,) or (num_inputs, samples), from the first "
            "symbol on; samples after the frame serve as look-ahead\n"
            "pilots: complex64 (P,), what is known of the frame, NaN between for what is "
            "not; the payload is what is not known and what follows\n"
            "sps: samples per symbol, 1 to 64\n"
            "data: bytes, None where the CRC is wrong\n"
            "sequence: 0 to 65535, None where the CRC is wrong\n"
            "evm_db: of the detector's symbols around the nearest points, NaN if not "
            "finite\n"
            "iterations: times that the decoder's ratios went back to the equalizer\n"
            "gained: True for a packet that a decoder behind the equalizer does not get")
        .def_property_readonly("iterations",
                               &coded_receiver::iterations,
                               "How often the decoder's ratios may go back.")
        .def_property_readonly("detector",
                               &coded_receiver::detector,
                               "The detector, with the last frame's report.");

    m.def("convolutional_bcjr",
          &decode,
          py::arg("ratios"),
          py::arg("polynomials") = std::vector<int>{ 79, 109 },
          py::arg("constraint_len") = 7,
          "Soft-input soft-output decoder of a terminated convolutional code of rate 1/2 "
          "(Bahl, Cocke, Jelinek, Raviv, 1974): a-posteriori ratios (coded, info).\n\n"
          "ratios: float32 (2 (num_info + constraint_len - 1),), log p(1)/p(0) of the "
          "coded "
          "bits, finite\n"
          "polynomials: two different ones as gr-fec's cc_encoder takes them, 1 to "
          "2**constraint_len - 1\n"
          "constraint_len: 3 to 9\n"
          "coded: of all coded bits, what ratios said included\n"
          "info: float32 (num_info,)\n"
          "Raises ValueError naming the parameter, its value and its range.");
}
