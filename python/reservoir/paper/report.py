#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What the paper subcommand found: figures with intervals, sentences, JSON, an HTML page."""

import copy
import dataclasses
import json

import numpy as np

from ..campaign.engine import Results
from ..campaign.statistics import half_interval
from ..report import campaign, campaign_plots, page
from . import claims, plots
from .claims import number
from .measurements import PAYLOAD, PILOTS, SNR_DB, spread

# --- from the measurements to figures ---


def _tuned_further(rows, epochs):
    """Medians and error rates over the epochs, from configured poles on."""
    rows = np.asarray(rows)
    ser = rows[..., 1] / PAYLOAD
    return [
        dict(
            epochs=epoch,
            loss=float(np.median(rows[:, k, 0])),
            outside=float(np.mean(rows[:, k, 3] > 1)),
            ser=float(ser[:, k].mean()),
            ser_ci95=half_interval(ser[:, k]),
        )
        for k, epoch in enumerate(epochs)
    ]


def summarise(found, parameters, run_seconds):
    """All that is reported, as JSON holds it."""
    campaigns = {k: v for k, v in found.items() if isinstance(v, Results)}
    judged = found | {name: one.pairs() for name, one in campaigns.items()}
    summary = dict(
        experiment="paper",
        date=page.date(),
        run_seconds=round(run_seconds, 1),
        machine=page.machine(),
        versions=page.versions(),
        parameters=parameters,
        curves=found["curves"],
        eigenvalues=found["eigenvalues"]["all"],
        costs=list(found["costs"].values()),
        comparisons=claims.comparisons(judged),
        gradients={
            name: spread(claims.RADII, norms)
            for name, norms in found["gradients"].items()
        },
        fine_tuning={
            name: _tuned_further(rows, parameters["fine_epochs"])
            for name, rows in found["fine_tuning"].items()
        },
        campaigns={name: campaign.summary(one) for name, one in campaigns.items()},
        claims=claims.table(judged),
    )
    summary["findings"] = findings(summary)
    return summary


# --- sentences ---


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
    for rnn in (c for c in here if c["epochs"]):
        against = "; ".join(
            f"{number(rnn['seconds'] / c['seconds'])} and "
            f"{number(rnn['multiply_adds'] / c['multiply_adds'])} times those of: "
            f"{plots.cost_label(c)}"
            for c in here
            if not c["epochs"]
        )
        yield (
            f"{rnn['epochs']} epochs of back-propagation over {pilots} pilots take "
            f"{number(1e3 * rnn['seconds'])} ms and {number(rnn['multiply_adds'] / 1e6)} million "
            f"complex multiply-adds, {against}."
        )


def findings(summary):
    """Sentences on what came out, from the figures alone: {section: [sentence]}."""
    return dict(
        curves=list(_curve_findings(summary)),
        eigenvalues=list(_eigenvalue_findings(summary)),
        costs=list(_cost_findings(summary)),
    )


# --- the page ---

COST_COLUMNS = ("Pilots", "Time", "Receiver", "Complex multiply-adds")


def _cost_rows(summary):
    for c in summary["costs"]:
        time = f"{number(1e3 * c['seconds'])} ms"
        yield str(c["pilots"]), time, plots.cost_label(c), f"{c['multiply_adds']:,}"


COUNTED = (
    "Time: median processor time of one frame's training, without diagnostics; of the complete receiver, "
    f"whose refits use its own decisions, of the whole reception of {PAYLOAD} symbols. Multiply-adds are "
    "complex and counted by formula, leading terms only: activation functions, the optimizer, the "
    "model's prior and the search for its weight are left out."
)


def _chance(summary):
    comparisons = len(summary["comparisons"])
    return (
        "A claim holds where the 95 % interval over frames, whose channels are independent, "
        f"says so. Of {comparisons} comparisons of the RNN some {0.05 * comparisons:.0f} would "
        "come out by chance if all receivers were equal."
    )


def _fine_tuned(summary):
    p = summary["parameters"]
    tunings = "; ".join(
        f"{name}: {', '.join(f'{k} {v}' for k, v in settings.items())}"
        for name, settings in p["fine_tunings"].items()
    )
    return (
        "A linear network with the configured poles and a readout by least squares (ridge by "
        "leave-one-out) that sees the window too is trained further on the same pilots: "
        f"{tunings}. {PILOTS} pilots at {SNR_DB} dB, {p['fine_frames']} frames. This start is less "
        "than the configured detector, which looks ahead and draws its readout to the model's own."
    )


def groups(results):
    """The same of the points of one table of links, for each."""
    for group in dict.fromkeys(point.group for point in results.campaign.points):
        here = copy.copy(results)
        both = zip(results.points, results.measured)
        here.points, here.measured = zip(
            *(p for p in both if p[0].point.group == group)
        )
        points = tuple(work.point for work in here.points)
        here.campaign = dataclasses.replace(results.campaign, points=points)
        yield here


def pictures(summary, found):
    """{name: figure}; of campaigns, a figure for each table of links."""
    drawn = {name: draw(summary) for name, draw in plots.FIGURES.items()}
    for name in ("error_rates", "ofdm"):
        for number_, here in enumerate(groups(found[name]), 1):
            drawn[f"{name}_{number_}"] = campaign_plots.curves(here)
    return drawn


def _of_campaign(results, images):
    """What it is about, curves, all rates and the settings that were chosen."""
    head = results.campaign.head
    rates = page.table(campaign.COLUMNS, campaign.rows(results), campaign.TEXT_COLUMNS)
    return [
        *map(page.paragraph, head.about.splitlines()),
        *images,
        f"<details><summary>All rates, {head.frames} frames per point</summary>{rates}</details>",
        *campaign.tuned(results),
    ]


def _page(summary, found, images):
    said = summary["findings"]
    note = lambda text: page.paragraph(text, note=True)
    curves = lambda name: [images[f"{name}_{k}"] for k in (1, 2)]
    return page.page(
        "Recurrent networks: trained against configured",
        page.table(claims.COLUMNS, summary["claims"], (0, 1, 2, 3), 0),
        note(_chance(summary)),
        "<h2>Error rates</h2>",
        *_of_campaign(found["error_rates"], curves("error_rates")),
        "<h2>While it is trained</h2>",
        page.bullets(said["curves"]),
        images["curves"],
        "<h2>Where the eigenvalues go</h2>",
        page.bullets(said["eigenvalues"]),
        images["eigenvalues"],
        "<h2>What a training costs</h2>",
        page.bullets(said["costs"]),
        images["costs"],
        page.table(COST_COLUMNS, _cost_rows(summary), (2,)),
        note(COUNTED),
        "<h2>Configured poles, trained further</h2>",
        images["fine_tuning"],
        note(_fine_tuned(summary)),
        "<h2>The gradient</h2>",
        images["gradients"],
        "<h2>MIMO-OFDM</h2>",
        *_of_campaign(found["ofdm"], curves("ofdm")),
        note(page.provenance(summary)),
    )


def write(summary, found, folder):
    """Write the report into a folder; returns the paths of its files."""
    drawn = {
        name: page.drawn(figure, "png")["png"]
        for name, figure in pictures(summary, found).items()
    }
    images = {
        name: page.picture(png, name.replace("_", " ")) for name, png in drawn.items()
    }
    files = {
        "report.html": _page(summary, found, images).encode(),
        "results.json": json.dumps(summary, indent=1, allow_nan=False).encode(),
        **{f"{name}.png": png for name, png in drawn.items()},
    }
    return page.write(files, folder)
