#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What GNU Radio Companion evaluates for this module's blocks: in their asserts, which it shows where they fail,
and to write values into C++ programs."""

import numpy as np

from .reservoir_python import ofdm_grid


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


def is_ofdm_grid(fft_len, cp_len, num_tx, *carriers):
    """Whether an ofdm_grid can be made of these, in its order, and trains a receiver: some carrier is known
    on every stream, and not zero on all."""
    names = "occupied_carriers", "pilot_carriers", "pilot_symbols", "sync_words"
    named = dict(zip((*names, "symbols_skipped", "shifted"), carriers))
    try:
        grid = ofdm_grid(fft_len, cp_len, num_tx, **named)
    except (TypeError, ValueError):
        return False
    sets = len(named.get("pilot_carriers", ()))
    values, known = grid.known(grid.num_sync_words() + max(sets, 1))
    return bool((known.all(0) & (values != 0).any(0)).any())


def in_braces(values, text):
    """Values in lists as C++ initializes vectors with them; text: of one value."""
    if isinstance(values, (int, float, complex, np.number)):
        return text(values)
    return "{ " + ", ".join(in_braces(value, text) for value in values) + " }"


def cpp_integers(values):
    """Integers in lists of any depth."""
    return in_braces(values, lambda value: str(int(value)))


def cpp_sets(values):
    """Complex [set][k], the same for every stream, or [stream][set][k]."""
    of_streams = len(values) > 0 and len(values[0]) > 0 and np.ndim(values[0][0]) > 0
    if not of_streams and len(values) > 0:
        values = [values]
    return in_braces(
        values, lambda z: f"{{ {float(np.real(z))!r}, {float(np.imag(z))!r} }}"
    )
