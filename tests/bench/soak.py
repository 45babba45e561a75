#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Every detector in a flowgraph for a long time, as fast as it can, with a fault every second.

    make soak                                            # an hour, all detectors in turn
    make soak-samples                                    # up to 1e9 samples
    tests/bench/soak.py --minutes 5 --detectors fir esn

No frame may be lost (more than 5 % of its symbols wrong, or missing) but those that a fault touched;
memory and latency, in frames, must stay flat. Prints a table, writes soak.json and soak.png; exit status 1
where something does not hold.
"""

import argparse
import collections
import itertools
import json
import sys
import time
from pathlib import Path

import numpy as np
import pmt
from faults import FAULTS, START, TRUE
from gnuradio import gr, reservoir
from gnuradio.reservoir.campaign.links import SingleCarrier
from gnuradio.reservoir.campaign.ofdm_link import Ofdm
from gnuradio.reservoir.campaign.receivers import KINDS
from gnuradio.reservoir.modulations import nearest
from gnuradio.reservoir.report import page
from gnuradio.reservoir.report.page import pyplot
from long_run import resident_mib
from scipy import stats

LOST = 0.05
POOL = 40  # frames that are sent again and again
NUMBER = "frame_number"
SINGLE = SingleCarrier(
    snr_db=18, pilots=128, payload=512, behind=128, same_pilots=True, taps=4
)
OFDM = Ofdm(
    snr_db=25,
    streams=2,
    antennas=2,
    used=52,
    taps=4,
    pilots=4,
    payload=12,
    same_pilots=True,
)
LINKS = {name: SINGLE for name in reservoir.detectors()}
LINKS |= {kind["name"]: OFDM for kind in reservoir.ofdm_detector_kinds()}
SETTINGS = dict(rnn=dict(epochs=20, restarts=1))
# with --by-samples
SAMPLES = dict(fir=1e9, ofdm_lmmse=1e9, esn=1e8, configured_esn=1e8, rnn=1e6)
MOST_GROWTH = 0.01  # of memory, over the second half
# of frames on the way, over the second half; seconds grow with what else the machine does
MOST_BACKLOG_GROWTH = 0.5
EVERY = 0.25  # seconds, memory is read


class Case:
    """A detector, frames that it receives well by itself, and the block around it."""

    def __init__(self, name, seed):
        self.name, self.link = name, LINKS[name]
        receiver = KINDS[name](self.link, **SETTINGS.get(name, {}))
        self.points, self.pool = self.link.points(), []
        for number in range(50 * POOL):
            frame = self.link.make_frame(seed, number)
            (symbols,) = receiver.receive([frame])
            if np.mean(self.decided(symbols) != frame.payload) < LOST / 5:
                self.pool.append(frame)
            if len(self.pool) == POOL:
                break
        else:
            raise SystemExit(f"{name} receives hardly any frame of its link.")
        known, payload = self.pool[0].pilots, self.link.payload
        if isinstance(self.link, SingleCarrier):
            self.item, self.skipped = np.complex64, self.link.pilots
            self.block = reservoir.equalizer(
                receiver.detector, 1, known[0], START, payload_len=payload
            )
            self.first = self.link.pilots
        else:
            self.item, self.skipped = (np.complex64, self.link.fft_len), 0
            self.block = reservoir.ofdm_equalizer(
                receiver.detector, known, payload, frame_start_tag=START
            )
            self.first = self.link.pilots * (self.link.fft_len + self.link.cp_len)

    def wrong(self, items, pick):
        """Share of a pool frame's payload that is not in the items of all streams, (streams, items)."""
        if items.shape[1] < self.link.payload:
            return 1.0
        symbols = self.link.data(items) if items.ndim == 3 else items
        return float(np.mean(self.decided(symbols) != self.pool[pick].payload))

    def decided(self, symbols):
        return nearest(self.points, np.where(np.isfinite(symbols), symbols, 0))


