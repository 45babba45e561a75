#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""MIMO-OFDM frames over simulated links, and a strong model-based receiver to compare with.

A frame has full random pilot symbols on all antennas, then data symbols. Samples have unit power per
transmitting antenna, channels unit mean power per receiving antenna. Behind each antenna there may
be a Rapp amplifier (Rapp, 1991).
"""

from dataclasses import dataclass

import numpy as np

FFT_LEN = 64
ACTIVE = np.r_[1:27, 38:64]  # of 64 carriers, in natural order
DATA_SYMBOLS = 12
LEVELS = np.array([-3, -1, 1, 3]) / np.sqrt(10)
QAM16 = (LEVELS[:, None] + 1j * LEVELS[None, :]).ravel()


@dataclass(frozen=True)
class Link:
    """num_pilots OFDM symbols; taps of mean power exp(-l / decay); a Rapp amplifier or none."""

    num_pilots: int
    cp_len: int = 16
    taps: int = 6
    decay: float = 2.0
    smoothness: float = 2.0
    backoff_db: float = None
    antennas: int = 2


LINKS = {
    "T6p2": Link(2, backoff_db=6),
    "T6p4": Link(4, backoff_db=6),
    "T6c": Link(4),
    "T6r": Link(4, backoff_db=3),
    "T6s": Link(4, cp_len=4, taps=12, decay=4.0, backoff_db=3),
    "T6n": Link(4, cp_len=4, taps=12, decay=4.0),
}


@dataclass(frozen=True)
class Frame:
    """received: (antennas, samples); symbols: (antennas, symbols, carriers), the pilots first."""

    link: Link
    received: np.ndarray
    symbols: np.ndarray
    channel: np.ndarray  # (receiving, transmitting, taps)
    noise_variance: float  # per received sample

    @property
    def pilots(self):
        return self.symbols[:, : self.link.num_pilots]

    def errors(self, detected):
        """Wrong decisions among the data of detected, and how many data there are."""
        data = self.symbols[:, self.link.num_pilots :][:, :, ACTIVE]
        return np.count_nonzero(decide(detected[..., ACTIVE]) != data), data.size


def decide(symbols):
    def axis(values):
        nearest = np.clip(np.round((values * np.sqrt(10) + 3) / 2), 0, 3)
        return LEVELS[nearest.astype(int)]

    return axis(symbols.real) + 1j * axis(symbols.imag)


def scale():
    """From carriers of unit power to samples of unit power: x = ifft(X) * scale()."""
    return FFT_LEN / np.sqrt(len(ACTIVE))


def modulate(symbols, cp_len):
    """(antennas, symbols, carriers) to (antennas, samples)."""
    samples = np.fft.ifft(symbols) * scale()
    return np.concatenate([samples[..., FFT_LEN - cp_len :], samples], -1).reshape(
        len(symbols), -1
    )


def carriers(received, cp_len):
    """(antennas, samples) to (antennas, symbols, carriers)."""
    symbols = received.reshape(len(received), -1, cp_len + FFT_LEN)
    return np.fft.fft(symbols[..., cp_len:]) / scale()


def amplified(samples, link):
    if link.backoff_db is None:
        return samples
    gain = 10 ** (-link.backoff_db / 20)
    power = (gain * np.abs(samples)) ** (2 * link.smoothness)
    return samples / (1 + power) ** (1 / (2 * link.smoothness))


def gaussian(rng, *shape):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)


def make_frame(link, snr_db, seed, number):
    rng = np.random.default_rng((seed, number))
    count = link.num_pilots + DATA_SYMBOLS
    symbols = np.zeros((link.antennas, count, FFT_LEN), complex)
    symbols[..., ACTIVE] = QAM16[
        rng.integers(0, 16, (link.antennas, count, len(ACTIVE)))
    ]
    profile = np.exp(-np.arange(link.taps) / link.decay)
    profile /= profile.sum() * link.antennas
    channel = np.sqrt(profile) * gaussian(rng, link.antennas, link.antennas, link.taps)
    sent = amplified(modulate(symbols, link.cp_len), link)
    noise_variance = 10 ** (-snr_db / 10)
    received = np.sqrt(noise_variance) * gaussian(rng, *sent.shape)
    for r, t in np.ndindex(channel.shape[:2]):
        received[r] += np.convolve(sent[t], channel[r, t])[: sent.shape[1]]
    return Frame(link, received.astype(np.complex64), symbols, channel, noise_variance)


def frequency_response(taps):
    """(receiving, transmitting, taps) to (carriers, receiving, transmitting)."""
    return np.moveaxis(np.fft.fft(taps, FFT_LEN), -1, 0)


def least_squares_taps(frame, length=16, ridge=1e-3):
    """Channel taps (receiving, transmitting, length) and the residual per carrier and antenna."""
    link = frame.link
    received = carriers(frame.received, link.cp_len)[:, : link.num_pilots][:, :, ACTIVE]
    turns = np.exp(-2j * np.pi * np.outer(ACTIVE, np.arange(length)) / FFT_LEN)
    rows = np.concatenate(
        [
            np.concatenate([one[k, ACTIVE][:, None] * turns for one in frame.pilots], 1)
            for k in range(link.num_pilots)
        ]
    )
    targets = received.reshape(link.antennas, -1).T
    gram = rows.conj().T @ rows + ridge * len(rows) * np.eye(rows.shape[1])
    taps = np.linalg.solve(gram, rows.conj().T @ targets)
    residual = np.mean(np.abs(targets - rows @ taps) ** 2)
    residual /= max(1 - rows.shape[1] / len(rows), 0.1)
    shape = (link.antennas, length, link.antennas)
    return taps.reshape(shape).transpose(2, 0, 1), residual


def reference_receiver(frame):
    """Time-domain least squares of 16 taps, then LMMSE; the noise is the larger of the true one and the
    residual. Data symbols, as a detector gives them."""
    taps, residual = least_squares_taps(frame)
    noise = max(residual, frame.noise_variance * FFT_LEN / scale() ** 2)
    return lmmse(
        frequency_response(taps), carriers(frame.received, frame.link.cp_len), noise
    )[:, frame.link.num_pilots :]


def lmmse(response, received, noise):
    """Unbiased symbols (transmitting, symbols, carriers)."""
    adjoint = response.conj().transpose(0, 2, 1)
    count = response.shape[2]
    weights = np.linalg.solve(adjoint @ response + noise * np.eye(count), adjoint)
    gains = np.einsum("kij,kji->ki", weights, response).real
    weights /= np.maximum(gains, 1e-12)[..., None]
    return np.einsum("kij,jnk->ink", weights, received)
