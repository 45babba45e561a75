#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""MIMO-OFDM frames over simulated links, and a strong model-based receiver to compare with.

A frame has full random pilot symbols on all antennas, then data symbols of 16-QAM. Samples have unit
power per transmitting antenna, channels unit mean power per receiving antenna. Behind each antenna
there may be a Rapp amplifier (Rapp, 1991).
"""

from dataclasses import dataclass, field

import numpy as np

FFT_LEN = 64
ACTIVE = np.r_[1:27, 38:64]  # of 64 carriers, in natural order
DATA_SYMBOLS = 12
LEVELS = np.array([-3, -1, 1, 3]) / np.sqrt(10)
QAM16 = (LEVELS[:, None] + 1j * LEVELS[None, :]).ravel()
GRAY = np.array([0, 1, 3, 2])  # label of each level


@dataclass(frozen=True)
class Link:
    """num_pilots OFDM symbols; taps of mean power exp(-l / decay), or of the profile; a Rapp amplifier or
    none."""

    num_pilots: int
    cp_len: int = 16
    taps: int = 6
    decay: float = 2.0
    smoothness: float = 2.0
    backoff_db: float = None
    antennas: int = 2
    data_symbols: int = DATA_SYMBOLS
    active: np.ndarray = field(default_factory=lambda: ACTIVE, repr=False)
    fft_len: int = FFT_LEN
    profile: tuple = ()
    unit_output: bool = False  # the amplifier's output has unit power as well

    def mean_powers(self):
        """Of the taps; they sum to one."""
        powers = np.array(self.profile)
        if not self.profile:
            powers = np.exp(-np.arange(self.taps) / self.decay)
        return powers / powers.sum()


def lte_profile(delays_ns, powers_db, sample_rate=15.36e6):
    """Mean power of every tap, of a profile of 3GPP TS 36.101, annex B."""
    places = np.round(np.array(delays_ns) * 1e-9 * sample_rate).astype(int)
    powers = np.zeros(places[-1] + 1)
    np.add.at(powers, places, 10 ** (np.array(powers_db) / 10))
    return tuple(powers)


EPA = lte_profile([0, 30, 70, 90, 110, 190, 410], [0, -1, -2, -3, -8, -17.2, -20.8])
EVA = lte_profile(
    [0, 30, 150, 310, 370, 710, 1090, 1730, 2510],
    [0, -1.5, -1.4, -3.6, -0.6, -9.1, -7, -12, -16.9],
)


def full(num_pilots, cp_len=16, **other):
    """All of 64 carriers in use, eight paths."""
    return Link(
        num_pilots,
        cp_len,
        taps=8,
        decay=8 / 3,
        data_symbols=8,
        active=np.arange(FFT_LEN),
        unit_output=True,
        **other,
    )


def wide(profile, **other):
    """1024 carriers, all in use, a prefix as LTE has it."""
    return Link(
        1,
        72,
        data_symbols=2,
        active=np.arange(1024),
        fft_len=1024,
        profile=profile,
        unit_output=True,
        **other,
    )


MILD = dict(smoothness=3.0, backoff_db=5)
STRONG = dict(smoothness=2.0, backoff_db=3)
LINKS = {
    "T6p2": Link(2, backoff_db=6),
    "T6p4": Link(4, backoff_db=6),
    "T6c": Link(4),
    "T6r": Link(4, backoff_db=3),
    "T6s": Link(4, cp_len=4, taps=12, decay=4.0, backoff_db=3),
    "T6n": Link(4, cp_len=4, taps=12, decay=4.0),
    "4x4": Link(4, backoff_db=3, antennas=4),
    "full1": full(1),
    "full1m": full(1, **MILD),
    "full1r": full(1, **STRONG),
    "full2r": full(2, **STRONG),
    "cp2": full(2, 2),
    "cp2r": full(2, 2, **STRONG),
    "cp0": full(4, 0),
    "cp0r": full(4, 0, **STRONG),
    "EPA": wide(EPA),
    "EPAr": wide(EPA, **STRONG),
    "EVA": wide(EVA),
    "EVAr": wide(EVA, **STRONG),
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

    @property
    def data(self):
        return self.symbols[:, self.link.num_pilots :][:, :, self.link.active]

    def errors(self, detected):
        """Wrong decisions among the data of detected, and how many data there are."""
        data = self.data
        return (
            np.count_nonzero(decide(detected[..., self.link.active]) != data),
            data.size,
        )

    def bit_errors(self, detected):
        """Of Gray labels, and how many bits there are."""
        wrong = labels(detected[..., self.link.active]) ^ labels(self.data)
        return int(np.unpackbits(wrong).sum()), 4 * self.data.size


def level_numbers(values):
    return np.clip(np.round((values * np.sqrt(10) + 3) / 2), 0, 3).astype(int)


def decide(symbols):
    def axis(values):
        return LEVELS[level_numbers(values)]

    return axis(symbols.real) + 1j * axis(symbols.imag)


def labels(symbols):
    """Four bits for each symbol's nearest point."""
    real, imag = GRAY[level_numbers(symbols.real)], GRAY[level_numbers(symbols.imag)]
    return (4 * real + imag).astype(np.uint8)


def scale(link):
    """From carriers of unit power to samples of unit power: x = ifft(X) * scale(link)."""
    return link.fft_len / np.sqrt(len(link.active))


