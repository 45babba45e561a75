#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Equalizer and decoder in turns, with the true channel: what a receiver of packets may come close to."""

import numpy as np
from gnuradio.reservoir.campaign.peers import (
    ModelBased,
    Unsuitable,
    check,
    coded_format,
)


class TurboMmse(ModelBased):
    """The linear filter of least mean square error, which knows what the decoder expects, and the
    decoder, in turns (Tuechler, Singer and Koetter, 2002); the filter is one for the whole frame.
    """

    MOST_PRIOR = 20.0  # of the decoder's log-likelihood ratios

    def __init__(self, link, known: bool = True, taps: int = 0, iterations: int = 4):
        super().__init__(link, known, taps)
        if link.antennas > 1:
            raise Unsuitable("it takes one antenna")
        check("iterations", iterations, 0, 32)
        self._form, self._iterations = coded_format(link), iterations
        self._labelled = np.array(self._form.points)
        bits = np.arange(self._form.bits_per_symbol)[::-1]
        self._ones = np.arange(len(self._labelled))[:, None] >> bits & 1

    def _receive(self, frame):
        channel, noise = self._channel(frame)
        prior = np.zeros((self._link.payload, self._form.bits_per_symbol))
        for _ in range(self._iterations + 1):
            symbols, left = self._equalized(frame, channel[0], noise, prior)
            distances = np.abs(symbols[:, None] - self._labelled) ** 2 / left
            extrinsic = self._ratios(prior @ self._ones.T - distances) - prior
            packet, judged = self._form.decode_ratios(extrinsic)
            if packet:
                return self._form.encode(*packet)
            prior = np.clip(judged - extrinsic, -self.MOST_PRIOR, self.MOST_PRIOR)
        return symbols

    def _equalized(self, frame, taps, noise, prior):
        """The payload's symbols without bias, and the variance of what disturbs them."""
        words = np.exp(prior @ self._ones.T - np.logaddexp(0, prior).sum(1)[:, None])
        mean = np.append(frame.pilots[0], words @ self._labelled)
        powers = (
            words @ np.abs(self._labelled) ** 2 - np.abs(words @ self._labelled) ** 2
        )
        variance = max(np.mean(powers), 1e-4)
        count, memory = len(mean), len(taps) - 1
        residual = frame.received[0, :count] - np.convolve(mean, taps)[:count]
        residual[:memory] = 0  # of symbols that nobody knows
        size = 2 ** int(np.ceil(np.log2(count + memory)))
        response = np.fft.fft(taps, size)
        filtered = response.conj() / (variance * np.abs(response) ** 2 + noise)
        share = np.mean(response * filtered).real
        symbols = (
            mean + np.fft.ifft(np.fft.fft(residual, size) * filtered)[:count] / share
        )
        return symbols[self._link.pilots :], (1 - variance * share) / share

    def _ratios(self, likelihoods):
        """Of the bits, of log-likelihoods of the points."""
        of = lambda bit, value: np.logaddexp.reduce(
            likelihoods[:, self._ones[:, bit] == value], 1
        )
        bits = range(self._form.bits_per_symbol)
        return np.clip(np.stack([of(b, 1) - of(b, 0) for b in bits], 1), -80, 80)


RECEIVERS = {"turbo_mmse": TurboMmse}
