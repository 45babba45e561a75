#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What the paper subcommand measures, through the C++ detectors on arrays.

Each function that takes a seed is a piece of work: its arguments name it, it returns what JSON can
hold, and the same arguments give the same result.
"""

import dataclasses
import time

import numpy as np

from gnuradio import digital, reservoir

NUM_TAPS, DECAY = 6, 2.0
POWERS = np.asarray(reservoir.exponential_profile(NUM_TAPS, DECAY))
PAYLOAD = 512
MAX_PILOTS = 256
LOOK_AHEAD = 48
NEURONS = 32
PILOTS, SNR_DB = 64, 11  # where the other one varies

# the trained network of the learning curves, the eigenvalues and the cost
RNN = dict(num_neurons=NEURONS, window=16, delay=8, spectral_radius=0.9)
# the linear network of configured poles that is trained further
FINE_TUNED = dict(window=16, delay=8, activation="identity", skip=True)


@dataclasses.dataclass
class Frame:
    """Pilots, payload and what is received of them and of symbols that follow."""

    received: np.ndarray
    pilots: np.ndarray
    payload: np.ndarray


def _noise(rng, size):
    return np.sqrt(0.5) * (rng.normal(size=size) + 1j * rng.normal(size=size))


def _qpsk(rng, size):
    bits = 2 * rng.integers(0, 2, (2, size)) - 1
    return (bits[0] + 1j * bits[1]) / np.sqrt(2)


def make_frame(seed, index, num_pilots, snr_db):
    """A frame with its own channel of unit energy; channel and payload depend on nothing else."""
    rng = np.random.default_rng([seed, index])
    channel = _noise(rng, NUM_TAPS) * np.sqrt(POWERS)
    channel /= np.linalg.norm(channel)
    payload = _qpsk(rng, PAYLOAD)
    after = _qpsk(rng, LOOK_AHEAD)
    pilots = _qpsk(rng, MAX_PILOTS)[:num_pilots]
    sent = np.concatenate([pilots, payload, after])
    noise = _noise(rng, MAX_PILOTS + PAYLOAD + LOOK_AHEAD)[: len(sent)]
    received = np.convolve(sent, channel)[: len(sent)] + 10 ** (-snr_db / 20) * noise
    return Frame(*(x.astype(np.complex64) for x in (received, pilots, payload)))


def count_errors(symbols, payload):
    """[wrong symbols, wrong bits] of QPSK with Gray labels."""
    real = (symbols.real > 0) != (payload.real > 0)
    imag = (symbols.imag > 0) != (payload.imag > 0)
    return [int(np.sum(real | imag)), int(np.sum(real) + np.sum(imag))]


def receive(detector, frame):
    """Train on the pilots; returns [wrong symbols, wrong bits] of the payload."""
    symbols = detector.receive(
        frame.received, frame.pilots, payload_len=len(frame.payload)
    )
    return count_errors(symbols[len(frame.pilots) :], frame.payload)


def _configured(**settings):
    return reservoir.configured_esn(
        constellation=digital.constellation_qpsk().base(), **settings
    )


CONFIGURED = {
    "statistics": lambda: _configured(
        feedback=False,
        refits=0,
        poles="statistics",
        power_delay_profile=list(POWERS),
        num_neurons=NEURONS,
    ),
    "linear": lambda: _configured(feedback=False, refits=0),
    "complete": _configured,
}


def make_esn(**settings):
    return reservoir.esn(num_neurons=NEURONS, **settings)


def make_rnn(epochs, **settings):
    return reservoir.rnn(
        **{"num_neurons": NEURONS, "epochs": epochs, "eigenvalues_every": 0, **settings}
    )


def _moduli(poles):
    return np.abs(np.asarray(poles, complex)).tolist()


def _radii(recurrent_weights):
    return _moduli(np.linalg.eigvals(np.asarray(recurrent_weights, complex)))


# --- gradients and eigenvalues while a network is trained ---


def learning_curves(seed, optimizer, frames, epochs, condition_every):
    """Loss, gradient norm and condition number over the epochs, one row per frame."""
    keys = ("loss", "gradient_norm", "condition_number")
    rows = {key: [] for key in keys}
    for index in range(frames):
        frame = make_frame(seed, index, PILOTS, SNR_DB)
        settings = {**RNN, **optimizer, "seed": index + 1}
        detector = make_rnn(epochs, **settings, condition_every=condition_every)
        report = detector.fit(frame.received, frame.pilots)
        for key in keys:
            values = np.asarray(getattr(report, key), float)
            if key == "condition_number":
                values = values[::condition_every]
            rows[key].append([float(v) if np.isfinite(v) else None for v in values])
    return rows


def eigenvalue_moduli(seed, frames, epochs, learning_rate):
    """Moduli of the poles: of the RNN at the epochs, of random ESNs, of configured ones."""
    last = max(epochs)
    every = int(np.gcd.reduce([e for e in epochs if e]))
    found = dict(rnn=[[] for _ in epochs], esn=[], statistics=[], linear=[])
    for index in range(frames):
        frame = make_frame(seed, index, PILOTS, SNR_DB)
        settings = {**RNN, "learning_rate": learning_rate, "seed": index + 1}
        detector = make_rnn(last, **{**settings, "eigenvalues_every": every})
        values = detector.fit(frame.received, frame.pilots).eigenvalues
        for row, epoch in zip(found["rnn"], epochs):
            row += (
                _radii(detector.weights()[0])  # the report's are those before a step
                if epoch == last
                else _moduli(values[epoch])
            )
        esn = make_esn(spectral_radius=RNN["spectral_radius"], seed=10_000 + index)
        found["esn"] += _radii(esn.recurrent_weights())
        for kind in ("statistics", "linear"):
            detector = CONFIGURED[kind]()
            detector.receive(frame.received, frame.pilots, payload_len=PAYLOAD)
            found[kind] += _moduli(detector.report().poles)
    return found


# --- error rates: [wrong symbols, wrong bits] of each frame ---


def rnn_errors(seed, first, frames, pilots, snr_db, epochs, settings):
    """For every frame and number of epochs; each number is a training of its own."""
    counts = []
    for index in range(first, first + frames):
        frame = make_frame(seed, index, pilots, snr_db)
        detectors = (make_rnn(n, **settings, seed=index % 1000 + 1) for n in epochs)
        counts.append([receive(detector, frame) for detector in detectors])
    return counts


def esn_errors(seed, first, frames, pilots, snr_db, settings):
    return [
        receive(
            make_esn(**settings, seed=index % 1000 + 1),
            make_frame(seed, index, pilots, snr_db),
        )
        for index in range(first, first + frames)
    ]


def configured_errors(seed, frames, pilots, snr_db, kind):
    return [
        receive(CONFIGURED[kind](), make_frame(seed, index, pilots, snr_db))
        for index in range(frames)
    ]


# --- what a training costs ---


def training_seconds(seed, frames, pilots, receiver, epochs):
    """Wall-clock seconds for each frame.

    Of the complete receiver, whose refits train on its own decisions, the whole of receive().
    """
    make = {"rnn": lambda: make_rnn(epochs, **RNN), "esn": make_esn, **CONFIGURED}
    seconds = []
    for index in range(frames):
        frame = make_frame(seed, index, pilots, SNR_DB)
        detector = make[receiver]()
        begin = time.perf_counter()
        if receiver == "complete":
            detector.receive(frame.received, frame.pilots, payload_len=PAYLOAD)
        else:
            detector.fit(frame.received[: pilots + LOOK_AHEAD], frame.pilots)
        seconds.append(time.perf_counter() - begin)
    return seconds


def _leave_one_out_ridge(rows, features):
    """The smaller Gram matrix, its eigenvectors, and the rows turned by them."""
    small, large = sorted((rows, features))
    return small**2 * large * 3 // 2 + 6 * small**3


def multiply_adds(pilots, receiver, epochs):
    """Complex multiply-adds of one training, leading terms only."""
    if receiver == "rnn":
        inputs = RNN["window"]
        forward = NEURONS * (NEURONS + inputs + 1)
        backward = NEURONS * (2 * NEURONS + inputs + 2)
        return epochs * (pilots + RNN["delay"]) * (forward + backward)
    if receiver == "esn":
        inputs, delay = 24, 12
        states = (pilots + delay) * NEURONS * (NEURONS + inputs)
        return states + _leave_one_out_ridge(pilots, NEURONS + inputs)
    if receiver == "statistics":
        bank = (pilots + LOOK_AHEAD) * NEURONS
        return bank + _leave_one_out_ridge(pilots, NEURONS + 1)

    lags, longest, features = (
        30,
        16,
        2 * NUM_TAPS,
    )  # of the search for timing and length
    order = 2 * (NUM_TAPS - 1)
    spectral_factor = 10 * order**3  # eigenvalues of a companion matrix

    def configure(known):
        timing = known * lags**2 // 2 + lags // 2 * longest**3 // 6
        bank = (known + LOOK_AHEAD) * 2 * features
        return timing + spectral_factor + bank + known * features**2 // 2

    if receiver == "linear":
        return configure(pilots)
    symbols = pilots + PAYLOAD
    filtered = 41  # samples that the feedforward filter spans
    search = symbols * (filtered + 8 * (NUM_TAPS + 4))  # 8 survivors, 4 points
    passes = configure(pilots) + 2 * configure(symbols) + 3 * search
    return 2 * passes  # with the carrier offset of the pilots and without


# --- configured poles that are trained further ---


def _ridge_readout(features, target):
    """Least squares with the ridge of least leave-one-out error."""
    scale = np.sqrt(np.mean(np.abs(features) ** 2, axis=0)) + 1e-12
    u, s, vh = np.linalg.svd(features / scale, full_matrices=False)
    best = (np.inf, None)
    for ridge in len(features) * 10.0 ** np.arange(-6, 1.1, 0.5):
        shrink = s**2 / (s**2 + ridge)
        fitted = u @ (shrink * (u.conj().T @ target))
        leverage = np.sum(np.abs(u) ** 2 * shrink, axis=1)
        error = np.mean(np.abs((target - fitted) / (1 - leverage)) ** 2)
        if error < best[0]:
            weights = vh.conj().T @ (s / (s**2 + ridge) * (u.conj().T @ target))
            best = (error, weights / scale)
    return best[1]


def configured_start(frame):
    """W, U, W_out, D of a linear network: configured poles, readout by least squares."""
    pilots, window = len(frame.pilots), FINE_TUNED["window"]
    estimator = _configured(channel_len=NUM_TAPS, feedback=False, refits=0)
    report = estimator.fit(frame.received[: pilots + LOOK_AHEAD], frame.pilots)
    poles = np.asarray(report.poles, complex)
    # the samples as the network sees them: unit power over the pilots
    steps = pilots + FINE_TUNED["delay"]
    received = frame.received[:steps].astype(complex)
    received /= np.sqrt(np.mean(np.abs(received[:pilots]) ** 2))
    padded = np.concatenate([np.zeros(window - 1), received])
    windows = np.array([padded[n : n + window][::-1] for n in range(steps)])
    gains = np.zeros((len(poles), window), complex)
    gains[:, 0] = np.sqrt(1 - np.abs(poles) ** 2)
    state, states = np.zeros(len(poles), complex), []
    for samples in windows:
        state = poles * state + gains @ samples
        states.append(state)
    features = np.concatenate([states, windows], axis=1)[FINE_TUNED["delay"] :]
    readout = _ridge_readout(features, frame.pilots.astype(complex))
    of_states, of_window = np.split(readout[np.newaxis], [len(poles)], axis=1)
    parts = (np.diag(poles), gains, of_states, of_window)
    return tuple(part.astype(np.complex64) for part in parts)


def fine_tuning(seed, frames, epochs, settings):
    """[pilot loss, wrong symbols, wrong bits, spectral radius] for every frame and number of
    epochs, from configured poles on."""
    rows = []
    for index in range(frames):
        frame = make_frame(seed, index, PILOTS, SNR_DB)
        start = configured_start(frame)

        def tuned(count):
            detector = make_rnn(
                count, **{**FINE_TUNED, **settings, "num_neurons": len(start[0])}
            )
            detector.set_weights(*start)
            return detector

        # a loss is of the weights before a step: one more than the last number of epochs
        losses = tuned(max(epochs) + 1).fit(frame.received, frame.pilots).loss
        row = []
        for count in epochs:
            detector = tuned(count)
            errors = receive(detector, frame)
            radius = max(_radii(detector.weights()[0]))
            row.append([float(losses[min(count, len(losses) - 1)]), *errors, radius])
        rows.append(row)
    return rows
