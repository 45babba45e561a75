#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Packet error rates of a coded link: a decoder behind the equalizer, and coded_receiver.

Frames of 64 pilots and 512 QPSK symbols, coded with K = 7 at rate 1/2, over six Rayleigh paths
(exponential powers, unit energy, one symbol apart) that are drawn for each frame; unknown symbols before
and after. Es/N0 per received symbol.

    PYTHONPATH=build/test_modules /usr/bin/python3 tests/bench/coded_link.py [--frames N] [--seed S]
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
from gnuradio import digital, reservoir

sys.path.append(str(Path(__file__).resolve().parents[1] / "python"))
from links import rayleigh, through  # noqa: E402  (from tests/python)

PILOTS, PAYLOAD, AROUND = 64, 512, 32
POWERS = np.exp(-np.arange(6) / 2)
QPSK = digital.constellation_qpsk()


def packet_format():
    return reservoir.packet_format(QPSK.base(), PAYLOAD, "cc")


def draw(format, esn0_db, seed, number):
    """(data, pilots, samples from the first pilot on, taps)"""
    rng = np.random.default_rng([int(10 * esn0_db), seed, number])
    points = np.asarray(format.points)
    data = rng.bytes(format.capacity)
    sent = points[rng.integers(0, 4, AROUND + PILOTS + PAYLOAD + AROUND)]
    sent[AROUND + PILOTS : -AROUND] = format.encode(data, number % 65536)
    taps = rayleigh(POWERS, rng)
    taps /= np.linalg.norm(taps)
    received = through(sent, taps, rng, esn0_db)[AROUND:].astype(np.complex64)
    return data, sent[AROUND : AROUND + PILOTS].astype(np.complex64), received, taps


def detector():
    return reservoir.configured_esn(constellation=QPSK.base())


ITERATIONS = (0, 1, 2, 4)


def measure(esn0_db, seed, frames, iterations=ITERATIONS):
    """Lost packets: behind the equalizer, by iterations; ms per frame."""
    format = packet_format()
    receivers = [
        reservoir.coded_receiver(detector(), format, number) for number in iterations
    ]
    plain, lost = np.zeros(frames, bool), np.zeros((len(receivers), frames), bool)
    seconds = np.zeros(len(receivers))
    used = 0
    for number in range(frames):
        data, pilots, received, taps = draw(format, esn0_db, seed, number)
        for k, receiver in enumerate(receivers):
            begin = time.process_time()
            found = receiver.receive(received, pilots)
            seconds[k] += time.process_time() - begin
            lost[k, number] = found["data"] != data
            plain[number] = lost[k, number] or found["gained"]
    return plain, lost, 1e3 * seconds / frames


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=1000, help="(%(default)s)")
    parser.add_argument("--seed", type=int, default=201, help="(%(default)s)")
    parser.add_argument("--esn0", type=float, nargs="+", default=[4, 5, 6, 7, 8])
    options = parser.parse_args()
    for esn0_db in options.esn0:
        plain, lost, milliseconds = measure(esn0_db, options.seed, options.frames)
        print(
            f"{esn0_db:4.1f} dB: decoder behind the equalizer {plain.mean():.4f}",
            end="",
        )
        for number, rate, cost in zip(ITERATIONS, lost.mean(1), milliseconds):
            print(f"; {number} iterations {rate:.4f} ({cost:.2f} ms)", end="")
        print(flush=True)


if __name__ == "__main__":
    main()
