#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The OFDM equalizer block with a detector as GNU Radio Companion takes it (.block.yml)."""

import re

import companion
from equalizer import Entry

from gnuradio import reservoir

# As an 802.11a transmitter has them: long training symbol, carriers and pilots.
CARRIERS = (
    "[list(range(-26, -21)) + list(range(-20, -7)) + list(range(-6, 0)) + list(range(1, 7)) "
    "+ list(range(8, 21)) + list(range(22, 27))]"
)
PILOT_CARRIERS = "[[-21, -7, 7, 21]]"
PILOT_SYMBOLS = "[[1, 1, 1, -1]]"
SYNC_WORDS = (
    "[[0] * 6 + [1, 1, -1, -1, 1, 1, -1, 1, -1, 1, 1, 1, 1, 1, 1, -1, -1, 1, 1, -1, 1, -1, 1, 1, "
    "1, 1, 0, 1, -1, -1, 1, 1, -1, 1, -1, 1, -1, -1, -1, -1, -1, 1, 1, -1, -1, 1, -1, 1, -1, 1, "
    "1, 1, 1] + [0] * 5]"
)

GRID = [
    "occupied_carriers",
    "pilot_carriers",
    "pilot_symbols",
    "sync_words",
    "symbols_skipped",
    "shifted",
]


def entries():
    """The parameters of grid and block, in Companion's order."""
    yield Entry(
        "num_data_symbols",
        "Num. Data Symbols",
        "int",
        "10",
        "of a frame, behind the sync words, 1 to 16384, where the value of the frame's tag does not say; "
        "may be a variable",
        asserts=("1 <= num_data_symbols <= 2**14",),
    )
    yield Entry(
        "occupied_carriers",
        "Occupied Carriers",
        "raw",
        CARRIERS,
        "lists of the carriers with data, counted from DC, -1 is the one below; symbols take one "
        "list after the other, in turns. As those of the OFDM Carrier Allocator, the default those of "
        "802.11a",
    )
    yield Entry(
        "pilot_carriers",
        "Pilot Carriers",
        "raw",
        PILOT_CARRIERS,
        "lists of the carriers with pilots, likewise; [] for none",
    )
    yield Entry(
        "pilot_symbols",
        "Pilot Symbols",
        "raw",
        PILOT_SYMBOLS,
        "lists of the pilots' values, [set][k], the same for every stream, or [stream][set][k]. An "
        "antenna that is silent while another one sends its pilot has a zero there",
    )
    yield Entry(
        "sync_words",
        "Sync Words",
        "raw",
        SYNC_WORDS,
        "symbols in front that are known as a whole, [word][carrier], or [stream][word][carrier], FFT "
        "Length values each; the default is the long training symbol of 802.11a. Several streams need "
        "different ones, as many as there are streams or more; [] for none",
    )
    yield Entry(
        "symbols_skipped",
        "Symbols Skipped",
        "int",
        "0",
        "of the lists of carriers and pilots, before the first symbol behind the sync words, as of "
        "the OFDM Serializer, 0 to 2^20",
        hide="${ 'none' if symbols_skipped else 'part' }",
        asserts=("0 <= symbols_skipped <= 2**20",),
    )
    yield Entry(
        "shifted",
        "Carriers Shifted",
        "bool",
        "True",
        "vectors have DC in their middle, as the OFDM blocks of GNU Radio have them; otherwise it is "
        "first. So in the sync words and at the output",
        hide="${ 'part' if shifted else 'none' }",
    )
    yield Entry(
        "frame_start_tag",
        "Frame Start Tag",
        "string",
        "frame_start",
        "key of the tag on a frame's first sample. An integer as its value is the frame's number of "
        "data symbols",
        hide="part",
        asserts=("frame_start_tag != ''",),
    )
    yield Entry(
        "length_tag_key",
        "Length Tag Key",
        "string",
        "frame_len",
        "key of the tag on a frame's first vector, the number of its vectors, for OFDM Serializer and "
        "other blocks with tagged streams; empty for none",
        hide="part",
        asserts=("length_tag_key != frame_start_tag",),
    )

    yield Entry(
        "workers",
        "Workers",
        "int",
        "1",
        "threads that receive frames at once, 1 to 64",
        hide="part",
        asserts=("1 <= workers <= 64",),
    )


BEHAVIOUR = """\
Cyclic prefixes, the FFT, the channel's estimate and equalization are inside: samples in, carriers of \
the data symbols out, in the units of the pilots. Put an OFDM Serializer behind it.

Each frame is received in one piece when its last sample has come. Samples between frames are dropped. \
A tag in a frame cuts the frame before it, so do a radio's overrun (rx_time) and the end of the stream: \
whole symbols come out as far as they go. A frame without a whole data symbol is dropped."""

