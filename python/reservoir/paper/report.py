#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What the paper subcommand found: figures with intervals, sentences, JSON, an HTML page."""

import html
import itertools
import json

import numpy as np

from ..campaign.statistics import half_interval
from ..report import page
from . import claims, plots
from .claims import number
from .measurements import NUM_TAPS, PAYLOAD, PILOTS, RNN, SNR_DB, make_link
from .trials import OFDM, RADII

OFDM_LINK = make_link(ofdm=True)
OFDM_SYMBOLS = OFDM_LINK.streams * OFDM_LINK.payload * OFDM_LINK.used
TRAINED = ("rnn_tuned", "rnn_final", "rnn_best")
OTHERS = {
    "esn": "the random ESN",
    "statistics": "the configured ESN with 32 poles from the channel's statistics",
    "linear": "the configured ESN with poles from its channel estimate",
    "complete": "the complete configured receiver",
}
HISTOGRAM = np.linspace(0, 1.5, 31)


# --- from the measurements to figures ---


def _finite(value):
    return float(value) if np.isfinite(value) else None


def _spread(rows):
    """Median and the range of the middle 80 % over frames."""
    rows = np.array(rows, float)  # None becomes NaN
    low, middle, high = np.nanquantile(rows, (0.1, 0.5, 0.9), axis=0)
    return dict(
        median=[_finite(v) for v in middle],
        low=[_finite(v) for v in low],
        high=[_finite(v) for v in high],
    )


def _moduli(moduli):
    """Density of moduli; those beyond the last edge of HISTOGRAM lie in the last bin."""
    moduli = np.asarray(moduli)
    counts, _ = np.histogram(np.minimum(moduli, HISTOGRAM[-1]), HISTOGRAM)
    return dict(
        density=(counts / len(moduli) / np.diff(HISTOGRAM)).tolist(),
        median=float(np.median(moduli)),
        largest=float(moduli.max()),
        outside=float(np.mean(moduli > 1)),
    )


def _rates(counts, symbols=PAYLOAD):
    """Mean error rates with half their 95 % intervals over frames."""
    ser, ber = np.asarray(counts).T / np.array([[symbols], [2 * symbols]])
    return dict(
        ser=float(ser.mean()),
        ser_ci95=float(half_interval(ser)),
        ber=float(ber.mean()),
        ber_ci95=float(half_interval(ber)),
    )


def difference(wrong, reference):
    """Of two symbol error rates on the same frames, with a verdict."""
    apart = (np.asarray(wrong) - np.asarray(reference)) / PAYLOAD
    mean, half = float(apart.mean()), float(half_interval(apart))
    verdict = "fewer" if mean < -half else "more" if mean > half else "undecided"
    return dict(difference=mean, ci95=half, verdict=verdict)


def _comparisons(errors):
    """Trained against every other network at every point."""
    return [
        dict(
            receiver=trained,
            other=other,
            pilots=pilots,
            snr_db=snr_db,
            **difference(at[trained][0][:, 0], at[other][0][:, 0]),
        )
        for trained, other in itertools.product(TRAINED, OTHERS)
        for (pilots, snr_db), at in errors.items()
    ]


def _tuned_further(rows, epochs):
    """Medians, error rates and verdicts over the epochs, from configured poles on."""
    rows = np.asarray(rows)
    start = rows[:, 0, 1]
    return [
        dict(
            epochs=epoch,
            loss=float(np.median(at[:, 0])),
            radius=float(np.median(at[:, 3])),
            outside=float(np.mean(at[:, 3] > 1)),
            **_rates(at[:, 1:3]),
            against_start=difference(at[:, 1], start),
        )
        for epoch, at in zip(epochs, rows.transpose(1, 0, 2))
    ]


