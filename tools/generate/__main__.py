#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Writes what is made from the descriptions in the built module: `make generate`.

The files are committed, so that nobody needs this to build. With --check nothing is written: it
tells which files differ from what would be, and ends with 1.
"""

import argparse
import pathlib
import sys

import companion
import ofdm
import pages
import reference
import stub

from gnuradio import reservoir


def generated(root):
    """Path in the source tree and text of every file."""
    kinds, of_ofdm = reservoir.detector_kinds(), reservoir.ofdm_detector_kinds()
    files = {
        f"grc/reservoir_{kind['name']}_equalizer.block.yml": companion.block(kind)
        for kind in kinds
    }
    for kind in of_ofdm:
        files[f"grc/reservoir_{kind['name']}_equalizer.block.yml"] = ofdm.block(kind)
    files["python/reservoir/reservoir_python.pyi"] = stub.module(
        reservoir.reservoir_python
    )
    files["docs/detectors.md"] = reference.page(kinds, of_ofdm)
    return files | pages.pages(kinds + of_ofdm, files, root)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument(
        "--root",
        type=pathlib.Path,
        default=pathlib.Path(__file__).resolve().parents[2],
        help="source tree (that of this script)",
    )
    arguments = parser.parse_args()
    stale = []
    for name, text in generated(arguments.root).items():
        path = arguments.root / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not arguments.check:
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(name if not arguments.check else f"{name}: run make generate")
    return 1 if arguments.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
