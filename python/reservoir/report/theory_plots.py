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
    size = width * num_axes, height
    figure, axes = pyplot.subplots(1, num_axes, figsize=size, layout="constrained")
    figure.suptitle(title, fontsize=14)
    for axis in np.atleast_1d(axes):
        axis.grid(True, color="0.9")
        axis.set_axisbelow(True)
    return figure, axes


def _label(axis, title, xlabel, ylabel, legend="best", **more):
    """What an axis shows; legend: its place, or None."""
    axis.set(title=title, xlabel=xlabel, ylabel=ylabel, **more)
    if legend:
        axis.legend(loc=legend, fontsize=9)


def _pole_plane(axis, title, legend="lower right", limit=1.15):
    circle = np.exp(2j * np.pi * np.linspace(0, 1, 361))
    axis.plot(*_plane(circle), color="0.4", lw=1, label="unit circle")
    limits = dict(xlim=(-limit, limit), ylim=(-limit, limit))
    _label(axis, title, "Re p", "Im p", legend, aspect="equal", **limits)


def _plane(poles):
    return np.real(poles), np.imag(poles)


def _recovered(axis, order, true, found):
    """True poles and those found; returns the largest error of a pole."""
    error = _recovery_error(found, true)
    axis.plot(*_plane(true), "o", ms=11, mfc="none", mew=2, color=BLUE, label="true")
    axis.plot(*_plane(found), "x", ms=8, mew=2, color=RED, label="recovered")
    _pole_plane(axis, f"{order} poles from {2 * order} samples: error {error:.0e}")
    return error


def _random_network(rng, order, radius=0.95):
    """Poles uniform in the disc, gains complex normal."""
    angles = rng.uniform(-np.pi, np.pi, order)
    poles = radius * np.sqrt(rng.uniform(size=order)) * np.exp(1j * angles)
    return poles, _complex_normal(rng, order)


def _complex_normal(rng, size, power=1.0):
    return math.sqrt(power / 2) * (rng.normal(size=size) + 1j * rng.normal(size=size))


def _recovery_error(poles, reference):
    matched = np.asarray(poles)[theory.match_poles(poles, reference)]
    return float(np.abs(matched - reference).max())


def identifiability():
    """Networks that 2K-1 samples cannot tell apart, and 2K do."""
    order = 3
    poles = np.array([0.85, 0.5 + 0.6j, -0.6 + 0.5j, 0.7 - 0.35j, 0.1 + 0.8j, -0.85])
    networks = theory.counter_example(poles)
    figure, (left, middle, right) = panels(
        3, f"{2 * order - 1} samples do not determine {order} poles: {2 * order} do", 5
    )
    responses = [theory.impulse_response(*each, 4 * order) for each in networks]
    for h, (p, _), look, name in zip(responses, networks, ("o", "x"), "AB"):
        style = dict(color=BLUE if name == "A" else RED, marker=look, ls="none")
        style.update(mew=2, ms=9, mfc="none")
        left.plot(h.real, label=f"network {name}", **style)
        middle.plot(*_plane(p), label=f"poles of network {name}", **style)
    same = 2 * order - 1
    left.axvspan(-0.5, same - 0.5, color=GREEN, alpha=0.12, label="2K−1 samples")
    left.set_xlim(-0.5, 4 * order - 0.5)
    _label(left, "Two impulse responses", "sample n", "Re h[n]", "lower right")
    _pole_plane(middle, "Their poles", "lower left")
    # poles of the networks that share 2K-1 samples with A, over the next sample
    changes = np.geomspace(1e-3, 3, 120)
    for sign, color, how in ((1, ORANGE, "higher"), (-1, PURPLE, "lower")):
        found = [
            theory.indistinguishable_network(*networks[0], sign * change)[0]
            for change in changes
        ]
        label = f"next sample {how}"
        right.plot(*_plane(np.ravel(found)), ".", ms=4, color=color, label=label)
    right.plot(*_plane(networks[0][0]), "o", mfc="none", mew=2, ms=9, color=BLUE)
    _pole_plane(right, "Networks with A's 2K−1 samples", "lower left")
    apart = np.abs(responses[0] - responses[1])
    return figure, (
        f"two networks of {order} poles agree in {same} samples to "
        f"{apart[:same].max():.0e} and differ by {apart[same]:.2f} in the next"
    )


