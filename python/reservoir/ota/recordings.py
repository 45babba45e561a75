#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Recordings: SigMF read and written, bare complex floats read."""

import itertools
import json
from pathlib import Path

from gnuradio import blocks, gr

from .arguments import describe
from .program import Unusable, usable

_READERS = {  # SigMF data type: items of the file, and blocks to complex samples
    "cf32_le": (gr.sizeof_gr_complex, []),
    "ci16_le": (
        gr.sizeof_short,
        [lambda: blocks.interleaved_short_to_complex(False, False, 32768.0)],
    ),
    "ci8": (
        gr.sizeof_char,
        [lambda: blocks.interleaved_char_to_complex(False, 128.0)],
    ),
    "cu8": (
        gr.sizeof_char,
        [
            lambda: blocks.uchar_to_float(),
            lambda: blocks.add_const_ff(-127.5),
            lambda: blocks.multiply_const_ff(1 / 128),
            lambda: blocks.stream_to_vector(gr.sizeof_float, 2),
            lambda: blocks.copy(gr.sizeof_gr_complex),
        ],
    ),
}

_LARGEST_METADATA = 1 << 24  # bytes
_SUFFIXES = ".sigmf-meta", ".sigmf-data"


def recording_paths(name):
    """(metadata, data) of a SigMF recording, whichever of the two is named."""
    base = name.removesuffix(".sigmf-meta").removesuffix(".sigmf-data")
    return Path(base + ".sigmf-meta"), Path(base + ".sigmf-data")


def _files(option, name):
    if option == "record" or Path(name).suffix in _SUFFIXES:
        return recording_paths(name)
    return [Path(name)]


def check_apart(arguments, read, written):
    """Refuses to write a file that is read: both are names of options, of which not all are given."""
    named = {name: getattr(arguments, name) for name in (*read, *written)}
    for source, target in itertools.product(read, written):
        if named[source] is None or named[target] is None:
            continue
        files = _files(source, named[source]), _files(target, named[target])
        for here, there in itertools.product(*files):
            if here.is_file() and there.exists() and here.samefile(there):
                raise Unusable(
                    f"--{target} {named[target]} would overwrite what --{source} reads: give "
                    f"--{target} another name"
                )


def _metadata(path):
    """What a recording says of itself: data type, and rate and frequency if they are there."""
    wrong = Unusable(f"{path} is no SigMF metadata")
    try:
        if path.stat().st_size > _LARGEST_METADATA:
            raise wrong
        content = json.loads(path.read_text(encoding="utf-8"))
        about = content["global"]
        data_type = about["core:datatype"]
        capture = (content.get("captures") or [{}])[0]
        rate, frequency = about.get("core:sample_rate"), capture.get("core:frequency")
    except OSError as error:
        raise Unusable(f"cannot read {path}: {error.strerror}") from error
    except (
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise wrong from error
    return data_type, rate, frequency


def _number(path, key, value, least):
    """A number of the metadata, whatever JSON has there."""
    if type(value) in (int, float) and least < value < 1e15:
        return float(value)
    raise Unusable(
        f"{path}: {key} is {value!r:.40}, and must be a number above {least}"
    )


def file_source(arguments):
    """The blocks that play a recording; sets the rate and frequency that it tells of."""
    name = arguments.input
    if not name:
        raise Unusable("--source file needs a recording: add --input FILE")
    data_type = "cf32_le"
    path = Path(name)
    if path.suffix in _SUFFIXES:
        meta, path = recording_paths(name)
        data_type, rate, frequency = _metadata(meta)
        if rate is not None:
            arguments.rate = _number(meta, "core:sample_rate", rate, 0)
        if frequency is not None:
            arguments.frequency = _number(meta, "core:frequency", frequency, -1)
    if not isinstance(data_type, str) or data_type not in _READERS:
        known = ", ".join(_READERS)
        raise Unusable(f"{name} holds {data_type!s:.40}; this program reads {known}")
    if not path.is_file():
        raise Unusable(f"cannot read {path}: there is no such file")
    size, converters = _READERS[data_type]
    if path.stat().st_size < size:
        raise Unusable(f"{path} is empty")
    return [
        blocks.file_source(size, str(path), False),
        *(make() for make in converters),
    ]


def recorder(arguments, hardware):
    """A sink that writes what it gets as a SigMF recording."""
    meta, data = recording_paths(arguments.record)
    for path in (meta, data):
        usable(f"cannot write {meta}", OSError, path.touch)
    base = str(meta).removesuffix("-meta")  # NAME.sigmf
    return blocks.sigmf_sink_minimal(
        gr.sizeof_gr_complex,
        base + "-meta",
        arguments.rate,
        arguments.frequency,
        "",
        "bursts of gr-reservoir: " + describe(arguments),
        hardware,
        True,
    )
