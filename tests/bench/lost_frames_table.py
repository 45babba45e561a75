#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What lost_frames.py prints: counts beside the genie's and another build's, and the bars.

A frame here is a dictionary as receive_links.py makes it, with link, snr_db, genie_errors (None
without a genie) and other (the same frame through another build, or None).
"""

import numpy as np
from lossy_links import LINKS

LOST = 0.05  # share of a frame's symbols
# symbol error rate over the genie's
RATE_BARS = {("T3", 10): 1.1, ("T1", 10): 1.2}


def word(good):
    return "met" if good else "MISSED"


def counts(errors, payload_len):
    """Lost frames, frames with any error, symbol error rate."""
    errors = np.asarray(errors)
    return (
        int(np.sum(errors > LOST * payload_len)),
        int(np.sum(errors > 0)),
        errors.mean() / payload_len,
    )


def summary(frames):
    """What became of the frames of one link at one Es/N0; bars: name, what, met or not."""
    link, snr_db = frames[0]["link"], frames[0]["snr_db"]
    length, per_200 = LINKS[link].payload_len, len(frames) / 200
    errors = np.array([len(frame["wrong"]) for frame in frames])
    lost, any_error, rate = counts(errors, length)
    whole = [f["evm"] for f in frames if len(f["wrong"]) <= LOST * length]
    row = dict(
        link=link,
        snr_db=snr_db,
        frames=len(frames),
        lost=lost,
        any_error=any_error,
        rate=rate,
        evm_db=20 * np.log10(np.sqrt(np.mean(np.square(whole)))) if whole else None,
        us_per_symbol=1e6 * np.mean([f["seconds"] for f in frames]) / length,
        tracked=float(np.mean([f["report"].get("tracked", False) for f in frames])),
        bars={},
    )
    if frames[0]["genie_errors"] is None:
        return row
    genie = counts([frame["genie_errors"] for frame in frames], length)
    row.update(zip(("genie_lost", "genie_any_error", "genie_rate"), genie))
    row["bars"]["lost"] = bool(lost <= genie[0] + 2 * per_200)
    row["bars"]["any_error"] = bool(any_error <= 1.1 * genie[1] + 3 * per_200)
    if (link, snr_db) in RATE_BARS:
        row["bars"]["rate"] = bool(rate <= RATE_BARS[link, snr_db] * genie[2])
    return row


HEADING = (
    f"{'link':4s} {'dB':>3s} {'frames':>6s}  {'lost':>9s} {'':6s}  {'any error':>9s} {'':6s}  "
    f"{'symbol error rate':>19s} {'':6s}  {'EVM dB':>6s} {'us/symbol':>9s} {'tracked':>7s}"
)


def line(row):
    """One row of the table: ours/genie and whether the bar is met."""

    def pair(name, form):
        genie = row.get(f"genie_{name}")
        return f"{row[name]:{form}}/" + ("-" if genie is None else f"{genie:{form}}")

    def bar(name):
        return word(row["bars"][name]) if name in row["bars"] else ""

    evm = "-" if row["evm_db"] is None else f"{row['evm_db']:.2f}"
    return (
        f"{row['link']:4s} {row['snr_db']:3g} {row['frames']:6d}  "
        f"{pair('lost', 'd'):>9s} {bar('lost'):6s}  "
        f"{pair('any_error', 'd'):>9s} {bar('any_error'):6s}  "
        f"{pair('rate', '.2e'):>19s} {bar('rate'):6s}  "
        f"{evm:>6s} {row['us_per_symbol']:9.2f} {row['tracked']:7.2f}"
    )


def paired(new_only, old_only):
    """better, equal or WORSE, by the project's rule for two builds on the same frames."""
    allowed = 2 * np.sqrt(new_only + old_only)
    if new_only - old_only > allowed:
        return "WORSE"
    return "better" if old_only - new_only > allowed else "equal"


def comparison(frames):
    """This build beside the other one, on the same frames."""
    length = LINKS[frames[0]["link"]].payload_len
    lost, wrong, evm, seconds = [0, 0], [0, 0], [[], []], [0.0, 0.0]
    for frame in frames:
        both = (frame, frame["other"])
        places = [set(one["wrong"]) for one in both]
        gone = [len(place) > LOST * length for place in places]
        for which in (0, 1):
            lost[which] += gone[which] and not gone[1 - which]
            wrong[which] += len(places[which] - places[1 - which])
            seconds[which] += both[which]["seconds"]
            if not any(gone):
                evm[which].append(both[which]["evm"] ** 2)
    return dict(
        lost_only_new=lost[0],
        lost_only_old=lost[1],
        lost_word=paired(*lost),
        wrong_only_new=wrong[0],
        wrong_only_old=wrong[1],
        wrong_word=paired(*wrong),
        evm_change_db=10 * np.log10(np.mean(evm[0]) / np.mean(evm[1])) if evm[0] else 0,
        faster=seconds[1] / seconds[0],
    )


def comparison_line(row):
    return (
        f"{'':15s}new only/old only: lost {row['lost_only_new']}/{row['lost_only_old']} "
        f"{row['lost_word']}, symbols wrong {row['wrong_only_new']}/{row['wrong_only_old']} "
        f"{row['wrong_word']}; EVM {row['evm_change_db']:+.2f} dB, {row['faster']:.2f} x as fast"
    )


def largest_step(values):
    """Largest ratio of neighbours, either way; 1 if both are 0."""
    ratios = [
        max(a, b) / min(a, b) if min(a, b) else np.inf
        for a, b in zip(values, values[1:])
        if max(a, b)
    ]
    return max(ratios, default=1.0)


def bursts(places, gap=16):
    """Errors in groups, less than gap symbols apart: [(first, last, errors)]."""
    groups = np.split(places, np.flatnonzero(np.diff(places) >= gap) + 1)
    return [(int(g[0]), int(g[-1]), len(g)) for g in groups if len(g)]
