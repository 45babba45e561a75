/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "arrays.h"
#include "packet_handler.h"
#include <gnuradio/reservoir/coded_receiver.h>
#include <gnuradio/reservoir/kernel/convolutional_bcjr.h>
#include <gnuradio/reservoir/packet_receiver.h>
#include <algorithm>
#include <cmath>

namespace py = pybind11;
using gr::reservoir::coded_receiver;
using gr::reservoir::packet_receiver;

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
    const float* const values = ratios.data();
    if (!std::all_of(values, values + ratios.size(), [](float ratio) {
            return std::isfinite(ratio);
        }))
        throw py::value_error("ratios: every one must be finite");
    const size_t num_info = (ratios.size() - tail) / 2;
    gr::reservoir::kernel::convolutional_bcjr decoder(
        polynomials, constraint_len, num_info);
    float_array coded(ratios.size()), info(num_info);
    decoder.decode(ratios.data(), coded.mutable_data(), info.mutable_data());
    return py::make_tuple(coded, info);
}

packet_receiver::sptr make_packet_receiver(const coded_receiver::sptr& receiver,
                                           int sps,
                                           const complex_array& training_sequence,
                                           const std::string& training_tag,
                                           int workers)
{
    const auto training = to_rows(training_sequence, "training_sequence");
    if (training.size() != 1)
        throw py::value_error("training_sequence rows = " +
                              std::to_string(training.size()) + ": must be 1");
    return packet_receiver::make(receiver, sps, training[0], training_tag, workers);
}

void bind_packet_receiver(py::module& m)
{
    py::class_<packet_receiver, gr::block, gr::basic_block, packet_receiver::sptr>(
        m,
        "packet_receiver",
        "Samples to packets, equalized and decoded in turns: a coded_receiver for a "
        "flowgraph.\n\n"
        "Takes the place of an equalizer and the packet_decoder behind it, and gets "
        "every "
        "packet that these get. The sample that carries the training tag is the instant "
        "of "
        "the first training symbol; a frame is the training and the packet's symbols, "
        "and "
        "is received once it and 48 symbols of look-ahead are there. Input 0's training "
        "tags count; there is a complex input per antenna.\n\n"
        "PDUs come out on the message port \"pdus\" and a dictionary for each frame on "
        "\"report\", as from packet_decoder; the report's further entries are "
        "iterations, "
        "the times that the decoder's ratios went back to the equalizer, and gained, "
        "whether the turns brought the "
        "packet. A frame that a new tag, "
        "a "
        "radio's overrun (a tag rx_time within it) or the end cuts short is truncated, "
        "and "
        "gives no packet.\n\n"
        "The packets do not depend on how the scheduler cuts the stream, nor on workers.")
        .def(py::init(&make_packet_receiver),
             py::arg("receiver"),
             py::arg("sps"),
             py::arg("training_sequence"),
             py::arg("training_tag") = "training_start",
             py::arg("workers") = 1,
             "receiver: a coded_receiver; belongs to this block from now on\n"
             "sps: samples per symbol, 1 to 64\n"
             "training_sequence: complex64 (P,), known symbols; NaN for those between "
             "them "
             "that are not known, with a detector that takes them\n"
             "training_tag: key of the tag on the first training sample, not empty\n"
             "workers: threads that receive frames, 1 to 64; 1: the block's own\n"
             "Raises ValueError naming the parameter, its value and its range.")
        .def("frames", &packet_receiver::frames, "Whole frames received.")
        .def("packets", &packet_receiver::packets, "Packets whose CRC was right.")
        .def("gained",
             &packet_receiver::gained,
             "Packets that the turns brought: they are not in the detector's symbols.")
        .def(
            "crc_failures", &packet_receiver::crc_failures, "Frames whose CRC was wrong.")
        .def("lost",
             &packet_receiver::lost,
             "Numbers missing between packets that arrived.")
        .def("truncated", &packet_receiver::truncated, "Frames cut short.")
        .def("packet_error_rate",
             &packet_receiver::packet_error_rate,
             "lost / (lost + packets); NaN before the first packet.")
        .def(
            "take_means",
            [](packet_receiver& self) {
                const auto means = self.take_means();
                return py::make_tuple(means.snr_db, means.cfo, means.evm_db);
            },
            "Mean SNR (dB), CFO (cycles/sample) and EVM (dB) of the frames since the "
            "last "
            "call; NaN where none of them has such a figure.")
        .def("set_handler",
             &set_packet_handler<packet_receiver>,
             py::arg("handler"),
             "Call handler(data, metadata) for each packet as well, in the block's "
             "thread; "
             "None: nothing.");
}

} // namespace

void bind_coded_receiver(py::module& m)
{
    py::class_<coded_receiver, coded_receiver::sptr>(
        m,
        "coded_receiver",
        "A receiver that equalizes and decodes a frame in turns (turbo equalization: "
        "Douillard et al., 1995); no flowgraph needed.\n\n"
        "First the detector receives the frame, in a hurry where it makes refits, and "
        "the "
        "packet is decoded from its symbols. Only where its CRC is wrong do the turns "
        "begin, and "
        "only where these fail is the frame received once more, with refits and all, so "
        "no packet "
        "is lost that a decoder behind the equalizer gets. The turns: channel and noise "
        "from pilots and "
        "decisions; a linear equalizer of least mean squared error that knows what the "
        "decoder expects (Tuechler, Singer, Koetter, 2002); the decoder, for LDPC codes "
        "the sum-product algorithm, else BCJR (Bahl et al., "
        "1974), until its CRC is right; channel and noise again from what it says "
        "(expectation maximisation).\n\n"
        "Antennas and sampling phases are combined, each with its own noise. A carrier "
        "offset "
        "that the detector reports is taken out, and the phase that is left followed. "
        "The "
        "channel is one for the whole frame or, where the detector reports that it "
        "tracked it, "
        "one for every 64 symbols.")
        .def(py::init(&coded_receiver::make),
             py::arg("detector"),
             py::arg("packet_format"),
             py::arg("iterations") = 2,
             "detector: of one stream; belongs to this receiver from now on. Its pilots "
             "and symbols are at the scale of the format's points\n"
             "packet_format: with a code\n"
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
            "gained: True for a packet that the turns brought: it is not in the "
            "detector's symbols")
        .def_property_readonly("iterations",
                               &coded_receiver::iterations,
                               "How often the decoder's ratios may go back.")
        .def_property_readonly("detector",
                               &coded_receiver::detector,
                               "The detector, with the last frame's report.");

    bind_packet_receiver(m);

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