class Air(gr.sync_block):
    """Frames one behind the other, some of them with a fault."""

    def __init__(self, case, seed, faults_per_second, stop):
        antennas = len(case.pool[0].received)
        super().__init__("air", None, [np.complex64] * antennas)
        self._case, self._rng, self._stop = case, np.random.default_rng(seed), stop
        self._period, self._next_fault = 1 / faults_per_second, time.monotonic()
        self._kinds = itertools.cycle(FAULTS)
        # (number, frame of the pool, fault or "", time); the sink takes them out, in a thread of its own
        self.sent = collections.deque()
        self.count, self._samples, self._tags, self._place = 0, None, {}, 0

    def _frame(self):
        pick = int(self._rng.integers(POOL))
        samples, tags, fault = self._case.pool[pick].received, {0: (START, TRUE)}, ""
        now = time.monotonic()
        if now >= self._next_fault:
            self._next_fault = now + self._period
            make = next(self._kinds)
            other = self._case.pool[int(self._rng.integers(POOL))].received
            samples, tags = make(samples, self._case.first, other, self._rng)
            fault = make.__name__
        self.sent.append((self.count, pick, fault, now))
        tags = [(0, NUMBER, pmt.from_long(self.count))] + [
            (offset, key, value) for offset, (key, value) in tags.items()
        ]
        self.count += 1
        self._samples, self._tags, self._place = samples, tags, 0

    def work(self, inputs, outputs):
        room, filled = len(outputs[0]), 0
        while filled < room:
            if self._samples is None or self._place == self._samples.shape[1]:
                if self._stop():
                    return filled or -1
                self._frame()
            some = min(room - filled, self._samples.shape[1] - self._place)
            for output, row in zip(outputs, self._samples):
                output[filled : filled + some] = row[self._place : self._place + some]
            begin = self.nitems_written(0) + filled - self._place
            for offset, key, value in self._tags:
                if self._place <= offset < self._place + some:
                    self.add_item_tag(0, begin + offset, pmt.intern(key), value)
            self._place += some
            filled += some
        return filled


class Judge(gr.sync_block):
    """What became of every frame."""

    def __init__(self, case, air):
        self._streams = len(case.pool[0].payload)
        super().__init__("judge", [case.item] * self._streams, None)
        self._case, self._air, self._begin = case, air, time.monotonic()
        self._held, self._marks = None, collections.deque()
        self.frames, self.lost = collections.Counter(), collections.Counter()
        self.latencies, self.backlogs = [], []  # mean of each second
        self._second = []

    def work(self, inputs, outputs):
        count, base = len(inputs[0]), self.nitems_read(0)
        new = np.array(inputs)
        begin = base - (0 if self._held is None else self._held.shape[1])
        held = new if self._held is None else np.concatenate([self._held, new], axis=1)
        for tag in self.get_tags_in_window(0, 0, count, pmt.intern(NUMBER)):
            self._marks.append((tag.offset, pmt.to_long(tag.value)))
        while self._marks:
            first = self._marks[0][0]
            end = first + self._case.skipped + self._case.link.payload
            if len(self._marks) > 1:
                end = min(end, self._marks[1][0])
            if end > base + count:
                break
            number = self._marks.popleft()[1]
            self._judge(
                number, held[:, first + self._case.skipped - begin : end - begin]
            )
        keep = self._marks[0][0] - begin if self._marks else held.shape[1]
        self._held = held[:, keep:].copy()
        return count

    def _judge(self, number, items):
        sent = self._air.sent
        while sent and sent[0][0] < number:
            self._count(sent.popleft(), 1.0)
        if sent and sent[0][0] == number:
            found = sent.popleft()
            self._count(found, self._case.wrong(items, found[1]))

    def _count(self, sent, wrong):
        number, _, fault, when = sent
        self.frames[fault] += 1
        self.lost[fault] += wrong > LOST
        self._second.append((time.monotonic() - when, self._air.count - number))
        if time.monotonic() - self._begin > len(self.latencies) + 1:
            latency, backlog = np.mean(self._second, axis=0)
            self.latencies.append(float(latency))
            self.backlogs.append(float(backlog))
            self._second = []


