#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Receivers that are trained on a frame's pilots: equalizers whose recurrent network is fixed
(ESN), configured from the channel, or trained, with the link around them."""

import importlib as _importlib

# registers the constellation types that detectors take
from gnuradio import digital as _digital

from .air import simulated_air
from .link import exponential_profile, pulse_shaper, software_channel
from .packets import packet_capacity, packet_decoder, packet_encoder, packet_format
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


def detectors():
    return {"fir": fir, "esn": esn, "configured_esn": configured_esn, "rnn": rnn}


_linear = "regularization update forgetting num_inputs num_outputs"
for _kind, _names in {
    "fir": "num_taps delay " + _linear,
    "esn": "num_neurons window delay spectral_radius sparsity input_scaling activation seed "
    + _linear,
    "configured_esn": "constellation channel_len feedback survivors refits max_frequency_offset "
    "phase_noise num_neurons num_inputs num_outputs",
    "rnn": "num_neurons window delay activation optimizer learning_rate epochs seed num_inputs "
    "num_outputs",
}.items():
    detectors()[_kind].parameters = staticmethod(
        lambda names=_names.split(): [{"name": name} for name in names]
    )
