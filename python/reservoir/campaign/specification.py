#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Campaign files: what is measured, in TOML. docs/campaigns.md describes them."""

import dataclasses
import hashlib
import itertools
import json
import pathlib
import re

try:
    import tomllib
except ImportError:  # Python 3.10
    import tomli as tomllib

from ..modulations import LABELS
from .fields import FieldError, Table, integer, is_number, line, names, number, word
from .kinds import KindError, Kinds, kinds
from .receivers import fits, parameter_types, unsuitable

FIGURES = ("ser", "ber", "per", "lost", "evm_db")


class SpecificationError(ValueError):
    """What is wrong with a campaign file, where, and what is allowed."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Head(Table):
    """The entries that belong to no table."""

    title: str = line("Campaign", "of the report")
    about: str = line("", "a few sentences for the report")
    seed: int = integer(1, 0, 2**32, "of all frames")
    frames: int = integer(100, 1, 10**9, "at each point, at most")
    errors: int = integer(
        0,
        0,
        10**9,
        "frames end where every receiver has so many wrong symbols; 0: never",
    )
    lost_frames: int = integer(
        0, 0, 10**9, "frames end where every receiver has lost so many; 0: never"
    )
    block: int = integer(50, 1, 10**6, "frames that are received one after the other")
    tuning_frames: int = integer(
        50,
        1,
        10**6,
        "on which settings are tried, others than those that are counted",
    )
    horizontal: str = line("", "entry of the links that the curves run over")
    python: tuple = names((), "files beside it with links and receivers of one's own")


@dataclasses.dataclass(frozen=True)
class Receiver:
    """parameters: given; tune: lists of values that are tried, the best one on other frames is used."""

    name: str
    label: str
    kind: str
    made: type
    parameters: dict
    tune: dict

    def settings(self):
        """Every combination of what is tuned."""
        return [
            dict(zip(self.tune, values))
            for values in itertools.product(*self.tune.values())
        ]

    def identity(self):
        return dict(kind=self.kind, parameters=self.parameters, tune=self.tune)


@dataclasses.dataclass(frozen=True)
class Point:
    """A link at which all receivers are measured."""

    group: str  # name of the table [links.NAME], "" of a campaign with one link
    kind: str  # of the link
    link: object
    varied: dict  # what the file has a list of: {entry: value}


def shown(entry, value):
    """A varied entry in words."""
    if entry == "modulation":
        return LABELS.get(value, "16-QAM, Gray labels")
    if entry == "snr_db":
        return f"{value:g} dB"
    number = f"{value:g}" if isinstance(value, (int, float)) else str(value)
    return f"{entry.replace('_', ' ')} {number}"


def place(point, without=()):
    """A point in words."""
    varied = [shown(k, v) for k, v in point.varied.items() if k not in without]
    return ", ".join(([point.group] if point.group else []) + varied) or "the link"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limit(Table):
    """What must hold: the figure of a receiver, or its ratio to another's, is at most at_most."""

    receiver: str = line("", "its name")
    over: str = line("", "name of another receiver; the limit is of the ratio")
    figure: str = word("ser", FIGURES, "what is limited")
    at_most: float = number(1.0, -1e9, 1e9, "the limit")
    link: str = line("", "name of the links' table")


@dataclasses.dataclass(frozen=True)
class Campaign:
    head: Head
    kinds: Kinds
    receivers: tuple
    points: tuple
    limits: tuple  # (Limit, {entry: value})


class Source:
    """The text of a campaign file, to name the line of an error."""

    def __init__(self, name, text):
        self.name, self._lines = name, text.splitlines()

    def line(self, table, key, which=0):
        """Of the key in the which-th table of that name; of the table itself if the key is not there."""
        header, seen, found = "", -1, 0
        wanted = re.compile(rf'^\s*"?{re.escape(key)}"?\s*(=|\.)') if key else None
        if not table:
            seen = 0
        for count, text in enumerate(self._lines, 1):
            if match := re.match(r"^\s*\[+\s*([^\]]+?)\s*\]+", text):
                header = match[1].replace('"', "")
                if header == table:
                    seen += 1
                    if seen == which:
                        found = count
            here = header == table and seen == which
            if wanted and here and wanted.match(text):
                return count
        return found

    def error(self, message, table="", key="", which=0):
        count = self.line(table, key, which)
        place = f"{self.name}, line {count}" if count else self.name
        shown = f"[{table}] " if table else ""
        return SpecificationError(f"{place}: {shown}{message}")


def load(path, **changes):
    """The campaign of a file."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SpecificationError(f"{path}: must be UTF-8: {error}") from error
    return parse(text, str(path), **changes)


def parse(text, name="campaign", **changes):
    """The campaign of a file's text; for changes see build."""
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SpecificationError(f"{name}: {error}") from error
    return build(content, Source(name, text), **changes)