def summarise(found, parameters, run_seconds):
    """All that is reported: JSON can hold it, the pictures are drawn from it."""
    epochs = dict(
        loss=list(range(parameters["curve_epochs"])),
        gradient_norm=list(range(parameters["curve_epochs"])),
        condition_number=list(
            range(0, parameters["curve_epochs"], parameters["condition_every"])
        ),
    )
    eigenvalues = found["eigenvalues"]
    summary = dict(
        experiment="paper",
        date=page.date(),
        run_seconds=round(run_seconds, 1),
        pieces=found["pieces"],
        machine=page.machine(),
        versions=page.versions(),
        parameters=dict(
            parameters,
            taps=NUM_TAPS,
            payload=PAYLOAD,
            rnn=RNN,
            point=dict(pilots=PILOTS, snr_db=SNR_DB),
        ),
        curves={
            optimizer: {
                key: dict(epochs=epochs[key], **_spread(rows))
                for key, rows in curves.items()
            }
            for optimizer, curves in found["curves"].items()
        },
        eigenvalues=dict(
            edges=HISTOGRAM.tolist(),
            rnn=[
                dict(epoch=epoch, **_moduli(moduli))
                for epoch, moduli in zip(
                    parameters["eigenvalue_epochs"], eigenvalues["rnn"]
                )
            ],
            **{
                name: _moduli(eigenvalues[name])
                for name in ("esn", "statistics", "linear")
            },
        ),
        error_rates=[
            dict(
                pilots=pilots,
                snr_db=snr_db,
                receivers={
                    name: dict(_rates(counts), settings=settings)
                    for name, (counts, settings) in at.items()
                },
            )
            for (pilots, snr_db), at in found["errors"].items()
        ],
        comparisons=_comparisons(found["errors"]),
        costs=found["costs"],
        fine_tuning={
            name: _tuned_further(rows, parameters["fine_epochs"])
            for name, rows in found["fine_tuning"].items()
        },
    )
    summary["gradients"] = {
        name: dict(radii=list(RADII), **_spread(norms))
        for name, norms in found["gradients"].items()
    }
    summary["ofdm"] = [
        dict(
            pilots=pilots,
            snr_db=snr_db,
            receivers={
                name: _rates(
                    found["ofdm"][pilots, snr_db, name]["errors"], OFDM_SYMBOLS
                )
                for name in OFDM
            },
        )
        for pilots, snr_db in dict.fromkeys(key[:2] for key in found["ofdm"])
    ]
    summary["ofdm_costs"] = {
        name: float(np.median(seconds)) for name, seconds in found["ofdm_costs"].items()
    }
    summary["claims"] = claims.table(found, summary)
    summary["findings"] = findings(summary)
    return summary


# --- sentences ---


def _listed(texts):
    *others, last = texts
    return f"{', '.join(others)} and {last}" if others else last


def _change(first, last):
    word = "falls" if last < first else "rises"
    return f"{word} from {number(first)} to {number(last)}"


def _curve_findings(summary):
    for optimizer, curves in summary["curves"].items():
        loss, norm, condition = (
            curves[key]["median"]
            for key in ("loss", "gradient_norm", "condition_number")
        )
        epochs = len(loss)
        kappa = condition[-1]
        noise = 10 ** (-SNR_DB / 10)
        yield (
            f"{optimizer}: over {epochs} epochs the median training loss "
            f"{_change(loss[0], loss[-1])}, the gradient's norm {_change(norm[0], norm[-1])}, "
            f"the condition number of the Gauss–Newton matrix {_change(condition[0], kappa)}. "
            "Plain descent needs about as many steps to come e times nearer in the worst "
            f"direction: {'more' if kappa > epochs else 'no more'} than the epochs that were run. "
            + (
                f"The loss ends below the noise's {number(noise)}: the noise on the pilots is "
                "fitted too."
                if loss[-1] < noise
                else f"The loss stays above the noise's {number(noise)}."
            )
        )


def _eigenvalue_findings(summary):
    found = summary["eigenvalues"]
    first, last = found["rnn"][0], found["rnn"][-1]
    yield (
        f"After {last['epoch']} epochs {100 * last['outside']:.0f} % of the trained network's "
        f"eigenvalues lie outside the unit circle ({100 * first['outside']:.0f} % at first), the "
        f"largest at {last['largest']:.2f}; {100 * found['esn']['outside']:.0f} % of the random "
        f"ESN's (largest {found['esn']['largest']:.2f}) and "
        f"{100 * found['linear']['outside']:.0f} % of the configured ones "
        f"(largest {found['linear']['largest']:.2f})."
    )


