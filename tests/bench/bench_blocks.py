#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Rates of the equalizers in a flowgraph beside GNU Radio's own blocks, in one run on one core.

Trained once, then symbols from a vector source into a null sink; the scheduler and both ends are
part of the figure, the same for all rows.

    PYTHONPATH=build/test_modules /usr/bin/python3 tests/bench/bench_blocks.py [--symbols N]
"""

import argparse
import os
import platform
import time

import numpy as np
from gnuradio import blocks, digital, filter, gr, reservoir

PILOTS = 64
PAYLOAD = 512
CHANNEL = [0.5 + 0.2j, 1, -0.4 + 0.5j, 0.2j, 0.1, 0.05j]


def flowgraph_rate(block, samples, count):
    top = gr.top_block()
    top.connect(
        blocks.vector_source_c(samples.tolist(), True),
        blocks.head(gr.sizeof_gr_complex, count),
        block,
        blocks.null_sink(gr.sizeof_gr_complex),
    )
    start = time.perf_counter()
    top.run()
    return count / (time.perf_counter() - start)


def trained(detector, samples, pilots):
    detector.fit(samples, pilots)
    return reservoir.equalizer(detector, 1, pilots)


def receive_seconds(detector, samples, pilots):
    start = time.perf_counter()
    detector.receive(samples, pilots, payload_len=PAYLOAD)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--symbols", type=int, default=4_000_000, help="symbols for the fastest")
    parser.add_argument("--runs", type=int, default=3, help="the best of so many runs counts")
    args = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

    rng = np.random.default_rng(1)
    qpsk = digital.constellation_qpsk()
    points = np.array(qpsk.points(), np.complex64)
    x = points[rng.integers(0, 4, 8192)]
    noise = 0.1 * (rng.standard_normal(len(x)) + 1j * rng.standard_normal(len(x)))
    r = (np.convolve(x, CHANNEL)[: len(x)] + noise).astype(np.complex64)
    taps = (rng.standard_normal(81) + 1j * rng.standard_normal(81)).tolist()

    def configured(**settings):
        return reservoir.configured_esn(max_frequency_offset=0, **settings)

    def linear_equalizer():
        lms = digital.adaptive_algorithm_lms(qpsk.base(), 0.01)
        return digital.linear_equalizer(16, 1, lms.base(), True, [], "")

    def decision_feedback_equalizer():
        lms = digital.adaptive_algorithm_lms(qpsk.base(), 0.01)
        return digital.decision_feedback_equalizer(16, 8, 1, lms.base(), True, [], "")

    rows = {
        "reservoir fir, 24 taps": (1, lambda: trained(reservoir.fir(), r, x[:PILOTS])),
        "reservoir fir, 32 taps": (1, lambda: trained(reservoir.fir(32), r, x[:PILOTS])),
        "reservoir esn, 32 neurons, window 24": (
            8,
            lambda: trained(reservoir.esn(), r, x[:PILOTS]),
        ),
        "reservoir esn, the same, linear": (
            8,
            lambda: trained(reservoir.esn(activation="identity"), r, x[:PILOTS]),
        ),
        "reservoir configured_esn, linear, 81 taps": (
            2,
            lambda: trained(configured(feedback=False, refits=0), r, x[:PILOTS]),
        ),
        "reservoir configured_esn, 8 survivors": (
            4,
            lambda: trained(configured(refits=0), r, x[:PILOTS]),
        ),
        "filter.fir_filter_ccc, 32 taps": (1, lambda: filter.fir_filter_ccc(1, taps[:32])),
        "filter.fir_filter_ccc, 81 taps": (2, lambda: filter.fir_filter_ccc(1, taps)),
        "filter.fft_filter_ccc, 81 taps": (2, lambda: filter.fft_filter_ccc(1, taps)),
        "digital.linear_equalizer, LMS, 16 taps": (4, linear_equalizer),
        "digital.decision_feedback_equalizer, 16+8": (4, decision_feedback_equalizer),
    }
    print(f"{platform.machine()}, {os.cpu_count()} cores, GNU Radio {gr.version()}; one core used")
    for name, (divisor, make) in rows.items():
        rate = max(
            flowgraph_rate(make(), r, args.symbols // divisor) for _ in range(args.runs)
        )
        print(f"{name:42s} {rate / 1e6:8.2f} Msymbol/s")
    print("\ntraining on 64 pilots")
    trainings = {
        "fir, 24 taps": reservoir.fir,
        "esn, 32 neurons": reservoir.esn,
        "configured_esn, linear": lambda: configured(feedback=False, refits=0),
        "configured_esn": configured,
    }
    for name, make in trainings.items():
        det = make()
        seconds = min(det.fit(r, x[:PILOTS]).seconds for _ in range(50))
        print(f"{name:42s} {seconds * 1e6:8.0f} us")
    print(f"\nreceiving a frame of {PILOTS} pilots and {PAYLOAD} symbols")
    frames = {
        "configured_esn, no refit": configured(refits=0, tracking="off"),
        "configured_esn, 2 refits": configured(tracking="off"),
        "configured_esn, 2 refits, any offset": reservoir.configured_esn(tracking="off"),
    }
    for name, det in frames.items():
        seconds = min(receive_seconds(det, r, x[:PILOTS]) for _ in range(20))
        print(f"{name:42s} {seconds * 1e3:8.2f} ms")


if __name__ == "__main__":
    main()
