/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "packet_handler.h"

namespace py = pybind11;
using gr::reservoir::packet_decoder;

void bind_packet_decoder(py::module& m)
{
    py::class_<packet_decoder,
               gr::sync_block,
               gr::block,
               gr::basic_block,
               packet_decoder::sptr>(
        m,
        "packet_decoder",
        "Symbols to packets: the num_pilots + payload_len symbols from each training tag "
        "on.\n\n"
        "PDUs come out on the message port \"pdus\": the data, and a dictionary with "
        "sequence, evm_db (to the nearest points, dB), and what the tag's dictionary "
        "holds: "
        "snr_db, cfo, amplitude, time .... After each frame the message port \"report\" "
        "sends a dictionary {frames, packets, crc_failures, lost, truncated, evm_db, "
        "snr_db, cfo}. lost counts the numbers that are missing between packets that "
        "arrived, whatever became of them: packet error rate = lost / (lost + packets). "
        "A "
        "gap of 32768 numbers or more is another transmitter's start and counts nothing. "
        "A "
        "frame that a new tag, a radio's overrun (a tag rx_time within it) or the end "
        "cuts "
        "short is truncated, and gives no packet.")
        .def(py::init(&packet_decoder::make),
             py::arg("constellation"),
             py::arg("num_pilots") = 64,
             py::arg("payload_len") = 512,
             py::arg("code") = "none",
             py::arg("training_tag") = "training_start",
             "constellation: one complex number per symbol, 2**n points\n"
             "num_pilots: symbols from the tag on before the payload, 0 to 2**17\n"
             "payload_len: symbols per packet, 1 to 2**17\n"
             "code: \"none\", \"cc\" or \"ldpc:FILE\", as packet_format\n"
             "training_tag: key of the tag on the first pilot, not empty\n"
             "Raises ValueError naming the parameter, its value and its range.")
        .def("frames", &packet_decoder::frames, "Whole frames decoded.")
        .def("packets", &packet_decoder::packets, "Packets whose CRC was right.")
        .def("crc_failures", &packet_decoder::crc_failures, "Frames whose CRC was wrong.")
        .def("lost",
             &packet_decoder::lost,
             "Numbers missing between packets that arrived.")
        .def("truncated", &packet_decoder::truncated, "Frames cut short.")
        .def("packet_error_rate",
             &packet_decoder::packet_error_rate,
             "lost / (lost + packets); NaN before the first packet.")
        .def(
            "take_means",
            [](packet_decoder& self) {
                const auto means = self.take_means();
                return py::make_tuple(means.snr_db, means.cfo, means.evm_db);
            },
            "Mean SNR (dB), CFO (cycles/sample) and EVM (dB) of the frames since the "
            "last "
            "call; NaN where none of them has such a figure.")
        .def("set_handler",
             &set_packet_handler<packet_decoder>,
             py::arg("handler"),
             "Call handler(data, metadata) for each packet as well, in the block's "
             "thread; "
             "None: nothing.\n\n"
             "Where a flowgraph ends by itself, GNU Radio may end a block that only has "
             "message ports before it has taken the last PDUs; a handler gets them all.");
}
