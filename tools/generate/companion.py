#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""A detector's equalizer block as GNU Radio Companion takes it (.block.yml)."""

import re

import equalizer
import yaml

from gnuradio import reservoir

NAMED = ["bpsk", "qpsk", "8psk", "16qam"]
CONSTELLATION = (
    "${constellation if constellation_type == 'object' else constellation_type.python}"
)
DTYPES = {
    "int": "int",
    "float": "real",
    "bool": "bool",
    "str": "enum",
    "List[int]": "int_vector",  # takes one number, too
}
INFINITE = "float('inf')"


def scalar(text):
    """As YAML: plain where that is read as the same text."""
    plain = re.fullmatch(r"[A-Za-z0-9$][^:#'\"]*", text)
    if plain and (text.startswith("${") or yaml.safe_load(text) == text):
        return text
    if text.startswith("${") and ": " not in text and " #" not in text:
        return text
    return "'" + text.replace("'", "''") + "'"


def flow(items):
    """A list in brackets."""
    quoted = [scalar(item) for item in items]
    lines = [""]
    for item in quoted:
        if "," in item and not item.startswith("'"):
            item = f"'{item}'"
        if lines[-1] and len(lines[-1]) + len(item) > 80:
            lines.append("")
        lines[-1] += item + ", "
    return "[" + ("\n" + " " * 12).join(line.rstrip() for line in lines)[:-1] + "]"


def label(parameter):
    return parameter["label"] or parameter["name"].replace("_", " ").title()


def number(value):
    return repr(int(value) if value.is_integer() else value)


def interval(parameter, name):
    """The range of one number as a Python condition, or nothing."""
    low, high = parameter["low"], parameter["high"]
    if low is None and high is None and parameter["type"] == "int":
        return ""
    if low is not None and low == high:
        return f"{name} == {number(low)}"
    text = name
    if low is not None:
        sign = "<" if parameter["low_excluded"] else "<="
        text = f"{number(low)} {sign} {text}"
    elif parameter["type"] != "int":
        text = f"-{INFINITE} < {text}"
    if high is not None:
        sign = "<" if parameter["high_excluded"] else "<="
        text = f"{text} {sign} {number(high)}"
    elif parameter["type"] != "int":
        text = f"{text} < {INFINITE}"
    if parameter["special"] is not None:
        text = f"{name} == {number(parameter['special'])} or {text}"
    return text


def asserts(parameter):
    name = parameter["name"]
    if parameter["type"] in ("int", "float"):
        yield from filter(None, [interval(parameter, name)])
    elif parameter["type"] in ("List[int]", "List[float]"):
        if parameter["type"] == "List[int]":
            yield f"len({name}) > 0"
        yield f"all({interval(parameter, 'x')} for x in {name})"


def hide(parameter):
    """Whether Companion shows it: on the block, among its properties (part), or nowhere."""
    level = "'part'" if parameter["rarely"] else "'none'"
    if parameter["on_block"]:
        level = f"'none' if {parameter['on_block']} else 'part'"
        if parameter["when"]:
            level = f"({level})"
    if parameter["low"] is not None and parameter["low"] == parameter["high"]:
        only = number(parameter["low"])
        # what makes a block invalid can be seen
        return f"${{ 'all' if {parameter['name']} == {only} else 'none' }}"
    if parameter["when"]:
        return f"${{ {level} if {parameter['when']} else 'all' }}"
    if parameter["on_block"]:
        return f"${{ {level} }}"
    return {"'none'": "", "'part'": "part"}[level]


def entry(key, name, dtype, default, hidden, tab="", words=()):
    """A parameter's section."""
    lines = [f"-   id: {key}", f"    label: {scalar(name)}"]
    if tab:
        lines.append(f"    category: {tab}")
    is_constellation = dtype == "constellation"
    lines.append(f"    dtype: {'enum' if is_constellation else dtype}")
    lines.append(f"    default: {scalar(default)}")
    if dtype == "bool":
        words = [("True", "Yes"), ("False", "No")]
    if is_constellation:
        words = [(word, word.upper()) for word in NAMED]
        words += [("object", "Object (Python only)")]
    if words:
        lines.append(f"    options: {flow([value for value, _ in words])}")
        lines.append(f"    option_labels: {flow([text for _, text in words])}")
    if is_constellation:
        python = [f"digital.constellation_{word}().base()" for word in NAMED] + [""]
        cpp = [f"digital::constellation_{word}::make()" for word in NAMED]
        cpp += ["constellation_objects_are_for_python_only"]
        lines += [
            "    option_attributes:",
            f"        python: {flow(python)}",
            f"        cpp: {flow(cpp)}",
            f"        bits: {flow(['1', '2', '3', '4', '0'])}",
        ]
    if hidden:
        lines.append(f"    hide: {scalar(hidden)}")
    return lines


