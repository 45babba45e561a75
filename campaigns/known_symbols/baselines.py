#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What people use today for bursts with known symbols inside, and receivers that know the channel or
the carrier's phase.
"""

from dataclasses import dataclass, replace

import numpy as np
from gnuradio.reservoir.campaign.peers import Unsuitable, check
from gnuradio.reservoir.campaign.receivers import KINDS
from gnuradio.reservoir.modulations import nearest
from waveforms import ROLLOFF, BurstLink, raised_cosine

FORWARD, BACKWARD, AHEAD = (
    12,
    10,
    6,
)  # adaptive filters: symbols, decisions, symbols ahead
SUB_BLOCK = 8  # symbols whose moments are one sum
LOOK_AHEAD = 20  # symbols of the filter of the interpolated equalizer
MEMORIES = (
    (48, False),
    (128, False),
    (48, True),
    (128, True),
    (384, True),
)  # symbols, with trend
PASSES = 3
GENIE_STEP = 16  # symbols for which the true taps stand still


@dataclass
class Stack:
    """Bursts of one waveform as arrays."""

    points: np.ndarray
    indices: np.ndarray  # (bursts, symbols)
    known: np.ndarray  # (symbols,)
    received: np.ndarray  # (bursts, symbols, sps), with what comes behind the burst

    @classmethod
    def of(cls, bursts):
        received = np.array([burst.received for burst in bursts]).astype(complex)
        return cls(
            bursts[0].points,
            np.array([burst.indices for burst in bursts]),
            bursts[0].known,
            received.reshape(len(bursts), -1, bursts[0].sps),
        )

    @property
    def length(self):
        return len(self.known)

    @property
    def told(self):
        """Known symbols, 0 elsewhere."""
        return np.where(self.known, self.points[self.indices], 0)

    def unknown_runs(self):
        """First symbols and ends of the runs of unknown symbols."""
        steps = np.diff(np.concatenate([[0], ~self.known, [0]]).astype(int))
        return np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)


class Baseline:
    """A receiver of all bursts of a block at once; decide(bursts) gives the indices of all symbols,
    (bursts, symbols)."""

    links = BurstLink

    def __init__(self, link):
        pass

    def receive(self, frames):
        bursts = [frame.burst for frame in frames]
        points, known = bursts[0].points, bursts[0].known
        return [points[row[~known]][None] for row in self.decide(bursts)]


class Adaptive(Baseline):
    """A decision-feedback equalizer that adapts at every symbol.

    Its reference is the known symbol, or else its own decision.
    """

    def start(self, bursts, size):
        self.weights = np.zeros((bursts, size), complex)

    def decide(self, bursts):
        stack = Stack.of(bursts)
        count, _, sps = stack.received.shape
        self.start(count, FORWARD * sps + BACKWARD)
        padding = ((0, 0), (FORWARD * sps, 0))
        samples = np.pad(stack.received.reshape(count, -1), padding)
        told, decided = stack.told, stack.indices.copy()
        past = np.zeros((count, BACKWARD), complex)
        for n in range(stack.length):
            end = (FORWARD + n + AHEAD) * sps + 1
            forward = samples[:, end - FORWARD * sps : end]
            features = np.concatenate([forward, past], 1)
            output = np.sum(self.weights * features, 1)
            if stack.known[n]:
                reference = told[:, n]
            else:
                decided[:, n] = nearest(stack.points, output)
                reference = stack.points[decided[:, n]]
            self.adapt(features, reference - output)
            past = np.concatenate([reference[:, None], past[:, :-1]], 1)
        return decided


class NormalizedLms(Adaptive):
    """Haykin, Adaptive Filter Theory, ch. 6."""

    def __init__(self, link, step: float = 0.1):
        check("step", step, 0, 2)
        self.step = step

    def adapt(self, features, error):
        power = np.sum(np.abs(features) ** 2, 1) + 1e-3
        self.weights += (self.step * error / power)[:, None] * features.conj()


class RecursiveLeastSquares(Adaptive):
    """Haykin, ch. 10: exponentially weighted, per symbol."""

    def __init__(self, link, forgetting: float = 0.99):
        check("forgetting", forgetting, 0.5, 1)
        self.forgetting = forgetting

    def start(self, bursts, size):
        super().start(bursts, size)
        self.inverse = np.tile(10 * np.eye(size, dtype=complex), (bursts, 1, 1))

    def adapt(self, features, error):
        seen = (self.inverse @ features.conj()[..., None])[..., 0]
        power = np.real(np.sum(features * seen, 1))
        gain = seen / (self.forgetting + power)[:, None]
        self.weights += gain * error[:, None]
        self.inverse -= gain[:, :, None] * seen.conj()[:, None, :]
        self.inverse /= self.forgetting
        self.inverse += self.inverse.conj().transpose(0, 2, 1)
        self.inverse /= 2


def lagged(x, lags):
    """x[n - lag] for each lag, 0 beyond the ends: (..., n, lags)."""
    reach = np.abs(lags).max() + 1
    padded = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(reach, reach)])
    count = x.shape[-1]
    return np.stack([padded[..., reach - l : reach - l + count] for l in lags], -1)


def sub_blocks(values):
    """(bursts, sub-blocks, SUB_BLOCK, ...), what is left over cut off."""
    bursts, count = values.shape[:2]
    whole = count // SUB_BLOCK
    values = values[:, : whole * SUB_BLOCK]
    return values.reshape(bursts, whole, SUB_BLOCK, *values.shape[2:])


class Moments:
    """Sums over sub-blocks for the least-squares channel estimate, of rows whose symbols are all
    given."""

    def __init__(self, received, symbols, given, lags):
        rows = lagged(given.astype(float), lags).all(-1)
        x = lagged(symbols, lags) * rows[..., None]
        y = received[:, : symbols.shape[1]] * rows[..., None]
        x, y = sub_blocks(x), sub_blocks(y)
        xh = x.conj().swapaxes(2, 3)
        self.gram, self.cross = xh @ x, xh @ y
        self.power = np.sum(np.abs(y) ** 2, (2, 3))
        self.rows = (
            sub_blocks(np.broadcast_to(rows, symbols.shape)).sum(2).astype(float)
        )
        self.middle = (np.arange(self.gram.shape[1]) + 0.5) * SUB_BLOCK

    def weighted(self, values, weights):
        """(bursts, blocks, ...): sums with weights (blocks, sub-blocks)."""
        bursts, count = values.shape[:2]
        flat = weights @ values.reshape(bursts, count, -1)
        return flat.reshape(bursts, len(weights), *values.shape[2:])

    def fit(self, weights, time, trend, ridge=1e-3):
        """Taps in the middle of each block and their slopes, each (bursts, blocks, lags, sps), and
        the rows that count.

        weights, time: (blocks, sub-blocks); time counts from the block's middle
        """
        taps = self.gram.shape[-1]
        gram, cross = self.weighted(self.gram, weights), self.weighted(
            self.cross, weights
        )
        rows = self.weighted(self.rows, weights)
        eye = np.eye(taps)
        load = ridge * (rows + 0.1)[..., None, None]
        if not trend:
            level = np.linalg.solve(gram + load * eye, cross)
            return level, np.zeros_like(level), rows
        once, twice = weights * time, weights * time**2
        gram1, gram2 = self.weighted(self.gram, once), self.weighted(self.gram, twice)
        spread = self.weighted(self.rows, twice) / np.maximum(rows, 1)
        steep = 3 * load * np.maximum(spread, 1e-3)[..., None, None]
        upper = np.concatenate([gram + load * eye, gram1], -1)
        lower = np.concatenate([gram1, gram2 + steep * eye], -1)
        right = np.concatenate([cross, self.weighted(self.cross, once)], -2)
        both = np.linalg.solve(np.concatenate([upper, lower], -2), right)
        return both[..., :taps, :], both[..., taps:, :], rows

    def residual(self, level, slope, weights, time):
        """(bursts, blocks): weighted squares that the fit leaves.

        Expanded in powers of time, so that it needs weighted sums only.
        """
        total = self.weighted(self.power, weights)
        once, twice = weights * time, weights * time**2

        def inner(a, values, b=None):
            values = values if b is None else values @ b
            return np.real(np.sum(a.conj() * values, (-2, -1)))

        total = total - 2 * inner(level, self.weighted(self.cross, weights))
        total -= 2 * inner(slope, self.weighted(self.cross, once))
        total += inner(level, self.weighted(self.gram, weights), level)
        total += 2 * inner(level, self.weighted(self.gram, once), slope)
        return total + inner(slope, self.weighted(self.gram, twice), slope)


def readouts(taps, noise, correlation):
    """Minimum mean square error decision feedback from taps (..., lags, sps), the first lag 0.

    Returns the filter over LOOK_AHEAD symbols (..., LOOK_AHEAD * sps), the feedback over the
    decisions before (..., lags - 1), both scaled to no bias, and the error variance.
    correlation: of the noise between samples of the window
    """
    count, sps = taps.shape[-2:]
    shape = taps.shape[:-2]
    ahead = np.zeros((*shape, LOOK_AHEAD, sps, LOOK_AHEAD), complex)
    behind = np.zeros((*shape, LOOK_AHEAD, sps, count - 1), complex)
    for later in range(LOOK_AHEAD):
        for symbol in range(max(0, later - count + 1), later + 1):
            ahead[..., later, :, symbol] = taps[..., later - symbol, :]
        for back in range(1, count - later):
            behind[..., later, :, back - 1] = taps[..., later + back, :]
    ahead = ahead.reshape(*shape, LOOK_AHEAD * sps, LOOK_AHEAD)
    behind = behind.reshape(*shape, LOOK_AHEAD * sps, count - 1)
    covariance = ahead @ ahead.conj().swapaxes(-1, -2)
    covariance += noise[..., None, None] * correlation
    weights = np.linalg.solve(covariance, ahead[..., :1]).conj().swapaxes(-1, -2)
    bias = np.real(weights @ ahead[..., :1])
    feedback = (weights / bias) @ behind
    error = (1 - bias) / bias
    return (weights / bias)[..., 0, :], feedback[..., 0, :], error[..., 0, 0]


def noise_correlation(sps):
    """Of the matched filter's noise over LOOK_AHEAD symbols, with a ridge that keeps it positive."""
    at = np.arange(LOOK_AHEAD * sps) / sps
    return raised_cosine(at[:, None] - at, ROLLOFF) + 0.02 * np.eye(len(at))


