#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What the paper subcommand measures, through the receivers and links of campaigns.

Each function that takes a seed is a piece of work: its arguments name it, it returns what JSON can
hold, and the same arguments give the same result.
"""

import time

import numpy as np

from gnuradio import reservoir

from ..campaign.links import SingleCarrier
from ..campaign.ofdm_link import Ofdm
from ..campaign.peers import ridge
from ..campaign.receivers import KINDS
from ..campaign.work import FIRST_TUNING_FRAME, count_errors
from .second_order import SecondOrderRnn

NUM_TAPS, DECAY = 6, 2.0
POWERS = np.asarray(reservoir.exponential_profile(NUM_TAPS, DECAY))
PAYLOAD = 512
LOOK_AHEAD = 48
NEURONS = 32
PILOTS, SNR_DB = 64, 11  # where the other one varies

# the trained network of the learning curves, the eigenvalues and the cost
RNN = dict(num_neurons=NEURONS, window=16, delay=8, spectral_radius=0.9)
# the linear network of configured poles that is trained further
FINE_TUNED = dict(window=16, delay=8, activation="identity", skip=True)

# what is measured, as kinds of campaigns and their parameters; other names are kinds themselves
RECEIVERS = {
    "rnn": ("rnn", dict(num_neurons=NEURONS, eigenvalues_every=0)),
    "esn": ("esn", dict(num_neurons=NEURONS)),
    "statistics": (
        "configured_esn",
        dict(
            feedback=False,
            refits=0,
            poles="statistics",
            power_delay_profile=POWERS.tolist(),
            num_neurons=NEURONS,
        ),
    ),
    "linear": ("configured_esn", dict(feedback=False, refits=0)),
    "complete": ("configured_esn", {}),
}
CONFIGURED = ("statistics", "linear", "complete")
DRAWN = (
    "rnn",
    "second_order_rnn",
    "esn",
    "ofdm_rnn",
    "ofdm_esn",
)  # another network for every frame


def make_link(ofdm=False, **entries):
    """One sample per symbol; or 2 x 2 antennas, 52 carriers of 64."""
    if ofdm:
        shape = dict(streams=2, antennas=2, used=52, taps=NUM_TAPS, decay=DECAY)
        return Ofdm(**{**shape, **entries})
    shape = dict(pilots=PILOTS, snr_db=SNR_DB, payload=PAYLOAD, behind=LOOK_AHEAD)
    return SingleCarrier(**{**shape, "taps": NUM_TAPS, "decay": DECAY, **entries})


def make(receiver, link, index=0, **settings):
    """A receiver of campaigns for one frame."""
    kind, own = RECEIVERS.get(receiver, (receiver, {}))
    if receiver in DRAWN:
        own = dict(own, seed=index % 1000 + 1)
    kinds = dict(KINDS, second_order_rnn=SecondOrderRnn)
    return kinds[kind](link, **{**own, **settings})


def count(receiver, link, frame):
    """Train on the pilots; returns [wrong symbols, wrong bits] of the payload."""
    found = count_errors(link, [frame], receiver.receive([frame]))
    return [found["wrong"][0], found["bits"][0]]


def errors(seed, frames, at, receiver, settings, tuning=False):
    """Wrong symbols and bits of each frame; at: the link's entries."""
    link, first = make_link(**at), FIRST_TUNING_FRAME if tuning else 0
    return [
        count(
            make(receiver, link, k, **settings), link, link.make_frame(seed, first + k)
        )
        for k in range(frames)
    ]


def epoch_errors(epochs, settings, **piece):
    """The same for every number of epochs, each a training of its own."""
    counts = [errors(settings=dict(settings, epochs=n), **piece) for n in epochs]
    return np.swapaxes(counts, 0, 1).tolist()


def _moduli(poles):
    return np.abs(np.asarray(poles, complex)).tolist()


def _radii(recurrent_weights):
    return _moduli(np.linalg.eigvals(np.asarray(recurrent_weights, complex)))


# --- gradients and eigenvalues while a network is trained ---


