#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Pictures of a campaign: error rates, symbols, poles, times."""

import dataclasses

import numpy as np

from ..campaign.specification import place
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
PICTURE_FRAMES = 8
CLOUDS = 4  # constellations side by side
MOST_LINKS = 4  # of which symbols, poles and times are drawn


def plain(text):
    """For matplotlib, to which $ begins a formula."""
    return text.replace("$", r"\$")


def style(index, receivers):
    """How a receiver is drawn; told apart by colour, marker and line."""
    marker, color = MARKERS[index % len(MARKERS)], COLORS[index % len(COLORS)]
    kinds = [receiver.kind for receiver in receivers]
    if kinds.count(kinds[index]) == 1:
        color = KIND_COLORS.get(kinds[index], color)
    return dict(
        color=color,
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
    size = max(6.0, 8 / columns), 4.8
    figure, axes = _panels(list(panels), columns, size, sharey=True)
    receivers = results.campaign.receivers
    lines = {}  # of a receiver, in the first panel that has it
    for axis, here in zip(axes.flat, panels.values()):
        for index, receiver in enumerate(receivers):
            if line := _curve(axis, receiver, here, style(index, receivers)):
                lines.setdefault(receiver.name, line)
        axis.set(
            xlabel=axis_label(entry),
            yscale="log",
            xticks=sorted({x for x, _ in here}),
        )
        axis.grid(True, which="major", color="0.8")
        axis.grid(True, which="minor", color="0.93")
    for axis in axes[:, 0]:
        axis.set_ylabel("Symbol error rate")
    axes[0, 0].set_ylim(top=1)
    # many names would cover the curves
    beside = len(receivers) > 5
    where = dict(loc="upper left", bbox_to_anchor=(1.02, 1)) if beside else {}
    named = [lines[one.name] for one in receivers if one.name in lines]
    where = dict(title="Bands: 95 % over frames", loc="lower left") | where
    axes[0, -beside].legend(handles=named, **where)
    return figure


def _curve(axis, receiver, here, drawn_as):
    """The line, if there is one."""
    curve = [(x, m[receiver.name].ser) for x, m in here if receiver.name in m]
    if not curve or isinstance(curve[0][0], str):
        return None
    curve.sort(key=lambda item: item[0])
    x = [at for at, _ in curve]
    value, low, high = (
        np.array([getattr(rate, name) for _, rate in curve])
        for name in ("value", "low", "high")
    )
    seen = value > 0
    (line,) = axis.plot(
        x, np.where(seen, value, np.nan), label=plain(receiver.label), **drawn_as
    )
    # a band that reaches zero has no end on a logarithmic axis
    low = np.where(seen, np.maximum(low, 0.05 * value), np.nan)
    axis.fill_between(x, low, high, color=drawn_as["color"], alpha=0.15, linewidth=0)
    return line


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


@dataclasses.dataclass
class Sample:
    """A few frames at one point, received once more to be drawn."""

    work: object
    measured: dict
    frames: list
    symbols: dict  # {receiver's name: of all frames}
    reports: dict  # {its name: a training report of each frame}, of receivers that have one


def samples(results):
    """At the middle point of each panel."""
    entry, panels = horizontal(results.campaign), {}
    for work, measured in zip(results.points, results.measured):
        panels.setdefault(place(work.point, {entry}), []).append((work, measured))
    middle = [here[len(here) // 2] for here in list(panels.values())[:MOST_LINKS]]
    return [_sample(results.campaign.head.seed, *found) for found in middle]


def _sample(seed, work, measured):
    link = work.point.link
    frames = [link.make_frame(seed, k) for k in range(PICTURE_FRAMES)]
    symbols, reports = {}, {}
    for name, found in measured.items():
        parameters = {**found.receiver.parameters, **found.settings}
        receiver = found.receiver.made(link, **parameters)
        if not hasattr(receiver, "report"):
            symbols[name] = np.concatenate(receiver.receive(frames), None)
            continue
        symbols[name], reports[name] = np.zeros(0), []
        for frame in frames:
            symbols[name] = np.append(symbols[name], receiver.receive([frame])[0])
            reports[name].append(receiver.report())
    return Sample(work, measured, frames, symbols, reports)


def _panels(titles, columns, size, **shared):
    """A figure and a pair (axis, title) for each title."""
    lines = -(-len(titles) // columns)
    figure, axes = pyplot.subplots(
        lines,
        columns,
        figsize=(size[0] * columns, size[1] * lines),
        squeeze=False,
        layout="constrained",
        **shared,
    )
    for axis in list(axes.flat)[len(titles) :]:
        axis.set_visible(False)
    for axis, title in zip(axes.flat, titles):
        axis.set_title(plain(title), fontsize=10)
    return figure, axes


def constellations(drawn):
    """Payload symbols as received and out of each receiver, of each Sample."""
    pictures = []
    for sample in drawn:
        link, where = sample.work.point.link, place(sample.work.point)
        clouds = {"Received": _received(link, sample.frames)}
        for name, symbols in sample.symbols.items():
            clouds[sample.measured[name].receiver.label] = symbols
        pictures += [(f"{k}\n{where}", link.points(), v) for k, v in clouds.items()]
    figure, axes = _panels(
        [title for title, *_ in pictures], CLOUDS, (3.0, 3.3), sharex=True, sharey=True
    )
    for axis, (_, points, symbols) in zip(axes.flat, pictures):
        _cloud(axis, points, symbols)
    return figure


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


def poles(drawn):
    """Recurrent poles of all receivers that have any, in each Sample's frames; None without."""
    pictures = []
    for sample in drawn:
        for name, reports in sample.reports.items():
            found = np.concatenate([np.ravel(report.poles) for report in reports])
            if len(found):
                label = sample.measured[name].receiver.label
                pictures.append((f"{label}\n{place(sample.work.point)}", found))
    if not pictures:
        return None
    titles = [title for title, _ in pictures]
    figure, axes = _panels(titles, CLOUDS, (3.0, 3.3))
    for axis, (_, found) in zip(axes.flat, pictures):
        axis.add_patch(pyplot.Circle((0, 0), 1, fill=False, color="black"))
        axis.scatter(found.real, found.imag, s=8, alpha=0.5, color=GREEN, linewidth=0)
        reach = max(1.1, 1.05 * float(np.max(np.abs(found))))
        axis.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        axis.grid(True, color="0.88")
        axis.set_axisbelow(True)
    return figure


def times(drawn):
    """What a frame costs, and what of it is training, at each Sample's point."""
    figure, axes = _panels(
        [place(sample.work.point) for sample in drawn], min(len(drawn), 2), (6.0, 3.6)
    )
    for axis, sample in zip(axes.flat, drawn):
        found = list(sample.measured.values())[::-1]
        height = np.arange(len(found))
        whole = [1e3 * one.seconds for one in found]
        axis.plot(whole, height, "o", color=BLUE)
        reports = [sample.reports.get(one.receiver.name, []) for one in found]
        trained = [1e3 * np.median([r.seconds for r in of] or np.nan) for of in reports]
        axis.plot(trained, height, "|", ms=14, mew=2, color=RED)
        axis.set(xscale="log", xlabel="ms per frame (dot), its training (stroke)")
        axis.set_yticks(height, [plain(one.receiver.label) for one in found])
        axis.grid(True, color="0.88")
    return figure
