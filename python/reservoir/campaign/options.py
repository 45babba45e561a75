#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The command-line options that the experiments share."""

import argparse
import pathlib


def within(low, high):
    """An argument type: integers from low to high."""

    def integer(text):
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(
                f"{value}: must be within {low} ... {high}"
            )
        return value

    return integer


def report_parser(command, description, written, quick):
    """A parser with --out (what is written there), --quick (what it saves) and --seed."""
    parser = argparse.ArgumentParser(
        prog=f"python3 -m gnuradio.reservoir {command}", description=description
    )
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        default=pathlib.Path(f"reservoir-{command}"),
        metavar="DIR",
        help=f"folder for {written}; made if it is not there (%(default)s)",
    )
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument(
        "--seed",
        type=within(0, 2**32),
        default=1,
        metavar="S",
        help="of pilots, symbols, channels and noise: the same seed repeats the run (%(default)s)",
    )
    return parser
