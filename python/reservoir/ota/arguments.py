#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Command-line arguments of the radio programs, and the bursts that follow from them."""

import argparse

from gnuradio import reservoir

from ..command_line import number
from ..modulations import CONSTELLATIONS

SPS = 2
EXCESS_BANDWIDTH = 0.25
GAP = 80  # symbols of silence behind a burst
TAG = "training_start"


# each table: name of an argument: (type, default, what it means)
BURST = dict(
    pilots=(number(16, 4096, int), 64, "known symbols that the receiver is trained on"),
    payload=(number(64, 65536, int), 512, "symbols with data in a burst"),
)
AIR = dict(
    snr=(number(-20, 100), 20.0, "Es/N0 in dB"),
    taps=(
        number(1, 32, int),
        6,
        "paths, one symbol apart, drawn again for every burst",
    ),
    cfo=(number(-0.05, 0.05), 0.01, "carrier offset in cycles/sample"),
    ppm=(number(-1000, 1000), 0.0, "clock offset"),
    phase_noise=(number(0, 1), 0.0, "rms in rad"),
    iq_amplitude=(number(-10, 10), 0.0, "gain of I over Q in dB"),
    iq_phase=(number(-45, 45), 0.0, "degrees from quadrature"),
    dc=(number(0, 10), 0.0, "offset, the signal's rms being 1"),
    bits=(number(0, 16, int), 0, "of the converter; 0: none"),
    seed=(number(0, 2**31, int), 1, "of paths and noise"),
)
LINES = "lines of text to send where no file is given; 0: without end"
DATA = dict(packets=(number(0, 10**9, int), 100, LINES))


def add_numbers(group, table):
    for name, (kind, default, meaning) in table.items():
        flag, told = "--" + name.replace("_", "-"), f"{meaning} (default: {default:g})"
        group.add_argument(flag, type=kind, default=default, help=told)


def code_name(text):
    if text in ("none", "cc") or text.startswith("ldpc:"):
        return text
    raise argparse.ArgumentTypeError(f"{text} must be none, cc or ldpc:FILE")


def add_burst_arguments(parser):
    """What transmitter and receiver must agree on."""
    group = parser.add_argument_group("bursts (the same at both ends)")
    group.add_argument(
        "--modulation", choices=CONSTELLATIONS, default="qpsk", help="default: qpsk"
    )
    group.add_argument(
        "--code",
        type=code_name,
        default="none",
        metavar="{none,cc,ldpc:FILE}",
        help="cc: convolutional code of rate 1/2; halves the data. ldpc:FILE: LDPC code of an alist "
        "file, or of one that GNU Radio installs, by its name (default: none)",
    )
    add_numbers(group, BURST)


def add_radio_arguments(parser, gain_help):
    group = parser.add_argument_group("radio")
    rate = (
        "samples per second, two per symbol (default: 2.048e6, or the recording's own)"
    )
    carrier = "carrier in Hz (default: 433.92e6)"
    connector = "connector, as the device names it, e.g. RX2 (usrp)"
    device = (
        "which one: arguments for usrp (addr=192.168.10.2), HOST:PORT for rtl_tcp, a URI for "
        "pluto (ip:192.168.2.1), an index or serial= for rtlsdr (default: the first found)"
    )
    hertz = number(1e3, 1e11)
    group.add_argument("--rate", type=number(1e3, 1e9), default=2.048e6, help=rate)
    group.add_argument("--frequency", type=hertz, default=433.92e6, help=carrier)
    group.add_argument("--gain", type=number(-100, 100), help=gain_help)
    group.add_argument("--antenna", help=connector)
    group.add_argument("--device", default="", help=device)


def add_air_arguments(parser):
    add_numbers(parser.add_argument_group("simulated air (sim only)"), AIR)


def add_data_arguments(parser):
    group = parser.add_argument_group("data to send")
    group.add_argument("--text", help="file to send; without it, lines of text")
    add_numbers(group, DATA)


def constellation(arguments):
    return CONSTELLATIONS[arguments.modulation]().base()


def pilots(arguments):
    return reservoir.random_pilots(constellation(arguments), arguments.pilots)


def describe(arguments):
    """The burst's parameters as the arguments that receive such bursts."""
    return (
        f"--modulation {arguments.modulation} --code {arguments.code} "
        f"--pilots {arguments.pilots} --payload {arguments.payload}"
    )
