#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The comparison of a paper: recurrent networks that descend a gradient against configured ones.

Everything runs through the C++ detectors on arrays. Each piece of the work is written to a file
of DIR/cache when it is finished, named after its parameters, and is not computed again.
"""

import argparse
import dataclasses
import hashlib
import itertools
import json
import os
import pathlib
import sys
import time

import numpy as np
from tqdm import tqdm

from gnuradio import digital, reservoir

CACHE_VERSION = 1  # of what the pieces compute: another one starts anew

NUM_TAPS = 6
POWERS = np.exp(-np.arange(NUM_TAPS) / 2.0)
POWERS /= POWERS.sum()
PAYLOAD = 512
MAX_PILOTS = 256
LOOK_AHEAD = 48
NEURONS = 32
PILOTS, SNR_DB = 64, 11  # where the other one varies
TUNING_FRAMES_AT = 1_000_000  # settings are chosen on other frames than those compared

# the trained network of the learning curves, the eigenvalues and the cost
RNN = dict(num_neurons=NEURONS, window=16, delay=8, spectral_radius=0.9)
OPTIMIZERS = {
    "adam": dict(optimizer="adam", learning_rate=3e-3),
    "gd": dict(optimizer="gd", learning_rate=5e-2),
}
EIGENVALUE_RATE = 1e-2
POLE_WINDOW, POLE_DELAY = 16, 8
FINE_TUNINGS = {
    "adam, all weights": dict(optimizer="adam", learning_rate=3e-3),
    "gd, all weights": dict(optimizer="gd", learning_rate=2e-2),
    "adam, poles held": dict(optimizer="adam", learning_rate=3e-3, train_poles=False),
}

DESCRIPTION = """\
Recurrent networks trained by back-propagation through time against random and configured echo
state networks, on short frames over fading channels: gradients and conditioning over the epochs,
eigenvalues, error rates over pilots and signal-to-noise ratio, the cost of training, and what
further training does to configured poles. Writes index.html, results.json and five pictures.
A run that was interrupted goes on where it was.
"""


@dataclasses.dataclass(frozen=True)
class Scale:
    """How much is computed."""

    pilots: tuple = (16, 32, 64, 128, 256)
    snrs_db: tuple = (5, 8, 11, 14, 17, 20)
    frames: int = 100
    tuning_frames: int = 24
    epochs: tuple = (10, 20, 40, 80, 160, 400)  # each a training of its own
    activations: tuple = ("split_tanh", "identity")
    skips: tuple = (False, True)
    curve_frames: int = 20
    curve_epochs: int = 400
    condition_every: int = 10
    eigenvalue_frames: int = 60
    eigenvalue_epochs: tuple = (0, 100, 300, 1000)
    cost_pilots: tuple = (32, 64, 128, 256)
    cost_frames: int = 15
    fine_frames: int = 100
    fine_epochs: tuple = (0, 10, 30, 100, 300, 1000)


QUICK = Scale(
    pilots=(16, 64, 128),
    snrs_db=(5, 11, 17),
    frames=20,
    tuning_frames=8,
    epochs=(10, 40, 160),
    activations=("split_tanh",),
    skips=(False,),
    curve_frames=4,
    curve_epochs=200,
    condition_every=20,
    eigenvalue_frames=12,
    eigenvalue_epochs=(0, 100, 300),
    cost_pilots=(32, 64, 128),
    cost_frames=5,
    fine_frames=20,
    fine_epochs=(0, 10, 30, 100, 300),
)

ESN_GRID = [
    dict(window=window, spectral_radius=radius, input_scaling=scaling)
    for window, radius, scaling in itertools.product((16, 24), (0.4, 0.9), (0.05, 0.5))
]


def rnn_grid(scale):
    """Settings of the trained network that are tried at every point."""
    return [
        dict(
            window=window,
            delay=window // 2,
            learning_rate=rate,
            activation=activation,
            skip=skip,
        )
        for window, rate, activation, skip in itertools.product(
            (8, 16), (3e-3, 1e-2), scale.activations, scale.skips
        )
    ]


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
    """A frame with a channel of its own; channel, payload and noise do not depend on the rest."""
    rng = np.random.default_rng([seed, index])
    channel = _noise(rng, NUM_TAPS) * np.sqrt(POWERS)
    payload = _qpsk(rng, PAYLOAD)
    after = _qpsk(rng, LOOK_AHEAD)
    pilots = _qpsk(rng, MAX_PILOTS)[:num_pilots]
    sent = np.concatenate([pilots, payload, after])
    noise = _noise(rng, MAX_PILOTS + PAYLOAD + LOOK_AHEAD)[: len(sent)]
    received = np.convolve(sent, channel)[: len(sent)] + 10 ** (-snr_db / 20) * noise
    return Frame(
        received.astype(np.complex64),
        pilots.astype(np.complex64),
        payload.astype(np.complex64),
    )


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


def _constellation():
    return digital.constellation_qpsk().base()


CONFIGURED = {
    "statistics": lambda: reservoir.configured_esn(
        constellation=_constellation(),
        feedback=False,
        refits=0,
        poles="statistics",
        power_delay_profile=list(POWERS),
        num_neurons=NEURONS,
    ),
    "linear": lambda: reservoir.configured_esn(
        constellation=_constellation(), feedback=False, refits=0
    ),
    "complete": lambda: reservoir.configured_esn(constellation=_constellation()),
}


def make_esn(**settings):
    return reservoir.esn(num_neurons=NEURONS, delay=-1, **settings)


def make_rnn(epochs, **settings):
    return reservoir.rnn(
        **{"num_neurons": NEURONS, "epochs": epochs, "eigenvalues_every": 0, **settings}
    )


# --- the pieces: each takes what names it and returns what JSON can hold ----------------------


def learning_curves(seed, optimizer, frames, epochs, condition_every):
    """Loss, gradient norm and condition numbers over the epochs, a row a frame."""
    keys = ("loss", "gradient_norm", "condition_number", "gram_condition_number")
    rows = {key: [] for key in keys}
    for index in range(frames):
        frame = make_frame(seed, index, PILOTS, SNR_DB)
        detector = make_rnn(
            epochs, **RNN, **optimizer, seed=index + 1, condition_every=condition_every
        )
        report = detector.fit(frame.received, frame.pilots)
        for key in keys:
            values = np.asarray(getattr(report, key), float)
            if "condition" in key:
                values = values[::condition_every]
            rows[key].append([float(v) if np.isfinite(v) else None for v in values])
    return rows


def eigenvalue_moduli(seed, frames, epochs, learning_rate):
    """Moduli of W at the epochs, of a random ESN's W and of configured poles."""
    last = max(epochs)
    every = int(np.gcd.reduce([e for e in epochs if e]))
    found = {"rnn": [[] for _ in epochs], "random": [], "configured": []}
    for index in range(frames):
        frame = make_frame(seed, index, PILOTS, SNR_DB)
        detector = make_rnn(
            last,
            **{
                **RNN,
                "learning_rate": learning_rate,
                "seed": index + 1,
                "eigenvalues_every": every,
            },
        )
        values = np.abs(
            np.asarray(detector.fit(frame.received, frame.pilots).eigenvalues)
        )
        trained = np.abs(np.linalg.eigvals(detector.weights()[0].astype(complex)))
        for row, epoch in zip(found["rnn"], epochs):
            row.append((trained if epoch == last else values[epoch]).tolist())
        esn = reservoir.esn(
            num_neurons=NEURONS,
            spectral_radius=RNN["spectral_radius"],
            seed=10_000 + index,
        )
        weights = np.asarray(esn.recurrent_weights()).astype(complex)
        found["random"].append(np.abs(np.linalg.eigvals(weights)).tolist())
        configured = CONFIGURED["linear"]()
        configured.receive(frame.received, frame.pilots, payload_len=PAYLOAD)
        found["configured"].append(
            np.abs(np.asarray(configured.report().poles)).tolist()
        )
    return found


