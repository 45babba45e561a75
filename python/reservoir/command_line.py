#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What command lines of this package share."""

import argparse


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
