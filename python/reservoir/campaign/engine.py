#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Who works on what, in which order, and when a point is finished.

A point's frames come in blocks. It ends after the first block, in their order, at which the stop rule
holds; blocks that were received beyond it do not count. So what is found does not depend on workers,
their order or restarts.
"""

import dataclasses
import math

import numpy as np

from . import statistics, work
from .receivers import defaults, unsuitable
from .pools import WorkError
from .specification import digest
from .store import compact

VERSION = 3  # of what frames and receivers are: another one starts again


class Tally:
    """A receiver's sums over groups of consecutive frames: single frames, or as many as are needed
    that there are at most MOST groups, so that memory does not grow with the frames."""

    MOST = 4096
    COLUMNS = (
        "wrong",
        "wrong_bits",
        "error",
        "lost_frames",
        "hit_frames",
        "lost_packets",
    )

    def __init__(self, lost):
        self._lost = lost  # a frame with more wrong symbols is lost
        self.frames, self.group = 0, 1
        self._sums = np.zeros((0, len(self.COLUMNS)))

    def add(self, record):
        wrong = record["wrong"]
        columns = (
            wrong,
            record["bits"],
            record["error"],
            wrong > self._lost,
            wrong > 0,
            record.get("lost_packets", 0 * wrong),
        )
        number = self.frames + np.arange(len(wrong))
        self.frames += len(wrong)
        while self.frames > self.MOST * self.group:
            self._resize(self.MOST)
            self._sums = self._sums[::2] + self._sums[1::2]
            self.group *= 2
        self._resize(-(-self.frames // self.group))
        np.add.at(self._sums, number // self.group, np.transpose(columns))

    def _resize(self, groups):
        missing = groups - len(self._sums)
        self._sums = np.pad(self._sums, ((0, max(missing, 0)), (0, 0)))

    def sums(self):
        """{column: its sum over each group}"""
        return dict(zip(self.COLUMNS, self._sums.T))


@dataclasses.dataclass
class Measured:
    """A receiver at a point. Arrays have an entry for each group of frames; the last group may have
    fewer."""

    receiver: object
    settings: dict  # that were tuned
    symbols: int  # of a frame's payload
    bits: int
    frames: int
    group: int  # frames
    wrong: np.ndarray
    wrong_bits: np.ndarray
    error: np.ndarray
    lost_frames: np.ndarray
    hit_frames: np.ndarray  # with a wrong symbol
    seconds: float  # per frame
    lost_packets: np.ndarray
    packets: bool  # whether the payload is one

    @property
    def ser(self):
        return self._rate(self.wrong, self.symbols)

    @property
    def ber(self):
        return self._rate(self.wrong_bits, self.bits)

    def _rate(self, wrong, trials):
        hit = int(self.hit_frames.sum())
        return statistics.mean_rate(wrong, trials, self.frames, self.group, hit)

    @property
    def lost(self):
        """Share of frames that are lost."""
        return statistics.proportion(int(self.lost_frames.sum()), self.frames)

    @property
    def per(self):
        """Share of packets that are lost; None where the payload is no packet."""
        if not self.packets:
            return None
        return statistics.proportion(int(self.lost_packets.sum()), self.frames)

    @property
    def evm_db(self):
        """Root mean square error over the rms of what was sent."""
        mean = float(self.error.sum()) / (self.frames * self.symbols)
        return 10 * math.log10(mean) if mean > 0 else -math.inf

    def figure(self, name):
        found = getattr(self, name)
        return found.value if isinstance(found, statistics.Rate) else found


class PointWork:
    """What is known, under way and missing of one point."""

    def __init__(self, campaign, point, store):
        self.point, self._head, self._store = point, campaign.head, store
        self._kinds, link = campaign.kinds, point.link
        self._entries = dict(link.entries(), kind=point.kind)
        self._divide(campaign.receivers)
        self._name()
        self._settings, self._blocks, self._under_way = {}, {}, set()
        for receiver in self.receivers:
            self._remember(receiver)
        # of the leading blocks, which all receivers have; the others wait for those before them
        lost = statistics.LOST * link.payload_symbols()
        self._tallies = {r.name: Tally(lost) for r in self.receivers}
        self._seconds = dict.fromkeys(self._tallies, 0.0)
        self._whole = 0
        self.finished = False
        self._advance()

    def _divide(self, receivers):
        """Those that take part, and {name: why not} of the others."""
        self.receivers, self.absent = [], {}
        for receiver in receivers:
            reasons = (
                unsuitable(
                    receiver.kind,
                    self.point.link,
                    {**receiver.parameters, **settings},
                    self._kinds.receivers,
                )
                for settings in receiver.settings()
            )
            if reason := next(filter(None, reasons), None):
                self.absent[receiver.name] = reason
            else:
                self.receivers.append(receiver)

    def _name(self):
        """Names of the link and its receivers in the store: all that results depend on."""
        head, link, texts = self._head, self.point.link, self._kinds.texts
        self._link_key = digest(
            VERSION,
            self.point.kind,
            link.entries(),
            head.seed,
            head.block,
            *texts(type(link)),
            *link.code_files(),
        )
        self._keys = {
            receiver.name: digest(
                receiver.identity(),
                defaults(receiver.made),
                head.tuning_frames if receiver.tune else 0,
                *texts(receiver.made),
            )
            for receiver in self.receivers
        }

    def store_keys(self):
        return {(self._link_key, key) for key in self._keys.values()}

    def _remember(self, receiver):
        """What the store has of it."""
        blocks = self._blocks[receiver.name] = {}
        if not receiver.tune:
            self._settings[receiver.name] = {}
        at, settings = (self._link_key, self._keys[receiver.name]), receiver.settings()
        for record in self._store.records(*at, "tuned"):
            if record["tuned"] in settings:
                self._settings[receiver.name] = record["tuned"]
        for record in self._store.records(*at, "wrong"):
            block = record["first"] // self._head.block
            # the last block of a campaign with fewer frames may be shorter
            if len(record["wrong"]) == self._count(block):
                blocks[block] = record

    def _count(self, block):
        """Frames of a block."""
        return min(self._head.block, self._head.frames - block * self._head.block)

    @property
    def num_blocks(self):
        return -(-self._head.frames // self._head.block)

    @property
    def done(self):
        """Blocks that need no more work, for the progress bar."""
        return self.num_blocks if self.finished else self._whole

    def _advance(self):
        """Count the next blocks in their order."""
        while not self.finished and all(
            self._whole in blocks for blocks in self._blocks.values()
        ):
            for name, blocks in self._blocks.items():
                record = blocks.pop(self._whole)
                self._tallies[name].add(record)
                self._seconds[name] += record["seconds"]
            self._whole += 1
            self.finished = self._whole == self.num_blocks or self._enough()

    def _enough(self):
        head = self._head
        if not (head.errors or head.lost_frames):
            return False
        sums = [tally.sums() for tally in self._tallies.values()]
        return all(
            one["wrong"].sum() >= head.errors
            and one["lost_frames"].sum() >= head.lost_frames
            for one in sums
        )

    def next_piece(self):
        """(key, function, arguments) of work that nobody does yet, or None."""
        if self.finished:
            return None
        untuned = False
        for receiver in self.receivers:
            if receiver.name not in self._settings:
                untuned = True
                if receiver.name not in self._under_way:
                    return self._tuning(receiver)
        return None if untuned else self._next_block()

    def _tuning(self, receiver):
        self._under_way.add(receiver.name)
        arguments = dict(
            kinds=self._kinds,
            link=self._entries,
            seed=self._head.seed,
            count=self._head.tuning_frames,
            block=self._head.block,
            kind=receiver.kind,
            parameters=receiver.parameters,
            settings=receiver.settings(),
        )
        return receiver.name, work.tune, arguments

    def _next_block(self):
        for block in range(self._whole, self.num_blocks):
            missing = {
                receiver.name: (
                    receiver.kind,
                    {**receiver.parameters, **self._settings[receiver.name]},
                )
                for receiver in self.receivers
                if block not in self._blocks[receiver.name]
            }
            if missing and block not in self._under_way:
                self._under_way.add(block)
                arguments = dict(
                    kinds=self._kinds,
                    link=self._entries,
                    seed=self._head.seed,
                    first=block * self._head.block,
                    count=self._count(block),
                    receivers=missing,
                )
                return block, work.receive_block, arguments
        return None

    def take(self, key, result):
        """The result of a piece that next_piece gave."""
        self._under_way.discard(key)
        if isinstance(key, str):
            (receiver,) = [r for r in self.receivers if r.name == key]
            self._settings[key] = receiver.settings()[result]
            self._write(key, tuned=self._settings[key])
            return
        for name, record in result.items():
            record = dict(record, first=key * self._head.block)
            self._blocks[name][key] = compact(record)
            self._write(name, **record)
        self._advance()

    def _write(self, name, **record):
        self._store.add(dict(link=self._link_key, receiver=self._keys[name], **record))

    def _measured(self, receiver):
        name, link = receiver.name, self.point.link
        tally, symbols = self._tallies[name], link.payload_symbols()
        return Measured(
            receiver,
            self._settings[name],
            symbols,
            symbols * int(np.log2(len(link.points()))),
            tally.frames,
            tally.group,
            **tally.sums(),
            packets=bool(link.code),
            seconds=self._seconds[name] / tally.frames,
        )

    def measured(self):
        """{receiver's name: Measured}, when the point is finished."""
        return {r.name: self._measured(r) for r in self.receivers}


@dataclasses.dataclass
class Results:
    """A finished campaign. points: of PointWork; name: the file's."""

    campaign: object
    name: str
    points: list
    run_seconds: float = 0.0

    def __post_init__(self):
        self.measured = [work.measured() for work in self.points]

    def pairs(self):
        """(Point, {name: Measured}) of every point."""
        return [(w.point, m) for w, m in zip(self.points, self.measured)]


def run(points, pool, step=lambda unfinished: None):
    """Do all that is missing at points, which are of PointWork; step is told the unfinished ones."""
    while True:
        unfinished = [k for k, point in enumerate(points) if not point.finished]
        _submit(pool, points, unfinished)
        step(unfinished)
        if not unfinished:
            return
        try:
            finished = pool.finished()
        except WorkError as error:
            if error.key is None:
                raise
            point = points[error.key[0]].point
            varied = [f"{name} = {value}" for name, value in point.varied.items()]
            where = ", ".join([point.group] * bool(point.group) + varied) or "the link"
            raise WorkError(error.key, f"{where}: {error}") from error
        for (k, key), result in finished:
            points[k].take(key, result)


def _submit(pool, points, unfinished):
    capacity = pool.capacity
    for k in unfinished:
        while len(pool) < capacity and (piece := points[k].next_piece()):
            key, function, arguments = piece
            pool.submit((k, key), function, arguments)
