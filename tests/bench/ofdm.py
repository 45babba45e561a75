#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""MIMO-OFDM detectors beside a least-squares LMMSE receiver, on the same frames.

    PYTHONPATH=build/test_modules /usr/bin/python3 tests/bench/ofdm.py [--links T6r T6s]

Links and the receiver that is compared with: ofdm_links.py. Symbol error rates as ratios to that
receiver's, with 95 % intervals (bootstrap over the frames, which all receivers share); bit error rates
where a limit is one. The exit code is 1 where a limit is missed.
"""

import argparse
import os
import sys
import time
from pathlib import Path

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
import numpy as np
from gnuradio import digital, reservoir

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE))
from known_patterns import rate_and_interval  # noqa: E402
from ofdm_links import (  # noqa: E402
    LINKS,
    carriers,
    make_frame,
    modulate,
    reference_receiver,
)
from ofdm_rows import lines, ratio  # noqa: E402
from ofdm_rows import run as run_rows  # noqa: E402

POINTS = {
    "T6p2": (25,),
    "T6p4": (25,),
    "T6c": (25,),
    "T6r": (25, 30),
    "T6s": (25, 30),
    "T6n": (30,),
    "4x4": (25,),
}
OTHER_POINT = (28,)  # of all other links
# symbol error rates over the reference receiver's: at most
CONFIGURED_BARS = {
    ("T6p2", 25): 0.18,
    ("T6p4", 25): 0.18,
    ("T6c", 25): 0.20,
    ("T6r", 25): 0.27,
    ("T6r", 30): 0.14,
    ("T6s", 25): 0.11,
    ("T6s", 30): 0.035,
    ("T6n", 30): 0.02,
}
LMMSE_BARS = {
    ("T6p2", 25): 0.92,
    ("T6p4", 25): 0.97,
    ("T6c", 25): 0.97,
    ("T6r", 25): 0.85,
    ("T6r", 30): 0.62,
    ("T6s", 25): 1.0,
    ("T6s", 30): 1.0,
    ("T6n", 30): 1.0,
}
BIT_BARS = {
    "full1": 0.0011,
    "full1m": 0.0013,
    "full1r": 0.0065,
    "full2r": 0.0045,
    "cp2": 0.0025,
    "cp2r": 0.0059,
    "cp0": 0.0035,
    "cp0r": 0.0102,
}
ESN_BARS = {
    ("T6p2", 25): 1.95,
    ("T6p4", 25): 1.7,
    ("T6c", 25): 1.9,
    ("T6r", 25): 1.45,
    ("T6r", 30): 1.5,
    ("T6s", 25): 0.82,
    ("T6s", 30): 0.77,
    ("T6n", 30): 0.71,
}
OVER_ML_AMPLIFIED, OVER_ML_LINEAR = 0.6, 1.1
FOUR_BAR = 0.1  # over lmmse
OVER_FIR = 1.03  # esn
FEEDBACK_BAR = 0.83  # on T6n, over esn
RCNET_BAR = 1.0  # over esn
RECEIVERS = ["reference", "lmmse", "ml", "configured", "fir"]
RECEIVERS += ["esn", "rcnet", "rcnet_of_3", "outputs_alone", "esn_lmmse", "lmmse_esn"]
RECEIVERS += ["esn_corrected", "attention", "esn_feedback", "attention_feedback"]
RECEIVERS += ["classifier"]
DELAYS = (10, 16)  # of fir, as ofdm_esn tries them
LATER = dict(window=8, delay=4, input_scaling=0.5)  # stages of RCNet


def best_output(detectors, seen, pilots):
    """What the one with the least error on the pilots' samples makes of all samples."""
    best = min(detectors, key=lambda one: one.fit(seen, pilots).mse)
    behind = np.zeros((len(seen), best.look_ahead()), np.complex64)
    return best.detect(np.append(seen, behind, axis=1))[:, : seen.shape[1]]


def fir_receiver(frame):
    """A filter of 32 samples per antenna, trained on the pilots' samples."""
    link = frame.link
    pilots = modulate(frame.pilots, link).astype(np.complex64)
    filters = [
        reservoir.fir(32, delay, num_inputs=link.antennas, num_outputs=link.antennas)
        for delay in DELAYS
    ]
    found = best_output(filters, frame.received, pilots)
    return carriers(found, link)[:, link.num_pilots :]


def outputs_alone_receiver(frame):
    """Two stages as those of rcnet, of which the second does not see the antennas."""
    link = frame.link
    shape = dict(num_inputs=link.antennas, num_outputs=link.antennas)
    pilots = modulate(frame.pilots, link).astype(np.complex64)
    first = [
        reservoir.esn(32, 32, delay, 0.4, input_scaling=0.3, **shape)
        for delay in DELAYS
    ]
    found = best_output(first, frame.received, pilots)
    second = [reservoir.esn(32, spectral_radius=0.4, seed=2, **LATER, **shape)]
    found = best_output(second, found, pilots)
    return carriers(found, link)[:, link.num_pilots :]


def stages(link, count):
    """Of rcnet: with two, those that it has by itself."""
    shape = link.fft_len, link.cp_len, link.antennas, link.antennas
    found = [reservoir.ofdm_esn(*shape)]
    for seed in range(2, count + 1):
        shape = link.fft_len, link.cp_len, 2 * link.antennas, link.antennas
        found.append(reservoir.ofdm_esn(*shape, seed=seed, **LATER))
    return found


