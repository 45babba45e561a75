#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Bit error rates on bursts with known symbols inside (HF modems, GSM), beside what people use today.

    PYTHONPATH=build/test_modules /usr/bin/python3 tests/bench/known_patterns.py \\
        [--waveforms m2400s] [--channels poor] [--snr 18] [--receivers configured rls dfe]

Bursts: known_links.py; the others' receivers: known_baselines.py, each with the best of a few
settings on the very bursts. Rates are of the unknown symbols' bits, with 95 % intervals over bursts.
--carrier counts each receiver twice, on the same bursts without and with a carrier that is off by up
to 2 Hz and wanders.
"""

import argparse
import ast
import hashlib
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
import known_baselines as baselines  # noqa: E402
from known_links import CHANNELS, WAVEFORMS, make_burst  # noqa: E402

CHUNK = 50  # bursts that the baselines receive at once
HF_BURSTS, GSM_BURSTS = 50, 1500
BASELINES = {
    "nlms": baselines.nlms,
    "rls": baselines.rls,
    "dfe": baselines.interpolated_dfe,
    "dfe8": baselines.interpolated_survivors,
    "viterbi": baselines.ls_viterbi,
    "refit": baselines.ls_viterbi_refit,
    "true": baselines.true_channel,
}
ON_HF = ("configured", "nlms", "rls", "dfe", "dfe8", "true")
ON_GSM = ("configured", "viterbi", "refit", "true")
# bit error rates that must be reached
RATE_BARS = {
    ("m2400s", "poor", 18): 0.014,
    ("m2400s", "moderate", 18): 0.008,
    ("gsm", "tu50", 8): 0.042,
    ("gsm", "ht100", 16): 0.0040,
}
OVER_RLS, OVER_DFE, OVER_NO_CARRIER = 0.5, 1.1, 1.2


# GSM's constellation turns by this per symbol
QUARTER_TURN = np.pi / 2


def as_transmitted(burst):
    """GSM's samples with their rotation."""
    turns = 1j ** (np.arange(len(burst.received)) % 4)
    return (burst.received * turns).astype(np.complex64)


def two_real_streams(burst):
    """GSM's symbols are real: real and imaginary parts are two antennas."""
    received = burst.received
    return np.array([received.real, received.imag]).astype(np.complex64)


def ours(kind, settings):
    """A function as in BASELINES; one detector for all bursts."""

    def receive(name, bursts):
        waveform = WAVEFORMS[name]
        own = dict(settings)
        prepare = lambda burst: burst.received
        if kind == "configured":
            own["constellation"] = waveform.gnuradio_constellation().base()
            if name == "gsm":
                own.setdefault("rotation", QUARTER_TURN)
                prepare = as_transmitted
            detector = reservoir.configured_esn(**own)
        else:
            inputs = 1
            if name == "gsm":
                inputs, prepare = 2, two_real_streams
            detector = getattr(reservoir, kind)(num_inputs=inputs, **own)
        unknown = int(np.sum(~waveform.known))
        decided = []
        for burst in bursts:
            output = detector.receive(
                prepare(burst),
                reservoir.known_symbols(burst.values),
                burst.sps,
                unknown,
            )
            assert output.shape == burst.indices.shape, output.shape
            decided.append(baselines.nearest(burst.points, output))
        return [np.array(decided)]

    return receive


def bit_errors(indices, burst):
    """Of the unknown symbols; an index is its label."""
    wrong = (indices ^ burst.indices)[~burst.known]
    return int(np.unpackbits(wrong.astype(np.uint8)).sum())


def count_errors(receive, bursts):
    """(settings, bursts)"""
    chunks = []
    for first in range(0, len(bursts), CHUNK):
        chunk = bursts[first : first + CHUNK]
        chunks.append(
            [[bit_errors(i, b) for i, b in zip(r, chunk)] for r in receive(chunk)]
        )
    return np.concatenate(chunks, 1)


class Cache:
    """What the baselines' errors were, in files of their own."""

    def __init__(self, folder):
        self._folder = folder
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
        sources = [HERE / "known_baselines.py", HERE / "known_links.py"]
        # comments and layout change no result
        code = "".join(ast.dump(ast.parse(source.read_text())) for source in sources)
        self._version = hashlib.sha1(code.encode()).hexdigest()

    def errors(self, receive, bursts, *key):
        if not self._folder:
            return count_errors(receive, bursts)
        file = self._folder / ("_".join(map(str, key)) + ".npz")
        if file.exists():
            kept = np.load(file)
            if kept["version"] == self._version and kept["errors"].shape[1] >= len(
                bursts
            ):
                return kept["errors"][:, : len(bursts)]
        errors = count_errors(receive, bursts)
        np.savez(file, version=self._version, errors=errors)
        return errors


def rate_and_interval(errors, bits):
    """Bit error rate and half of its 95 % interval, from the spread between bursts."""
    half = (
        1.96 * np.std(errors, ddof=1) / np.sqrt(len(errors)) if len(errors) > 1 else 0
    )
    return float(np.mean(errors) / bits), float(half / bits)


def ratio_interval(ours, theirs, rng, draws=2000):
    """95 % interval of the ratio of two receivers' errors on the same bursts (bootstrap)."""
    picks = rng.integers(0, len(ours), (draws, len(ours)))
    ratios = ours[picks].sum(1) / np.maximum(theirs[picks].sum(1), 1)
    return [float(edge) for edge in np.percentile(ratios, (2.5, 97.5))]