def _cost_findings(summary):
    costs = summary["costs"]
    pilots = min({c["pilots"] for c in costs}, key=lambda p: abs(p - PILOTS))
    here = [c for c in costs if c["pilots"] == pilots]
    for rnn in here:
        if rnn["receiver"] != "rnn":
            continue
        against = "; ".join(
            f"{number(rnn['seconds'] / c['seconds'])} times the time and "
            f"{number(rnn['multiply_adds'] / c['multiply_adds'])} times the arithmetic of "
            f"{OTHERS[c['receiver']]}"
            for c in here
            if c["receiver"] != "rnn"
        )
        yield (
            f"{rnn['epochs']} epochs of back-propagation over {pilots} pilots take "
            f"{number(1e3 * rnn['seconds'])} ms and {number(rnn['multiply_adds'] / 1e6)} million "
            f"complex multiply-adds: {against}."
        )


def _at_point(summary):
    """The error rates where neither the pilots nor the signal-to-noise ratio vary."""
    return next(
        point
        for point in summary["error_rates"]
        if (point["pilots"], point["snr_db"]) == (PILOTS, SNR_DB)
    )


def findings(summary):
    """Sentences on what came out, from the figures alone: {section: [sentence]}."""
    return dict(
        curves=list(_curve_findings(summary)),
        eigenvalues=list(_eigenvalue_findings(summary)),
        costs=list(_cost_findings(summary)),
    )


# --- the page ---

COLUMNS = ("Pilots", "SNR dB", "Receiver", "SER", "± 95 %", "BER", "± 95 %", "Settings")


def _rows(summary):
    for point in summary["error_rates"]:
        for name, rate in point["receivers"].items():
            yield (
                str(point["pilots"]),
                str(point["snr_db"]),
                plots.RECEIVERS[name].label,
                *(f"{rate[key]:.2e}" for key in ("ser", "ser_ci95", "ber", "ber_ci95")),
                ", ".join(f"{key} {v}" for key, v in rate["settings"].items()),
            )


COST_COLUMNS = ("Pilots", "Time", "Receiver", "Complex multiply-adds")


def _cost_rows(summary):
    for cost in summary["costs"]:
        yield (
            str(cost["pilots"]),
            f"{number(1e3 * cost['seconds'])} ms",
            plots.cost_label(cost),
            f"{cost['multiply_adds']:,}",
        )


