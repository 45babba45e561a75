#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Bursts of QPSK over six Rayleigh paths, made in floats, and the receivers behind frame_sync."""

import time

import numpy as np
import pmt
from gnuradio import blocks, digital, gr, reservoir
from gnuradio.filter import firdes

SPS, FINE, SPAN = 2, 8, 8  # FINE: steps a sample of the waveforms that are made
PILOTS, PAYLOAD, GAP, PATHS = 64, 512, 40, 6
QPSK = np.array(digital.constellation_qpsk().points()) / 2
PREAMBLE = reservoir.burst_preamble()
KNOWN = QPSK[np.random.default_rng(0).integers(0, 4, PILOTS)].astype(np.complex64)
DETECTORS = {
    "configured_esn": lambda: reservoir.configured_esn(
        constellation=digital.constellation_qpsk().base()
    ),
    "esn": lambda: reservoir.esn(window=24, delay=12),
    "fir": lambda: reservoir.fir(24, 12),
}


def pulse(rolloff=0.25, fine=FINE):
    """Root-raised-cosine, energy 1 at SPS samples per symbol; fine steps a sample."""
    length = 2 * SPAN * SPS * fine + 1
    taps = firdes.root_raised_cosine(1, SPS * fine, 1, rolloff, length)
    return np.array(taps) * np.sqrt(fine) / np.linalg.norm(taps)


PULSE = pulse()


def burst(rng, esn0_db, payload=PAYLOAD, offset=0.05, ppm=40, sent=None):
    """Samples, indices of the payload, instant of the first pilot on the strongest path, offset,
    and the paths' amplitudes over the strongest one's; sent: the payload's symbols, else random.
    """
    indices = rng.integers(0, 4, payload)
    sent = QPSK[indices] if sent is None else sent
    paths = np.exp(-np.arange(PATHS) / 4) * (
        rng.normal(size=PATHS) + 1j * rng.normal(size=PATHS)
    )
    paths /= np.linalg.norm(paths)
    symbols = np.convolve(np.concatenate([PREAMBLE, KNOWN, sent]), paths)
    fine = np.zeros((len(symbols) + GAP) * SPS * FINE, complex)
    fine[: len(symbols) * SPS * FINE : SPS * FINE] = symbols
    fine = np.convolve(fine, PULSE) * np.sqrt(SPS)
    clock, late = 1 + 1e-6 * rng.uniform(-ppm, ppm), rng.uniform(0, 1)
    count = len(fine) // FINE - 4
    place = (np.arange(count) + late) * FINE * clock
    whole = place.astype(int)
    samples = fine[whole] * (whole + 1 - place) + fine[whole + 1] * (place - whole)
    turn = rng.uniform(-offset, offset)
    samples = samples * np.exp(2j * np.pi * (turn * np.arange(count) + rng.random()))
    samples += np.sqrt(SPS * 10 ** (-esn0_db / 10) / 2) * (
        rng.normal(size=count) + 1j * rng.normal(size=count)
    )
    strongest = np.abs(paths).argmax()
    first = (SPAN + len(PREAMBLE) + strongest) * SPS / clock - late
    return (
        samples.astype(np.complex64),
        indices,
        first,
        turn,
        np.abs(paths / paths[strongest]),
    )


def run(samples, *following):
    """Output, training tags as (offset, dictionary), seconds."""
    top, sink = gr.top_block(), blocks.vector_sink_c()
    top.connect(blocks.vector_source_c(samples), *following, sink)
    start = time.perf_counter()
    top.run()
    seconds = time.perf_counter() - start
    tags = sorted(sink.tags(), key=lambda tag: tag.offset)
    found = [
        (tag.offset, pmt.to_python(tag.value))
        for tag in tags
        if pmt.symbol_to_string(tag.key) == "training_start"
    ]
    return np.array(sink.data(), np.complex64), found, seconds


def receive(name, samples):
    """The payload of each frame that frame_sync finds, behind the detector called name."""
    equalizer = reservoir.equalizer(
        DETECTORS[name](), SPS, KNOWN, "training_start", PAYLOAD
    )
    out, tags, _ = run(samples, reservoir.frame_sync(), equalizer)
    return [out[at + PILOTS : at + PILOTS + PAYLOAD] for at, _ in tags]


def symbol_errors(frames, made):
    """Wrong symbols of each frame; made: what burst returned for it."""
    assert len(frames) == len(made), f"{len(frames)} frames came of {len(made)}"
    return np.array(
        [
            np.sum(np.abs(symbols[:, None] - QPSK).argmin(1) != one[1])
            for symbols, one in zip(frames, made)
        ]
    )
