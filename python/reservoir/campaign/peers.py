#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Equalizers of the textbooks, by numpy: linear and decision feedback by the mean square error, and
maximum likelihood, each with the true channel or one estimated from the pilots.

One stream, any number of antennas, one sample per symbol; of several streams on a flat channel, maximum
likelihood.
"""

import dataclasses

import numpy as np

from gnuradio import reservoir

from .links import CHANNELS, SingleCarrier

MOST_CANDIDATES = 2**12  # of symbols that are sent at once
MOST_BRANCHES = 2**20  # of the Viterbi algorithm: points to the power of taps


class Unsuitable(Exception):
    """A receiver that cannot take part on a link, and why."""


def check(name, value, low, high):
    if not low <= value <= high:
        raise ValueError(f"{name} = {value}: must be within {low} ... {high}")


def windows(received, count, window, delay, first=0):
    """Rows: for symbols first ... first + count - 1 what a filter sees of all antennas, sample
    n + delay first. Zeros where there is nothing."""
    rows = []
    for antenna in received:
        padded = np.concatenate(
            [np.zeros(window), antenna, np.zeros(window + delay + count)]
        )
        begin = first + delay + 1  # of the oldest sample of the first row, in padded
        seen = np.lib.stride_tricks.sliding_window_view(padded, window)
        rows.append(seen[begin : begin + count, ::-1])
    return np.concatenate(rows, 1)


def least_squares_channel(frame, length):
    """Taps (antennas, length) from the pilots, and the noise variance."""
    pilots = frame.pilots[0].astype(complex)
    rows = np.lib.stride_tricks.sliding_window_view(pilots, length)[:, ::-1]
    targets = frame.received[:, length - 1 : len(pilots)].T
    taps = np.linalg.lstsq(rows, targets, rcond=None)[0]
    freedom = max(len(rows) - length, 1) * len(frame.received)
    variance = np.sum(np.abs(targets - rows @ taps) ** 2) / freedom
    return taps.T, max(variance, 1e-12)


def scaled_channel(frame):
    """The true taps, but for one complex gain (an amplifier's and a carrier's), and the noise variance."""
    channel, pilots = frame.channel[:, 0], frame.pilots[0]
    memory = channel.shape[1] - 1
    model = np.array([np.convolve(pilots, row) for row in channel])
    model = model[:, memory : len(pilots)]
    seen = frame.received[:, memory : len(pilots)]
    gain = np.vdot(model, seen) / np.vdot(model, model)
    residual = np.mean(np.abs(seen - gain * model) ** 2)
    return gain * channel, max(residual, frame.noise_variance)


class ModelBased:
    """known: with the true channel; else taps, 0: as many as the link has, by least squares."""

    links = SingleCarrier

    def __init__(self, link, known: bool = False, taps: int = 0):
        if link.streams > 1 or link.samples_per_symbol > 1:
            raise Unsuitable("it takes one stream, at one sample per symbol")
        require_still(link)
        check("taps", taps, 0, 64)
        if link.interference_db > -300:
            raise Unsuitable("it knows white noise only")
        if any(delay != int(delay) for delay in link.delays):
            raise Unsuitable("its channel has taps at whole symbols that do not move")
        self._taps = link_taps(link) if known else taps or link_taps(link)
        if link.pilots < self._taps:
            raise Unsuitable(f"{link.pilots} pilots are too few for {self._taps} taps")
        if not known and link.pilots < 2 * self._taps:
            raise Unsuitable(f"{link.pilots} pilots are too few for {self._taps} taps")
        self._link, self._known = link, known
        self._exact = link.amplifier == "linear" and not (
            link.frequency_offset
            or link.phase_noise
            or link.iq_gain_db
            or link.iq_phase_deg
        )
        self._points = link.points()

    def _channel(self, frame):
        if self._known:
            if self._exact:
                return frame.channel[:, 0], frame.noise_variance
            return scaled_channel(frame)
        return least_squares_channel(frame, self._taps)

    def receive(self, frames):
        return [self._receive(self._undone(frame))[None] for frame in frames]

    def _undone(self, frame):
        """Who knows the channel knows the saturation, too."""
        if not (self._known and self._link.saturation == "tanh"):
            return frame
        part = lambda values: np.arctanh(np.clip(values, -1 + 1e-7, 1 - 1e-7))
        received = frame.received.astype(complex)
        received = part(received.real) + 1j * part(received.imag)
        return dataclasses.replace(frame, received=received)


def require_still(link):
    if link.timing_offset or link.doppler or link.channel not in CHANNELS:
        raise Unsuitable("its channel has taps at whole symbols that do not move")
    if link.known_period:
        raise Unsuitable("it knows the pilots in front only")


def link_taps(link):
    if link.channel in ("fixed", "periodic"):
        return len(link.impulse_response)
    if link.channel in ("none", "matrix"):
        return 1
    return int(max(link.delays)) + 1 if link.delays else len(link.powers) or link.taps


def toeplitz_channel(channel, window):
    """(antennas * window, window + memory): what a filter sees of the symbols, the newest first."""
    antennas, length = channel.shape
    rows = np.zeros((antennas, window, window + length - 1), complex)
    for lag in range(window):
        rows[:, lag, lag : lag + length] = channel
    return rows.reshape(antennas * window, -1)


class MmseLinear(ModelBased):
    """The linear filter of least mean square error (Proakis, Digital Communications, ch. 10), made
    unbiased."""

    def __init__(
        self,
        link,
        known: bool = False,
        taps: int = 0,
        window: int = 32,
        delay: int = 16,
    ):
        super().__init__(link, known, taps)
        check("window", window, 1, 1024)
        check("delay", delay, 0, window - 1)
        self._window, self._delay = window, delay

    def _receive(self, frame):
        channel, variance = self._channel(frame)
        seen = toeplitz_channel(channel, self._window)
        covariance = seen @ seen.conj().T + variance * np.eye(len(seen))
        wanted = seen[:, self._delay]
        weights = np.linalg.solve(covariance, wanted)
        weights /= np.vdot(weights, wanted)
        rows = windows(
            frame.received,
            self._link.payload,
            self._window,
            self._delay,
            self._link.pilots,
        )
        return rows @ weights.conj()


class MmseFeedback(ModelBased):
    """The decision feedback equalizer of least mean square error (Al-Dhahir and Cioffi, 1995), of the
    best delay; its decisions are fed back."""

    def __init__(self, link, known: bool = False, taps: int = 0, window: int = 32):
        super().__init__(link, known, taps)
        check("window", window, 1, 1024)
        self._window = window

    def _receive(self, frame):
        channel, variance = self._channel(frame)
        window, memory = self._window, channel.shape[1] - 1
        seen = toeplitz_channel(channel, window)
        delay = window - 1  # all that the window sees of later symbols
        kept = seen[:, : delay + 1]  # later symbols, and the one to be decided
        covariance = kept @ kept.conj().T + variance * np.eye(len(seen))
        weights = np.linalg.solve(covariance, seen[:, delay])
        gain = np.vdot(weights, seen[:, delay])
        feedback = (weights.conj() @ seen[:, delay + 1 : delay + 1 + memory]) / gain
        rows = windows(
            frame.received, self._link.payload, window, delay, self._link.pilots
        )
        past = frame.pilots[0][::-1][:memory].astype(complex)
        return fed_back(rows @ weights.conj() / gain, feedback, past, self._points)


def fed_back(forward, feedback, past, points):
    """forward less what decided symbols add to it; past: before the first, the newest first."""
    symbols = np.empty(len(forward), complex)
    for n, value in enumerate(forward):
        symbols[n] = value - feedback[: len(past)] @ past
        decided = points[np.abs(points - symbols[n]).argmin()]
        past = np.concatenate([[decided], past])[: len(feedback)]
    return symbols


class LeastSquaresFeedback(ModelBased):
    """A decision feedback equalizer whose filters are fitted to the pilots at once; ridge is chosen by
    leave-one-out."""

    RIDGES = 10.0 ** np.arange(-4, 1)

    def __init__(self, link, forward: int = 16, feedback: int = 8):
        super().__init__(link, taps=1)
        check("forward", forward, 1, 1024)
        check("feedback", feedback, 1, 1024)
        self._forward, self._feedback = forward, feedback

    def _receive(self, frame):
        pilots, forward = frame.pilots[0].astype(complex), self._forward
        count, delay = len(pilots), forward - 1
        feedback = min(self._feedback, count // 4)
        padded = np.concatenate([np.zeros(feedback), pilots])
        past = np.lib.stride_tricks.sliding_window_view(padded, feedback)[:-1, ::-1]
        seen = windows(frame.received, count, forward, delay)
        weights = ridge(np.concatenate([seen, past], 1), pilots, self.RIDGES)
        rows = windows(frame.received, self._link.payload, forward, delay, count)
        filtered = rows @ weights[: rows.shape[1]]
        newest = pilots[::-1][:feedback]
        return fed_back(filtered, -weights[rows.shape[1] :], newest, self._points)


def ridge(rows, targets, ridges):
    """The weights of the ridge, relative to the rows' power, with the least leave-one-out error."""
    u, s, v = np.linalg.svd(rows, full_matrices=False)
    turned, best = u.conj().T @ targets, None
    for relative in ridges:
        shrink = s**2 / (s**2 + relative * np.mean(s**2))
        left_out = (targets - u @ (shrink * turned)) / (1 - np.abs(u) ** 2 @ shrink)
        error = np.sum(np.abs(left_out) ** 2)
        if best is None or error < best[0]:
            best = error, v.conj().T @ (shrink / s * turned)
    return best[1]


