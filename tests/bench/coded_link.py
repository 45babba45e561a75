#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Packet error rates of a coded link: a decoder behind the equalizer, and coded_receiver.

Frames of 64 pilots and 512 QPSK symbols, coded with K = 7 at rate 1/2 (or other ones), over six
Rayleigh paths (exponential powers, unit energy, one symbol apart) that are drawn for each frame; 32
unknown symbols before and after. Es/N0 per received symbol. A genie of the same kind knows channel
and noise, and iterates four times.

    PYTHONPATH=build/test_modules /usr/bin/python3 tests/bench/coded_link.py [--frames N] [--seed S]
        [--code CODE] [--payload SYMBOLS]

Ends with exit code 1 where a packet is lost that the decoder behind the equalizer gets, or one of the
project's limits, for 512 symbols of that code, is missed: 0.022 at 5 dB and 0.006 at 6 dB with two
iterations.
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
ITERATIONS = (0, 1, 2, 4)
LIMITS = {5.0: 0.022, 6.0: 0.006}  # with two iterations


def packet_format(code="cc"):
    return reservoir.packet_format(QPSK.base(), PAYLOAD, code)


def draw(form, esn0_db, seed, number):
    """(data, pilots, samples from the first pilot on, taps)"""
    rng = np.random.default_rng([int(10 * esn0_db), seed, number])
    points = np.asarray(form.points)
    data = rng.bytes(form.capacity)
    sent = points[rng.integers(0, 4, AROUND + PILOTS + PAYLOAD + AROUND)]
    sent[AROUND + PILOTS : -AROUND] = form.encode(data, number % 65536)
    taps = rayleigh(POWERS, rng)
    taps /= np.linalg.norm(taps)
    received = through(sent, taps, rng, esn0_db)[AROUND:].astype(np.complex64)
    return data, sent[AROUND : AROUND + PILOTS].astype(np.complex64), received, taps


def detector():
    return reservoir.configured_esn(constellation=QPSK.base())


def genie(form, pilots, received, taps, noise, iterations=4):
    """What the packet is if channel and noise are known; in numpy, by the formulas alone."""
    length, points = PILOTS + PAYLOAD, np.asarray(form.points)
    ones = np.arange(4)[:, None] >> np.arange(2)[::-1] & 1  # of the labels
    response = np.fft.fft(taps, 1024)
    prior = np.zeros((PAYLOAD, 2))
    for _ in range(iterations + 1):
        words = prior @ ones.T
        likely = np.exp(words - words.max(1, keepdims=True))
        likely /= likely.sum(1, keepdims=True)
        mean = np.append(pilots, likely @ points)
        variance = max(np.mean(1 - np.abs(mean[PILOTS:]) ** 2), 1e-4)
        error = np.zeros(1024, complex)
        error[:length] = received[:length] - np.convolve(mean, taps)[:length]
        error[: len(taps) - 1] = 0
        gain = 1 / (variance * np.abs(response) ** 2 + noise)
        share = np.mean(np.abs(response) ** 2 * gain)
        filtered = np.fft.ifft(np.fft.fft(error) * response.conj() * gain)[:length]
        equalized = (mean + filtered / share)[PILOTS:]
        left = (1 - variance * share) / share
        words = prior @ ones.T - np.abs(equalized[:, None] - points) ** 2 / left
        ratios = [
            np.logaddexp.reduce(words[:, ones[:, b] == 1], 1)
            - np.logaddexp.reduce(words[:, ones[:, b] == 0], 1)
            for b in range(2)
        ]
        extrinsic = np.clip(np.stack(ratios, 1), -80, 80) - prior
        packet, judged = form.decode_ratios(extrinsic)
        if packet:
            return packet[0]
        prior = np.clip(judged - extrinsic, -20, 20)
    return None


def measure(esn0_db, seed, frames, code="cc"):
    """Lost packets, one row each: behind the equalizer, by iterations, genie; ms per frame."""
    form, alone = packet_format(code), detector()
    receivers = [
        reservoir.coded_receiver(detector(), form, number) for number in ITERATIONS
    ]
    lost = np.zeros((len(receivers) + 2, frames), bool)
    milliseconds = np.zeros((len(receivers) + 1, frames))
    for number in range(frames):
        data, pilots, received, taps = draw(form, esn0_db, seed, number)

        def behind():
            symbols = alone.receive(received, pilots, payload_len=PAYLOAD)
            return (form.decode(symbols[PILOTS:]) or [None])[0]

        ways = [behind] + [
            lambda receiver=receiver: receiver.receive(received, pilots)["data"]
            for receiver in receivers
        ]
        for k, way in enumerate(ways):
            begin = time.process_time()
            lost[k, number] = way() != data
            milliseconds[k, number] = 1e3 * (time.process_time() - begin)
        noise = 10 ** (-esn0_db / 10)
        lost[-1, number] = genie(form, pilots, received, taps, noise) != data
    return lost, milliseconds.mean(1)


def main():
    global PAYLOAD
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=1000, help="(%(default)s)")
    parser.add_argument("--seed", type=int, default=201, help="(%(default)s)")
    parser.add_argument("--esn0", type=float, nargs="+", default=[4, 5, 6, 7, 8])
    parser.add_argument("--code", default="cc", help="of packet_format (%(default)s)")
    parser.add_argument(
        "--payload",
        type=int,
        default=PAYLOAD,
        help="symbols, at most 900 (%(default)s)",
    )
    options = parser.parse_args()
    PAYLOAD = options.payload
    limits = LIMITS if (options.code, PAYLOAD) == ("cc", 512) else {}
    names = ["behind the equalizer", *(f"{k} iterations" for k in ITERATIONS)]
    print("Es/N0 | packets lost (ms per frame): " + " | ".join(names) + " | genie")
    missed = []
    for esn0_db in options.esn0:
        lost, cost = measure(esn0_db, options.seed, options.frames, options.code)
        cells = [f"{rate:.4f} ({ms:.2f})" for rate, ms in zip(lost.mean(1), cost)]
        print(f"{esn0_db:4.1f} dB | " + " | ".join(cells), end="")
        print(f" | {lost[-1].mean():.4f}", flush=True)
        if np.any(lost[1:-1] & ~lost[0]):
            missed.append(f"{esn0_db} dB: packets that were there are lost")
        two = lost[1 + ITERATIONS.index(2)].mean()
        if two > limits.get(esn0_db, 1.0):
            missed.append(f"{esn0_db} dB: {two:.4f}, more than {limits[esn0_db]}")
    print("\n".join(missed))
    return bool(missed)


if __name__ == "__main__":
    raise SystemExit(main())