INPUT = """\
Complex samples, one port per antenna. The sample that carries the frame's tag (on input 0) is the \
first one of the first symbol's cyclic prefix; the channel's first path may come later, up to the \
prefix's length. A tag ofdm_sync_carr_offset on it is the carrier offset in carriers, which is taken out; \
what remains must be corrected before."""

OUTPUT = """\
Vectors of FFT Length carriers, one port per stream, one vector for each symbol with data; pilots in it \
have what is known. All tags go on, each on the vector of its symbol, those before a frame's data on \
its first vector; of those between frames the last one of each key."""

COMMAND = "command (in): a dictionary or a single pair, one of"
COMMANDS = [("num_data_symbols", "integer", "Num. Data Symbols, from the next tag on")]

CPP = """\
Flowgraphs in C++ (Output Language C++ in the Options block) cannot have Import blocks, nor \
variables whose value is a Python expression. Here such an expression may stand, for Companion writes \
its values into the program. A Constellation Object is for Python only."""

# The report's entries beside those of training_report.fields().
COUNTS = [
    ("offset", "the frame's first sample"),
    ("frames", "how many were received"),
    ("truncated_frames", "of them, those that were cut short"),
    ("dropped_frames", "cut before their first data symbol was whole"),
    ("bad_lengths", "tags with a number of data symbols that is out of range"),
    ("erased_frames", "frames in which the detector found nothing to be trained on"),
    ("warning", "what may be wrong; only where there is something"),
]


# where the detector's decisions are not what it is for
DECIDES = {"ofdm_lmmse": "detection == 'ml'", "ofdm_esn": "(refits > 0 or classifier)"}


def constellation(kind):
    texts = [p["text"] for p in kind["parameters"] if p["name"] == "constellation"]
    if not texts:
        return
    used = DECIDES.get(kind["name"], "")
    shown = " and ".join(filter(None, [used, "constellation_type == 'object'"]))
    # of those that can be chosen by name, the only one whose levels are not equally far apart
    levels = ("not classifier or constellation_type != '8psk'",)
    classifies = any(p["name"] == "classifier" for p in kind["parameters"])
    yield Entry(
        "constellation_type",
        "Constellation",
        "constellation",
        "qpsk",
        f"{texts[0]}. Object takes any digital constellation, such as qpsk.base()",
        hide=f"${{ 'none' if {used} else 'all' }}" if used else "",
        asserts=levels if classifies else (),
    )
    yield Entry(
        "constellation",
        "Constellation Object",
        "raw",
        "None",
        hide=f"${{ 'none' if {shown} else 'all' }}",
        asserts=(f"not ({shown}) or constellation is not None",),
    )


def shown(kind):
    return [*entries(), *constellation(kind)]


def of_detector(kind, tabs):
    for one in companion.ordered(kind):
        default = one["default"]
        if bool(one["tab"]) == tabs:
            yield from companion.entry(
                one["name"],
                companion.label(one),
                companion.DTYPES.get(one["type"], "raw"),
                default if isinstance(default, str) else repr(default),
                companion.hide(one),
                one["tab"],
                one["words"],
            )


def parameters(kind):
    yield from of_detector(kind, tabs=False)
    for one in shown(kind):
        yield from companion.entry(one.id, one.label, one.dtype, one.default, one.hide)
    yield from of_detector(kind, tabs=True)


def conditions(kind):
    for one in companion.ordered(kind):
        yield from companion.asserts(one)
    for _, _, condition in kind["rules"]:
        if condition:
            yield condition
    for one in shown(kind):
        yield from one.asserts
    names = ["fft_len", "cp_len", "num_tx", *GRID]
    yield f"reservoir.is_ofdm_grid({', '.join(names)})"


def make(kind):
    detector = ",\n".join(
        f"        {p['name']}={companion.python_value(p)}" for p in kind["parameters"]
    )
    names = ["fft_len", "cp_len", "num_tx", *GRID]
    grid = ",\n".join(f"        {name}=${{{name}}}" for name in names)
    return f"""\
reservoir.ofdm_equalizer(
    reservoir.{kind['name']}(
{detector}),
    reservoir.ofdm_grid(
{grid}),
    num_data_symbols=${{num_data_symbols}},
    frame_start_tag=${{frame_start_tag}},
    length_tag_key=${{length_tag_key}},
    workers=${{workers}})
"""


def cpp_constellation(name):
    """An object stops the compiler, unless the detector does not use it."""
    named = "constellation_type.cpp"
    if name in DECIDES:
        used = re.sub("detection|refits|classifier", r"\g<0>()", DECIDES[name])
        unused = f"constellation_type == 'object' and not {used}"
        named = f"'nullptr' if {unused} else {named}"
    return f"${{{named}}}"


NO_STAGES = """\
    if len(stages()) > 0:
        raise ValueError('Stages: for Python only; without them there are two OFDM ESNs')
"""


