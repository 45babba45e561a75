#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Tables whose entries check themselves: dataclasses whose fields say what they may be."""

import dataclasses
import math


class FieldError(ValueError):
    """What is wrong with an entry, and which."""

    def __init__(self, name, value, allowed):
        super().__init__(f"{name} = {value!r}: must be {allowed}")
        self.name = name


def _field(default, accepted, allowed, text, many=False, real=False):
    """many: a tuple of real numbers; real: 4 and 4.0 are the same."""
    metadata = dict(accepted=accepted, allowed=allowed, text=text, many=many, real=real)
    return dataclasses.field(default=default, metadata=metadata)


def is_number(value):
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole or isinstance(value, float) and math.isfinite(value)


def number(default, low, high, text):
    return _field(
        default,
        lambda value: is_number(value) and low <= value <= high,
        f"a number within {low:g} ... {high:g}",
        text,
        real=True,
    )


def integer(default, low, high, text):
    return _field(
        default,
        lambda value: isinstance(value, int)
        and not isinstance(value, bool)
        and low <= value <= high,
        f"an integer within {low} ... {high}",
        text,
    )


def switch(default, text):
    return _field(default, lambda value: isinstance(value, bool), "true or false", text)


def word(default, words, text):
    return _field(
        default,
        lambda value: isinstance(value, str) and value in words,
        "one of " + ", ".join(words),
        text,
    )


def line(default, text):
    return _field(default, lambda value: isinstance(value, str), "text", text)


def names(default, text, most=64):
    """A tuple of texts; a list in the file."""
    return _field(
        default,
        lambda values: isinstance(values, (tuple, list))
        and len(values) <= most
        and all(isinstance(value, str) for value in values),
        f"a list of at most {most} texts",
        text,
    )


def numbers(default, low, high, text, most=1024):
    """A tuple of numbers; a list in the file."""
    return _field(
        tuple(default),
        lambda values: isinstance(values, (tuple, list))
        and len(values) <= most
        and all(is_number(value) and low <= value <= high for value in values),
        f"a list of at most {most} numbers within {low:g} ... {high:g}",
        text,
        many=True,
    )


class Table:
    """Base of dataclasses whose fields are made by the functions above; ENTRIES: those that a file may
    give, if not all."""

    ENTRIES = None

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not field.metadata["accepted"](value):
                raise FieldError(field.name, value, field.metadata["allowed"])
            if field.metadata["many"]:
                object.__setattr__(self, field.name, tuple(map(float, value)))
            elif field.metadata["real"]:
                object.__setattr__(self, field.name, float(value))

    @classmethod
    def allowed(cls):
        """{name: field}"""
        known = {field.name: field for field in dataclasses.fields(cls)}
        return {name: known[name] for name in cls.ENTRIES or known}

    def check(self):
        """What no field can say alone."""

    def entries(self):
        """What differs from the defaults, as JSON holds it."""
        return {
            field.name: list(value) if field.metadata["many"] else value
            for field in dataclasses.fields(self)
            if (value := getattr(self, field.name)) != field.default
        }
