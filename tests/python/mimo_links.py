#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Frames of several streams on one carrier, over Rayleigh channels to several antennas.

Tap l of every channel has a mean power proportional to exp(-l / decay) and is drawn again for every
frame; the signal of all streams has unit mean power per antenna.
"""

from dataclasses import dataclass

import numpy as np
from gnuradio import digital

BEHIND = 64  # symbols behind a frame, for the look-ahead


@dataclass(frozen=True)
class Link:
    """One frame's shape; carrier_offset in cycles per symbol, late in symbols, a Rapp amplifier or none
    in front of every transmitting antenna, white interference from one direction over the signal or
    none."""

    antennas: int = 2
    streams: int = 2
    snr_db: float = 15.0
    num_pilots: int = 128
    payload_len: int = 512
    modulation: str = "qpsk"
    taps: int = 6
    decay: float = 2.0
    sps: int = 1
    late: int = 0
    carrier_offset: float = 0.0
    backoff_db: float = None
    smoothness: float = 2.0
    interference_db: float = None

    def constellation(self):
        return getattr(digital, f"constellation_{self.modulation}")()

    def points(self):
        points = np.array(self.constellation().points(), np.complex64)
        return points / np.sqrt(np.mean(np.abs(points) ** 2))

    def describe(self):
        """In a few words."""
        text = (
            f"{self.streams} streams, {self.antennas} antennas, {self.modulation},"
            f" {self.snr_db:g} dB, {self.num_pilots} pilots"
        )
        if self.sps > 1:
            text += f", {self.sps} samples per symbol"
        if self.late:
            text += f", {self.late} symbols late"
        if self.carrier_offset:
            text += f", carrier off by {self.carrier_offset:g} cycles per symbol"
        if self.backoff_db is not None:
            text += f", amplifiers at {self.backoff_db:g} dB backoff"
        if self.interference_db is not None:
            text += f", interference at {self.interference_db:g} dB"
        return text


# by streams and antennas
LINKS = {
    "2x2": Link(),
    "2x2_64": Link(num_pilots=64),
    "2x2_late": Link(late=4),
    "2x2_early": Link(late=-3),
    "2x2_offset": Link(carrier_offset=3e-4),
    "2x2_offset_down": Link(carrier_offset=-3e-4, num_pilots=64),
    "2x2_fractional": Link(sps=2),
    "2x2_10dB": Link(snr_db=10.0),
    "2x2_16qam": Link(modulation="16qam", snr_db=22.0),
    "2x2_rapp": Link(modulation="16qam", snr_db=25.0, backoff_db=6.0),
    "2x3": Link(antennas=3, snr_db=10.0),
    "2x3_interferer": Link(antennas=3, snr_db=20.0, interference_db=0.0),
    "3x2": Link(streams=3, snr_db=20.0),
    "4x4": Link(antennas=4, streams=4),
}


@dataclass
class Frame:
    link: Link
    received: np.ndarray  # antennas, samples
    pilots: np.ndarray  # streams, symbols
    payload: np.ndarray  # indices of points

    def errors(self, found):
        """Symbols wrong, by streams; found with or without the pilots."""
        found = found[:, -self.payload.shape[1] :]
        nearest = np.abs(found[..., None] - self.link.points()).argmin(-1)
        return np.sum(nearest != self.payload, axis=1)


def amplified(symbols, link):
    """Behind a Rapp amplifier (Rapp, 1991) of unit small-signal gain."""
    if link.backoff_db is None:
        return symbols
    order = 2 * link.smoothness
    over = np.abs(symbols) / 10 ** (link.backoff_db / 20)
    return symbols / (1 + over**order) ** (1 / order)


def make_frame(link, seed, number=0):
    rng = np.random.default_rng([seed, number])
    points = link.points()
    count = link.num_pilots + link.payload_len
    sent = rng.integers(len(points), size=(link.streams, count + BEHIND))
    shape = link.antennas, link.streams, link.taps * link.sps
    powers = np.exp(-np.arange(link.taps * link.sps) / (link.decay * link.sps))
    powers *= link.sps / powers.sum() / link.streams
    taps = rng.normal(size=(*shape, 2)) @ (1, 1j) * np.sqrt(powers / 2)
    samples = np.zeros((link.streams, sent.shape[1] * link.sps), complex)
    samples[:, :: link.sps] = amplified(points[sent], link)
    received = np.array(
        [
            sum(np.convolve(x, h)[: len(x)] for x, h in zip(samples, of_antenna))
            for of_antenna in taps
        ]
    )
    # late: the channel begins so many symbols after the symbols' instants
    received = np.roll(received, link.late * link.sps, axis=1)
    turns = link.carrier_offset / link.sps * np.arange(received.shape[1])
    received = received * np.exp(2j * np.pi * turns)
    noise = rng.normal(size=(*received.shape, 2)) @ (1, 1j)
    received += noise * np.sqrt(10 ** (-link.snr_db / 10) / 2)
    if link.interference_db is not None:
        direction = np.exp(2j * np.pi * rng.random((link.antennas, 1)))
        other = rng.normal(size=(1, received.shape[1], 2)) @ (1, 1j)
        received += direction * other * np.sqrt(10 ** (link.interference_db / 10) / 2)
    return Frame(
        link,
        received.astype(np.complex64),
        points[sent[:, : link.num_pilots]],
        sent[:, link.num_pilots : count],
    )
