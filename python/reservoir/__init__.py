#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Receivers that are trained on a frame's pilots: equalizers whose recurrent network is fixed
(ESN), configured from the channel, or trained, with the link around them."""

import importlib as _importlib

# registers the constellation types that detectors take
from gnuradio import digital as _digital

from .air import simulated_air
from .companion import has_known, is_finite, is_ofdm_grid, num_rows
from .link import (
    exponential_profile,
    named_channel,
    pulse_shaper,
    software_channel,
)
from .ofdm import ofdm_rx
from .reservoir_python import *


def __getattr__(name):
    """On first use: what brings along more than a receiver needs."""
    if name == "theory":  # scipy
        return _importlib.import_module(".theory", __name__)
    if name == "training_monitor":  # Qt
        return _importlib.import_module(
            ".gui.training_monitor", __name__
        ).training_monitor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