def recovery():
    """Poles from 2K samples, and how accurate the condition number says they are."""
    rng = np.random.default_rng(SEED)
    figure, (left, right) = panels(2, "2K samples of h give K poles, by algebra")

    def recovered(network):
        order = len(network[0])
        h = theory.impulse_response(*network, 2 * order)
        return theory.recover_poles(h, order)[0]

    network = _random_network(rng, 5)
    error = _recovered(left, 5, network[0], recovered(network))
    worst = 0.0
    for order, color in ((2, GREEN), (5, BLUE), (8, ORANGE)):
        networks = [_random_network(rng, order) for _ in range(150)]
        numbers, errors = np.transpose(
            [
                (
                    theory.recovery_condition_number(*each, 2 * order),
                    _recovery_error(recovered(each), each[0]),
                )
                for each in networks
            ]
        )
        worst = max(worst, (errors / numbers).max())
        right.loglog(numbers, errors, ".", color=color, label=f"K = {order}")
    span = np.array([1.0, 1e12])
    rounding = np.finfo(float).eps
    right.loglog(span, rounding * span, "k--", label="rounding × condition number")
    title = "Random networks, exact samples"
    _label(right, title, "recovery condition number", "largest error of a pole")
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
    figure, (left, right) = panels(2, "Any input will do, if its first sample is not 0")
    for signal, color, name in ((x, GREEN, "input x (QPSK)"), (y, BLUE, "output y")):
        left.plot(signal.real, "o-", color=color, label=f"Re {name}")
        left.plot(signal.imag, "s--", color=color, mfc="none", label=f"Im {name}")
    _label(left, f"{len(x)} samples", "sample n", "amplitude")
    found, _ = theory.recover_poles_from_io(x, y, order)
    error = _recovered(right, order, poles, found)
    return figure, f"{order} poles from {len(x)} symbols in and out, error {error:.0e}"


def permutation():
    """Three objectives on the straight line from a network to its renumbering."""
    channel, noise_variance = np.array([1, 0.6 + 0.3j, 0.4, -0.2j]), 0.01
    target = np.array([0.8, 0.5j, -0.6]), np.array([1, -0.7, 0.8j])
    equalizer = theory.optimal_equalizer(channel, noise_variance, delay=1)
    objectives = (
        (
            "Time domain, 12 samples",
            "Σ |h − ĥ|²",
            target,
            lambda network: theory.time_domain_error(*network, *target, 12),
        ),
        (
            "DTFT, all frequencies",
            "mean of |H − Ĥ|²",
            target,
            lambda network: theory.dtft_error(*network, *target),
        ),
        (
            "Equalization of a 4-tap channel",
            "E |x[n−1] − y[n]|²",
            equalizer,
            lambda n: theory.equalization_error(*n, channel, noise_variance, 1),
        ),
    )
    figure, axes = panels(
        3, "Renumber 3 neurons: the same network, but a hill between", width=4.9
    )
    fractions = np.linspace(0, 1, 81)
    gaps = []
    for axis, (title, label, network, objective) in zip(axes, objectives):
        line = [theory.permuted_network(*network, [1, 2, 0], f) for f in fractions]
        loss = np.array([objective(each) for each in line])
        gaps.append(f"{loss[0]:.2g} → {loss[40]:.2g} → {loss[-1]:.2g}")
        ends = dict(color=GREEN, ms=9, label="both optimal", clip_on=False, zorder=3)
        axis.plot(fractions, loss, color=BLUE, lw=2, label="objective")
        axis.plot([0, 1], loss[[0, -1]], "k--", label="a convex one stays below")
        axis.plot([0, 1], loss[[0, -1]], "o", **ends)
        axis.plot(0.5, loss[40], "s", color=RED, ms=8, label="midpoint")
        way = "from the network (0) to its renumbering (1)"
        legend = "lower center" if axis is axes[0] else None
        _label(axis, title, way, label, legend, ylim=(0, None))
    return figure, "network → midpoint → renumbered: " + "; ".join(
        f"{name} {gap}" for name, gap in zip(("time", "DTFT", "equalization"), gaps)
    )


