#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Receivers that learn on a frame's pilots: equalizers whose recurrent network is fixed (ESN),
configured from the channel, or trained, with the link around them."""

import importlib as _importlib

from gnuradio import digital as _digital  # registers the constellation types that detectors take

from .link import exponential_profile, software_channel
from .reservoir_python import *


def __getattr__(name):
    if name == "theory":  # on first use: it brings scipy along, which no receiver needs
        return _importlib.import_module(".theory", __name__)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
