#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Packets to samples: a file or lines of text as bursts, to a radio or into a recording."""

import functools
import itertools
import math
import queue
import threading

import numpy as np

from gnuradio import blocks, gr, reservoir

from .arguments import EXCESS_BANDWIDTH, GAP, SPS, constellation, pilots
from .devices import SINKS
from .program import Unusable, usable
from .recordings import check_apart, recorder


def packets(arguments, capacity):
    """The data, cut into packets of at most capacity bytes; a file that cannot be read is refused."""
    if arguments.text is None:
        numbers = range(arguments.packets) if arguments.packets else itertools.count()
        line = "packet {}: the quick brown fox jumps over the lazy dog\n"
        return (line.format(number).encode()[:capacity] for number in numbers)
    why = f"cannot read --text {arguments.text!r}"
    file = usable(why, OSError, open, arguments.text, "rb")
    return iter(functools.partial(file.read, capacity), b"")


def packet_source(arguments, continuous=False):
    """The encoder: packets to the symbols of bursts."""
    return usable(
        "the bursts do not fit",
        ValueError,
        reservoir.packet_encoder,
        constellation(arguments),
        pilots(arguments),
        payload_len=arguments.payload,
        code=arguments.code,
        gap=GAP,
        continuous=continuous,
    )


def feed(encoder, data, stopped):
    """Hands packets to the encoder in a thread of its own, until the event stopped."""

    def send(block):
        while not stopped.is_set():
            try:
                return encoder.send(block, timeout=0.2)
            except queue.Full:
                pass

    def loop():
        try:
            for block in data:
                send(block)
                if stopped.is_set():
                    return
        finally:
            encoder.finish()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    return thread


def simulated_air(arguments):
    """The channel and front end that the arguments describe."""
    profile = None
    if arguments.taps > 1:
        profile = np.zeros(SPS * (arguments.taps - 1) + 1)
        profile[::SPS] = reservoir.exponential_profile(arguments.taps, 2.0)
    return reservoir.simulated_air(
        snr_db=arguments.snr - 10 * math.log10(SPS),
        power_delay_profile=profile,
        frequency_offset=arguments.cfo,
        clock_offset_ppm=arguments.ppm,
        phase_noise=arguments.phase_noise,
        iq_amplitude_db=arguments.iq_amplitude,
        iq_phase=arguments.iq_phase,
        dc_offset=arguments.dc,
        bits=arguments.bits,
        seed=arguments.seed,
    )


class transmitter_flowgraph(gr.top_block):
    """Packets, pulses, and a radio or a recording."""

    def __init__(self, arguments, stopped):
        gr.top_block.__init__(self, "Transmitter")
        check_apart(arguments, ["text"], ["record"])
        device = arguments.sink in SINKS
        if not device and not arguments.record:
            raise Unusable(
                f"--sink {arguments.sink} needs a place: add --record NAME.sigmf-meta"
            )
        self.encoder = packet_source(arguments, continuous=device)
        data = packets(arguments, self.encoder.capacity())
        chain = [self.encoder, reservoir.pulse_shaper(SPS, EXCESS_BANDWIDTH)]
        if device:
            if arguments.sink == "zmq":  # as a front end elsewhere hears it
                chain.append(simulated_air(arguments))
                chain.append(blocks.throttle(gr.sizeof_gr_complex, arguments.rate))
            else:
                chain.append(blocks.multiply_const_cc(arguments.amplitude))
            chain.append(SINKS[arguments.sink](arguments))
        else:
            if arguments.sink == "sim":
                chain.append(simulated_air(arguments))
            chain.append(recorder(arguments, arguments.sink))
        self.connect(*chain)
        feed(self.encoder, data, stopped)

    def statistics(self, seconds):
        """The line of each second."""
        return f"{seconds:.0f} s  packets {self.encoder.packets()}"
