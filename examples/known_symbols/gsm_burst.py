#!/usr/bin/python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""GSM normal bursts (58 unknown bits, a midamble of 26, 58 unknown bits) over a channel of COST 207.

GNU Radio's own modulator (GMSK) sends them. Behind a filter the receiver takes one sample per symbol
and turns it back by a quarter turn per symbol: the symbols are then real, and I and Q are two
antennas. GNU Radio's LMS equalizers, trained on the midamble, give the half burst behind it only, and
are counted on that; so is RLS.
"""

from comparison import parser_of, run
from known_bursts import (
    GMSK_SPS,
    gsm_normal_burst,
    liquid,
    lms,
    ls_viterbi,
    of_reservoir,
    rls,
)

CHANNELS = ("tu50", "ht100")


def main():
    parser = parser_of(__doc__, [4, 8, 12, 16], 200)
    parser.add_argument(
        "--channel", choices=CHANNELS, default="tu50", help="COST 207 (%(default)s)"
    )
    arguments = parser.parse_args()
    receivers = {
        "fir": of_reservoir("fir", delay=4, num_taps=8),
        "configured_esn": of_reservoir("configured_esn"),
        "LMS": lms(taps=6, delay=3, step=0.05),
        "RLS": rls(taps=6, delay=3, forgetting=0.999),
        "LS + Viterbi": ls_viterbi,
    }
    if not liquid():
        del receivers["RLS"]
    waveform = gsm_normal_burst()
    rate = waveform.symbol_rate * GMSK_SPS
    channel = dict(profile=f"cost207_{arguments.channel}", sample_rate=rate)
    title = f"{waveform.name}, COST 207 {arguments.channel.upper()}"
    run(parser, arguments, waveform, receivers, channel, title)


if __name__ == "__main__":
    main()
