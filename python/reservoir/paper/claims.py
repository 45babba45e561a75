#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What is claimed of recurrent networks as receivers, and whether it holds: pure functions of what was
measured. Each returns (verdict, figures); intervals are those of 95 % over frames.
"""

import numpy as np

from gnuradio.reservoir import theory

from ..campaign import statistics
from .measurements import PAYLOAD
from .trials import FIRST_ORDER, OFDM_PILOTS, OFDM_SNR_DB, RADII, SECOND_ORDER

WELL_CONDITIONED = 3  # decimal digits; single precision has seven
NEAR_OPTIMAL = 2  # times the errors of MLSE
LIMITED = 0.5  # of the way from plain descent to the configured ESN
COLUMNS = ("", "Claim", "Verdict", "Figures (± and … : 95 %)")


def verdict(holds, on):
    """Of one or several cases, each True or False; on: what distinguishes them."""
    if any(holds) and not all(holds):
        return f"depends on {on}"
    return "true" if all(holds) else "false"


def number(value):
    """Two digits, without an exponent where that is readable."""
    return f"{float(f'{value:.2g}'):g}"


def _between(rate):
    return f"{number(rate.value)} ({number(rate.low)} … {number(rate.high)})"


def _mean(values):
    return float(np.mean(values)), statistics.half_interval(values)


def _said(values):
    mean, half = _mean(values)
    return f"{number(mean)} ± {float(f'{half:.1g}'):g}"


def _power(logarithms):
    mean, half = _mean(logarithms)
    return f"10^({mean:.1f} ± {half:.1g})"


def _wrong(found):
    return np.array(found["errors"])[:, 0]


def _ratio(found, reference):
    """Interval of the ratio of two receivers' errors, and in words."""
    ours, theirs = _wrong(found), _wrong(reference)
    rate = statistics.ratio(ours, theirs)
    return rate, _between(rate) if theirs.any() else f"({ours.sum()} to none)"


def exponents(norms, radii, beyond):
    """Of the spectral radius in the gradient's norm, within or beyond the unit circle, per frame."""
    radii = np.array(radii)
    here = radii >= 1 if beyond else radii <= 1
    return np.polyfit(np.log(radii[here]), np.log(np.array(norms)[:, here]).T, 1)[0]


def gradients(found, steps):
    """Exponential: the norm goes with a power of the radius that is no less than half the steps."""
    cases = {
        (activation, beyond): exponents(norms, RADII, beyond)
        for activation, norms in found["gradients"].items()
        for beyond in (False, True)
    }
    holds = [np.subtract(*_mean(powers)) > steps / 2 for powers in cases.values()]
    texts = [
        f"{activation} {'beyond' if beyond else 'within'} the unit circle "
        f"{_said(powers)}"
        for (activation, beyond), powers in cases.items()
    ]
    return verdict(holds, "activation and modulus"), (
        f"exponent of the spectral radius in the gradient's norm over {steps} steps: "
        f"{', '.join(texts)}. In closed form lag n has |p|^(n-1), but all lags of a stable pole "
        f"{theory.pole_gradient_norm(0.5):.2g} at .5, {theory.pole_gradient_norm(0.9):.2g} at .9"
    )


def minimum_phase(found):
    """Of the random ESN, where all zeros lie within the unit circle."""
    links, holds, texts = found["minimum_phase"], [], []
    for name in dict.fromkeys(name for name, _ in links):
        rates = {
            receiver: _ratio(links[name, receiver], links[name, "mlse"])
            for receiver in ("esn", "fir", "linear", "complete")
        }
        if name.startswith("minimum"):
            holds.append(rates["esn"][0].high < NEAR_OPTIMAL)
        esn, *others = (text for _, text in rates.values())
        texts.append(f"{name}: {esn}; FIR, configured, complete {', '.join(others)}")
    return verdict(holds, "the noise"), "errors over those of MLSE, " + "; ".join(texts)


def plateaus(found):
    """Longer than on real data."""
    holds, texts = [], []
    for name, rows in found["plateaus"].items():
        complex_, real = np.array(rows, float).T
        mean, half = _mean(complex_ - real)
        holds.append(mean > half)
        texts.append(
            f"{name}: {_said(complex_)} epochs against {_said(real)} of real data"
        )
    return verdict(holds, "network and optimizer"), "; ".join(texts)


def polar(found):
    holds, texts = [], []
    for name, rows in found["polar"].items():
        apart = np.subtract(*np.array(rows).T)
        mean, half = _mean(apart)
        holds.append(mean < -half)
        low, high = 10 ** (mean - half), 10 ** (mean + half)
        texts.append(f"{name} {10**mean:.3g} ({low:.3g} … {high:.3g})")
    return verdict(holds, "the number of poles"), (
        "condition number by modulus and angle over that by real and imaginary part, geometric "
        f"mean over random poles: {', '.join(texts)}"
    )