def learning_curves(seed, optimizer, frames, epochs, condition_every):
    """Loss, gradient norm and condition number over the epochs, one row per frame."""
    keys = ("loss", "gradient_norm", "condition_number")
    rows = {key: [] for key in keys}
    link = make_link()
    for index in range(frames):
        frame = link.make_frame(seed, index)
        settings = dict(
            RNN, **optimizer, epochs=epochs, condition_every=condition_every
        )
        detector = make("rnn", link, index, **settings).detector
        report = detector.fit(frame.received[0], frame.pilots[0])
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
    trained = dict(
        RNN, epochs=last, learning_rate=learning_rate, eigenvalues_every=every
    )
    link = make_link()
    for index in range(frames):
        frame = link.make_frame(seed, index)
        detector = make("rnn", link, index, **trained).detector
        values = detector.fit(frame.received[0], frame.pilots[0]).eigenvalues
        for row, epoch in zip(found["rnn"], epochs):
            row += (
                _radii(detector.weights()[0])  # the report's are those before a step
                if epoch == last
                else _moduli(values[epoch])
            )
        esn = make(
            "esn", link, spectral_radius=RNN["spectral_radius"], seed=10_000 + index
        )
        found["esn"] += _radii(esn.detector.recurrent_weights())
        for kind in ("statistics", "linear"):
            receiver = make(kind, link)
            receiver.receive([frame])
            found[kind] += _moduli(receiver.report().poles)
    return found


# --- what a training costs ---


def training_seconds(seed, frames, at, receiver, epochs):
    """Processor seconds for each frame.

    Of the complete receiver, whose refits train on its own decisions, and of OFDM receivers the
    whole of receive().
    """
    link, settings = make_link(**at), {}
    if receiver in ("rnn", "ofdm_rnn"):
        settings = dict(RNN, epochs=epochs, eigenvalues_every=0)
    seconds = []
    for index in range(frames):
        frame = link.make_frame(seed, index)
        made = make(receiver, link, index, **settings)
        begin = time.process_time()
        if receiver == "complete" or "ofdm" in at:
            made.receive([frame])
        else:
            end = frame.pilots.size + LOOK_AHEAD
            made.detector.fit(frame.received[0, :end], frame.pilots[0])
        seconds.append(time.process_time() - begin)
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


def configured_start(link, frame):
    """W, U, W_out, D of a linear network: configured poles, readout by least squares."""
    (samples,), (known,), window = frame.received, frame.pilots, FINE_TUNED["window"]
    pilots = len(known)
    estimator = make("linear", link, channel_len=NUM_TAPS).detector
    report = estimator.fit(samples[: pilots + LOOK_AHEAD], known)
    poles = np.asarray(report.poles, complex)
    # the samples as the network sees them: unit power over the pilots
    steps = pilots + FINE_TUNED["delay"]
    received = samples[:steps].astype(complex)
    received /= np.sqrt(np.mean(np.abs(received[:pilots]) ** 2))
    padded = np.concatenate([np.zeros(window - 1), received])
    windows = np.array([padded[n : n + window][::-1] for n in range(steps)])
    gains = np.zeros((len(poles), window), complex)
    gains[:, 0] = np.sqrt(1 - np.abs(poles) ** 2)
    state, states = np.zeros(len(poles), complex), []
    for seen in windows:
        state = poles * state + gains @ seen
        states.append(state)
    features = np.concatenate([states, windows], axis=1)[FINE_TUNED["delay"] :]
    scale = np.sqrt(np.mean(np.abs(features) ** 2, axis=0)) + 1e-12
    ridges = 10.0 ** np.arange(-6, 1.1, 0.5)
    readout = ridge(features / scale, known.astype(complex), ridges) / scale
    of_states, of_window = np.split(readout[np.newaxis], [len(poles)], axis=1)
    parts = (np.diag(poles), gains, of_states, of_window)
    return tuple(part.astype(np.complex64) for part in parts)


def fine_tuning(seed, frames, epochs, settings):
    """[pilot loss, wrong symbols, wrong bits, spectral radius] for every frame and number of
    epochs, from configured poles on."""
    rows, link = [], make_link()
    for index in range(frames):
        frame = link.make_frame(seed, index)
        start = configured_start(link, frame)

        def tuned(count):
            own = dict(FINE_TUNED, **settings, num_neurons=len(start[0]), epochs=count)
            receiver = make("rnn", link, **own)
            receiver.detector.set_weights(*start)
            return receiver

        # a loss is of the weights before a step: one more than the last number of epochs
        longest = tuned(max(epochs) + 1).detector
        losses = longest.fit(frame.received[0], frame.pilots[0]).loss
        row = []
        for after in epochs:
            receiver = tuned(after)
            wrong = count(receiver, link, frame)
            radius = max(_radii(receiver.detector.weights()[0]))
            row.append([float(losses[min(after, len(losses) - 1)]), *wrong, radius])
        rows.append(row)
    return rows
