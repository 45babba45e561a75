#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Receivers that learn on a frame's pilots: equalizers whose recurrent network is fixed (ESN),
configured from the channel, or trained, with the link around them."""

# registers the constellation types that detectors take
from gnuradio import digital as _digital

from .link import exponential_profile, software_channel
from .reservoir_python import *


def __getattr__(name):
    if name == "training_monitor":  # only those who draw import Qt
        from .gui.training_monitor import training_monitor

        return training_monitor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
