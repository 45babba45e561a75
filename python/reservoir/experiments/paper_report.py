#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What the paper subcommand found: figures with intervals, sentences, JSON, an HTML page."""

import html
import itertools
import json
import string

import numpy as np

from . import paper_plots, report
from .flowgraph import half_interval
from .paper_measurements import NUM_TAPS, PAYLOAD, PILOTS, RNN, SNR_DB

TRAINED = {
    "rnn_tuned": "The trained RNN, its number of epochs tuned,",
    "rnn_final": "The trained RNN after its last epoch",
    "rnn_best": "The trained RNN, stopped in each frame where the payload has fewest errors (which "
    "no receiver knows),",
}
OTHERS = {
    "esn": "the random ESN",
    "statistics": "the configured ESN with 32 poles from the channel's statistics",
    "linear": "the configured ESN with poles from its channel estimate",
    "complete": "the complete configured receiver",
}
COSTS = {"rnn": "the RNN", **OTHERS}
HISTOGRAM = np.linspace(0, 1.5, 46)


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


def _rates(counts):
    """Mean error rates with half their 95 % intervals over frames."""
    ser, ber = np.asarray(counts).T / np.array([[PAYLOAD], [2 * PAYLOAD]])
    return dict(
        ser=float(ser.mean()),
        ser_ci95=float(half_interval(ser)),
        ber=float(ber.mean()),
        ber_ci95=float(half_interval(ber)),
    )


def _difference(wrong, reference):
    """Of two symbol error rates on the same frames, with a verdict."""
    difference = (np.asarray(wrong) - np.asarray(reference)) / PAYLOAD
    mean, half = float(difference.mean()), float(half_interval(difference))
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
            **_difference(at[trained][0][:, 0], at[other][0][:, 0]),
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
            against_start=_difference(at[:, 1], start),
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
        date=report.date(),
        run_seconds=round(run_seconds, 1),
        pieces=found["pieces"],
        machine=report.machine(),
        versions=report.versions(),
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
    summary["findings"] = findings(summary)
    return summary


# --- sentences ---


def _listed(texts):
    texts = list(texts)
    return " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))


def _points(comparisons):
    """Where, in words: the pilots at one signal-to-noise ratio, and the ratios at one length."""
    at = [(c["pilots"], c["snr_db"]) for c in comparisons]
    over_pilots = [str(p) for p, snr_db in at if snr_db == SNR_DB]
    over_snrs = [str(s) for p, s in at if p == PILOTS and s != SNR_DB]
    texts = []
    if over_pilots:
        texts.append(f"{_listed(over_pilots)} pilots ({SNR_DB} dB)")
    if over_snrs:
        texts.append(f"{_listed(over_snrs)} dB ({PILOTS} pilots)")
    return " and at ".join(texts)


def _by_verdict(comparisons, receiver, other):
    here = [c for c in comparisons if c["receiver"] == receiver and c["other"] == other]
    return len(here), {
        verdict: [c for c in here if c["verdict"] == verdict]
        for verdict in ("fewer", "more", "undecided")
    }


def _contest(comparisons, receiver, other):
    """Where a trained network makes fewer errors than another, and where more."""
    count, by = _by_verdict(comparisons, receiver, other)
    words = {
        "fewer": "fewer symbol errors than {} at {}",
        "more": "more symbol errors than {} at {}",
        "undecided": "as many as {}, within the interval, at {}",
    }
    parts = []
    for verdict, text in words.items():
        if by[verdict]:
            where = (
                f"all {count} points"
                if len(by[verdict]) == count
                else _points(by[verdict])
            )
            parts.append(text.format("it" if parts else OTHERS[other], where))
    return f"{TRAINED[receiver]} makes {'; '.join(parts)}."


