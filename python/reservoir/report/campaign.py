#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The report of a campaign: table, limits, sentences, curves, symbols; HTML, CSV, JSON, PNG and SVG."""

import csv
import dataclasses
import html
import io
import json
import math

import numpy as np

from ..campaign import statistics
from ..campaign.receivers import KINDS
from ..campaign.specification import concerns
from ..modulations import LABELS
from . import page
from .page import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, SKY, pyplot

# a kind that is often drawn looks alike in all reports
KIND_COLORS = dict(
    fir=BLUE,
    esn=ORANGE,
    configured_esn=GREEN,
    rnn=PURPLE,
    lms=RED,
    nlms=PURPLE,
    dfe=SKY,
    mlse=BLACK,
    ofdm_fir=BLUE,
    ofdm_esn=ORANGE,
    ofdm_configured=GREEN,
    ofdm_lmmse=RED,
)
COLORS = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BLACK)
MARKERS, LINES = "osD^vPX", ("-", "--", "-.", ":")
COLUMNS = (
    "Link",
    "Receiver",
    "SER",
    "95 %",
    "BER",
    "Lost frames",
    "EVM dB",
    "Frames",
    "ms/frame",
)
TEXT_COLUMNS = (0, 1)
PICTURE_FRAMES = 8
CLOUDS = 4  # constellations side by side
CLOSE = 1.25  # ratios up to this, and from its inverse, are called about as good


@dataclasses.dataclass
class Results:
    """A finished campaign. points: engine.PointWork; name: the file's."""

    campaign: object
    name: str
    points: list
    run_seconds: float = 0.0

    def __post_init__(self):
        self.measured = [work.measured() for work in self.points]

    def pairs(self):
        """(Point, {name: Measured}) of every point."""
        return [(w.point, m) for w, m in zip(self.points, self.measured)]


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


def rate_text(rate):
    return f"{rate.value:.2e}" if rate.value else "0"


def interval_text(rate):
    return f"{rate.low:.1e} … {rate.high:.1e}"


def rows(results):
    for point, measured in results.pairs():
        for found in measured.values():
            yield (
                place(point),
                found.receiver.label,
                rate_text(found.ser),
                interval_text(found.ser),
                rate_text(found.ber),
                f"{found.lost.value:.2%}",
                f"{found.evm_db:.1f}" if math.isfinite(found.evm_db) else "–",
                str(len(found.wrong)),
                f"{1e3 * found.seconds:.2f}",
            )


def table(results):
    """As text."""
    return page.text_table(COLUMNS, rows(results), TEXT_COLUMNS)


def comparisons(results):
    """Each receiver beside the first, on the same frames: sentences."""
    first, *others = results.campaign.receivers
    return [text for other in others if (text := _comparison(results, other, first))]


def _comparison(results, receiver, baseline):
    ratios, better, worse, count = [], 0, 0, 0
    for _, measured in results.pairs():
        if not {receiver.name, baseline.name} <= set(measured):
            continue
        ours, theirs = measured[receiver.name], measured[baseline.name]
        count += 1
        if ours.wrong.sum() and theirs.wrong.sum():
            ratios.append(ours.wrong.sum() / theirs.wrong.sum())
        apart = statistics.difference(ours.wrong, theirs.wrong, ours.symbols)
        better += apart.high < 0
        worse += apart.low > 0
    if not count:
        return None
    if not ratios:
        return f"{receiver.label} and {baseline.label} made too few errors to compare."
    mean = math.exp(np.mean(np.log(ratios)))
    text = (
        f"{receiver.label} has {mean:.2g} times the symbol error rate of {baseline.label} "
        f"(geometric mean of {len(ratios)} points, {min(ratios):.2g} to {max(ratios):.2g}); on the "
        f"same frames it is better at {better} and worse at {worse} of {count} points, beyond the "
        "95 % interval of the difference."
    )
    if 1 / CLOSE <= mean <= CLOSE:
        text += f" In effect it is about as good as {baseline.label}."
    return text


def limits(results):
    """[(sentence, whether it is met)] of the campaign's limits, at each point that they concern."""
    found = []
    for limit, at in results.campaign.limits:
        for point, measured in results.pairs():
            if concerns(limit, at, point):
                found.append(_limit(limit, point, measured))
    return found