def _condition_map(axis, fixed):
    """log10 of the two-pole condition number over the second pole."""
    grid = np.linspace(-0.995, 0.995, 150)
    second = grid + 1j * grid[:, np.newaxis]
    values = np.full(second.shape, np.nan)
    for where in zip(*np.nonzero(np.abs(second) < 0.995)):
        values[where] = theory.two_pole_condition_number(fixed, second[where])
    colors = dict(cmap="viridis", shading="nearest", vmin=0, vmax=4)
    picture = axis.pcolormesh(grid, grid, np.log10(values), **colors)
    axis.plot(*_plane(fixed), "rx", ms=10, mew=2.5, label="first pole")
    return picture


def two_pole_condition():
    """Condition number of the two-pole Hessian as the poles approach each other."""
    kappa = theory.two_pole_condition_number
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
        inside = [d for d in distances if abs(centre + d * direction) < 1]
        numbers = [kappa(centre, centre + d * direction) for d in inside]
        left.loglog(inside, numbers, color=color, label=f"p₁ = {name}")
        limit = theory.two_pole_condition_limit(centre)
        left.loglog(distances, limit / distances**2, ":", color=color)
    examples = {second: kappa(0.5, second) for second in (0.3, 0.45, 0.501)}
    apart = [abs(0.5 - second) for second in examples]
    label = "(.5, .3), (.5, .45), (.5, .501)"
    left.loglog(apart, list(examples.values()), "ko", label=label)
    _label(
        left,
        "Dotted: the limit (1−|p|⁴)²/(1+|p|²+|p|⁴) / |p₁−p₂|²",
        "distance |p₁ − p₂|",
        "condition number κ of the Hessian",
        ylim=(0.5, None),
    )
    picture = _condition_map(right, complex(0.4, 0.4))
    _pole_plane(right, "κ over the second pole, first at 0.4+0.4j", limit=1.05)
    figure.colorbar(picture, ax=right, label="log₁₀ κ", extend="max")
    return figure, ", ".join(
        f"κ(.5, {str(second)[1:]}) = {number:.4g}"
        for second, number in examples.items()
    )


def _restrictions(rng):
    """(κ by all parameters, κ by some) of random networks."""
    for _ in range(60):
        hessian = theory.pole_gain_hessian(*_random_network(rng, 3, 0.9))
        for size in range(2, 12, 2):
            indices = rng.choice(len(hessian), size, replace=False)
            part = theory.restricted_condition_number(hessian, indices)
            yield theory.condition_number(hessian), part


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
    title = "Two poles, p₁ = 0.5, gains 1"
    _label(left, title, "distance |p₁ − p₂|", "condition number κ")

    whole, part = np.transpose(list(_restrictions(rng)))
    middle.loglog(whole, part, ".", color=BLUE, alpha=0.5, label="random restrictions")
    span = np.array([1, max(whole)])
    middle.loglog(span, span, "k--", label="κ(part) = κ(all)")
    _label(
        middle,
        "Restriction lemma: 3 random poles",
        "κ by all 12 parameters",
        "κ by some of them",
        "upper left",
        xlim=(min(whole) / 3, max(whole) * 3),
    )

    orders = np.arange(1, 9)
    networks = [
        [_random_network(rng, order, 0.9) for _ in range(60)] for order in orders
    ]
    numbers = [
        [theory.pole_gain_condition_number(*each) for each in some] for some in networks
    ]
    low, middle_, high = np.quantile(numbers, (0.1, 0.5, 0.9), axis=1)
    right.semilogy(orders, middle_, "o-", color=RED, label="median")
    right.fill_between(orders, low, high, color=RED, alpha=0.2, label="10 % … 90 %")
    title = "Random poles, |p| < 0.9"
    _label(right, title, "number of neurons K", "κ by all 4K parameters", "upper left")
    return figure, (
        f"of {len(part)} restrictions {sum(part > whole)} have a larger κ "
        f"than the whole; 8 random neurons: median κ {middle_[-1]:.0e}"
    )


def _descend(target, start, num_steps):
    """Gradient descent with the step that suits the curvature at the solution."""
    largest = np.linalg.eigvalsh(theory.two_pole_hessian(*target))[-1]
    return theory.gradient_descent(start, target, (1, 1), 1 / largest, num_steps).real