def make_receiver(name, link):
    """A function of a frame."""
    if name == "reference":
        return reference_receiver
    if name == "fir":
        return fir_receiver
    if name == "outputs_alone":
        return outputs_alone_receiver
    shape = link.fft_len, link.cp_len, link.antennas, link.antennas
    wider = link.fft_len, link.cp_len, 2 * link.antennas, link.antennas
    points = digital.constellation_16qam().base()
    detector = {
        "lmmse": lambda: reservoir.ofdm_lmmse(*shape),
        "ml": lambda: reservoir.ofdm_lmmse(
            *shape, detection="ml", constellation=points
        ),
        "configured": lambda: reservoir.ofdm_configured(*shape, constellation=points),
        "rcnet": lambda: reservoir.rcnet(*shape),
        "rcnet_of_3": lambda: reservoir.rcnet(*shape, stages(link, 3)),
        "esn_lmmse": lambda: reservoir.rcnet(
            *shape, [reservoir.ofdm_esn(*shape), reservoir.ofdm_lmmse(*wider)]
        ),
        "lmmse_esn": lambda: reservoir.rcnet(
            *shape, [reservoir.ofdm_lmmse(*shape), reservoir.ofdm_esn(*wider, **LATER)]
        ),
        "esn": lambda: reservoir.ofdm_esn(*shape),
        "esn_corrected": lambda: reservoir.ofdm_esn(*shape, correct_carriers=True),
        "attention": lambda: reservoir.ofdm_esn(
            *shape, correct_carriers=True, attention=True
        ),
        "esn_feedback": lambda: reservoir.ofdm_esn(
            *shape, constellation=points, refits=2, correct_carriers=True
        ),
        "attention_feedback": lambda: reservoir.ofdm_esn(
            *shape,
            constellation=points,
            refits=2,
            correct_carriers=True,
            attention=True,
        ),
        "classifier": lambda: reservoir.ofdm_esn(
            *shape, constellation=points, classifier=True
        ),
    }[name]()
    return lambda frame: detector.receive(
        frame.received, frame.pilots.astype(np.complex64)
    )


def measure(name, snr_db, options):
    """The row of one link: what each receiver makes wrong, frame by frame, and the processor's time."""
    link = LINKS[name]
    row = dict(link=name, snr_db=snr_db, frames=options.frames)
    row.update(wrong={}, wrong_bits={}, milliseconds={})
    receivers = {which: make_receiver(which, link) for which in options.receivers}
    for which in receivers:
        row["wrong"][which], row["wrong_bits"][which] = [], []
        row["milliseconds"][which] = 0.0
    for number in range(options.frames):
        frame = make_frame(link, snr_db, options.seed, number)
        for which, receive in receivers.items():
            begun = time.thread_time()
            found = receive(frame)
            took = time.thread_time() - begun
            wrong, row["symbols"] = frame.errors(found)
            wrong_bits, row["bits"] = frame.bit_errors(found)
            row["wrong"][which].append(wrong)
            row["wrong_bits"][which].append(wrong_bits)
            row["milliseconds"][which] += 1e3 * took / options.frames
    row["bars"] = bars(row, link)
    return row


def bars(row, link):
    """What must hold: text, value, limit, and the value's 95 % interval."""
    found = []
    have, key = row["wrong"].keys(), (row["link"], row["snr_db"])

    def compare(mine, other, limit):
        if limit is not None and {mine, other} <= have:
            text = f"{mine} over {other}"
            value, interval = ratio(row, mine, other)
            found.append((text, value, limit, interval))

    compare("configured", "reference", CONFIGURED_BARS.get(key))
    compare("lmmse", "reference", LMMSE_BARS.get(key))
    compare("esn", "reference", ESN_BARS.get(key))
    if key in ESN_BARS:
        compare("esn", "fir", OVER_FIR)
    compare("rcnet", "esn", RCNET_BAR)
    if row["link"] == "T6n":
        compare("esn_feedback", "esn", FEEDBACK_BAR)
    if key in CONFIGURED_BARS:
        amplified = link.backoff_db is not None
        compare("configured", "ml", OVER_ML_AMPLIFIED if amplified else OVER_ML_LINEAR)
    if row["link"] == "4x4":
        compare("configured", "lmmse", FOUR_BAR)
    if (
        row["link"] in BIT_BARS
        and row["snr_db"] in OTHER_POINT
        and "configured" in have
    ):
        errors = np.array(row["wrong_bits"]["configured"])
        rate, half = rate_and_interval(errors, row["bits"])
        limit = BIT_BARS[row["link"]]
        found.append(("bits wrong", rate, limit, [rate - half, rate + half]))
    return found


def text_of(row):
    def more(which):
        bits = np.mean(row["wrong_bits"][which]) / row["bits"]
        text = f"  bits {bits:.6f} {row['milliseconds'][which]:8.2f} ms/frame"
        if which != "reference" and "reference" in row["wrong"]:
            value, (low, high) = ratio(row, which, "reference")
            text += f"  ratio {value:.3f} ({low:.3f} ... {high:.3f})"
        return text

    title = f"{row['link']} {row['snr_db']:g} dB ({row['frames']} frames)"
    yield from lines(row, title, more)


def run(options):
    wanted = [
        (name, snr_db, options)
        for name in options.links
        for snr_db in options.snr or POINTS.get(name, OTHER_POINT)
    ]
    return run_rows(wanted, measure, text_of, options.out)


def arguments(given):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--links", nargs="+", choices=LINKS, default=list(LINKS))
    add("--snr", nargs="+", type=float, help="in dB (one or two for each link)")
    add("--receivers", nargs="+", choices=RECEIVERS, default=list(RECEIVERS))
    add("--frames", type=int, default=60, help="per link and SNR (%(default)s)")
    add("--seed", type=int, default=1, help="(%(default)s)")
    add("--out", type=Path, help="JSON file")
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(0 if run(arguments(None)) else 1)