def search(forward, feedback, error, past, forced, points, survivors):
    """Decides runs of symbols with so many hypotheses of the decisions fed back (M-algorithm).

    forward: (runs, symbols), the filter's output; feedback: (runs, symbols, taps)
    error: (runs, symbols), variance; past: (runs, taps), newest first
    forced: (runs, symbols), index of the symbol, -1 where it is to be decided, alike in all runs
    """
    runs, count = forward.shape
    rows = np.arange(runs)[:, None]
    past, metric = past[:, None, :], np.zeros((runs, 1))
    before, chosen = [], []
    for n in range(count):
        output = forward[:, n, None] - (past @ feedback[:, n, :, None])[..., 0]
        if forced[0, n] >= 0:
            symbol = np.broadcast_to(forced[:, n, None], output.shape)
            metric = metric + np.abs(output - points[symbol]) ** 2 / error[:, n, None]
            parent = np.broadcast_to(np.arange(output.shape[1]), output.shape)
        else:
            distance = np.abs(output[..., None] - points) ** 2 / error[:, n, None, None]
            cost = (distance + metric[..., None]).reshape(runs, -1)
            kept = min(survivors, cost.shape[1])
            best = np.argpartition(cost, kept - 1, 1)[:, :kept]
            metric = np.take_along_axis(cost, best, 1)
            parent, symbol = best // len(points), best % len(points)
        metric = metric - metric.min(1, keepdims=True)
        before.append(parent)
        chosen.append(symbol)
        newest = points[symbol][..., None]
        past = np.concatenate([newest, past[rows, parent]], 2)[..., : past.shape[2]]
    state = metric.argmin(1)
    decided = np.zeros((runs, count), int)
    for n in range(count - 1, -1, -1):
        decided[:, n] = chosen[n][rows[:, 0], state]
        state = before[n][rows[:, 0], state]
    return decided


