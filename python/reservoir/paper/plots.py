#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The pictures of the paper subcommand, drawn from its summary (results.json)."""

import numpy as np

from gnuradio.reservoir import theory

from ..report.page import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, SKY, pyplot
from ..report.theory_plots import panels
from .measurements import PILOTS, SNR_DB, receivers

STYLES = dict(
    esn=dict(color=BLACK, marker="x", ls="--"),
    statistics=dict(color=SKY, marker="D"),
    linear=dict(color=BLUE, marker="^"),
    complete=dict(color=GREEN, marker="*", ms=10),
)


def cost_label(cost):
    """The name of a training in the comparison of costs."""
    if cost["epochs"]:
        return f"trained RNN, {cost['epochs']} epochs"
    return receivers()[cost["receiver"]].label


def _band(axis, found, **style):
    """A median, and a band of the middle 80 %."""
    curve = {key: np.array(values, float) for key, values in found.items()}
    axis.semilogy(curve["places"], curve["median"], **style)
    where, color = (curve[key] for key in ("places", "low", "high")), style["color"]
    axis.fill_between(*where, color=color, alpha=0.2, linewidth=0)


def _legend_beside(axis, drawn, **options):
    """The legend of one axis in the empty place of another."""
    axis.axis("off")
    axis.legend(*drawn.get_legend_handles_labels(), loc="center left", **options)


def curves(summary):
    """Gradient norm, condition number and loss over the epochs."""
    figure, axes = panels(
        3,
        f"The RNN while it is trained: {PILOTS} pilots, {SNR_DB} dB, median and middle 80 % of "
        f"{summary['parameters']['curve_frames']} frames",
        width=5.0,
    )
    titles = {
        "gradient_norm": "Gradient norm",
        "condition_number": "Condition number (Gauss–Newton)",
        "loss": "Training loss, mean |y − x|²",
    }
    rates = summary["parameters"]["optimizers"]
    for axis, (key, title) in zip(axes, titles.items()):
        for (name, found), color in zip(summary["curves"].items(), (RED, BLUE)):
            label = f"{name}, rate {rates[name]['learning_rate']:g}"
            _band(axis, found[key], color=color, label=label)
        low, high = np.log10(axis.get_ylim())
        axis.set(title=title, xlabel="epoch")
        axis.set_ylim(10 ** np.floor(low), 10 ** np.ceil(high))  # whole decades
    axes[-1].legend()
    return figure


def eigenvalues(summary):
    """Density of eigenvalue magnitudes at several epochs and of networks not trained."""
    found = summary["eigenvalues"]
    frames, rate = (
        summary["parameters"][f"eigenvalue_{key}"] for key in ("frames", "rate")
    )
    figure, (axis, beside) = panels(
        2,
        f"Moduli of the eigenvalues, {frames} frames of {PILOTS} pilots at {SNR_DB} dB; RNN: adam, "
        f"rate {rate:g}",
        width=6,
    )
    edges = np.array(found["edges"])
    colors = pyplot.get_cmap("YlOrRd")(np.linspace(0.35, 1, len(found["rnn"])))
    drawn = [
        (moduli, f"RNN, epoch {moduli['epoch']}", dict(color=color))
        for moduli, color in zip(found["rnn"], colors)
    ]
    drawn += [
        (found["esn"], "random ESN", dict(color=BLACK, ls="--")),
        (found["linear"], "configured, from the estimate", dict(color=BLUE, lw=2.4)),
        (found["statistics"], "configured, from statistics", dict(color=SKY, lw=1.4)),
    ]
    for moduli, label, style in drawn:
        axis.stairs(moduli["density"], edges, label=label, **{"lw": 1.8, **style})
    axis.axvline(1, color="0.4", lw=1)
    last = max(i for i, x in enumerate(found["rnn"][-1]["density"]) if x)
    axis.set(
        xlabel=f"|λ| (line: unit circle; beyond {edges[-1]:g}: in the last bin)",
        ylabel="density",
        xlim=(0, max(1.1, edges[last + 1])),
    )
    _legend_beside(beside, axis)
    return figure