def ordered(kind):
    """A detector's own parameters, ports first and tabs together as Companion shows them."""
    own = [p for p in kind["parameters"] if p["name"] != "constellation"]
    tabs = list(dict.fromkeys(p["tab"] for p in own))
    return sorted(own, key=lambda p: (p["tab"] != "", tabs.index(p["tab"])))


def parameters(kind):
    for one in equalizer.entries(kind):
        yield from entry(
            one.id, one.label, one.dtype, one.default, one.hide, words=one.words
        )
    for one in ordered(kind):
        if one["type"].endswith("constellation"):
            raise ValueError(
                f"{one['name']}: a block has one constellation, of this name"
            )
        default = one["default"]
        yield from entry(
            one["name"],
            label(one),
            DTYPES.get(one["type"], "raw"),
            default if isinstance(default, str) else repr(default),
            hide(one),
            one["tab"],
            one["words"],
        )


def conditions(kind):
    for one in equalizer.entries(kind):
        yield from one.asserts
    for one in ordered(kind):
        yield from asserts(one)
    for _, _, condition in kind["rules"]:
        if condition:
            yield condition


def python_value(parameter):
    name = parameter["name"]
    if name == "constellation":
        return CONSTELLATION
    return f'"${{{name}}}"' if parameter["type"] == "str" else f"${{{name}}}"


def python_make(kind):
    own = ",\n".join(
        f"        {p['name']}={python_value(p)}" for p in kind["parameters"]
    )
    arguments = ["sps", "training_sequence", "training_start_tag", "payload_len"]
    shared = [(name, f"${{{name}}}") for name in arguments]
    if kind["adapts"]:
        shared += [("adapt_after_training", "${adapt_after_training}")]
    shared += [("constellation", CONSTELLATION)]
    if kind["trains_in_epochs"]:
        shared += [("background_training", "${background_training}")]
    shared += [("workers", "${workers}"), ("use_history", "${use_history}")]
    if equalizer.decides(kind):
        shared += [("hurry_above", "${hurry_above}")]
    shared += [("tag_at", "${tag_at}"), ("soft_output", "${soft_output}")]
    if equalizer.takes_unknown_pilots(kind):
        shared[1] = (
            "training_sequence",
            "${training_sequence if known_symbols == 'None' else '[]'}",
        )
        shared += [("known_symbols", "${known_symbols}")]
    rest = ",\n".join(f"    {name}={value}" for name, value in shared)
    return f"""\
reservoir.equalizer(
    reservoir.{kind['name']}(
{own}),
{rest})
self.${{id}}.set_freeze(${{freeze}})
"""


def cpp_value(parameter):
    name = parameter["name"]
    if name == "constellation":
        return "${constellation_type.cpp}"
    return {
        "str": f'"${{{name}}}"',
        "bool": f"${{str({name}()).lower()}}",
        "List[float]": f"{{ ${{', '.join(repr(float(x)) for x in {name}())}} }}",
    }.get(parameter["type"], f"${{{name}}}")


def cpp_make(kind):
    own = ",\n".join(f"        {cpp_value(p)}" for p in kind["parameters"])
    adapts, background = "false", "false"
    used = "soft_output()"
    hurry = "0"
    known = ""
    if equalizer.takes_unknown_pilots(kind):
        known = """\
    if known_symbols() is not None:
        if payload == 0:
            raise ValueError('Payload Length = 0 with Known Symbols: for Python only')
        length = known_symbols().length(payload)
        training = known_symbols().training(length)
        payload = length - training.shape[-1]
"""
    if kind["adapts"]:
        adapts = "${str(adapt_after_training()).lower()}"
        used = "(adapt_after_training() or soft_output())"
    unused = f"constellation_type == 'object' and not {used}"
    constellation = f"${{'nullptr' if {unused} else constellation_type.cpp}}"
    if equalizer.decides(kind):
        constellation = "${constellation_type.cpp}"
        hurry = "${hurry_above}"
    if kind["trains_in_epochs"]:
        background = "${str(background_training()).lower()}"
    return f"""\
<%
    import json
    import numpy
    training, payload = numpy.asarray(training_sequence(), dtype=numpy.complex64), payload_len()
{known}    part = lambda x: repr(float(x)) if x == x else 'NAN'
    rows = ',\\n    '.join(
        '{{ ' + ', '.join('{{ %s, %s }}' % (part(x.real), part(x.imag)) for x in row) + ' }}'
        for row in numpy.atleast_2d(training))
%>\\
const reservoir::stream_matrix ${{id}}_training_sequence = {{
    ${{rows}}
}};
this->${{id}} = reservoir::equalizer::make(
    reservoir::{kind['name']}::make(
{own}),
    ${{sps}},
    ${{id}}_training_sequence,
    ${{json.dumps(training_start_tag())}},
    ${{payload}},
    {adapts},
    {constellation},
    {background},
    ${{workers}},
    ${{str(use_history()).lower()}},
    {hurry},
    ${{tag_at}},
    ${{str(soft_output()).lower()}});
this->${{id}}->set_freeze(${{str(freeze()).lower()}});
"""


