#!/usr/bin/python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""A shortwave modem's bursts (MIL-STD-188-110 serial tone: 8-PSK, 2400 symbols per second, 144 known
symbols, then 32 unknown and 16 known ones in turn) over a fading ionosphere.

GNU Radio's LMS equalizers know the first 144 symbols only; the others use all that are known. Known
symbols here are random; for a recording give the standard's with --known.
"""

from comparison import parser_of, run
from known_bursts import interpolated_dfe, liquid, lms, of_reservoir, rls, serial_tone

CHANNELS = ("good", "moderate", "poor")


def main():
    parser = parser_of(__doc__, [10, 14, 18, 22], 10)
    parser.add_argument(
        "--channel", choices=CHANNELS, default="moderate", help="CCIR (%(default)s)"
    )
    arguments = parser.parse_args()
    receivers = {
        "fir": of_reservoir("fir", delay=6, num_taps=12),
        "configured_esn": of_reservoir("configured_esn"),
        "LMS": lms(),
        "LMS, feedback": lms(feedback=True),
        "RLS": rls(),
        "interpolated DFE": interpolated_dfe,
    }
    if not liquid():
        del receivers["RLS"]
    waveform = serial_tone()
    rate = waveform.symbol_rate * waveform.sps
    channel = dict(profile=f"ccir_{arguments.channel}", sample_rate=rate)
    title = f"{waveform.name}, CCIR {arguments.channel.capitalize()}"
    run(parser, arguments, waveform, receivers, channel, title)


if __name__ == "__main__":
    main()
