#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""OFDM links of campaigns: pilot symbols on all antennas and then data symbols, or pilots on combs."""

import dataclasses

import numpy as np

from gnuradio import reservoir

from .fields import FieldError, integer, switch
from .links import Frame, Link, amplified, draw_paths, front_end, through

# pilots of LTE (3GPP TS 36.211, 6.10.1): so many symbols, those with pilots, carriers between pilots
COMB_PERIOD, COMB_SYMBOLS, COMB_SPACING = 14, (0, 4, 7, 11), 6


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
    combs: bool = switch(
        False,
        "as many symbols, with pilots of the same energy as LTE has them: every sixth carrier of "
        "four of 14 symbols, where the other antenna is silent",
    )

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
        if self.combs and (self.streams > 2 or len(self.carriers()) < 2 * COMB_SPACING):
            raise FieldError(
                "combs", self.combs, "false with three streams or less than 12 carriers"
            )
        if self.combs and self.same_pilots:
            raise FieldError("same_pilots", True, "false with combs")

    def carriers(self):
        """Those in use, in natural order."""
        if not self.used:
            return np.arange(self.fft_len)
        half = self.used // 2
        return np.r_[1 : half + 1, self.fft_len - half : self.fft_len]

    def data_places(self):
        """(symbols, carriers) of a frame: where data is."""
        places = np.zeros((self.pilots + self.payload, self.fft_len), bool)
        places[:, self.carriers()] = True
        if self.combs:
            return places & ~np.resize(self._combs().any(1), places.shape)
        places[: self.pilots] = False
        return places

    def data(self, symbols):
        """(streams, symbols, carriers, ...) of a frame or what is behind its pilots to (streams,
        count, ...), the payload."""
        return symbols[:, self.data_places()[-symbols.shape[1] :]]

    def payload_symbols(self):
        """Of a frame, all streams together."""
        return self.streams * np.count_nonzero(self.data_places())

    def bandwidth(self):
        """Of the signal, in cycles per sample."""
        return len(self.carriers()) / self.fft_len

    def _combs(self):
        """(14 symbols, streams, carriers), True where a stream has pilots."""
        ordered = np.fft.fftshift(np.arange(self.fft_len))
        ordered = ordered[np.isin(ordered, self.carriers())]
        found = np.zeros((COMB_PERIOD, self.streams, self.fft_len), bool)
        for count, symbol in enumerate(COMB_SYMBOLS):
            for stream in range(self.streams):
                first = 3 * (count + stream) % COMB_SPACING
                found[symbol, stream, ordered[first::COMB_SPACING]] = True
        return found

    def _comb_grid(self, rng):
        """With pilots of random phases."""
        combs, used = self._combs(), self.carriers()
        sent = np.resize(combs[:, 0], (self.pilots + self.payload, self.fft_len)).sum()
        strength = np.sqrt(self.pilots * len(used) / sent)
        values = strength * np.exp(2j * np.pi * rng.random(combs.shape)) * combs
        known = [np.flatnonzero(of_symbol) for of_symbol in combs.any(1)]
        return reservoir.ofdm_grid(
            self.fft_len,
            self.cp_len,
            self.streams,
            occupied_carriers=[np.setdiff1d(used, some).tolist() for some in known],
            pilot_carriers=[some.tolist() for some in known],
            pilot_symbols=[
                [values[n, stream, some].tolist() for n, some in enumerate(known)]
                for stream in range(self.streams)
            ],
            shifted=False,
        )

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
        points, used, places = self.points(), self.carriers(), self.data_places()
        shape = self.streams, self.pilots + self.payload, len(used)
        indices = np.zeros((*shape[:2], self.fft_len), int)
        indices[..., used] = rng.integers(0, len(points), shape)
        if self.same_pilots:
            known = np.random.default_rng(seed).integers(0, len(points), shape)
            indices[:, : self.pilots, used] = known[:, : self.pilots]
        data = None
        if self.code:
            data, indices[:, places] = self.draw_packet(rng, number)
        symbols = np.zeros(indices.shape, complex)
        symbols[..., used] = points[indices[..., used]]
        if self.combs:
            pilots = self._comb_grid(rng)
            values, known = pilots.known(shape[1])
            symbols[known] = values[known]
        else:
            pilots = symbols[:, : self.pilots].astype(np.complex64)
        sent = amplified(self, self.modulate(symbols))
        paths = draw_paths(self, 1, sent.shape[1], rng, number)
        received, variance = front_end(self, through(paths, sent), 1, rng)
        payload, response = indices[:, places], paths.response()
        return Frame(received, pilots, payload, response, variance, data=data)
