#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Frames that the configured ESN loses, beside those that a genie loses, which knows the channel.

    PYTHONPATH=build/test_modules /usr/bin/python3 tests/bench/lost_frames.py [--links T1 T3]

A frame is lost if more than 5 % of its symbols are wrong. Links: lossy_links.py; genies:
genies.py, whose results are kept in the folder of --out, as they do not depend on our receiver.
With --against the same frames go through another build as well.
"""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE))
import genies  # noqa: E402
import lost_frames_table as table  # noqa: E402
from lossy_links import LINKS, make_frame  # noqa: E402

CHUNK = 100  # frames a process receives
LENGTHS = (900, 950, 1000, 1016, 1023, 1024, 1025, 1026, 1032, 1048, 1100, 1150, 1200)
STEP = 1.3  # allowed between neighbouring lengths


class Runs:
    """Processes that receive frames, so many at a time, with this module or another."""

    def __init__(self, jobs, chunk=CHUNK):
        self._pool = ThreadPoolExecutor(jobs)
        self._chunk = chunk

    def start(self, first, count, module=None, **request):
        """A list of futures; take() makes one list of what they find."""
        return [
            self._pool.submit(
                run_process,
                dict(
                    request, first=begin, count=min(self._chunk, first + count - begin)
                ),
                module,
            )
            for begin in range(first, first + count, self._chunk)
        ]

    def stop(self):
        self._pool.shutdown(cancel_futures=True)


def run_process(request, module):
    environment = dict(os.environ)
    if module:
        paths = [str(module), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    done = subprocess.run(
        [sys.executable, HERE / "receive_links.py", json.dumps(request)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(f"receive_links.py failed for {request}")
    return json.loads(done.stdout)


def take(futures):
    return [frame for future in futures for frame in future.result()]


class GenieStore:
    """The genie's errors of each frame, in a file per link, Es/N0 and seed."""

    def __init__(self, folder):
        self._folder = folder / "genies"
        self._folder.mkdir(parents=True, exist_ok=True)

    def _file(self, link, snr_db, seed):
        return self._folder / f"{link}_{snr_db:g}dB_seed{seed}.json"

    def load(self, link, snr_db, seed):
        """Errors of frames 0, 1, ...; none if the file is of other frames."""
        file = self._file(link, snr_db, seed)
        if not file.exists():
            return []
        kept = json.loads(file.read_text())
        same = kept["first_frame"] == fingerprint(link, snr_db, seed)
        return kept["errors"] if same else []

    def save(self, link, snr_db, seed, errors):
        first = fingerprint(link, snr_db, seed)
        kept = dict(first_frame=first, errors=errors)
        file = self._file(link, snr_db, seed)
        begun = file.with_suffix(f".{os.getpid()}")  # others may be reading
        begun.write_text(json.dumps(kept))
        begun.replace(file)


def fingerprint(link, snr_db, seed):
    """Tells another definition of a link from rounding."""
    received = make_frame(link, snr_db, seed, 0).received
    return [round(float(power), 3) for power in np.abs(received[:400:40]) ** 2]


class Measurement:
    """All frames of one link at one Es/N0, of every seed; the work begins at once."""

    def __init__(self, link, snr_db, options, runs, store):
        self.link, self.snr_db = link, snr_db
        self._store, self._work = store, []
        for seed in options.seed:
            frames = dict(link=link, snr_db=snr_db, seed=seed)
            begin = lambda first=0, **more: runs.start(
                first, options.frames - first, **frames, **more
            )
            work = dict(seed=seed, ours=begin(settings=options.settings))
            if options.against:
                work["theirs"] = begin(module=options.against)
            if genies.available(link):
                work["known"] = store.load(link, snr_db, seed)[: options.frames]
                work["genie"] = begin(first=len(work["known"]), genie=True)
            self._work.append(work)

    def finish(self):
        """One dictionary per frame."""
        frames = []
        for work in self._work:
            ours = take(work["ours"])
            theirs = take(work["theirs"]) if "theirs" in work else [None] * len(ours)
            errors = [None] * len(ours)
            if "genie" in work:
                errors = work["known"] + [len(f["wrong"]) for f in take(work["genie"])]
                if len(work["known"]) < len(errors):
                    self._store.save(self.link, self.snr_db, work["seed"], errors)
            for number, (one, other, genie) in enumerate(zip(ours, theirs, errors)):
                frames.append(
                    dict(
                        one,
                        link=self.link,
                        snr_db=self.snr_db,
                        seed=work["seed"],
                        frame=number,
                        genie_errors=genie,
                        other=other,
                    )
                )
        return frames


def without_places(frame):
    """For the JSON file: the number of errors instead of their places."""
    kept = {key: value for key, value in frame.items() if key not in ("wrong", "other")}
    kept["errors"] = len(frame["wrong"])
    if frame.get("other"):
        kept["other"] = without_places(frame["other"])
    return kept