class MaximumLikelihood(ModelBased):
    """The Viterbi algorithm (Forney, 1972): decisions only. known: the bound."""

    def __init__(self, link, known: bool = True, taps: int = 0):
        super().__init__(link, known, taps)
        if link.antennas > 1:
            raise Unsuitable("it takes one antenna")
        if len(self._points) ** self._taps > MOST_BRANCHES:
            raise Unsuitable(
                f"{len(self._points)} points to the power of {self._taps} taps are too many"
            )

    def _receive(self, frame):
        channel, _ = self._channel(frame)
        channel, pilots, link = channel[0], frame.pilots[0], self._link
        memory = len(channel) - 1
        # the symbols behind the payload are decided as well, as nobody knows them
        extra = min(memory, link.behind)
        decided = reservoir.viterbi_equalizer(
            frame.received[0, link.pilots : link.pilots + link.payload + extra],
            link.payload + extra,
            channel,
            self._points,
            pilots[::-1][:memory],
        )
        return self._points[decided[: link.payload]]


class FlatMaximumLikelihood:
    """Of several streams on a channel of one tap: of all that may be sent at once, what is nearest to
    what was received. known: with the true channel; else by least squares."""

    links = SingleCarrier

    def __init__(self, link, known: bool = True):
        require_still(link)
        if link_taps(link) > 1 or link.samples_per_symbol > 1:
            raise Unsuitable("it takes a channel of one tap, at one sample per symbol")
        if link.pilots < link.streams and not known:
            raise Unsuitable(
                f"{link.pilots} pilots are too few for {link.streams} streams"
            )
        if len(link.points()) ** link.streams > MOST_CANDIDATES:
            raise Unsuitable("too many symbols may be sent at once")
        if (
            link.amplifier != "linear"
            or link.frequency_offset
            or link.phase_noise
            or link.interference_db > -300
            or link.iq_gain_db
            or link.iq_phase_deg
            or link.saturation != "none"
        ):
            raise Unsuitable("it knows channel and white noise only")
        self._link, self._known = link, known
        all_points = np.meshgrid(*[link.points()] * link.streams)
        self._candidates = np.array([rows.ravel() for rows in all_points])

    def receive(self, frames):
        return [self._receive(frame) for frame in frames]

    def _receive(self, frame):
        first, last = self._link.pilots, self._link.pilots + self._link.payload
        received = frame.received.astype(complex)
        if self._known:
            channel = frame.channel[:, :, 0]
        else:
            known = frame.pilots.T.astype(complex)
            channel = np.linalg.lstsq(known, received[:, :first].T, rcond=None)[0].T
        model = channel @ self._candidates
        # |r - m|^2 but for |r|^2
        match = received[:, first:last].conj().T @ model
        distances = np.sum(np.abs(model) ** 2, 0) - 2 * match.real
        return self._candidates[:, distances.argmin(1)]


def coded_format(link):
    if link.code in ("", "none"):
        raise Unsuitable("it is for links with a code")
    return link.packet_format()


KINDS = {
    "mmse_le": MmseLinear,
    "mmse_dfe": MmseFeedback,
    "ls_dfe": LeastSquaresFeedback,
    "mlse": MaximumLikelihood,
    "ml": FlatMaximumLikelihood,
}