def gradients(summary):
    """Of one pole in closed form, and of the RNN before it is trained, over the modulus."""
    figure, (left, right) = panels(2, "The gradient over the modulus of the poles", 5.6)
    moduli = np.linspace(0.05, 1.2, 116)
    for count, color in ((8, SKY), (32, BLUE), (128, PURPLE), (np.inf, "black")):
        here = moduli[moduli < 0.999] if count == np.inf else moduli
        norms = [theory.pole_gradient_norm(modulus, count) for modulus in here]
        left.semilogy(
            here, norms, color=color, label=f"{count} samples".replace("inf", "all")
        )
    left.set(title="‖dh/dp‖ of one pole, closed form", xlabel="|p|", ylim=(0.5, 1e6))
    left.legend()
    for (name, found), color in zip(summary["gradients"].items(), (RED, BLUE)):
        _band(right, found, color=color, label=name)
    right.set(title="The RNN's, median and middle 80 %", xlabel="spectral radius")
    right.legend()
    return figure


def costs(summary):
    """Seconds and complex multiply-adds of a training over the pilots."""
    figure, (left, right, beside) = panels(
        3, "What the training of one frame costs", width=4.7
    )
    trainings = {}
    for cost in summary["costs"]:
        trainings.setdefault(cost_label(cost), []).append(cost)
    trained = iter((RED, ORANGE))
    for label, here in trainings.items():
        style = STYLES.get(here[0]["receiver"])
        style = style or dict(color=next(trained), marker="o")
        pilots = [c["pilots"] for c in here]
        for axis, key, scale in ((left, "seconds", 1e3), (right, "multiply_adds", 1)):
            axis.loglog(pilots, [scale * c[key] for c in here], label=label, **style)
    left.set(title="Time on one core", ylabel="ms")
    right.set(title="Arithmetic", ylabel="complex multiply-adds")
    for axis in (left, right):
        axis.set_xscale("log", base=2)
        axis.xaxis.set_major_formatter("{x:.0f}")
        axis.set(xlabel="number of pilots", xticks=sorted(set(pilots)))
    _legend_beside(beside, left)
    return figure


def fine_tuning(summary):
    """Loss, error rate and spectral radius when configured poles are trained further."""
    figure, axes = panels(
        3,
        f"Configured poles and least squares, trained further: {PILOTS} pilots, {SNR_DB} dB, "
        f"{summary['parameters']['fine_frames']} frames",
        width=5.0,
    )
    loss, ser, radius = axes
    for (name, rows), color, marker in zip(
        summary["fine_tuning"].items(), (RED, ORANGE, PURPLE), "osv"
    ):
        epochs = [row["epochs"] for row in rows]
        style = dict(color=color, marker=marker, label=name)
        loss.plot(epochs, [row["loss"] for row in rows], **style)
        rate, half = zip(*((row["ser"], row["ser_ci95"]) for row in rows))
        ser.errorbar(epochs, rate, yerr=half, capsize=3, **style)
        radius.plot(epochs, [100 * row["outside"] for row in rows], **style)
    start = rows[0]
    for axis, value in ((loss, start["loss"]), (ser, start["ser"])):
        axis.axhline(value, color=BLUE, ls="--", label="least squares alone")
    loss.set(title="Loss on the pilots (median)", ylabel="mean |y − x|²")
    ser.set(title="Payload, bars: 95 %", ylabel="symbol error rate")
    ser.set_ylim(bottom=0)
    radius.set(title="A pole outside the unit circle", ylabel="frames (%)")
    for axis in axes:
        axis.set_xscale("symlog", linthresh=10)
        axis.set(xlabel="epochs", xticks=epochs, xlim=(-1, 1.3 * epochs[-1]))
        axis.xaxis.set_major_formatter("{x:.0f}")
        axis.minorticks_off()
    loss.legend()
    return figure


FIGURES = dict(
    curves=curves,
    eigenvalues=eigenvalues,
    costs=costs,
    fine_tuning=fine_tuning,
    gradients=gradients,
)