def rnn_errors(seed, first, frames, pilots, snr_db, epochs, settings):
    """[wrong symbols, wrong bits] for every frame and number of epochs."""
    counts = []
    for index in range(first, first + frames):
        frame = make_frame(seed, index, pilots, snr_db)
        counts.append(
            [
                receive(make_rnn(count, **settings, seed=index % 1000 + 1), frame)
                for count in epochs
            ]
        )
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


def training_seconds(seed, frames, pilots, receiver, epochs=0):
    """Wall-clock seconds of the fit, a frame each."""
    make = {
        "rnn": lambda: make_rnn(epochs, **RNN),
        "esn": lambda: reservoir.esn(num_neurons=NEURONS),
        **CONFIGURED,
    }[receiver]
    seconds = []
    for index in range(frames):
        frame = make_frame(seed, index, pilots, SNR_DB)
        detector = make()
        begin = time.perf_counter()
        detector.fit(frame.received[: pilots + LOOK_AHEAD], frame.pilots)
        seconds.append(time.perf_counter() - begin)
    return seconds


def multiply_adds(pilots, receiver, epochs=0):
    """Complex multiply-adds of one training, leading terms; see the page for what is left out."""
    neurons = NEURONS
    if receiver == "rnn":
        inputs = RNN["window"]
        forward = neurons * (neurons + inputs + 1)
        backward = neurons * (2 * neurons + inputs + 2)
        return epochs * (pilots + RNN["delay"]) * (forward + backward)

    def least_squares(features):
        return (
            pilots * features * (features + 3) // 2 + features**3 // 6 + features**2
        )

    if receiver == "esn":
        inputs = 24
        states = (pilots + 12) * neurons * (neurons + inputs)
        return states + least_squares(neurons + inputs)
    taps = NUM_TAPS
    if receiver == "statistics":
        return (pilots + LOOK_AHEAD) * neurons + least_squares(neurons + 1)
    channel = pilots * taps * (taps + 3) // 2 + taps**3
    roots = 10 * (2 * (taps - 1)) ** 3  # eigenvalues of a companion matrix
    bank = (pilots + LOOK_AHEAD) * 4 * (taps - 1)
    return channel + roots + bank + least_squares(2 * (taps - 1) + 1)


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
    pilots = len(frame.pilots)
    estimator = reservoir.configured_esn(
        constellation=_constellation(), channel_len=NUM_TAPS, feedback=False, refits=0
    )
    poles = np.asarray(
        estimator.fit(frame.received[: pilots + LOOK_AHEAD], frame.pilots).poles
    ).astype(complex)
    scale = np.sqrt(np.mean(np.abs(frame.received[:pilots].astype(complex)) ** 2))
    steps = pilots + POLE_DELAY
    padded = np.concatenate(
        [np.zeros(POLE_WINDOW - 1), frame.received[:steps].astype(complex) / scale]
    )
    windows = np.array([padded[n : n + POLE_WINDOW][::-1] for n in range(steps)])
    gains = np.zeros((len(poles), POLE_WINDOW), complex)
    gains[:, 0] = np.sqrt(1 - np.abs(poles) ** 2)
    state, states = np.zeros(len(poles), complex), []
    for window in windows:
        state = poles * state + gains @ window
        states.append(state)
    features = np.concatenate([states, windows], axis=1)[POLE_DELAY:]
    readout = _ridge_readout(features, frame.pilots.astype(complex))
    parts = (np.diag(poles), gains, readout[None, : len(poles)], readout[None, -16:])
    return tuple(part.astype(np.complex64) for part in parts)


