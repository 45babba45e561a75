#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Progress on standard error: a bar in a terminal, elsewhere one line per stage."""

import sys

from tqdm import tqdm


class StageLines:
    """What the experiments use of tqdm, for logs and pipes."""

    def __init__(self, total, unit):
        self.total, self.unit = total, unit
        self.n, self.desc = 0, ""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def update(self, count=1):
        self.n += count

    def set_description(self, text):
        if text != self.desc:
            self.desc = text
            counted = f"{self.n} of {self.total} {self.unit}s"
            print(f"{counted}: {text}", file=sys.stderr, flush=True)


def progress(total, unit):
    """A tqdm bar where standard error is a terminal."""
    shown = tqdm if sys.stderr.isatty() else StageLines
    return shown(total=total, unit=unit)
