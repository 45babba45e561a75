#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Several streams and antennas on one carrier: configured_esn beside fir and esn, on the same frames.

    PYTHONPATH=build/test_modules /usr/bin/python3 tests/bench/mimo.py [--links 2x2 4x4]

Links: mimo_links.py; fir and esn look for their delay, or with --fixed-delay have the default one.
Symbol error rates of each stream with 95 % intervals, those of configured_esn also as a ratio to
fir's (bootstrap over the frames). `diversity` compares one and two antennas. The exit code is 1 where
a limit is missed.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
import numpy as np
from gnuradio import reservoir
from tqdm import tqdm

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE))
from known_patterns import rate_and_interval, ratio_interval  # noqa: E402
from mimo_links import LINKS, Link, make_frame  # noqa: E402

RECEIVERS = ("fir", "esn", "configured")
OVER_FIR = {"2x2": 0.1}  # each stream's symbol error rate, at most
DIVERSITY = "diversity"
# Of two antennas over one at this symbol error rate, at least. A matched filter without any
# interference gains 4.5 dB on this channel.
GAIN_RATE = 1e-3
GAINS_DB = {"fir": 5.0}


def make_receiver(name, link, fixed_delay=False):
    """A function of a frame: a row of symbols for each stream."""
    shape = dict(num_inputs=link.antennas, num_outputs=link.streams)
    if name == "configured":
        detector = reservoir.configured_esn(link.constellation().base(), **shape)
    else:
        if not fixed_delay:
            shape["delay"] = -1
        detector = getattr(reservoir, name)(**shape)
    single = link.streams == 1

    def receive(frame):
        received = frame.received[0] if link.antennas == 1 else frame.received
        pilots = frame.pilots[0] if single else frame.pilots
        return np.atleast_2d(
            detector.receive(received, pilots, link.sps, link.payload_len)
        )

    return receive


def measure(name, options):
    """The row of one link: each receiver's symbols wrong, by frames and streams."""
    link = LINKS[name]
    row = dict(link=name, frames=options.frames, symbols=link.payload_len)
    row.update(wrong={which: [] for which in options.receivers}, milliseconds={})
    receivers = {
        which: make_receiver(which, link, options.fixed_delay)
        for which in options.receivers
    }
    row["milliseconds"] = dict.fromkeys(receivers, 0.0)
    for number in range(options.frames):
        frame = make_frame(link, options.seed, number)
        for which, receive in receivers.items():
            begun = time.thread_time()
            found = receive(frame)
            took = time.thread_time() - begun
            row["wrong"][which].append(frame.errors(found).tolist())
            row["milliseconds"][which] += 1e3 * took / options.frames
    row["bars"] = []
    if name in OVER_FIR and {"fir", "configured"} <= row["wrong"].keys():
        for stream in range(link.streams):
            value, interval = ratio(row, stream)
            text = f"stream {stream}: configured over fir"
            row["bars"].append((text, value, OVER_FIR[name], interval))
    return row


def ratio(row, stream):
    ours, theirs = (
        np.array(row["wrong"][which])[:, stream] for which in ("configured", "fir")
    )
    interval = ratio_interval(ours, theirs, np.random.default_rng(0))
    return float(ours.sum() / max(theirs.sum(), 1)), interval


def lines(row):
    yield f"{row['link']} ({row['frames']} frames): {LINKS[row['link']].describe()}"
    for which, wrong in row["wrong"].items():
        rates = [
            "{:.5f} +- {:.5f}".format(*rate_and_interval(errors, row["symbols"]))
            for errors in np.array(wrong).T
        ]
        text = f"    {which:10s} {'  '.join(rates)}"
        yield f"{text}  {row['milliseconds'][which]:7.2f} ms/frame"
    for text, value, limit, (low, high) in row["bars"]:
        met = "met" if value <= limit else "MISSED"
        yield (
            f"    {text}: {value:.4f} ({low:.4f} ... {high:.4f}),"
            f" at most {limit:g}: {met}"
        )


def error_rate(name, antennas, snr_db, options):
    link = Link(antennas=antennas, streams=1, snr_db=snr_db)
    receive = make_receiver(name, link, options.fixed_delay)
    wrong = 0
    for number in range(options.frames):
        frame = make_frame(link, options.seed, number)
        wrong += int(frame.errors(receive(frame)).sum())
    return wrong / (options.frames * link.payload_len)


def needed_snr(name, antennas, options):
    """In dB, for GAIN_RATE: between the first two steps that enclose it."""
    step, snr_db, before = 1.0, 6.0, None
    while True:
        rate = error_rate(name, antennas, snr_db, options)
        if rate <= GAIN_RATE:
            break
        before, snr_db = rate, snr_db + step
    if before is None:
        return snr_db
    least = 0.5 / (options.frames * Link().payload_len)  # for a rate of 0
    above, below = np.log(before), np.log(max(rate, least))
    return snr_db - step * (np.log(GAIN_RATE) - below) / (above - below)


def diversity(options):
    """How much less signal two antennas need than one."""
    print(f"{DIVERSITY} ({options.frames} frames for each point): dB for {GAIN_RATE:g}")
    row = dict(link=DIVERSITY, gains={}, met=True)
    for name in options.receivers:
        one, two = (needed_snr(name, antennas, options) for antennas in (1, 2))
        row["gains"][name] = one - two
        text = f"    {name:10s} {one:.1f} - {two:.1f} = {one - two:.1f} dB"
        if name in GAINS_DB:
            row["met"] = row["met"] and one - two >= GAINS_DB[name]
            met = "met" if one - two >= GAINS_DB[name] else "MISSED"
            text += f", at least {GAINS_DB[name]:g}: {met}"
        print(text)
    return row


def run(options):
    rows, met = [], []
    for name in tqdm(options.links, disable=not sys.stderr.isatty()):
        if name == DIVERSITY:
            rows.append(diversity(options))
            met.append(rows[-1]["met"])
        else:
            rows.append(measure(name, options))
            tqdm.write("\n".join(lines(rows[-1])))
            met += [value <= limit for _, value, limit, _ in rows[-1]["bars"]]
        sys.stdout.flush()
        if options.out:
            options.out.write_text(json.dumps(rows))
    if met:
        print(f"{sum(met)} of {len(met)} bars are met.")
    return all(met)


def arguments(given):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    names = [*LINKS, DIVERSITY]
    add("--links", nargs="+", choices=names, default=names)
    add("--receivers", nargs="+", choices=RECEIVERS, default=list(RECEIVERS))
    add("--fixed-delay", action="store_true", help="fir and esn with delay 12")
    add("--frames", type=int, default=100, help="per link (%(default)s)")
    add("--seed", type=int, default=1, help="(%(default)s)")
    add("--out", type=Path, help="JSON file")
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(0 if run(arguments(None)) else 1)
