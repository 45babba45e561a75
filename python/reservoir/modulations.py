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


def gray_16qam():
    """16-QAM whose neighbours differ in one bit; GNU Radio's own is not Gray-coded."""
    levels = np.array([-3, -1, 3, 1]) / np.sqrt(10)  # of the labels 0, 1, 2, 3
    points = [complex(levels[k >> 2], levels[k & 3]) for k in range(16)]
    return digital.constellation_calcdist(points, [], 4, 1)


def nearest(points, symbols):
    """Indices of the points that symbols, of any shape, are nearest to."""
    return np.abs(np.asarray(symbols)[..., None] - points).argmin(-1)
