#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Receives frames of one link, with one thread, and prints what became of each as JSON.

lost_frames.py runs it, with this build's module or another's on PYTHONPATH. Its only argument is
a JSON object: link, snr_db, seed, first, count; genie: whether the genie receives instead of the
configured ESN; longest and payload_len (0: the link's own): payload drawn, and of that received;
settings of the receiver.
"""

import json
import os
import sys
import time
from pathlib import Path

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
import numpy as np
from gnuradio import reservoir

sys.path.append(str(Path(__file__).resolve().parent))
import genies  # noqa: E402
from lossy_links import LINKS, PILOTS, make_frame  # noqa: E402

BATCH = 50  # frames that a genie receives at once


def draw(link, snr_db, seed, number, longest=0, payload_len=0):
    frame = make_frame(link, snr_db, seed, number, longest)
    return frame.shortened(payload_len) if payload_len else frame


def figures(report):
    """The report's figures that are single numbers, and the number of taps."""
    kept = {
        key: np.asarray(report[key]).item()
        for key in report.keys()
        if key != "seconds" and np.ndim(report[key]) == 0
    }
    kept["taps"] = int(np.shape(report["channel"])[-1])
    kept["residuals"] = [float(residual) for residual in report["residuals"]]
    return {key: value for key, value in kept.items() if value == value}  # not NaN


def receive(name, frame, settings):
    """One frame through a new configured ESN, as the shell `equalizer` gives it one."""
    link = LINKS[name]
    detector = reservoir.configured_esn(
        constellation=link.constellation().base(), **{**link.settings, **settings}
    )
    samples, pilots = frame.handed_over, frame.pilots
    begin = time.process_time()
    symbols = detector.receive(
        samples, pilots, sps=frame.sps, payload_len=frame.payload_len
    )
    seconds = time.process_time() - begin
    symbols = np.asarray(symbols)[PILOTS:]
    decided = np.abs(symbols[:, None] - frame.points).argmin(1)
    error = symbols - frame.points[frame.payload]
    return dict(
        wrong=np.flatnonzero(decided != frame.payload).tolist(),
        evm=float(np.sqrt(np.mean(np.abs(error) ** 2))),
        seconds=seconds,
        samples=len(samples),
        report=figures(detector.report()),
    )


def ours(link, numbers, settings={}, **drawn):
    """For each frame: wrong (places in the payload), evm (rms), seconds, samples, report."""
    return [
        receive(link, draw(link, number=number, **drawn), settings)
        for number in numbers
    ]


def genie(link, numbers, **drawn):
    """For each frame: wrong, the places in the payload where the link's genie errs."""
    found = []
    for begin in range(0, len(numbers), BATCH):
        frames = [draw(link, number=n, **drawn) for n in numbers[begin : begin + BATCH]]
        for frame, decided in zip(frames, genies.decide(link, frames)):
            found.append(dict(wrong=np.flatnonzero(decided != frame.payload).tolist()))
    return found


def main():
    request = json.loads(sys.argv[1])
    first, count = request.pop("first"), request.pop("count")
    run = genie if request.pop("genie", False) else ours
    json.dump(run(numbers=range(first, first + count), **request), sys.stdout)


if __name__ == "__main__":
    main()