def _notes(summary):
    p = summary["parameters"]
    comparisons = len(summary["comparisons"])
    epochs = _listed(map(str, p["epochs"]))
    return dict(
        what=(
            f"Each frame is a number of known pilots and {PAYLOAD} QPSK symbols, one sample "
            f"per symbol, through a channel of {NUM_TAPS} taps (Rayleigh, exponential power profile, "
            "unit energy, new for each frame) and white noise. Three kinds of recurrent network are "
            "trained on the pilots: the RNN, all of whose weights descend the gradient "
            "(back-propagation through time); the random echo state network (ESN), of which only "
            "the readout is solved for; the configured ESN, whose poles are set from what is "
            "known of the channel. RNN, random ESN and configured ESN from statistics have 32 "
            "neurons; the configured ESN with poles from its channel estimate has twice the "
            "channel's memory. The complete configured receiver adds decision feedback, several "
            f"survivors and refits. All get the same {p['frames']} frames at a point."
        ),
        verdicts=(
            "A claim holds where the 95 % interval over frames, whose channels are independent, "
            f"says so. Of {comparisons} comparisons of the RNN some {0.05 * comparisons:.0f} would "
            "come out by chance if all receivers were equal."
        ),
        tuning=(
            f"Bars: 95 % over frames. At every point the RNN is tuned over {len(p['rnn_grid'])} "
            f"settings and {epochs} epochs (each number a training of its own), the random ESN "
            f"over {len(p['esn_grid'])} settings, on {p['tuning_frames']} other frames; the "
            "decision delay of both is half the window. What keeps the RNN from fitting the "
            "noise is its number of epochs alone (it could also hold pilots out, or restart, "
            f"which costs pilots or time). Final epoch: {max(p['epochs'])}, with the settings best "
            "for it. The configured ESN is not tuned; its variant from statistics knows the "
            "channel's mean power profile, which the others do not."
        ),
        counted=(
            "Seconds: median processor time of one frame's training, without "
            "diagnostics; of the complete receiver, whose refits use its own decisions, of the "
            f"whole reception of {PAYLOAD} symbols. Multiply-adds are complex and counted by "
            "formula, leading terms only: activation functions, the optimizer, the model's prior "
            f"and the search for its weight are left out. The RNN: window {RNN['window']}."
        ),
        fine_tuned=(
            "A linear network with the configured poles and a readout by least squares (ridge by "
            "leave-one-out) that sees the window too is trained further on the same pilots: "
            + "; ".join(
                f"{name}: {', '.join(f'{k} {v}' for k, v in settings.items())}"
                for name, settings in p["fine_tunings"].items()
            )
            + f". {PILOTS} pilots at {SNR_DB} dB, {p['fine_frames']} frames. This start is less "
            "than the configured detector, which looks ahead and draws its readout to the model's "
            f"own (symbol error rate {_at_point(summary)['receivers']['linear']['ser']:.2g})."
        ),
        ofdm=(
            "OFDM: 2 x 2 antennas, 52 of 64 carriers, prefix 16, full pilot symbols, 12 QPSK symbols, "
            "each channel 6 Rayleigh taps. The RNN is trained on the pilots' samples; its window, "
            "activation and epochs are tuned on other frames. Time: of a whole frame."
        ),
        provenance=page.provenance(summary)
        + (
            f" The pieces took {summary['pieces']['seconds']} s to compute, "
            f"{summary['pieces']['computed']} of them in this run."
        ),
    )


def _hidden(title, table):
    return f"<details><summary>{html.escape(title)}</summary>{table}</details>"


def _page(summary, pictures):
    found, notes = summary["findings"], _notes(summary)
    note = lambda name: page.paragraph(notes[name], note=True)
    rates = page.table(COLUMNS, _rows(summary), (2, 7), 2)
    return page.page(
        "Recurrent networks: trained against configured",
        page.table(claims.COLUMNS, summary["claims"], (0, 1, 2, 3), 0),
        note("verdicts"),
        page.paragraph(notes["what"]),
        "<h2>Error rates</h2>",
        page.picture(
            pictures["error_rates"],
            "Error rates over pilots and over signal-to-noise ratio",
        ),
        note("tuning"),
        _hidden("All rates and the settings chosen", rates),
        "<h2>While it is trained</h2>",
        page.bullets(found["curves"]),
        page.picture(
            pictures["curves"], "Gradient norm, condition number and loss over epochs"
        ),
        "<h2>Where the eigenvalues go</h2>",
        page.bullets(found["eigenvalues"]),
        page.picture(pictures["eigenvalues"], "Density of eigenvalue magnitudes"),
        "<h2>What a training costs</h2>",
        page.bullets(found["costs"]),
        page.picture(pictures["costs"], "Seconds and multiply-adds of a training"),
        page.table(COST_COLUMNS, _cost_rows(summary), (2,)),
        note("counted"),
        "<h2>Configured poles, trained further</h2>",
        page.picture(
            pictures["fine_tuning"],
            "Loss, error rate and spectral radius of fine-tuned networks",
        ),
        note("fine_tuned"),
        "<h2>The gradient, and MIMO-OFDM</h2>",
        page.picture(pictures["gradients"], "Gradient norm over moduli of poles"),
        page.picture(pictures["ofdm"], "Error rates and time on a MIMO-OFDM link"),
        note("ofdm"),
        note("provenance"),
    )


def write(summary, folder):
    """Write the report into a folder; returns the paths of its files."""
    pictures = {
        name: page.drawn(draw(summary), "png")["png"]
        for name, draw in plots.FIGURES.items()
    }
    files = {
        "report.html": _page(summary, pictures).encode(),
        "results.json": json.dumps(summary, indent=1, allow_nan=False).encode(),
        **{f"{name}.png": png for name, png in pictures.items()},
    }
    return page.write(files, folder)
