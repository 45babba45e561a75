#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Bit error rates of the configured ESN on the research code's frames, beside the rates required.

The frames come from ../shared/reference beside the project; where that is not there, nothing is
measured and the script says so. Writes a table and, with --out, a JSON file.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
from gnuradio import digital, reservoir
from tqdm import tqdm

REFERENCE = Path(__file__).parents[3] / "shared" / "reference"
if not (REFERENCE / "scenarios.py").exists():
    sys.exit("The reference code is not on this machine: nothing to measure.")
sys.dont_write_bytecode = True
sys.path.insert(0, str(REFERENCE))
import receiver
import scenarios

LINEAR = dict(feedback=False, refits=0)
NO_REFIT = dict(refits=0, max_frequency_offset=0, tracking="off")
COMPLETE = {}

# scenario: bounds of the linear form, of feedback without refit, of the complete receiver
TABLE = {
    "ship exp6 qpsk 11 P32": (0.030, 0.012, 1e-3),
    "ship exp6 qpsk 11 P64": (0.020, 0.0027, 7e-4),
    "ship exp6 16qam 20 P64": (0.016, 3e-4, 1e-4),
    "ship proC qpsk 16 P64": (0.13, 0.0036, 8e-4),
    "ship mp4 qpsk 12 P64": (0.046, 0.006, 2.2e-3),
    "ship exp6 16qam 22 P128 rapp2_3 shaped": (0.008, 3e-4, 2e-4),
    "ship exp6 16qam 26 P128 rx-sat": (0.024, 0.0075, 2.5e-4),
    "ship mp5 16qam 26 P128 mp shaped": (0.031, 0.0065, 1.2e-3),
}
ROBUST = {
    "tag late 3, exp6 qpsk 11 P64": 1e-3,
    "tag early 4, exp6 qpsk 11 P64": 1e-3,
    "tag +-4, exp6 qpsk 11 P64": 1e-3,
    "cfo 3e-4 pn .3, exp6 qpsk 11 P64": 1e-3,
    "cfo 1e-3, exp6 qpsk 14 P128": 1e-3,
    "cfo 1e-4, exp6 16qam 20 P64": 3e-4,
    "exp14 qpsk 12 P128": 2e-4,
    "exp14 16qam 20 P128": 1e-4,
    "sps 2, random timing phase, exp6 16qam 20 P128": 5e-4,
    "long 4096 fd2e-5 exp5 16qam 20": 4e-4,
}
OFFSETS = (0.0, 2.5e-4, 5e-4, 7.5e-4, 1e-3, 1.25e-3, 1.5e-3, 1.75e-3, 2e-3)
MILD = [
    (channel, modulation, snr_db)
    for channel in ("flat", "exp2", "exp6")
    for modulation, snrs in (("qpsk", (0, 2.5, 5, 40)), ("16qam", (5, 40)))
    for snr_db in snrs
]


def turned(sim, offset):
    samples = np.arange(sim["N"] * sim["sps"]) / sim["sps"] - scenarios.G
    return dict(sim, r=sim["r"] * np.exp(2j * np.pi * offset * samples))


def any_timing(sim, rng):
    """Two samples per symbol out of the given four, each frame from a phase of its own."""
    phase = rng.integers(0, 4, sim["F"])
    rows = [np.append(r[k:], np.zeros(k))[::2] for r, k in zip(sim["r"], phase)]
    return dict(sim, r=np.array(rows), sps=2)


def frames(name, count, seed):
    rng = np.random.default_rng(seed)
    if name.startswith("sps 2"):
        sim = receiver.simulate(
            count, "16qam", 128, 512, "exp6", 20, rng, link="shaped", sps=4
        )
        return any_timing(sim, rng)
    if name.startswith("cfo 1e-4, "):
        sim = receiver.simulate(count, "16qam", 64, 512, "exp6", 20, rng)
        return scenarios.phase(1e-4, 0.0)(sim, rng)
    return scenarios.mk(name, count, seed)


def bit_errors(sim, make):
    """Bit error rate of each frame; make(constellation) is the detector."""
    points = list(sim["C"])
    constellation = digital.constellation_calcdist(
        points, list(range(len(points))), 4, 1
    ).base()
    start, pilots, sps = sim["pil"].start, sim["P"], sim["sps"]
    detector = make(constellation)
    received = [
        detector.receive(
            r[start * sps :], x[start : start + pilots], sps=sps, payload_len=sim["D"]
        )[pilots:]
        for r, x in zip(sim["r"], sim["x"])
    ]
    return receiver.ber(sim, y=np.array(received))[0]


def configured(**settings):
    return lambda constellation: reservoir.configured_esn(
        constellation=constellation, **settings
    )


def measure(sim, make, name, bound, errors=bit_errors):
    begin = time.perf_counter()
    rates = errors(sim, make)
    return dict(
        name=name,
        frames=len(rates),
        ber=rates.mean(),
        ci95=1.96 * rates.std(ddof=1) / np.sqrt(len(rates)),
        bound=bound,
        broken_frames=int((rates > 0.05).sum()),
        ber_of_the_rest=rates[rates <= 0.05].mean() if (rates <= 0.05).any() else None,
        ms_per_frame=1e3 * (time.perf_counter() - begin) / len(rates),
    )


def table(count, seed):
    for name, bounds in TABLE.items():
        sim = frames(name, count, seed)
        settings = (LINEAR, NO_REFIT, COMPLETE)
        forms = ("linear", "no refit", "complete")
        for form, setting, bound in zip(forms, settings, bounds):
            yield measure(sim, configured(**setting), f"{name}: {form}", bound)


