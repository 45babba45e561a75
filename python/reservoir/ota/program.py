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
    """What keeps the program from starting or going on, in one plain sentence; exit code 2."""


def usable(why, errors, make, *arguments, **named):
    """make(...); where that raises one of the errors, the program cannot start: why is the sentence."""
    try:
        return make(*arguments, **named)
    except errors as error:
        said = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise Unusable(f"{why}: {said}") from error


def run(top, report, stopped):
    """Runs a flowgraph until its end, Ctrl-C or the event stopped; a line each second on stderr."""
    for number_ in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number_, lambda *_: stopped.set())
    top.start()

    def wait():
        top.wait()
        stopped.set()

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    begin = time.monotonic()
    while not stopped.wait(1.0):
        print(report(time.monotonic() - begin), file=sys.stderr, flush=True)
    top.stop()
    waiting.join(3.0)
    print(report(time.monotonic() - begin), file=sys.stderr, flush=True)
    if waiting.is_alive():  # a driver that waits for a device that has gone
        os._exit(0)


def exit_code(main):
    """Runs main(); 0, 2 with one sentence where it cannot start or go on, 130 where Ctrl-C came
    before run().
    """
    try:
        main()
    except Unusable as sentence:
        print(f"{Path(sys.argv[0]).name}: {sentence}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0
