#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Compares speeds and errors with those that were stored, and names what fell.

    PYTHONPATH=build/test_modules /usr/bin/python3 tests/bench/bench_check.py [--write]

Speeds are ratios to that of a peer, both in time of the processor. Errors are those of campaigns/guard.toml.
--write stores what is measured.
"""

import argparse
import collections
import contextlib
import functools
import json
import os
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import bench
import ofdm_rates
import peers
from bench_report import FIR, FIR_LINEAR, QAM_SEARCH, QPSK_SEARCH, digits
from gnuradio.reservoir.campaign.specification import load, place
from gnuradio.reservoir.campaign.statistics import half_interval
from gnuradio.reservoir.commands import sweep
from gnuradio.reservoir.report import page
from tqdm import tqdm

CAMPAIGN = Path(__file__).resolve().parents[2] / "campaigns" / "guard.toml"
BASELINE = Path(__file__).with_name("baseline.json")
ACCEPT = "make bench-baseline"
KINDS = ("errors", "speeds")
WORDS = ("FELL", "GONE", "better", "changed", "new", "")  # "": as it was
FRAMES_SHOWN = 3

RUNS, SECONDS = 7, 0.1  # of each speed
TOLERANCE = 0.2, 0.4  # of a speed: twice the scatter that was stored, within these
# from hour to hour these differed by a fifth to a third, more than within a run
UNSTEADY = ("ridge_", "recurrent_network_epoch")
TRIES = 3  # a speed fell if it is too low in each of them
REPEATS = 3  # of all speeds, for what is stored

LMS = "digital.linear_equalizer, LMS, 16 taps"
DFE = "digital.decision_feedback_equalizer, 16 + 8 taps"
PEERS = ("digital.", "filter.", ofdm_rates.NUMPY)
BESIDE = {  # all others: LMS
    "reservoir fir, 24 taps": "filter.fir_filter_ccc, 32 taps",
    FIR: "filter.fir_filter_ccc, 32 taps",
    FIR_LINEAR: "filter.fir_filter_ccc, 81 taps",
    QPSK_SEARCH: DFE,
    QAM_SEARCH: DFE,
}


def rate_measures(options):
    """Symbols, frames or trainings per second, by name."""
    pilots = bench.QPSK.symbols[: bench.PILOTS]

    def training_seconds(detector):
        train = functools.partial(detector.fit, bench.QPSK.received, pilots)
        return bench.least(options, lambda: peers.timed(train))

    seconds = bench.frame_measures(options) | {
        f"training on {bench.PILOTS} pilots, {name}": functools.partial(
            training_seconds, make()
        )
        for name, make in bench.TRAININGS.items()
    }
    return (
        bench.block_measures(options)
        | {
            f"configured_esn, {name}": measure
            for name, measure in bench.real_time_measures(options).items()
        }
        | ofdm_rates.measures(options.seconds)
        | {name: lambda one=one: 1 / one() for name, one in seconds.items()}
    )


def kernel_ratios(options, names=()):
    """Items per second over the multiply-adds that the core can do, both the best of some; a share where
    operations are counted. names: only these."""
    if not options.kernels.exists():
        return {}
    which = "|".join(map(re.escape, ["fma_peak", *names])) if names else "."
    fastest = bench.kernel_runs.__wrapped__(
        options.kernels, options.runs, options.seconds / 2, which
    )
    peaks = {
        counter: rate
        for name, run in fastest.items()
        for counter, rate in bench.flop_rates(run)
        if name.startswith("fma_peak")
    }
    ratios = {}
    for name, run in fastest.items():
        counter = "flop_double" if "flop_double" in run else "flop"
        if "items_per_second" in run and not name.startswith("fma_peak"):
            rate = run.get(counter, 1) * run["items_per_second"]
            ratios[name] = rate / peaks[counter]
    return ratios


def beside(name, measures):
    return BESIDE.get(name, LMS) if name in measures else "the core's multiply-adds"


def speed_ratios(options, measures, names=()):
    """By name, the median of ratios; each is measured right before its peer. names: only these."""
    ours = [one for one in measures if one in (names or measures)]
    ratios = {one: [] for one in ours if not one.startswith(PEERS)}
    for _ in tqdm(range(options.runs), disable=None, desc="speeds"):
        for one, found in ratios.items():
            found.append(measures[one]() / measures[beside(one, measures)]())
    medians = {one: statistics.median(found) for one, found in ratios.items()}
    kernels = [one for one in names if one not in measures]
    return medians | (kernel_ratios(options, kernels) if kernels or not names else {})


def checked_speeds(options, known):
    """What seems to have fallen is measured again; the best counts."""
    measures = rate_measures(options)
    found = speed_ratios(options, measures)
    for _ in range(TRIES - 1):
        rows = judged(judge_speed, known, found)
        if not (low := [name for word, name, _ in rows if word == "FELL"]):
            break
        again = speed_ratios(options, measures, low)
        found |= {name: max(found[name], ratio) for name, ratio in again.items()}
    return found


def stored_speeds(options):
    """Medians of some times all; scatter: from the least to the most of them."""
    measures = rate_measures(options)
    times = [speed_ratios(options, measures) for _ in range(REPEATS)]
    rows = {}
    for name in sorted(times[0]):
        ratios = [one[name] for one in times]
        ratio = statistics.median(ratios)
        scatter = (max(ratios) - min(ratios)) / ratio
        if name.startswith(UNSTEADY):
            scatter = max(scatter, TOLERANCE[1] / 2)
        rows[name] = dict(
            ratio=float(f"{ratio:.4g}"),
            scatter=round(scatter, 3),
            beside=beside(name, measures),
        )
    return rows


def error_counts(options):
    """What went wrong in each frame, by link and receiver."""
    campaign = load(CAMPAIGN, frames=options.frames)
    with tempfile.TemporaryDirectory() as folder:  # nothing of an older library
        how = SimpleNamespace(out=Path(folder), workers=None, scheduler=None)
        results = sweep.run(campaign, how, CAMPAIGN.name)
    rows = {}
    for point, measured in results.pairs():
        for name, one in measured.items():
            counts = one.lost_packets if one.packets else one.wrong
            rows[f"{place(point)}: {name}"] = dict(
                wrong=int(counts.sum()),
                of=one.frames * (1 if one.packets else one.symbols),
                unit="packets" if one.packets else "symbols",
                frames=" ".join(f"{count:.0f}" for count in counts),
            )
    return dict(sorted(rows.items()))


def judge_speed(known, now):
    """A word, and figures."""
    change = now / known["ratio"] - 1
    allowed = min(max(TOLERANCE[0], 2 * known["scatter"]), TOLERANCE[1])
    word = "FELL" if change < -allowed else "better" if change > allowed else ""
    return word, (
        f"{digits(known['ratio'])} -> {digits(now)} of {known['beside']} "
        f"({change:+.0%}; up to {allowed:.0%} is scatter)"
    )


def allowance(known):
    """Errors by which a count may differ where arithmetic is rounded otherwise."""
    return (1 if known["unit"] == "packets" else 4) + known["wrong"] / 1000


def judge_errors(known, now):
    """A word, and figures."""
    before, after = ([int(x) for x in one["frames"].split()] for one in (known, now))
    sizes = [(len(f), one["of"]) for f, one in ((before, known), (after, now))]
    if sizes[0] != sizes[1] or known["unit"] != now["unit"]:
        texts = ["{} frames, {} {{}}".format(*size) for size in sizes]
        return "GONE", " are now ".join(texts).format(known["unit"], now["unit"])
    moved = [(k, *one) for k, one in enumerate(zip(before, after)) if one[0] != one[1]]
    moved.sort(key=lambda one: -abs(one[2] - one[1]))
    more, allowed = now["wrong"] - known["wrong"], allowance(known)
    word = "FELL" if more > allowed else "better" if more < -allowed else ""
    if not word and sum(abs(b - a) for _, a, b in moved) > allowed:
        word = "changed"
    text = f"{known['wrong']} -> {now['wrong']} of {now['of']} {now['unit']} wrong"
    if moved:
        half = len(after) * half_interval([b - a for a, b in zip(before, after)])
        text += f" ({more:+} ± {digits(half)})"
        shown = ", ".join(f"{k} ({a} -> {b})" for k, a, b in moved[:FRAMES_SHOWN])
        rest = len(moved) - FRAMES_SHOWN
        text += f"; frames {shown}" + (f" and {rest} more" if rest > 0 else "")
    return word, text


def judged(judge, known, now):
    """(word, name, figures) of all that is known or measured."""
    for name in sorted(known.keys() | now.keys()):
        if name not in now:
            yield "GONE", name, "is not measured any more"
        elif name not in known:
            yield "new", name, "is not in the baseline"
        else:
            word, text = judge(known[name], now[name])
            yield word, name, text


def told(title, known, rows):
    """Print what changed; returns how often each word is said."""
    rows = list(rows)
    print(f"\n{title}, {len(rows)} compared with those of {known['date']}:")
    for word, name, text in rows:
        if word:
            print(f"  {word:<7} {name}: {text}")
    words = collections.Counter(word for word, *_ in rows)
    print(f"  {words['']} are as they were")
    return words


def processor():
    """And the GNU Radio whose blocks are the peers: ratios of others are not compared."""
    name = page.machine()["processor"]
    with contextlib.suppress(OSError):
        text = Path("/proc/cpuinfo").read_text()
        numbers = re.findall(r"^(?:cpu family|model)\s*:\s*(\d+)$", text, re.MULTILINE)
        name += f" ({'.'.join(numbers[:2])})"
    return f"{name}, GNU Radio {page.versions()['gnuradio']}"


def one_core():
    if bench.CAN_PIN:
        bench.use({min(bench.ALL_CORES)})


def compared(options, baseline, kind):
    """What changed of errors or speeds, or that nothing is known of them."""
    known = baseline.get(kind, {})
    if kind == "speeds":
        known = known.get(processor(), {})
    if not known:
        of = f" of {processor()}" if kind == "speeds" else ""
        print(
            f"\n{options.baseline} has no {kind}{of}: {ACCEPT} ONLY={kind} adds them."
        )
        return collections.Counter()
    if kind == "speeds":
        one_core()
        found = checked_speeds(options, known["rows"])
        rows = judged(judge_speed, known["rows"], found)
        return told("Speeds beside those of peers", known, rows)
    rows = judged(judge_errors, known["rows"], error_counts(options))
    return told("Errors in the same frames", known, rows)


def check(options, baseline):
    """The exit status: 1 if something fell or is not measured any more, 2 if nothing is known."""
    words = collections.Counter()
    for kind in options.only:
        words.update(compared(options, baseline, kind))
    if not words:
        return 2
    bad = words["FELL"] + words["GONE"]
    figures = ", ".join(f"{words[w]} {w or 'as before'}" for w in WORDS if words[w])
    cure = f" If that is wanted, {ACCEPT} stores it." if bad else ""
    print(
        f"\n{'Something fell or is gone' if bad else 'Nothing fell'}: {figures}.{cure}"
    )
    return 1 if bad else 0


def dumped(baseline):
    """A line per row, so that differences can be read."""
    text = json.dumps(baseline, indent=1, ensure_ascii=False)
    row = re.compile(r"\{\s*([^{}]*?)\s*\}")
    return row.sub(lambda m: "{" + re.sub(r"\s*\n\s*", " ", m[1]) + "}", text) + "\n"


def write(options, baseline):
    """Stores what is measured; speeds of other processors are kept."""
    about = dict(date=page.date()[:10], load=round(os.getloadavg()[0], 1))
    if "errors" in options.only:
        baseline["errors"] = dict(about, rows=error_counts(options))
    if "speeds" in options.only:
        one_core()
        rows = stored_speeds(options)
        baseline.setdefault("speeds", {})[processor()] = dict(about, rows=rows)
    options.baseline.write_text(dumped(baseline))
    print(f"Written: {options.baseline}")
    return 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="store, do not compare")
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--baseline", type=Path, default=BASELINE, help="file")
    parser.add_argument("--kernels", type=Path, default=bench.KERNELS)
    parser.add_argument("--frames", type=int, help="other than the campaign says")
    options = parser.parse_args()
    options.runs, options.seconds = RUNS, SECONDS
    return options


def main():
    peers.clock = time.process_time  # a load on the machine takes none of it
    options = arguments()
    try:
        baseline = json.loads(options.baseline.read_text())
    except FileNotFoundError:
        baseline = {}
    return (write if options.write else check)(options, baseline)


if __name__ == "__main__":
    sys.exit(main())
