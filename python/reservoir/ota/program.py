#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""How a radio program starts, reports each second and ends."""

import os
import signal
import sys
import threading
import time
from pathlib import Path


class Unusable(Exception):
    """What keeps the program from starting, in one plain sentence; exit code 2."""


def usable(why, errors, make, *arguments, **named):
    """make(...); where that raises one of the errors, the program cannot start: why is the sentence."""
    try:
        return make(*arguments, **named)
    except errors as error:
        said = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise Unusable(f"{why}: {said}") from error


def run(top, report, stopped):
    """Runs a flowgraph until it ends or Ctrl-C, with a line each second on stderr."""
    finished = threading.Event()

    def interrupt(*_):
        stopped.set()
        finished.set()

    for number_ in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number_, interrupt)
    top.start()

    def wait():
        top.wait()
        finished.set()

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    begin = time.monotonic()
    while not finished.wait(1.0):
        print(report(time.monotonic() - begin), file=sys.stderr, flush=True)
    stopped.set()
    top.stop()
    waiting.join(3.0)
    print(report(time.monotonic() - begin), file=sys.stderr, flush=True)
    if waiting.is_alive():  # a driver that waits for a device that has gone
        os._exit(0)


def data_output(path):
    """Where received bytes go; drivers that print to stdout print to stderr from now on."""
    if path:
        return usable(f"cannot write {path}", OSError, open, path, "wb")
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return own


def exit_code(main):
    """Runs main(); 0, or 2 with one sentence where it cannot start."""
    try:
        main()
    except Unusable as sentence:
        print(f"{Path(sys.argv[0]).name}: {sentence}", file=sys.stderr)
        return 2
    return 0
