#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The lemmas of gnuradio.reservoir.theory as pictures.

Each function of FIGURES draws one and returns (figure, what it shows in a sentence).
"""

import math

import numpy as np

from gnuradio.reservoir import theory

from .page import BLUE, GREEN, ORANGE, PURPLE, RED, pyplot

SEED = 1


def panels(num_axes, title, width=5.6, height=4.9):
    """A figure of axes side by side; returns both."""
    figure, axes = pyplot.subplots(
        1, num_axes, figsize=(width * num_axes, height), layout="constrained"
    )
    figure.suptitle(title, fontsize=14)
    for axis in np.atleast_1d(axes):
        axis.grid(True, color="0.9")
        axis.set_axisbelow(True)
    return figure, axes


def _pole_plane(axis, title, limit=1.15):
    circle = np.exp(2j * np.pi * np.linspace(0, 1, 361))
    axis.plot(circle.real, circle.imag, color="0.4", lw=1, label="unit circle")
    axis.set(
        title=title,
        xlabel="Re p",
        ylabel="Im p",
        aspect="equal",
        xlim=(-limit, limit),
        ylim=(-limit, limit),
    )


def _plane(poles):
    return np.real(poles), np.imag(poles)


def _true_poles(axis, poles):
    axis.plot(*_plane(poles), "o", ms=11, mfc="none", mew=2, color=BLUE, label="true")


def _recovered_poles(axis, poles):
    axis.plot(*_plane(poles), "x", ms=8, mew=2, color=RED, label="recovered")


def _random_poles(rng, order, radius=0.95):
    """Uniform in the disc."""
    angles = rng.uniform(-np.pi, np.pi, order)
    return radius * np.sqrt(rng.uniform(size=order)) * np.exp(1j * angles)


def _complex_normal(rng, size, power=1.0):
    return math.sqrt(power / 2) * (rng.normal(size=size) + 1j * rng.normal(size=size))


def _recovery_error(poles, reference):
    matched = np.asarray(poles)[theory.match_poles(poles, reference)]
    return float(np.abs(matched - reference).max())


def _indistinguishable_poles(axis, poles, gains):
    """Poles of the networks that share 2K-1 samples with one, over the next sample."""
    changes = np.geomspace(1e-3, 3, 120)
    for sign, color in ((1, ORANGE), (-1, PURPLE)):
        found = np.array(
            [
                theory.indistinguishable_network(poles, gains, sign * change)[0]
                for change in changes
            ]
        )
        axis.plot(
            found.real.ravel(),
            found.imag.ravel(),
            ".",
            ms=4,
            color=color,
            label=f"next sample {'higher' if sign > 0 else 'lower'}",
        )


def identifiability():
    """Networks that 2K-1 samples cannot tell apart, and 2K do."""
    order = 3
    poles = np.array([0.85, 0.5 + 0.6j, -0.6 + 0.5j, 0.7 - 0.35j, 0.1 + 0.8j, -0.85])
    networks = theory.counter_example(poles)
    figure, (left, middle, right) = panels(
        3, f"{2 * order - 1} samples do not determine {order} poles: {2 * order} do", 5
    )
    responses = []
    for (p, c), color, marker, name in zip(
        networks, (BLUE, RED), ("o", "x"), ("network A", "network B")
    ):
        h = theory.impulse_response(p, c, 4 * order)
        responses.append(h)
        style = dict(color=color, marker=marker, ls="none", mew=2, ms=9, mfc="none")
        left.plot(h.real, label=name, **style)
        middle.plot(*_plane(p), label=f"poles of {name}", **style)
    same = 2 * order - 1
    left.axvspan(-0.5, same - 0.5, color=GREEN, alpha=0.12, label="2K−1 samples")
    left.set(title="Two impulse responses", xlabel="sample n", ylabel="Re h[n]")
    left.set_xlim(-0.5, 4 * order - 0.5)
    left.legend(loc="lower right")
    _pole_plane(middle, "Their poles")
    middle.legend(loc="lower left", fontsize=9)
    _indistinguishable_poles(right, *networks[0])
    _pole_plane(right, "Networks with A's 2K−1 samples")
    right.plot(*_plane(networks[0][0]), "o", mfc="none", mew=2, ms=9, color=BLUE)
    right.legend(loc="lower left", fontsize=9)
    apart = np.abs(responses[0] - responses[1])
    return figure, (
        f"two networks of {order} poles agree in {same} samples to "
        f"{apart[:same].max():.0e} and differ by {apart[same]:.2f} in the next"
    )


def recovery():
    """Poles from 2K samples, and how accurate the condition number says they are."""
    rng = np.random.default_rng(SEED)
    figure, (left, right) = panels(2, "2K samples of h give K poles, by algebra")
    order = 5
    poles, gains = _random_poles(rng, order), _complex_normal(rng, order)
    h = theory.impulse_response(poles, gains, 2 * order)
    found, _ = theory.recover_poles(h, order)
    error = _recovery_error(found, poles)
    _pole_plane(left, f"{order} poles from {2 * order} samples: error {error:.0e}")
    _true_poles(left, poles)
    _recovered_poles(left, found)
    left.legend(loc="lower right", fontsize=9)

    worst = 0.0
    for order, color in ((2, GREEN), (5, BLUE), (8, ORANGE)):
        points = []
        for _ in range(150):
            p, c = _random_poles(rng, order), _complex_normal(rng, order)
            h = theory.impulse_response(p, c, 2 * order)
            number = theory.recovery_condition_number(p, c, 2 * order)
            found, _ = theory.recover_poles(h, order)
            points.append((number, _recovery_error(found, p)))
        numbers, errors = np.transpose(points)
        worst = max(worst, (errors / numbers).max())
        right.loglog(numbers, errors, ".", color=color, label=f"K = {order}")
    span = np.array([1.0, 1e12])
    rounding = np.finfo(float).eps
    right.loglog(span, rounding * span, "k--", label="rounding × condition number")
    right.set(
        title="Random networks, exact samples",
        xlabel="recovery condition number",
        ylabel="largest error of a pole",
    )
    right.legend()
    return figure, (
        f"5 random poles come out of 10 samples to {error:.0e}; over 450 networks the "
        f"error is at most {worst / rounding:.0f} × rounding × condition number"
    )


def recovery_from_io():
    """Poles from any input and output of 2K samples."""
    rng = np.random.default_rng(SEED)
    order = 4
    poles = np.array([0.9, 0.4 + 0.7j, -0.6 + 0.3j, -0.2 - 0.8j])
    gains = _complex_normal(rng, order)
    x = np.sign(rng.normal(size=2 * order)) + 1j * np.sign(rng.normal(size=2 * order))
    y = np.convolve(x, theory.impulse_response(poles, gains, len(x)))[: len(x)]
    found, _ = theory.recover_poles_from_io(x, y, order)
    error = _recovery_error(found, poles)
    figure, (left, right) = panels(2, "Any input will do, if its first sample is not 0")
    for signal, color, name in ((x, GREEN, "input x (QPSK)"), (y, BLUE, "output y")):
        left.plot(signal.real, "o-", color=color, label=f"Re {name}")
        left.plot(signal.imag, "s--", color=color, mfc="none", label=f"Im {name}")
    left.set(title=f"{len(x)} samples", xlabel="sample n", ylabel="amplitude")
    left.legend(fontsize=9)
    _pole_plane(right, f"{order} poles: error {error:.0e}")
    _true_poles(right, poles)
    _recovered_poles(right, found)
    right.legend(loc="lower right", fontsize=9)
    return figure, f"{order} poles from {len(x)} symbols in and out, error {error:.0e}"


def permutation():
    """Three objectives on the straight line from a network to its renumbering."""
    channel, noise_variance = np.array([1, 0.6 + 0.3j, 0.4, -0.2j]), 0.01
    poles, gains = np.array([0.8, 0.5j, -0.6]), np.array([1, -0.7, 0.8j])
    order, num_samples, cycle = 3, 12, [1, 2, 0]
    equalizer = theory.optimal_equalizer(channel, noise_variance, delay=1)
    objectives = (
        (
            f"Time domain, {num_samples} samples",
            "Σ |h − ĥ|²",
            (poles, gains),
            lambda p, c: theory.time_domain_error(p, c, poles, gains, num_samples),
        ),
        (
            "DTFT, all frequencies",
            "mean of |H − Ĥ|²",
            (poles, gains),
            lambda p, c: theory.dtft_error(p, c, poles, gains),
        ),
        (
            "Equalization of a 4-tap channel",
            "E |x[n−1] − y[n]|²",
            equalizer,
            lambda p, c: theory.equalization_error(p, c, channel, noise_variance, 1),
        ),
    )
    figure, axes = panels(
        3, f"Renumber {order} neurons: the same network, but a hill between", width=4.9
    )
    fractions = np.linspace(0, 1, 81)
    gaps = []
    for axis, (title, label, network, objective) in zip(axes, objectives):
        loss = np.array(
            [
                objective(*theory.permuted_network(*network, cycle, fraction))
                for fraction in fractions
            ]
        )
        gaps.append(f"{loss[0]:.2g} → {loss[40]:.2g} → {loss[-1]:.2g}")
        axis.plot(fractions, loss, color=BLUE, lw=2, label="objective")
        axis.plot([0, 1], loss[[0, -1]], "k--", label="a convex one stays below")
        axis.plot(
            [0, 1],
            loss[[0, -1]],
            "o",
            color=GREEN,
            ms=9,
            label="both optimal",
            clip_on=False,
            zorder=3,
        )
        axis.plot(0.5, loss[40], "s", color=RED, ms=8, label="midpoint")
        axis.set(
            title=title,
            xlabel="from the network (0) to its renumbering (1)",
            ylabel=label,
        )
        axis.set_ylim(bottom=0)
    axes[0].legend(loc="lower center", fontsize=9)
    return figure, "network → midpoint → renumbered: " + "; ".join(
        f"{name} {gap}" for name, gap in zip(("time", "DTFT", "equalization"), gaps)
    )


def _condition_map(axis, fixed):
    """log10 of the two-pole condition number over the second pole."""
    grid = np.linspace(-0.995, 0.995, 150)
    second = grid + 1j * grid[:, np.newaxis]
    values = np.full(second.shape, np.nan)
    for where in np.argwhere(np.abs(second) < 0.995):
        where = tuple(where)
        values[where] = theory.two_pole_condition_number(fixed, second[where])
    picture = axis.pcolormesh(
        grid, grid, np.log10(values), cmap="viridis", shading="nearest", vmin=0, vmax=4
    )
    axis.plot(*_plane(fixed), "rx", ms=10, mew=2.5, label="first pole")
    axis.legend(loc="lower right", fontsize=9)
    return picture


def two_pole_condition():
    """Condition number of the two-pole Hessian as the poles approach each other."""
    figure, (left, right) = panels(
        2, "Two poles near each other: gradient descent slows down without bound", 6.2
    )
    distances = np.geomspace(1e-6, 0.5, 80)
    for centre, color, name in (
        (0.0, GREEN, "0"),
        (0.5, BLUE, "0.5"),
        (0.8j, ORANGE, "0.8j"),
        (0.95 * np.exp(2j), RED, "0.95∠115°"),
    ):
        # along the circle, so that both stay inside
        direction = 1j * centre / abs(centre) if centre else 1
        poles = [(centre, centre + d * direction) for d in distances]
        inside = [pair for pair in poles if abs(pair[1]) < 1]
        left.loglog(
            distances[: len(inside)],
            [theory.two_pole_condition_number(*pair) for pair in inside],
            color=color,
            label=f"p₁ = {name}",
        )
        limit = theory.two_pole_condition_limit(centre)
        left.loglog(distances, limit / distances**2, ":", color=color)
    examples = {
        second: theory.two_pole_condition_number(0.5, second)
        for second in (0.3, 0.45, 0.501)
    }
    left.loglog(
        [abs(0.5 - second) for second in examples],
        list(examples.values()),
        "ko",
        label="(.5, .3), (.5, .45), (.5, .501)",
    )
    left.set(
        title="Dotted: the limit (1−|p|⁴)²/(1+|p|²+|p|⁴) / |p₁−p₂|²",
        xlabel="distance |p₁ − p₂|",
        ylabel="condition number κ of the Hessian",
        ylim=(0.5, None),
    )
    left.legend(fontsize=9)
    picture = _condition_map(right, complex(0.4, 0.4))
    _pole_plane(right, "κ over the second pole, first at 0.4+0.4j", 1.05)
    figure.colorbar(picture, ax=right, label="log₁₀ κ", extend="max")
    return figure, ", ".join(
        f"κ(.5, {str(second)[1:]}) = {number:.4g}"
        for second, number in examples.items()
    )


def restriction():
    """The full Hessian is at least as badly conditioned as any restriction of it."""
    rng = np.random.default_rng(SEED)
    figure, (left, middle, right) = panels(
        3, "All poles and gains: worse than any part of them", width=5.0
    )
    distances = np.geomspace(1e-4, 0.4, 40)
    pairs = [np.array([0.5, 0.5 - d]) for d in distances]
    alone = [theory.two_pole_condition_number(*pair) for pair in pairs]
    full = [theory.pole_gain_condition_number(pair, [1, 1]) for pair in pairs]
    left.loglog(distances, full, color=RED, label="2 poles and 2 gains")
    left.loglog(distances, alone, color=BLUE, label="2 poles, gains fixed")
    left.set(
        title="Two poles, p₁ = 0.5, gains 1",
        xlabel="distance |p₁ − p₂|",
        ylabel="condition number κ",
    )
    left.legend()

    whole, part = [], []
    for _ in range(60):
        hessian = theory.pole_gain_hessian(
            _random_poles(rng, 3, 0.9), _complex_normal(rng, 3)
        )
        for size in range(2, 12, 2):
            indices = rng.choice(len(hessian), size, replace=False)
            whole.append(theory.condition_number(hessian))
            part.append(theory.restricted_condition_number(hessian, indices))
    middle.loglog(whole, part, ".", color=BLUE, alpha=0.5, label="random restrictions")
    span = np.array([1, max(whole)])
    middle.loglog(span, span, "k--", label="κ(part) = κ(all)")
    middle.set(
        title="Restriction lemma: 3 random poles",
        xlabel="κ by all 12 parameters",
        ylabel="κ by some of them",
        xlim=(min(whole) / 3, max(whole) * 3),
    )
    middle.legend(loc="upper left")

    orders = np.arange(1, 9)
    numbers = [
        [
            theory.pole_gain_condition_number(
                _random_poles(rng, order, 0.9), _complex_normal(rng, order)
            )
            for _ in range(60)
        ]
        for order in orders
    ]
    right.semilogy(orders, np.median(numbers, axis=1), "o-", color=RED, label="median")
    low, high = np.quantile(numbers, (0.1, 0.9), axis=1)
    right.fill_between(orders, low, high, color=RED, alpha=0.2, label="10 % … 90 %")
    right.set(
        title="Random poles, |p| < 0.9",
        xlabel="number of neurons K",
        ylabel="κ by all 4K parameters",
    )
    right.legend(loc="upper left")
    return figure, (
        f"of {len(part)} restrictions {sum(np.greater(part, whole))} have a larger κ "
        f"than the whole; 8 random neurons: median κ {np.median(numbers[-1]):.0e}"
    )


def _descend(target, start, num_steps):
    """Gradient descent with the step that suits the curvature at the solution."""
    largest = np.linalg.eigvalsh(theory.two_pole_hessian(*target))[-1]
    return theory.gradient_descent(start, target, (1, 1), 1 / largest, num_steps)


def _distances(path, target):
    return np.linalg.norm(np.sort(path.real, axis=1) - np.sort(target), axis=1)


def loss_surface():
    """The loss over two real poles with paths of gradient descent on it."""
    target = np.array([0.6, 0.4])
    figure, (left, right) = panels(
        2, "Gradient descent over two poles (gains known), and algebra", 6.2, 5.4
    )
    grid = np.linspace(-0.3, 0.9, 70)
    loss = theory.loss_surface(target, (1, 1), grid, grid)
    picture = left.contourf(
        grid, grid, np.log10(np.maximum(loss, 1e-5)), 24, cmap="Blues_r"
    )
    figure.colorbar(picture, ax=left, label="log₁₀ of the loss Σ|h − ĥ|²")
    left.plot(grid, grid, "k:", label="p₁ = p₂")
    for start, color in (((-0.2, 0.3), RED), ((0.75, -0.1), ORANGE), ((0, 0), PURPLE)):
        path = _descend(target, start, 400).real
        left.plot(*path.T, ".-", color=color, ms=5, label=f"start {start}")
        left.plot(*path[-1], "D", color=color, mec="k", ms=7)
    left.plot(*target, "*", color="lime", mec="k", ms=17, label="solution")
    left.plot(*target[::-1], "*", color="lime", mec="k", ms=17)
    left.set(
        title="Two equal minima, a saddle between",
        xlabel="pole p₁",
        ylabel="pole p₂",
        aspect="equal",
    )
    left.legend(loc="lower left", fontsize=9)

    num_steps = 3000
    for second, color in ((0.4, GREEN), (0.5, BLUE), (0.55, ORANGE), (0.59, RED)):
        poles = np.array([0.6, second])
        kappa = theory.two_pole_condition_number(*poles)
        path = _descend(poles, (-0.2, 0.3), num_steps)
        remaining = _distances(path, poles)
        label = f"solution (.6, {str(second)[1:]}), κ = {kappa:.3g}"
        right.loglog(1 + np.arange(num_steps + 1), remaining, color=color, label=label)
    h = theory.impulse_response(poles, (1, 1), 4)
    algebra = _recovery_error(theory.recover_poles(h, 2)[0], poles)
    right.axhline(
        algebra, color="k", ls="--", label="(.6, .59) by algebra, from 4 samples"
    )
    right.set(
        title="How far from the solution",
        xlabel="gradient steps",
        ylabel="distance to the poles sought",
        ylim=(1e-16, 10),
    )
    right.legend(loc="center left", fontsize=9)
    return figure, (
        f"poles (.6, .59), κ = {kappa:.3g}: {remaining[-1]:.0e} away after {num_steps} "
        f"gradient steps; algebra from 4 samples: {algebra:.0e}"
    )


def noise():
    """Error of the poles over the noise, beside the bound; choice of the order."""
    rng = np.random.default_rng(SEED)
    poles = np.array([0.95 * np.exp(0.4j), 0.9 * np.exp(-1j), 0.85 * np.exp(2.2j)])
    gains, num_samples, trials = np.array([1, 0.8j, -1.2]), 48, 60
    h = theory.impulse_response(poles, gains, num_samples)
    snrs_db = np.arange(0, 61, 10)
    pencil, refined, bound, right_order = [], [], [], []
    for snr_db in snrs_db:
        variance = np.mean(np.abs(h) ** 2) * 10 ** (-snr_db / 10)
        squares = []
        hits = 0
        for _ in range(trials):
            received = h + _complex_normal(rng, num_samples, variance)
            first = theory.recover_poles(received, len(poles))
            both = (first[0], theory.refine_poles(received, *first)[0])
            squares.append(
                [
                    np.mean(np.abs(p[theory.match_poles(p, poles)] - poles) ** 2)
                    for p in both
                ]
            )
            hits += theory.estimate_order(received) == len(poles)
        a, b = np.sqrt(np.mean(squares, axis=0))
        pencil.append(a)
        refined.append(b)
        limit = theory.cramer_rao_bound(poles, gains, variance, num_samples)[0]
        bound.append(math.sqrt(np.mean(limit)))
        right_order.append(100 * hits / trials)
    figure, (left, right) = panels(
        2, f"With noise: {len(poles)} poles from {num_samples} samples"
    )
    left.semilogy(
        snrs_db,
        pencil,
        "o-",
        ms=10,
        mfc="none",
        mew=2,
        color=ORANGE,
        label="matrix pencil",
    )
    left.semilogy(snrs_db, refined, "s-", color=BLUE, label="… and Gauss–Newton")
    left.semilogy(snrs_db, bound, "k--", label="Cramér–Rao bound")
    left.set(
        title=f"Error of a pole, {trials} trials each",
        xlabel="signal-to-noise ratio (dB)",
        ylabel="root mean square error",
    )
    left.legend()
    right.plot(snrs_db, right_order, "o-", color=GREEN)
    right.set(
        title="Number of poles found rightly (BIC)",
        xlabel="signal-to-noise ratio (dB)",
        ylabel="trials (%)",
        ylim=(0, 103),
    )
    at = slice(2, None)  # from 20 dB on
    ratios = [np.mean(np.divide(errors[at], bound[at])) for errors in (pencil, refined)]
    return figure, (
        f"from 20 dB on the matrix pencil is at {ratios[0]:.2f} and Gauss-Newton at "
        f"{ratios[1]:.2f} times the Cramer-Rao bound"
    )


FIGURES = (
    identifiability,
    recovery,
    recovery_from_io,
    permutation,
    two_pole_condition,
    restriction,
    loss_surface,
    noise,
)


def draw_all(folder):
    """Draw every figure as PNG into a folder; yields (path, what it shows)."""
    for draw in FIGURES:
        figure, finding = draw()
        path = folder / f"{draw.__name__}.png"
        figure.savefig(path, dpi=110)
        pyplot.close(figure)
        yield path, finding
