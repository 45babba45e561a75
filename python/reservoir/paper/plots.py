#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The pictures of the paper subcommand, drawn from its summary (results.json)."""

import dataclasses

import numpy as np

from gnuradio.reservoir import theory

from ..report.page import BLUE, GREEN, ORANGE, PURPLE, RED, SKY, pyplot
from ..report.theory_plots import panels
from .measurements import NEURONS, PILOTS, SNR_DB
from .trials import OFDM_PILOTS, OFDM_SNR_DB


@dataclasses.dataclass(frozen=True)
class Line:
    """How a receiver is named and drawn."""

    label: str
    style: dict


RECEIVERS = {
    "rnn_best": Line(
        "trained RNN, best epoch of each frame (oracle)",
        dict(color=ORANGE, marker="v", ls=":", mfc="none"),
    ),
    "rnn_tuned": Line("trained RNN, tuned epochs", dict(color=RED, marker="o")),
    "rnn_final": Line(
        "trained RNN, final epoch", dict(color=PURPLE, marker="s", ls="-.")
    ),
    "esn": Line("random ESN", dict(color="black", marker="x", ls="--")),
    "statistics": Line(
        "configured ESN, poles from statistics", dict(color=SKY, marker="D")
    ),
    "linear": Line(
        "configured ESN, poles from the estimate", dict(color=BLUE, marker="^")
    ),
    "complete": Line(
        "configured ESN, complete receiver", dict(color=GREEN, marker="*", ms=10)
    ),
}


OFDM_RECEIVERS = {
    "ofdm_rnn": Line("trained RNN, on samples", RECEIVERS["rnn_tuned"].style),
    "ofdm_esn": Line("random ESN", RECEIVERS["esn"].style),
    "ofdm_lmmse": Line("LMMSE", RECEIVERS["linear"].style),
    "ofdm_configured": Line("configured", RECEIVERS["complete"].style),
}


def cost_label(cost):
    """The name of a training in the comparison of costs."""
    if cost["receiver"] == "rnn":
        return f"trained RNN, {cost['epochs']} epochs"
    return RECEIVERS[cost["receiver"]].label


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
    titles = dict(
        gradient_norm="Gradient norm",
        condition_number="Condition number (Gauss–Newton)",
        loss="Training loss, mean |y − x|²",
    )
    rates = summary["parameters"]["optimizers"]
    for axis, (key, title) in zip(axes, titles.items()):
        for (name, found), color in zip(summary["curves"].items(), (RED, BLUE)):
            curve = {k: np.array(v, float) for k, v in found[key].items()}
            label = f"{name}, rate {rates[name]['learning_rate']:g}"
            epochs = curve["epochs"]
            axis.semilogy(epochs, curve["median"], color=color, label=label)
            axis.fill_between(
                epochs, curve["low"], curve["high"], color=color, alpha=0.2, lw=0
            )
        low, high = np.log10(axis.get_ylim())
        axis.set(title=title, xlabel="epoch")
        axis.set_ylim(10 ** np.floor(low), 10 ** np.ceil(high))  # whole decades
    axes[-1].legend()
    return figure


def eigenvalues(summary):
    """Density of eigenvalue magnitudes at several epochs and of networks not trained."""
    found = summary["eigenvalues"]
    figure, (axis, beside) = pyplot.subplots(
        1,
        2,
        figsize=(12, 5.2),
        layout="constrained",
        gridspec_kw=dict(width_ratios=(3, 1)),
    )
    figure.suptitle(
        f"Moduli of the eigenvalues, {summary['parameters']['eigenvalue_frames']} frames of "
        f"{PILOTS} pilots at {SNR_DB} dB; RNN: adam, rate "
        f"{summary['parameters']['eigenvalue_rate']:g}",
        fontsize=14,
    )
    edges = np.array(found["edges"])

    def draw(moduli, label, **style):
        axis.stairs(moduli["density"], edges, label=label, **style)

    colors = pyplot.get_cmap("YlOrRd")(np.linspace(0.35, 1, len(found["rnn"])))
    for moduli, color in zip(found["rnn"], colors):
        draw(moduli, f"RNN, epoch {moduli['epoch']}", color=color, lw=1.8)
    draw(found["esn"], "random ESN", color="black", ls="--", lw=1.8)
    draw(found["linear"], "configured, from the estimate", color=BLUE, lw=2.4)
    draw(found["statistics"], "configured, from statistics", color=SKY, lw=1.4)
    axis.axvline(1, color="0.4", lw=1)
    last = max(i for i, x in enumerate(found["rnn"][-1]["density"]) if x)
    axis.set(
        xlabel=f"|λ| (line: unit circle; beyond {edges[-1]:g}: in the last bin)",
        ylabel="density",
        xlim=(0, max(1.1, edges[last + 1])),
    )
    axis.grid(True, color="0.9")
    axis.set_axisbelow(True)
    _legend_beside(beside, axis)
    return figure


