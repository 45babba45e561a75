#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Rates with their 95 % intervals.

Symbols of one frame share a channel, so that only frames are independent: intervals of error rates
come from the spread between frames.
"""

import dataclasses
import math

import numpy as np

NORMAL = 1.959963984540054  # 97.5 % quantile
LOST = 0.05  # a frame with more symbols wrong than this is lost
DRAWS = 2000  # of the bootstrap


@dataclasses.dataclass(frozen=True)
class Rate:
    """A rate and its 95 % interval."""

    value: float
    low: float
    high: float


def mean_rate(wrong, trials, frames, group=1, hit=None):
    """Of independent frames in which so many of `trials` went wrong; wrong: sums over groups of frames.

    hit: frames with an error. Where they are few, the spread tells nothing: the upper end is then at
    least that of a proportion of frames times what a frame with errors loses on average.
    """
    wrong = np.asarray(wrong, float)
    hit = np.count_nonzero(wrong) if hit is None else hit
    mean = float(wrong.sum()) / (frames * trials)
    half = half_interval(wrong) / (group * trials)
    worst = float(wrong.sum()) / (hit * trials) if hit else 1 / trials
    upper = proportion(hit, frames).high * worst
    return Rate(mean, max(mean - half, 0.0), min(max(mean + half, upper), 1.0))


def half_interval(values):
    """Half the normal 95 % interval of the mean of independent values."""
    if len(values) < 2:
        return math.inf  # one tells nothing
    return NORMAL * float(np.std(values, ddof=1)) / math.sqrt(len(values))


def proportion(successes, trials):
    """Score interval (Wilson, 1927)."""
    share, square = successes / trials, NORMAL**2
    middle = (successes + square / 2) / (trials + square)
    half = math.sqrt(trials * share * (1 - share) + square / 4)
    half *= NORMAL / (trials + square)
    return Rate(share, max(middle - half, 0.0), min(middle + half, 1.0))


def ratio(ours, theirs):
    """Of two receivers' errors on the same frames, or groups of frames, by bootstrap over them. NaN
    without errors."""
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    if not theirs.sum():
        return Rate(math.nan, math.nan, math.nan)
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(DRAWS):
        pick = rng.integers(0, len(ours), len(ours))
        draws.append(ours[pick].sum() / max(theirs[pick].sum(), 1.0))
    low, high = np.percentile(draws, (2.5, 97.5))
    return Rate(float(ours.sum() / theirs.sum()), float(low), float(high))


def difference(ours, theirs, trials):
    """Of two receivers' error rates on the same frames: mean and normal 95 % interval."""
    differences = (np.asarray(ours, float) - np.asarray(theirs, float)) / trials
    mean, half = float(np.mean(differences)), half_interval(differences)
    return Rate(mean, mean - half, mean + half)