def measure(options, runs):
    """The table, row by row; what was measured so far is written after every row."""
    store = GenieStore(options.folder)
    wanted = [
        Measurement(link, snr_db, options, runs, store)
        for link in options.links
        for snr_db in options.snr or LINKS[link].snrs_db
    ]
    if any(not genies.available(link) for link in options.links):
        print(genies.NO_REFERENCE)
    print(table.HEADING, flush=True)
    rows, frames = [], []
    for measurement in tqdm(wanted, disable=not sys.stderr.isatty()):
        found = measurement.finish()
        row = table.summary(found)
        tqdm.write(table.line(row))
        if options.against:
            row["against"] = table.comparison(found)
            tqdm.write(table.comparison_line(row["against"]))
        sys.stdout.flush()
        rows.append(row)
        frames += [without_places(frame) for frame in found]
        if options.out:
            options.out.write_text(json.dumps(dict(rows=rows, frames=frames)))
    bars = [met for row in rows for met in row["bars"].values()]
    print(f"{sum(bars)} of {len(bars)} bars are met.")
    return rows


def lengths(options, runs):
    """T1 with payloads that are the same frames, cut: is anything abrupt between two lengths?"""
    link, snr_db = "T1", (options.snr or [15])[0]
    work = {
        length: [
            runs.start(
                0,
                options.frames,
                link=link,
                snr_db=snr_db,
                seed=seed,
                longest=max(LENGTHS),
                payload_len=length,
                settings=options.settings,
            )
            for seed in options.seed
        ]
        for length in LENGTHS
    }
    print(f"{link} at {snr_db:g} dB, {options.frames * len(options.seed)} frames")
    print(f"{'payload':>7s} {'symbol error rate':>18s} {'lost':>5s} {'us/symbol':>10s}")
    rows = []
    for length, started in work.items():
        frames = [frame for futures in started for frame in take(futures)]
        lost, _, rate = table.counts([len(frame["wrong"]) for frame in frames], length)
        seconds = np.mean([frame["seconds"] for frame in frames])
        rows.append(
            dict(length=length, rate=rate, us_per_symbol=1e6 * seconds / length)
        )
        print(f"{length:7d} {rate:18.3e} {lost:5d} {1e6 * seconds / length:10.2f}")
    for key, text in (("rate", "symbol error rate"), ("us_per_symbol", "time")):
        step = table.largest_step([row[key] for row in rows])
        print(f"largest step of the {text}: {step:.2f}, {table.word(step <= STEP)}")
    if options.out:
        options.out.write_text(json.dumps(rows))


def detail(options):
    """Where one frame's errors lie, ours and the genie's."""
    link, snr_db, seed, number = options.detail
    request = dict(
        link=link, snr_db=float(snr_db), seed=int(seed), first=int(number), count=1
    )
    who = {"ours": dict(settings=options.settings)}
    if options.against:
        who["the other build"] = dict(module=options.against)
    if genies.available(link):
        who["genie"] = dict(genie=True)
    for name, more in who.items():
        module = more.pop("module", None)
        (frame,) = run_process(dict(request, **more), module)
        print(
            f"{name}: {len(frame['wrong'])} of {LINKS[link].payload_len} symbols wrong"
        )
        for first, last, errors in table.bursts(np.array(frame["wrong"], int)):
            print(f"    {errors:5d} in {first} ... {last}")
        for key, value in frame.get("report", {}).items():
            print(f"    {key}: {value}")


def setting(text):
    """name=value as JSON, or as a word."""
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def arguments(given):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--links", nargs="+", choices=LINKS, default=list(LINKS))
    add("--snr", nargs="+", type=float, help="Es/N0 in dB (two for each link)")
    add("--seed", nargs="+", type=int, default=[1], help="(%(default)s)")
    add("--frames", type=int, default=200, help="for each seed (%(default)s)")
    add("--jobs", type=int, default=1, help="processes of one thread (%(default)s)")
    add(
        "--out",
        type=Path,
        help="JSON file (a folder beside it keeps the genies' results)",
    )
    add(
        "--against", type=Path, help="another build's test_modules, for the same frames"
    )
    add(
        "--set",
        nargs="+",
        type=setting,
        default=[],
        metavar="NAME=VALUE",
        help="parameters of this build's receiver other than its defaults",
    )
    add(
        "--lengths", action="store_true", help="T1 with payloads of 900 to 1200 symbols"
    )
    add(
        "--detail",
        nargs=4,
        metavar=("LINK", "SNR", "SEED", "FRAME"),
        help="where the errors of one frame lie",
    )
    options = parser.parse_args(given)
    if options.against and not (options.against / "gnuradio" / "reservoir").is_dir():
        parser.error(f"there is no gnuradio/reservoir in {options.against}")
    options.settings = dict(options.set)
    options.folder = options.out.parent if options.out else Path("out/lost_frames")
    options.folder.mkdir(parents=True, exist_ok=True)
    return options


def main(given=None):
    options = arguments(given)
    if options.detail:
        return detail(options)
    runs = Runs(options.jobs)
    try:
        return lengths(options, runs) if options.lengths else measure(options, runs)
    finally:
        runs.stop()


if __name__ == "__main__":
    main()
