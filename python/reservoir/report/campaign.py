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
from ..campaign.specification import concerns, place
from . import campaign_plots as plots
from . import page

COLUMNS = (
    "Link",
    "Receiver",
    "SER",
    "95 %",
    "BER",
    "PER",
    "Lost frames",
    "EVM dB",
    "Frames",
    "ms/frame",
)
TEXT_COLUMNS = (0, 1)
# what is counted for a figure
PICKS = dict(ser="wrong", ber="wrong_bits", per="lost_packets", lost="lost_frames")
RATES = tuple(PICKS)
CLOSE = 1.25  # ratios up to this, and from its inverse, are called about as good


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
                rate_text(found.per) if found.per else "–",
                f"{found.lost.value:.2%}",
                f"{found.evm_db:.1f}" if math.isfinite(found.evm_db) else "–",
                str(found.frames),
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
        apart = statistics.difference(
            ours.wrong, theirs.wrong, ours.symbols * ours.group
        )
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
        pick = PICKS[limit.figure]
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


def summary(results):
    """All that results.json holds."""
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
                receivers={name: _figures(found) for name, found in measured.items()},
            )
            for work, (point, measured) in zip(results.points, results.pairs())
        ],
        comparisons=comparisons(results),
        limits=[dict(text=text, met=met) for text, met in limits(results)],
    )


def _figures(found):
    """Of a Measured, for results.json."""
    rates = {name: getattr(found, name) for name in RATES}
    return dict(
        frames=found.frames,
        symbols=found.symbols * found.frames,
        symbol_errors=int(found.wrong.sum()),
        bit_errors=int(found.wrong_bits.sum()),
        lost_frames=int(found.lost_frames.sum()),
        **{name: rate and dataclasses.asdict(rate) for name, rate in rates.items()},
        evm_db=found.evm_db if math.isfinite(found.evm_db) else None,
        seconds=found.seconds,
        settings=found.settings,
    )


def comma_separated(found):
    """A line for each receiver at each point."""
    entries = sorted({key for point in found["points"] for key in point["varied"]})
    text = io.StringIO()
    lines = csv.writer(text)
    heads = [f"{name}{end}" for name in RATES for end in ("", "_low", "_high")]
    lines.writerow(
        ["place", *entries, "receiver", "frames", *heads, "evm_db", "seconds_per_frame"]
    )
    for point in found["points"]:
        for name, receiver in point["receivers"].items():
            rates = [
                (receiver[f] or {}).get(end)
                for f in RATES
                for end in ("value", "low", "high")
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
    "symbols wrong. PER: share of packets that are not decoded. EVM: root mean square error of the "
    "payload's symbols over the rms of those sent; "
    "outputs that shrink with the noise, as those of LMS do, have a smaller one without deciding better. "
    "ms/frame: wall-clock time of receiving a frame, training included, beside whatever else ran; the "
    "picture shows the median training of a few frames beside it. All receivers get the same frames."
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


PICTURES = dict(
    ser_curves="Symbol error rates",
    constellations="Symbols as received and out of each receiver",
    poles="Recurrent poles and the unit circle",
    times="Time per frame, and of its training",
)
# of the others, thousands of dots make large drawings
DRAWINGS = dict.fromkeys(("ser_curves", "times"), ("png", "svg", "pdf"))


def write(results, found, folder):
    """Write the report into a folder; found: its summary. Returns the paths of its files."""
    figures = _drawn(results)
    parts = _parts(results, found, figures)
    files = {
        "report.html": page.page(results.campaign.head.title, *parts).encode(),
        "results.json": json.dumps(found, indent=1, allow_nan=False).encode(),
        "results.csv": comma_separated(found).encode(),
    }
    for name, forms in figures.items():
        for form, content in forms.items():
            files[f"{name}.{form}"] = content
    return page.write(files, folder)


def _drawn(results):
    """{name: {form: content}} of the pictures."""
    drawn = plots.samples(results)
    pictures = dict(
        ser_curves=plots.curves(results),
        constellations=plots.constellations(drawn),
        poles=plots.poles(drawn),
        times=plots.times(drawn),
    )
    return {
        name: page.drawn(picture, *DRAWINGS.get(name, ("png",)))
        for name, picture in pictures.items()
        if picture
    }


def _parts(results, found, figures):
    """The page's, in HTML."""
    head = results.campaign.head
    parts = [page.paragraph(head.about)] if head.about else []
    parts += ["<h2>What came out</h2>", page.bullets(found["comparisons"])]
    if found["limits"]:
        met = sum(limit["met"] for limit in found["limits"])
        parts.append(
            f"<p>{met} of {len(found['limits'])} limits are met.</p>"
            + page.bullets([limit["text"] for limit in found["limits"]])
        )
    parts += [
        page.picture(figures[name]["png"], title)
        for name, title in PICTURES.items()
        if name in figures
    ]
    return [
        *parts,
        "<h2>All figures</h2>",
        page.table(COLUMNS, rows(results), TEXT_COLUMNS),
        page.paragraph(NOTES, note=True),
        *tuned(results),
        *_absent(results),
        page.paragraph(f"{results.name}: {page.provenance(found)}", note=True),
    ]


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
