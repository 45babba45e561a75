#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Runs the commands of the table in docs/reliability.md and writes down what they end with.

    tools/reliability.py                 # prints the commands
    tools/reliability.py fuzz soak       # runs those that contain one of the words, one after the other
    tools/reliability.py --all

A row is filled in with the date, the processor and the last line that its command prints; with
"FAILED" before it where the command fails. What it prints goes to out/reliability. A word that is a whole
command selects that one alone. Run `make build` first. Exit status 1 if one fails.
"""

import argparse
import datetime
import fcntl
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "reliability.md"
LOGS = ROOT / "out" / "reliability"
# | promise | `command` | last result |
SAYS_NOTHING = re.compile(r"g?make(\[\d+\])?: |Total Test time")
ROW = re.compile(r"^(\| .* \| `([^`]+)` \|) (.*) \|$")


def commands():
    rows = map(ROW.match, TABLE.read_text().splitlines())
    return [row[2] for row in rows if row]


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            name = " ".join(line.split(":")[1].split())
            return f"{len(os.sched_getaffinity(0))} cores of {name}"
    return os.uname().machine


def run(command):
    """Whether it succeeded, and the last line it printed."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / (re.sub(r"[^\w.-]+", "-", command)[:100].strip("-") + ".log")
    with log.open("w+") as out:
        status = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {command}"],
            cwd=ROOT,
            env={**os.environ, "BOOST_TEST_COLOR_OUTPUT": "no"},
            stdout=out,
            stderr=subprocess.STDOUT,
        ).returncode
    lines = map(str.strip, log.read_text(errors="replace").splitlines())
    told = [line for line in lines if line and not SAYS_NOTHING.match(line)]
    return status == 0, told[-1].strip("=* ") if told else ""


def fill_in(command, result):
    """Writes a command's result into its row; the table may have changed since it was read."""
    with TABLE.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        lines = file.read().splitlines()
        for place, row in enumerate(map(ROW.match, lines)):
            if row and row[2] == command:
                lines[place] = f"{row[1]} {result} |"
        file.seek(0)
        file.truncate()
        file.write("\n".join(lines) + "\n")


def selects(word, command):
    return word == command if word in commands() else word in command


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", help="parts of commands")
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    if not options.words and not options.all:
        print("\n".join(commands()))
        return 0
    chosen = [
        command
        for command in commands()
        if options.all or any(selects(word, command) for word in options.words)
    ]
    if not chosen:
        raise SystemExit(
            f"No command in {TABLE} contains {' or '.join(options.words)}."
        )
    all_well = True
    for command in chosen:
        well, last = run(command)
        all_well = all_well and well
        last = last.replace("|", "/")
        result = f"{datetime.date.today()}, {processor()}: {'' if well else 'FAILED: '}{last}"
        fill_in(command, result)
        print(f"{command}\n    {result}", flush=True)
    return 0 if all_well else 1


if __name__ == "__main__":
    sys.exit(main())
