#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Flowgraphs that are started and stopped again and again, and made again after each second time: memory
must not grow.

    PYTHONPATH=build/test_modules /usr/bin/python3 tests/bench/start_stop.py [--cycles 1000]

In each there are the software channel, an equalizer with two workers, one that trains in the
background, the OFDM equalizer, and packets from encoder to decoder. Exit status 1 if resident memory, or
what is allocated of it, grew by more than 1 % over the second half, or nothing was received.
"""

import argparse
import ctypes
import random
import sys
import time

import numpy as np
import pmt
from gnuradio import blocks, digital, gr, reservoir
from long_run import resident_mib
from soak import MOST_GROWTH, growth

QPSK = digital.constellation_qpsk().base()
PILOTS = reservoir.random_pilots(QPSK, 64)
PAYLOAD, GAP = 128, 56
M_ARENA_MAX = -8  # of malloc.h
FRAME_START = pmt.intern("frame_start")
FFT_LEN, SYMBOLS = 64, 4


def carriers(symbols):
    return np.reshape(reservoir.random_pilots(QPSK, symbols * FFT_LEN), (symbols, -1))


class Graph(gr.top_block):
    """Every block that has threads or state of its own."""

    def __init__(self):
        super().__init__()
        self.blocks = []
        self._single_carrier()
        self._ofdm()
        self._packets()

    def _single_carrier(self):
        source = reservoir.frame_source(QPSK, PILOTS, PAYLOAD, GAP)
        channel = reservoir.software_channel(20.0, power_delay_profile=[1, 0.3])
        self.connect(source, channel)
        for detector, payload, settings in (
            (reservoir.configured_esn(QPSK), PAYLOAD, dict(workers=2)),
            (
                reservoir.rnn(num_neurons=4, epochs=20),
                0,
                dict(background_training=True),
            ),
        ):
            block = reservoir.equalizer(
                detector, 1, PILOTS, "corr_est", payload_len=payload, **settings
            )
            self.connect(channel, block, blocks.null_sink(gr.sizeof_gr_complex))
            self.blocks.append(block)

    def _ofdm(self):
        pilots = carriers(SYMBOLS)
        samples = np.fft.ifft(np.concatenate([pilots, carriers(SYMBOLS)]))
        samples = np.concatenate([samples[:, -16:], samples], 1).ravel()
        samples = np.pad(samples, (0, 1024 - len(samples)))
        tag = gr.tag_utils.python_to_tag((0, FRAME_START, pmt.PMT_T, pmt.PMT_F))
        block = reservoir.ofdm_equalizer(
            reservoir.ofdm_lmmse(FFT_LEN, 16), pilots, SYMBOLS, workers=2
        )
        self.connect(
            blocks.vector_source_c(samples.tolist(), True, 1, [tag]),
            block,
            blocks.null_sink(gr.sizeof_gr_complex * FFT_LEN),
        )
        self.blocks.append(block)

    def _packets(self):
        self.encoder = reservoir.packet_encoder(QPSK, PILOTS, PAYLOAD, "cc")
        self.decoder = reservoir.packet_decoder(QPSK, len(PILOTS), PAYLOAD, "cc")
        sync = reservoir.frame_sync()
        frame = 2 * (len(PILOTS) + PAYLOAD + 48)
        self.connect(
            self.encoder,
            reservoir.pulse_shaper(2),
            sync,
            reservoir.frame_gate(frame),
            reservoir.equalizer(
                reservoir.fir(8, 4),
                2,
                PILOTS,
                "training_start",
                payload_len=PAYLOAD,
                workers=2,
            ),
            self.decoder,
        )

    def frames(self):
        configured, rnn, ofdm = self.blocks
        return configured.trainings(), rnn.trainings(), ofdm.frames()

    def cycle(self, seconds):
        self.start()
        for _ in range(5):
            self.encoder.send(b"packet", 0.01)
        time.sleep(seconds)
        self.stop()
        self.wait()


class Allocated:
    """MiB that the C library has given out, which no free space between hides."""

    class _Counts(ctypes.Structure):
        _fields_ = [
            (name, ctypes.c_size_t)
            for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks "
            "fordblks keepcost".split()
        ]

    def __init__(self):
        library = ctypes.CDLL("libc.so.6")
        # one heap for all threads: of many, it takes some hundred runs until each has its size
        library.mallopt(M_ARENA_MAX, 1)
        self._counts = library.mallinfo2
        self._counts.restype = self._Counts

    def mib(self):
        counts = self._counts()
        return (counts.uordblks + counts.hblkhd) / 2**20


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--cycles", type=int, default=1000, help="(%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="(%(default)s)")
    return parser.parse_args()


def main():
    options = arguments()
    times = random.Random(options.seed)
    gr.logging().set_default_level(gr.log_levels.off)
    allocated, memory = Allocated(), []
    graph, packets, frames = Graph(), 0, [0, 0, 0]
    for cycle in range(options.cycles):
        graph.cycle(times.uniform(0.0, 0.1))
        for kind, count in enumerate(graph.frames()):
            frames[kind] += count
        if cycle % 2:
            packets += graph.decoder.packets()
            graph = Graph()
        memory.append((resident_mib(), allocated.mib()))
    half = memory[len(memory) // 2]
    grown = [growth(values) for values in zip(*memory)]
    print(
        f"{options.cycles} starts and stops: {sum(frames)} frames, {packets} packets; "
        + "; ".join(
            f"{name} {at_half:.1f} MiB at half, {last:.1f} at the end, "
            f"grows by {100 * part:.2f} %"
            for name, at_half, last, part in zip(
                ("resident", "allocated"), half, memory[-1], grown
            )
        )
    )
    flat = all(part < MOST_GROWTH for part in grown)  # NaN: too few cycles to tell
    return int(not flat or min(frames) == 0 or packets == 0)


if __name__ == "__main__":
    sys.exit(main())
