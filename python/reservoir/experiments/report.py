#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What the demo found: a table, sentences, JSON, pictures, an HTML page."""

import base64
import datetime
import html
import io
import json
import math
import os
import platform
import string

import matplotlib
import numpy as np

from gnuradio import gr

from .flowgraph import half_interval

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

COLUMNS = (
    "Modulation",
    "SNR dB",
    "Receiver",
    "SER",
    "± 95 %",
    "EVM dB",
    "Training µs/frame",
    "Msymbol/s",
)


def _figure(value, form):
    return format(value, form) if math.isfinite(value) else "–"


def _rows(results):
    for point in results.points:
        outcome = point.outcome
        rate = results.symbol_rates[point.receiver.name, point.modulation]
        yield (
            point.modulation,
            str(point.snr_db),
            point.receiver.label,
            f"{outcome.ser:.2e}" if outcome.symbol_errors else "0",
            f"{outcome.ci95:.1e}" if outcome.symbol_errors else "–",
            f"{outcome.evm_db:.1f}",
            _figure(1e6 * outcome.training_seconds, ".0f"),
            f"{rate / 1e6:.2f}",
        )


def table(results):
    """The results as text, one line per receiver, modulation and signal-to-noise ratio."""
    rows = [COLUMNS, *_rows(results)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    left = (0, 2)
    lines = []
    previous = None
    for row in rows:
        if previous is not None and row[:2] != previous:
            lines.append("")
        previous = row[:2]
        lines.append(
            "  ".join(
                cell.ljust(width) if index in left else cell.rjust(width)
                for index, (cell, width) in enumerate(zip(row, widths))
            )
        )
    return "\n".join(lines)


def _pairs(results, name, baseline):
    """(outcome, outcome of the baseline) wherever both ran, on the same frames."""
    of = {(p.receiver.name, p.modulation, p.snr_db): p.outcome for p in results.points}
    return [
        (outcome, of[(baseline, *where)])
        for (receiver, *where), outcome in of.items()
        if receiver == name
    ]


def _comparison(results, receiver, baseline):
    pairs = _pairs(results, receiver.name, baseline.name)
    ratios = [a.ser / b.ser for a, b in pairs if a.symbol_errors and b.symbol_errors]
    if not ratios:
        return f"{receiver.label} and {baseline.label} made too few errors to compare."
    mean = math.exp(np.mean(np.log(ratios)))
    differences = [a.frame_ser - b.frame_ser for a, b in pairs]
    worse = sum(np.mean(d) > half_interval(d) for d in differences)
    better = sum(np.mean(d) < -half_interval(d) for d in differences)
    text = (
        f"{receiver.label} has {mean:.2f} times the symbol error rate of {baseline.label} "
        f"(geometric mean of {len(ratios)} points, {min(ratios):.2f} to {max(ratios):.2f}); "
        f"on the same frames it is worse at {worse} points and better at {better}, beyond the "
        f"95 % interval of the difference."
    )
    if 0.8 <= mean <= 1.25:
        text += f" In effect it is about as good as the {baseline.label}."
    return text


def findings(results):
    """Sentences on what came out, from the figures alone."""
    receivers = {p.receiver.name: p.receiver for p in results.points}
    baseline = receivers["fir"]
    sentences = [
        _comparison(results, receiver, baseline)
        for receiver in receivers.values()
        if receiver is not baseline
    ]
    for modulation, snrs in results.parameters["snrs_db"].items():
        last = [
            p
            for p in results.points
            if p.modulation == modulation and p.snr_db == max(snrs)
        ]
        best = min(last, key=lambda p: p.outcome.ser)
        errors = best.outcome.symbol_errors
        sentences.append(
            f"{modulation} at {max(snrs)} dB: the least symbol error rate is "
            + (f"{best.outcome.ser:.1e} ± {best.outcome.ci95:.0e}" if errors else "0")
            + f" ({best.receiver.label}, {errors} errors in {best.outcome.symbols} symbols)."
        )
    return sentences


def machine():
    """Processor and cores, as far as the system says."""
    name = platform.processor()
    try:
        with open("/proc/cpuinfo") as file:
            name = next(
                (x.split(":")[1].strip() for x in file if x.startswith("model name")),
                name,
            )
    except OSError:
        pass
    return dict(
        processor=name or platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        system=platform.system(),
    )


def versions():
    """Of the software that ran."""
    return {
        "gnuradio": gr.version(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "matplotlib": matplotlib.__version__,
    }


def date():
    """Now, in UTC."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def _summary(results):
    def number(value):
        return float(value) if math.isfinite(value) else None

    receivers = {p.receiver.name: p.receiver for p in results.points}
    return dict(
        experiment="demo",
        date=date(),
        run_seconds=round(results.run_seconds, 1),
        machine=machine(),
        versions=versions(),
        parameters=results.parameters,
        receivers={
            r.name: dict(label=r.label, description=r.description, grid=r.grid)
            for r in receivers.values()
        },
        results=[
            dict(
                receiver=p.receiver.name,
                modulation=p.modulation,
                snr_db=p.snr_db,
                settings=p.settings,
                ser=p.outcome.ser,
                ser_ci95=number(p.outcome.ci95),
                symbol_errors=p.outcome.symbol_errors,
                symbols=p.outcome.symbols,
                frames=len(p.outcome.frame_ser),
                evm_db=number(p.outcome.evm_db),
                training_seconds=number(p.outcome.training_seconds),
                symbols_per_second=results.symbol_rates[p.receiver.name, p.modulation],
            )
            for p in results.points
        ],
        findings=findings(results),
    )


def ser_curves(results):
    """Symbol error rate over signal-to-noise ratio, one panel per modulation."""
    snrs_db = results.parameters["snrs_db"]
    figure, axes = pyplot.subplots(
        1,
        len(snrs_db),
        figsize=(12, 5.2),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    axes = axes[0]
    for axis, modulation in zip(axes, snrs_db):
        here = [p for p in results.points if p.modulation == modulation]
        for name in dict.fromkeys(p.receiver.name for p in here):
            curve = [
                p for p in here if p.receiver.name == name and p.outcome.symbol_errors
            ]
            ser = np.array([p.outcome.ser for p in curve])
            half = np.array([p.outcome.ci95 for p in curve])
            axis.errorbar(
                [p.snr_db for p in curve],
                ser,
                # a bar that reaches zero has no end on a logarithmic axis
                yerr=[np.minimum(half, 0.95 * ser), half],
                capsize=4,
                linewidth=1.8,
                label=next(p.receiver.label for p in here if p.receiver.name == name),
                **next(p.receiver.style for p in here if p.receiver.name == name),
            )
        axis.set(
            title=modulation,
            xlabel="Signal-to-noise ratio (dB)",
            yscale="log",
            xticks=snrs_db[modulation],
        )
        axis.grid(True, which="major", color="0.8")
        axis.grid(True, which="minor", color="0.93")
    axes[0].set_ylabel("Symbol error rate")
    axes[0].set_ylim(top=1)
    axes[0].legend(loc="lower left", title="Bars: 95 % over frames")
    parameters = results.parameters
    figure.suptitle(
        f"{parameters['channel']['taps']}-tap Rayleigh channel, Rapp amplifier "
        f"(back-off {parameters['amplifier']['input_backoff_db']:g} dB), "
        f"{parameters['pilots']} pilots, {parameters['frames']} frames per point"
    )
    return figure


def constellations(results):
    """Payload symbols as received and out of each receiver, one row per modulation."""
    labels = list(dict.fromkeys(p.receiver.label for p in results.points))
    titles = ["Received", *labels]
    figure, axes = pyplot.subplots(
        len(results.pictures),
        len(titles),
        figsize=(3.1 * len(titles), 3.3 * len(results.pictures)),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for row, (modulation, (snr_db, points, captured)) in zip(
        axes, results.pictures.items()
    ):
        for axis, title, symbols in zip(row, titles, captured):
            axis.scatter(
                symbols.real,
                symbols.imag,
                s=3,
                alpha=0.25,
                color="#0072B2",
                linewidth=0,
            )
            axis.scatter(
                np.real(points), np.imag(points), marker="+", s=70, color="black"
            )
            if len(np.unique(symbols)) <= len(points):
                axis.text(0, 0, "gives decisions only", ha="center", va="center")
            axis.set(xlim=(-1.9, 1.9), ylim=(-1.9, 1.9), aspect="equal")
            axis.set_title(f"{title}\n{modulation}, {snr_db} dB", fontsize=11)
            axis.grid(True, color="0.88")
        for axis in row[len(captured) :]:  # a receiver that does not take part
            axis.set_visible(False)
        row[0].set_ylabel("Quadrature")
    for axis in axes[-1]:
        axis.set_xlabel("In-phase")
    frames = len(captured[0]) // results.parameters["payload"]
    figure.suptitle(
        f"Payload of {frames} frames, each with its own channel; crosses: what was sent (unit mean power)"
    )
    return figure


STYLE = """\
body { font: 16px/1.5 sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em; color: #222 }
img { max-width: 100% }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .2em .8em; border-bottom: 1px solid #ddd; text-align: right }
th { border-bottom: 2px solid #888 }
th:nth-child(1), td:nth-child(1), th:nth-child(3), td:nth-child(3) { text-align: left }
tr.first td { border-top: 1px solid #888 }
.note { color: #555; font-size: 90% }
"""

PAGE = string.Template(
    f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>gr-reservoir demo</title>
<style>
{STYLE}</style></head><body>
<h1>gr-reservoir demo</h1>
<p>$what</p>
<ul>$receivers</ul>
<h2>What came out</h2>
<ul>$findings</ul>
<p><img alt="Symbol error rate over signal-to-noise ratio" src="$ser_curves"></p>
<p><img alt="Symbols as received and out of each receiver" src="$constellations"></p>
<h2>All figures</h2>
<table><thead>$head</thead><tbody>$rows</tbody></table>
<p class="note">$notes</p>
<p class="note">$versions</p>
</body></html>
"""
)


def _what(p):
    return (
        f"Each frame is {p['pilots']} pilots and {p['payload']} random symbols, one sample "
        f"per symbol, through a Rapp power amplifier (smoothness {p['amplifier']['smoothness']:g}, "
        f"input back-off {p['amplifier']['input_backoff_db']:g} dB), a channel of "
        f"{p['channel']['taps']} taps with the power profile exp(-l/{p['channel']['decay']:g}) "
        f"(Rayleigh, unit energy, redrawn for each frame) and white noise. All receivers get "
        f"the same samples in the same GNU Radio flowgraph and train on each frame's pilots: "
        f"{p['frames']} frames for each signal-to-noise ratio."
    )


def _notes(p):
    return (
        "SER: symbol error rate of the payload, ± half its normal 95 % interval over frames, "
        "whose channels are independent; where frames with errors are few that interval is too "
        "short. EVM: root mean square error of the payload's symbols over the rms of those "
        "sent; the outputs of reservoir.equalizer are unbiased, those of LMS and NLMS shrink with the "
        "noise, so at low signal-to-noise ratios their smaller EVM is not a better decision. "
        "Training: median wall-clock time for one frame's pilots while the whole "
        "flowgraph runs; – where a block trains as the samples pass. Msymbol/s: the receiver "
        "alone after a vector source, training included. Settings that are searched for are "
        f"the best of their grid on {p['calibration_frames']} other frames, for each "
        "signal-to-noise ratio; results.json has them."
    )


def _receiver_item(results, receiver):
    text = f"<b>{html.escape(receiver.label)}</b>: {html.escape(receiver.description)}"
    if receiver.grid:
        where = {}
        for p in results.points:
            if p.receiver is receiver:
                setting = ", ".join(
                    f"{key} {value}" for key, value in p.settings.items()
                )
                where.setdefault(setting, []).append(f"{p.modulation} {p.snr_db} dB")
        chosen = "; ".join(f"{key} ({', '.join(at)})" for key, at in where.items())
        text += (
            "<details><summary>Settings chosen</summary>"
            f'<span class="note">{html.escape(chosen)}.</span></details>'
        )
    return f"<li>{text}</li>"


def html_row(cells, tag="td", first=False):
    """A row of a table; first: with a line above."""
    inner = "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells)
    return f'<tr{" class=first" if first else ""}>{inner}</tr>'


def provenance(summary):
    """When, where and with what a report came about, in a sentence."""
    host = summary["machine"]
    software = ", ".join(f"{name} {v}" for name, v in summary["versions"].items())
    return (
        f"{summary['date']}, seed {summary['parameters']['seed']}, {summary['run_seconds']} s "
        f"on {host['cores']} cores of {host['processor']}; {software}."
    )


def embedded(picture):
    """A PNG file as the address of an image."""
    return "data:image/png;base64," + base64.b64encode(picture).decode()


def _page(results, summary, pictures):
    receivers = {p.receiver.name: p.receiver for p in results.points}.values()
    rows, previous = [], None
    for row in _rows(results):
        rows.append(html_row(row, first=row[:2] != previous))
        previous = row[:2]
    return PAGE.substitute(
        what=html.escape(_what(results.parameters)),
        receivers="".join(_receiver_item(results, r) for r in receivers),
        findings="".join(f"<li>{html.escape(s)}</li>" for s in summary["findings"]),
        head=html_row(COLUMNS, "th"),
        rows="".join(rows),
        notes=html.escape(_notes(results.parameters)),
        versions=html.escape(provenance(summary)),
        **{name: embedded(picture) for name, picture in pictures.items()},
    )


def png(figure):
    """The figure as the bytes of a PNG file; it is closed."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    pyplot.close(figure)
    return buffer.getvalue()


def write(results, folder):
    """Write the report into a folder; returns the paths of its files."""
    summary = _summary(results)
    pictures = dict(
        ser_curves=png(ser_curves(results)),
        constellations=png(constellations(results)),
    )
    files = {
        "index.html": _page(results, summary, pictures).encode(),
        "results.json": json.dumps(summary, indent=1, allow_nan=False).encode(),
        **{f"{name}.png": picture for name, picture in pictures.items()},
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]
