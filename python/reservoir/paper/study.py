#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The comparison of a paper: recurrent networks that descend a gradient against configured ones.

Each piece of the work is written to a file of DIR/cache when it is finished, named after its
parameters, and is not computed again.
"""

import dataclasses
import hashlib
import itertools
import json
import os
import sys
import time

import numpy as np

from ..campaign.progress import progress
from ..command_line import report_parser
from . import report
from .measurements import (
    CONFIGURED,
    PILOTS,
    SNR_DB,
    configured_errors,
    eigenvalue_moduli,
    esn_errors,
    fine_tuning,
    learning_curves,
    multiply_adds,
    rnn_errors,
    training_seconds,
)

CACHE_VERSION = 1  # of what the pieces compute: another one starts again
TUNING_FRAMES_AT = 1_000_000  # settings are chosen on other frames than those compared

OPTIMIZERS = {
    "adam": dict(optimizer="adam", learning_rate=3e-3),
    "gd": dict(optimizer="gd", learning_rate=5e-2),
}
EIGENVALUE_RATE = 1e-2
FINE_TUNINGS = {
    "adam, all weights": dict(optimizer="adam", learning_rate=1e-3),
    # without the clip the first steps lead out of the unit circle on every fourth frame
    "gd, all weights": dict(optimizer="gd", learning_rate=2e-3, gradient_clip=1.0),
    "adam, poles held": dict(optimizer="adam", learning_rate=1e-3, train_poles=False),
}
ESN_GRID = [
    dict(
        window=window,
        delay=window // 2,
        spectral_radius=radius,
        input_scaling=scaling,
    )
    for window, radius, scaling in itertools.product(
        (8, 16, 24), (0.4, 0.9), (0.05, 0.5)
    )
]
SHORT_TRAINING = 40  # epochs of a second, cheaper training in the comparison of costs

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
    frames: int = 150
    tuning_frames: int = 48
    epochs: tuple = (10, 20, 40, 80, 160, 400)
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
    frames=40,
    tuning_frames=16,
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


def points(scale):
    """(pilots, SNR) of the error rates: one varies at a time."""
    over_pilots = [(pilots, SNR_DB) for pilots in scale.pilots]
    over_snrs = [(PILOTS, snr_db) for snr_db in scale.snrs_db]
    return list(dict.fromkeys(over_pilots + over_snrs))


def trainings(scale):
    """(receiver, epochs) whose costs are compared."""
    trained = [("rnn", max(scale.epochs)), ("rnn", SHORT_TRAINING)]
    return trained + [(name, 0) for name in ("esn", *CONFIGURED)]


class Pieces:
    """Runs pieces of work, or reads them from the cache."""

    def __init__(self, folder, bar):
        self.folder = folder
        self.bar = bar
        self.computed = self.read = 0
        self.seconds = {}  # of each piece, whenever it was computed
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, text, function, **parameters):
        key = dict(piece=function.__name__, version=CACHE_VERSION, **parameters)
        key = json.loads(json.dumps(key))  # as it will be read back
        digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
        path = self.folder / f"{function.__name__}-{digest[:16]}.json"
        self.bar.set_description(text)
        piece = self._read(path, key)
        if piece is None:
            begin = time.perf_counter()
            result = function(**parameters)
            seconds = time.perf_counter() - begin
            piece = dict(parameters=key, seconds=seconds, result=result)
            part = path.with_suffix(".part")
            part.write_text(json.dumps(piece))
            os.replace(part, path)  # whole or not at all
            self.computed += 1
        else:
            self.read += 1
        self.seconds[path] = piece["seconds"]
        self.bar.update()
        return piece["result"]

    @staticmethod
    def _read(path, key):
        try:
            piece = json.loads(path.read_text())
        except (FileNotFoundError, ValueError):
            return None
        whole = piece.keys() == {"parameters", "seconds", "result"}
        return piece if whole and piece["parameters"] == key else None


def num_pieces(scale):
    """How many pieces a run asks for."""
    at_a_point = len(rnn_grid(scale)) + 2 + len(ESN_GRID) + 1 + len(CONFIGURED)
    costs = len(scale.cost_pilots) * len(trainings(scale))
    errors = len(points(scale)) * at_a_point
    return len(OPTIMIZERS) + 1 + errors + costs + len(FINE_TUNINGS)


def _trained_errors(pieces, scale, at, text):
    """{name: (errors of each frame, settings)} of the trained network at its best and last."""
    grid = rnn_grid(scale)
    tried = [
        pieces(
            f"{text}, tuning",
            rnn_errors,
            **at,
            first=TUNING_FRAMES_AT,
            frames=scale.tuning_frames,
            epochs=scale.epochs,
            settings=settings,
        )
        for settings in grid
    ]
    mean = np.array(tried)[..., 0].mean(axis=1)  # setting, epochs
    tuned, epoch = np.unravel_index(mean.argmin(), mean.shape)
    final = mean[:, -1].argmin()
    at_tuned, at_final = (
        np.array(
            pieces(
                text,
                rnn_errors,
                **at,
                first=0,
                frames=scale.frames,
                epochs=scale.epochs,
                settings=grid[setting],
            )
        )
        for setting in (tuned, final)
    )
    # an oracle: where this very payload has the fewest wrong symbols
    best = at_tuned[np.arange(scale.frames), at_tuned[..., 0].argmin(axis=1)]
    return dict(
        rnn_best=(best, dict(grid[tuned], epochs="fewest errors")),
        rnn_tuned=(at_tuned[:, epoch], dict(grid[tuned], epochs=scale.epochs[epoch])),
        rnn_final=(at_final[:, -1], dict(grid[final], epochs=scale.epochs[-1])),
    )


def _random_errors(pieces, scale, at, text):
    """(Errors of each frame, settings) of the random ESN."""
    tried = [
        pieces(
            f"{text}, tuning",
            esn_errors,
            **at,
            first=TUNING_FRAMES_AT,
            frames=scale.tuning_frames,
            settings=settings,
        )
        for settings in ESN_GRID
    ]
    settings = ESN_GRID[np.array(tried)[..., 0].mean(axis=1).argmin()]
    counts = pieces(
        text, esn_errors, **at, first=0, frames=scale.frames, settings=settings
    )
    return np.array(counts), settings


def error_rates(pieces, scale, seed, pilots, snr_db):
    """{receiver: (errors of each frame, settings)} at one point."""
    at = dict(seed=seed, pilots=pilots, snr_db=snr_db)
    where = f"{pilots} pilots, {snr_db} dB"
    found = _trained_errors(pieces, scale, at, f"{where}: trained RNN")
    found["esn"] = _random_errors(pieces, scale, at, f"{where}: random ESN")
    for kind in CONFIGURED:
        counts = pieces(
            f"{where}: configured ESN",
            configured_errors,
            **at,
            frames=scale.frames,
            kind=kind,
        )
        found[kind] = (np.array(counts), {})
    return found


def measure(scale, seed, folder):
    """Run everything; returns what the report needs."""
    with progress(num_pieces(scale), "piece") as bar:
        pieces = Pieces(folder, bar)
        curves = {
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
        }
        eigenvalues = pieces(
            "eigenvalues",
            eigenvalue_moduli,
            seed=seed,
            frames=scale.eigenvalue_frames,
            epochs=scale.eigenvalue_epochs,
            learning_rate=EIGENVALUE_RATE,
        )
        fine = {
            name: pieces(
                f"fine-tuning, {name}",
                fine_tuning,
                seed=seed,
                frames=scale.fine_frames,
                epochs=scale.fine_epochs,
                settings=settings,
            )
            for name, settings in FINE_TUNINGS.items()
        }
        costs = []
        for pilots, (receiver, epochs) in itertools.product(
            scale.cost_pilots, trainings(scale)
        ):
            training = dict(pilots=pilots, receiver=receiver, epochs=epochs)
            seconds = pieces(
                f"cost, {pilots} pilots",
                training_seconds,
                seed=seed,
                frames=scale.cost_frames,
                **training,
            )
            costs.append(
                dict(
                    training,
                    seconds=float(np.median(seconds)),
                    multiply_adds=multiply_adds(**training),
                )
            )
        errors = {at: error_rates(pieces, scale, seed, *at) for at in points(scale)}
        bar.set_description("done")
    return dict(
        curves=curves,
        eigenvalues=eigenvalues,
        errors=errors,
        costs=costs,
        fine_tuning=fine,
        pieces=dict(
            computed=pieces.computed,
            read=pieces.read,
            seconds=round(sum(pieces.seconds.values()), 1),
        ),
    )


def parameters(scale, seed):
    """What was run, for the report."""
    return dict(
        seed=seed,
        **dataclasses.asdict(scale),
        optimizers=OPTIMIZERS,
        eigenvalue_rate=EIGENVALUE_RATE,
        fine_tunings=FINE_TUNINGS,
        rnn_grid=rnn_grid(scale),
        esn_grid=ESN_GRID,
    )


def parse(arguments):
    parser = report_parser(
        "paper",
        DESCRIPTION,
        "the report and the cache",
        "fewer frames, points and settings: below two minutes instead of twenty",
    )
    return parser.parse_args(arguments)


def main(arguments):
    """Run the experiments; returns the exit status."""
    options = parse(arguments)
    begin = time.perf_counter()
    scale = QUICK if options.quick else Scale()
    cache = options.out / "cache"
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        found = measure(scale, options.seed, cache)
        summary = report.summarise(
            found, parameters(scale, options.seed), time.perf_counter() - begin
        )
        written = report.write(summary, options.out)
    except OSError as error:
        print(f"The report cannot be written: {error}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            f"\nInterrupted; the report was not written. Finished pieces are kept in {cache}: "
            "the same command goes on from there.",
            file=sys.stderr,
        )
        return 130
    for sentence in itertools.chain.from_iterable(summary["findings"].values()):
        print(f"* {sentence}")
    print(f"\n{time.perf_counter() - begin:.0f} s. Written:")
    for path in written:
        print(f"  {path}")
    return 0
