#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Bursts with known symbols between the unknown ones, on channels that fade: HF modems and GSM.

All random numbers of a burst come from a numpy generator seeded with waveform, channel, seed and
the burst's number: any subset gives the same bursts, every Es/N0 the same channel and noise, and a
carrier that is off and wanders changes nothing else. None comes from the module under test.

HF: root-raised-cosine pulses on two paths of equal mean power whose gains have a Gaussian Doppler
spectrum (Watterson, Juroshek and Bensema, 1970); delay and two-sigma Doppler spread as in
CCIR Recommendation 520. The samples are those behind the matched filter, two per symbol. Nothing is
sent around a burst.

GSM: normal bursts with training sequence 0 (3GPP TS 45.002), GMSK as the first pulse of Laurent's
sum (1986), six paths of COST 207 (3GPP TS 45.005), one sample per symbol behind a
root-raised-cosine filter, turned back by a quarter turn per symbol: real symbols, complex taps.
"""

import zlib
from dataclasses import dataclass, field, make_dataclass

import numpy as np
from gnuradio import digital
from gnuradio.reservoir.campaign.fields import integer, switch, word
from gnuradio.reservoir.campaign.links import Frame, SingleCarrier

SPAN = 10  # symbols of a pulse on each side
AFTER = 24  # symbols whose samples a receiver gets behind the burst
ROLLOFF = 0.35
GSM_SYMBOL = 48 / 13 * 1e-6  # seconds
GSM_CARRIER = 900e6  # Hz
GSM_TRAINING = "00100101110000100010010111"  # TS 45.002, training sequence code 0
GSM_LAGS = np.arange(-4, 9)  # of the true taps, symbols
OFFSET = 2.0  # largest carrier offset, Hz
PHASE_STEP = np.deg2rad(0.3)  # of the carrier phase's random walk, a symbol


@dataclass(frozen=True)
class Burst:
    """What was sent, what came, and what only a genie knows."""

    points: np.ndarray  # the constellation, unit power; an index is its label, Gray coded
    indices: np.ndarray  # of all symbols
    known: np.ndarray  # bool, one per symbol
    sps: int
    received: np.ndarray  # complex64; sample k * sps is on time with symbol k
    gains: np.ndarray  # of the paths, (paths, samples), the carrier's phase included
    pulses: np.ndarray  # of the paths at the lags, (paths, sps, lags)
    lags: np.ndarray  # symbols
    noise: float  # variance of a sample
    phase: np.ndarray = 0.0  # the carrier's, radians

    @property
    def symbols(self):
        return self.points[self.indices]

    @property
    def values(self):
        """As the receiver is told: NaN where a symbol is not known."""
        return np.where(self.known, self.symbols, np.nan).astype(np.complex64)

    def taps(self, instants):
        """True taps at symbols, (instants, lags, sps): r[n] = sum over l of taps[l] x[n - lag l]."""
        instants = np.minimum(instants, self.gains.shape[1] // self.sps - 1)
        gains = self.gains.reshape(len(self.gains), -1, self.sps)[:, instants]
        return np.einsum("piq,pql->ilq", gains, self.pulses)


@dataclass(frozen=True)
class Waveform:
    constellation: str  # of gnuradio.digital
    known: np.ndarray
    baud: float
    sps: int
    channels: tuple
    # first symbol: indices that every burst has
    fixed: dict = field(default_factory=dict)

    @property
    def points(self):
        return self.gnuradio_constellation().points() / self.scale

    @property
    def scale(self):
        points = np.array(self.gnuradio_constellation().points())
        return np.sqrt(np.mean(np.abs(points) ** 2))

    def gnuradio_constellation(self):
        return getattr(digital, f"constellation_{self.constellation}")()


@dataclass(frozen=True)
class Paths:
    """delays in seconds, mean powers in dB; spread: two sigma of the Gaussian Doppler spectrum or,
    where it is None, speed in km/h of a receiver that waves reach from all around."""

    delays: tuple
    powers_db: tuple
    spread: float = None
    speed: float = None


CHANNELS = {
    "good": Paths((0, 0.5e-3), (0, 0), spread=0.1),
    "moderate": Paths((0, 1e-3), (0, 0), spread=0.5),
    "poor": Paths((0, 2e-3), (0, 0), spread=1.0),
    "tu50": Paths(
        tuple(1e-6 * np.array([0, 0.2, 0.5, 1.6, 2.3, 5.0])),
        (-3, 0, -2, -6, -8, -10),
        speed=50,
    ),
    "ht100": Paths(
        tuple(1e-6 * np.array([0, 0.1, 0.3, 0.5, 15.0, 17.2])),
        (0, -1.5, -4.5, -7.5, -8.0, -17.7),
        speed=100,
    ),
}
HF_CHANNELS, GSM_CHANNELS = ("good", "moderate", "poor"), ("tu50", "ht100")


def runs(*lengths):
    """A mask of runs of these lengths, known and unknown in turn, a known one first."""
    return np.repeat(np.arange(len(lengths)) % 2 == 0, lengths)


STANAG_BLOCK = runs(80, 32, 16, 32, 16, 32, 16, 32)
S4285 = np.append(np.tile(STANAG_BLOCK, 12), runs(80))
GSM_BITS = np.array([int(bit) for bit in GSM_TRAINING])
WAVEFORMS = {
    # MIL-STD-188-110, serial tone, 2400 bit/s
    "m2400s": Waveform("8psk", runs(144, *(32, 16) * 62), 2400, 2, HF_CHANNELS),
    "s4285": Waveform("qpsk", S4285, 2400, 2, HF_CHANNELS),
    "hfdl": Waveform("qpsk", runs(144, *(30, 15) * 48), 1800, 2, HF_CHANNELS),
    "gsm": Waveform(
        "bpsk",
        runs(3, 58, 26, 58, 3),
        1 / GSM_SYMBOL,
        1,
        GSM_CHANNELS,
        fixed={0: np.ones(3, int), 61: 1 - GSM_BITS, 145: np.ones(3, int)},
    ),
}


def raised_cosine(t, rolloff=ROLLOFF):
    """A symbol behind the matched filter, t in symbols."""
    below = 1 - (2 * rolloff * t) ** 2
    singular = np.abs(below) < 1e-8
    shape = np.cos(np.pi * rolloff * t) / np.where(singular, 1, below)
    return np.sinc(t) * np.where(singular, np.pi / 4, shape)


def root_raised_cosine(t, rolloff=ROLLOFF):
    t = t + 1e-7  # beside the singular points, where the formula goes on smoothly
    upper = np.sin(np.pi * t * (1 - rolloff))
    upper += 4 * rolloff * t * np.cos(np.pi * t * (1 + rolloff))
    return upper / (np.pi * t * (1 - (4 * rolloff * t) ** 2))


def gmsk_pulse(t, bt=0.3):
    """The first and strongest pulse of GMSK (Laurent, 1986, eq. 12), t in symbols around its middle.

    Phase pulses of three symbols, as in GSM: the product of four shifted sines.
    """
    length = 3
    fine = np.linspace(-length / 2, length / 2, 2001)
    sigma = np.sqrt(np.log(2)) / (2 * np.pi * bt)
    frequency = np.convolve(
        np.exp(-(fine**2) / (2 * sigma**2)), np.abs(fine) <= 0.5, "same"
    )
    phase = np.cumsum(frequency) - frequency / 2
    phase *= np.pi / 2 / phase[-1]

    def sine(at):
        rising = np.interp(
            at, np.append(fine, 2 * length) + length / 2, [*phase, np.pi / 2]
        )
        falling = np.pi / 2 - np.interp(
            at - length, np.append(fine, 2 * length) + length / 2, [*phase, np.pi / 2]
        )
        return np.sin(np.where(at < length, rising, falling))

    at = t + (length + 1) / 2
    shifted = [sine(at + k) for k in range(length)]
    return np.where((at > 0) & (at < length + 1), np.prod(shifted, axis=0), 0)


def gmsk_behind_the_filter(t, steps=16):
    """Unit energy behind a root-raised-cosine filter (roll-off .3) of unit gain in noise."""
    fine = np.arange(-SPAN * steps, SPAN * steps + 1) / steps
    pulse, filtering = gmsk_pulse(fine), root_raised_cosine(fine, 0.3)
    pulse /= np.linalg.norm(pulse)
    filtering /= np.linalg.norm(filtering)
    return np.interp(t, fine, np.convolve(pulse, filtering, "same"))


def complex_normal(rng, *shape):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)


def gaussian_fading(count, spread, rng, waves=64, step=16):
    """A gain of mean power 1: complex Gaussian, spectrum of two sigma = spread cycles/sample."""
    frequencies = spread / 2 * rng.standard_normal(waves)
    weights = complex_normal(rng, waves) / np.sqrt(waves)
    coarse = step * np.arange(count // step + 2)
    gain = weights @ np.exp(2j * np.pi * frequencies[:, None] * coarse)
    return np.interp(np.arange(count), coarse, gain)


def fading_from_all_around(count, doppler, rng, waves=16):
    """A gain of mean power 1: equally strong waves (Clarke, 1968), doppler in cycles/sample."""
    angles, phases = 2 * np.pi * rng.random((2, waves, 1))
    turns = 2 * np.pi * doppler * np.cos(angles) * np.arange(count)
    return np.exp(1j * (turns + phases)).sum(0) / np.sqrt(waves)


def path_gains(paths, waveform, count, rng):
    rate = waveform.baud * waveform.sps
    powers = 10 ** (np.array(paths.powers_db) / 10)
    gains = []
    for power in powers / powers.sum():
        if paths.spread is not None:
            gain = gaussian_fading(count, paths.spread / rate, rng)
        else:
            doppler = paths.speed / 3.6 / 299792458 * GSM_CARRIER / rate
            gain = fading_from_all_around(count, doppler, rng)
        gains.append(np.sqrt(power) * gain)
    return np.array(gains)


def carrier_phase(waveform, count, rng):
    """Of a carrier that is off by up to OFFSET and wanders, radians, one per sample."""
    offset = rng.uniform(-OFFSET, OFFSET) / (waveform.baud * waveform.sps)
    walk = PHASE_STEP / np.sqrt(waveform.sps) * np.cumsum(rng.standard_normal(count))
    return 2 * np.pi * offset * np.arange(count) + walk


def make_burst(name, channel, snr_db, seed, number, carrier=False):
    """The burst of that number.

    snr_db: Es/N0, mean energy of a received symbol, over all that the channel may do, to the
        noise's density
    carrier: it is off and wanders
    """
    waveform, paths = WAVEFORMS[name], CHANNELS[channel]
    key = zlib.crc32(f"{name} {channel}".encode())
    rng = np.random.default_rng([key, seed, number])
    length, sps = len(waveform.known), waveform.sps
    indices = rng.integers(0, len(waveform.points), length)
    for first, values in waveform.fixed.items():
        indices[first : first + len(values)] = values
    count = (length + AFTER) * sps
    gains = path_gains(paths, waveform, count, rng)
    phase = np.zeros(count)
    if carrier:
        own = np.random.default_rng([key, seed, number, 1])
        phase = carrier_phase(waveform, count, own)
        gains = gains * np.exp(1j * phase)
    noise_density = 10 ** (-snr_db / 10)

    delays = np.array(paths.delays) * waveform.baud  # symbols
    white = complex_normal(rng, count + 2 * SPAN * sps)
    sent = waveform.points[indices]
    if name == "gsm":
        lags = GSM_LAGS
        pulses = gmsk_behind_the_filter(lags - delays[:, None])[:, None]
        # behind a Nyquist filter noise is white at one sample per symbol
        noise = white[:count]
        sent = sent * 1j ** (np.arange(length) % 4)
    else:
        lags = np.arange(-SPAN, SPAN + int(np.ceil(delays[-1])) + 1)
        at = lags + np.arange(sps)[:, None] / sps
        pulses = raised_cosine(at - delays[:, None, None])
        shape = root_raised_cosine(np.arange(-SPAN * sps, SPAN * sps + 1) / sps)
        noise = np.convolve(white, shape / np.linalg.norm(shape), "valid")
    received = np.sqrt(noise_density) * noise
    for gain, pulse in zip(gains, pulses):
        for place in range(sps):
            came = np.convolve(sent, pulse[place])[-lags[0] :][: length + AFTER]
            came = np.append(came, np.zeros(length + AFTER - len(came)))
            received[place::sps] += gain[place::sps] * came
    if name == "gsm":
        received = received * (-1j) ** (np.arange(count) % 4)
        pulses = pulses * (-1j) ** (lags % 4)
    return Burst(
        waveform.points,
        indices,
        waveform.known,
        sps,
        received.astype(np.complex64),
        gains,
        pulses,
        lags,
        noise_density,
        phase,
    )


def as_transmitted(burst):
    """GSM's samples with their rotation."""
    turns = 1j ** (np.arange(len(burst.received)) % 4)
    return (burst.received * turns).astype(np.complex64)