def loss_surface():
    """The loss over two real poles with paths of gradient descent on it."""
    target = np.array([0.6, 0.4])
    figure, (left, right) = panels(
        2, "Gradient descent over two poles (gains known), and algebra", 6.2, 5.4
    )
    grid = np.linspace(-0.3, 0.9, 70)
    loss = np.maximum(theory.loss_surface(target, (1, 1), grid, grid), 1e-5)
    picture = left.contourf(grid, grid, np.log10(loss), 24, cmap="Blues_r")
    figure.colorbar(picture, ax=left, label="log₁₀ of the loss Σ|h − ĥ|²")
    left.plot(grid, grid, "k:", label="p₁ = p₂")
    for start, color in (((-0.2, 0.3), RED), ((0.75, -0.1), ORANGE), ((0, 0), PURPLE)):
        path = _descend(target, start, 400)
        left.plot(*path.T, ".-", color=color, ms=5, label=f"start {start}")
        left.plot(*path[-1], "D", color=color, mec="k", ms=7)
    star = dict(marker="*", color="lime", mec="k", ms=17, ls="none")
    left.plot(*target, label="solution", **star)
    left.plot(*target[::-1], **star)
    title = "Two equal minima, a saddle between"
    _label(left, title, "pole p₁", "pole p₂", "lower left", aspect="equal")

    num_steps = 3000
    for second, color in ((0.4, GREEN), (0.5, BLUE), (0.55, ORANGE), (0.59, RED)):
        poles = np.array([0.6, second])
        kappa = theory.two_pole_condition_number(*poles)
        path = np.sort(_descend(poles, (-0.2, 0.3), num_steps), axis=1)
        remaining = np.linalg.norm(path - np.sort(poles), axis=1)
        label = f"solution (.6, {str(second)[1:]}), κ = {kappa:.3g}"
        right.loglog(1 + np.arange(num_steps + 1), remaining, color=color, label=label)
    h = theory.impulse_response(poles, (1, 1), 4)
    algebra = _recovery_error(theory.recover_poles(h, 2)[0], poles)
    label = "(.6, .59) by algebra, from 4 samples"
    right.axhline(algebra, color="k", ls="--", label=label)
    _label(
        right,
        "How far from the solution",
        "gradient steps",
        "distance to the poles sought",
        "center left",
        ylim=(1e-16, 10),
    )
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

    def at(snr_db):
        """Root mean square errors of both estimates, the bound, and the share of right orders."""
        variance = np.mean(np.abs(h) ** 2) * 10 ** (-snr_db / 10)
        squares, hits = [], 0
        for _ in range(trials):
            received = h + _complex_normal(rng, num_samples, variance)
            first = theory.recover_poles(received, len(poles))
            both = first[0], theory.refine_poles(received, *first)[0]
            apart = [p[theory.match_poles(p, poles)] - poles for p in both]
            squares.append(np.mean(np.abs(apart) ** 2, axis=1))
            hits += theory.estimate_order(received) == len(poles)
        limit = theory.cramer_rao_bound(poles, gains, variance, num_samples)[0]
        errors = np.sqrt([*np.mean(squares, axis=0), np.mean(limit)])
        return *errors, 100 * hits / trials

    snrs_db = np.arange(0, 61, 10)
    pencil, refined, bound, right_order = np.transpose([at(snr) for snr in snrs_db])
    figure, (left, right) = panels(
        2, f"With noise: {len(poles)} poles from {num_samples} samples"
    )
    ring = dict(ms=10, mfc="none", mew=2, color=ORANGE)
    left.semilogy(snrs_db, pencil, "o-", label="matrix pencil", **ring)
    left.semilogy(snrs_db, refined, "s-", color=BLUE, label="… and least squares")
    left.semilogy(snrs_db, bound, "k--", label="Cramér–Rao bound")
    snr, title = "signal-to-noise ratio (dB)", f"Error of a pole, {trials} trials each"
    _label(left, title, snr, "root mean square error")
    right.plot(snrs_db, right_order, "o-", color=GREEN)
    title = "Number of poles found rightly (BIC)"
    _label(right, title, snr, "trials (%)", None, ylim=(0, 103))
    ratios = [np.mean(errors[2:] / bound[2:]) for errors in (pencil, refined)]
    return figure, (
        f"from 20 dB on the matrix pencil is at {ratios[0]:.2f} and least squares at "
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
