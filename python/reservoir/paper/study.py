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
from ..report import page
from . import claims, report, trials
from .measurements import (
    CONFIGURED,
    PILOTS,
    SNR_DB,
    eigenvalue_moduli,
    epoch_errors,
    fine_tuning,
    learning_curves,
    multiply_adds,
    training_seconds,
)
from .trials import best_errors

CACHE_VERSION = 2  # of what the pieces compute: another one starts again

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
        window=window, delay=window // 2, spectral_radius=radius, input_scaling=scaling
    )
    for window, radius, scaling in itertools.product(
        (8, 16, 24), (0.4, 0.9), (0.05, 0.5)
    )
]
SHORT_TRAINING = 40  # epochs of a second, cheaper training in the comparison of costs

DESCRIPTION = """\
Recurrent networks trained by back-propagation through time against random and configured echo
state networks, on short frames over fading channels: gradients and conditioning over the epochs,
eigenvalues, error rates over pilots and signal-to-noise ratio (on a MIMO-OFDM link, too), the cost
of training, and what further training does to configured poles. A table says which claims hold.
Writes report.html, results.json and seven pictures. A run that was interrupted goes on where it was.
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
    claim_frames: int = 150
    claim_tuning_frames: int = 30
    ofdm_pilots: tuple = (2, 4, 8)
    ofdm_snrs_db: tuple = (8, 12, 16, 20, 24)
    plateau_epochs: int = 2000
    optimizer_epochs: tuple = (10, 40, 160, 400)
    optimizer_iterations: tuple = (2, 4, 8, 16)


QUICK = Scale(
    pilots=(16, 64, 128),
    snrs_db=(5, 11, 17),
    frames=40,
    tuning_frames=12,
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
    claim_frames=20,
    claim_tuning_frames=6,
    ofdm_pilots=(2, 8),
    ofdm_snrs_db=(12, 20),
    plateau_epochs=800,
    optimizer_epochs=(10, 40, 160),
    optimizer_iterations=(3, 6),
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

    def __call__(self, function, **parameters):
        key = dict(piece=function.__name__, version=CACHE_VERSION, **parameters)
        key = json.loads(json.dumps(key))  # as it will be read back
        digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
        path = self.folder / f"{function.__name__}-{digest[:16]}.json"
        about = parameters.get("receiver", parameters.get("optimizer", ""))
        self.bar.set_description(f"{function.__name__} {about}")
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
    at_a_point = len(rnn_grid(scale)) + 2 + 1 + len(CONFIGURED)
    return len(points(scale)) * at_a_point + sum(1 for _ in plan(scale))


def _trained_errors(pieces, scale, piece):
    """{name: (errors of each frame, settings)} of the trained network at its best and last."""
    grid, piece = rnn_grid(scale), dict(piece, receiver="rnn", epochs=scale.epochs)
    counts = dict(frames=scale.tuning_frames, tuning=True)
    tried = [pieces(epoch_errors, settings=one, **counts, **piece) for one in grid]
    mean = np.array(tried)[..., 0].mean(axis=1)  # setting, epochs
    best, epoch = np.unravel_index(mean.argmin(), mean.shape)
    final = mean[:, -1].argmin()
    at_best, at_final = (
        np.array(pieces(epoch_errors, settings=grid[k], frames=scale.frames, **piece))
        for k in (best, final)
    )
    # an oracle: where this very payload has the fewest wrong symbols
    oracle = at_best[np.arange(scale.frames), at_best[..., 0].argmin(axis=1)]
    return dict(
        rnn_best=(oracle, dict(grid[best], epochs="fewest errors")),
        rnn_tuned=(at_best[:, epoch], dict(grid[best], epochs=scale.epochs[epoch])),
        rnn_final=(at_final[:, -1], dict(grid[final], epochs=scale.epochs[-1])),
    )


def error_rates(pieces, scale, seed, pilots, snr_db):
    """{receiver: (errors of each frame, settings)} at one point."""
    piece = dict(seed=seed, at=dict(pilots=pilots, snr_db=snr_db))
    found = _trained_errors(pieces, scale, piece)
    counts = dict(frames=scale.frames, tuning_frames=scale.tuning_frames)
    for name in ("esn", *CONFIGURED):
        grid = ESN_GRID if name == "esn" else [{}]
        best = pieces(best_errors, grid=grid, receiver=name, **counts, **piece)
        found[name] = np.array(best["errors"]), best["settings"]
    return found


def plan(scale):
    """(Group, name, function, arguments but for the seed) of every piece but the error rates."""
    for name, optimizer in OPTIMIZERS.items():
        yield "curves", name, learning_curves, dict(
            frames=scale.curve_frames,
            epochs=scale.curve_epochs,
            condition_every=scale.condition_every,
            optimizer=optimizer,
        )
    yield "eigenvalues", "all", eigenvalue_moduli, dict(
        frames=scale.eigenvalue_frames,
        epochs=scale.eigenvalue_epochs,
        learning_rate=EIGENVALUE_RATE,
    )
    for name, settings in FINE_TUNINGS.items():
        how = dict(frames=scale.fine_frames, epochs=scale.fine_epochs)
        yield "fine_tuning", name, fine_tuning, dict(how, settings=settings)
    for pilots, (receiver, epochs) in itertools.product(
        scale.cost_pilots, trainings(scale)
    ):
        how = dict(frames=scale.cost_frames, at=dict(pilots=pilots))
        training = dict(receiver=receiver, epochs=epochs)
        yield "costs", (pilots, receiver, epochs), training_seconds, how | training
    yield from trials.plan(scale)


def measure(scale, seed, folder):
    """Run everything; returns what the report needs."""
    with progress(num_pieces(scale), "piece") as bar:
        pieces, found = Pieces(folder, bar), {}
        for group, name, function, arguments in plan(scale):
            members = found.setdefault(group, {})
            members[name] = pieces(function, seed=seed, **arguments)
        errors = {at: error_rates(pieces, scale, seed, *at) for at in points(scale)}
        bar.set_description("done")
    costs = [
        dict(
            pilots=pilots,
            receiver=receiver,
            epochs=epochs,
            seconds=float(np.median(seconds)),
            multiply_adds=multiply_adds(pilots, receiver, epochs),
        )
        for (pilots, receiver, epochs), seconds in found["costs"].items()
    ]
    of_pieces = dict(
        computed=pieces.computed,
        read=pieces.read,
        seconds=round(sum(pieces.seconds.values()), 1),
    )
    return dict(
        found,
        eigenvalues=found["eigenvalues"]["all"],
        errors=errors,
        costs=costs,
        pieces=of_pieces,
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
        "fewer frames, points and settings: below two minutes instead of half an hour",
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
    print(page.text_table(claims.COLUMNS, summary["claims"], (0, 1, 2, 3), 0), "\n")
    for sentence in itertools.chain.from_iterable(summary["findings"].values()):
        print(f"* {sentence}")
    print(f"\n{time.perf_counter() - begin:.0f} s. Written:")
    for path in written:
        print(f"  {path}")
    return 0
