#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The demo: the campaign file that comes with the module."""

import argparse
import pathlib

from ..campaign.specification import load
from .sweep import add_run_arguments, carry_out, changes

CAMPAIGN = pathlib.Path(__file__).with_name("demo.toml")
DESCRIPTION = """\
Compares receivers on frames of pilots and random symbols over a saturating power amplifier, a fading
channel and noise. Prints a table and writes a report.
"""


def main(arguments):
    """Run the demo; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python3 -m gnuradio.reservoir demo", description=DESCRIPTION
    )
    add_run_arguments(parser, "reservoir-demo")
    options = parser.parse_args(arguments)
    return carry_out(lambda: load(CAMPAIGN, **changes(options)), options, CAMPAIGN.name)
