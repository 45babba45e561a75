#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Every bad argument is refused with a ValueError that names it."""

import numpy as np
import pytest
from gnuradio import reservoir

NAN, INF = float("nan"), float("inf")
READOUT = [
    ("delay", [-2, 24, 1000]),
    ("regularization", [-2.0, -0.5, NAN, INF]),
    ("update", ["", "lms", "LS"]),
    ("forgetting", [0.0, 0.5, 1.01, -1.0, NAN]),
    ("num_inputs", [0, -1, 65]),
    ("num_outputs", [0, -1, 65]),
]
TABLES = {
    reservoir.fir: READOUT + [("num_taps", [0, -1, 1025])],
    reservoir.esn: READOUT
    + [
        ("num_neurons", [0, -1, 1025]),
        ("window", [0, -1, 1025]),
        ("spectral_radius", [-0.1, 2.1, NAN]),
        ("sparsity", [-0.1, 1.0, NAN]),
        ("input_scaling", [-1.0, 101.0, NAN]),
        ("activation", ["", "relu", "tanh"]),
        ("seed", [-1]),
    ],
    reservoir.rnn: [
        ("num_neurons", [0, -1, 1025]),
        ("window", [0, -1, 1025]),
        ("delay", [-1, 1024]),
        ("activation", ["", "relu", "tanh"]),
        ("optimizer", ["", "sgd", "Adam"]),
        ("learning_rate", [0.0, -1.0, 101.0, NAN]),
        ("momentum", [-0.1, 1.0, NAN]),
        ("epochs", [-1, 1000001]),
        ("gradient_clip", [-1.0, NAN, INF]),
        ("spectral_radius", [-0.1, 2.1, NAN]),
        ("seed", [-1]),
        ("num_inputs", [0, -1, 65]),
        ("num_outputs", [0, -1, 65]),
        ("input_scaling", [-1.0, 101.0, NAN]),
        ("warm_up", [-1, 1000001]),
        ("held_out", [-0.1, 0.6, NAN]),
        ("patience", [-1, 5]),
        ("restarts", [0, 1001]),
        ("condition_every", [-1]),
        ("eigenvalues_every", [-1]),
    ],
}
CASES = [
    pytest.param(make, name, value, id=f"{make.__name__}-{name}-{value}")
    for make, table in TABLES.items()
    for name, values in table
    for value in values
]


@pytest.mark.parametrize("make, name, value", CASES)
def test_constructor(make, name, value):
    with pytest.raises(ValueError, match=name):
        make(**{name: value})


def test_the_message_says_value_and_range():
    with pytest.raises(ValueError, match=r"num_taps = 0: must be 1 to 1024"):
        reservoir.fir(num_taps=0)
    with pytest.raises(ValueError, match=r"spectral_radius = 1.5: must be below 1"):
        reservoir.esn(activation="identity", spectral_radius=1.5)


R, X = np.ones(100), np.ones(20)


@pytest.mark.parametrize(
    "call, name",
    [
        (lambda d: d.fit(R, X, sps=0), "sps"),
        (lambda d: d.fit(R, []), "pilots"),
        (lambda d: d.fit(R, [NAN]), "pilots"),
        (lambda d: d.fit(R, np.ones((2, 20))), "pilots"),
        (lambda d: d.fit(np.ones((2, 100)), X), "received"),
        (lambda d: d.fit(np.ones((1, 1, 100)), X), "received"),
        (lambda d: d.fit(np.ones(19), X), "received"),
        (lambda d: d.fit(np.ones(38), X, sps=2), "received"),
        (lambda d: d.receive(R, X, payload_len=-2), "payload_len"),
        (lambda d: d.receive(R, X, payload_len=81), "payload_len"),
        (lambda d: (d.fit(R, X), d.detect(R, sps=2)), "sps"),
        (lambda d: d.detect(R, sps=-1), "sps"),
        (lambda d: d.detect(np.ones((2, 9))), "received"),
    ],
)
@pytest.mark.parametrize("make", TABLES)
def test_methods(make, call, name):
    with pytest.raises(ValueError, match=name):
        call(make())


@pytest.mark.parametrize("make", TABLES)
def test_detect_before_fit(make):
    with pytest.raises(RuntimeError, match="fit first"):
        make().detect(R)
