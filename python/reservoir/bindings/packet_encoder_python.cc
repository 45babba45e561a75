/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "arrays.h"
#include "bytes.h"
#include <gnuradio/reservoir/packet_encoder.h>
#include <pybind11/stl.h>
#include <algorithm>
#include <optional>
#include <thread>

namespace py = pybind11;
using gr::reservoir::packet_encoder;

namespace {

// In place of gil_scoped_release's end: when Python has ended it unwinds daemon threads from here,
// past callers that would give Python objects back. Such a thread sleeps until the process ends, as
// Python 3.14 has it.
void take_lock_again(PyThreadState* state)
{
    try {
        PyEval_RestoreThread(state);
    } catch (...) {
        while (true)
            std::this_thread::sleep_for(std::chrono::hours(1));
    }
}

// Waits in slices, so that Ctrl-C ends it; raises queue.Full as queue.Queue.put does.
void send(packet_encoder& self, const python_bytes& data, std::optional<double> timeout)
{
    using std::chrono::microseconds, std::chrono::steady_clock;
    constexpr microseconds SLICE(100000);
    constexpr double FOREVER = 1e9;                // seconds
    if (self.send(data.elements, microseconds(0))) // refuses what is too long
        return;
    const double patience = std::clamp(timeout.value_or(FOREVER), 0.0, FOREVER);
    const auto end = steady_clock::now() + microseconds(int64_t(1e6 * patience));
    while (true) {
        const auto left =
            std::chrono::duration_cast<microseconds>(end - steady_clock::now());
        if (left <= microseconds(0)) {
            PyErr_SetNone(py::module::import("queue").attr("Full").ptr());
            throw py::error_already_set();
        }
        PyThreadState* const state = PyEval_SaveThread();
        const bool sent = self.send(data.elements, std::min(left, SLICE));
        take_lock_again(state);
        if (sent)
            return;
        if (PyErr_CheckSignals() != 0)
            throw py::error_already_set();
    }
}

} // namespace

void bind_packet_encoder(py::module& m)
{
    py::class_<packet_encoder,
               gr::sync_block,
               gr::block,
               gr::basic_block,
               packet_encoder::sptr>
        bound(
            m,
            "packet_encoder",
            "Packets to bursts: preamble, pilots, the packet's symbols, a gap of "
            "zeros.\n\n"
            "Packets come as PDUs (message port \"pdus\") of bytes, at most capacity() "
            "of "
            "them, or by send(). They wait in a queue of max_queue; a PDU that finds it "
            "full, or is too long, is dropped, logged and counted. pmt.PMT_EOF on the "
            "port, "
            "or finish(), ends the stream after the packets that wait. Whenever the "
            "queue "
            "runs empty a tail of 1024 zeros follows, so that receivers that look ahead "
            "give the last packet; then the block sends zeros if continuous, as "
            "transmitters that must not starve need it, or waits. packet_format tells "
            "how a "
            "packet lies in its payload.\n\n"
            "Tags: burst_start with the packet's number (uint64) on a burst's first "
            "symbol; "
            "frame_start with a dictionary {frame, pilots, payload} on its first pilot.");
    bound
        .def(py::init([](gr::digital::constellation_sptr constellation,
                         const complex_array& pilots,
                         int payload_len,
                         const std::string& code,
                         int gap,
                         bool continuous,
                         int max_queue) {
                 if (pilots.ndim() != 1)
                     throw py::value_error("pilots dimensions = " +
                                           std::to_string(pilots.ndim()) + ": must be 1");
                 return packet_encoder::make(
                     constellation,
                     { pilots.data(), pilots.data() + pilots.size() },
                     payload_len,
                     code,
                     gap,
                     continuous,
                     max_queue);
             }),
             py::arg("constellation"),
             py::arg("pilots"),
             py::arg("payload_len") = 512,
             py::arg("code") = "none",
             py::arg("gap") = 80,
             py::arg("continuous") = false,
             py::arg("max_queue") = 64,
             "constellation: one complex number per symbol, 2**n points\n"
             "pilots: complex values that receivers know, 1 to 2**17 of them, sent as "
             "they "
             "are\n"
             "payload_len: symbols per packet, 1 to 2**17\n"
             "code: \"none\", \"cc\" or \"ldpc:FILE\", as packet_format\n"
             "gap: zeros after a burst, in symbols, 0 to 2**17\n"
             "continuous: send zeros while there is no packet\n"
             "max_queue: packets that wait, 1 to 65536\n"
             "Raises ValueError naming the parameter, its value and its range.")
        .def("capacity", &packet_encoder::capacity, "Bytes of data that a packet holds.")
        .def("packets", &packet_encoder::packets, "Packets sent.")
        .def("refused",
             &packet_encoder::refused,
             "PDUs that were too long or held no bytes.")
        .def("dropped", &packet_encoder::dropped, "PDUs that found the queue full.")
        .def("send",
             &send,
             py::arg("data"),
             py::arg("timeout") = py::none(),
             "Queue bytes as one packet, from any thread; waits for a place in the "
             "queue.\n\n"
             "data: bytes, at most capacity() of them\n"
             "timeout: seconds to wait, None: without end; queue.Full is raised after "
             "that")
        .def("finish",
             &packet_encoder::finish,
             "End the stream when the packets that wait are sent.");
    bound.attr("TAIL") = packet_encoder::TAIL; // symbols
}
