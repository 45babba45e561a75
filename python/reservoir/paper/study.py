#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The comparison of a paper: recurrent networks that descend a gradient against configured ones.

Error rates are campaigns, whose files are beside this one. What else is measured is a Piece. All of it
is worked off and kept as the points of campaigns are.
"""

import argparse
import copy
import dataclasses
import itertools
import json
import time

import numpy as np

from ..campaign.engine import VERSION, PointWork, Results
from ..campaign.specification import Point, Source, build, digest, tomllib
from ..commands import sweep
from ..report import page
from . import claims, measurements, report, trials
from .measurements import FOLDER

CAMPAIGNS = ("error_rates", "minimum_phase", "optimizers", "ofdm")
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
ACTIVATIONS = ("identity", "split_tanh")
OF_ONE_SAMPLE = dict(num_neurons=4, window=1, delay=4)
PLATEAUS = {
    "32 neurons, adam": OPTIMIZERS["adam"],
    "32 neurons, gd": OPTIMIZERS["gd"],
    "4 neurons of one sample, adam": dict(
        OF_ONE_SAMPLE, optimizer="adam", learning_rate=1e-3
    ),
    "4 neurons of one sample, gd": dict(
        OF_ONE_SAMPLE, optimizer="gd", learning_rate=1e-2
    ),
}
TRAINED_EPOCHS = (400, 40)  # whose costs are compared

DESCRIPTION = """\
Recurrent networks trained by back-propagation through time against random and configured echo
state networks, on short frames over fading channels: gradients and conditioning over the epochs,
eigenvalues, error rates over pilots and signal-to-noise ratio (on a MIMO-OFDM link, too), the cost
of training, and what further training does to configured poles. A table says which claims hold.
Takes about half an hour, with --quick below two minutes. A run that was interrupted, or killed, goes
on where it was.
"""


# how much is computed beside the campaigns, and of those, where not as their files say:
# as a rule, and with --quick
SCALES = dict(
    frames=(None, 24),
    tuning_frames=(None, 8),
    curve_frames=(20, 4),
    curve_epochs=(400, 200),
    condition_every=(10, 20),
    eigenvalue_frames=(60, 12),
    eigenvalue_epochs=((0, 100, 300, 1000), (0, 100, 300)),
    cost_pilots=((32, 64, 128, 256), (32, 64, 128)),
    cost_frames=(15, 5),
    fine_frames=(100, 20),
    fine_epochs=((0, 10, 30, 100, 300, 1000), (0, 10, 30, 100, 300)),
    plateau_frames=(150, 20),
    plateau_epochs=(2000, 800),
)
FULL, QUICK = ({name: both[k] for name, both in SCALES.items()} for k in (0, 1))


def campaign(name, scale, options):
    """A campaign beside this file; quick: every other value is tried of what is tuned, too."""
    path = FOLDER / f"{name}.toml"
    text = path.read_text(encoding="utf-8")
    content = tomllib.loads(text)
    if options.quick:
        for receiver in content["receivers"]:
            tune = receiver.get("tune", {})
            receiver["tune"] = {key: values[::2] for key, values in tune.items()}
    changes = sweep.changes(options)
    changes["frames"] = changes["frames"] or scale["frames"]
    changes["tuning_frames"] = scale["tuning_frames"]
    return build(content, Source(str(path), text), **changes)


class Piece:
    """A measurement beside the campaigns: its function's result is worked out once and kept, under its
    name and arguments. It has what the engine asks of a point."""

    num_blocks = 1

    def __init__(self, store, group, name, function, arguments):
        self.group, self.name = group, name
        self.point = Point(f"{group}, {name}", None, None, {})
        self._store, self._work = store, (function, arguments)
        self._at = dict(link=function.__name__, receiver=digest(VERSION, arguments))
        known = store.records(**self._at, what="found")
        self.found = known[-1]["found"]["value"] if known else None
        self._given = False

    @property
    def finished(self):
        return self.found is not None

    @property
    def done(self):
        return int(self.finished)

    def store_keys(self):
        return {tuple(self._at.values())}

    def next_piece(self):
        if self._given or self.finished:
            return None
        self._given = True
        return self.name, *self._work

    def take(self, _, result):
        self.found = json.loads(json.dumps(result))  # as it will be read
        self._store.add(dict(self._at, found=dict(value=self.found)))


def plan(scale, optimizers):
    """(Group, name, function, arguments but for the seed) of every piece; optimizers: the campaign."""
    few = dict(frames=scale["curve_frames"])
    how = dict(few, epochs=scale["curve_epochs"])
    how["condition_every"] = scale["condition_every"]
    for name, optimizer in OPTIMIZERS.items():
        one = dict(how, optimizer=optimizer)
        yield "curves", name, measurements.learning_curves, one
    how = dict(frames=scale["eigenvalue_frames"], epochs=scale["eigenvalue_epochs"])
    how["learning_rate"] = EIGENVALUE_RATE
    yield "eigenvalues", "all", measurements.eigenvalue_moduli, how
    how = dict(frames=scale["fine_frames"], epochs=scale["fine_epochs"])
    for name, settings in FINE_TUNINGS.items():
        one = dict(how, settings=settings)
        yield "fine_tuning", name, measurements.fine_tuning, one
    trained = [("rnn_tuned", epochs) for epochs in TRAINED_EPOCHS]
    fixed = [(name, 0) for name in claims.FIXED]
    for pilots in scale["cost_pilots"]:
        for receiver, epochs in trained + fixed:
            how = dict(pilots=pilots, receiver=receiver, epochs=epochs)
            name = f"{receiver} {epochs} {pilots}"
            how["frames"] = scale["cost_frames"]
            yield "costs", name, measurements.training_cost, how
    for name in ACTIVATIONS:
        how = dict(few, radii=claims.RADII, activation=name)
        yield "gradients", name, trials.gradient_norms, how
    for name, optimizer in PLATEAUS.items():
        how = dict(frames=scale["plateau_frames"], epochs=scale["plateau_epochs"])
        yield "plateaus", name, trials.plateaus, dict(how, optimizer=optimizer)
    for order in (2, 4, 8):
        how = dict(sets=300, order=order, least_modulus=0.3)
        yield "polar", f"{order} poles", trials.polar_conditioning, how
    yield "states", "all", trials.state_conditioning, few
    for one in optimizers.receivers[:-1]:
        most = {key: max(values) for key, values in one.tune.items()}
        how = dict(few, kind=one.kind, settings={**one.parameters, **most})
        yield "losses", one.name, trials.pilot_losses, how


def with_hindsight(results):
    """rnn_best in place of the networks of one number of epochs each: for every frame that of all with
    the fewest wrong symbols, which nobody knows beforehand."""
    first, *others = results.campaign.receivers
    label = "trained RNN, best epochs of each frame (oracle)"
    best = dataclasses.replace(first, name="rnn_best", label=label, tune={})
    others = [one for one in others if not one.name[-1].isdigit()]
    for k, measured in enumerate(results.measured):
        tried = [one for name, one in measured.items() if name.startswith("rnn_")]
        which = np.argmin([one.wrong for one in tried], axis=0)
        arrays = {
            name: np.choose(which, [getattr(one, name) for one in tried])
            for name, value in vars(tried[0]).items()
            if isinstance(value, np.ndarray)
        }
        arrays["seconds"] = sum(one.seconds for one in tried)
        oracle = dataclasses.replace(tried[0], receiver=best, settings={}, **arrays)
        names = [first.name, *(one.name for one in others)]
        here = {name: measured[name] for name in names}
        results.measured[k] = dict(rnn_best=oracle, **here)
    receivers = (best, first, *others)
    results.campaign = dataclasses.replace(results.campaign, receivers=receivers)
    return results


def measure(scale, options):
    """Run everything; returns {group: Results of a campaign, or {name: result of a piece}}."""
    campaigns = {name: campaign(name, scale, options) for name in CAMPAIGNS}
    seed, works = campaigns["error_rates"].head.seed, {}

    def make_points(kept):
        for name, one in campaigns.items():
            for point in one.points:  # groups may have the same link
                works.setdefault((name, point.link), PointWork(one, point, kept))
        pieces = [
            Piece(kept, group, name, function, dict(how, seed=seed))
            for group, name, function, how in plan(scale, campaigns["optimizers"])
        ]
        return [*works.values(), *pieces]

    found = {}
    for point in sweep.work_off(make_points, options)[len(works) :]:
        found.setdefault(point.group, {})[point.name] = point.found
    for name, one in campaigns.items():
        points = []
        for point in one.points:
            points.append(copy.copy(works[name, point.link]))
            points[-1].point = point
        found[name] = Results(one, f"{name}.toml", points)
    found["error_rates"] = with_hindsight(found["error_rates"])
    return found


def parameters(scale, seed):
    """What was run, for the report."""
    return dict(
        seed=seed,
        **scale,
        optimizers=OPTIMIZERS,
        eigenvalue_rate=EIGENVALUE_RATE,
        fine_tunings=FINE_TUNINGS,
    )


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="python3 -m gnuradio.reservoir paper", description=DESCRIPTION
    )
    sweep.add_run_arguments(parser, "reservoir-paper")
    options = parser.parse_args(arguments)
    if options.frames == 1:
        parser.error(
            "argument --frames: must be 2 or more, as all intervals are over frames"
        )
    return options


def main(arguments):
    """Run the experiments; returns the exit status."""
    options = parse(arguments)
    return sweep.guarded(lambda: compare(options), options)


def compare(options):
    begin = time.perf_counter()
    scale = QUICK if options.quick else FULL
    found = measure(scale, options)
    how = parameters(scale, found["error_rates"].campaign.head.seed)
    summary = report.summarise(found, how, time.perf_counter() - begin)
    written = report.write(summary, found, options.out)
    print(page.text_table(claims.COLUMNS, summary["claims"], (0, 1, 2, 3), 0), "\n")
    for sentence in itertools.chain.from_iterable(summary["findings"].values()):
        print(f"* {sentence}")
    print(f"\n{time.perf_counter() - begin:.0f} s. Written:")
    for path in written:
        print(f"  {path}")
    return 0
