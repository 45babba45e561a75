#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What receivers have reported, kept in bounded memory; no Qt in here."""

import threading
from collections import deque

import numpy as np
import pmt

EPOCH_FIGURES = ("loss", "held_out_loss", "gradient_norm", "condition_number")
AVERAGED_FRAMES = 20  # over which the symbol error rate is averaged


def _entry(message, key):
    """Python's form of a dictionary's entry, None where there is none."""
    try:
        value = pmt.dict_ref(message, pmt.intern(key), pmt.PMT_NIL)
        return None if pmt.is_null(value) else pmt.to_python(value)
    except (RuntimeError, ValueError, TypeError):  # not a dictionary, or a strange type
        return None


def _numbers(message, key):
    """An entry as a vector of floats, of length 0 where it is missing or not numeric."""
    value = _entry(message, key)
    try:
        return np.asarray([] if value is None else value, dtype=float).reshape(-1)
    except (ValueError, TypeError):
        return np.empty(0)


def _number(message, key, missing=np.nan):
    """The last value of an entry."""
    values = _numbers(message, key)
    return float(values[-1]) if len(values) else missing


def _point_sets(message, key):
    """An entry's vectors of finite complex numbers, each with its row; one vector is row 0."""
    value = _entry(message, key)
    if value is None:
        return []
    nested = isinstance(value, (list, tuple)) and any(map(np.ndim, value))
    try:
        sets = [
            np.asarray(row, dtype=np.complex64).reshape(-1)
            for row in (value if nested else [value])
        ]
    except (ValueError, TypeError):
        return []
    sets = [points[np.isfinite(points)] for points in sets]
    return [(row, points) for row, points in enumerate(sets) if len(points)]


class series(deque):
    """The last (place, value) of something; a place is an epoch, a training or a frame."""

    def __init__(self, length):
        super().__init__(maxlen=length)

    def replace(self, points):
        """Other (place, value)."""
        self.clear()
        self.extend(points)

    def last_place(self):
        """Place of the last value; -1 before the first."""
        return self[-1][0] if self else -1

    def last(self):
        """The last value; None before the first."""
        return self[-1][1] if self else None

    def places(self):
        return np.array([place for place, _ in self], dtype=float)

    def values(self):
        """A list of the values."""
        return [value for _, value in self]

    def thinned(self, count):
        """At most count of the (place, value), evenly spaced, first and last among them."""
        if len(self) <= count:
            return list(self)
        return [self[n] for n in np.linspace(0, len(self) - 1, count).astype(int)]

    def newest(self, count):
        """The last count of the (place, value)."""
        return list(self)[max(len(self) - count, 0) :]


