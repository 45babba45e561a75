#!/usr/bin/python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Receives packets over the air: from a radio, a recording, or a simulated channel.

Received bytes go to stdout or --output, one line of statistics a second to stderr: frames found,
packets whose checksum is right, packet error rate (PER, from the packets' numbers), signal-to-noise
ratio, carrier offset, error vector magnitude (EVM), frames dropped because the receiver could not
keep up, overflows of the radio (counted for the USRP; others print an O). Ctrl-C ends it.
transmit.py sends such packets.
"""

import argparse
import threading

import link
import numpy as np
from gnuradio import blocks, gr

EXAMPLES = """examples:
  receive.py --source sim --snr 15
  receive.py --source rtlsdr --frequency 433.92e6 --rate 1.024e6 --gain 30 --record out.sigmf-meta
  receive.py --source file --input out.sigmf-meta --output text.txt
  receive.py --source zmq --device 192.168.1.5:55555   (there: transmit.py --sink zmq --device "*:55555")
"""

DEVICES = {
    "usrp": link.usrp_source,
    "rtlsdr": link.rtlsdr_source,
    "rtl_tcp": link.rtl_tcp_source,
    "pluto": link.pluto_source,
    "zmq": link.zmq_source,
}


def parse(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--source",
        choices=[*DEVICES, "file", "sim"],
        default="sim",
        help="where samples come from (default: sim)",
    )
    parser.add_argument(
        "--detector",
        choices=link.DETECTORS,
        default="configured_esn",
        help="what equalizes (default: configured_esn)",
    )
    parser.add_argument(
        "--window",
        type=link.number(2, 64, int),
        default=24,
        help="symbols that fir and esn look at; fewer are faster (default: 24)",
    )
    parser.add_argument(
        "--workers",
        type=link.number(1, 64, int),
        default=1,
        help="frames that are equalized at once, each on a core (default: 1)",
    )
    parser.add_argument(
        "--loop-bandwidth",
        type=link.number(0, 0.5),
        default=0.01,
        help="of the phase loop behind fir, esn and rnn, rad/symbol; 0: none (default: 0.01; "
        "configured_esn has loops of its own)",
    )
    parser.add_argument(
        "--input", help="recording for --source file: SigMF, or bare complex floats"
    )
    parser.add_argument("--output", help="file for received bytes (default: stdout)")
    parser.add_argument(
        "--record", metavar="NAME.sigmf-meta", help="write the samples as SigMF"
    )
    parser.add_argument(
        "--live",
        action="store_true",
        help="play a file or the simulated air at the pace of --rate, dropping frames as with a radio",
    )
    parser.add_argument(
        "--gui",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="a window with spectrum, constellations, channel and poles (default: none)",
    )
    link.add_radio_arguments(parser, "in dB (default: the device's own, or its middle)")
    link.add_burst_arguments(parser)
    link.add_air_arguments(parser)
    link.add_data_arguments(parser)
    return parser.parse_args(arguments)


class receiving(gr.top_block):
    """Source, receiver, and who writes down what comes."""

    def __init__(self, arguments, output, stopped):
        gr.top_block.__init__(self, "Receiver")
        self._arguments = arguments
        live = arguments.live or arguments.source in DEVICES
        chain = self._source(arguments, stopped)
        if arguments.live and arguments.source not in DEVICES:
            chain.append(blocks.throttle(gr.sizeof_gr_complex, arguments.rate))
        if len(chain) > 1:
            self.connect(*chain)
        self.samples = chain[-1]
        self.receiver = link.receiver(arguments, live)
        self.writer = link.packet_writer(output)
        self.connect(self.samples, self.receiver)
        if not arguments.gui:  # the window draws these
            for port in (0, 1):
                nowhere = blocks.null_sink(gr.sizeof_gr_complex)
                self.connect((self.receiver, port), nowhere)
        self.receiver.decoder.set_handler(self.writer.write)
        self.msg_connect(self.receiver, "report", self.writer, "report")
        self._overflows = None
        if arguments.source == "usrp":
            self._overflows = link.overflow_counter()
            self.connect(self.samples, self._overflows)
        if arguments.record:
            self.connect(self.samples, link.recorder(arguments, arguments.source))

    def _source(self, arguments, stopped):
        if arguments.source in DEVICES:
            return [DEVICES[arguments.source](arguments)]
        if arguments.source == "file":
            return link.file_source(arguments)
        self.encoder = link.packet_source(arguments)
        data = link.packets(arguments, self.encoder.capacity())
        link.feed(self.encoder, data, stopped)
        shaper = link.reservoir.pulse_shaper(link.SPS, link.EXCESS_BANDWIDTH)
        return [self.encoder, shaper, link.simulated_air(arguments)]

    def statistics(self, seconds):
        """The line of each second."""
        decoder, gate = self.receiver.decoder, self.receiver.gate
        means = self.writer.take() * (1, self._arguments.rate, 1)
        snr, cfo, evm = (f"{x:.1f}" if np.isfinite(x) else "-" for x in means)
        per = decoder.packet_error_rate()
        line = (
            f"{seconds:.0f} s  frames {self.receiver.sync.frames()}"
            f"  packets {decoder.packets()}"
            f"  PER {'-' if np.isnan(per) else format(per, '.4f')}  SNR {snr} dB"
            f"  CFO {cfo} Hz  EVM {evm} dB  dropped {gate.dropped()}"
        )
        if self._overflows:
            line += f"  overflows {self._overflows.overflows()}"
        return line


def main():
    arguments = parse()
    output = link.data_output(arguments.output)
    stopped = threading.Event()
    if arguments.gui:
        import window

        window.run(lambda: receiving(arguments, output, stopped), arguments, stopped)
    else:
        link.run(top := receiving(arguments, output, stopped), top.statistics, stopped)
    output.close()


if __name__ == "__main__":
    raise SystemExit(link.main(main))
