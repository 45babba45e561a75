#!/usr/bin/python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Frames as DVB-S2 has them (8-PSK, 90 known symbols, then 36 pilots after every 1440 unknown ones)
over a cable whose echo comes late and a carrier that is a little off."""

from comparison import parser_of, run
from gnuradio.reservoir.command_line import number
from known_bursts import liquid, lms, of_reservoir, periodic_pilots, rls


def main():
    parser = parser_of(__doc__, [10, 13, 16, 19], 4)
    parser.add_argument(
        "--offset", type=number(-1, 1), default=0.0, help="cycles/symbol (%(default)s)"
    )
    arguments = parser.parse_args()
    receivers = {
        "fir": of_reservoir("fir", delay=6, num_taps=12),
        "esn": of_reservoir("esn", delay=6, window=12),
        "configured_esn": of_reservoir("configured_esn"),
        "LMS": lms(step=0.01),
        "RLS": rls(forgetting=0.999),
    }
    if not liquid():
        del receivers["RLS"]
    waveform = periodic_pilots()
    echo = [1, 0, 0, 0.5j, 0, -0.2]
    channel = dict(taps=echo, frequency_offset=arguments.offset / waveform.sps)
    run(parser, arguments, waveform, receivers, channel, waveform.name)


if __name__ == "__main__":
    main()