def robust(count, seed):
    for name, bound in ROBUST.items():
        yield measure(frames(name, count, seed), configured(), name, bound)
    sim = frames("ship exp6 qpsk 11 P64", count, seed)
    for offset in OFFSETS:
        name = f"carrier offset {offset:g}, exp6 qpsk 11 P64"
        yield measure(turned(sim, offset), configured(), name, 1.2e-3)


def told(sim, make):
    """Bit error rates of a detector that is told each frame's true channel."""
    rates = []
    for f in range(sim["F"]):
        one = {
            k: v[f : f + 1] if k in ("r", "x", "xi", "h") else v for k, v in sim.items()
        }

        def make_told(constellation):
            detector = make(constellation)
            detector.set_channel(one["h"])
            return detector

        rates.append(bit_errors(dict(one, F=1), make_told)[0])
    return np.array(rates)


def maximum_likelihood(sim, estimate):
    """Bit error rates of the Viterbi algorithm; estimate makes a detector whose channel it uses."""
    points, start, pilots = sim["C"], sim["pil"].start, sim["P"]
    found = []
    for f in range(sim["F"]):
        r, x, channel = sim["r"][f, start:], sim["x"][f, start:], sim["h"][f]
        if estimate:
            channel = estimate(None).fit(r, x[:pilots]).channel.ravel()
        memory = len(channel) - 1
        found.append(
            reservoir.viterbi_equalizer(
                r[pilots : pilots + sim["D"] + memory],
                sim["D"],
                channel,
                points,
                x[pilots - memory : pilots][::-1],
                x[pilots + sim["D"] :][:memory],
            )
        )
    return receiver.ber(sim, idx=np.array(found))[0]


def baselines(count, seed):
    """The textbook's equalizers on one scenario; no bound is set for them."""
    sim = frames("ship exp6 qpsk 11 P64", count, seed)
    model = dict(refits=0, prior_weight=1e6, max_frequency_offset=0, tracking="off")
    linear = configured(feedback=False, **model)
    feedback = configured(survivors=1, **model)
    least_squares = configured(survivors=1, **dict(model, prior_weight=0))
    yield measure(sim, linear, "MMSE-LE, channel estimated", None)
    yield measure(sim, linear, "MMSE-LE, channel known", None, told)
    yield measure(sim, least_squares, "LS-DFE", None)
    yield measure(sim, feedback, "MMSE-DFE, channel estimated", None)
    yield measure(sim, feedback, "MMSE-DFE, channel known", None, told)
    estimate = lambda _: reservoir.configured_esn(channel_len=6)
    yield measure(sim, estimate, "MLSE, channel estimated", None, maximum_likelihood)
    yield measure(sim, None, "MLSE, channel known", None, maximum_likelihood)


def fading(count, seed):
    name = "long 4096 fd1e-4 exp5 16qam 22"
    row = measure(frames(name, count, seed), configured(), name, None)
    yield dict(row, name=name + ": all")
    share = row["broken_frames"] / row["frames"]
    yield dict(row, name=name + ": share of frames above .05", ber=share, bound=0.05)
    yield dict(row, name=name + ": the rest", ber=row["ber_of_the_rest"], bound=2e-3)
    sim = frames("ship exp6 qpsk 11 P64", count, seed)
    off = measure(sim, configured(tracking="off"), "static channel, tracking off", None)
    yield off
    bound = 1.3 * off["ber"]
    yield measure(sim, configured(tracking="on"), "static channel, tracking on", bound)


def never_worse(count, seed):
    for pilots in (16, 64):
        for channel, modulation, snr_db in MILD:
            rng = np.random.default_rng(seed)
            sim = receiver.simulate(
                count, modulation, pilots, 512, channel, snr_db, rng
            )
            name = f"{channel} {modulation} {snr_db} dB P{pilots}"
            fir = measure(sim, lambda _: reservoir.fir(), f"{name}: fir", None)
            yield fir
            bound = 1.1 * fir["ber"]
            yield measure(sim, configured(), f"{name}: configured", bound)


def against_oracle(count, seed):
    for name in list(TABLE) + list(ROBUST)[:5]:
        sim = frames(name, count, seed)
        rates = receiver.ber(sim, idx=receiver.receive_auto(sim))[0]
        # one frame's worth of bits decides nothing
        bound = 1.2 * rates.mean() + 4 / (rates.size * sim["D"] * sim["nb"])
        yield measure(sim, configured(), f"{name}, seed {seed}, against oracle", bound)


PARTS = dict(
    table=table,
    robust=robust,
    baselines=baselines,
    fading=fading,
    never_worse=never_worse,
    against_oracle=against_oracle,
)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=200, help="a row (%(default)s)")
    parser.add_argument("--seed", type=int, default=987, help="(%(default)s)")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--out", type=Path, help="JSON file")
    options = parser.parse_args()
    rows = []
    for part in options.parts:
        for row in tqdm(PARTS[part](options.frames, options.seed), desc=part):
            rows.append(row)
            good = row["bound"] is None or row["ber"] <= row["bound"]
            bound = "" if row["bound"] is None else f"<= {row['bound']:.2g}"
            tqdm.write(
                f"{row['name']:55s} {row['ber']:.2e} +- {row['ci95']:.1e} {bound:11s}"
                f"{'' if good else ' MISSED'} ({row['frames']} frames, "
                f"{row['ms_per_frame']:.1f} ms each)"
            )
    if options.out:
        options.out.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
