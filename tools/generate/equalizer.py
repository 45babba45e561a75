#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What there is to say of the equalizer block, whatever its detector is.

Its parameters as GNU Radio Companion shows them, its messages, and what a user must know. The
detectors describe themselves: reservoir.detector_kinds().
"""

from dataclasses import dataclass

from gnuradio import reservoir

# Frame Source has the same pilots: blocks that are dropped fit each other.
TRAINING_SEQUENCE = "reservoir.random_pilots(digital.constellation_qpsk(), 64)"


@dataclass
class Entry:
    """A parameter of the block, as a property in Companion."""

    id: str
    label: str
    dtype: str
    default: str
    text: str = ""  # empty: documented with the entry before
    hide: str = ""
    asserts: tuple = ()
    words: tuple = ()  # (value, label) to choose from, or to begin with


def drawn(count):
    return f"reservoir.random_pilots(digital.constellation_qpsk(), {count})"


# Patterns to begin with, for the known symbols of one's own.
PATTERNS = (
    ("None", "In Front"),
    (
        f"reservoir.known_symbols({drawn(26)}, positions=range(61, 87))",
        "In the Middle: 26, After 61",
    ),
    (
        f"reservoir.known_symbols({drawn(16)}, positions=range(32, 48), period=48)",
        "Again and Again: 16, After Every 32",
    ),
)


def decides(kind):
    """Whether the detector decides by a constellation of its own."""
    return any(parameter["name"] == "constellation" for parameter in kind["parameters"])


def takes_unknown_pilots(kind):
    """Whether known symbols may be anywhere in a frame."""
    return getattr(reservoir, kind["name"])().takes_unknown_pilots()


def entries(kind):
    """The block's parameters for this kind of detector, in Companion's order."""
    alone = []  # what more than one worker cannot have
    if kind["adapts"]:
        alone.append("adapt_after_training")
    if kind["trains_in_epochs"]:
        alone.append("background_training")
    yield Entry(
        "sps",
        "Samples per Symbol",
        "int",
        "1",
        "of the input, 1 to 64",
        asserts=("1 <= sps <= 64",),
    )
    gaps = takes_unknown_pilots(kind)
    valid = "has_known" if gaps else "is_finite"
    yield Entry(
        "training_sequence",
        "Training Sequence",
        "raw",
        TRAINING_SEQUENCE,
        "known symbols, any finite values; with several outputs one row per stream. "
        "As the Pilots of the Frame Source",
        asserts=(
            "len(training_sequence) > 0",
            f"reservoir.{valid}(training_sequence)",
            "reservoir.num_rows(training_sequence) == num_outputs",
        ),
    )
    yield Entry(
        "training_start_tag",
        "Training Start Tag",
        "string",
        "corr_est",
        "key of the tag on the first training sample; Frame Source, Frame Sync, Correlation "
        "Estimator and others write corr_est",
        hide="part",
        asserts=("training_start_tag != ''",),
    )
    yield Entry(
        "payload_len",
        "Payload Length",
        "int",
        "0",
        "symbols after the training that make up a frame, received in one piece; 0: a "
        "stream, detected until the next tag",
        hide="${ 'part' if payload_len == 0 else 'none' }",
        asserts=("0 <= payload_len <= 2**24",),
    )
    yield Entry(
        "tag_at",
        "Tag At",
        "int",
        "0",
        "symbol of the frame that carries the training tag, counted from 0; everything is held back "
        "by so many symbols",
        hide="${ 'part' if tag_at == 0 else 'none' }",
        asserts=("0 <= tag_at <= 2**20",),
    )
    if gaps:
        yield Entry(
            "known_symbols",
            "Known Symbols",
            "raw",
            "None",
            "reservoir.known_symbols(values, positions, mask, period): known symbols anywhere in a "
            "frame, instead of the Training Sequence; the Payload Length is then the number of its "
            "symbols that are not known, or 0 for a periodic pattern that goes on. None: they are in "
            "front. Choose a pattern, then write your own "
            "symbols and places into it",
            hide="${ 'part' if known_symbols is None else 'none' }",
            asserts=(
                "known_symbols is None or payload_len > 0 or known_symbols.periodic()",
            ),
            words=PATTERNS,
        )
    yield Entry(
        "workers",
        "Workers",
        "int",
        "1",
        "threads that receive frames at once, 1 to 64; more than 1 need a Payload Length"
        + {
            "adapt_after_training": " and no adapting after training",
            "background_training": " and no background training",
            "": "",
        }[alone[0] if alone else ""],
        hide="${ 'all' if payload_len == 0 and workers == 1 else 'part' }",
        asserts=(
            " and ".join(
                ["workers == 1 or 1 < workers <= 64", "payload_len > 0"]
                + [f"not {name}" for name in alone]
            ),
        ),
    )
    yield Entry(
        "use_history",
        "Use History",
        "bool",
        "False",
        "samples before the training tag are used where the stream has them, instead of "
        "counting as zeros; needs a Payload Length"
        + (
            ". Without Decision Feedback and Refits only: with them nothing is gained"
            if decides(kind)
            else ""
        ),
        hide="${ 'all' if payload_len == 0 and not use_history else 'part' }",
        asserts=(
            "not use_history or payload_len > 0"
            + (" and not background_training" if kind["trains_in_epochs"] else ""),
        ),
    )
    if decides(kind):
        yield Entry(
            "hurry_above",
            "Hurry Above",
            "int",
            "0",
            "samples that wait behind a frame, above which its refits are left out, for radios; "
            "buffers hold 8192. 0: never; else needs a Payload Length and Refits",
            hide="${ 'all' if payload_len == 0 and hurry_above == 0 else 'part' }",
            asserts=(
                "hurry_above == 0 or 0 < hurry_above <= 2**30 and payload_len > 0 and refits > 0",
            ),
        )
    if kind["adapts"]:
        yield from adapting(kind)
    yield Entry(
        "soft_output",
        "Soft Output",
        "bool",
        "False",
        "one more port per stream: the log-likelihood ratios of each symbol's bits"
        + ("" if decides(kind) else ", those of the Constellation"),
        hide="${ 'none' if soft_output else 'part' }",
    )
    yield from constellation(kind)
    if kind["trains_in_epochs"]:
        yield Entry(
            "background_training",
            "Background Training",
            "bool",
            "False",
            "train in a thread of its own while symbols are detected with what was trained "
            "before; the newest pilots wait for it, older ones are skipped. For channels "
            "that stay as they are for longer than a training takes",
        )
    yield Entry(
        "freeze",
        "Freeze",
        "bool",
        "False",
        "train nothing any more; may be a variable",
        hide="${ 'none' if freeze else 'part' }",
    )


def adapting(kind):
    when = kind["adapts_when"]
    # a detector that decides by itself receives frames with its decisions anyway
    shown = " and ".join(filter(None, [when, decides(kind) and "payload_len == 0"]))
    yield Entry(
        "adapt_after_training",
        "Adapt After Training",
        "bool",
        "False",
        "in a stream, go on with training by the decisions, to follow a channel that "
        "fades; may be a variable"
        if decides(kind)
        else "go on with training by decisions for the symbols of the Constellation; may be "
        "a variable",
        hide=f"${{ 'part' if {shown} else 'all' }}" if shown else "part",
        asserts=(f"{when} or not adapt_after_training",) if when else (),
    )


def constellation(kind):
    own = decides(kind)
    used = "adapt_after_training or soft_output" if kind["adapts"] else "soft_output"
    what = "of these decisions, and of the Soft Output's bits"
    if not kind["adapts"]:
        what = "of the Soft Output's bits"
    if own:
        (what,) = (
            p["text"] for p in kind["parameters"] if p["name"] == "constellation"
        )
    is_object = "constellation_type == 'object'"
    yield Entry(
        "constellation_type",
        "Constellation",
        "constellation",
        "qpsk",
        f"{what}; Object takes any digital constellation, such as qpsk.base(). A flowgraph "
        "in C++ needs one of the named ones",
        hide="" if own else f"${{ 'part' if {used} else 'all' }}",
    )
    yield Entry(
        "constellation",
        "Constellation Object",
        "raw",
        "None",
        hide=f"${{ 'none' if {is_object} else 'all' }}"
        if own
        else f"${{ 'part' if ({used}) and {is_object} else 'all' }}",
        asserts=(
            ("" if own else f"not ({used}) or ")
            + "constellation_type != 'object' or constellation is not None",
        ),
    )


BEHAVIOUR = """\
One symbol comes out for every sps samples in, the training symbols included, in the units of the \
training sequence: output k counted from the training tag is symbol k. The decision delay is \
handled inside. Before the first training, samples pass through.

