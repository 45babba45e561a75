#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What is claimed of recurrent networks as receivers, and whether it holds: pure functions of what was
measured. Each returns (verdict, figures); intervals are those of 95 % over frames.

Of a campaign, `found` has [(Point, {receiver: Measured})].
"""

import itertools

import numpy as np

from gnuradio.reservoir import theory

from ..campaign import statistics
from ..campaign.specification import place
from .measurements import PAYLOAD, PILOTS, RNN, SNR_DB

OFDM_PILOTS, OFDM_SNR_DB = 4, 20  # where the other one varies
TRAINED = ("rnn_tuned", "rnn_final", "rnn_best")
FIXED = ("esn", "statistics", "linear", "complete")
RADII = (0.3, 0.5, 0.7, 0.9, 1.0, 1.1, 1.2, 1.3, 1.5)  # of the gradients
WELL_CONDITIONED = 3  # decimal digits; single precision has seven
NEAR_OPTIMAL = 2  # times the errors of MLSE
LIMITED = 0.5  # of the way from plain descent to the configured ESN
COLUMNS = ("", "Claim", "Verdict", "Figures (± and … : 95 %)")


def verdict(holds, on):
    """Of one or several cases, each True or False; on: what distinguishes them."""
    if not holds:
        return "undecided: too few errors"
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


def _ratio(ours, theirs):
    """Interval of the ratio of two receivers' errors, and in words."""
    rate = statistics.ratio(ours.wrong, theirs.wrong)
    none = f"({int(ours.wrong.sum())} to none)"
    return rate, _between(rate) if theirs.wrong.any() else none


def difference(ours, theirs):
    """Of two symbol error rates on the same frames, with a verdict."""
    rate = statistics.difference(ours.wrong, theirs.wrong, ours.symbols * ours.group)
    said = "fewer" if rate.high < 0 else "more" if rate.low > 0 else "undecided"
    half = (rate.high - rate.low) / 2
    return dict(difference=rate.value, ci95=half, verdict=said)


def exponents(norms, radii, beyond):
    """Of the spectral radius in the gradient's norm, within or beyond the unit circle, per frame."""
    radii = np.array(radii)
    here = radii >= 1 if beyond else radii <= 1
    return np.polyfit(np.log(radii[here]), np.log(np.array(norms)[:, here]).T, 1)[0]


def gradients(found, steps=PILOTS + RNN["delay"]):
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
    holds, texts = [], []
    for point, measured in found["minimum_phase"]:
        rates = {
            receiver: _ratio(measured[receiver], measured["mlse"])
            for receiver in ("esn", "fir", "linear", "complete")
        }
        # without an error of MLSE there is no ratio
        if point.link.channel == "minimum_phase" and measured["mlse"].wrong.any():
            holds.append(rates["esn"][0].high < NEAR_OPTIMAL)
        esn, *others = (text for _, text in rates.values())
        texts.append(
            f"{place(point)}: {esn}; FIR, configured, complete {', '.join(others)}"
        )
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
    ((_, measured),) = found["optimizers"]
    *names, configured = measured
    wrong = {name: one.wrong for name, one in measured.items()}
    best = min(names[1:], key=lambda name: wrong[name].sum())
    gained, gap = wrong["gd"] - wrong[best], wrong["gd"] - wrong[configured]
    share = statistics.ratio(gained, gap)
    texts = [
        f"{name} {measured[name].ser.value:.2g} ({np.median(found['losses'][name]):.1g})"
        for name in names
    ]
    return verdict([share.high < LIMITED], ""), (
        "symbol error rate at the best number of steps (loss on the pilots after the most): "
        f"{', '.join(texts)}; configured {measured[configured].ser.value:.2g}. {best} comes "
        f"{number(100 * share.value)} % ({number(100 * share.low)} … {number(100 * share.high)}) of "
        "the way from gd to configured"
    )


STATES = (
    "random ESN",
    "32 poles from statistics",
    "the same as an orthonormal cascade",
    "poles from the estimate",
    "the same as a cascade",
)


