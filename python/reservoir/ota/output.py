#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Where received bytes go: a file, or stdout."""

import os

from .program import Unusable, usable


class packet_writer:
    """Writes packets' bytes to a file, or to stdout where path is None.

    Then drivers that print to stdout print to stderr from now on. Where bytes cannot be written,
    the event stopped is set, and close() says why.
    """

    def __init__(self, path, stopped):
        self._path, self._stopped = path, stopped
        self._failure = None
        if path is None:
            self._file = os.fdopen(os.dup(1), "wb")
            os.dup2(2, 1)

    def open(self):
        """Opens the file, whose content is kept until empty()."""
        if self._path is not None:
            why = f"cannot write {self._path}"
            self._file = usable(why, OSError, open, self._path, "ab")

    def empty(self):
        if self._path is not None and os.path.isfile(self._path):
            self._file.truncate(0)

    def write(self, data, _):
        """Handler of the packet decoder."""
        if not self._failure:
            self._attempt(self._file.write, data)
            self._attempt(self._file.flush)

    def close(self):
        self._attempt(self._file.close)
        if self._failure:
            name = "stdout" if self._path is None else self._path
            raise Unusable(f"cannot write {name}: {self._failure.strerror}")

    def _attempt(self, action, *arguments):
        try:
            action(*arguments)
        except (BrokenPipeError, ValueError):  # who read them has gone
            pass
        except OSError as error:
            self._failure = self._failure or error
            self._stopped.set()
