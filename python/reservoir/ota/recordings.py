#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Recordings: SigMF read and written, bare complex floats read."""

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


def recording_paths(name):
    """(metadata, data) of a SigMF recording, whichever of the two is named."""
    base = name.removesuffix(".sigmf-meta").removesuffix(".sigmf-data")
    return Path(base + ".sigmf-meta"), Path(base + ".sigmf-data")


def file_source(arguments):
    """The blocks that play a recording; sets the rate and frequency that it tells of."""
    name = arguments.input
    if not name:
        raise Unusable("--source file needs a recording: add --input FILE")
    data_type = "cf32_le"
    path = Path(name)
    if path.suffix in (".sigmf-meta", ".sigmf-data"):
        meta, path = recording_paths(name)
        try:
            content = json.loads(meta.read_text())
            data_type = content["global"]["core:datatype"]
            captures = content.get("captures") or [{}]
        except OSError as error:
            raise Unusable(f"cannot read {meta}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unusable(f"{meta} is no SigMF metadata") from error
        arguments.rate = content["global"].get("core:sample_rate", arguments.rate)
        arguments.frequency = captures[0].get("core:frequency", arguments.frequency)
    if data_type not in _READERS:
        known = ", ".join(_READERS)
        raise Unusable(f"{name} holds {data_type}; this program reads {known}")
    if not path.is_file():
        raise Unusable(f"cannot read {path}: there is no such file")
    if path.stat().st_size == 0:
        raise Unusable(f"{path} is empty")
    size, converters = _READERS[data_type]
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
