#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Rows of errors that the programs on MIMO-OFDM measure: their text, their limits, their file.

A row is a dictionary with wrong (of each receiver, symbols wrong frame by frame), symbols (of a frame) and
bars: text, value, largest value allowed, and the value's 95 % interval.
"""

import json
import sys

import numpy as np
from known_patterns import rate_and_interval, ratio_interval
from tqdm import tqdm


def ratio(row, mine, other):
    """Of symbols wrong, with its interval (bootstrap over the frames, which receivers share)."""
    ours, theirs = (np.array(row["wrong"][which]) for which in (mine, other))
    interval = ratio_interval(ours, theirs, np.random.default_rng(0))
    return float(ours.sum() / max(theirs.sum(), 1)), interval


def lines(row, title, more=lambda which: ""):
    """title, then a line for each receiver, with more behind its rate, and one for each bar."""
    yield title
    for which, wrong in row["wrong"].items():
        rate, half = rate_and_interval(np.array(wrong), row["symbols"])
        yield f"    {which:18s} {rate:.5f} +- {half:.5f}{more(which)}"
    for text, value, limit, (low, high) in row["bars"]:
        met = "met" if value <= limit else "MISSED"
        yield (
            f"    {text:26s} {value:.4f} ({low:.4f} ... {high:.4f}),"
            f" at most {limit:g}: {met}"
        )


def run(wanted, measure, text_of, out=None):
    """Measures a row for each of the arguments wanted, prints it and writes all so far to out; whether
    every bar is met."""
    rows = []
    for one in tqdm(wanted, disable=not sys.stderr.isatty()):
        rows.append(measure(*one))
        tqdm.write("\n".join(text_of(rows[-1])))
        sys.stdout.flush()
        if out:
            out.write_text(json.dumps(rows))
    met = [value <= limit for row in rows for _, value, limit, _ in row["bars"]]
    if met:
        print(f"{sum(met)} of {len(met)} bars are met.")
    return all(met)
