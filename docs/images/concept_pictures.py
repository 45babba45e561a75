#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The pictures of docs/concepts.md; make_pictures.py writes them."""

import numpy as np

from gnuradio.reservoir import theory
from gnuradio.reservoir.report.page import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    RED,
    pyplot,
)

WIDTH = 7.2  # inches, as the other pictures


def panels(rows, columns, height):
    figure, axes = pyplot.subplots(
        rows, columns, figsize=(WIDTH, height), layout="constrained", squeeze=False
    )
    for axis in axes.flat:
        axis.grid(True, color="0.9")
        axis.set_axisbelow(True)
    return figure, axes.ravel()


# --- what is fixed and what is trained ---


def box(axis, x, y, width, text, color, face="white"):
    axis.add_patch(
        pyplot.Rectangle((x, y - 0.34), width, 0.68, ec=color, fc=face, lw=1.6)
    )
    axis.text(x + width / 2, y, text, ha="center", va="center", fontsize=9)


def arrow(axis, start, end, color=BLACK):
    axis.annotate(
        "", end, start, arrowprops=dict(arrowstyle="-|>", color=color, lw=1.3)
    )


def receivers():
    """Three receivers as boxes, coloured by what is fixed, solved for and descended."""
    figure, axis = pyplot.subplots(figsize=(WIDTH, 3.4), layout="constrained")
    fixed, solved, descended = ("0.5", "0.93"), (GREEN, "#e0f3ec"), (RED, "#fbe6d8")
    kinds = (
        ("ESN", "window, poles at random", fixed, solved),
        ("configured ESN", "poles from the channel", fixed, solved),
        ("RNN", "window, poles by descent", descended, descended),
    )
    for row, (name, poles, first, second) in enumerate(kinds):
        y = 3.6 - 1.3 * row
        axis.text(0, y, name, va="center", fontweight="bold", fontsize=10)
        arrow(axis, (2.0, y), (2.6, y))
        box(axis, 2.6, y, 3.1, poles, *first)
        arrow(axis, (5.7, y), (6.3, y))
        box(axis, 6.3, y, 1.6, "readout", *second)
        arrow(axis, (7.9, y), (8.5, y))
        arrow(axis, (10.0, y), (10.6, y))
        box(axis, 8.5, y, 1.5, "decision", *fixed)
    axis.text(2.3, 4.05, "samples", fontsize=8, ha="center")
    axis.text(10.3, 4.05, "symbols", fontsize=8, ha="center")
    y = 3.6 - 1.3
    axis.plot([9.25, 9.25, 7.1], [y - 0.34, y - 0.62, y - 0.62], color=BLACK, lw=1.3)
    arrow(axis, (7.1, y - 0.62), (7.1, y - 0.34))
    axis.text(7.3, y - 0.8, "decisions fed back", fontsize=8, va="center")
    for k, (text, (edge, face)) in enumerate(
        (
            ("fixed", fixed),
            ("trained by least squares, at once", solved),
            ("trained step by step", descended),
        )
    ):
        x = (2.6, 4.2, 8.2)[k]
        axis.add_patch(
            pyplot.Rectangle((x - 0.35, -0.12), 0.25, 0.24, ec=edge, fc=face, lw=1.4)
        )
        axis.text(x, 0, text, fontsize=8, va="center")
    axis.set(xlim=(-0.1, 10.8), ylim=(-0.3, 4.3))
    axis.axis("off")
    return figure


# --- a neuron is a filter ---

POLES = (
    (0.5, "p = 0.5", BLUE, "o"),
    (0.9, "p = 0.9", ORANGE, "s"),
    (0.9 * np.exp(0.5j), "|p| = 0.9, 0.5 rad", GREEN, "^"),
)


