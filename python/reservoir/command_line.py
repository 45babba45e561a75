#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What command lines of this package share."""

import argparse
import math


def number(low, high, kind=float):
    """An argparse type: a number within low ... high, a whole one where kind is int."""
    what = "a whole number" if kind is int else "a number"

    def convert(text):
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(
                f"{text} must be {what} within {low:g} ... {high:g}"
            )
        return value

    return convert
