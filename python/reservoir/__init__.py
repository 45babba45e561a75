#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Receivers that learn on a frame's pilots: equalizers whose recurrent network is fixed (ESN),
configured from the channel, or trained, with the link around them."""

from gnuradio import digital as _digital  # registers the constellation types that detectors take

from .link import exponential_profile, software_channel
from .reservoir_python import *
