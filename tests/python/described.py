#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Arguments, good and bad, made from what the detectors say of their parameters."""

import ast
import itertools

import numpy as np

NAN, INF = float("nan"), float("inf")
# of another type; pybind11 takes None for False
WRONG_TYPES = {
    "int": ["1", 1.5, None, [1]],
    "float": ["1", None, [1.0]],
    "bool": ["True", []],
    "str": [1, None, ["ls"]],
    "List[float]": [1.0, "1", ["1"], None],
}
WRONG_CONSTELLATIONS = [1, "qpsk", [1, -1]]


def beyond(parameter, end):
    """The value nearest to an end of the range that is not in it, and one far away."""
    limit, outward = parameter[end], {"low": -1, "high": 1}[end]
    if parameter["type"] == "int":
        values = [int(limit) + outward, int(limit) + 1000 * outward]
    elif parameter[f"{end}_excluded"]:
        values = [limit, limit + outward]
    else:
        values = [float(np.nextafter(limit, outward * INF)), limit + outward]
    if parameter["special"] in values:
        values[values.index(parameter["special"])] += outward
    return values


def ends(parameter):
    """The outermost values that are allowed, and the one apart from the range."""
    whole = parameter["type"] == "int"
    values = []
    for end, inward in (("low", INF), ("high", -INF)):
        limit = parameter[end]
        if limit is None:
            continue
        if parameter[f"{end}_excluded"]:
            limit = float(np.nextafter(limit, inward))
        values.append(int(limit) if whole else limit)
    if parameter["special"] is not None:
        values.append(int(parameter["special"]) if whole else parameter["special"])
    return values


def out_of_range(parameter):
    """Values of the right type that must be refused."""
    if parameter["type"] == "str":
        words = [value for value, _ in parameter["words"]]
        return ["", "no such word", words[0].upper(), words[0] + " "]
    if parameter["type"] in ("bool",) or parameter["type"].endswith("constellation"):
        return []
    values = [
        value
        for end in ("low", "high")
        if parameter[end] is not None
        for value in beyond(parameter, end)
    ]
    if parameter["type"] != "int":
        values += [NAN, INF, -INF]
        if parameter["special"] is not None:  # between it and the range
            values.append((parameter["special"] + (parameter["low"] or 0.0)) / 2)
    if parameter["type"] == "List[float]":
        return [[value] for value in values] + [[1.0, value, 1.0] for value in values]
    return values


def wrong_types(parameter):
    return WRONG_TYPES.get(parameter["type"], WRONG_CONSTELLATIONS)


def allowed(parameter):
    """Values that are in the range, whatever the rules say: default, ends, every word."""
    if parameter["type"] == "str":
        return [value for value, _ in parameter["words"]]
    if parameter["type"] == "bool":
        return [False, True]
    if parameter["type"] == "List[float]":
        return [[], [1.0], [1.0, 0.5], [0.0, 1.0], [1.0, 0.0]]
    if parameter["type"].endswith("constellation"):
        return [None]
    return [parameter["default"], *ends(parameter)]


def refused_by_rules(kind, values):
    """Names of the parameters that the rules refuse in these arguments."""
    arguments = {p["name"]: p["default"] for p in kind["parameters"]} | values
    return {
        name
        for name, _, condition in kind["rules"]
        if not eval(condition, {}, arguments)
    }


def combinations(kind):
    """Every combination of allowed values of what the rules are about."""
    names = {
        node.id
        for _, _, condition in kind["rules"]
        for node in ast.walk(ast.parse(condition))
        if isinstance(node, ast.Name)
    }
    parameters = [p for p in kind["parameters"] if p["name"] in names]
    for values in itertools.product(*map(allowed, parameters)):
        yield {p["name"]: value for p, value in zip(parameters, values)}