def build(content, source, quick=False, **changes):
    """The campaign of a file's content.

    quick: of each list of values the first, the middle and the last one, and a third of the frames,
        unless changes has their number
    changes: entries of its head that are given elsewhere
    """
    content = dict(content)
    tables = _tables(content, source)
    given = {key: value for key, value in changes.items() if value is not None}
    wrong = lambda text, key: source.error(text, "", key)
    head = _table(Head, {**content, **given}, wrong)
    if quick:
        head = _shorter(head, given)
    known = _kinds(head.python, source)
    receivers = _receivers(tables["receivers"], source, known)
    points = _points(tables["link"], tables["links"], source, quick, known)
    _check_receivers(receivers, points, source, known)
    _check_horizontal(head.horizontal, points, wrong)
    limits = _limits(tables["limits"], receivers, points, source, quick)
    return Campaign(head, known, receivers, points, limits)


def _tables(content, source):
    """{name: table or list of tables}, which are taken out of the content."""
    found = {}
    for key, kind, written in (
        ("link", dict, "[link]"),
        ("links", dict, "[links.NAME]"),
        ("receivers", list, "[[receivers]]"),
        ("limits", list, "[[limits]]"),
    ):
        table = found[key] = content.pop(key, kind())
        tables = table if isinstance(table, list) else []
        if not isinstance(table, kind) or not all(isinstance(t, dict) for t in tables):
            raise source.error(f"{key}: must be a table, written {written}", "", key)
    return found


def _check_horizontal(entry, points, wrong):
    if not entry:
        return
    if not any(entry in point.varied for point in points):
        listed = _listed({key for point in points for key in point.varied})
        text = f"must be an entry of the links that has a list of values ({listed})"
    elif not all(is_number(point.varied.get(entry, 0)) for point in points):
        text = "must be an entry of numbers"
    else:
        return
    raise wrong(f"horizontal = {entry!r}: {text}", "horizontal")


def _listed(words):
    return ", ".join(sorted(words)) or "there is none"


