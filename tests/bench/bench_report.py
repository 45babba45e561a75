#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Rows that bench.py measures, the bars that the project has set itself, and how both are shown."""

import dataclasses
import json

TIMES = ("µs", "ms")


@dataclasses.dataclass
class Row:
    name: str
    value: float | None  # None: the note says why
    unit: str
    column: str = ""  # of the table; the unit where there is one column
    group: str = ""
    peer: bool = False
    note: str = ""
    points: dict = dataclasses.field(
        default_factory=dict
    )  # what the value was fitted to
    part: str = ""
    bars: list = dataclasses.field(default_factory=list)

    def __post_init__(self):
        self.column = self.column or self.unit


@dataclasses.dataclass
class Bar:
    row: str
    column: str
    bound: float
    over: str = ""  # the row that this one must be so many times as fast as
    at_least: bool = True

    def judge(self, rows):
        """The figure and what comes of it, as a dictionary."""
        mine = rows[self.row, self.column]
        figure = mine.value
        if self.over:
            other = rows.get((self.over, self.column))
            known = figure is not None and other is not None and other.value is not None
            figure = figure / other.value if known else None
            if known and mine.unit in TIMES:
                figure = 1 / figure
        met = None
        if figure is not None:
            met = figure >= self.bound if self.at_least else figure <= self.bound
        return dict(
            figure=figure,
            unit=f"× as fast as {self.over}" if self.over else mine.unit,
            bound=f"{'≥' if self.at_least else '≤'} {self.bound:g}",
            verdict={None: "not measured", True: "met", False: "missed"}[met],
        )


RATE = "Msymbol/s"
SAMPLE_RATE = "MS/s"
RADIO_TO_BYTES = "{}, {} symbols"
FIR, FIR_LINEAR = "reservoir fir, 32 taps", "reservoir configured_esn, linear, 81 taps"
ESN = "reservoir esn, 32 neurons, window 24"
QPSK_SEARCH = "reservoir configured_esn, QPSK, 8 survivors"
QAM_SEARCH = "reservoir configured_esn, 16-QAM, 8 survivors"
FRAME = "frame of 64 + 512 symbols, configured_esn, 2 refits"
POLES, POLES_TANH, POLES_PLAIN = (
    "pole_bank_readout/32",
    "pole_bank_tanh/32",
    "pole_bank_tanh_plain_loop/32",
)
LMS = "digital.linear_equalizer, LMS, 16 taps, beside"
REAL_TIME = {  # symbols per second over those of LMS, at least
    "64 + 512 QPSK, 15 dB": 0.33,
    "128 + 1024 QPSK, 20 dB": 0.5,
    "128 + 512 16-QAM behind an amplifier, 22 dB": 0.17,
    "128 + 4096 QPSK, f_dT 1e-5, 15 dB": 0.33,
    "128 + 4096 QPSK, f_dT 1e-4, 20 dB": 0.25,
    "128 + 4096 16-QAM, f_dT 1e-5, 22 dB": 0.1,
    "128 + 4096 QPSK, f_dT 1e-4, 20 dB, adapting stream": 0.17,
}
BARS = [
    Bar(POLES, "% of FMA peak", 60),
    Bar(POLES_TANH, "Mitem/s", 3, over=POLES_PLAIN),
    Bar(FIR, RATE, 1.5, over="filter.fir_filter_ccc, 32 taps"),
    Bar(FIR_LINEAR, RATE, 1.5, over="filter.fir_filter_ccc, 81 taps"),
    Bar(FIR_LINEAR, RATE, 1, over="filter.fft_filter_ccc, 81 taps"),
    Bar(ESN, RATE, 4),
    Bar(ESN, RATE, 1.3, over="digital.linear_equalizer, LMS, 16 taps"),
    Bar(ESN, RATE, 30, over="reservoirpy, 32 neurons, window 24"),
    Bar(QPSK_SEARCH, RATE, 4),
    Bar(
        QPSK_SEARCH, RATE, 1.2, over="digital.decision_feedback_equalizer, 16 + 8 taps"
    ),
    Bar(QAM_SEARCH, RATE, 1.8),
    Bar("ridge, 64 rows, 56 features, leave-one-out", "µs", 150, at_least=False),
    Bar("ridge, 64 rows, 56 features, given λ", "µs", 60, at_least=False),
    Bar("configured_esn", "64 pilots", 400, at_least=False),
    Bar(FRAME, "ms", 1.5, at_least=False),
    Bar("esn, trained every 1216 symbols", RATE, 0.8, over="esn, trained once"),
    Bar("rnn, 32 neurons, 512 pilots", "ms", 30, over="torch, 32 neurons, 512 pilots"),
    Bar("workers = 2", "frame/s", 1.8, over="workers = 1"),
    Bar(RADIO_TO_BYTES.format("fir", 512), "1 core", 4.1),
    Bar(RADIO_TO_BYTES.format("configured_esn", 512), "1 core", 1.5),
    Bar(RADIO_TO_BYTES.format("configured_esn", 512), "2 cores", 2.4),
    Bar("ofdm_lmmse", RATE, 8),
    Bar("ofdm_configured", RATE, 0.5),
    Bar("ofdm_esn", RATE, 2),
] + [Bar(name, RATE, bound, over=LMS) for name, bound in REAL_TIME.items()]


