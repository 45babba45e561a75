#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What was found so far: a file of JSON lines, one for each receiver and block of frames.

A line is written whole and flushed to the disk. What a run that was killed left of a line is cut off
by the next one.
"""

import fcntl
import json
import math
import os

import numpy as np


def compact(record):
    """The same with arrays for lists: an eighth of the memory."""
    return {
        name: np.array(value, np.float64 if name == "error" else np.int32)
        if isinstance(value, list)
        else value
        for name, value in record.items()
    }


# of records: settings, a piece of work, a block of frames
ENTRIES = ("tuned", "found", "wrong")


def is_record(record):
    """Whether a line of the file is what a run writes: names, and one of ENTRIES."""
    if not isinstance(record, dict):
        return False
    names = record.get("link"), record.get("receiver")
    held = [name for name in ENTRIES if name in record]
    if not all(isinstance(name, str) for name in names) or len(held) != 1:
        return False
    if "wrong" in record:
        return _is_block(record)
    value = record[held[0]]
    return isinstance(value, dict) and ("value" in value or held == ["tuned"])


def _is_block(record):
    """Of frames: where it begins, its receiver's time, and of every frame what was counted."""
    first, seconds = record.get("first"), record.get("seconds")
    wrong, bits = record["wrong"], record.get("bits")
    counted = [wrong, bits, record.get("lost_packets", wrong)]
    columns = [*counted, record.get("error")]
    return (
        isinstance(first, int)
        and first >= 0
        and isinstance(seconds, float)
        and math.isfinite(seconds)
        and all(isinstance(column, list) for column in columns)
        and len({len(column) for column in columns}) == 1
        and all(isinstance(n, int) and 0 <= n < 2**31 for n in sum(counted, []))
        and all(isinstance(x, float) for x in record["error"])
    )


class Busy(Exception):
    """Another run writes into the folder."""


class Store:
    """The records of a folder, by link and receiver; both are names made by specification.digest."""

    FILE = "blocks.jsonl"

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self._file = open(folder / self.FILE, "a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise Busy(f"another run is writing into {folder}") from error
        self._records = {}
        self._read()

    def _read(self):
        self._file.seek(0)
        whole = 0
        for text in self._file:
            if not text.endswith(b"\n"):
                break
            whole += len(text)
            try:
                record = json.loads(text)
            except (ValueError, RecursionError):
                continue
            if is_record(record):  # any other is left alone, its work done again
                self._keep(record)
        self._file.seek(0, os.SEEK_END)
        if whole < self._file.tell():
            self._file.truncate(whole)

    def _keep(self, record):
        at = record["link"], record["receiver"]
        self._records.setdefault(at, []).append(compact(record))

    def records(self, link, receiver, what):
        """What the file had when it was opened: those with the entry `what`, one of ENTRIES."""
        found = self._records.get((link, receiver), [])
        return [record for record in found if what in record]

    def forget(self):
        """Records that were read are not needed any more; the file keeps them."""
        self._records.clear()

    def num_others(self, wanted):
        """Records that are of other links and receivers than those of `wanted`: pairs of names."""
        return sum(
            len(records) for at, records in self._records.items() if at not in wanted
        )

    def add(self, record):
        self._file.write(json.dumps(record, separators=(",", ":")).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self):
        self._file.close()