def optimizers(found):
    """How much of the way from plain gradient descent to the configured ESN the others come."""
    wrong = {name: _wrong(one) for name, one in found["optimizers"].items()}
    names = (*FIRST_ORDER, *SECOND_ORDER)
    best = min(names[1:], key=lambda name: wrong[name].sum())
    gained, gap = wrong["gd"] - wrong[best], wrong["gd"] - wrong["linear"]
    share = statistics.ratio(gained, gap)
    symbols = PAYLOAD * len(gained)
    texts = [
        f"{name} {wrong[name].sum() / symbols:.2g} ({np.median(found['losses'][name]):.1g})"
        for name in names
    ]
    return verdict([share.high < LIMITED], ""), (
        "symbol error rate at the best number of steps (loss on the pilots after the most): "
        f"{', '.join(texts)}; configured "
        f"{wrong['linear'].sum() / symbols:.2g}. {best} comes {number(100 * share.value)} % "
        f"({number(100 * share.low)} … {number(100 * share.high)}) of the way from gd to configured"
    )


STATES = {
    "random ESN": 0,
    "32 poles from statistics": 1,
    "the same as an orthonormal cascade": 2,
    "poles from the estimate": 3,
    "the same as a cascade": 4,
}


def states(found):
    columns = np.array(found["states"]["all"]).T
    holds = [sum(_mean(columns[k])) < WELL_CONDITIONED for k in STATES.values()]
    texts = [f"{name} {_power(columns[k])}" for name, k in STATES.items()]
    return verdict(holds, "poles and basis"), (
        f"condition number of the states' Gram matrix (well: below 10^{WELL_CONDITIONED}): "
        + ", ".join(texts)
    )


def ofdm(found):
    """The trained network against all others at every point, and what one frame costs."""
    points, holds, texts = found["ofdm"], [], []
    seconds = {name: np.median(cost) for name, cost in found["ofdm_costs"].items()}
    for pilots, snr_db, name in points:
        if name == "ofdm_rnn":
            continue
        pair = points[pilots, snr_db, "ofdm_rnn"], points[pilots, snr_db, name]
        holds.append(statistics.difference(*map(_wrong, pair), 1).low > 0)
        if (pilots, snr_db) == (OFDM_PILOTS, OFDM_SNR_DB):
            texts.append(
                f"{name} {_ratio(*pair)[1]} at "
                f"{number(seconds['ofdm_rnn'] / seconds[name])} times its time"
            )
    return verdict(holds, "the other receiver, pilots and noise"), (
        f"errors of the trained RNN over those of others, {OFDM_PILOTS} pilot symbols at "
        f"{OFDM_SNR_DB} dB: {'; '.join(texts)}. More in {sum(holds)} of {len(holds)} comparisons"
    )


def training(summary):
    """All weights trained, against every other network at every point."""
    here = [c for c in summary["comparisons"] if c["receiver"] == "rnn_tuned"]
    texts, at = [], summary["parameters"]["point"]
    for other in dict.fromkeys(c["other"] for c in here):
        pairs = [c for c in here if c["other"] == other]
        more = sum(c["verdict"] == "more" for c in pairs)
        (one,) = (c for c in pairs if at.items() <= c.items())
        texts.append(
            f"{other}: at {more} of {len(pairs)} points, here by "
            f"{one['difference']:.3f} ± {one['ci95']:.1g}"
        )
    holds = [c["verdict"] == "more" for c in here]
    return verdict(holds, "the fixed network"), (
        f"the tuned RNN has the higher symbol error rate ({at['pilots']} pilots, "
        f"{at['snr_db']} dB) than {'; '.join(texts)}"
    )


def further_training(summary):
    rows = {name: rows[1:] for name, rows in summary["fine_tuning"].items()}
    holds = [r["against_start"]["verdict"] == "fewer" for v in rows.values() for r in v]
    texts = [
        f"{name} {v[-1]['against_start']['difference']:+.3f} ± "
        f"{v[-1]['against_start']['ci95']:.1g}"
        for name, v in rows.items()
    ]
    return verdict(holds, "optimizer and epochs"), (
        f"fewer after {sum(holds)} of {len(holds)} trainings; symbol error rate after the longest: "
        + ", ".join(texts)
    )


def table(found, summary):
    """[(letter, claim, verdict, figures)], in the order of the report."""
    steps = (
        summary["parameters"]["point"]["pilots"] + summary["parameters"]["rnn"]["delay"]
    )
    claims = (
        (
            "the gradient grows or decays exponentially with the poles",
            gradients(found, steps),
        ),
        (
            "a random ESN is near-optimal on minimum-phase channels",
            minimum_phase(found),
        ),
        ("complex-valued data prolong the plateaus of training", plateaus(found)),
        ("modulus and angle are better-conditioned parameters of poles", polar(found)),
        ("advanced optimizers offer limited improvement", optimizers(found)),
        ("the states of fixed networks are well-conditioned", states(found)),
        ("on MIMO-OFDM a trained RNN makes more errors than the others", ofdm(found)),
        (
            "on one carrier a trained RNN makes more errors than fixed ones",
            training(summary),
        ),
        (
            "training configured poles further makes fewer errors",
            further_training(summary),
        ),
    )
    return [
        (f"({letter})", claim, *judged)
        for letter, (claim, judged) in zip("abcdefghi", claims)
    ]
