#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What GNU Radio Companion evaluates in the asserts of this module's blocks, and shows where they fail."""

import numpy as np


def is_finite(values):
    """Whether every number, in rows or not, is neither NaN nor infinite."""
    return bool(np.isfinite(values).all())


def has_known(values):
    """Whether symbols are known, NaN where they are not, in all rows alike, and none is infinite."""
    values = np.atleast_2d(values)
    known = ~np.isnan(values)
    return bool(
        known.any() and (known == known[0]).all() and np.isfinite(values[known]).all()
    )


def num_rows(values):
    """Rows that there are; numbers without rows are one."""
    return np.atleast_2d(values).shape[0]