def neuron():
    """Impulse and frequency responses of single neurons."""
    figure, (left, right) = panels(1, 2, 3.1)
    frequency = np.linspace(-0.5, 0.5, 401)
    for pole, label, color, marker in POLES:
        h = theory.impulse_response([pole], [1], 25)
        left.plot(h.real, color=color, marker=marker, ms=4, lw=1, label=label)
        response = 1 / (1 - pole * np.exp(-2j * np.pi * frequency))
        right.plot(frequency, 20 * np.log10(np.abs(response)), color=color, label=label)
    left.set(title="Impulse response", xlabel="sample n", ylabel="real part of h[n]")
    left.legend(fontsize=9)
    right.set(title="Frequency response", xlabel="frequency (cycles/sample)")
    right.set(ylabel="gain (dB)")
    return figure


# --- where the poles go ---

CHANNEL = np.poly([0.85 * np.exp(2.2j), 0.8, 0.7 * np.exp(-1.2j)])  # minimum phase
CHANNEL = CHANNEL / np.linalg.norm(CHANNEL)
NOISE = 0.01


def least_error(responses):
    """Mean square error of the best readout, without delay, of filters: one response per row."""
    through = np.array([np.convolve(CHANNEL, response) for response in responses])
    correlation = through @ through.conj().T
    correlation += NOISE * responses @ responses.conj().T
    target = through[:, 0]
    weights = np.linalg.lstsq(correlation, target, rcond=None)[0]
    return 1 - float(np.vdot(target, weights).real)


def geometric(poles, length=300):
    return np.array([theory.impulse_response([pole], [1], length) for pole in poles])


def random_poles(rng, count, radius=0.95):
    angles = rng.uniform(-np.pi, np.pi, count)
    return radius * np.sqrt(rng.uniform(size=count)) * np.exp(1j * angles)


def errors_over_weights(counts, trials=200):
    """Mean square errors of FIR filters, and quantiles of random poles', by number of weights."""
    rng = np.random.default_rng(1)
    filters = [least_error(np.eye(count, 300)) for count in counts]
    drawn = [
        [least_error(geometric(random_poles(rng, count))) for _ in range(trials)]
        for count in counts
    ]
    return filters, np.quantile(drawn, (0.1, 0.5, 0.9), axis=1)


def placement():
    """Where the best equalizer has its poles, and what other poles reach."""
    poles, gains = theory.optimal_equalizer(CHANNEL, NOISE)
    figure, (left, right) = panels(1, 2, 3.6)
    circle = np.exp(2j * np.pi * np.linspace(0, 1, 181))
    left.plot(circle.real, circle.imag, color="0.4", lw=1)
    zeros = np.roots(CHANNEL)
    drawn = random_poles(np.random.default_rng(1), 32)
    style = dict(ls="none", mfc="none")
    left.plot(drawn.real, drawn.imag, ".", color="0.6", ms=4, label="random")
    left.plot(
        zeros.real, zeros.imag, "o", color=BLUE, ms=9, label="channel’s zeros", **style
    )
    left.plot(poles.real, poles.imag, "x", color=RED, ms=7, mew=2, label="best poles")
    left.set(title="Poles", xlabel="real part", ylabel="imaginary part", aspect="equal")
    left.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15))
    left.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, -0.37), ncol=3)

    counts = np.arange(1, 17)
    filters, (low, median, high) = errors_over_weights(counts)
    best = theory.equalization_error(poles, gains, CHANNEL, NOISE)
    decibels = lambda error: 10 * np.log10(error)  # noqa: E731
    right.fill_between(
        counts, decibels(low), decibels(high), color="0.85", label="random, 10–90 %"
    )
    right.plot(counts, decibels(median), "--", color="0.3", label="random, median")
    right.plot(counts, decibels(filters), "s-", color=BLUE, ms=4, label="FIR filter")
    right.plot(len(poles), decibels(best), "x", color=RED, ms=9, mew=2.5)
    right.axhline(decibels(best), color=RED, lw=1, ls=":", label="best poles")
    right.set(title="Error of the best readout", xlabel="number of weights")
    right.set(ylabel="mean square error (dB)", xlim=(0.5, 16.5))
    right.legend(fontsize=8)
    return figure


