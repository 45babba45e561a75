#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What command lines of this package share."""

import argparse
import pathlib


def number(low, high, kind=float):
    """An argparse type: a number within low ... high."""

    def convert(text):
        value = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(
                f"{text} must be within {low:g} ... {high:g}"
            )
        return value

    convert.__name__ = "number"
    return convert


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
        type=number(0, 2**32, int),
        default=1,
        metavar="S",
        help="of pilots, symbols, channels and noise: the same seed repeats the run (%(default)s)",
    )
    return parser
