/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "bytes.h"
#include <gnuradio/reservoir/packet_decoder.h>
#include <pybind11/functional.h>
#include <pybind11/stl.h>

namespace py = pybind11;
using gr::reservoir::packet_decoder;

namespace {

// As pmt.to_python, which takes ten times as long for what these are.
py::object from_pmt(const pmt::pmt_t& value)
{
    if (pmt::is_symbol(value))
        return py::str(pmt::symbol_to_string(value));
    if (pmt::is_real(value))
        return py::float_(pmt::to_double(value));
    if (pmt::is_integer(value))
        return py::int_(pmt::to_long(value));
    if (pmt::is_uint64(value))
        return py::int_(pmt::to_uint64(value));
    return py::module::import("pmt").attr("to_python")(value);
}

py::dict to_dict(const pmt::pmt_t& dictionary)
{
    py::dict made;
    const auto items = pmt::dict_items(dictionary);
    for (auto rest = items; pmt::is_pair(rest); rest = pmt::cdr(rest))
        made[from_pmt(pmt::caar(rest))] = from_pmt(pmt::cdar(rest));
    return made;
}

} // namespace

void bind_packet_decoder(py::module& m)
{
    using python_handler = std::function<void(python_bytes, py::dict)>;

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
             "code: \"none\" or \"cc\"\n"
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
        .def(
            "set_handler",
            [](packet_decoder& self, const py::object& called) {
                packet_decoder::handler handler;
                if (!called.is_none())
                    handler = [call = py::cast<python_handler>(called)](
                                  const std::vector<uint8_t>& data,
                                  const pmt::pmt_t& metadata) {
                        const py::gil_scoped_acquire mine;
                        call({ data }, to_dict(metadata));
                    };
                const py::gil_scoped_release others_run;
                self.set_handler(std::move(handler));
            },
            py::arg("handler"),
            "Call handler(data, metadata) for each packet as well, in the block's "
            "thread; "
            "None: nothing.\n\n"
            "Where a flowgraph ends by itself, GNU Radio may end a block that only has "
            "message ports before it has taken the last PDUs; a handler gets them all.");
}
