#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What the claims of the paper subcommand are judged by, beside its campaigns and the measurements of
its pictures. Each function that takes a seed is a piece of work, as in measurements.
"""

import itertools

import numpy as np

from gnuradio.reservoir import theory

from ..campaign.receivers import KINDS
from .measurements import RNN, SNR_DB, bank, fitted, frames_of, make, make_link


def gradient_norms(seed, frames, radii, activation):
    """Of the RNN before its first step, one row per frame, one column per spectral radius."""
    link, rows = make_link(), []
    for index, frame in frames_of(link, seed, frames):
        row = []
        for radius in radii:
            own = dict(RNN, spectral_radius=radius, activation=activation, epochs=1)
            _, report = fitted("rnn_tuned", link, index, frame, **own)
            row.append(float(report.gradient_norm[0]))
        rows.append(row)
    return rows


PLATEAU_SPAN, PLATEAU_FALL = 10, 0.01


def plateau(losses):
    """Epochs of the longest run in which the loss falls by less than 1 % per 10 epochs although it
    falls by more than half afterwards and is above the noise, which is not worth fitting.
    """
    losses = np.asarray(losses)
    before, after = losses[:-PLATEAU_SPAN], losses[PLATEAU_SPAN:]
    lowest = np.minimum.accumulate(after[::-1])[::-1]
    slow = (after > (1 - PLATEAU_FALL) * before) & (lowest < before / 2)
    slow &= before > 10 ** (-SNR_DB / 10)
    runs = [len(list(run)) for here, run in itertools.groupby(slow) if here]
    return max(runs) + PLATEAU_SPAN - 1 if runs else 0


def _real_link(seed, index):
    """BPSK through real Rayleigh taps in real noise."""
    link = make_link()
    taps = link.make_frame(seed, index).channel[0, 0].real
    return make_link(
        modulation="bpsk",
        channel="fixed",
        impulse_response=(taps / np.linalg.norm(taps)).tolist(),
        real_noise=True,
    )


def _real_start(weights):
    """A real network like the complex one: its gradients stay real on real data."""
    recurrent, *others = (np.asarray(part).real for part in weights[:3])
    radius = np.abs(np.linalg.eigvals(recurrent)).max()
    recurrent = recurrent * (RNN["spectral_radius"] / radius)
    return recurrent, *(np.sqrt(2) * part for part in others)


def plateaus(seed, frames, epochs, optimizer):
    """[of complex data, of real data] for every frame."""
    rows, settings = [], {**RNN, **optimizer, "epochs": epochs}
    for index in range(frames):
        row = []
        for link in (make_link(), _real_link(seed, index)):
            frame = link.make_frame(seed, index)
            detector = make("rnn_tuned", link, index, **settings).detector
            if link.real_noise:
                detector.set_weights(*_real_start(detector.weights()))
            report = detector.fit(frame.received[0], frame.pilots[0])
            row.append(plateau(report.loss))
        rows.append(row)
    return rows


def polar_conditioning(seed, sets, order, least_modulus):
    """[by modulus and angle, by real and imaginary part] of random poles; decimal logarithms."""
    rng, rows = np.random.default_rng(seed), []
    while len(rows) < sets:
        moduli = np.sqrt(rng.uniform(least_modulus**2, 0.98**2, order))
        poles = moduli * np.exp(2j * np.pi * rng.random(order))
        gains = rng.standard_normal((2, order)).T @ (1, 1j)
        polar = theory.polar_condition_number(poles, gains)
        cartesian = theory.pole_gain_condition_number(poles, gains)
        rows.append([float(np.log10(polar)), float(np.log10(cartesian))])
    return rows


def orthonormal_cascade(poles, samples):
    """The same span in Takenaka-Malmquist form: each pole sees what all-passes of those before left."""
    columns, drive = [], np.asarray(samples, complex)
    for pole in poles:
        own = bank(np.array([pole]), drive)[:, 0]
        before = np.concatenate([[0], own[:-1]])
        columns.append(own)
        drive = (before - np.conj(pole) * own) / np.sqrt(1 - abs(pole) ** 2)
    return np.stack(columns, axis=1)


def _log_condition(states):
    """Decimal, of the states' Gram matrix."""
    singular = np.linalg.svd(states, compute_uv=False)
    least = max(singular[-1], np.finfo(float).tiny)
    return float(2 * np.log10(singular[0] / least))


def state_conditioning(seed, frames):
    """[random ESN, configured poles from statistics, the same as a cascade, poles from the estimate,
    the same as a cascade] for every frame, of all samples; decimal logarithms."""
    rows, link = [], make_link()
    for index, frame in frames_of(link, seed, frames):
        samples = frame.received[0] / np.sqrt(np.mean(np.abs(frame.received) ** 2))
        detector = make("esn", link, index).detector
        row = [_log_condition(np.asarray(detector.states(samples)).T)]
        for name in ("statistics", "linear"):
            poles = np.asarray(fitted(name, link, index, frame)[1].poles, complex)
            for states in (bank, orthonormal_cascade):
                row.append(_log_condition(states(poles, samples.astype(complex))))
        rows.append(row)
    return rows


def pilot_losses(seed, frames, kind, settings):
    """Mean square error on the pilots that were trained on, for every frame."""
    link, found = make_link(), []
    for index, frame in frames_of(link, seed, frames):
        made = KINDS[kind](link, **settings).make(index + 1)
        made.receive([frame])
        found.append(float(made.report().mse))
    return found
