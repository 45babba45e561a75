#!/usr/bin/python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""QPSK frames over a fading channel, received by an equalizer that is trained on the pilots."""

import argparse

from gnuradio import digital, gr, reservoir
from gnuradio.reservoir.command_line import number

QPSK = digital.constellation_qpsk().base()
PAYLOAD = 512  # symbols behind the pilots


def make_detector(kind):
    """A detector with its defaults, told the constellation where it wants to know."""
    detector = reservoir.detectors()[kind]
    names = [parameter["name"] for parameter in detector.parameters()]
    return detector(constellation=QPSK) if "constellation" in names else detector()


class equalized_link(gr.top_block):
    """Frame source, software channel, equalizer and error meter, one behind the other."""

    def __init__(self, snr_db, num_frames, detector):
        gr.top_block.__init__(self, "Equalized link")
        pilots = reservoir.random_pilots(QPSK, 64)
        six_taps = reservoir.exponential_profile(6, 2.0)
        source = reservoir.frame_source(
            QPSK, pilots, payload_len=PAYLOAD, num_frames=num_frames
        )
        channel = reservoir.software_channel(snr_db, power_delay_profile=six_taps)
        equalizer = reservoir.equalizer(
            detector, training_sequence=pilots, payload_len=PAYLOAD
        )
        self.meter = reservoir.symbol_error_meter(QPSK, source)
        self.connect(source, channel, equalizer, self.meter)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snr", type=number(-20, 100), default=15.0, help="in dB")
    parser.add_argument("--frames", type=number(1, 10**9, int), default=200)
    parser.add_argument(
        "--detector", choices=list(reservoir.detectors()), default="esn"
    )
    arguments = parser.parse_args()
    link = equalized_link(
        arguments.snr, arguments.frames, make_detector(arguments.detector)
    )
    link.run()
    print(
        f"{arguments.detector}: SER {link.meter.ser():.2e}, "
        f"EVM {link.meter.evm_db():.1f} dB "
        f"({link.meter.total_frames()} frames at {arguments.snr:g} dB)"
    )


if __name__ == "__main__":
    main()