def _headline(comparisons):
    """Whether a trained network wins anywhere."""
    fair = ("rnn_tuned", "rnn_final")
    won = [c for c in comparisons if c["receiver"] in fair and c["verdict"] == "fewer"]
    if not won:
        return (
            "Nowhere does a trained RNN that a receiver could run make fewer symbol errors than "
            "any other network of the comparison, beyond the 95 % interval."
        )
    beaten = [o for o in OTHERS if any(c["other"] == o for c in won)]
    unbeaten = [o for o in OTHERS if o not in beaten]
    sentence = "A trained RNN wins somewhere: it beats " + "; ".join(
        f"{OTHERS[other]} at {_points(_unique(c for c in won if c['other'] == other))}"
        for other in beaten
    )
    if unbeaten:
        sentence += f". Nowhere does it beat {_listed(OTHERS[o] for o in unbeaten)}"
    return sentence + "."


def _unique(comparisons):
    """One of each point."""
    return {(c["pilots"], c["snr_db"]): c for c in comparisons}.values()


def _figures(point):
    """The symbol error rates of all receivers at one point."""
    rates = point["receivers"]
    texts = [
        f"{paper_plots.RECEIVERS[name].label} {rate['ser']:.2g} ± {rate['ser_ci95']:.1g}"
        for name, rate in rates.items()
    ]
    return (
        f"Symbol error rates with {point['pilots']} pilots at {point['snr_db']} dB: "
        f"{'; '.join(texts)}."
    )


def _change(first, last):
    word = "falls" if last < first else "rises"
    return f"{word} from {first:.2g} to {last:.2g}"


