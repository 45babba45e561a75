#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""MIMO-OFDM detectors under impairments of the receiver and of the channel, on the same frames.

    PYTHONPATH=build/test_modules /usr/bin/python3 tests/bench/ofdm_impairments.py [--links T6c]

Each impairment in turn is put on links of ofdm_links.py: T6c, without an amplifier, and T6p4, with one.
Symbol error rates with 95 % intervals (over frames), and ofdm_configured's errors over those of the best
of the other receivers. The exit code is 1 where that ratio is above its limit.
"""

import argparse
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))
from ofdm import RECEIVERS, make_receiver  # noqa: E402  (sets the threads)
import numpy as np  # noqa: E402
from ofdm_links import LINKS, Frame, gaussian, make_frame  # noqa: E402
from ofdm_rows import lines, ratio  # noqa: E402
from ofdm_rows import run as run_rows  # noqa: E402

OVER_BEST = 1.1  # configured over the best of the others, at most
SNR_DB = 25.0


def phases(rng, antennas):
    """A direction of arrival: another phase at each antenna."""
    return np.exp(2j * np.pi * rng.random((antennas, 1)))


def add_tone(frame, rng, power_db, place=None):
    """A tone within the band; place: in carriers above a carrier that is drawn, or anywhere."""
    received, link = frame.received, frame.link
    carrier = rng.choice(link.active)
    carrier = carrier + (rng.random() - 0.5 if place is None else place)
    turns = np.exp(2j * np.pi * carrier * np.arange(received.shape[1]) / link.fft_len)
    level = 10 ** (power_db / 20)  # over the signal's mean power, which is one
    return received + level * phases(rng, len(received)) * turns


def add_narrow(frame, rng, power_db, width=0.5):
    """Gaussian noise as wide as half a carrier's distance, from one direction."""
    received, link = frame.received, frame.link
    size = received.shape[1]
    kept = max(int(round(width * size / link.fft_len)), 1)
    spectrum = np.zeros(size, complex)
    first = int(rng.choice(link.active) * size / link.fft_len)
    spectrum[first : first + kept] = gaussian(rng, kept) * size / np.sqrt(kept)
    level = 10 ** (power_db / 20)
    return received + level * phases(rng, len(received)) * np.fft.ifft(spectrum)


def add_direction(frame, rng, power_db):
    """White noise from one direction."""
    level = 10 ** (power_db / 20)
    received = frame.received
    noise = gaussian(rng, received.shape[1])
    return received + level * phases(rng, len(received)) * noise


def imbalance(frame, rng, gain_db=1.0, phase_deg=5.0):
    """Of the receivers' mixers: I and Q of unequal gain, and not quite orthogonal."""
    gain = 10 ** (gain_db / 20) * np.exp(1j * np.deg2rad(phase_deg))
    received = frame.received
    return (1 + gain) / 2 * received + (1 - np.conj(gain)) / 2 * received.conj()


def phase_noise(frame, rng, deviation):
    """A random walk of deviation radians per sample, of the oscillator that all antennas share."""
    steps = deviation * rng.standard_normal(frame.received.shape[1])
    return frame.received * np.exp(1j * np.cumsum(steps))


def quantized(frame, rng, bits, crest=2.6):
    """I and Q by a converter with bits each that saturates at crest times their deviation."""
    received = frame.received
    step = 2 * crest * np.sqrt(np.mean(np.abs(received) ** 2) / 2) / 2**bits

    def convert(values):
        levels = np.floor(values / step) + 0.5
        return step * np.clip(levels, -(2**bits - 1) / 2, (2**bits - 1) / 2)

    return convert(received.real) + 1j * convert(received.imag)


IMPAIRMENTS = {
    "none": None,
    "tone 0 dB": lambda frame, rng: add_tone(frame, rng, 0.0),
    "tone 10 dB": lambda frame, rng: add_tone(frame, rng, 10.0),
    "half carrier 0 dB": lambda frame, rng: add_tone(frame, rng, 0.0, 0.5),
    "half carrier 10 dB": lambda frame, rng: add_tone(frame, rng, 10.0, 0.5),
    "narrow band 0 dB": lambda frame, rng: add_narrow(frame, rng, 0.0),
    "one direction -15 dB": lambda frame, rng: add_direction(frame, rng, -15.0),
    "I/Q 1 dB 5 deg": imbalance,
    "phase noise 0.005": lambda frame, rng: phase_noise(frame, rng, 0.005),
    "phase noise 0.01": lambda frame, rng: phase_noise(frame, rng, 0.01),
    "Doppler 5e-5": dict(doppler=5e-5),
    "converter 4 bits": lambda frame, rng: quantized(frame, rng, 4),
}


def impaired_frame(link, impairment, seed, number, snr_db=SNR_DB):
    what = IMPAIRMENTS[impairment]
    if isinstance(what, dict):
        return make_frame(link, snr_db, seed, number, **what)
    frame = make_frame(link, snr_db, seed, number)
    if what is None:
        return frame
    rng = np.random.default_rng((seed, number, 1))
    received = what(frame, rng).astype(np.complex64)
    return Frame(link, received, frame.symbols, frame.channel, frame.noise_variance)


def measure(name, impairment, options):
    """What each receiver makes wrong, frame by frame."""
    link = LINKS[name]
    receivers = {which: make_receiver(which, link) for which in options.receivers}
    row = dict(link=name, impairment=impairment, bars=[])
    row["wrong"] = {which: [] for which in receivers}
    for number in range(options.frames):
        frame = impaired_frame(link, impairment, options.seed, number, options.snr)
        for which, receive in receivers.items():
            wrong, row["symbols"] = frame.errors(receive(frame))
            row["wrong"][which].append(wrong)
    others = {which: sum(row["wrong"][which]) for which in receivers}
    ours = others.pop("configured", None)
    if ours is not None and others:
        best = min(others, key=others.get)
        value, interval = ratio(row, "configured", best)
        row["bars"].append((f"configured over {best}", value, OVER_BEST, interval))
    return row


def text_of(row):
    return lines(row, f"{row['link']}, {row['impairment']}")


def run(options):
    wanted = [
        (link, impairment, options)
        for link in options.links
        for impairment in options.impairments
    ]
    return run_rows(wanted, measure, text_of, options.out)


def arguments(given):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--links", nargs="+", choices=LINKS, default=["T6c", "T6p4"])
    add("--impairments", nargs="+", choices=IMPAIRMENTS, default=list(IMPAIRMENTS))
    add("--receivers", nargs="+", choices=RECEIVERS, default=list(RECEIVERS))
    add("--snr", type=float, default=SNR_DB, help="in dB (%(default)s)")
    add("--frames", type=int, default=60, help="per row (%(default)s)")
    add("--seed", type=int, default=1, help="(%(default)s)")
    add("--out", type=Path, help="JSON file")
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(0 if run(arguments(None)) else 1)
