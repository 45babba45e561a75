#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Comb pilots as LTE has them, beside full pilot symbols of the same energy.

    PYTHONPATH=build/test_modules /usr/bin/python3 tests/bench/ofdm_combs.py

Frames of 14 OFDM symbols, two antennas on each side, 52 of 64 carriers, 16-QAM, the channels of
ofdm_links.py. Full: the first symbol is a pilot symbol of both antennas. Combs: in symbols 0, 4, 7 and 11
each antenna has a pilot on every sixth carrier, three further on in every second of them, where the other
one is silent (3GPP TS 36.211, 6.10.1); they are so strong that an antenna's pilots have the energy of the full
symbol's. Symbol error rates with 95 % intervals, over frames with the same channel and noise. The exit
code is 1 where combs have more than 1.5 times the errors.
"""

import argparse
import os
import sys
from pathlib import Path

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
import numpy as np
from gnuradio import digital, reservoir
from tqdm import tqdm

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE))
from known_patterns import rate_and_interval, ratio_interval  # noqa: E402
from ofdm_links import ACTIVE, FFT_LEN, QAM16, Link, decide, transmit  # noqa: E402

ANTENNAS, SYMBOLS, CP_LEN, BAR = 2, 14, 16, 1.5
COMB_SYMBOLS = (0, 4, 7, 11)
ORDERED = np.sort((ACTIVE + FFT_LEN // 2) % FFT_LEN) - FFT_LEN // 2  # by frequency
LINKS = {
    "linear": Link(1, CP_LEN, data_symbols=SYMBOLS - 1),
    "amplifier 6 dB": Link(1, CP_LEN, backoff_db=6, data_symbols=SYMBOLS - 1),
}
FRAME = (FFT_LEN, CP_LEN, ANTENNAS, ANTENNAS)
RECEIVERS = {
    "lmmse": lambda points: reservoir.ofdm_lmmse(*FRAME),
    "ml": lambda points: reservoir.ofdm_lmmse(
        *FRAME, detection="ml", constellation=points
    ),
    "configured": lambda points: reservoir.ofdm_configured(
        *FRAME, constellation=points
    ),
}


def combs(symbol):
    """Of each antenna the carriers with its pilots in this symbol."""
    if symbol not in COMB_SYMBOLS:
        return [[] for _ in range(ANTENNAS)]
    first = 3 * (COMB_SYMBOLS.index(symbol) % 2)
    return [ORDERED[(first + 3 * j) % 6 :: 6].tolist() for j in range(ANTENNAS)]


def comb_grid(rng):
    pilots = [combs(symbol) for symbol in range(SYMBOLS)]
    carriers = [[k for comb in of_symbol for k in comb] for of_symbol in pilots]
    scale = np.sqrt(len(ACTIVE) / sum(len(of_symbol[0]) for of_symbol in pilots))
    values = []
    for of_symbol in pilots:
        on = np.repeat(np.eye(ANTENNAS), [len(comb) for comb in of_symbol], 1)
        values.append(scale * on * np.exp(2j * np.pi * rng.random(on.shape[1])))
    return reservoir.ofdm_grid(
        FFT_LEN,
        CP_LEN,
        ANTENNAS,
        occupied_carriers=[
            [k for k in ORDERED.tolist() if k not in used] for used in carriers
        ],
        pilot_carriers=carriers,
        pilot_symbols=[[of[j].tolist() for of in values] for j in range(ANTENNAS)],
        shifted=False,
    )


def full_grid(rng):
    used = np.isin(np.arange(FFT_LEN), ACTIVE)
    words = used * QAM16[rng.integers(0, 16, (ANTENNAS, 1, FFT_LEN))]
    return reservoir.ofdm_grid(
        FFT_LEN,
        CP_LEN,
        ANTENNAS,
        occupied_carriers=[ORDERED.tolist()],
        sync_words=words.tolist(),
        shifted=False,
    )


def measure(link, snr_db, options):
    """layout, receiver: what is wrong, frame by frame; and of each layout the data per frame."""
    points = digital.constellation_16qam().base()
    receivers = {name: make(points) for name, make in RECEIVERS.items()}
    wrong = {(how, name): [] for how in ("full", "combs") for name in receivers}
    total = {}
    for number in tqdm(range(options.frames), disable=None):
        for how, make_grid in (("full", full_grid), ("combs", comb_grid)):
            rng = np.random.default_rng((options.seed, number))
            grid = make_grid(np.random.default_rng((options.seed, number, 1)))
            values, mask = grid.known(SYMBOLS)
            data = ~mask
            sent = np.where(data, QAM16[rng.integers(0, 16, mask.shape)], values)
            received = transmit(link, sent, snr_db, rng)[0].astype(np.complex64)
            of_data = ~np.all(mask, axis=(0, 2))
            total[how] = np.count_nonzero(data)
            for name, receiver in receivers.items():
                found = receiver.receive(received, grid)
                errors = decide(found) != sent[:, of_data]
                wrong[how, name].append(np.count_nonzero(errors & data[:, of_data]))
    return wrong, total


def run(options):
    met = True
    for name, link in LINKS.items():
        wrong, total = measure(link, options.snr, options)
        print(f"{name}, {options.snr:g} dB, {options.frames} frames")
        for receiver in RECEIVERS:
            rates = {
                how: rate_and_interval(np.array(wrong[how, receiver]), total[how])
                for how in total
            }
            theirs = np.array(wrong["full", receiver])
            ours = np.array(wrong["combs", receiver]) * (total["full"] / total["combs"])
            value = ours.sum() / theirs.sum()
            low, high = ratio_interval(ours, theirs, np.random.default_rng(0))
            met &= value <= BAR
            print(
                f"    {receiver:12s}",
                *(
                    f"{how} {rate:.5f} +- {half:.5f} "
                    for how, (rate, half) in rates.items()
                ),
                f"ratio {value:.2f} ({low:.2f} ... {high:.2f}), at most {BAR}:",
                "met" if value <= BAR else "MISSED",
            )
    return met


def arguments(given):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--snr", type=float, default=25, help="in dB (%(default)s)")
    parser.add_argument("--frames", type=int, default=60, help="(%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="(%(default)s)")
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(0 if run(arguments(None)) else 1)