def _curve_findings(summary):
    for optimizer, curves in summary["curves"].items():
        loss, norm, number = (
            curves[key]["median"]
            for key in ("loss", "gradient_norm", "condition_number")
        )
        epochs = len(loss)
        kappa = number[-1]
        yield (
            f"{optimizer}: over {epochs} epochs the median training loss "
            f"{_change(loss[0], loss[-1])}, the gradient's norm {_change(norm[0], norm[-1])}, "
            f"the condition number of the Gauss–Newton matrix {_change(number[0], kappa)}. "
            + (
                "Plain descent needs about that many steps to come e times nearer in the worst "
                f"direction: {'more' if kappa > epochs else 'no more'} than the epochs that were run."
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

    def apart(a, b):  # half the area between two densities
        width = np.diff(found["edges"])
        return 0.5 * float(
            np.sum(np.abs(np.subtract(a["density"], b["density"])) * width)
        )

    before, after = apart(first, found["linear"]), apart(last, found["linear"])
    if abs(after - before) < 0.02:
        verdict = "leaves the moduli as far from the configured ones as they were"
    else:
        nearer = "nearer to" if after < before else "further from"
        verdict = f"brings the moduli {nearer} the configured ones"
    yield (
        f"Training {verdict}: densities of which {100 * before:.0f} % did not overlap before and "
        f"{100 * after:.0f} % after. {100 * apart(first, last):.0f} % of the trained network's own "
        "density has moved."
    )


def _times(ratio):
    if ratio >= 1:
        return f"{ratio:.2g} times as much as"
    return f"{100 * ratio:.2g} % of"


def _cost_findings(summary):
    costs = summary["costs"]
    pilots = min({c["pilots"] for c in costs}, key=lambda p: abs(p - PILOTS))
    here = [c for c in costs if c["pilots"] == pilots]
    trained = [c for c in here if c["receiver"] == "rnn"]
    others = [c for c in here if c["receiver"] != "rnn"]
    yield f"With {pilots} pilots: " + "; ".join(
        f"{paper_plots.cost_label(c)} {1e3 * c['seconds']:.2g} ms and "
        f"{c['multiply_adds'] / 1e6:.2g} million multiply-adds"
        for c in here
    ) + "."
    for rnn in trained:
        yield f"{rnn['epochs']} epochs of back-propagation take " + _listed(
            f"{_times(rnn['seconds'] / c['seconds'])} the time and "
            f"{_times(rnn['multiply_adds'] / c['multiply_adds'])} the multiply-adds of "
            f"{COSTS[c['receiver']]}"
            for c in others
        ) + "."


def _fine_findings(summary):
    for name, rows in summary["fine_tuning"].items():
        start, last = rows[0], rows[-1]
        by = {
            verdict: [
                str(row["epochs"])
                for row in rows[1:]
                if row["against_start"]["verdict"] == verdict
            ]
            for verdict in ("fewer", "more")
        }
        texts = [
            f"{verdict} symbol errors than the least-squares start after {_listed(epochs)} epochs"
            for verdict, epochs in by.items()
            if epochs
        ]
        verdict = (
            f"There are {' and '.join(texts)}, beyond the 95 % interval"
            if texts
            else "Nowhere does the symbol error rate differ from the start beyond the 95 % interval"
        )
        yield (
            f"{name}: over {last['epochs']} epochs the median loss on the pilots "
            f"{_change(start['loss'], last['loss'])} while the symbol error rate of the payload "
            f"goes from {start['ser']:.3f} ± {start['ser_ci95']:.3f} to {last['ser']:.3f} ± "
            f"{last['ser_ci95']:.3f}. {verdict}. In {100 * last['outside']:.0f} % of the frames a "
            "pole has left the unit circle."
        )


def findings(summary):
    """Sentences on what came out, from the figures alone: {section: [sentence]}."""
    comparisons = summary["comparisons"]
    at = [
        p
        for p in summary["error_rates"]
        if (p["pilots"], p["snr_db"]) == (PILOTS, SNR_DB)
    ]
    return dict(
        wins=[_headline(comparisons)]
        + [_contest(comparisons, *pair) for pair in itertools.product(TRAINED, OTHERS)],
        curves=list(_curve_findings(summary)),
        eigenvalues=list(_eigenvalue_findings(summary)),
        error_rates=[_figures(point) for point in at],
        costs=list(_cost_findings(summary)),
        fine_tuning=list(_fine_findings(summary)),
    )


# --- the page ---

PAGE = string.Template(
    f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Trained against configured networks</title>
<style>
{report.STYLE}</style></head><body>
<h1>Recurrent networks: trained against configured</h1>
<p>$what</p>
<h2>Where a trained RNN wins</h2>
$wins
<p class="note">$verdicts</p>
<h2>Error rates</h2>
$error_rates
<p><img alt="Error rates over pilots and over signal-to-noise ratio" src="$error_rates_png"></p>
<p class="note">$tuning</p>
<details><summary>All rates and the settings chosen</summary>
<table><thead>$head</thead><tbody>$rows</tbody></table></details>
<h2>While it is trained</h2>
$curves
<p><img alt="Gradient norm, condition number and loss over the epochs" src="$curves_png"></p>
<h2>Where the eigenvalues go</h2>
$eigenvalues
<p><img alt="Density of eigenvalue magnitudes" src="$eigenvalues_png"></p>
<h2>What a training costs</h2>
$costs
<p><img alt="Seconds and multiply-adds of a training" src="$costs_png"></p>
<p class="note">$counted</p>
<h2>Configured poles, trained further</h2>
$fine_tuning
<p><img alt="Loss, error rate and spectral radius of fine-tuned networks" src="$fine_tuning_png"></p>
<p class="note">$fine_tuned</p>
<p class="note">$provenance</p>
</body></html>
"""
)

COLUMNS = ("Pilots", "SNR dB", "Receiver", "SER", "± 95 %", "BER", "± 95 %", "Settings")


def _rows(summary):
    for point in summary["error_rates"]:
        for index, (name, rate) in enumerate(point["receivers"].items()):
            cells = (
                str(point["pilots"]),
                str(point["snr_db"]),
                paper_plots.RECEIVERS[name].label,
                *(f"{rate[key]:.2e}" for key in ("ser", "ser_ci95", "ber", "ber_ci95")),
                ", ".join(f"{key} {v}" for key, v in rate["settings"].items()),
            )
            yield report.html_row(cells, first=index == 0)


def _notes(summary):
    p = summary["parameters"]
    comparisons = len(summary["comparisons"])
    epochs = _listed(map(str, p["epochs"]))
    return dict(
        what=(
            f"Each frame is a number of known pilots and {PAYLOAD} QPSK symbols, one sample a "
            f"symbol, through a channel of {NUM_TAPS} taps (Rayleigh, exponential power profile, "
            "drawn anew for each frame) and white noise. Three kinds of recurrent network learn "
            "the receiver on the pilots: the RNN, all of whose weights descend the gradient "
            "(back-propagation through time); the random echo state network (ESN), of which only "
            "the readout is solved for; the configured ESN, whose poles are set from what is "
            "known of the channel. RNN, random ESN and configured ESN from statistics have 32 "
            "neurons; the configured ESN with poles from its channel estimate has twice the "
            "channel's memory. The complete configured receiver adds decision feedback, several "
            f"survivors and refits. All get the same {p['frames']} frames at a point."
        ),
        verdicts=(
            "Fewer or more: the mean difference of the symbol error rates on the same frames lies "
            "beyond its normal 95 % interval over frames, whose channels are independent. Each "
            f"verdict is at 95 % by itself; of {comparisons} some {0.05 * comparisons:.0f} would "
            "be wrong by chance if all receivers were equal."
        ),
        tuning=(
            f"Bars: 95 % over frames. At every point the RNN is tuned over {len(p['rnn_grid'])} "
            f"settings and {epochs} epochs (each number a training of its own), the random ESN "
            f"over {len(p['esn_grid'])} settings and its decision delay, on {p['tuning_frames']} "
            f"other frames. Final epoch: {max(p['epochs'])}, with the settings best for it. The "
            "configured ESN is not tuned; its variant from statistics knows the channel's mean "
            "power profile, which the others do not."
        ),
        counted=(
            "Seconds: median wall-clock time of one frame's training on one core, without "
            "diagnostics; of the complete receiver, whose refits use its own decisions, of the "
            f"whole reception of {PAYLOAD} symbols. Multiply-adds are complex and counted by "
            "formula, leading terms only: activation functions, the optimizer and the search for "
            f"the number of survivors are left out. The RNN: window {RNN['window']}."
        ),
        fine_tuned=(
            "A linear network with the configured poles and a readout by least squares (ridge by "
            "leave-one-out) that sees the window too is trained further on the same pilots: "
            + "; ".join(
                f"{name}: {', '.join(f'{k} {v}' for k, v in settings.items())}"
                for name, settings in p["fine_tunings"].items()
            )
            + f". {PILOTS} pilots at {SNR_DB} dB, {p['fine_frames']} frames."
        ),
        provenance=report.provenance(summary)
        + (
            f" {summary['pieces']['read']} pieces of {sum(summary['pieces'].values())} "
            "were read from the cache."
        ),
    )


def _page(summary, pictures):
    sections = {
        name: "<ul>"
        + "".join(f"<li>{html.escape(sentence)}</li>" for sentence in sentences)
        + "</ul>"
        for name, sentences in summary["findings"].items()
    }
    notes = {name: html.escape(text) for name, text in _notes(summary).items()}
    return PAGE.substitute(
        **sections,
        **notes,
        head=report.html_row(COLUMNS, "th"),
        rows="".join(_rows(summary)),
        **{f"{name}_png": report.embedded(png) for name, png in pictures.items()},
    )


def write(summary, folder):
    """Write the report into a folder; returns the paths of its files."""
    pictures = {
        name: report.png(draw(summary)) for name, draw in paper_plots.FIGURES.items()
    }
    files = {
        "index.html": _page(summary, pictures).encode(),
        "results.json": json.dumps(summary, indent=1, allow_nan=False).encode(),
        **{f"{name}.png": png for name, png in pictures.items()},
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]