def modulate(symbols, link):
    """(antennas, symbols, carriers) to (antennas, samples)."""
    samples = np.fft.ifft(symbols) * scale(link)
    return np.concatenate(
        [samples[..., link.fft_len - link.cp_len :], samples], -1
    ).reshape(len(symbols), -1)


def carriers(received, link):
    """(antennas, samples) to (antennas, symbols, carriers)."""
    symbols = received.reshape(len(received), -1, link.cp_len + link.fft_len)
    return np.fft.fft(symbols[..., link.cp_len :]) / scale(link)


def amplified(samples, link):
    if link.backoff_db is None:
        return samples
    gain = 10 ** (-link.backoff_db / 20)
    power = (gain * np.abs(samples)) ** (2 * link.smoothness)
    out = samples / (1 + power) ** (1 / (2 * link.smoothness))
    if link.unit_output:
        out = out / np.sqrt(np.mean(np.abs(out) ** 2, -1, keepdims=True))
    return out


def gaussian(rng, *shape):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)


def clarke_paths(rng, shape, size, doppler, waves=16):
    """(*shape, size) of unit mean power: sums of waves that arrive from all around (Clarke, 1968)."""
    speeds = np.cos(2 * np.pi * rng.random((*shape, waves, 1)))
    turns = np.exp(2j * np.pi * doppler * speeds * np.arange(size))
    return np.sum(gaussian(rng, *shape, waves, 1) * turns, -2) / np.sqrt(waves)


def convolved(sent, paths):
    """(sending, samples) through (receiving, sending, taps) or (receiving, sending, taps, samples)."""
    size = sent.shape[1]
    out = np.zeros((len(paths), size), complex)
    for r, t, delay in np.ndindex(paths.shape[:3]):
        arriving = paths[r, t, delay] * np.ones(size)
        out[r, delay:] += arriving[delay:] * sent[t, : size - delay]
    return out


def transmit(link, symbols, snr_db, rng, doppler=0.0):
    """Samples at the antennas, the channel that was drawn (the first sample's) and the noise per sample."""
    profile = link.mean_powers() / link.antennas
    channel = np.sqrt(profile) * gaussian(
        rng, link.antennas, link.antennas, len(profile)
    )
    sent = amplified(modulate(symbols, link), link)
    noise_variance = 10 ** (-snr_db / 10)
    received = np.sqrt(noise_variance) * gaussian(rng, *sent.shape)
    if doppler:
        paths = clarke_paths(rng, channel.shape, sent.shape[1], doppler)
        paths *= np.sqrt(profile)[:, None]
        channel = paths[..., 0]
        received += convolved(sent, paths)
    else:
        for r, t in np.ndindex(channel.shape[:2]):
            received[r] += np.convolve(sent[t], channel[r, t])[: sent.shape[1]]
    return received, channel, noise_variance


def make_frame(link, snr_db, seed, number, pilots=None, doppler=0.0):
    """snr_db: of a sample at one antenna, where the channel has its mean power; pilots: others than
    those that it would draw; doppler: in cycles per sample (the frame's channel is then the first sample's).
    """
    rng = np.random.default_rng((seed, number))
    count = link.num_pilots + link.data_symbols
    symbols = np.zeros((link.antennas, count, link.fft_len), complex)
    symbols[..., link.active] = QAM16[
        rng.integers(0, 16, (link.antennas, count, len(link.active)))
    ]
    if pilots is not None:
        symbols[:, : link.num_pilots] = pilots
    received, channel, noise_variance = transmit(link, symbols, snr_db, rng, doppler)
    return Frame(link, received.astype(np.complex64), symbols, channel, noise_variance)


def frequency_response(taps, fft_len=FFT_LEN):
    """(receiving, transmitting, taps) to (carriers, receiving, transmitting)."""
    return np.moveaxis(np.fft.fft(taps, fft_len), -1, 0)


def least_squares_taps(frame, length=16, ridge=1e-3):
    """Channel taps (receiving, transmitting, length) and the residual per carrier and antenna."""
    link = frame.link
    received = carriers(frame.received, link)[:, : link.num_pilots][:, :, link.active]
    turns = np.exp(
        -2j * np.pi * np.outer(link.active, np.arange(length)) / link.fft_len
    )
    rows = np.concatenate(
        [
            np.concatenate(
                [one[k, link.active][:, None] * turns for one in frame.pilots], 1
            )
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
    """Time-domain least squares of 16 taps (of all, where the profile has more), then LMMSE; the noise is
    the larger of the true one and the residual. Data symbols, as a detector gives them.
    """
    link = frame.link
    taps, residual = least_squares_taps(frame, max(16, frame.channel.shape[2]))
    noise = max(residual, frame.noise_variance * link.fft_len / scale(link) ** 2)
    return lmmse(
        frequency_response(taps, link.fft_len), carriers(frame.received, link), noise
    )[:, link.num_pilots :]


def lmmse(response, received, noise):
    """Unbiased symbols (transmitting, symbols, carriers)."""
    adjoint = response.conj().transpose(0, 2, 1)
    count = response.shape[2]
    weights = np.linalg.solve(adjoint @ response + noise * np.eye(count), adjoint)
    gains = np.einsum("kij,kji->ki", weights, response).real
    weights /= np.maximum(gains, 1e-12)[..., None]
    return np.einsum("kij,jnk->ink", weights, received)