def states(found):
    columns = np.array(found["states"]["all"]).T
    holds = [sum(_mean(column)) < WELL_CONDITIONED for column in columns]
    texts = [f"{name} {_power(column)}" for name, column in zip(STATES, columns)]
    return verdict(holds, "poles and basis"), (
        f"condition number of the states' Gram matrix (well: below 10^{WELL_CONDITIONED}): "
        + ", ".join(texts)
    )


def _by_link(pairs):
    """{(pilots, SNR): measured}, links that two groups have once."""
    return {(p.link.pilots, p.link.snr_db): measured for p, measured in pairs}


def ofdm(found):
    """The trained network against all others at every point, and what one frame costs."""
    holds, texts, at = [], [], (OFDM_PILOTS, OFDM_SNR_DB)
    for where, measured in _by_link(found["ofdm"]).items():
        trained = measured["ofdm_rnn"]
        for name in list(measured)[1:]:
            other = measured[name]
            holds.append(difference(trained, other)["verdict"] == "more")
            if where == at:
                texts.append(
                    f"{name} {_ratio(trained, other)[1]} at "
                    f"{number(trained.seconds / other.seconds)} times its time"
                )
    return verdict(holds, "the other receiver, pilots and noise"), (
        f"errors of the trained RNN over those of others, {OFDM_PILOTS} pilot symbols at "
        f"{OFDM_SNR_DB} dB: {'; '.join(texts)}. More in {sum(holds)} of {len(holds)} comparisons"
    )


def comparisons(found):
    """The trained network against every other one at every point."""
    return [
        dict(
            receiver=trained,
            other=other,
            pilots=pilots,
            snr_db=snr_db,
            **difference(measured[trained], measured[other]),
        )
        for trained, other in itertools.product(TRAINED, FIXED)
        for (pilots, snr_db), measured in _by_link(found["error_rates"]).items()
    ]


def training(found):
    """All weights trained, against every other network at every point."""
    here = [c for c in comparisons(found) if c["receiver"] == "rnn_tuned"]
    texts = []
    for other in FIXED:
        pairs = [c for c in here if c["other"] == other]
        more = sum(c["verdict"] == "more" for c in pairs)
        (one,) = (c for c in pairs if (c["pilots"], c["snr_db"]) == (PILOTS, SNR_DB))
        texts.append(
            f"{other}: at {more} of {len(pairs)} points, here by "
            f"{one['difference']:.3f} ± {one['ci95']:.1g}"
        )
    holds = [c["verdict"] == "more" for c in here]
    return verdict(holds, "the fixed network"), (
        f"the tuned RNN has the higher symbol error rate ({PILOTS} pilots, {SNR_DB} dB) than "
        f"{'; '.join(texts)}"
    )


def further_training(found):
    """Against the start, [pilot loss, wrong symbols, ...] of each frame and number of epochs."""
    holds, texts = [], []
    for name, rows in found["fine_tuning"].items():
        start, *trained = np.asarray(rows)[:, :, 1].T
        rates = [statistics.difference(one, start, PAYLOAD) for one in trained]
        holds += [rate.high < 0 for rate in rates]
        half = rates[-1].high - rates[-1].value
        texts.append(f"{name} {rates[-1].value:+.3f} ± {half:.1g}")
    return verdict(holds, "optimizer and epochs"), (
        f"fewer after {sum(holds)} of {len(holds)} trainings; symbol error rate after the longest: "
        + ", ".join(texts)
    )


CLAIMS = {
    "the gradient grows or decays exponentially with the poles": gradients,
    "a random ESN is near-optimal on minimum-phase channels": minimum_phase,
    "complex-valued data prolong the plateaus of training": plateaus,
    "modulus and angle are better-conditioned parameters of poles": polar,
    "advanced optimizers offer limited improvement": optimizers,
    "the states of fixed networks are well-conditioned": states,
    "on MIMO-OFDM a trained RNN makes more errors than the others": ofdm,
    "on one carrier a trained RNN makes more errors than fixed ones": training,
    "training configured poles further makes fewer errors": further_training,
}


def table(found):
    """[(letter, claim, verdict, figures)], in the order of the report."""
    return [
        (f"({letter})", claim, *judged(found))
        for letter, (claim, judged) in zip("abcdefghi", CLAIMS.items())
    ]
