#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What the claims of the paper subcommand are judged by, beside the measurements of its figures.

Each function that takes a seed is a piece of work, as in measurements.
"""

import itertools

import numpy as np

from gnuradio.reservoir import theory

from .measurements import RNN, SNR_DB, errors, make, make_link, training_seconds


def gradient_norms(seed, frames, radii, activation):
    """Of the RNN before its first step, one row per frame, one column per spectral radius."""
    rows, link = [], make_link()
    for index in range(frames):
        frame, row = link.make_frame(seed, index), []
        for radius in radii:
            settings = dict(
                RNN, spectral_radius=radius, activation=activation, epochs=1
            )
            detector = make("rnn", link, index, **settings).detector
            report = detector.fit(frame.received[0], frame.pilots[0])
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
    longest = run = 0
    for one in slow:
        run = run + 1 if one else 0
        longest = max(longest, run)
    return longest + PLATEAU_SPAN - 1 if longest else 0


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
    rows = []
    settings = {**RNN, **optimizer, "epochs": epochs}
    for index in range(frames):
        row = []
        for real in (False, True):
            link = _real_link(seed, index) if real else make_link()
            frame = link.make_frame(seed, index)
            detector = make("rnn", link, index, **settings).detector
            if real:
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


def _bank(poles, samples):
    """States of one pole each, of unit power for white samples, (samples, poles)."""
    state, states = np.zeros(len(poles), complex), []
    for sample in samples:
        state = poles * state + np.sqrt(1 - np.abs(poles) ** 2) * sample
        states.append(state)
    return np.array(states)


def orthonormal_cascade(poles, samples):
    """The same span in Takenaka-Malmquist form: each pole sees what all-passes of those before left."""
    columns, drive = [], np.asarray(samples, complex)
    for pole in poles:
        own = _bank(np.array([pole]), drive)[:, 0]
        before = np.concatenate([[0], own[:-1]]) / np.sqrt(1 - abs(pole) ** 2)
        columns.append(own)
        drive = before - np.conj(pole) * own / np.sqrt(1 - abs(pole) ** 2)
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
    for index in range(frames):
        frame = link.make_frame(seed, index)
        samples = frame.received[0] / np.sqrt(np.mean(np.abs(frame.received) ** 2))
        detector = make("esn", link, index).detector
        row = [_log_condition(np.asarray(detector.states(samples)).T)]
        for kind in ("statistics", "linear"):
            receiver = make(kind, link)
            receiver.receive([frame])
            poles = np.asarray(receiver.report().poles, complex)
            for states in (_bank, orthonormal_cascade):
                row.append(_log_condition(states(poles, samples.astype(complex))))
        rows.append(row)
    return rows


def best_errors(frames, tuning_frames, grid, **piece):
    """Errors with the settings of the grid that make the fewest on other frames."""
    tried = [
        np.sum(errors(frames=tuning_frames, settings=one, tuning=True, **piece), axis=0)
        for one in grid
    ]
    best = grid[int(np.argmin([wrong for wrong, _ in tried]))]
    return dict(settings=best, errors=errors(frames=frames, settings=best, **piece))


def pilot_losses(seed, frames, receiver, settings):
    """Mean square error on the pilots that were trained on, for every frame."""
    found, link = [], make_link()
    for index in range(frames):
        frame = link.make_frame(seed, index)
        made = make(receiver, link, index, **settings)
        made.receive([frame])
        found.append(float(made.report().mse))
    return found


# --- what is run for the claims ---

RADII = (0.3, 0.5, 0.7, 0.9, 1.0, 1.1, 1.2, 1.3, 1.5)
ACTIVATIONS = ("identity", "split_tanh")
OF_ONE_SAMPLE = dict(num_neurons=4, window=1, delay=4)
PLATEAUS = {
    "32 neurons, adam": dict(optimizer="adam", learning_rate=3e-3),
    "32 neurons, gd": dict(optimizer="gd", learning_rate=5e-2),
    "4 neurons of one sample, adam": dict(
        OF_ONE_SAMPLE, optimizer="adam", learning_rate=1e-3
    ),
    "4 neurons of one sample, gd": dict(
        OF_ONE_SAMPLE, optimizer="gd", learning_rate=1e-2
    ),
}
LEAST_MODULUS = 0.3
MINIMUM_PHASE = {
    f"{name}, {snr_db} dB": dict(channel=channel, pilots=256, snr_db=snr_db)
    for name, channel, snr_db in (
        ("minimum phase", "minimum_phase", 5),
        ("minimum phase", "minimum_phase", SNR_DB),
        ("mixed phase", "rayleigh", SNR_DB),
    )
}
FILTERS = [dict(window=w, delay=d) for w in (8, 16, 24) for d in (0, w // 2)]
COMPARED = {
    "mlse": [{}],
    "esn": [
        dict(one, spectral_radius=radius, input_scaling=scaling)
        for one in FILTERS
        for radius, scaling in ((0.4, 0.05), (0.9, 0.5))
    ],
    "fir": [dict(num_taps=one["window"], delay=one["delay"]) for one in FILTERS],
    "linear": [{}],
    "complete": [{}],
}
SMALLER = dict(RNN, num_neurons=16)  # so that its Jacobian is cheap
FIRST_ORDER = {"gd": 0.1, "momentum": 1e-2, "rmsprop": 1e-3, "adam": 3e-3}
SECOND_ORDER = ("levenberg_marquardt", "l_bfgs")
OFDM_PILOTS, OFDM_SNR_DB = 4, 20
OFDM = {
    "ofdm_rnn": [
        dict(
            num_neurons=32,
            eigenvalues_every=0,
            window=window,
            delay=window // 2,
            epochs=epochs,
            **network,
        )
        for window, epochs in ((16, 40), (32, 40), (32, 160))
        for network in (dict(), dict(activation="identity", skip=True))
    ],
    "ofdm_esn": [{}],
    "ofdm_lmmse": [{}],
    "ofdm_configured": [{}],
}


def optimizer_grid(scale, optimizer):
    """(Receiver, settings that are tried)."""
    if optimizer in SECOND_ORDER:
        steps = scale.optimizer_iterations
        if optimizer == "l_bfgs":
            steps = [5 * count for count in steps]  # one gradient, not a Jacobian
        settings = dict(SMALLER, optimizer=optimizer)
        return "second_order_rnn", [dict(settings, epochs=count) for count in steps]
    rate = FIRST_ORDER[optimizer]
    return "rnn", [
        dict(SMALLER, optimizer=optimizer, learning_rate=rate * times, epochs=count)
        for times in (0.3, 1, 3)
        for count in scale.optimizer_epochs
    ]


def ofdm_points(scale):
    over_pilots = [(pilots, OFDM_SNR_DB) for pilots in scale.ofdm_pilots]
    over_snrs = [(OFDM_PILOTS, snr_db) for snr_db in scale.ofdm_snrs_db]
    return list(dict.fromkeys(over_pilots + over_snrs))


def plan(scale):
    """(Group, name, function, arguments but for the seed) of every piece."""
    few, many = dict(frames=scale.curve_frames), dict(frames=scale.claim_frames)
    tuned = dict(many, tuning_frames=scale.claim_tuning_frames)
    for name in ACTIVATIONS:
        how = dict(few, radii=RADII, activation=name)
        yield "gradients", name, gradient_norms, how
    for name, optimizer in PLATEAUS.items():
        how = dict(many, epochs=scale.plateau_epochs, optimizer=optimizer)
        yield "plateaus", name, plateaus, how
    for order in (2, 4, 8):
        how = dict(sets=300, order=order, least_modulus=LEAST_MODULUS)
        yield "polar", f"{order} poles", polar_conditioning, how
    yield "states", "all", state_conditioning, few
    for (name, at), (receiver, grid) in itertools.product(
        MINIMUM_PHASE.items(), COMPARED.items()
    ):
        how = dict(tuned, at=at, receiver=receiver, grid=grid)
        yield "minimum_phase", (name, receiver), best_errors, how
    for name in (*FIRST_ORDER, *SECOND_ORDER):
        receiver, grid = optimizer_grid(scale, name)
        how = dict(tuned, at={}, receiver=receiver, grid=grid)
        yield "optimizers", name, best_errors, how
        how = dict(few, receiver=receiver, settings=grid[-1])
        yield "losses", name, pilot_losses, how
    how = dict(tuned, at={}, receiver="linear", grid=[{}])
    yield "optimizers", "linear", best_errors, how
    for (pilots, snr_db), (receiver, grid) in itertools.product(
        ofdm_points(scale), OFDM.items()
    ):
        at = dict(ofdm=True, pilots=pilots, snr_db=snr_db)
        how = dict(tuned, at=at, receiver=receiver, grid=grid)
        yield "ofdm", (pilots, snr_db, receiver), best_errors, how
    at = dict(ofdm=True, pilots=OFDM_PILOTS, snr_db=OFDM_SNR_DB)
    for receiver, grid in OFDM.items():
        epochs = max(one.get("epochs", 0) for one in grid)
        how = dict(frames=scale.cost_frames, at=at, receiver=receiver, epochs=epochs)
        yield "ofdm_costs", receiver, training_seconds, how
