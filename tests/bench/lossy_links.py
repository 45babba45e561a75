#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The links on which lost frames are counted: channels, drawn for each frame, that lose some.

A frame is 32 unknown symbols, 128 pilots, the payload, 32 unknown symbols. All random numbers of
a frame come from a numpy generator seeded with link, Es/N0, seed and the frame's number: any
subset gives the same frames. None comes from the module under test, so that two builds of it get
the same frames.

Es/N0 per received symbol: mean energy of a received symbol, over the channels that may be drawn, to
the noise's density. A frame in a fade has less.
"""

import sys
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Callable, Optional

import numpy as np
from gnuradio import digital, reservoir

sys.path.append(str(Path(__file__).resolve().parents[1] / "python"))
from bursts import SPAN, SPS, pulse  # noqa: E402  (from tests/python)
from links import moving_tap, noise, rayleigh, through  # noqa: E402

UNKNOWN, PILOTS = 32, 128  # symbols
FIRST = UNKNOWN + PILOTS  # of the payload, in the frame
PROAKIS_B = np.array([0.407, 0.815, 0.407])  # Digital Communications, 4th ed., ch. 10
RAYLEIGH = np.exp(-np.arange(6) / 2)
MOVING = np.exp(-np.arange(3))
RICE_DB = 6  # static over moving power of the first tap of the moving links
ROLLOFF, FINE = 0.35, 80  # of the pulse, steps of its waveform a sample
PATHS = np.array([0, 0.75, 1.6])  # delays, symbols
OFFSET = 5e-5  # largest carrier offset, cycles/symbol
PHASE_STEP = np.deg2rad(0.3) / np.sqrt(2)  # of the phase's random walk, a sample


@dataclass(frozen=True)
class Frame:
    """What was sent, what came, and what only a genie knows."""

    points: np.ndarray  # the constellation, unit power
    indices: np.ndarray  # of all symbols, the unknown ones too
    payload_len: int
    sps: int
    received: np.ndarray  # complex64; sample k * sps is on time with symbol k
    taps: Optional[np.ndarray] = None  # (taps,) or, if they move, (samples, taps)
    phase: Optional[np.ndarray] = None  # the carrier's, radians, one per sample

    @property
    def pilots(self):
        return self.points[self.indices[UNKNOWN:FIRST]].astype(np.complex64)

    @property
    def payload(self):
        """Indices of what is to be decided."""
        return self.indices[FIRST : FIRST + self.payload_len]

    @property
    def handed_over(self):
        """What a flowgraph gives the detector: from the first pilot on, with the look-ahead.

        The shell hands over 48 symbols behind the payload or more; of a stream that ends 32
        symbols behind it, as here, it hands over those, and what is absent counts as zero.
        """
        return self.received[UNKNOWN * self.sps :]

    def shortened(self, payload_len):
        """The same frame with a payload that ends earlier; what comes next is unknown."""
        end = FIRST + payload_len + UNKNOWN
        cut = lambda row: None if row is None else row[: end * self.sps]
        moving = self.taps is not None and self.taps.ndim == 2
        return replace(
            self,
            indices=self.indices[:end],
            payload_len=payload_len,
            received=cut(self.received),
            taps=cut(self.taps) if moving else self.taps,
            phase=cut(self.phase),
        )


@dataclass(frozen=True)
class Link:
    """A constellation and a channel; channel(sent, snr_db, rng) gives a Frame's last fields."""

    text: str
    channel: Callable
    snrs_db: tuple
    genie: str  # of genies.py
    payload_len: int = 1024
    sps: int = 1
    constellation: Callable = digital.constellation_qpsk
    settings: dict = field(default_factory=dict)  # of the receiver; else its defaults

    @property
    def points(self):
        return unit_power(self.constellation().points())


def unit_power(points):
    return np.array(points) / np.sqrt(np.mean(np.abs(points) ** 2))


def six_rayleigh_taps(sent, snr_db, rng):
    taps = rayleigh(RAYLEIGH, rng)
    return dict(received=through(sent, taps, rng, snr_db), taps=taps)


def behind_an_amplifier(sent, snr_db, rng):
    """At one sample per symbol a Rapp amplifier moves the constellation's points, no more."""
    amplifier = reservoir.amplifier("rapp", input_backoff_db=3, smoothness=2)
    points = unit_power(digital.constellation_16qam().points())
    power = amplifier.mean_output_power(3, points)
    return six_rayleigh_taps(amplifier(sent) / np.sqrt(power), snr_db, rng)


