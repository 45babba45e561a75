#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Streams of frames over the links of lossy_links.py, one after another with a tag on each, for
bench.py's part "real time"."""

from dataclasses import dataclass

import numpy as np
from gnuradio import digital, reservoir
from lossy_links import FIRST, PILOTS, UNKNOWN, make_frame

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


def stream_of(link, snr_db, count, pilots=PILOTS, payload_len=None, seed=7):
    """count frames with the same pilots, of which the last so many are used."""
    parts, starts, here = [], [], 0
    for number in range(count):
        frame = make_frame(link, snr_db, seed, number, same_pilots=True)
        wanted = payload_len or frame.payload_len
        first = FIRST - pilots
        samples = frame.received[first : FIRST + wanted + UNKNOWN]
        gap = np.zeros(LOOK_AHEAD - UNKNOWN, np.complex64)
        parts += [samples, gap]
        starts.append(here)
        here += len(samples) + len(gap)
    kind = digital.constellation_16qam if len(frame.points) == 16 else None
    constellation = (kind or digital.constellation_qpsk)().base()
    return FrameStream(
        constellation,
        frame.pilots[PILOTS - pilots :],
        wanted,
        np.concatenate(parts),
        starts,
    )


def streams():
    """By name."""
    return {
        "64 + 512 QPSK, 15 dB": stream_of("T1", 15, 60, pilots=64, payload_len=512),
        "128 + 1024 QPSK, 20 dB": stream_of("T1", 20, 40),
        "128 + 512 16-QAM behind an amplifier, 22 dB": stream_of(
            "T2", 22, 60, payload_len=512
        ),
        "128 + 4096 QPSK, f_dT 1e-5, 15 dB": stream_of("T5 slow", 15, 20),
        "128 + 4096 QPSK, f_dT 1e-4, 20 dB": stream_of("T5b", 20, 20),
        "128 + 4096 16-QAM, f_dT 1e-5, 22 dB": stream_of("T5 slow 16-QAM", 22, 20),
    }
