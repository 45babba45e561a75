#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What GNU Radio Companion evaluates in the asserts of this module's blocks, and shows where they fail."""

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


def is_ofdm_grid(
    fft_len,
    cp_len,
    num_tx,
    occupied_carriers,
    pilot_carriers,
    pilot_symbols,
    sync_words,
    symbols_skipped=0,
    shifted=True,
):
    """Whether an ofdm_grid can be made of these, and trains a receiver: some carrier is known on every
    stream, and not zero on all."""
    try:
        grid = ofdm_grid(
            fft_len,
            cp_len,
            num_tx,
            occupied_carriers=occupied_carriers,
            pilot_carriers=pilot_carriers,
            pilot_symbols=pilot_symbols,
            sync_words=sync_words,
            symbols_skipped=symbols_skipped,
            shifted=shifted,
        )
    except (TypeError, ValueError):
        return False
    values, known = grid.known(grid.num_sync_words() + max(len(pilot_carriers), 1))
    return bool((known.all(0) & (values != 0).any(0)).any())