def cpp_make(kind):
    name = kind["name"]
    lines, check = [], ""
    for one in kind["parameters"]:
        if one["name"] == "constellation":
            value = f"reservoir::constellation_points({cpp_constellation(name)})"
        elif one["type"].endswith("ofdm_detector]"):
            check = NO_STAGES
            continue
        elif one["type"] == "List[int]":
            value = f"${{cpp_integers({one['name']}())}}"
        else:
            value = companion.cpp_value(one)
        lines.append(f"${{id}}_parameters.{one['name']} = {value};")
    own = "\n".join(lines)
    return f"""\
<%
    import json
    from gnuradio.reservoir.companion import cpp_integers, cpp_sets
{check}%>\\
reservoir::{name}_parameters ${{id}}_parameters;
{own}
const reservoir::ofdm_grid::carrier_sets ${{id}}_carriers = ${{cpp_integers(occupied_carriers())}};
const reservoir::ofdm_grid::carrier_sets ${{id}}_pilots = ${{cpp_integers(pilot_carriers())}};
const reservoir::ofdm_grid::pilot_sets ${{id}}_symbols = ${{cpp_sets(pilot_symbols())}};
const reservoir::ofdm_grid::pilot_sets ${{id}}_words = ${{cpp_sets(sync_words())}};
this->${{id}} = reservoir::ofdm_equalizer::make(
    std::make_shared<reservoir::{name}>(${{id}}_parameters),
    reservoir::ofdm_grid(
        ${{id}}_parameters.fft_len,
        ${{id}}_parameters.cp_len,
        ${{id}}_parameters.num_tx,
        ${{id}}_carriers,
        ${{id}}_pilots,
        ${{id}}_symbols,
        ${{id}}_words,
        ${{symbols_skipped}},
        ${{str(shifted()).lower()}}),
    ${{num_data_symbols}},
    ${{json.dumps(frame_start_tag())}},
    ${{json.dumps(length_tag_key())}},
    ${{workers}});
"""


def documentation(kind):
    what = [text for text in (kind["brief"], kind["details"], kind["caution"]) if text]
    lines = ["\n\n".join(what + [BEHAVIOUR])]
    lines += ["", "Input:", INPUT, "", "Output:", OUTPUT]
    lines += ["", "Messages:", COMMAND]
    for name, value, text in COMMANDS + kind["commands"]:
        lines.append(f'    {{"{name}": {value}}}: {text}')
    lines.append("report (out): a dictionary for each frame, with")
    for field in reservoir.training_report.fields():
        if not field["of_descent"]:
            lines.append(f"    {field['name']}: {field['text']}")
    lines += [f"    {name}: {text}" for name, text in COUNTS]
    lines += ["", "Parameters:"]
    for one in companion.ordered(kind):
        meaning = companion.meaning(one, kind["rules"])
        lines.append(f"{companion.label(one)}: {meaning}")
    lines += [
        f"{one.label}: {companion.sentence(one.text)}"
        for one in shown(kind)
        if one.text
    ]
    lines += ["", CPP]
    lines += ["", f"Keywords: {kind['keywords']}."]
    return "\n".join(lines)


def block(kind):
    """The whole file."""
    name = kind["name"]
    family = f" ({kind['family']})" if kind["family"] else ""
    includes = ["#include <gnuradio/digital/constellation.h>"]
    includes += ["#include <gnuradio/reservoir/ofdm_equalizer.h>"]
    includes += [f"#include <gnuradio/reservoir/{name}.h>"]
    return f"""\
# Written by `make generate` from what include/gnuradio/reservoir/{name}.h says. Edit that.
id: reservoir_{name}_equalizer
label: {kind['title']} Equalizer{family}
category: '[Reservoir]/Equalizers'
flags: [ python, cpp ]

parameters:
{chr(10).join(parameters(kind))}

inputs:
-   domain: stream
    dtype: complex
    multiplicity: ${{ num_rx }}
-   domain: message
    id: command
    optional: true

outputs:
-   domain: stream
    dtype: complex
    vlen: ${{ fft_len }}
    multiplicity: ${{ num_tx }}
-   domain: message
    id: report
    optional: true

asserts:
{chr(10).join(f"- ${{ {condition} }}" for condition in conditions(kind))}

templates:
    imports: from gnuradio import digital, reservoir
    make: |-
{companion.indented(make(kind), 8)}
    callbacks:
    - set_num_data_symbols(${{num_data_symbols}})

cpp_templates:
    includes: {companion.flow(includes)}
    declarations: 'reservoir::ofdm_equalizer::sptr ${{id}};'
    make: |-
{companion.indented(cpp_make(kind), 8)}
    callbacks:
    - set_num_data_symbols(${{num_data_symbols}})
    link: ['gnuradio::gnuradio-reservoir', 'gnuradio::gnuradio-digital']
    packages: [gnuradio-reservoir]

documentation: |-
{companion.indented(documentation(kind))}

file_format: 1
"""
