#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What was found so far: a file of JSON lines, one for each receiver and block of frames.

A line is written whole and flushed to the disk. What a run that was killed left of a line is cut off
by the next one.
"""

import fcntl
import json
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
            try:
                record = json.loads(text) if text.endswith(b"\n") else None
            except ValueError:
                record = None
            if isinstance(record, dict) and {"link", "receiver"} <= set(record):
                self._keep(record)
            if text.endswith(
                b"\n"
            ):  # a damaged line is left alone, its work done again
                whole += len(text)
        self._file.seek(0, os.SEEK_END)
        if whole < self._file.tell():
            self._file.truncate(whole)

    def _keep(self, record):
        at = record["link"], record["receiver"]
        self._records.setdefault(at, []).append(compact(record))

    def records(self, link, receiver):
        """What the file had when it was opened."""
        return self._records.get((link, receiver), [])

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