def _limit(limit, point, measured):
    text = f"{place(point)}: {limit.figure} of {limit.receiver}"
    if limit.over:
        text += f" over {limit.over}"
    missing = [n for n in (limit.receiver, limit.over) if n and n not in measured]
    if missing:
        return f"{text}: {missing[0]} takes no part", False
    ours = measured[limit.receiver]
    if limit.over:
        theirs = measured[limit.over]
        pick = dict(ser="wrong", ber="wrong_bits", lost="lost_frames")[limit.figure]
        rate = statistics.ratio(getattr(ours, pick), getattr(theirs, pick))
        if math.isnan(rate.value):
            none = not np.any(getattr(ours, pick))
            rate = statistics.Rate(*3 * (0.0 if none else math.inf,))
    else:
        rate = getattr(ours, limit.figure)
    if not isinstance(rate, statistics.Rate):
        rate = statistics.Rate(rate, rate, rate)
    met = bool(rate.value <= limit.at_most)
    return (
        f"{text} {rate.value:.3g} ({rate.low:.3g} … {rate.high:.3g}), at most "
        f"{limit.at_most:g}: {'met' if met else 'MISSED'}",
        met,
    )


def plain(text):
    """For matplotlib, to which $ begins a formula."""
    return text.replace("$", r"\$")


def style(index, kind):
    """How a receiver is drawn; told apart by colour, marker and line."""
    marker = MARKERS[index % len(MARKERS)]
    return dict(
        color=KIND_COLORS.get(kind, COLORS[index % len(COLORS)]),
        marker=marker,
        linestyle=LINES[index % len(LINES)],
        # where curves coincide both are seen
        markersize=11 if index % 3 == 0 else 5,
        fillstyle="none" if index % 3 == 0 else "full",
    )