def _rates_over(axis, over, points, lines, key="ser"):
    """Error rates of receivers over pilots or signal-to-noise ratio."""
    for receiver, line in lines.items():
        drawn = sorted(
            (p[over], rate[key], rate[f"{key}_ci95"])
            for p in points
            if (rate := p["receivers"][receiver])[key] > 0
        )
        x, y, half = np.array(drawn).reshape(-1, 3).T
        # a bar that reaches zero has no end on a logarithmic axis
        ends = [np.minimum(half, 0.95 * y), half]
        axis.errorbar(x, y, yerr=ends, capsize=3, label=line.label, **line.style)
    axis.set_yscale("log")
    if over == "pilots":
        axis.set_xscale("log", base=2)
        axis.xaxis.set_major_formatter("{x:.0f}")
    axis.set_xticks(sorted(p[over] for p in points))
    axis.grid(True, which="major", color="0.85")
    axis.grid(True, which="minor", color="0.95")


def error_rates(summary):
    """Symbol and bit error rates over the pilots and over the signal-to-noise ratio."""
    figure, axes = pyplot.subplots(
        2,
        3,
        figsize=(14, 9),
        sharey="row",
        sharex="col",
        layout="constrained",
        gridspec_kw=dict(width_ratios=(3, 3, 2)),
    )
    figure.suptitle(
        f"{NEURONS} neurons, QPSK, 6-tap Rayleigh channel, "
        f"{summary['parameters']['frames']} frames per point; bars: 95 % over frames; "
        "points without errors are not drawn",
        fontsize=14,
    )
    columns = (
        ("pilots", "snr_db", SNR_DB, f"Number of pilots ({SNR_DB} dB)"),
        ("snr_db", "pilots", PILOTS, f"Signal-to-noise ratio in dB ({PILOTS} pilots)"),
    )
    for column, (over, other, value, title) in enumerate(columns):
        points = [p for p in summary["error_rates"] if p[other] == value]
        for row, key in enumerate(("ser", "ber")):
            _rates_over(axes[row, column], over, points, RECEIVERS, key)
        axes[1, column].set_xlabel(title)
    for row, name in enumerate(("Symbol error rate", "Bit error rate")):
        axes[row, 0].set_ylabel(name)
    _legend_beside(axes[0, 2], axes[0, 0], fontsize=10)
    axes[1, 2].axis("off")
    return figure


def ofdm(summary):
    """Symbol error rates on a MIMO-OFDM link, and the time of one frame."""
    figure, (pilots, snr, time) = panels(
        3, f"MIMO-OFDM, {summary['parameters']['claim_frames']} frames per point", 5.0
    )
    at = OFDM_PILOTS, OFDM_SNR_DB
    points = [p for p in summary["ofdm"] if p["snr_db"] == at[1]]
    _rates_over(pilots, "pilots", points, OFDM_RECEIVERS)
    points = [p for p in summary["ofdm"] if p["pilots"] == at[0]]
    _rates_over(snr, "snr_db", points, OFDM_RECEIVERS)
    pilots.set(xlabel=f"pilot symbols ({at[1]} dB)", ylabel="symbol error rate")
    snr.set(xlabel=f"signal-to-noise ratio in dB ({at[0]} pilot symbols)")
    lines = [OFDM_RECEIVERS[name] for name in summary["ofdm_costs"]]
    time.barh(
        [line.label for line in lines],
        [1e3 * seconds for seconds in summary["ofdm_costs"].values()],
        color=[line.style["color"] for line in lines],
    )
    least = 1e3 * min(summary["ofdm_costs"].values())
    time.set(xlabel="ms per frame", xscale="log", title="Training and reception")
    time.set_xlim(left=10 ** np.floor(np.log10(least)))
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
        right.semilogy(found["radii"], found["median"], color=color, label=name)
        right.fill_between(
            found["radii"], found["low"], found["high"], color=color, alpha=0.2, lw=0
        )
    right.set(title="The RNN's, median and middle 80 %", xlabel="spectral radius")
    right.legend()
    return figure


def costs(summary):
    """Seconds and complex multiply-adds of a training over the pilots."""
    figure, (left, right, beside) = panels(
        3, "What the training of one frame costs", width=4.7
    )
    labels = list(dict.fromkeys(cost_label(c) for c in summary["costs"]))
    trained = iter((RED, ORANGE, PURPLE))
    styles = {
        **{line.label: line.style for line in RECEIVERS.values()},
        **{
            label: dict(color=next(trained), marker="o")
            for label in labels
            if "epochs" in label
        },
    }
    for label in labels:
        costs_of = [c for c in summary["costs"] if cost_label(c) == label]
        pilots = [c["pilots"] for c in costs_of]
        for axis, values in (
            (left, [1e3 * c["seconds"] for c in costs_of]),
            (right, [c["multiply_adds"] for c in costs_of]),
        ):
            axis.loglog(pilots, values, label=label, **styles[label])
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
        ser.errorbar(
            epochs,
            [row["ser"] for row in rows],
            yerr=[row["ser_ci95"] for row in rows],
            capsize=3,
            **style,
        )
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
    error_rates=error_rates,
    costs=costs,
    fine_tuning=fine_tuning,
    gradients=gradients,
    ofdm=ofdm,
)