@dataclass(frozen=True)
class BurstFrame(Frame):
    """What a campaign's receivers get; those beside this file take the burst."""

    burst: Burst = None


@dataclass(frozen=True, kw_only=True)
class BurstLink(SingleCarrier):
    """Bursts of a waveform; payload: their unknown symbols. NAME: of the waveform."""

    ENTRIES = "channel", "snr_db", "carrier"

    carrier: bool = switch(False, "it is off and wanders")

    def check(self):
        pass  # the others' rules are of entries that it does not have

    def constellation(self):
        return WAVEFORMS[self.NAME].gnuradio_constellation()

    def make_frame(self, seed, number):
        entries = self.channel, self.snr_db, seed, number, self.carrier
        burst = make_burst(self.NAME, *entries)
        received = as_transmitted(burst) if self.NAME == "gsm" else burst.received
        first = burst.known.argmin()  # what is known in front
        return BurstFrame(
            received[None],
            burst.values[None, :first],
            burst.indices[None, ~burst.known],
            None,
            burst.noise,
            known=burst.values[None],
            burst=burst,
        )


def link(name):
    """The class of a waveform's links."""
    waveform = WAVEFORMS[name]
    fixed = lambda value: integer(value, value, value, "of the waveform")
    fields = [
        ("channel", str, word(waveform.channels[0], waveform.channels, "that fades")),
        ("payload", int, fixed(int(np.sum(~waveform.known)))),
        ("samples_per_symbol", int, fixed(waveform.sps)),
    ]
    more = dict(bases=(BurstLink,), namespace=dict(NAME=name))
    return make_dataclass(name, fields, frozen=True, kw_only=True, **more)


LINKS = {name: link(name) for name in WAVEFORMS}
