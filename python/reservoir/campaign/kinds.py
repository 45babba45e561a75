#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The kinds of links and receivers that a campaign can name: the module's, and those of Python files
beside the campaign."""

import functools
import pathlib
import sys
import threading
import traceback
import types

from .fields import Table
from .links import SingleCarrier
from .ofdm_link import Ofdm
from .receivers import KINDS

LINKS = {"single_carrier": SingleCarrier, "ofdm": Ofdm}
LOADING = threading.Lock()


class KindError(Exception):
    """What is wrong with a Python file, and where."""


class Kinds:
    """links, receivers: {name: class}; files: (name, text) of each. Workers, who do not have the files,
    get it as their texts."""

    def __init__(self, files=()):
        self.files = files
        self.links, self.receivers = dict(LINKS), dict(KINDS)
        self._own = set()
        for module in self._run():
            self._take(module, "LINKS", self.links, Table, "make_frame")
            self._take(module, "RECEIVERS", self.receivers, object, "receive")

    def __reduce__(self):
        return kinds, (self.files,)

    def _run(self):
        """The files as modules, one after the other: each can import those before it."""
        modules = [
            types.ModuleType(pathlib.PurePath(name).stem) for name, _ in self.files
        ]
        with LOADING:
            hidden = {m.__name__: sys.modules.get(m.__name__) for m in modules}
            try:
                for module, (name, text) in zip(modules, self.files):
                    module.__file__ = name
                    sys.modules[module.__name__] = module
                    exec(compile(text, name, "exec"), module.__dict__)
            except Exception as error:
                raise KindError(self.described(error)) from error
            finally:
                for name, module in hidden.items():
                    sys.modules[name] = module
                    if module is None:
                        del sys.modules[name]
        return modules

    def _take(self, module, table, kinds, base, method):
        found = getattr(module, table, {})
        if not isinstance(found, dict):
            raise KindError(
                f"{module.__file__}: {table} = {found!r}: must be a dict of names and classes"
            )
        for name, made in found.items():
            place = f"{module.__file__}: {table}[{name!r}]"
            if not isinstance(name, str):
                raise KindError(f"{place}: its name must be text")
            derived = isinstance(made, type) and issubclass(made, base)
            if not (derived and hasattr(made, method)):
                wanted = "a link" if base is Table else "a class"
                raise KindError(f"{place}: must be {wanted} with the method {method}")
            if name in kinds:
                raise KindError(f"{place}: this name is taken")
            kinds[name] = made
            self._own.add(made)

    def link(self, kind, **entries):
        return self.links[kind](**entries)

    def texts(self, made):
        """What a class depends on beside the module."""
        return [text for _, text in self.files] if made in self._own else []

    def described(self, error):
        """In one sentence, with the place if it is in one of the files."""
        names = {name for name, _ in self.files}
        frames = traceback.extract_tb(error.__traceback__)
        places = [(f.filename, f.lineno) for f in frames if f.filename in names]
        text = (str(error).splitlines() or [""])[0]
        if isinstance(error, SyntaxError) and error.filename in names:
            places, text = [(error.filename, error.lineno)], error.msg
        if not places:
            return text
        return "{}, line {}: ".format(*places[-1]) + f"{type(error).__name__}: {text}"


@functools.lru_cache(maxsize=16)
def kinds(files=()):
    """Kinds of the files, which are run once per process."""
    return Kinds(files)