def fine_tuning(seed, frames, epochs, settings):
    """Pilot loss, payload errors and spectral radius after so many epochs from configured poles."""
    rows = []
    for index in range(frames):
        frame = make_frame(seed, index, PILOTS, SNR_DB)
        start = configured_start(frame)
        row = []
        for count in epochs:
            detector = make_rnn(
                count + 1,  # the loss is of the weights before a step
                **{
                    **settings,
                    "num_neurons": len(start[0]),
                    "window": POLE_WINDOW,
                    "delay": POLE_DELAY,
                    "activation": "identity",
                    "skip": True,
                },
            )
            detector.set_weights(*start)
            losses = detector.fit(frame.received, frame.pilots).loss
            detector = make_rnn(
                count,
                **{
                    **settings,
                    "num_neurons": len(start[0]),
                    "window": POLE_WINDOW,
                    "delay": POLE_DELAY,
                    "activation": "identity",
                    "skip": True,
                },
            )
            detector.set_weights(*start)
            symbol_errors, bit_errors = receive(detector, frame)
            radius = np.abs(np.linalg.eigvals(detector.weights()[0].astype(complex)))
            row.append(
                [float(losses[-1]), symbol_errors, bit_errors, float(radius.max())]
            )
        rows.append(row)
    return rows


# --- running them ----------------------------------------------------------------------------


