#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""OFDM links of campaigns: full pilot symbols on all antennas, then data symbols."""

import dataclasses

import numpy as np

from .fields import FieldError, integer
from .links import Frame, Link, amplified, draw_paths, front_end, through


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ofdm(Link):
    """Carriers of unit power, samples of unit power per antenna: x = ifft(X) * scale()."""

    fft_len: int = integer(64, 2, 65536, "carriers")
    cp_len: int = integer(16, 0, 65535, "samples of the cyclic prefix")
    used: int = integer(
        0, 0, 65536, "carriers around, and without, the middle one; 0: all"
    )
    pilots: int = integer(4, 1, 1024, "symbols in front")
    payload: int = integer(12, 1, 65536, "symbols with data")

    def check(self):
        super().check()
        if self.used % 2 or self.used >= self.fft_len:
            raise FieldError(
                "used", self.used, f"even, and less than fft_len = {self.fft_len}"
            )
        if self.cp_len >= self.fft_len:
            raise FieldError(
                "cp_len", self.cp_len, f"less than fft_len = {self.fft_len}"
            )

    def carriers(self):
        """Those in use, in natural order."""
        if not self.used:
            return np.arange(self.fft_len)
        half = self.used // 2
        return np.r_[1 : half + 1, self.fft_len - half : self.fft_len]

    def scale(self):
        return self.fft_len / np.sqrt(len(self.carriers()))

    def modulate(self, symbols):
        """(streams, symbols, carriers) to (streams, samples)."""
        samples = np.fft.ifft(symbols) * self.scale()
        prefix = samples[..., self.fft_len - self.cp_len :]
        return np.concatenate([prefix, samples], -1).reshape(len(symbols), -1)

    def demodulate(self, received):
        """(antennas, samples) to (antennas, symbols, carriers)."""
        symbols = received.reshape(len(received), -1, self.cp_len + self.fft_len)
        return np.fft.fft(symbols[..., self.cp_len :]) / self.scale()

    def make_frame(self, seed, number):
        rng = self.generator(seed, number)
        points, used = self.points(), self.carriers()
        shape = self.streams, self.pilots + self.payload, len(used)
        indices = rng.integers(0, len(points), shape)
        symbols = np.zeros((*shape[:2], self.fft_len), complex)
        symbols[..., used] = points[indices]
        sent = amplified(self, self.modulate(symbols))
        paths = draw_paths(self, 1, sent.shape[1], rng, number)
        received, variance = front_end(self, through(paths, sent), 1, rng)
        return Frame(
            received,
            symbols[:, : self.pilots].astype(np.complex64),
            indices[:, self.pilots :],
            paths.response(),
            variance,
        )