def judge(rows):
    """Gives each row the bars that are about it."""
    by_key = {(row.name, row.column): row for row in rows}
    for bar in BARS:
        if (bar.row, bar.column) in by_key:
            by_key[bar.row, bar.column].bars.append(bar.judge(by_key))


def digits(value):
    """Three of them, without an exponent."""
    if value is None:
        return "–"
    return f"{value:.0f}" if abs(value) >= 99.95 else f"{value:.3g}"


def shown(bar):
    figure = "" if bar["figure"] is None else digits(bar["figure"]) + " "
    return f"{figure}{bar['unit']} (bar {bar['bound']}, {bar['verdict']})"


def table(rows):
    """A line a name, a column a column; notes and bars behind."""
    columns = list(dict.fromkeys(row.column for row in rows))
    lines = {}
    for row in rows:
        lines.setdefault(row.name, {})[row.column] = row
    remarks = {name: remark(line.values()) for name, line in lines.items()}
    shows_remarks = any(remarks.values())
    header = ["", *columns] + ["remarks"] * shows_remarks
    yield "| " + " | ".join(header) + " |"
    yield "|---" + "|--:" * len(columns) + "|---" * shows_remarks + "|"
    for name, line in lines.items():
        cells = [digits(line[c].value) if c in line else "" for c in columns]
        yield "| " + " | ".join([name, *cells] + [remarks[name]] * shows_remarks) + " |"


def remark(rows):
    texts = []
    for row in rows:
        texts += [row.note] if row.note else []
        if row.points:
            points = (f"{size}: {digits(value)}" for size, value in row.points.items())
            texts.append(", ".join(points) + " µs")
        texts += [shown(bar) for bar in row.bars]
    return "; ".join(dict.fromkeys(texts))


def markdown(summary, rows, captions):
    machine = summary["machine"]
    yield "# Benchmarks"
    yield ""
    yield (
        f"{summary['date']}, one core of {machine['cores']}, {machine['processor']}, load "
        f"{machine['load']:.1f} at the beginning; the best of {summary['runs']} runs. "
        + ", ".join(
            f"{name} {version}" for name, version in summary["versions"].items()
        )
        + "."
    )
    yield ""
    verdicts = [bar["verdict"] for row in rows for bar in row.bars]
    counts = (f"{verdicts.count(v)} {v}" for v in ("met", "missed", "not measured"))
    yield f"Bars that the project has set itself, in the remarks: {', '.join(counts)}."
    for part, caption in captions.items():
        yield ""
        yield f"## {part}"
        yield ""
        yield " ".join(caption.split())
        yield ""
        yield from table([row for row in rows if row.part == part])


def places_of(rows):
    """Where each bar goes, and each group's title: between groups a line for it."""
    bars, titles, place = [], {}, 0
    for row in rows:
        if row.group not in titles:
            titles[row.group] = place
            place += 1
        bars.append(place)
        place += 1
    return bars, titles


def draw(path, rows):
    """The rates of the blocks, by group."""
    import matplotlib

    matplotlib.use("agg")
    matplotlib.rcParams.update(
        {"svg.hashsalt": "gr-reservoir", "svg.fonttype": "none", "font.size": 10}
    )
    from matplotlib import pyplot
    from matplotlib.patches import Patch

    rows = [row for row in rows if row.part == "blocks" and row.value is not None]
    places, titles = places_of(rows)
    figure, axis = pyplot.subplots(
        figsize=(8.4, 1.2 + 0.25 * (len(places) + len(titles))), layout="constrained"
    )
    colors = {"gr-reservoir": "tab:green", "others": "tab:gray"}
    rates = [row.value for row in rows]
    color = [colors["others" if row.peer else "gr-reservoir"] for row in rows]
    bars = axis.barh(places, rates, 0.8, color=color)
    axis.bar_label(bars, [digits(rate) for rate in rates], padding=3)
    for title, place in titles.items():
        axis.text(
            0.01,
            place,
            title,
            transform=axis.get_yaxis_transform(),
            verticalalignment="center",
            weight="bold",
        )
    axis.set(
        xscale="log",
        yticks=places,
        yticklabels=[row.name for row in rows],
        xlabel="Msymbol/s on one core",
    )
    axis.set_xlim(min(rates, default=1) / 2, 3 * max(rates, default=1))
    axis.set_ylim(len(places) + len(titles) - 0.3, -0.7)
    axis.xaxis.set_major_formatter("{x:g}")
    axis.grid(axis="x", alpha=0.4)
    axis.set_axisbelow(True)
    handles = [Patch(color=color, label=who) for who, color in colors.items()]
    axis.legend(
        handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncol=2, frameon=False
    )
    figure.savefig(path, metadata={"Date": None})


def write(folder, summary, rows, captions):
    folder.mkdir(parents=True, exist_ok=True)
    everything = dict(summary, rows=[dataclasses.asdict(row) for row in rows])
    text = json.dumps(everything, indent=1, ensure_ascii=False)
    (folder / "bench.json").write_text(text + "\n")
    (folder / "bench.md").write_text(
        "\n".join(markdown(summary, rows, captions)) + "\n"
    )
    draw(folder / "bench.svg", rows)
