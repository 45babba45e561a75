#!/usr/bin/python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Sends a file, or lines of text, as packets over the air: to a radio or into a recording.

receive.py gets them back. --sink file writes the clean signal, --sink sim what a simulated channel
makes of it, both as a SigMF recording (--record); --sink usrp and pluto send it. Only send where
you may.
"""

import argparse
import threading

import link
from gnuradio import blocks, gr

EXAMPLES = """examples:
  transmit.py --sink sim --snr 15 --record air.sigmf-meta --text README.md
  transmit.py --sink usrp --frequency 433.92e6 --rate 1e6 --gain 20 --packets 0
"""

DEVICES = {"usrp": link.usrp_sink, "pluto": link.pluto_sink, "zmq": link.zmq_sink}


def parse(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--sink",
        choices=[*DEVICES, "file", "sim"],
        default="sim",
        help="where samples go; zmq: a simulated channel, to receive.py --source zmq "
        "(default: sim, a recording of a simulated channel)",
    )
    parser.add_argument(
        "--record",
        metavar="NAME.sigmf-meta",
        help="recording to write with --sink file or sim",
    )
    parser.add_argument(
        "--amplitude",
        type=link.number(0.001, 1),
        default=0.3,
        help="rms of a burst for radios, full scale being 1 (default: 0.3)",
    )
    link.add_data_arguments(parser)
    link.add_radio_arguments(
        parser, "in dB; for pluto 0 is full power, -89.75 the least (default: medium)"
    )
    link.add_burst_arguments(parser)
    link.add_air_arguments(parser)
    return parser.parse_args(arguments)


class transmitting(gr.top_block):
    """Packets, pulses, and a radio or a recording."""

    def __init__(self, arguments, stopped):
        gr.top_block.__init__(self, "Transmitter")
        device = arguments.sink in DEVICES
        if not device and not arguments.record:
            raise link.Unusable(
                f"--sink {arguments.sink} needs a place: add --record NAME.sigmf-meta"
            )
        self.encoder = link.packet_source(arguments, continuous=device)
        chain = [
            self.encoder,
            link.reservoir.pulse_shaper(link.SPS, link.EXCESS_BANDWIDTH),
        ]
        if device:
            if arguments.sink == "zmq":  # as a front end elsewhere hears it
                chain.append(link.simulated_air(arguments))
                chain.append(blocks.throttle(gr.sizeof_gr_complex, arguments.rate))
            else:
                chain.append(blocks.multiply_const_cc(arguments.amplitude))
            chain.append(DEVICES[arguments.sink](arguments))
        else:
            if arguments.sink == "sim":
                chain.append(link.simulated_air(arguments))
            chain.append(link.recorder(arguments, arguments.sink))
        self.connect(*chain)
        data = link.packets(arguments, self.encoder.capacity())
        link.feed(self.encoder, data, stopped)

    def statistics(self, seconds):
        return f"{seconds:.0f} s  packets {self.encoder.packets()}"


def main():
    arguments = parse()
    stopped = threading.Event()
    top = transmitting(arguments, stopped)
    link.run(top, top.statistics, stopped)


if __name__ == "__main__":
    raise SystemExit(link.main(main))
