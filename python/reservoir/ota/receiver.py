#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Samples to packets: the receiver, the flowgraph around it, and the line of statistics."""

import numpy as np
import pmt

from gnuradio import blocks, gr, reservoir

from .arguments import EXCESS_BANDWIDTH, SPS, TAG, constellation, pilots
from .detectors import follows_phase, make_detector
from .devices import SOURCES
from .program import Unusable, usable
from .recordings import check_apart, file_source, recorder
from .transmitter import feed, packet_source, packets, simulated_air

LOOK_AHEAD = 48  # symbols that an equalizer looks at behind a frame
# Frames wait so long, back to back, before one is dropped: drivers deliver samples in blocks of
# many frames, and the computer has other things to do now and then.
PATIENCE = 0.5  # seconds


class receiver(gr.hier_block2):
    """Samples to packets: frame_sync, frame_gate, equalizer, phase_loop_cc, packet_decoder.

    With --turbo a packet_receiver takes the place of the last three. With shown=True there are two
    outputs for who wants to look: symbol instants before the equalizer, and symbols.
    """

    def __init__(self, arguments, live, shown=False):
        num_outputs = 2 if shown else 0
        gr.hier_block2.__init__(
            self,
            "receiver",
            gr.io_signature(1, 1, gr.sizeof_gr_complex),
            gr.io_signature(num_outputs, num_outputs, gr.sizeof_gr_complex),
        )
        self.message_port_register_hier_out("pdus")
        self.message_port_register_hier_out("report")
        self.message_port_register_hier_out("training")
        points = constellation(arguments)
        frame_len = (arguments.pilots + arguments.payload + LOOK_AHEAD) * SPS
        self.sync = reservoir.frame_sync(
            SPS, EXCESS_BANDWIDTH, sample_rate=arguments.rate, tag_key=TAG
        )
        waiting = min(max(64, int(PATIENCE * arguments.rate / frame_len)), 65536)
        self.gate = reservoir.frame_gate(frame_len, TAG, waiting, drop=live)
        detector = make_detector(arguments.detector, points, arguments.window)
        if arguments.turbo is not None:
            self._connect_turbo(arguments, points, detector, shown)
        else:
            self._connect_plain(arguments, points, detector, shown)
        self.msg_connect(self.decoder, "pdus", self, "pdus")
        self.msg_connect(self.decoder, "report", self, "report")

    def _connect_plain(self, arguments, points, detector, shown):
        self.equalizer = reservoir.equalizer(
            detector,
            SPS,
            pilots(arguments),
            TAG,
            payload_len=arguments.payload,
            workers=arguments.workers,
        )
        form = points, arguments.pilots, arguments.payload, arguments.code, TAG
        why = "the bursts do not fit"
        self.decoder = usable(why, ValueError, reservoir.packet_decoder, *form)
        chain = [self, self.sync, self.gate, self.equalizer]
        if not follows_phase(arguments.detector):
            chain.append(reservoir.phase_loop_cc(points, arguments.loop_bandwidth, TAG))
        self.connect(*chain, self.decoder)
        if shown:
            instants = blocks.keep_one_in_n(gr.sizeof_gr_complex, SPS)
            self.connect(self.gate, instants, (self, 0))
            self.connect(chain[-1], (self, 1))
        self.msg_connect(self.equalizer, "report", self, "training")

    def _connect_turbo(self, arguments, points, detector, shown):
        if arguments.code == "none":
            raise Unusable("--turbo needs packets with a code: give --code cc")
        if not follows_phase(arguments.detector):
            raise Unusable(
                f"--turbo needs a detector with a phase loop of its own, not {arguments.detector}: "
                "give --detector configured_esn"
            )
        if shown:
            raise Unusable("--turbo has no symbols to show: go on with --no-gui")
        why, form = "the bursts do not fit", (points, arguments.payload, arguments.code)
        form = usable(why, ValueError, reservoir.packet_format, *form)
        self.decoder = reservoir.packet_receiver(
            reservoir.coded_receiver(detector, form, arguments.turbo),
            SPS,
            pilots(arguments),
            TAG,
            arguments.workers,
        )
        self.connect(self, self.sync, self.gate, self.decoder)

    def account(self):
        """Where the frames are, by what became of them.

        sent is known from the packets' own numbers, from the first to the last that arrived, None
        before that; no sync are the numbers that are missing and no frame accounts for.
        """
        decoder, gate = self.decoder, self.gate
        lost, failed = decoder.lost(), decoder.crc_failures()
        return {
            "sent": decoder.packets() + lost if decoder.packets() else None,
            "found": self.sync.frames(),
            "decoded": decoder.packets(),
            "no sync": max(0, lost - failed - gate.truncated() - gate.dropped()),
            "no CRC": failed,
            "overrun": gate.truncated(),
            "dropped": gate.dropped(),
        }


class overflow_counter(gr.sync_block):
    """Counts a USRP's overflows: it tags the first sample behind each with rx_time."""

    def __init__(self):
        gr.sync_block.__init__(self, "overflow_counter", [np.complex64], None)
        self._tags = 0

    def work(self, input_items, output_items):
        count = len(input_items[0])
        self._tags += len(self.get_tags_in_window(0, 0, count, pmt.intern("rx_time")))
        return count

    def overflows(self):
        return max(0, self._tags - 1)


class receiver_flowgraph(gr.top_block):
    """Source, receiver, and who writes down what comes."""

    def __init__(self, arguments, writer, stopped):
        gr.top_block.__init__(self, "Receiver")
        check_apart(arguments, ["input", "text"], ["record", "output"])
        self._arguments = arguments
        live = arguments.live or arguments.source in SOURCES
        chain = self._source(arguments, stopped)
        if arguments.live and arguments.source not in SOURCES:
            chain.append(blocks.throttle(gr.sizeof_gr_complex, arguments.rate))
        if len(chain) > 1:
            self.connect(*chain)
        self.samples = chain[-1]
        self.receiver = receiver(arguments, live, shown=arguments.gui)
        self.connect(self.samples, self.receiver)
        self.receiver.decoder.set_handler(writer.write)
        self._overflows = None
        if arguments.source == "usrp":
            self._overflows = overflow_counter()
            self.connect(self.samples, self._overflows)
        writer.open()  # what may be refused comes before what empties a file
        if arguments.record:
            self.connect(self.samples, recorder(arguments, arguments.source))
        writer.empty()

    def _source(self, arguments, stopped):
        if arguments.source in SOURCES:
            return [SOURCES[arguments.source](arguments)]
        if arguments.source == "file":
            return file_source(arguments)
        self.encoder = packet_source(arguments)
        feed(self.encoder, packets(arguments, self.encoder.capacity()), stopped)
        shaper = reservoir.pulse_shaper(SPS, EXCESS_BANDWIDTH)
        return [self.encoder, shaper, simulated_air(arguments)]

    def statistics(self, seconds):
        """The line of each second."""
        snr_db, cfo, evm_db = self.receiver.decoder.take_means()
        figures = {
            "PER": format(self.receiver.decoder.packet_error_rate(), ".4f"),
            "SNR": f"{snr_db:.1f} dB",
            "CFO": f"{cfo * self._arguments.rate:.1f} Hz",
            "EVM": f"{evm_db:.1f} dB",
        }
        if self._overflows:
            figures["overflows"] = self._overflows.overflows()
        told = {**self.receiver.account(), **figures}
        line = "  ".join(f"{name} {value}" for name, value in told.items())
        return f"{seconds:.0f} s  " + line.replace("nan", "-").replace("None", "-")