def sentence(text):
    return text if text.endswith(".") else text + "."


def meaning(parameter, rules):
    """What a parameter is, in which unit, and what is allowed: one line."""
    text = parameter["text"]
    if parameter["words"]:
        words = [f"{shown} ('{value}')" for value, shown in parameter["words"]]
        text += "; " + ", ".join(words)
    elif parameter["range"]:
        text += "; " + parameter["range"]
    for name, allowed, _ in rules:
        if name == parameter["name"]:
            text += f"; must be {allowed}"
    return sentence(text)


def message_lines(kind):
    yield "command (in): a dictionary or a single pair, one of"
    for name, value, text in equalizer.COMMANDS + kind["commands"]:
        yield f'    {{"{name}": {value}}}: {text}'
    yield "report (out): a dictionary for each training, with"
    for field in reservoir.training_report.fields():
        if kind["trains_in_epochs"] or not field["of_descent"]:
            yield f"    {field['name']}: {field['text']}"
    for name, text in equalizer.COUNTS:
        yield f"    {name}: {text}"
    if kind["trains_in_epochs"]:
        fields = reservoir.training_report.progress_fields()
        names = ", ".join([field["name"] for field in fields] + ["offset"])
        yield f"With background training also a dictionary for each epoch: {names}."


def documentation(kind):
    """A line that ends in a colon at the margin is a heading in Companion."""
    what = [text for text in (kind["brief"], kind["details"], kind["caution"]) if text]
    what += [equalizer.BEHAVIOUR]
    lines = ["\n\n".join(what)]
    lines += ["", "Input:", equalizer.INPUT, "", "Output:", equalizer.OUTPUT]
    lines += ["", "Messages:", *message_lines(kind), "", "Parameters:"]
    lines += [
        f"{one.label}: {sentence(one.text)}"
        for one in equalizer.entries(kind)
        if one.text
    ]
    lines += [f"{label(one)}: {meaning(one, kind['rules'])}" for one in ordered(kind)]
    lines += ["", equalizer.CPP]
    lines += ["", f"Keywords: {kind['keywords']}."]
    return "\n".join(lines)


def indented(text, depth=4):
    return "\n".join(
        " " * depth + line if line else "" for line in text.rstrip().split("\n")
    )


SOFT_PORTS = """\
-   domain: stream
    id: soft
    dtype: float
    vlen: ${ int(constellation_type.bits) if constellation_type != 'object' else \
constellation.bits_per_symbol() if constellation else 1 }
    multiplicity: ${ num_outputs }
    hide: ${ not soft_output }
"""


def port(count, message, more=""):
    return f"""\
-   domain: stream
    dtype: complex
    multiplicity: ${{ {count} }}
{more}-   domain: message
    id: {message}
    optional: true
"""


def block(kind):
    """The whole file."""
    name = kind["name"]
    family = f" ({kind['family']})" if kind["family"] else ""
    includes = ["#include <gnuradio/digital/constellation.h>"]
    includes += ["#include <gnuradio/reservoir/equalizer.h>"]
    includes += [f"#include <gnuradio/reservoir/{name}.h>"]
    setters = ["set_adapt_after_training(${adapt_after_training})"] * kind["adapts"]
    setters += ["set_freeze(${freeze})"]
    lines = "\n".join(f"    - {setter}" for setter in setters)
    return f"""\
# Written by `make generate` from what include/gnuradio/reservoir/{name}.h says. Edit that.
id: reservoir_{name}_equalizer
label: {kind['title']} Equalizer{family}
category: '[Reservoir]/Equalizers'
flags: [ python, cpp ]

parameters:
{chr(10).join(parameters(kind))}

inputs:
{port('num_inputs', 'command')}
outputs:
{port('num_outputs', 'report', SOFT_PORTS)}
asserts:
{chr(10).join(f"- ${{ {condition} }}" for condition in conditions(kind))}

templates:
    imports: from gnuradio import digital, reservoir
    make: |-
{indented(python_make(kind), 8)}
    callbacks:
    - set_training_sequence(${{training_sequence}})
{lines}

cpp_templates:
    includes: {flow(includes)}
    declarations: 'reservoir::equalizer::sptr ${{id}};'
    make: |-
{indented(cpp_make(kind), 8)}
    callbacks:
    - set_training_sequence({{ ${{training_sequence}} }})
{lines}
    link: ['gnuradio::gnuradio-reservoir', 'gnuradio::gnuradio-digital']
    packages: [gnuradio-reservoir]

documentation: |-
{indented(documentation(kind))}

file_format: 1
"""
