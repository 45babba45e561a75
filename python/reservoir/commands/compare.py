#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The command that compares receivers without a campaign file."""

import argparse

from ..campaign.receivers import KINDS
from ..campaign.specification import Source, build
from .sweep import add_run_arguments, carry_out, changes

DESCRIPTION = """\
Compares receivers on one link, on the same frames, and writes a report. The ratio of error rates is
to the first one.
"""
EXAMPLE = """\
example: compare fir configured_esn mlse --link modulation=qpsk snr_db=8,11,14 pilots=32
An entry of --link with several values is varied. docs/campaigns.md lists the entries.
"""


def value(text):
    """A number, true or false, or a word."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return {"true": True, "false": False}.get(text, text)


def entry(text):
    """NAME=VALUE or NAME=VALUE,VALUE,..."""
    name, equals, values = text.partition("=")
    if not (name and equals and values):
        raise argparse.ArgumentTypeError(f"{text!r}: must be NAME=VALUE[,VALUE...]")
    found = [value(one) for one in values.split(",")]
    return name, found[0] if len(found) == 1 else found


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="python3 -m gnuradio.reservoir compare",
        description=DESCRIPTION,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "receivers", nargs="+", metavar="RECEIVER", help=", ".join(KINDS)
    )
    parser.add_argument(
        "--link",
        nargs="+",
        type=entry,
        default=[],
        metavar="NAME=VALUE[,VALUE]",
        help="entries of the link other than the defaults",
    )
    add_run_arguments(parser, "reservoir-compare")
    return parser.parse_args(arguments)


def main(arguments):
    """Compare receivers; returns the exit status."""
    options = parse(arguments)
    link = dict(options.link)
    if link.get("kind") != "ofdm":
        link.setdefault("same_pilots", True)  # as GNU Radio's equalizers want it
    content = dict(
        title="Comparison",
        link=link,
        receivers=[dict(kind=name) for name in options.receivers],
    )
    return carry_out(
        lambda: build(content, Source("compare", ""), **changes(options)),
        options,
        "compare " + " ".join(arguments),
    )
