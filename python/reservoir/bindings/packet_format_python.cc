/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "arrays.h"
#include "bytes.h"
#include <gnuradio/reservoir/packet_format.h>
#include <pybind11/stl.h>

namespace py = pybind11;
using gr::reservoir::packet_format;

namespace {

typedef py::array_t<float, py::array::c_style | py::array::forcecast> ratio_array;

packet_format::decoded decode(packet_format& self, const complex_array& symbols)
{
    if (symbols.ndim() != 1 || symbols.size() != self.payload_len()) {
        const std::string shape = py::str(symbols.attr("shape"));
        throw py::value_error("symbols of shape " + shape + ": must be (" +
                              std::to_string(self.payload_len()) + ",)");
    }
    return self.decode(symbols.data());
}

//! (data, sequence), or None
py::object to_tuple(const packet_format::decoded& decoded)
{
    if (!decoded.packet)
        return py::none();
    return py::make_tuple(python_bytes{ decoded.packet->data }, decoded.packet->sequence);
}

} // namespace

void bind_packet_format(py::module& m)
{
    py::class_<packet_format>(
        m,
        "packet_format",
        "How a packet lies in the payload of a burst: its bytes to symbols, and symbols "
        "to "
        "bytes.\n\n"
        "A packet is a header (length of the data and sequence number, 16 bits each, "
        "most "
        "significant byte first), the data, zeros up to the capacity, and the CRC-32 of "
        "all "
        "that. Its bits, the most significant of a byte first, are whitened with x^9 + "
        "x^5 "
        "+ 1, coded if wanted, interleaved, and become the points of the constellation "
        "that "
        "bear these labels, scaled to unit mean power.\n\n"
        "Codes are decoded from soft decisions. \"cc\" is a terminated convolutional "
        "code "
        "of rate 1/2 and constraint length 7 (gr-fec, polynomials 79 and 109). "
        "\"ldpc:FILE\" is the code whose parity-check matrix an alist file has: FILE is "
        "its path, or the name, with or without .alist, of one that GNU Radio installs "
        "in "
        "share/gnuradio/fec/ldpc. The payload carries as many words of it as fit; bits "
        "that are left over are those of the whitening.")
        .def(py::init<gr::digital::constellation_sptr, int, const std::string&>(),
             py::arg("constellation"),
             py::arg("payload_len") = 512,
             py::arg("code") = "none",
             "constellation: one complex number per symbol, 2**n points\n"
             "payload_len: symbols per packet, 1 to 2**17\n"
             "code: \"none\", \"cc\" or \"ldpc:FILE\"\n"
             "Raises ValueError naming the parameter, its value and its range.")
        .def_property_readonly(
            "points",
            [](const packet_format& self) {
                return complex_array(self.points().size(), self.points().data());
            },
            "The constellation's points by their labels, at unit mean power.")
        .def_property_readonly(
            "payload_len", &packet_format::payload_len, "Symbols per packet.")
        .def_property_readonly(
            "code", &packet_format::code, "\"none\", \"cc\" or \"ldpc:FILE\".")
        .def_property_readonly("bits_per_symbol",
                               &packet_format::bits_per_symbol,
                               "Bits of a symbol's label.")
        .def_property_readonly(
            "capacity", &packet_format::capacity, "Bytes of data that a packet holds.")
        .def(
            "encode",
            [](packet_format& self, const python_bytes& data, int sequence) {
                const auto symbols = self.encode(data.elements, sequence);
                return complex_array(symbols.size(), symbols.data());
            },
            py::arg("data"),
            py::arg("sequence") = 0,
            "The symbols, complex64 (payload_len,), of a packet.\n\n"
            "data: bytes, at most capacity of them\n"
            "sequence: 0 to 65535")
        .def(
            "decode",
            [](packet_format& self, const complex_array& symbols) {
                return to_tuple(decode(self, symbols));
            },
            py::arg("symbols"),
            "(data, sequence) of a packet, or None where its CRC is wrong.\n\n"
            "symbols: complex (payload_len,), at the scale of encode")
        .def(
            "decode_ratios",
            [](packet_format& self, const ratio_array& ratios) {
                const int wanted = self.payload_len() * self.bits_per_symbol();
                if (ratios.size() != wanted)
                    throw py::value_error(
                        "ratios size = " + std::to_string(ratios.size()) +
                        ": must be payload_len times bits_per_symbol, " +
                        std::to_string(wanted));
                ratio_array a_posteriori(std::vector<py::ssize_t>{
                    self.payload_len(), self.bits_per_symbol() });
                const auto packet =
                    self.decode_ratios(ratios.data(), a_posteriori.mutable_data());
                return py::make_tuple(to_tuple({ packet, 0.0 }), a_posteriori);
            },
            py::arg("ratios"),
            "(packet, a_posteriori) of log-likelihood ratios log p(1)/p(0).\n\n"
            "ratios: (payload_len, bits_per_symbol), the most significant bit of a "
            "symbol's label first; NaN says nothing; limited to +-80\n"
            "packet: (data, sequence), or None where the CRC is wrong\n"
            "a_posteriori: float32 of the same shape. With code=\"cc\" by a BCJR decoder "
            "(Bahl et al., 1974), with \"ldpc:FILE\" by the sum-product algorithm; what "
            "the "
            "bit's own ratio said included; bits that carry nothing are certain")
        .def(
            "decode_with_evm",
            [](packet_format& self, const complex_array& symbols) {
                const auto decoded = decode(self, symbols);
                return py::make_tuple(to_tuple(decoded), decoded.evm_db);
            },
            py::arg("symbols"),
            "What decode returns, and the error vector magnitude to the nearest "
            "points.\n\n"
            "The latter in dB of the constellation's power, NaN where a symbol is not "
            "finite.");

    m.def(
        "packet_capacity",
        [](const gr::digital::constellation_sptr& constellation,
           int payload_len,
           const std::string& code) {
            return packet_format(constellation, payload_len, code).capacity();
        },
        py::arg("constellation"),
        py::arg("payload_len") = 512,
        py::arg("code") = "none",
        "Bytes of data that a packet holds.\n\n"
        "With n bits per symbol: payload_len * n // 8 - 8 without a code, (payload_len * "
        "n "
        "// 2 - 6) // 8 - 8 with code=\"cc\"; 120 and 55 for 512 symbols of QPSK. With "
        "an "
        "LDPC code of k information bits in c: (payload_len * n // c) * k // 8 - 8.\n\n"
        "constellation, payload_len, code: as packet_format");
}