def measure(name, channel, snr_db, carrier, options, cache):
    """The row of one link at one Es/N0: what each receiver's rate is."""
    waveform = WAVEFORMS[name]
    count = options.bursts or (GSM_BURSTS if name == "gsm" else HF_BURSTS)
    bursts = [
        make_burst(name, channel, snr_db, options.seed, number, carrier)
        for number in range(options.first, options.first + count)
    ]
    bits = int(np.sum(~waveform.known)) * int(np.log2(len(waveform.points)))
    row = dict(
        waveform=name,
        channel=channel,
        snr_db=snr_db,
        carrier=carrier,
        bursts=count,
        rates={},
        errors={},
    )
    for receiver in options.receivers or (ON_GSM if name == "gsm" else ON_HF):
        begun = time.perf_counter()
        if receiver in BASELINES:
            key = (
                name,
                channel,
                snr_db,
                options.seed,
                options.first,
                carrier,
                receiver,
            )
            errors = cache.errors(BASELINES[receiver], bursts, *key)
        else:
            receive = ours(receiver, options.settings)
            errors = count_errors(lambda chunk: receive(name, chunk), bursts)
        seconds = time.perf_counter() - begun
        best = errors[errors.sum(1).argmin()]
        rate, half = rate_and_interval(best, bits)
        row["rates"][receiver] = dict(
            rate=rate, half=half, milliseconds=1e3 * seconds / count
        )
        row["errors"][receiver] = best.tolist()
    row["bars"] = bars(row)
    return row


def bars(row):
    """What must hold: text, value, limit, and the value's 95 % interval."""
    found = []
    rates = {name: entry["rate"] for name, entry in row["rates"].items()}
    if "configured" not in rates or row["carrier"]:
        return found
    mine, rng = rates["configured"], np.random.default_rng(0)
    key = (row["waveform"], row["channel"], row["snr_db"])
    if key in RATE_BARS:
        half = row["rates"]["configured"]["half"]
        found.append(("rate", mine, RATE_BARS[key], [mine - half, mine + half]))
    limits = {"dfe": OVER_DFE, "refit": 1.0}
    if key in RATE_BARS:
        limits["rls"] = OVER_RLS
    for other, limit in limits.items():
        if other in rates:
            errors = np.array(row["errors"]["configured"]), np.array(
                row["errors"][other]
            )
            ratio = errors[0].sum() / max(errors[1].sum(), 1)
            interval = ratio_interval(*errors, rng)
            found.append((f"over {other}", float(ratio), limit, interval))
    return found


def carrier_bar(without, with_carrier):
    """The same bursts with a carrier that is off and wanders."""
    errors = [np.array(row["errors"]["configured"]) for row in (with_carrier, without)]
    ratio = errors[0].sum() / max(errors[1].sum(), 1)
    interval = ratio_interval(*errors, np.random.default_rng(0))
    return ("over no offset", float(ratio), OVER_NO_CARRIER, interval)


def lines(row):
    link = f"{row['waveform']} {row['channel']} {row['snr_db']:g} dB"
    link += " carrier" if row["carrier"] else ""
    yield f"{link} ({row['bursts']} bursts)"
    for receiver, entry in row["rates"].items():
        yield (
            f"    {receiver:12s} {entry['rate']:.5f} +- {entry['half']:.5f}"
            f" {entry['milliseconds']:9.2f} ms/burst"
        )
    for text, value, limit, (low, high) in row["bars"]:
        met = "met" if value <= limit else "MISSED"
        yield f"    {text:16s} {value:.4f} ({low:.4f} ... {high:.4f}), at most {limit:g}: {met}"


def run(options):
    cache, rows = Cache(options.cache), []
    wanted = [
        (name, channel, snr_db)
        for name in options.waveforms
        for channel in WAVEFORMS[name].channels
        if channel in options.channels
        for snr_db in options.snr or WAVEFORMS[name].snrs_db
    ]
    for name, channel, snr_db in tqdm(wanted, disable=not sys.stderr.isatty()):
        here = [
            measure(name, channel, snr_db, carrier, options, cache)
            for carrier in ((False, True) if options.carrier else (False,))
        ]
        if options.carrier and "configured" in here[0]["rates"]:
            here[1]["bars"].append(carrier_bar(*here))
        for row in here:
            tqdm.write("\n".join(lines(row)))
            rows.append(row)
        sys.stdout.flush()
        if options.out:
            options.out.write_text(json.dumps(rows))
    met = [value <= limit for row in rows for _, value, limit, _ in row["bars"]]
    if met:
        print(f"{sum(met)} of {len(met)} bars are met.")
    return rows


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
    add("--waveforms", nargs="+", choices=WAVEFORMS, default=list(WAVEFORMS))
    add("--channels", nargs="+", choices=CHANNELS, default=list(CHANNELS))
    add("--snr", nargs="+", type=float, help="Es/N0 in dB (three for each link)")
    add(
        "--receivers",
        nargs="+",
        choices=("configured", "fir", "esn", "rnn", *BASELINES),
        help="(configured and the baselines that fit)",
    )
    add("--bursts", type=int, help=f"({HF_BURSTS} for HF, {GSM_BURSTS} for GSM)")
    add("--first", type=int, default=0, help="number of the first burst (%(default)s)")
    add("--seed", type=int, default=1, help="(%(default)s)")
    add("--carrier", action="store_true", help="also with a carrier that is off")
    add("--cache", type=Path, help="folder that keeps the baselines' results")
    add("--out", type=Path, help="JSON file")
    add(
        "--set",
        nargs="+",
        type=setting,
        default=[],
        metavar="NAME=VALUE",
        help="parameters of our receiver other than its defaults",
    )
    options = parser.parse_args(given)
    options.settings = dict(options.set)
    return options


if __name__ == "__main__":
    run(arguments(None))