def curves(results):
    """Symbol error rate over the horizontal entry, a panel for each of the other links; None where
    nothing is varied."""
    entry = horizontal(results.campaign)
    if not entry:
        return None
    panels = {}
    for point, measured in results.pairs():
        if entry in point.varied:
            title = place(point, {entry})
            panels.setdefault(title, []).append((point.varied[entry], measured))
    columns = min(len(panels), 3)
    lines = -(-len(panels) // columns)
    figure, axes = pyplot.subplots(
        lines,
        columns,
        figsize=(max(6.0 * columns, 8), 4.8 * lines),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for axis, (title, here) in zip(axes.flat, panels.items()):
        for index, receiver in enumerate(results.campaign.receivers):
            _curve(axis, receiver, here, style(index, receiver.kind))
        axis.set(
            title=plain(title),
            xlabel=axis_label(entry),
            yscale="log",
            xticks=sorted({x for x, _ in here}),
        )
        axis.grid(True, which="major", color="0.8")
        axis.grid(True, which="minor", color="0.93")
    for axis in list(axes.flat)[len(panels) :]:
        axis.set_visible(False)
    for axis in axes[:, 0]:
        axis.set_ylabel("Symbol error rate")
    axes[0, 0].set_ylim(top=1)
    axes[0, 0].legend(loc="lower left", title="Bands: 95 % over frames")
    return figure


def _curve(axis, receiver, here, drawn_as):
    curve = [(x, m[receiver.name].ser) for x, m in here if receiver.name in m]
    if not curve or isinstance(curve[0][0], str):
        return
    curve.sort(key=lambda item: item[0])
    x = [at for at, _ in curve]
    value, low, high = (
        np.array([getattr(rate, name) for _, rate in curve])
        for name in ("value", "low", "high")
    )
    seen = value > 0
    axis.plot(x, np.where(seen, value, np.nan), label=plain(receiver.label), **drawn_as)
    # a band that reaches zero has no end on a logarithmic axis
    low = np.where(seen, np.maximum(low, 0.05 * value), np.nan)
    axis.fill_between(x, low, high, color=drawn_as["color"], alpha=0.15, linewidth=0)


def horizontal(campaign):
    """The entry that curves run over."""
    if campaign.head.horizontal:
        return campaign.head.horizontal
    varied = [key for point in campaign.points for key in point.varied]
    numeric = {
        key
        for point in campaign.points
        for key, value in point.varied.items()
        if not isinstance(value, (str, bool))
    }
    if "snr_db" in numeric:
        return "snr_db"
    return next((key for key in varied if key in numeric), "")


def axis_label(entry):
    if entry == "snr_db":
        return "Signal-to-noise ratio (dB)"
    return entry.replace("_", " ").capitalize()


def constellations(results):
    """Payload symbols as received and out of each receiver, at the middle point of each panel."""
    pictures = [
        picture
        for work, measured in _middle_points(results)
        for picture in _pictures(results, work, measured)
    ]
    lines = -(-len(pictures) // CLOUDS)
    figure, axes = pyplot.subplots(
        lines,
        CLOUDS,
        figsize=(3.0 * CLOUDS, 3.3 * lines),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for axis, (title, points, symbols) in zip(axes.flat, pictures):
        _cloud(axis, points, symbols)
        axis.set_title(plain(title), fontsize=10)
    for axis in list(axes.flat)[len(pictures) :]:
        axis.set_visible(False)
    return figure


def _pictures(results, work, measured):
    """(title, points, symbols) of a link."""
    link, head = work.point.link, results.campaign.head
    frames = [link.make_frame(head.seed, k) for k in range(PICTURE_FRAMES)]
    title = f"{{}}\n{place(work.point)}"
    yield title.format("Received"), link.points(), _received(link, frames)
    for found in measured.values():
        receiver = found.receiver
        parameters = {**receiver.parameters, **found.settings}
        symbols = KINDS[receiver.kind](link, **parameters).receive(frames)
        yield title.format(receiver.label), link.points(), np.concatenate(symbols, None)


def _middle_points(results):
    entry, panels = horizontal(results.campaign), {}
    for work, measured in zip(results.points, results.measured):
        panels.setdefault(place(work.point, {entry}), []).append((work, measured))
    return [here[len(here) // 2] for here in list(panels.values())[:4]]


def _received(link, frames):
    if hasattr(link, "demodulate"):
        used = link.carriers()
        symbols = [link.demodulate(f.received)[..., used] for f in frames]
    else:
        symbols = [f.received[:, :: link.samples_per_symbol] for f in frames]
    return np.concatenate(symbols, None)


def _cloud(axis, points, symbols):
    symbols = symbols[:: max(len(symbols) // 8192, 1)]
    axis.scatter(symbols.real, symbols.imag, s=3, alpha=0.25, color=BLUE, linewidth=0)
    axis.scatter(points.real, points.imag, marker="+", s=70, color="black")
    if len(np.unique(symbols)) <= len(points):
        axis.text(0, 0, "gives decisions only", ha="center", va="center")
    axis.set(xlim=(-1.9, 1.9), ylim=(-1.9, 1.9), aspect="equal")
    axis.grid(True, color="0.88")


def summary(results):
    """All that results.json holds."""

    def rate(found):
        return dict(value=found.value, low=found.low, high=found.high)

    head = results.campaign.head
    return dict(
        campaign=head.title,
        file=results.name,
        date=page.date(),
        run_seconds=round(results.run_seconds, 1),
        machine=page.machine(),
        versions=page.versions(),
        parameters=dataclasses.asdict(head),
        receivers={
            r.name: dict(
                label=r.label, kind=r.kind, parameters=r.parameters, tune=r.tune
            )
            for r in results.campaign.receivers
        },
        points=[
            dict(
                place=place(point),
                link=dict(kind=type(point.link).__name__, **point.link.entries()),
                varied=point.varied,
                absent=work.absent,
                receivers={
                    name: dict(
                        frames=len(found.wrong),
                        symbols=found.symbols * len(found.wrong),
                        symbol_errors=int(found.wrong.sum()),
                        bit_errors=int(found.wrong_bits.sum()),
                        lost_frames=int(found.lost_frames.sum()),
                        ser=rate(found.ser),
                        ber=rate(found.ber),
                        lost=rate(found.lost),
                        evm_db=found.evm_db if math.isfinite(found.evm_db) else None,
                        seconds=found.seconds,
                        settings=found.settings,
                    )
                    for name, found in measured.items()
                },
            )
            for work, (point, measured) in zip(results.points, results.pairs())
        ],
        comparisons=comparisons(results),
        limits=[dict(text=text, met=met) for text, met in limits(results)],
    )


def comma_separated(found):
    """A line for each receiver at each point."""
    entries = sorted({key for point in found["points"] for key in point["varied"]})
    figures = ("ser", "ber", "lost")
    text = io.StringIO()
    lines = csv.writer(text)
    heads = [f"{name}{end}" for name in figures for end in ("", "_low", "_high")]
    lines.writerow(
        ["place", *entries, "receiver", "frames", *heads, "evm_db", "seconds_per_frame"]
    )
    for point in found["points"]:
        for name, receiver in point["receivers"].items():
            rates = [
                receiver[f][end] for f in figures for end in ("value", "low", "high")
            ]
            lines.writerow(
                [
                    point["place"],
                    *(point["varied"].get(entry, "") for entry in entries),
                    name,
                    receiver["frames"],
                    *rates,
                    receiver["evm_db"],
                    receiver["seconds"],
                ]
            )
    return text.getvalue()


NOTES = (
    "SER, BER: wrong symbols and bits of the payload; 95 %: interval of the SER from the spread between "
    "frames, whose channels are independent. Lost frames: share of those with more than 5 % of their "
    "symbols wrong. EVM: root mean square error of the payload's symbols over the rms of those sent; "
    "outputs that shrink with the noise, as those of LMS do, have a smaller one without deciding better. "
    "ms/frame: wall-clock time of receiving a frame, training included, beside whatever else ran. All "
    "receivers get the same frames."
)


def tuned(results):
    """What was chosen, in HTML, for each receiver that is tuned."""
    head = results.campaign.head
    for receiver in results.campaign.receivers:
        where = {}
        for point, measured in results.pairs():
            if receiver.tune and receiver.name in measured:
                settings = measured[receiver.name].settings
                text = ", ".join(f"{key} {value}" for key, value in settings.items())
                where.setdefault(text, []).append(place(point))
        if where:
            chosen = (f"{text} ({', '.join(at)})" for text, at in where.items())
            yield (
                f"<details><summary>Settings of {html.escape(receiver.label)}, the best on "
                f"{head.tuning_frames} other frames</summary>"
                f"{page.paragraph('; '.join(chosen), note=True)}</details>"
            )


def write(results, found, folder):
    """Write the report into a folder; found: its summary. Returns the paths of its files."""
    figures = {}
    if picture := curves(results):
        figures["ser_curves"] = page.drawn(picture, "png", "svg")
    figures["constellations"] = page.drawn(constellations(results), "png")
    head = results.campaign.head
    parts = [page.paragraph(head.about)] if head.about else []
    parts += ["<h2>What came out</h2>", page.bullets(found["comparisons"])]
    if found["limits"]:
        met = sum(limit["met"] for limit in found["limits"])
        parts.append(
            f"<p>{met} of {len(found['limits'])} limits are met.</p>"
            + page.bullets([limit["text"] for limit in found["limits"]])
        )
    names = dict(
        ser_curves="Symbol error rates",
        constellations="Symbols as received and out of each receiver",
    )
    parts += [page.picture(figures[n]["png"], names[n]) for n in names if n in figures]
    parts += [
        "<h2>All figures</h2>",
        page.table(COLUMNS, rows(results), TEXT_COLUMNS),
        page.paragraph(NOTES, note=True),
    ]
    parts += [*tuned(results), *_absent(results)]
    parts.append(page.paragraph(f"{results.name}: {page.provenance(found)}", note=True))
    files = {
        "report.html": page.page(head.title, *parts).encode(),
        "results.json": json.dumps(found, indent=1, allow_nan=False).encode(),
        "results.csv": comma_separated(found).encode(),
    }
    for name, forms in figures.items():
        for form, content in forms.items():
            files[f"{name}.{form}"] = content
    return page.write(files, folder)


def _absent(results):
    """Who takes no part, and why."""
    reasons = {}
    for work in results.points:
        for name, reason in work.absent.items():
            reasons.setdefault((name, reason), []).append(place(work.point))
    return [
        page.paragraph(f"{name} takes no part at {'; '.join(at)}: {reason}.", note=True)
        for (name, reason), at in reasons.items()
    ]