class Pieces:
    """Runs pieces of work, or reads them from the cache."""

    def __init__(self, folder, bar):
        self.folder = folder
        self.bar = bar
        self.computed = self.read = 0
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, text, function, **parameters):
        key = dict(piece=function.__name__, version=CACHE_VERSION, **parameters)
        key = json.loads(json.dumps(key))  # as it will be read back
        digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
        path = self.folder / f"{function.__name__}-{digest[:16]}.json"
        self.bar.set_description(text)
        result = self._read(path, key)
        if result is None:
            result = function(**parameters)
            part = path.with_suffix(".part")
            part.write_text(json.dumps(dict(parameters=key, result=result)))
            os.replace(part, path)  # whole or not at all
            self.computed += 1
        else:
            self.read += 1
        self.bar.update()
        return result

    @staticmethod
    def _read(path, key):
        try:
            content = json.loads(path.read_text())
            return content["result"] if content["parameters"] == key else None
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None


def points(scale):
    """(pilots, SNR) of the error rates: one varies at a time."""
    return list(
        dict.fromkeys(
            [(pilots, SNR_DB) for pilots in scale.pilots]
            + [(PILOTS, snr_db) for snr_db in scale.snrs_db]
        )
    )


def _rates(counts):
    """Symbol and bit error rates of each frame."""
    counts = np.asarray(counts, float)
    return dict(
        ser=(counts[:, 0] / PAYLOAD).tolist(), ber=(counts[:, 1] / 2 / PAYLOAD).tolist()
    )


def error_rates(pieces, scale, seed, pilots, snr_db):
    """All receivers at one point: {name: dict(ser, ber per frame, settings)}."""
    where = f"{pilots} pilots, {snr_db} dB"
    at = dict(seed=seed, pilots=pilots, snr_db=snr_db)
    tuning = dict(at, first=TUNING_FRAMES_AT, frames=scale.tuning_frames)
    grid = rnn_grid(scale)
    tried = np.array(
        [
            pieces(
                f"{where}: tuning",
                rnn_errors,
                **tuning,
                epochs=scale.epochs,
                settings=s,
            )
            for s in grid
        ]
    )[
        ..., 0
    ]  # setting, frame, epochs
    mean = tried.mean(axis=1)
    setting, epoch = np.unravel_index(mean.argmin(), mean.shape)
    chosen = dict(
        rnn_best=(int(tried.min(axis=2).mean(axis=1).argmin()), None),
        rnn_tuned=(int(setting), int(epoch)),
        rnn_final=(int(mean[:, -1].argmin()), len(scale.epochs) - 1),
    )
    rates = {}
    for name, (setting, epoch) in chosen.items():
        counts = np.array(
            pieces(
                f"{where}: trained network",
                rnn_errors,
                **at,
                first=0,
                frames=scale.frames,
                epochs=scale.epochs,
                settings=grid[setting],
            )
        )
        if epoch is None:  # an oracle: fewest wrong symbols of this very payload
            best = counts[:, :, 0].argmin(axis=1)
            counts = counts[np.arange(len(counts)), best]
        else:
            counts = counts[:, epoch]
        rates[name] = dict(
            _rates(counts),
            settings=dict(
                grid[setting],
                epochs="fewest errors" if epoch is None else scale.epochs[epoch],
            ),
        )
    tried = [
        np.mean(
            pieces(f"{where}: random ESN", esn_errors, **tuning, settings=s), axis=0
        )
        for s in ESN_GRID
    ]
    settings = ESN_GRID[int(np.argmin(np.array(tried)[:, 0]))]
    counts = pieces(
        f"{where}: random ESN",
        esn_errors,
        **at,
        first=0,
        frames=scale.frames,
        settings=settings,
    )
    rates["esn"] = dict(_rates(counts), settings=settings)
    for kind in CONFIGURED:
        counts = pieces(
            f"{where}: configured ESN",
            configured_errors,
            **at,
            frames=scale.frames,
            kind=kind,
        )
        rates[kind] = dict(_rates(counts), settings={})
    return rates