class receiver_history:
    """One receiver: epochs of its current training, its trainings, its frames.

    epochs: series of EPOCH_FIGURES and "eigenvalues", of a receiver trained by gradient descent
    trainings: series of "loss" (mse), "condition_number", "evm_db" and "poles"
    frames: series of "evm_db" and "errors", pairs (symbol errors, symbols)
    """

    def __init__(self, max_frames, max_epochs):
        def make(names, length):
            return {name: series(length) for name in names}

        of_trainings = "loss", "condition_number", "evm_db", "poles"
        self.epochs = make((*EPOCH_FIGURES, "eigenvalues"), max_epochs)
        self.trainings = make(of_trainings, max_frames)
        self.frames = make(("errors", "evm_db"), max_frames)
        self.seconds = np.nan  # that the last training took
        self._num_trainings = 0
        self._in_progress = False

    def has_epochs(self):
        """Whether it is trained epoch by epoch, not in closed form."""
        return any(map(len, self.epochs.values()))

    def last_epoch(self):
        """The last epoch that was reported; -1 before the first."""
        return max(figure.last_place() for figure in self.epochs.values())

    def poles(self):
        """Poles of each epoch or, of a fixed network, of each training."""
        trained = self.epochs["eigenvalues"]
        return trained if len(trained) else self.trainings["poles"]

    def symbol_error_rates(self):
        """Frames, the error rate of each, and that of the AVERAGED_FRAMES up to each.

        An average without an error is taken as half an error, for logarithmic axes.
        """
        counts = np.array(self.frames["errors"].values(), dtype=float).reshape(-1, 2)
        totals = np.vstack([np.zeros(2), np.cumsum(counts, axis=0)])
        ends = np.arange(1, len(totals))
        begins = np.maximum(ends - AVERAGED_FRAMES, 0)
        errors, symbols = (totals[ends] - totals[begins]).T
        rates = counts[:, 0] / counts[:, 1]
        return self.frames["errors"].places(), rates, np.maximum(errors, 0.5) / symbols

    def recent_error_rate(self):
        """The last average as text: below one error where there was none."""
        counts = np.array(self.frames["errors"].values()[-AVERAGED_FRAMES:])
        errors, symbols = counts.sum(axis=0)
        return f"{'' if errors else '< '}{max(errors, 1) / symbols:.1e}"

    def add_report(self, message):
        """Take an equalizer's report, of a training or of one epoch of it."""
        epoch = _number(message, "epoch")
        if np.isfinite(epoch):
            self._add_epoch(int(epoch), message)
        elif _entry(message, "warning") is None or _entry(message, "mse") is not None:
            self._add_training(message)  # else a warning without a training

    def _forget_epochs(self):
        for figure in self.epochs.values():
            figure.clear()

    def _add_epoch(self, epoch, message):
        if not self._in_progress or epoch <= self.last_epoch():
            self._forget_epochs()  # of the training before
        self._in_progress = True
        for name in EPOCH_FIGURES:
            for value in _numbers(message, name)[-1:]:
                self.epochs[name].append((epoch, float(value)))
        for _, points in _point_sets(message, "eigenvalues")[-1:]:
            self.epochs["eigenvalues"].append((epoch, points))

    def _add_training(self, message):
        if not self._in_progress:
            self._forget_epochs()
        self._in_progress = False
        if len(_numbers(message, "loss")):
            self._take_epochs(message)

        self._num_trainings += 1
        self.seconds = _number(message, "seconds")
        for name, key in (
            ("loss", "mse"),
            ("evm_db", "evm_db"),
            ("condition_number", "condition_number"),  # of the last pass
        ):
            self.trainings[name].append((self._num_trainings, _number(message, key)))
        for _, points in _point_sets(message, "poles")[-1:]:
            self.trainings["poles"].append((self._num_trainings, points))

    def _take_epochs(self, message):
        """The whole training at once; what the report lacks stays as progress told it."""
        for name in EPOCH_FIGURES:
            values = _numbers(message, name)
            if len(values):
                self.epochs[name].replace(enumerate(map(float, values)))
        sets = _point_sets(message, "eigenvalues")
        if sets:
            self.epochs["eigenvalues"].replace(sets)

    def add_meter(self, message):
        """Take a symbol error meter's report of one frame."""
        last = max(figure.last_place() for figure in self.frames.values())
        frame = _number(message, "frame", missing=last + 1)
        if frame <= last:  # the flowgraph was started again
            for figure in self.frames.values():
                figure.clear()
        errors, symbols = _number(message, "symbol_errors"), _number(message, "symbols")
        if errors >= 0 and symbols > 0:  # neither is NaN
            self.frames["errors"].append((frame, (errors, symbols)))
        self.frames["evm_db"].append((frame, _number(message, "evm_db")))


class training_history:
    """The receivers' histories. Messages may be added in any thread; hold lock while reading.

    max_frames: frames and trainings that are kept
    max_epochs: epochs of the current training that are kept
    """

    def __init__(self, num_receivers, max_frames=500, max_epochs=2000):
        self.receivers = [
            receiver_history(max_frames, max_epochs) for _ in range(num_receivers)
        ]
        self.lock = threading.Lock()
        self.version = 0  # grows with each message

    def add_report(self, receiver, message):
        with self.lock:
            self.receivers[receiver].add_report(message)
            self.version += 1

    def add_meter(self, receiver, message):
        with self.lock:
            self.receivers[receiver].add_meter(message)
            self.version += 1
