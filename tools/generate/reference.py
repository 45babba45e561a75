#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""docs/detectors.md: every parameter, figure and command of every detector."""

import textwrap

import equalizer
import ofdm

from gnuradio import reservoir

START = """\
# Detectors

Written by `make generate` from what the headers in `include/gnuradio/reservoir` say. In Python the same is
told by `help(reservoir.esn)`, `reservoir.esn.parameters()` and `reservoir.detector_kinds()`;
`reservoir.detectors()` has every class by its name.

Arguments may be given by name or in this order. What is out of range is refused with a `ValueError` that names
the parameter, its value and what is allowed, what is of another type with a `TypeError` that names the
parameter. Values that are not finite are never allowed.
"""

REPORT = """\
## The training report

`fit()` and `report()` give a `training_report`: attributes, or as a mapping. The equalizer block sends the same as
a dictionary on its message port `report`. A figure that does not apply is NaN, 0 or empty.
"""

DESCENT = """\
Only of detectors that are trained by gradient descent; one entry per epoch, before its step, where there are
several:
"""

BLOCK = """\
## Messages of the equalizer block

The port `report` sends, beside these:
"""

COMMANDS = """\
The port `command` takes dictionaries, or a single pair. A command that cannot be carried out is logged and
changes nothing.
"""


OFDM = """\
# Detectors of OFDM frames

They are trained on the carriers that are known: `receive(samples, pilots or ofdm_grid)`, or the block
`ofdm_equalizer`. `reservoir.ofdm_detector_kinds()` has what follows.
"""

OFDM_BLOCK = """\
## Messages of the OFDM equalizer block

The port `report` sends a dictionary for each frame, with the training report's figures and these:
"""


def cell(text):
    return str(text).replace("|", "\\|")


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(cell, line)) + " |" for line in lines) + "\n"


def wrapped(text):
    return "\n\n".join(textwrap.fill(piece, 116) for piece in text.split("\n\n"))


def default(parameter):
    value = parameter["default"]
    return "QPSK" if value is None else f"`{value!r}`"


def allowed(parameter):
    if parameter["type"] == "bool":
        return "`True`, `False`"
    if parameter["words"]:
        return ", ".join(f"`{value!r}`" for value, _ in parameter["words"])
    if parameter["type"].endswith("constellation"):
        return "any of `digital`, such as `qpsk.base()`"
    if parameter["type"].endswith("ofdm_detector]"):
        return "detectors of OFDM frames"
    if parameter["type"].startswith("List["):
        return f"each {parameter['range']}"
    return parameter["range"]


def section(kind):
    yield f"## {kind['title']}: `reservoir.{kind['name']}`\n"
    for text in (kind["brief"], kind["details"], kind["caution"]):
        if text:
            yield wrapped(text) + "\n"
    rows = []
    for one in kind["parameters"]:
        rows.append([f"`{one['name']}`", default(one), allowed(one), one["text"]])
    yield table(["parameter", "default", "range", "meaning"], rows)
    if kind["rules"]:
        yield "Between them:\n"
        yield "".join(f"- `{name}` must be {text}\n" for name, text, _ in kind["rules"])


def fields(of_descent):
    return [
        [f"`{field['name']}`", field["text"]]
        for field in reservoir.training_report.fields()
        if field["of_descent"] == of_descent
    ]


def commands(kinds):
    for name, value, text in equalizer.COMMANDS:
        yield [f'`{{"{name}": {value}}}`', "every detector", text]
    for kind in kinds:
        for name, value, text in kind["commands"]:
            yield [f'`{{"{name}": {value}}}`', kind["title"], text]


def page(kinds, of_ofdm):
    """The whole file."""
    pieces = [START]
    for kind in kinds:
        pieces += section(kind)
    pieces += [REPORT, table(["figure", "meaning"], fields(False))]
    pieces += [DESCENT, table(["figure", "meaning"], fields(True))]
    counts = [[f"`{name}`", text] for name, text in equalizer.COUNTS]
    pieces += [BLOCK, table(["entry", "meaning"], counts)]
    progress = reservoir.training_report.progress_fields()
    names = ", ".join(f"`{field['name']}`" for field in progress)
    pieces += [
        "While a training by descent runs in the background, it also sends a dictionary "
        f"for each epoch with\n{names} and `offset`.\n"
    ]
    pieces += [
        COMMANDS,
        table(["command", "of", "what it does"], list(commands(kinds))),
    ]
    pieces += [OFDM]
    for kind in of_ofdm:
        pieces += section(kind)
    counts = [[f"`{name}`", text] for name, text in ofdm.COUNTS]
    pieces += [OFDM_BLOCK, table(["entry", "meaning"], counts)]
    return "\n".join(pieces)