def num_pieces(scale):
    """How many pieces a run asks for."""
    at_a_point = len(rnn_grid(scale)) + 3 + len(ESN_GRID) + 1 + len(CONFIGURED)
    costs = len(scale.cost_pilots) * (2 + len(CONFIGURED) + 1)
    return (
        len(OPTIMIZERS)
        + 1
        + len(points(scale)) * at_a_point
        + costs
        + len(FINE_TUNINGS)
    )


def measure(scale, seed, folder):
    """Run everything; returns what the report needs."""
    with tqdm(total=num_pieces(scale), unit="piece") as bar:
        pieces = Pieces(folder, bar)
        found = dict(
            curves={
                name: pieces(
                    f"learning curves, {name}",
                    learning_curves,
                    seed=seed,
                    optimizer=optimizer,
                    frames=scale.curve_frames,
                    epochs=scale.curve_epochs,
                    condition_every=scale.condition_every,
                )
                for name, optimizer in OPTIMIZERS.items()
            },
            eigenvalues=pieces(
                "eigenvalues",
                eigenvalue_moduli,
                seed=seed,
                frames=scale.eigenvalue_frames,
                epochs=scale.eigenvalue_epochs,
                learning_rate=EIGENVALUE_RATE,
            ),
            costs=[],
            fine={
                name: pieces(
                    f"fine-tuning, {name}",
                    fine_tuning,
                    seed=seed,
                    frames=scale.fine_frames,
                    epochs=scale.fine_epochs,
                    settings=settings,
                )
                for name, settings in FINE_TUNINGS.items()
            },
            rates=[],
        )
        kinds = [("rnn", max(scale.epochs)), ("rnn", 40), ("esn", 0)]
        kinds += [(kind, 0) for kind in CONFIGURED]
        for pilots in scale.cost_pilots:
            for receiver, epochs in kinds:
                seconds = pieces(
                    f"cost, {pilots} pilots",
                    training_seconds,
                    seed=seed,
                    frames=scale.cost_frames,
                    pilots=pilots,
                    receiver=receiver,
                    epochs=epochs,
                )
                found["costs"].append(
                    dict(
                        receiver=receiver,
                        epochs=epochs,
                        pilots=pilots,
                        seconds=float(np.median(seconds)),
                        multiply_adds=multiply_adds(pilots, receiver, epochs),
                    )
                )
        for pilots, snr_db in points(scale):
            rates = error_rates(pieces, scale, seed, pilots, snr_db)
            found["rates"].append(dict(pilots=pilots, snr_db=snr_db, receivers=rates))
    found["pieces"] = dict(computed=pieces.computed, read=pieces.read)
    return found


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="python3 -m gnuradio.reservoir paper", description=DESCRIPTION
    )
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        default=pathlib.Path("reservoir-paper"),
        metavar="DIR",
        help="folder for the report and the cache; made if it is not there (%(default)s)",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="fewer frames, points and settings: below two minutes instead of twenty",
    )
    parser.add_argument(
        "--seed",
        type=int,
        choices=range(2**31),
        default=1,
        metavar="S",
        help="of pilots, symbols, channels and noise (%(default)s)",
    )
    return parser.parse_args(arguments)


def main(arguments):
    """Run the experiments; returns the exit status."""
    options = parse(arguments)
    from . import paper_plots  # matplotlib: after the options were read

    begin = time.perf_counter()
    scale = QUICK if options.quick else Scale()
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        found = measure(scale, options.seed, options.out / "cache")
        written, findings = paper_plots.write(
            found, scale, options.seed, options.out, time.perf_counter() - begin
        )
    except OSError as error:
        print(f"The report cannot be written: {error}.", file=sys.stderr)
        return 1
    for finding in itertools.chain.from_iterable(findings.values()):
        print(f"* {finding}")
    print(f"\n{time.perf_counter() - begin:.0f} s. Written:")
    for path in written:
        print(f"  {path}")
    return 0
