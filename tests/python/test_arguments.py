#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Every bad argument is refused with a ValueError that names it."""

import described
import numpy as np
import pytest

from gnuradio import reservoir

NAN, INF = float("nan"), float("inf")
KINDS = reservoir.detector_kinds()
DETECTORS = reservoir.detectors()
each_kind = pytest.mark.parametrize("kind", KINDS, ids=[kind["name"] for kind in KINDS])
# Values that are near to what is meant, beside those that the descriptions yield.
LIKELY_MISTAKES = {
    "activation": ["relu", "tanh"],
    "held_out": [0.6],
    "optimizer": ["sgd", "Adam"],
    "patience": [5],
    "regularization": [-0.5, -2.0],
    "update": ["lms", "LS"],
}
# In the range, but a network of no recurrent weight is refused, and the largest takes long to draw.
EXCEPT = [("esn", "sparsity", np.nextafter(1.0, 0.0)), ("esn", "num_neurons", 1024)]
CASES = [
    pytest.param(
        kind, parameter, value, id=f"{kind['name']}-{parameter['name']}-{value}"
    )
    for kind in KINDS
    for parameter in kind["parameters"]
    for value in described.out_of_range(parameter)
    + LIKELY_MISTAKES.get(parameter["name"], [])
]
TYPE_CASES = [
    pytest.param(
        kind, parameter, value, id=f"{kind['name']}-{parameter['name']}-{value}"
    )
    for kind in KINDS
    for parameter in kind["parameters"]
    for value in described.wrong_types(parameter)
]


@pytest.mark.parametrize("kind, parameter, value", CASES)
def test_constructor(kind, parameter, value):
    name = parameter["name"]
    with pytest.raises(ValueError, match=rf"^{name}\b"):
        DETECTORS[kind["name"]](**{name: value})


@pytest.mark.parametrize("kind, parameter, value", TYPE_CASES)
def test_type(kind, parameter, value):
    name = parameter["name"]
    with pytest.raises(TypeError, match=rf"^{name} = .*: must be "):
        DETECTORS[kind["name"]](**{name: value})


@each_kind
def test_every_parameter_has_a_bad_value(kind):
    for parameter in kind["parameters"]:
        assert described.out_of_range(parameter) or parameter["type"] in (
            "bool",
            "gnuradio.digital.digital_python.constellation",
        ), parameter["name"]


@each_kind
def test_every_value_in_the_range_is_taken(kind):
    for parameter in kind["parameters"]:
        for value in described.allowed(parameter):
            arguments = {parameter["name"]: value}
            if (kind["name"], parameter["name"], value) in EXCEPT:
                continue
            if not described.refused_by_rules(kind, arguments):
                DETECTORS[kind["name"]](**arguments)


@each_kind
def test_rules_between_parameters(kind):
    """Whatever is within the ranges is refused where the rules say so, and only there."""
    refusing = set()
    for arguments in described.combinations(kind):
        refused = described.refused_by_rules(kind, arguments)
        refusing |= refused
        if refused:
            with pytest.raises(ValueError) as error:
                DETECTORS[kind["name"]](**arguments)
            assert str(error.value).split(" = ")[0] in refused, arguments
        else:
            DETECTORS[kind["name"]](**arguments)
    assert refusing == {name for name, _, _ in kind["rules"]}


@each_kind
def test_names_and_number_of_arguments(kind):
    make = DETECTORS[kind["name"]]
    standard = [parameter["default"] for parameter in kind["parameters"]]
    make(*standard)
    with pytest.raises(TypeError, match="arguments"):
        make(*standard, 1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'no_such'"):
        make(no_such=1)
    with pytest.raises(TypeError, match=f"'{kind['parameters'][0]['name']}' twice"):
        make(standard[0], **{kind["parameters"][0]["name"]: standard[0]})


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
@pytest.mark.parametrize("make", DETECTORS.values(), ids=DETECTORS)
def test_methods(make, call, name):
    with pytest.raises(ValueError, match=name):
        call(make())


@pytest.mark.parametrize("make", DETECTORS.values(), ids=DETECTORS)
def test_detect_before_fit(make):
    with pytest.raises(RuntimeError, match="fit first"):
        make().detect(R)