The samples before the training tag count as zeros. In a stream without gaps they are not: there \
the first four training symbols have an error vector magnitude of about .5, .17, .17 and .11. A \
gap as long as the channel avoids it and, for frames, Use History.

Latency: symbol k of a stream comes out when the sample of symbol k + delay has come, the report's delay; during a training it waits for the last training symbol and the look-ahead. With a Payload Length the whole frame comes out at once, when 48 symbols after it (or the look-ahead, if that is more) have come and it has been received.

Mistakes with which a flowgraph runs but its symbols are wrong are told once in the log and in the \
report: no training tag, other symbols than the training sequence, tags closer together than the \
training, a training sequence that is coloured."""

INPUT = """\
Complex samples, one port per antenna. The sample that carries the training tag (on input 0) is \
the instant of the first training symbol."""

OUTPUT = """\
Complex symbols, one port per stream. All tags go on, each on the symbol of the last instant at or \
before it.
soft, with Soft Output: one port per stream, for each symbol a vector of floats, one for each of its \
bits: natural logarithms of P(1)/P(0), the most significant bit first, as the Constellation Soft \
Decoder orders them, limited to -8 ... 8. Bits of known symbols are as sure as that, and before the \
first training they are 0. FEC Extended Decoder multiplies by 48 and clips to a byte: multiply them by \
0.33 before it."""

COMMANDS = [
    ("freeze", "bool", "tags restart the symbol grid but nothing is trained any more"),
    ("reset", "true", "pass samples through until the next training"),
    ("training_sequence", "vector", "from the next tag on"),
]

# The report's entries beside those of training_report.fields().
COUNTS = [
    ("offset", "sample of the first training symbol"),
    ("trainings", "how many there were"),
    ("abandoned_trainings", "cut short by a newer training tag or the end, or refused"),
    ("truncated_frames", "frames whose payload was cut short"),
    ("skipped_trainings", "in the background: never begun, newer pilots came"),
    ("hurried_frames", "received without refits, as too many samples waited"),
    ("warning", "what may be wrong; only where there is something"),
]

CPP = """\
Flowgraphs in C++ (Output Language C++ in the Options block) cannot have Import blocks, nor \
variables whose value is a Python expression. The Training Sequence may be such an expression, for \
Companion writes its values into the program. For a module in a prefix of your own, call cmake \
with -DCMAKE_PREFIX_PATH=PREFIX in the generated folder."""
