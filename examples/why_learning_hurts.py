#!/usr/bin/python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Draws why gradient descent on poles is hard, and what algebra does instead."""

import argparse
from pathlib import Path

from gnuradio.reservoir.report import theory_plots


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=Path("out/theory"), help="folder for the pictures"
    )
    folder = parser.parse_args().out
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, finding in theory_plots.draw_all(folder):
            print(f"{path}: {finding}")
    except OSError as error:
        parser.exit(2, f"cannot write {error.filename}: {error.strerror}\n")


if __name__ == "__main__":
    main()
