#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Bursts as reservoir_transmit sends them, over simulated air, one close behind the other."""

import threading
from types import SimpleNamespace

from gnuradio import blocks, gr, reservoir
from gnuradio.reservoir.ota.arguments import GAP, SPS
from gnuradio.reservoir.ota.transmitter import feed, packet_source, simulated_air

PILOTS = 64


def radio_arguments(detector, payload=512, workers=1, snr_db=20.0):
    """Those of reservoir_receive, all others by default."""
    burst = dict(modulation="qpsk", code="none", pilots=PILOTS, payload=payload)
    air = dict(snr=snr_db, taps=6, cfo=0.01, ppm=0.0, phase_noise=0.0, seed=1)
    front_end = dict(iq_amplitude=0.0, iq_phase=0.0, dc=0.0, bits=0)
    how = dict(detector=detector, window=24, workers=workers, loop_bandwidth=0.01)
    how["turbo"] = None
    return SimpleNamespace(**burst, **air, **front_end, **how, text=None, rate=2.048e6)


def burst_samples(payload=512):
    """From one burst to the next; 1560 by default."""
    return SPS * (len(reservoir.burst_preamble()) + PILOTS + payload + GAP)


def record_bursts(path, count, payload=512, snr_db=20.0):
    """So many bursts, which can be played again and again without a break."""
    arguments = radio_arguments("fir", payload, snr_db=snr_db)
    encoder = packet_source(arguments)
    feed(encoder, (b"packet %d" % n for n in range(count)), threading.Event())
    top = gr.top_block()
    top.connect(
        encoder,
        reservoir.pulse_shaper(SPS),
        simulated_air(arguments),
        blocks.head(gr.sizeof_gr_complex, count * burst_samples(payload)),
        blocks.file_sink(gr.sizeof_gr_complex, str(path)),
    )
    top.run()
