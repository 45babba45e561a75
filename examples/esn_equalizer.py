#!/usr/bin/python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""QPSK frames over a fading channel, received by an equalizer that is trained on the pilots."""

import argparse

from gnuradio import digital, gr, reservoir

DETECTORS = {"esn": reservoir.esn, "fir": reservoir.fir}


class equalized_link(gr.top_block):
    """Frame source, software channel, equalizer and error meter, one behind the other."""

    def __init__(self, snr_db, num_frames, detector):
        gr.top_block.__init__(self, "Equalized link")
        qpsk = digital.constellation_qpsk().base()
        pilots = reservoir.random_pilots(qpsk, 64)
        six_taps = reservoir.exponential_profile(6, 2.0)
        source = reservoir.frame_source(qpsk, pilots, num_frames=num_frames)
        channel = reservoir.software_channel(snr_db, power_delay_profile=six_taps)
        equalizer = reservoir.equalizer(detector, training_sequence=pilots)
        self.meter = reservoir.symbol_error_meter(qpsk, source)
        self.connect(source, channel, equalizer, self.meter)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snr", type=float, default=15.0, help="in dB")
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--detector", choices=sorted(DETECTORS), default="esn")
    arguments = parser.parse_args()
    link = equalized_link(
        arguments.snr, arguments.frames, DETECTORS[arguments.detector]()
    )
    link.run()
    print(
        f"{arguments.detector}: SER {link.meter.ser():.2e}, "
        f"EVM {link.meter.evm_db():.1f} dB "
        f"({link.meter.total_frames()} frames at {arguments.snr:g} dB)"
    )


if __name__ == "__main__":
    main()
