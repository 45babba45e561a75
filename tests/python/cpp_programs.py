#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Compiles C++ programs with blocks of this module, linked with the library that the tests have loaded."""

import subprocess
from pathlib import Path

INCLUDE = Path(__file__).resolve().parents[2] / "include"
PACKAGES = "gnuradio-runtime gnuradio-digital gnuradio-blocks spdlog fmt eigen3"


def compiled(source, *options):
    """Asserts that the compiler takes it."""
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", *PACKAGES.split()],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    command = ["g++", "-std=c++17", "-O0", "-I", INCLUDE, source, *options, *flags]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr


def linked(source, program):
    """Compiles and links the source; returns the program."""
    loaded = Path("/proc/self/maps").read_text().split()
    library = next(path for path in loaded if "libgnuradio-reservoir.so" in path)
    rpath = f"-Wl,-rpath,{Path(library).parent}"
    compiled(source, "-o", program, library, rpath)
    return program
