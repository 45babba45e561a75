#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Command line: python3 -m gnuradio.reservoir SUBCOMMAND."""

import importlib
import os
import sys

# name: what it does; MODULES has where main(arguments) -> exit status is
SUBCOMMANDS = {
    "demo": "compare receivers over a software channel and write a report (about a minute)",
    "compare": "receivers that you name, on a link that you describe",
    "sweep": "error rates as a campaign file says, on this machine or a cluster",
    "paper": "trained recurrent networks against configured ones (about half an hour)",
}
MODULES = {
    "demo": "commands.demo",
    "compare": "commands.compare",
    "sweep": "commands.sweep",
    "paper": "paper.study",
}

# modules that GNU Radio does not bring along itself
PACKAGES = {
    "matplotlib": "python3-matplotlib",
    "scipy": "python3-scipy",
    "tqdm": "python3-tqdm",
    "tomli": "python3-tomli",
}


# of numpy's linear algebra, as in workers of dask: more threads add in another order
THREADS = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)


def restart_with_one_thread():
    """This program, unless the variables are set: numpy has read them before it comes here."""
    if not THREADS.keys() <= os.environ.keys():
        os.execve(sys.executable, sys.orig_argv, {**THREADS, **os.environ})


def usage():
    lines = [f"  {name:<8} {what}" for name, what in SUBCOMMANDS.items()]
    return "\n".join(
        ["usage: python3 -m gnuradio.reservoir SUBCOMMAND [options]", ""]
        + lines
        + ["", "SUBCOMMAND --help lists its options."]
    )


def main(arguments):
    """Run a subcommand; return the exit status."""
    if not arguments:
        print(usage(), file=sys.stderr)
        return 2
    name, *rest = arguments
    if name in ("-h", "--help"):
        print(usage())
        return 0
    if name not in SUBCOMMANDS:
        print(
            f"There is no subcommand '{name}'; there is: {', '.join(SUBCOMMANDS)}.",
            file=sys.stderr,
        )
        return 2
    try:
        run = importlib.import_module(f"gnuradio.reservoir.{MODULES[name]}").main
    except ImportError as error:
        module = (error.name or "").split(".")[0]
        hint = f" (Debian: {PACKAGES[module]})" if module in PACKAGES else ""
        print(f"'{name}' cannot start: {error}{hint}.", file=sys.stderr)
        return 1
    try:
        return run(rest)
    except KeyboardInterrupt:
        print("\nInterrupted; the report was not written.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    restart_with_one_thread()
    sys.exit(main(sys.argv[1:]))
