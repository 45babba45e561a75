#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Streams of frames over links of campaigns/lost_frames.toml, one after another with a tag on each, for
bench.py's part "real time"."""

from dataclasses import dataclass

import numpy as np
from gnuradio import reservoir
from gnuradio.reservoir.campaign.links import SingleCarrier

BEHIND = 32  # unknown symbols
LOOK_AHEAD = 48  # samples behind the payload, zero beyond the unknown symbols


@dataclass(frozen=True)
class FrameStream:
    """samples of some frames; tags lie on starts."""

    constellation: object
    pilots: np.ndarray
    payload_len: int
    samples: np.ndarray
    starts: list

    @property
    def symbols_per_sample(self):
        """Pilots and payload, of all samples."""
        wanted = len(self.starts) * (len(self.pilots) + self.payload_len)
        return wanted / len(self.samples)

    def equalizer(self, stream=False):
        """The complete receiver at its default parameters; stream: adapting, no frames."""
        detector = reservoir.configured_esn(constellation=self.constellation)
        if stream:
            return reservoir.equalizer(
                detector,
                1,
                self.pilots,
                adapt_after_training=True,
                constellation=self.constellation,
            )
        return reservoir.equalizer(
            detector, 1, self.pilots, payload_len=self.payload_len
        )


def stream_of(count, seed=7, **entries):
    """count frames of a link with these entries, all with the same pilots."""
    entries = {**dict(pilots=128, payload=512, normalize=False), **entries}
    link = SingleCarrier(same_pilots=True, before=32, behind=BEHIND, **entries)
    frames = [link.make_frame(seed, number) for number in range(count)]
    gap = np.zeros(LOOK_AHEAD - BEHIND, np.complex64)
    parts = [np.append(frame.received[0], gap) for frame in frames]
    return FrameStream(
        link.constellation().base(),
        frames[0].pilots[0],
        link.payload,
        np.concatenate(parts),
        [number * len(parts[0]) for number in range(count)],
    )


def streams():
    """By name."""
    amplified = dict(modulation="16qam", amplifier="rapp")
    moving = dict(taps=3, decay=1.0, rice_db=6.0, payload=4096)
    return {
        "64 + 512 QPSK, 15 dB": stream_of(60, snr_db=15.0, pilots=64),
        "128 + 1024 QPSK, 20 dB": stream_of(40, snr_db=20.0, payload=1024),
        "128 + 512 16-QAM behind an amplifier, 22 dB": stream_of(
            60, snr_db=22.0, **amplified
        ),
        "128 + 4096 QPSK, f_dT 1e-5, 15 dB": stream_of(
            20, snr_db=15.0, doppler=1e-5, **moving
        ),
        "128 + 4096 QPSK, f_dT 1e-4, 20 dB": stream_of(
            20, snr_db=20.0, doppler=1e-4, **moving
        ),
        "128 + 4096 16-QAM, f_dT 1e-5, 22 dB": stream_of(
            20, snr_db=22.0, doppler=1e-5, modulation="16qam", **moving
        ),
    }
