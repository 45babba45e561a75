#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The type stub of the compiled module, from the signatures in pybind11's docstrings."""

import ast
import re
import textwrap

WIDTH = 88

HEAD = '''\
# Written by `make generate` from the compiled module. Do not edit.
"""{documentation}"""

from typing import Any, Callable, Iterator, Optional, Sequence, Union

import numpy
from numpy.typing import ArrayLike, NDArray

from gnuradio import digital, gr
'''

# Names of types as pybind11 has them, which differ between its versions, as patterns, and ours
TYPES = [
    (r"gnuradio\.reservoir\.reservoir_python\.", ""),
    (r"gnuradio\.digital\.digital_python\.", "digital."),
    (r"gnuradio\.gr\.gr_python\.", "gr."),
    (r"numpy\.ndarray\[(numpy\.\w+)\]", r"NDArray[\1]"),
    (r"numpy\.typing\.NDArray\b", "NDArray"),
    (r"(typing\.)?Annotated\[numpy\.typing\.ArrayLike, (numpy\.\w+)\]", r"NDArray[\2]"),
    (r"\bcollections\.abc\.", ""),
    (r"\btyping\.SupportsFloat( \| typing\.SupportsIndex)?", "float"),
    (r"\btyping\.SupportsInt( \| typing\.SupportsIndex)?", "int"),
    (r"\btyping\.", ""),
    (r"\bList\[", "list["),
    (r"\bTuple\[", "tuple["),
    (r"\bobject\b", "Any"),
    (r"(?<![\w.])Iterator\b(?!\[)", "Iterator[Any]"),
]
# what an argument may be, where pybind11 converts
ACCEPTED = [(r"NDArray\[numpy\.\w+\]", "ArrayLike"), (r"\blist\[", "Sequence[")]
# what may be None, which pybind11 does not tell
NONE = {"set_tracking": "constellation", "set_progress": "progress"}


def translate(text, rules):
    for pattern, ours in rules:
        text = re.sub(pattern, ours, text)
    return text


def split(text):
    """At commas outside of brackets and quotes."""
    pieces, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        else:
            depth += (character in "([{<") - (character in ")]}>")
        if character == "," and depth == 0 and not quote:
            pieces.append("")
        else:
            pieces[-1] += character
    return [piece.strip() for piece in pieces if piece.strip()]


def literal(text):
    """A default that Python understands without this module, or dots."""
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return "..."
    return repr(value) if len(repr(value)) < 40 else "..."


def argument(text, function=""):
    declared, _, default = text.partition(" = ")
    name, _, kind = declared.partition(": ")
    if name in ("self", "*", "*args", "**kwargs"):
        return name
    kind = translate(translate(kind, TYPES), ACCEPTED) or "Any"
    if name == NONE.get(function):
        kind = f"Optional[{kind}]"
    if default == "None" and kind != "Any" and not kind.startswith("Optional"):
        kind = f"Optional[{kind}]"
    # pybind11's name for one that has none: it is given by position only
    name = re.sub(r"^arg(\d)$", r"__arg\1", name)
    return f"{name}: {kind}" + (f" = {literal(default)}" if default else "")


def documented(text, depth):
    """Statements of a body: the documentation, if there is any."""
    if not text.strip():
        return None
    text = text.strip().replace("\\", "\\\\").replace('"""', r"\"\"\"")
    lines = []
    for line in text.split("\n"):
        indentation = " " * depth
        lines += textwrap.wrap(
            line,
            WIDTH + 10,
            initial_indent=indentation,
            subsequent_indent=indentation,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    lines[0] = " " * depth + '"""' + lines[0].lstrip()
    end = '"""' if not lines[-1].endswith('"') else ' """'
    return "\n".join(lines) + (end if len(lines) == 1 else "\n" + " " * depth + '"""')


def signature(name, text, depth):
    """The line of a function, without its body, from the first line of its documentation."""
    match = re.match(rf"{re.escape(name)}\((.*)\) -> (.*)$", text)
    if not match:
        raise ValueError(f"{name}: no signature in {text!r}")
    arguments = [argument(piece, name) for piece in split(match[1])]
    result = translate(match[2], TYPES)
    line = f"{' ' * depth}def {name}({', '.join(arguments)}) -> {result}:"
    if len(line) + 4 <= WIDTH:
        return line
    inner = "".join(f"{' ' * depth}    {piece},\n" for piece in arguments)
    return f"{' ' * depth}def {name}(\n{inner}{' ' * depth}) -> {result}:"


def function(name, text, depth, decorator=""):
    first, _, rest = text.partition("\n")
    head = signature(name, first, depth)
    if decorator:
        head = f"{' ' * depth}{decorator}\n{head}"
    body = documented(rest, depth + 4)
    return f"{head}\n{body}" if body else f"{head} ..."


def figures(cls):
    """Types of a report's properties by their names."""
    fields = cls.fields() if hasattr(cls, "fields") else []
    return {field["name"]: translate(field["type"], TYPES) for field in fields}


def members(cls):
    types = figures(cls)
    for name, member in vars(cls).items():
        if isinstance(member, property):
            head = f"    @property\n    def {name}(self) -> {types.get(name, 'Any')}:"
            yield f"{head}\n{documented(member.__doc__, 8)}"
        elif isinstance(member, staticmethod):
            yield function(name, getattr(cls, name).__doc__, 4, "@staticmethod")
        elif name in ("__doc__", "__module__") or not callable(member):
            continue
        elif "(self: " in (member.__doc__ or ""):
            yield function(name, member.__doc__.lstrip(), 4)


def one_class(cls):
    bases = [
        translate(f"{base.__module__}.{base.__name__}", TYPES)
        for base in cls.__bases__
        if not base.__module__.startswith("pybind11")
    ]
    head = f"class {cls.__name__}" + (f"({', '.join(bases)})" if bases else "") + ":"
    pieces = [documented(cls.__doc__ or "", 4), *members(cls)]
    body = "\n\n".join(piece for piece in pieces if piece)
    return f"{head}\n{body}" if body else f"{head} ..."


def module(compiled):
    """The whole file."""
    pieces = [HEAD.format(documentation=compiled.__doc__)]
    things = {
        name: thing
        for name, thing in vars(compiled).items()
        if not name.startswith("__")
    }
    for name, thing in things.items():
        if isinstance(thing, type):
            pieces.append(one_class(thing))
        else:
            pieces.append(function(name, thing.__doc__, 0))
    text = "\n\n".join(pieces) + "\n"
    ast.parse(text)
    return text
