#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Checks of arguments: ValueError naming the parameter, its value and what it may be."""

import math
from numbers import Real


def is_whole(value):
    """Whether it is a number without a fraction; a float may be."""
    return isinstance(value, Real) and math.isfinite(value) and value == int(value)


def check_range(name, value, low, high):
    if not (isinstance(value, Real) and low <= value <= high):  # NaN too
        raise ValueError(
            f"{name} = {value!r}: must be a number within {low} ... {high}"
        )


def check_integer(name, value, low, high):
    """The value as an int; a whole float is one."""
    if not (is_whole(value) and low <= value <= high):
        raise ValueError(
            f"{name} = {value!r}: must be an integer within {low} ... {high}"
        )
    return int(value)