# --- why training the poles is hard ---

STARTS = (((-0.2, 0.3), RED), ((0.75, -0.1), ORANGE), ((0.0, 0.0), PURPLE))


def descend(target, start, num_steps):
    """Gradient descent with the largest step that is safe at the solution."""
    largest = np.linalg.eigvalsh(theory.two_pole_hessian(*target))[-1]
    return theory.gradient_descent(start, target, (1, 1), 1 / largest, num_steps).real


def gradient_sizes(axis):
    lags = np.arange(1, 101)
    for radius, color, style in (
        (0.5, BLUE, "-"),
        (0.9, GREEN, "--"),
        (1.0, BLACK, ":"),
        (1.05, RED, "-."),
    ):
        size = np.abs(theory.sample_jacobian([radius], [1], 101)[1:, 0])
        axis.semilogy(lags, size, color=color, ls=style, label=f"|p| = {radius:g}")
    axis.set(title="(a) Gradient", xlabel="lag n (samples)", ylabel="|∂h[n] / ∂p|")
    axis.set_ylim(1e-12, 1e6)
    axis.legend(fontsize=8, loc="lower right")


def conditioning(axis):
    distances = np.geomspace(1e-3, 0.4, 60)
    for pole, color, style in ((0.0, BLUE, "-"), (0.5, GREEN, "--"), (0.9, RED, "-.")):
        numbers = [
            theory.two_pole_condition_number(pole, pole - distance)
            for distance in distances
        ]
        axis.loglog(distances, numbers, color=color, ls=style, label=f"p₁ = {pole:g}")
    axis.set(title="(b) Condition number", xlabel="distance |p₁ − p₂|", ylabel="κ")
    axis.legend(fontsize=8)


def surface(axis):
    target, grid = (0.6, 0.4), np.linspace(-0.3, 0.9, 61)
    loss = np.log10(np.maximum(theory.loss_surface(target, (1, 1), grid, grid), 1e-5))
    axis.contour(grid, grid, loss, 9, colors="0.6", linewidths=0.8, linestyles="-")
    axis.plot(grid, grid, ":", color=BLACK, lw=1)
    for start, color in STARTS:
        path = descend(target, start, 400)[::4]
        axis.plot(*path.T, ".-", color=color, ms=3, lw=1)
        axis.plot(*start, "o", color=color, ms=6)
    for minimum in (target, target[::-1]):
        axis.plot(*minimum, "*", color="white", mec=BLACK, ms=12)
    axis.set(title="(c) Two equal minima", xlabel="pole p₁", ylabel="pole p₂")
    axis.set(aspect="equal")


def plateaus(axis):
    target, steps = (0.6, 0.4), np.arange(601)
    for apart, color, style in (
        (1e-2, BLUE, "-"),
        (1e-4, GREEN, "--"),
        (1e-6, RED, "-."),
    ):
        loss = [
            theory.dtft_error(poles, (1, 1), target, (1, 1))
            for poles in descend(target, (0, apart), len(steps) - 1)
        ]
        axis.semilogy(steps, loss, color=color, ls=style, label=f"{apart:g} apart")
    axis.set(title="(d) Plateau", xlabel="steps of gradient descent")
    axis.set(ylabel="loss", ylim=(1e-8, 3))
    axis.legend(fontsize=8, title="start", title_fontsize=8)


def learning():
    """What gradient descent on poles meets."""
    figure, axes = panels(2, 2, 6.4)
    for draw, axis in zip((gradient_sizes, conditioning, surface, plateaus), axes):
        draw(axis)
    return figure


PICTURES = {
    "concept_receivers": receivers,
    "concept_neuron": neuron,
    "concept_placement": placement,
    "concept_learning": learning,
}
