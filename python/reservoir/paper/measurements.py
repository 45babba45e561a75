#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What the paper subcommand measures beside its campaigns: networks while they are trained.

Each function that takes a seed is a piece of work: its arguments name it, it returns what JSON can
hold, and the same arguments give the same result.
"""

import functools
import pathlib
import time

import numpy as np
from scipy.signal import lfilter

from ..campaign.links import SingleCarrier
from ..campaign.peers import ridge, windows as samples_in_view
from ..campaign.receivers import KINDS
from ..campaign.specification import load
from ..campaign.work import count_errors

FOLDER = pathlib.Path(__file__).parent
NUM_TAPS, PAYLOAD, LOOK_AHEAD = 6, 512, 48  # of campaigns, where nothing else is said
NEURONS = 32
PILOTS, SNR_DB = 64, 11  # where the other one varies

# the trained network of the learning curves, the eigenvalues and the cost
RNN = dict(num_neurons=NEURONS, window=16, delay=8, spectral_radius=0.9)
HISTOGRAM = np.linspace(0, 1.5, 31)  # of moduli
# the linear network of configured poles that is trained further
FINE_TUNED = dict(window=16, delay=8, activation="identity", skip=True)


@functools.cache
def receivers():
    """Of error_rates.toml, by their names."""
    return {one.name: one for one in load(FOLDER / "error_rates.toml").receivers}


def make_link(**entries):
    return SingleCarrier(**{"pilots": PILOTS, "snr_db": SNR_DB, **entries})


def make(name, link, index=0, **settings):
    """A receiver of error_rates.toml for one frame; random ones have another network for each."""
    one = receivers()[name]
    kind = one.kind.removeprefix("drawn_")
    drawn = {} if kind == one.kind else dict(seed=index + 1)
    return KINDS[kind](link, **{**one.parameters, **drawn, **settings})


def fitted(name, link, index, frame, **settings):
    """(Detector, its report) after training on the pilots."""
    detector = make(name, link, index, **settings).detector
    end = frame.pilots.size + LOOK_AHEAD
    return detector, detector.fit(frame.received[0, :end], frame.pilots[0])


def frames_of(link, seed, frames):
    """(Number, frame) of each."""
    return [(k, link.make_frame(seed, k)) for k in range(frames)]


def _moduli(poles):
    return np.abs(np.asarray(poles, complex))


def _radii(recurrent_weights):
    return _moduli(np.linalg.eigvals(np.asarray(recurrent_weights, complex)))


# --- gradients and eigenvalues while a network is trained ---


def spread(places, rows):
    """Median and the range of the middle 80 % over frames, at places; JSON has None for NaN."""
    quantiles = np.nanquantile(np.array(rows, float), (0.5, 0.1, 0.9), axis=0)
    finite = [[float(v) if np.isfinite(v) else None for v in row] for row in quantiles]
    return dict(zip(("places", "median", "low", "high"), [list(places), *finite]))


def learning_curves(seed, optimizer, frames, epochs, condition_every):
    """Loss, gradient norm and condition number over the epochs."""
    settings = {**RNN, **optimizer, "epochs": epochs}
    settings["condition_every"] = condition_every
    link = make_link()
    reports = [
        fitted("rnn_tuned", link, index, frame, **settings)[1]
        for index, frame in frames_of(link, seed, frames)
    ]
    steps = dict(loss=1, gradient_norm=1, condition_number=condition_every)
    return {
        key: spread(
            range(0, epochs, step), [getattr(one, key)[::step] for one in reports]
        )
        for key, step in steps.items()
    }


def _histogram(moduli):
    """Density of moduli; those beyond the last edge lie in the last bin."""
    moduli = np.ravel(moduli)
    clipped = np.minimum(moduli, HISTOGRAM[-1])
    return dict(
        density=np.histogram(clipped, HISTOGRAM, density=True)[0].tolist(),
        median=float(np.median(moduli)),
        largest=float(moduli.max()),
        outside=float(np.mean(moduli > 1)),
    )


def eigenvalue_moduli(seed, frames, epochs, learning_rate):
    """Moduli of the poles: of the RNN at the epochs, of random ESNs, of configured ones."""
    last = max(epochs)
    every = int(np.gcd.reduce([e for e in epochs if e]))
    found = {name: [] for name in (*epochs, "esn", "statistics", "linear")}
    trained = dict(
        RNN, epochs=last, learning_rate=learning_rate, eigenvalues_every=every
    )
    radius, link = RNN["spectral_radius"], make_link()
    for index, frame in frames_of(link, seed, frames):
        detector, report = fitted("rnn_tuned", link, index, frame, **trained)
        for epoch in epochs:  # the report's are those before a step
            weights, before = detector.weights()[0], report.eigenvalues
            found[epoch].append(
                _radii(weights) if epoch == last else _moduli(before[epoch])
            )
        esn = make("esn", link, spectral_radius=radius, seed=10_000 + index)
        found["esn"].append(_radii(esn.detector.recurrent_weights()))
        for name in ("statistics", "linear"):
            found[name].append(_moduli(fitted(name, link, index, frame)[1].poles))
    histograms = {name: _histogram(np.concatenate(m)) for name, m in found.items()}
    of_rnn = [dict(epoch=epoch, **histograms.pop(epoch)) for epoch in epochs]
    return dict(histograms, rnn=of_rnn, edges=HISTOGRAM.tolist(), frames=frames)


# --- what a training costs ---


def training_cost(seed, frames, pilots, receiver, epochs):
    """Median processor seconds of a frame, and multiply-adds; of the complete receiver, whose refits
    train on its own decisions, the whole of receive()."""
    link, settings = make_link(pilots=pilots), {}
    if receiver == "rnn_tuned":
        settings = dict(RNN, epochs=epochs)
    seconds = []
    for index, frame in frames_of(link, seed, frames):
        made = make(receiver, link, index, **settings)
        begin = time.process_time()
        if receiver == "complete":
            made.receive([frame])
        else:
            end = frame.pilots.size + LOOK_AHEAD
            made.detector.fit(frame.received[0, :end], frame.pilots[0])
        seconds.append(time.process_time() - begin)
    return dict(
        pilots=pilots,
        receiver=receiver,
        epochs=epochs,
        seconds=float(np.median(seconds)),
        multiply_adds=multiply_adds(pilots, receiver, epochs),
    )


def _leave_one_out_ridge(rows, features):
    """The smaller Gram matrix, its eigenvectors, and the rows turned by them."""
    small, large = sorted((rows, features))
    return small**2 * large * 3 // 2 + 6 * small**3


def multiply_adds(pilots, receiver, epochs):
    """Complex multiply-adds of one training, leading terms only."""
    if receiver == "rnn_tuned":
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


def bank(poles, samples):
    """States of one pole each, of unit power for white samples, (samples, poles)."""
    scales = np.sqrt(1 - np.abs(poles) ** 2)
    columns = [lfilter([b], [1, -p], samples) for b, p in zip(scales, poles)]
    return np.stack(columns, axis=1)


def configured_start(link, frame):
    """W, U, W_out, D of a linear network: configured poles, readout by least squares."""
    (samples,), (known,), window = frame.received, frame.pilots, FINE_TUNED["window"]
    pilots = len(known)
    _, report = fitted("linear", link, 0, frame, channel_len=NUM_TAPS)
    poles = np.asarray(report.poles, complex)
    # the samples as the network sees them: unit power over the pilots
    steps = pilots + FINE_TUNED["delay"]
    received = samples[:steps].astype(complex)
    received /= np.sqrt(np.mean(np.abs(received[:pilots]) ** 2))
    windows = samples_in_view([received], steps, window, 0)
    gains = np.zeros((len(poles), window), complex)
    gains[:, 0] = np.sqrt(1 - np.abs(poles) ** 2)
    states = bank(poles, received)
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
    for _, frame in frames_of(link, seed, frames):
        start = configured_start(link, frame)

        def tuned(count):
            own = dict(FINE_TUNED, **settings, num_neurons=len(start[0]), epochs=count)
            receiver = make("rnn_tuned", link, **own)
            receiver.detector.set_weights(*start)
            return receiver

        # a loss is of the weights before a step: one more than the last number of epochs
        longest = tuned(max(epochs) + 1).detector
        losses = longest.fit(frame.received[0], frame.pilots[0]).loss
        row = []
        for after in epochs:
            receiver = tuned(after)
            counted = count_errors(link, [frame], receiver.receive([frame]))
            radius = float(_radii(receiver.detector.weights()[0]).max())
            loss = float(losses[min(after, len(losses) - 1)])
            row.append([loss, counted["wrong"][0], counted["bits"][0], radius])
        rows.append(row)
    return rows
