#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""A simulated radio of 2.048 MS/s with a burst every 1560 samples, into the receiver for some
minutes: what became of the frames, how far the receiver fell behind, and how memory grew.

    PYTHONPATH=build/test_modules /usr/bin/python3 tests/bench/long_run.py [--minutes 10]

A radio does not wait: what the receiver is behind by more than a radio's buffers (some 0.1 s) would be
an overrun. Exit status 1 if frames were dropped, the receiver fell behind, or memory grew by more
than 5 % over the second half.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from gnuradio import blocks, gr, reservoir
from gnuradio.reservoir.ota.receiver import receiver
from radio import burst_samples, radio_arguments, record_bursts

BURSTS = 1000  # recorded, played again and again
MOST_BEHIND = 0.1  # seconds


def resident_mib():
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


class radio:
    """Samples at their pace, and what comes of them."""

    def __init__(self, path, options):
        self._rate = options.rate
        made = radio_arguments(options.detector, workers=options.workers)
        self.throttle = blocks.throttle(gr.sizeof_gr_complex, options.rate)
        self.receiver = receiver(made, live=True)
        self.top = gr.top_block()
        self.top.connect(
            blocks.file_source(gr.sizeof_gr_complex, str(path), True),
            self.throttle,
            self.receiver,
        )

    def start(self):
        self.top.start()
        self._begin = time.monotonic()

    def seconds(self):
        return time.monotonic() - self._begin

    def behind(self):
        """Seconds."""
        due = self.seconds()
        return max(0.0, due - self.throttle.nitems_written(0) / self._rate)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="(%(default)s)")
    parser.add_argument("--rate", type=float, default=2.048e6, help="(%(default)s)")
    parser.add_argument(
        "--detector", choices=list(reservoir.detectors()), default="configured_esn"
    )
    parser.add_argument("--workers", type=int, default=2, help="(%(default)s)")
    parser.add_argument("--every", type=float, default=10.0, help="a line, seconds")
    return parser.parse_args()


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bursts.cf32"
        record_bursts(path, BURSTS)
        air = radio(path, options)
        air.start()
        memory, most_behind = [], 0.0
        next_line = options.every
        while air.seconds() < 60 * options.minutes:
            time.sleep(0.05)
            most_behind = max(most_behind, air.behind())
            if air.seconds() >= next_line:
                next_line += options.every
                memory.append(resident_mib())
                told = "  ".join(f"{k} {v}" for k, v in air.receiver.account().items())
                print(
                    f"{air.seconds():.0f} s  {told}  behind {most_behind:.3f} s  "
                    f"memory {memory[-1]:.1f} MiB",
                    flush=True,
                )
        due = int(air.seconds() * options.rate / burst_samples())
        air.top.stop()
        air.top.wait()
    account = air.receiver.account()
    half = memory[len(memory) // 2 :] or [resident_mib()]
    grown = max(half) / half[0] - 1
    print(
        f"{due} bursts sent; found {account['found']}, decoded {account['decoded']}, "
        f"no CRC {account['no CRC']}, dropped {account['dropped']}; at most "
        f"{most_behind:.3f} s behind; memory grew by {100 * grown:.1f} % over the second half"
    )
    bad = account["dropped"] > 0 or most_behind > MOST_BEHIND or grown > 0.05
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