def _kinds(files, source):
    """Those of Python files, whose names are relative to the campaign's."""
    found = []
    for name in files:
        path = pathlib.Path(source.name).parent / name
        try:
            found.append((str(path), path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            raise source.error(f"{name} cannot be read: {error}", "", "python")
    try:
        return kinds(tuple(found))
    except KindError as error:
        raise SpecificationError(str(error)) from error


def _table(made, entries, wrong, described=str):
    """An instance of a Table; wrong: makes an error of a text and a key."""
    allowed = made.allowed()
    for key in entries:
        if key not in allowed:
            raise wrong(f"{key}: no such entry; there is: {_listed(allowed)}", key)
    try:
        table = made(**entries)
        table.check()
        return table
    except FieldError as error:
        raise wrong(str(error), error.name) from error
    except Exception as error:  # in a file of one's own
        raise wrong(described(error), "kind") from error


def _receivers(tables, source, known):
    if not tables:
        raise source.error("there must be one receiver or more: [[receivers]]")
    found, taken = [], set()
    for which, table in enumerate(tables):
        wrong = lambda text, key="": source.error(text, "receivers", key, which)
        entries = dict(table)
        kind = entries.pop("kind", None)
        if not isinstance(kind, str) or kind not in known.receivers:
            allowed = _listed(known.receivers)
            raise wrong(f"kind = {kind!r}: must be one of {allowed}", "kind")
        made = known.receivers[kind]
        name = entries.pop("name", kind)
        if not isinstance(name, str) or not name or name in taken:
            raise wrong(f"name = {name!r}: must be a text of its own", "name")
        taken.add(name)
        label, tune = entries.pop("label", name), entries.pop("tune", {})
        if not isinstance(label, str):
            raise wrong(f"label = {label!r}: must be text", "label")
        if not isinstance(tune, dict) or not all(
            isinstance(values, list) and values for values in tune.values()
        ):
            raise wrong("tune: must be lists of values: tune.NAME = [ ... ]", "tune")
        if twice := set(entries) & set(tune):
            raise wrong(f"{_listed(twice)}: is given, and tuned", next(iter(twice)))
        _check_parameters(made, kind, entries, tune, wrong)
        found.append(Receiver(name, label, kind, made, entries, tune))
    return tuple(found)


def _check_parameters(made, kind, entries, tune, wrong):
    allowed = parameter_types(made)
    given = [(key, key, value) for key, value in entries.items()]
    given += [("tune", key, value) for key, some in tune.items() for value in some]
    for place, key, value in given:
        if key not in allowed:
            raise wrong(
                f"{key}: {kind} has no such parameter; it has: {_listed(allowed)}",
                place,
            )
        if not fits(allowed[key], value):
            wanted = allowed[key].__name__
            raise wrong(f"{key} = {value!r}: must be of type {wanted}", place)
        if not fits_json(value):
            raise wrong(
                f"{key} = {value!r}: must be text, true, false, a finite number, or a "
                "list or table of these",
                place,
            )


def fits_json(value):
    """Whether the report can hold it: no date, no infinity."""
    try:
        json.dumps(value, allow_nan=False)
        return True
    except (TypeError, ValueError):
        return False


def _points(common, tables, source, quick, known):
    """Every combination of the values that are lists, of every link."""
    points = []
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise source.error(f"{name}: must be a table, written [links.{name}]")
    for group, own in (tables or {"": {}}).items():
        entries = {**common, **own}
        where = lambda key: f"links.{group}" if key in own else "link"
        wrong = lambda text, key: source.error(text, where(key), key)
        kind = entries.pop("kind", "single_carrier")
        if not isinstance(kind, str) or kind not in known.links:
            raise wrong(
                f"kind = {kind!r}: must be one of {_listed(known.links)}", "kind"
            )
        made = known.links[kind]
        fields = made.allowed()
        varied = {
            key: value
            for key, value in entries.items()
            if isinstance(value, list)
            and key in fields
            and not fields[key].metadata["many"]
        }
        if empty := [key for key, values in varied.items() if not values]:
            raise wrong(f"{empty[0]} = []: must have a value", empty[0])
        if quick:
            varied = {key: thinned(values) for key, values in varied.items()}
        for values in itertools.product(*varied.values()):
            at = dict(zip(varied, values))
            link = _table(made, {**entries, **at}, wrong, known.described)
            points.append(Point(group, kind, link, at))
    return tuple(points)


def _shorter(head, given):
    third = {
        name: max(getattr(head, name) // 3, 1) for name in ("frames", "tuning_frames")
    }
    return dataclasses.replace(head, **{**third, **given})


def thinned(values):
    places = sorted({0, len(values) // 2, len(values) - 1})
    return [values[place] for place in places]


def _check_receivers(receivers, points, source, known):
    """Every receiver is made once, so that a bad parameter is said before anything runs."""
    for which, receiver in enumerate(receivers):
        reasons = []
        for point in points:
            for settings in receiver.settings():
                parameters = {**receiver.parameters, **settings}
                try:
                    reason = unsuitable(
                        receiver.kind, point.link, parameters, known.receivers
                    )
                except Exception as error:
                    key = str(error).split(" ")[0]
                    raise source.error(
                        f"{receiver.name}: {known.described(error)}",
                        "receivers",
                        "tune" if key in receiver.tune else key,
                        which,
                    ) from error
                if reason:
                    reasons.append(reason)
                    break
        if len(reasons) == len(points):
            raise source.error(
                f"{receiver.name} can take part on no link: {reasons[0]}",
                "receivers",
                "kind",
                which,
            )


def _limits(tables, receivers, points, source, quick):
    found = []
    names = {receiver.name for receiver in receivers}
    groups = {point.group for point in points}
    varied = {key for point in points for key in point.varied}
    for which, table in enumerate(tables):
        at = {key: value for key, value in table.items() if key in varied}
        own = {key: value for key, value in table.items() if key not in varied}
        wrong = lambda text, key: source.error(text, "limits", key, which)
        limit = _table(Limit, own, wrong)
        for key in ("receiver", "over"):
            name = getattr(limit, key)
            if name not in names and (key == "receiver" or name):
                raise wrong(f"{key} = {name!r}: must be one of {_listed(names)}", key)
        if limit.link and limit.link not in groups:
            raise wrong(
                f"link = {limit.link!r}: must be one of {_listed(groups)}", "link"
            )
        if limit.over and limit.figure == "evm_db":
            raise wrong("figure = 'evm_db': has no ratio", "figure")
        concerned = [point for point in points if concerns(limit, at, point)]
        if limit.figure == "per" and not all(point.link.code for point in concerned):
            raise wrong("figure = 'per': needs links with code", "figure")
        if not concerned:
            if quick:
                continue  # of a value that is left out
            raise wrong("it concerns no point", next(iter(at), ""))
        found.append((limit, at))
    return tuple(found)


def concerns(limit, at, point):
    """Whether a limit is about a point."""
    return limit.link in ("", point.group) and all(
        key in point.varied and _same(point.varied[key], value)
        for key, value in at.items()
    )


def _same(a, b):
    return float(a) == float(b) if is_number(a) and is_number(b) else a == b


def digest(*parts):
    """A short name for what JSON can hold."""
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