class RunSearch:
    """Decides all runs of unknown symbols of all bursts at once; a run goes on through known symbols
    behind it, which tell the hypotheses apart."""

    def __init__(self, stack, lags, survivors):
        self.stack, self.lags, self.survivors = stack, lags, survivors
        self.first, self.end = stack.unknown_runs()
        lengths = self.end - self.first
        assert (lengths == lengths[0]).all(), "the runs differ in length"
        following = np.append(self.first[1:], stack.length) - self.end
        self.length = lengths[0]
        self.reach = self.length + min(len(lags) + 8, following.min())
        self.middle = (self.first + self.end) / 2
        # the samples in the window of each symbol: (runs, symbols, LOOK_AHEAD)
        self.at = self.first[:, None] + np.arange(self.reach)
        window = self.at[..., None] + lags[0] + np.arange(LOOK_AHEAD)
        padded = np.pad(stack.received, ((0, 0), (0, LOOK_AHEAD), (0, 0)))
        self.samples = padded[:, np.minimum(window, padded.shape[1] - 1)]

    def decide(self, symbols, weights, feedback, error):
        """weights ...: (bursts, runs, pieces, ...), for as many pieces of each run, in turn

        symbols: (bursts, symbols), of which those before the runs are used
        """
        stack = self.stack
        bursts, runs, pieces = error.shape
        piece = np.minimum(np.arange(self.reach) * pieces // self.reach, pieces - 1)
        samples = self.samples.reshape(bursts, runs, self.reach, -1)
        forward = np.empty((bursts, runs, self.reach), complex)
        for p in range(pieces):
            at = piece == p
            forward[:, :, at] = (samples[:, :, at] @ weights[:, :, p, :, None])[..., 0]
        taps = feedback.shape[-1]
        past = symbols[:, self.first[:, None] - 1 - np.arange(taps)]
        forced = np.where(stack.known, stack.indices, -1)[:, self.at]
        every = bursts * runs
        decided = search(
            forward.reshape(every, -1),
            feedback[:, :, piece].reshape(every, self.reach, taps),
            error[:, :, piece].reshape(every, -1),
            past.reshape(every, taps),
            forced.reshape(every, -1),
            stack.points,
            self.survivors,
        )
        indices = stack.indices.copy()
        inside = self.at[:, : self.length]
        indices[:, inside] = decided[:, : self.length].reshape(bursts, runs, -1)
        return indices


def lags_of(burst):
    """Those that hold the paths' energy but for the pulse's far tails."""
    power = np.sum(np.abs(burst.pulses) ** 2, (0, 1))
    held = np.flatnonzero(power > 0.01 * power.max())
    return burst.lags[held[0] : held[-1] + 1]


def interpolate_and_decide(stack, lags, survivors=1):
    """Channel by least squares from what is known around each run of unknown symbols, straight lines
    or constants under weights that fall with distance; from it, a decision-feedback equalizer.

    The passes after the first know the decisions of the one before, but for a run's own. The memory
    is the one that predicts left-out runs best, burst by burst.
    """
    runs = RunSearch(stack, lags, survivors)
    correlation = noise_correlation(stack.received.shape[2])
    symbols, given = stack.told, stack.known
    for number in range(PASSES):
        moments = Moments(stack.received, symbols, given, lags)
        level, noise = interpolate(moments, runs, number > 0)
        symbols = decide_runs(stack, runs, level, noise, correlation, symbols)
        given = np.ones(stack.length, bool)
    return nearest(stack.points, symbols)


def interpolate(moments, runs, decided):
    """Taps in the middle of each run, (bursts, runs, lags, sps), and the noise's variance."""
    middle, sps = moments.middle, moments.cross.shape[-1]
    distance = np.maximum(runs.first[:, None] - middle, middle - runs.end[:, None])
    time = (middle - runs.middle[:, None]) / 48
    inside = distance < SUB_BLOCK / 2
    if decided:
        left_out = inside
    else:  # a run's own symbols are unknown: leave out the known ones that follow
        left_out = (distance < 16) & (middle > runs.middle[:, None]) & ~inside
    found = []
    for memory, trend in MEMORIES:
        weights = np.exp(-np.maximum(distance, 0) / memory)
        weights[weights < 0.02] = 0
        others = moments.fit(np.where(left_out, 0, weights), time, trend)
        missed = moments.residual(*others[:2], left_out.astype(float), time).sum(1)
        level, slope, rows = moments.fit(weights, time, trend)
        parameters = level.shape[-2] * (1.5 if trend else 1)
        squares = moments.residual(level, slope, weights, time)
        noise = squares / sps / np.maximum(rows - parameters, 0.3 * rows + 1)
        noise *= 1 + parameters / np.maximum(rows, 1)
        found.append((missed, level, noise))
    best = np.argmin([missed for missed, _, _ in found], 0)
    bursts = np.arange(len(best))
    level = np.array([level for _, level, _ in found])[best, bursts]
    noise = np.array([noise for _, _, noise in found])[best, bursts]
    least = 1e-4 * np.sum(np.abs(level) ** 2, (-2, -1)) / sps
    return level, np.maximum(noise, least)


def decide_runs(stack, runs, level, noise, correlation, symbols):
    """All symbols, the known ones among them."""
    weights, feedback, error = readouts(level, noise, correlation)
    decided = runs.decide(symbols, *(v[:, :, None] for v in (weights, feedback, error)))
    return stack.points[decided]


class Interpolated(Baseline):
    """interpolate_and_decide, at delays that are known."""

    def __init__(self, link, survivors: int = 1):
        check("survivors", survivors, 1, 1024)
        if link.samples_per_symbol == 1:
            raise Unsuitable("it takes two samples per symbol")
        self._survivors = survivors

    def decide(self, bursts):
        lags = lags_of(bursts[0])
        return interpolate_and_decide(Stack.of(bursts), lags, self._survivors)


class KnownChannel(Baseline):
    """Knows the taps, in the middle of pieces of GENIE_STEP symbols or, of GSM, of the burst."""

    def decide(self, bursts):
        search = known_channel if bursts[0].sps > 1 else known_channel_viterbi
        return search(bursts)


def known_channel(bursts, survivors=32):
    """Knows the noise too, and what was sent before each run of unknown symbols."""
    stack = Stack.of(bursts)
    power = np.sum(np.abs(bursts[0].pulses) ** 2, (0, 1))
    held = np.flatnonzero(power > 2e-4 * power.max())
    lags = bursts[0].lags[held[0] : held[-1] + 1]
    runs = RunSearch(stack, lags, survivors)
    pieces = -(-runs.reach // GENIE_STEP)
    middles = (np.arange(pieces) + 0.5) * runs.reach / pieces
    at = (runs.first[:, None] + middles).astype(int)
    taps = [b.taps(at.ravel())[:, held[0] : held[-1] + 1] for b in bursts]
    taps = np.array(taps).reshape(len(bursts), *at.shape, len(lags), -1)
    noise = np.full(taps.shape[:3], bursts[0].noise)
    correlation = noise_correlation(stack.received.shape[2])
    found = readouts(taps, noise, correlation)
    return runs.decide(stack.points[stack.indices], *found)


def viterbi(received, taps, lags, symbols, known):
    """Maximum likelihood for two points (Forney, 1972), all bursts at once.

    received: (bursts, symbols); taps: (bursts, lags); symbols: (bursts, symbols), 1 or -1, those
    where known, (symbols,), are alike in all bursts; nothing is sent around the burst.
    Returns the symbols.
    """
    bursts, length, memory = len(received), len(known), len(lags)
    states = 1 << (memory - 1)
    branch = np.arange(2 * states)  # the newest symbol is the highest bit
    points = 1.0 - 2 * (branch >> np.arange(memory - 1, -1, -1)[:, None] & 1)
    metric, before = np.zeros((bursts, states)), []
    for n in range(length + memory - 1):  # of the newest symbol
        values = points.copy()
        for age in range(memory):
            m = n - age
            if not 0 <= m < length:
                values[age] = 0
            elif known[m]:
                values[age] = symbols[0, m].real
        at = n + lags[0]
        distance = 0
        if 0 <= at < received.shape[1]:
            distance = np.abs(received[:, at, None] - taps @ values) ** 2
        total = distance + np.tile(metric, (1, 2))
        pairs = total.reshape(bursts, states, 2)
        before.append(pairs.argmin(2))
        metric = pairs.min(2)
    state = metric.argmin(1)
    decided = symbols.copy()
    for n in range(length + memory - 2, -1, -1):
        if n < length and not known[n]:
            decided[:, n] = 1.0 - 2 * (state >> (memory - 2))
        oldest = before[n][np.arange(bursts), state]
        state = (state << 1 & (states - 1)) | oldest
    return decided


def channel_estimate(received, symbols, rows, lags, ridge=1e-3):
    """Least squares over rows (a mask), alike in all bursts; (bursts, lags)."""
    x = lagged(symbols, lags)[:, rows]
    xh = x.conj().swapaxes(1, 2)
    load = ridge * np.count_nonzero(rows) * np.eye(len(lags))
    return np.linalg.solve(xh @ x + load, xh @ received[:, rows, None])[..., 0]


def strongest_lags(burst, mean_power, count):
    power = np.convolve(mean_power, np.ones(count), "valid")
    return burst.lags[power.argmax() : power.argmax() + count]


class LeastSquaresViterbi(Baseline):
    """Channel by least squares from the midamble, then the Viterbi algorithm; a refit estimates the
    channel again from the decisions.

    Where the channel's window lies is known from its mean power, and that nothing is sent around a
    burst.
    """

    def __init__(self, link, taps: int = 6, refits: int = 0):
        check("taps", taps, 2, 12)
        check("refits", refits, 0, 10)
        if link.samples_per_symbol > 1:
            raise Unsuitable("it takes bursts of GSM")
        self._taps, self._refits = taps, refits

    def decide(self, bursts):
        stack = Stack.of(bursts)
        received, symbols = stack.received[:, :, 0], stack.told
        power = np.mean([np.abs(b.taps(np.array([74]))) ** 2 for b in bursts], 0)
        begin, end = stack.unknown_runs()
        midamble = np.zeros(stack.length, bool)
        midamble[end[0] : begin[1]] = True
        lags = strongest_lags(bursts[0], power[0, :, 0], self._taps)
        decided, rows = symbols, lagged(midamble.astype(float), lags).all(-1)
        for _ in range(self._refits + 1):
            taps = channel_estimate(received[:, : stack.length], decided, rows, lags)
            decided = viterbi(received, taps, lags, symbols, stack.known)
            rows = np.ones(stack.length, bool)
        return nearest(stack.points, decided)


def known_channel_viterbi(bursts, count=8):
    """Taps in the burst's middle."""
    stack = Stack.of(bursts)
    taps = np.array([burst.taps(np.array([74]))[0, :, 0] for burst in bursts])
    lags = strongest_lags(bursts[0], np.mean(np.abs(taps) ** 2, 0), count)
    held = lags - bursts[0].lags[0]
    decided = viterbi(
        stack.received[:, :, 0], taps[:, held], lags, stack.told, stack.known
    )
    return nearest(stack.points, decided)


class KnownCarrier(KINDS["configured_esn"]):
    """The configured ESN on samples that are turned back by the carrier's true phase."""

    links = BurstLink

    def __init__(self, link, **parameters):
        if not link.carrier:
            raise Unsuitable("the carrier is where it should be")
        super().__init__(link, **parameters)

    def receive(self, frames):
        return super().receive([self._turned(frame) for frame in frames])

    def _turned(self, frame):
        turned = frame.received * np.exp(-1j * frame.burst.phase)
        return replace(frame, received=turned.astype(np.complex64))


RECEIVERS = {
    "burst_nlms": NormalizedLms,
    "burst_rls": RecursiveLeastSquares,
    "interpolated_dfe": Interpolated,
    "ls_viterbi": LeastSquaresViterbi,
    "known_channel": KnownChannel,
    "known_carrier": KnownCarrier,
}