def growth(values):
    """Of the second half, by a straight line through it, relative; 0 where it may as well be level;
    NaN where there is too little to tell."""
    half = np.array(values[len(values) // 2 :])
    if len(half) < 5:
        return np.nan
    line = stats.linregress(np.arange(len(half)), half)
    if line.slope <= stats.t.ppf(0.995, len(half) - 2) * line.stderr:
        return 0.0
    return float(line.slope * len(half) / half[0])


def soak(name, options):
    """A detector's part; returns what it found."""
    case = Case(name, options.seed)
    begin = time.monotonic()

    def stop():
        if options.by_samples:
            return air.nitems_written(0) >= SAMPLES[name]
        return time.monotonic() - begin > options.seconds

    air = Air(case, options.seed, options.faults_per_second, stop)
    judge = Judge(case, air)
    top = gr.top_block("soak", catch_exceptions=False)
    for antenna in range(len(case.pool[0].received)):
        top.connect((air, antenna), (case.block, antenna))
    for stream in range(len(case.pool[0].payload)):
        top.connect((case.block, stream), (judge, stream))
    memory = []
    top.start()
    while not stop():
        time.sleep(EVERY)
        memory.append(resident_mib())
    top.wait()
    seconds = time.monotonic() - begin
    return dict(
        detector=name,
        seconds=seconds,
        samples=air.nitems_written(0),
        frames=dict(judge.frames),
        lost=dict(judge.lost),
        memory=memory,
        latencies=judge.latencies,
        backlogs=judge.backlogs,
        memory_growth=growth(memory),
        backlog_growth=growth(judge.backlogs),
    )


def holds(found):
    """Whether only frames with a fault were lost, and memory and the frames on the way do not grow."""
    return (
        found["frames"].get("", 0) > 0
        and found["lost"].get("", 0) == 0
        and found["memory_growth"] < MOST_GROWTH
        and not found["backlog_growth"] >= MOST_BACKLOG_GROWTH
    )


COLUMNS = (
    "Detector",
    "MS/s",
    "Frames",
    "lost",
    "With a fault",
    "lost",
    "Memory MiB",
    "growth",
    "Latency ms",
    "frames",
    "growth",
    "Holds",
)


def row(found):
    touched = sum(count for fault, count in found["frames"].items() if fault)
    touched_lost = sum(count for fault, count in found["lost"].items() if fault)
    latency, backlog = (
        np.median(found[what]) if found[what] else np.nan
        for what in ("latencies", "backlogs")
    )
    return (
        found["detector"],
        f"{found['samples'] / found['seconds'] / 1e6:.2f}",
        str(found["frames"].get("", 0)),
        str(found["lost"].get("", 0)),
        str(touched),
        str(touched_lost),
        f"{found['memory'][-1]:.0f}" if found["memory"] else "-",
        f"{found['memory_growth']:.2%}",
        f"{1e3 * latency:.1f}",
        f"{backlog:.0f}",
        f"{found['backlog_growth']:.1%}",
        "yes" if holds(found) else "NO",
    )


def fault_rows(all_found):
    for fault in (made.__name__ for made in FAULTS):
        for_all = [
            f"{found['lost'].get(fault, 0)} of {found['frames'].get(fault, 0)}"
            for found in all_found
        ]
        yield fault.replace("_", " "), *for_all


def sum_up(all_found):
    def total(which, touched):
        return sum(
            count
            for found in all_found
            for fault, count in found[which].items()
            if bool(fault) == touched
        )

    failed = [found["detector"] for found in all_found if not holds(found)]
    timed = not any(np.isnan(found["backlog_growth"]) for found in all_found)
    flat = "memory and latency in frames flat" if timed else "memory flat"
    return (
        f"{len(all_found)} detectors, {sum(found['samples'] for found in all_found):.3g} samples in "
        f"{sum(found['seconds'] for found in all_found) / 60:.1f} min: {total('lost', False)} of "
        f"{total('frames', False)} untouched frames lost, {total('lost', True)} of "
        f"{total('frames', True)} with a fault; "
        + (f"does not hold: {', '.join(failed)}" if failed else flat)
    )


def picture(all_found):
    figure, axes = pyplot.subplots(2, 1, figsize=(9, 6), layout="constrained")
    for found in all_found:
        seconds = EVERY * np.arange(len(found["memory"]))
        axes[0].plot(seconds, found["memory"], label=found["detector"])
        axes[1].plot(1e3 * np.array(found["latencies"]), label=found["detector"])
    axes[0].set(ylabel="Memory (MiB)", ylim=(0, None))
    axes[1].set(ylabel="Latency (ms)", xlabel="Seconds", yscale="log")
    axes[0].legend(ncols=4)
    return page.drawn(figure, "png")["png"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0, help="all together")
    parser.add_argument(
        "--by-samples",
        action="store_true",
        help="for so many samples instead: "
        + ", ".join(f"{name} {count:.0e}" for name, count in SAMPLES.items()),
    )
    parser.add_argument(
        "--detectors", nargs="+", choices=list(LINKS), default=list(LINKS)
    )
    parser.add_argument("--faults-per-second", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("out/soak"))
    options = parser.parse_args()
    if options.by_samples:
        options.detectors = [name for name in SAMPLES if name in options.detectors]
        if not options.detectors:
            parser.error(
                f"--by-samples: --detectors must name one of {', '.join(SAMPLES)}"
            )
    options.seconds = 60 * options.minutes / len(options.detectors)
    return options


def main():
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    found = []
    for name in options.detectors:
        found.append(soak(name, options))
        print(page.text_table(COLUMNS, [row(found[-1])], (0,), 0), flush=True)
    text = page.text_table(COLUMNS, map(row, found), (0,), 0)
    names = [one["detector"] for one in found]
    text += "\n\n" + page.text_table(("Lost", *names), fault_rows(found), (0,), 0)
    print(f"\n{text}")
    # JSON has no NaN
    known = [{k: v if v == v else None for k, v in one.items()} for one in found]
    summary = dict(date=page.date(), machine=page.machine(), found=known)
    page.write(
        {
            "soak.json": json.dumps(summary, indent=1).encode(),
            "soak.txt": f"{text}\n".encode(),
            "soak.png": picture(found),
        },
        options.out,
    )
    print(f"\n{sum_up(found)}")
    return 0 if all(map(holds, found)) else 1


if __name__ == "__main__":
    sys.exit(main())