def proakis_b(sent, snr_db, rng):
    taps = PROAKIS_B * np.exp(2j * np.pi * rng.random())
    noise_db = snr_db - 10 * np.log10(np.sum(PROAKIS_B**2))
    return dict(received=through(sent, taps, rng, noise_db), taps=taps)


def shaped(sent, snr_db, rng):
    """Two samples per symbol of a root-raised-cosine pulse over three Rayleigh paths; a carrier
    that is off and wanders. White noise: there is no filter in front of the receiver.
    """
    paths, late = rayleigh(np.exp(-np.arange(len(PATHS))), rng), rng.uniform(-0.5, 0.5)
    waveform = pulse(ROLLOFF, FINE)
    instants = np.arange(len(waveform)) / (SPS * FINE) - SPAN  # symbols
    reach = (SPAN + 3) * SPS  # samples before and after
    samples = np.arange(-reach, reach + 1) / SPS + late
    response = sum(
        path * np.interp(samples - delay, instants, waveform, 0, 0)
        for path, delay in zip(paths, PATHS)
    )
    count = SPS * len(sent)
    impulses = np.zeros(count, complex)
    impulses[::SPS] = sent
    received = np.convolve(impulses, response)[reach : reach + count]
    walk = np.cumsum(PHASE_STEP * rng.standard_normal(count))
    turning = 2 * np.pi * rng.uniform(-OFFSET, OFFSET) * np.arange(count) / SPS
    phase = walk + turning - (walk + turning)[UNKNOWN * SPS]
    # the pulse has energy 1: a symbol's energy over the noise's variance per sample
    received = received * np.exp(1j * phase) + noise(count, rng, snr_db)
    return dict(received=received.astype(np.complex64), phase=phase)


def three_moving_taps(doppler, constellation=digital.constellation_qpsk):
    def channel(sent, snr_db, rng):
        powers = MOVING / MOVING.sum()
        taps = [moving_tap(len(sent), doppler, rng) for _ in MOVING]
        rice = 10 ** (RICE_DB / 10)
        static = np.exp(2j * np.pi * rng.random())
        taps[0] = (np.sqrt(rice) * static + taps[0]) / np.sqrt(rice + 1)
        taps = np.sqrt(powers) * np.transpose(taps)
        return dict(received=through(sent, taps, rng, snr_db), taps=taps)

    name = constellation.__name__.split("_")[1].upper()
    text = f"4096 {name}, 3 taps that move (f_dT {doppler:g}), the first Rician"
    return Link(
        text,
        channel,
        (15, 20),
        "viterbi_moving",
        payload_len=4096,
        constellation=constellation,
    )


LINKS = {
    "T1": Link("1024 QPSK, 6 Rayleigh taps", six_rayleigh_taps, (10, 15), "viterbi"),
    "T2": Link(
        "1024 16-QAM behind a Rapp amplifier, 6 Rayleigh taps",
        behind_an_amplifier,
        (20, 25),
        "oracle",
        constellation=digital.constellation_16qam,
    ),
    "T3": Link("1024 QPSK, Proakis B", proakis_b, (10, 15), "viterbi"),
    "T4": Link(
        "1024 QPSK, 2 samples per symbol, 3 paths, carrier offset, phase noise",
        shaped,
        (10, 15),
        "oracle",
        sps=SPS,
    ),
    "T5a": three_moving_taps(2e-5),
    "T5b": three_moving_taps(1e-4),
    "T5c": three_moving_taps(3e-4),
}
# for bench.py: no frame is lost there
SLOW = {
    "T5 slow": three_moving_taps(1e-5),
    "T5 slow 16-QAM": three_moving_taps(1e-5, digital.constellation_16qam),
}


def make_frame(name, snr_db, seed, number, longest=0, same_pilots=False):
    """Frame of that number; longest: payload drawn, 0 for the link's own; same_pilots: as all
    frames of this link have."""
    link = {**LINKS, **SLOW}[name]
    payload_len = longest or link.payload_len
    rng = np.random.default_rng(
        [zlib.crc32(name.encode()), round(10 * snr_db), seed, number]
    )
    points = link.points
    indices = rng.integers(0, len(points), FIRST + payload_len + UNKNOWN)
    if same_pilots:
        drawn = np.random.default_rng(seed).integers(0, len(points), PILOTS)
        indices[UNKNOWN:FIRST] = drawn
    came = link.channel(points[indices].astype(np.complex64), snr_db, rng)
    return Frame(points, indices, payload_len, link.sps, **came)
