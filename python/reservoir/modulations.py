#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The modulations that programs and campaigns know by name. An index of a point is its label."""

import numpy as np

from gnuradio import digital

CONSTELLATIONS = {
    "bpsk": digital.constellation_bpsk,
    "qpsk": digital.constellation_qpsk,
    "8psk": digital.constellation_8psk,
    "16qam": digital.constellation_16qam,
}
LABELS = {"bpsk": "BPSK", "qpsk": "QPSK", "8psk": "8-PSK", "16qam": "16-QAM"}


def unit_power_points(modulation):
    """The points at unit mean power."""
    points = np.array(CONSTELLATIONS[modulation]().points())
    return points / np.sqrt(np.mean(np.abs(points) ** 2))


def nearest(points, symbols):
    """Indices of the points that symbols, of any shape, are nearest to."""
    return np.abs(np.asarray(symbols)[..., None] - points).argmin(-1)
