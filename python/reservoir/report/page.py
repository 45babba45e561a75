#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What all reports share: their look, pictures, and when, where and with what they came about."""

import base64
import datetime
import html
import io
import os
import platform
import string

import matplotlib
import numpy as np

from gnuradio import gr

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

# Okabe and Ito's colours, which colour-blind readers tell apart
BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"
RED, PURPLE, SKY, BLACK = "#D55E00", "#CC79A7", "#56B4E9", "#000000"

_STYLE = """\
body { font: 16px/1.5 sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em; color: #222 }
img { max-width: 100% }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .2em .8em; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap }
th { border-bottom: 2px solid #888 }
.text { text-align: left; white-space: normal }
tr.first td { border-top: 2px solid #888 }
.note { color: #555; font-size: 90% }
@media print { body { max-width: none; margin: 0 } h2 { break-after: avoid } img, tr { break-inside: avoid } }
"""

_PAGE = string.Template(
    f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>$title</title>
<style>
{_STYLE}</style></head><body>
<h1>$title</h1>
$body
</body></html>
"""
)


def page(title, *parts):
    """A whole page; parts: HTML."""
    return _PAGE.substitute(title=html.escape(title), body="\n".join(parts))


def paragraph(text, note=False):
    return f'<p{" class=note" if note else ""}>{html.escape(text)}</p>'


def bullets(texts):
    return "<ul>" + "".join(f"<li>{html.escape(text)}</li>" for text in texts) + "</ul>"


def row(cells, tag="td", first=False, text_columns=()):
    """A row of a table; first: with a line above."""
    inner = "".join(
        f'<{tag}{" class=text" if k in text_columns else ""}>{html.escape(cell)}</{tag}>'
        for k, cell in enumerate(cells)
    )
    return f'<tr{" class=first" if first else ""}>{inner}</tr>'


def table(columns, rows, text_columns=(), group=1):
    """Rows that differ in the first `group` cells from the one before have a line above."""
    lines, previous = [], None
    for cells in rows:
        key = tuple(cells[:group])
        lines.append(row(cells, first=key != previous, text_columns=text_columns))
        previous = key
    head = row(columns, "th", text_columns=text_columns)
    return (
        f"<div class=wide><table><thead>{head}</thead><tbody>{''.join(lines)}"
        "</tbody></table></div>"
    )


def picture(png, alternative):
    """A PNG file's bytes as an image of the page itself."""
    address = "data:image/png;base64," + base64.b64encode(png).decode()
    return f'<p><img alt="{html.escape(alternative)}" src="{address}"></p>'


def text_table(columns, rows, text_columns=(), group=1):
    """The same as plain text; an empty line between groups."""
    rows = [tuple(columns), *rows]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines, previous = [], None
    for cells in rows:
        key = tuple(cells[:group])
        if previous is not None and key != previous:
            lines.append("")
        previous = key
        lines.append(
            "  ".join(
                cell.ljust(width) if k in text_columns else cell.rjust(width)
                for k, (cell, width) in enumerate(zip(cells, widths))
            ).rstrip()
        )
    return "\n".join(lines)


def drawn(figure, *formats):
    """{format: bytes} of a figure, which is closed."""
    found = {}
    for form in formats:
        buffer = io.BytesIO()
        # no date in the file: the same figure is the same bytes
        metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(form, {})
        figure.savefig(
            buffer, format=form, dpi=110, metadata=metadata, bbox_inches="tight"
        )
        found[form] = buffer.getvalue()
    pyplot.close(figure)
    return found


def write(files, folder):
    """{name: bytes} into a folder, each whole or not at all; returns the paths."""
    for name, content in files.items():
        part = folder / f"{name}.part"
        part.write_bytes(content)
        part.replace(folder / name)
    return [folder / name for name in files]


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


def provenance(summary):
    """When, where and with what a report came about, in a sentence."""
    host = summary["machine"]
    software = ", ".join(f"{name} {v}" for name, v in summary["versions"].items())
    return (
        f"{summary['date']}, seed {summary['parameters']['seed']}, {summary['run_seconds']} s "
        f"on {host['cores']} cores of {host['processor']}; {software}."
    )
