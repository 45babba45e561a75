#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Links of campaigns: what is sent, through which channel, and the frames that arrive.

All random numbers of a frame come from a numpy generator seeded with the link (but for its
signal-to-noise ratio), the campaign's seed and the frame's number. So any subset of frames is the same
on every machine, and every signal-to-noise ratio has the same symbols, channels and, but for its
strength, noise.
"""

import dataclasses
import json
import pathlib
import zlib

import numpy as np

from gnuradio import gr, reservoir

from ..link import NAMED_CHANNELS, named_channel
from ..modulations import CONSTELLATIONS, gray_16qam, nearest
from .fields import FieldError, Table, integer, line, number, numbers, switch, word

MODULATIONS = {**CONSTELLATIONS, "16qam_gray": gray_16qam}
AMPLIFIERS = ("linear", "rapp", "saleh", "memory_polynomial")
DRAWN = {"taps", "decay", "powers", "rice_db"}
GIVEN = {"impulse_response", "imaginary"}
VARIED = {"periods", "shortening"}
CHANNELS = {  # what each reads of the entries below
    "none": set(),
    "rayleigh": DRAWN | {"delays", "doppler"},
    "minimum_phase": DRAWN,
    "fixed": GIVEN,
    "periodic": GIVEN | VARIED,
    "matrix": VARIED,
}
READ = {**CHANNELS, **dict.fromkeys(NAMED_CHANNELS, {"rice_db", "symbol_rate"})}
OF_CHANNELS = set().union(*READ.values())
MOST_ZEROS = 31  # of channels of minimum phase
FADING_WAVES = 16  # sum of sinusoids
INTERPOLATOR = 24  # samples on each side of a delay that is no whole number of samples
PULSE_SPAN = 12  # symbols on each side
SHORTEST_PERIOD = 20  # frames, of periods that shorten


@dataclasses.dataclass(frozen=True, kw_only=True)
class Link(Table):
    """Amplifiers, channel, receiver front end. Delays and lengths of channels count samples of one
    symbol for single-carrier links, and samples for OFDM."""

    modulation: str = word("qpsk", MODULATIONS, "of the payload")
    snr_db: float = number(
        20.0, -100, 300, "symbol's energy over the noise's density; OFDM: per sample"
    )
    same_pilots: bool = switch(
        False, "all frames have the same pilots; else each has its own"
    )
    streams: int = integer(1, 1, 8, "transmitting antennas")
    antennas: int = integer(1, 1, 16, "receiving antennas")

    amplifier: str = word("linear", AMPLIFIERS, "in front of each transmitting antenna")
    backoff_db: float = number(3.0, -60, 100, "the amplifier's input back-off")
    smoothness: float = number(2.0, 0.1, 100, "of the Rapp amplifier")
    unit_output: bool = switch(
        True, "a gain brings the amplifier's output back to unit mean power"
    )

    channel: str = word(
        "rayleigh",
        READ,
        "none: a direct path; rayleigh: taps drawn for each frame; minimum_phase: the same with all "
        "zeros within the unit circle; fixed: impulse_response; periodic: impulse_response, each tap "
        "times .8 + .2 cos(2 pi frame / period); matrix: exp(-|i-j|) between antennas, each stream "
        "times the same where there are periods; or its name",
    )
    taps: int = integer(6, 1, 256, "drawn, of mean power exp(-l / decay)")
    decay: float = number(2.0, 1e-3, 1e6, "in taps")
    powers: tuple = numbers((), 0, 1e6, "mean powers of the taps; else taps and decay")
    delays: tuple = numbers((), 0, 1024, "of the taps, ascending; else 0, 1, 2, ...")
    impulse_response: tuple = numbers((), -1e3, 1e3, "of the channel fixed or periodic")
    imaginary: tuple = numbers((), -1e3, 1e3, "its imaginary part, where it has one")
    periods: tuple = numbers((), 1, 1e6, "of the channels periodic and matrix, frames")
    shortening: float = number(
        0.0,
        0,
        1e3,
        f"of the periods from frame to frame, to {SHORTEST_PERIOD} at least",
    )
    normalize: bool = switch(
        True,
        "every frame's channel has unit energy; on average if it moves or if not (fixed: as given)",
    )
    doppler: float = number(0.0, 0, 0.1, "largest, in cycles per symbol (OFDM: sample)")
    rice_db: float = number(-300.0, -300, 300, "of the first tap: still over moving")
    symbol_rate: float = number(2400.0, 1, 1e9, "for channels that have a name; Hz")

    frequency_offset: float = number(
        0.0, 0, 0.1, "largest, drawn for each frame; cycles per symbol (OFDM: sample)"
    )
    phase_noise: float = number(
        0.0, 0, 1, "random walk, radians per symbol (OFDM: sample)"
    )
    interference_db: float = number(
        -300.0, -300, 300, "noise from one direction; over the signal at an antenna"
    )
    interference_width: float = number(
        1.0, 0, 1, "its bandwidth, cycles per sample; 1: white; 0: a tone"
    )
    interference_at: float = number(
        1.0,
        -0.5,
        1,
        "its middle if it is not white, cycles per sample; 1: drawn for each frame within the band",
    )
    real_noise: bool = switch(False, "noise in the real part only, of all the power")
    iq_gain_db: float = number(
        0.0, -20, 20, "I/Q imbalance of the receiver: gain of one mixer over the other"
    )
    iq_phase_deg: float = number(
        0.0, -90, 90, "I/Q imbalance: how far the mixers are off the right angle"
    )
    gain_step_db: float = number(
        0.0,
        -60,
        60,
        "by which each antenna's gain jumps, at a sample drawn behind the first eighth of a frame",
    )
    saturation: str = word("none", ("none", "tanh"), "in front of the converter")
    converter_bits: int = integer(0, 0, 16, "of each part; 0: none")
    converter_range: float = number(
        2.0, 0.1, 100, "the converter's full scale over the rms of a part"
    )

    code: str = line(
        "",
        "of the packet that a frame's payload is: none, cc, ldpc:FILE, see packet_format; else no "
        "packet",
    )

    def points(self):
        """At unit mean power."""
        points = np.array(self.constellation().points())
        return points / np.sqrt(np.mean(np.abs(points) ** 2))

    def constellation(self):
        return MODULATIONS[self.modulation]()

    def packet_format(self):
        """Of the payload, all streams together; None if it is no packet."""
        if not self.code:
            return None
        constellation = self.constellation().base()
        return reservoir.packet_format(constellation, self.payload_symbols(), self.code)

    def code_files(self):
        """Texts of the files that the code is made of, from where packet_format finds them."""
        kind, _, name = self.code.partition(":")
        if kind != "ldpc":
            return []
        installed = pathlib.Path(gr.prefix(), "share", "gnuradio", "fec", "ldpc")
        places = [pathlib.Path(name), installed / name, installed / f"{name}.alist"]
        (found, *_) = filter(pathlib.Path.is_file, places)
        return [found.read_text(encoding="latin-1")]

    def draw_packet(self, rng, number):
        """(data, indices of points, (streams, ...)) of the payload."""
        form = self.packet_format()
        data = rng.bytes(form.capacity)
        symbols = form.encode(data, number % 65536)  # a sequence number has 16 bits
        return data, nearest(self.points(), symbols).reshape(self.streams, -1)

    def check(self):
        """What no field can say alone."""
        self._check_code()
        self._check_unread()
        self._check_given()
        self._check_drawn()
        if self.channel == "minimum_phase":
            self._check_minimum_phase()
        if self.channel == "none" and self.streams != self.antennas:
            raise FieldError(
                "antennas", self.antennas, "as many as streams where channel = 'none'"
            )

    def _check_code(self):
        try:
            self.packet_format()
        except ValueError as error:
            raise FieldError(
                "code", self.code, f"a code that fits the payload ({error})"
            ) from error

    def _check_unread(self):
        """Another channel would be measured than was written."""
        # a link of one's own may have channels of its own
        unread = OF_CHANNELS - READ.get(self.channel, OF_CHANNELS)
        for name, value in self.entries().items():
            if name in unread:
                readers = [one for one, read in READ.items() if name in read]
                raise FieldError(
                    name,
                    value,
                    f"left out where channel = {self.channel!r}; it is for "
                    + ", ".join(readers),
                )

    def _check_given(self):
        """Channels that are given, and their periods."""
        if self.channel in ("fixed", "periodic") and not self.impulse_response:
            raise FieldError(
                "impulse_response",
                [],
                f"given, with one value or more, where channel = '{self.channel}'",
            )
        if self.imaginary and len(self.imaginary) != len(self.impulse_response):
            raise FieldError(
                "imaginary", list(self.imaginary), "as long as impulse_response"
            )
        if self.impulse_response and not any((*self.impulse_response, *self.imaginary)):
            raise FieldError(
                "impulse_response", list(self.impulse_response), "not all zero"
            )
        periods = list(self.periods)
        if self.channel == "periodic" and len(periods) != len(self.impulse_response):
            raise FieldError("periods", periods, "one for each tap")
        if self.channel == "matrix" and len(periods) not in (0, self.streams):
            raise FieldError("periods", periods, "one for each stream")
        if self.shortening and not periods:
            raise FieldError(
                "shortening", self.shortening, "0 where there are no periods"
            )

    def _check_drawn(self):
        """Delays and powers of channels that are drawn."""
        delays, powers = list(self.delays), list(self.powers)
        if delays and powers and len(delays) != len(powers):
            raise FieldError("delays", delays, "one for each of powers")
        if sorted(delays) != delays:
            raise FieldError("delays", delays, "ascending")
        if powers and not sum(powers) > 0:
            raise FieldError("powers", powers, "of a sum above 0")

    def _check_minimum_phase(self):
        """Zeros of longer channels cannot be found well enough."""
        if len(self.powers) > MOST_ZEROS + 1 or (
            not self.powers and self.taps > MOST_ZEROS + 1
        ):
            raise FieldError(
                "taps", self.taps, f"at most {MOST_ZEROS + 1} of minimum phase"
            )
        if self.powers and not (self.powers[0] > 0 and self.powers[-1] > 0):
            raise FieldError(
                "powers", list(self.powers), "above 0 at both ends for minimum phase"
            )

    def generator(self, seed, number):
        entries = dict(self.entries(), kind=type(self).__name__)
        entries.pop("snr_db", None)
        identity = json.dumps(entries, sort_keys=True).encode()
        return np.random.default_rng([seed, zlib.crc32(identity), number])


@dataclasses.dataclass(frozen=True)
class Frame:
    """A frame at the receiver, from the first pilot on, and what was sent."""

    received: np.ndarray  # (antennas, samples), complex64
    # (streams, pilots); of OFDM (streams, symbols, carriers), or an ofdm_grid
    pilots: object
    payload: np.ndarray  # indices of points, (streams, symbols)
    # what only a genie knows: (antennas, streams, taps); None if it moves, or if there are several
    # samples per symbol
    channel: np.ndarray
    noise_variance: float  # of a received sample
    # (streams, symbols) from the first pilot on, NaN where a symbol is not known; None: the pilots, and
    # then the payload in one piece
    known: np.ndarray = None
    data: bytes = None  # of the packet that the payload is


def gaussian(rng, *shape):
    """Complex, of unit variance."""
    parts = rng.standard_normal((2, *shape))
    return np.sqrt(0.5) * (parts[0] + 1j * parts[1])


def amplified(link, sent, points=()):
    """Each row behind an amplifier of its own; points: of the symbols, where sent has nothing else,
    else the output's power is that of the frame."""
    if link.amplifier == "linear":
        return sent
    setting = link.amplifier, link.backoff_db, link.smoothness
    out = np.array(
        [reservoir.amplifier(*setting)(row.astype(np.complex64)) for row in sent]
    )
    if not link.unit_output:
        return out
    power = np.mean(np.abs(out) ** 2)
    if len(points):
        power = reservoir.amplifier(*setting).mean_output_power(link.backoff_db, points)
    return out / np.sqrt(power)


@dataclasses.dataclass(frozen=True)
class Paths:
    """Delays in samples, and what the gains are: (antennas, streams, paths) or, where they move, with
    samples as the last axis."""

    delays: np.ndarray
    gains: np.ndarray

    @property
    def moving(self):
        return self.gains.ndim == 4

    def response(self):
        """(antennas, streams, taps); None of what moves or has fractional delays."""
        delays = np.round(self.delays).astype(int)
        if self.moving or np.any(delays != self.delays):
            return None
        taps = np.zeros((*self.gains.shape[:2], delays[-1] + 1), complex)
        np.add.at(taps, (slice(None), slice(None), delays), self.gains)
        return taps


def _profile(link, sps):
    """(delays in samples, mean powers, doppler per sample, spectrum) of a channel that is drawn."""
    if link.channel in NAMED_CHANNELS:
        paths = named_channel(link.channel, link.symbol_rate * sps)
        return (
            np.asarray(paths["path_delays"]),
            np.asarray(paths["power_delay_profile"]),
            paths["doppler"],
            paths["doppler_spectrum"],
        )
    powers = np.array(link.powers)
    if not link.powers:
        count = len(link.delays) or link.taps
        places = np.array(link.delays) if link.delays else np.arange(count)
        powers = np.exp(-(places - places[0]) / link.decay)
    delays = np.array(link.delays) if link.delays else np.arange(len(powers))
    return delays * sps, powers / powers.sum(), link.doppler / sps, "clarke"


def moving_gains(rng, shape, samples, doppler, spectrum):
    """Of unit mean power, with time as the last axis; sums of waves (Clarke, 1968), or of frequencies
    that are Gaussian of two standard deviations doppler (Watterson, Juroshek and Bensema, 1970).
    """
    draws = (*shape, FADING_WAVES, 1)
    if spectrum == "gaussian":
        speeds = 0.5 * doppler * rng.standard_normal(draws)
    else:
        speeds = doppler * np.cos(2 * np.pi * rng.random(draws))
    strengths = gaussian(rng, *draws)
    total = np.zeros((*shape, samples), complex)
    for wave in range(FADING_WAVES):
        turns = np.exp(2j * np.pi * speeds[..., wave, :] * np.arange(samples))
        total += strengths[..., wave, :] * turns
    return total / np.sqrt(FADING_WAVES)


def minimum_phase(taps):
    """Taps of the same spectrum's magnitude whose zeros lie within the unit circle."""
    zeros = np.roots(taps)
    moduli = np.maximum(np.abs(zeros), 1)  # those outside move to 1 / conj(zero)
    return taps[0] * np.prod(moduli) * np.poly(zeros / moduli**2)


def periodic_gains(link, number):
    """In the frame of that number, one for each of the periods."""
    periods = np.array(link.periods)
    if link.shortening:
        periods = np.maximum(periods - link.shortening * number, SHORTEST_PERIOD)
    return 0.8 + 0.2 * np.cos(2 * np.pi * number / periods)


def draw_paths(link, sps, samples, rng, number):
    """The channel of one frame."""
    shape = link.antennas, link.streams
    if link.channel == "none":
        return Paths(np.zeros(1), np.eye(link.streams)[:, :, None])
    if link.channel == "matrix":
        apart = np.subtract.outer(np.arange(link.antennas), np.arange(link.streams))
        gains = np.exp(-np.abs(apart))
        if link.periods:
            gains = gains * periodic_gains(link, number)
        return Paths(np.zeros(1), gains[:, :, None])
    if link.channel in ("fixed", "periodic"):
        response = np.array(link.impulse_response, complex)
        if link.imaginary:
            response = response + 1j * np.array(link.imaginary)
        if link.channel == "periodic":
            response = response * periodic_gains(link, number)
        if link.normalize:
            response = response / np.linalg.norm(response)
        gains = np.broadcast_to(response, (*shape, len(response)))
        return Paths(np.arange(len(response)) * sps, gains / np.sqrt(link.streams))
    delays, powers, doppler, spectrum = _profile(link, sps)
    rice = 10 ** (link.rice_db / 10)
    still = np.sqrt(rice / (1 + rice)) * np.exp(2j * np.pi * rng.random(shape))
    shape = (*shape, len(powers))
    if doppler > 0:
        gains = moving_gains(rng, shape, samples, doppler, spectrum)
        still, powers = still[..., None], powers[:, None]
    else:
        gains = gaussian(rng, *shape)
    gains[:, :, 0] = still + gains[:, :, 0] / np.sqrt(1 + rice)
    gains *= np.sqrt(powers)
    if link.normalize and doppler == 0:
        energy = np.sum(np.abs(gains) ** 2, axis=(1, 2), keepdims=True) / link.streams
        gains = gains / np.sqrt(energy)
    if link.channel == "minimum_phase":
        gains = np.apply_along_axis(minimum_phase, 2, gains)
    return Paths(delays, gains / np.sqrt(link.streams))


def delayed(row, delay):
    """A row later by so many samples, which need not be a whole number; zeros come before."""
    whole = int(np.floor(delay + 1e-9))
    part = delay - whole
    if part > 1e-9:
        places = np.arange(-INTERPOLATOR, INTERPOLATOR + 1) - part
        window = np.kaiser(2 * INTERPOLATOR + 1, 8.0)
        row = np.convolve(row, np.sinc(places) * window)[INTERPOLATOR:][: len(row)]
    return np.concatenate([np.zeros(whole), row])[: len(row)]


def through(paths, sent):
    """(streams, samples) to (antennas, samples)."""
    received = np.zeros((len(paths.gains), sent.shape[1]), complex)
    for path, delay in enumerate(paths.delays):
        late = np.array([delayed(row, delay) for row in sent])
        if paths.moving:
            received += np.einsum("rtn,tn->rn", paths.gains[:, :, path], late)
        else:
            received += paths.gains[:, :, path] @ late
    return received


def front_end(link, received, sps, rng):
    """Carrier, interference, noise, saturation, converter."""
    count = received.shape[1]
    walk = np.cumsum(link.phase_noise / np.sqrt(sps) * rng.standard_normal(count))
    offset = rng.uniform(-link.frequency_offset, link.frequency_offset) / sps
    if link.phase_noise or link.frequency_offset:
        phase = walk + 2 * np.pi * offset * np.arange(count)
        received = received * np.exp(1j * phase)
    if link.interference_db > -300:
        direction = np.exp(2j * np.pi * rng.random((len(received), 1)))
        strength = 10 ** (link.interference_db / 20)
        received = received + strength * direction * interference(link, count, rng)
    variance = sps * 10 ** (-link.snr_db / 10)
    noise = gaussian(rng, *received.shape)
    if link.real_noise:
        noise = np.sqrt(2) * noise.real
    received = received + np.sqrt(variance) * noise
    if link.iq_gain_db or link.iq_phase_deg:
        gain = 10 ** (link.iq_gain_db / 20) * np.exp(1j * np.deg2rad(link.iq_phase_deg))
        image = (1 - gain.conjugate()) / 2 * received.conj()
        received = (1 + gain) / 2 * received + image
    if link.gain_step_db:
        places = rng.integers(count // 8, count, (len(received), 1))
        gain = 10 ** (link.gain_step_db / 20)
        received = np.where(np.arange(count) < places, received, gain * received)
    if link.saturation == "tanh":
        received = np.tanh(received.real) + 1j * np.tanh(received.imag)
    if link.converter_bits:
        received = converted(received, link.converter_bits, link.converter_range)
    return received.astype(np.complex64), variance


def interference(link, count, rng):
    """(1, samples) of unit power: white noise, noise of some bandwidth, or a tone."""
    if link.interference_width == 1:
        return gaussian(rng, 1, count)
    middle, half = link.interference_at, link.bandwidth() / 2
    if middle == 1:
        middle = rng.uniform(-half, half)
    lines = max(round(link.interference_width * count), 1)
    spectrum = np.zeros((1, count), complex)
    spectrum[:, :lines] = gaussian(rng, 1, lines) if link.interference_width else 1
    middle -= (lines - 1) / (2 * count)
    turns = np.exp(2j * np.pi * middle * np.arange(count))
    return np.fft.ifft(spectrum) * count / np.sqrt(lines) * turns


def converted(received, bits, relative):
    full = relative * np.sqrt(np.mean(np.abs(received) ** 2) / 2)
    step = 2 * full / 2**bits

    def part(values):
        most = full - step / 2  # 2^bits levels
        return np.clip((np.floor(values / step) + 0.5) * step, -most, most)

    return part(received.real) + 1j * part(received.imag)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SingleCarrier(Link):
    """Pilots, payload, and random symbols that a receiver does not know before and behind them."""

    pilots: int = integer(64, 1, 65536, "known symbols in front of the payload")
    payload: int = integer(512, 1, 1_000_000, "symbols to be decided")
    known_period: int = integer(
        0, 0, 65536, "payload's symbols and known ones in turn, again after so many"
    )
    known_length: int = integer(0, 0, 65536, "known symbols at each period's end")
    before: int = integer(0, 0, 4096, "unknown symbols before the pilots")
    behind: int = integer(48, 0, 4096, "unknown symbols behind the payload")
    samples_per_symbol: int = integer(
        1, 1, 16, "more than one: root-raised-cosine pulses"
    )
    excess_bandwidth: float = number(0.35, 0.01, 1, "of the pulses")
    timing_offset: float = number(
        0.0,
        0,
        64,
        "largest, drawn for each frame; symbols. Whole ones if it is over .5",
    )

    def check(self):
        super().check()
        if self.samples_per_symbol == 1 and 0 < self.timing_offset < 1:
            raise FieldError(
                "timing_offset",
                self.timing_offset,
                "0, or 1 and more, where samples_per_symbol = 1",
            )
        if self.known_period and not 0 < self.known_length < self.known_period:
            raise FieldError(
                "known_length", self.known_length, "above 0, and less than known_period"
            )
        if self.known_length and not self.known_period:
            raise FieldError("known_period", 0, "above known_length")

    def known(self):
        """Of each symbol from the first pilot to the payload's end, whether it is known."""
        gap = self.known_period - self.known_length or self.payload
        count = self.payload + self.payload // gap * self.known_length
        behind = np.arange(count) % (gap + self.known_length) >= gap
        return np.append(np.ones(self.pilots, bool), behind)

    def payload_symbols(self):
        """Of a frame, all streams together."""
        return self.streams * self.payload

    def bandwidth(self):
        """Of the signal, in cycles per sample."""
        return 1 / self.samples_per_symbol

    def make_frame(self, seed, number):
        rng = self.generator(seed, number)
        points, sps = self.points(), self.samples_per_symbol
        # symbols that come into the frame if it is early or late
        margin = int(np.ceil(self.timing_offset))
        begin = margin + self.before
        first, known = begin + self.pilots, self.known()
        end = begin + len(known)
        count = end + self.behind + margin
        indices = rng.integers(0, len(points), (self.streams, count))
        if self.same_pilots:
            indices[:, begin:first] = self._module_pilots(seed)
        data = None
        unknown = begin + np.flatnonzero(~known)
        if self.code:
            data, indices[:, unknown] = self.draw_packet(rng, number)
        late = rng.uniform(-self.timing_offset, self.timing_offset)
        if self.timing_offset > 0.5 or sps == 1:
            late = np.round(late)
        sent = points[indices]
        if sps == 1:
            sent = amplified(self, sent, list(points))
        else:
            sent = amplified(self, self._shaped(sent, late % 1.0))
        paths = draw_paths(self, sps, sent.shape[1], rng, number)
        received = through(paths, sent)
        received, variance = front_end(self, received, sps, rng)
        start = (begin - int(np.floor(late))) * sps
        size = (len(known) + self.behind) * sps
        symbols = points[indices[:, begin:end]].astype(np.complex64)
        return Frame(
            received[:, start : start + size],
            symbols[:, : self.pilots],
            indices[:, unknown],
            paths.response() if sps == 1 and not self.timing_offset else None,
            variance,
            known=np.where(known, symbols, np.nan) if self.known_period else None,
            data=data,
        )

    def _module_pilots(self, seed):
        """Those that the module's frame source and programs send."""
        constellation = self.constellation().base()
        rows = [
            reservoir.random_pilots(constellation, self.pilots, seed + stream)
            for stream in range(self.streams)
        ]
        return nearest(np.array(self.constellation().points()), np.array(rows))

    def _shaped(self, symbols, late):
        """Pulses of unit mean power, on time with sample k * sps but for late, in symbols."""
        sps, reach = self.samples_per_symbol, PULSE_SPAN * self.samples_per_symbol
        places = np.arange(-reach, reach + 1) / sps - late
        pulse = root_raised_cosine(places, self.excess_bandwidth)
        impulses = np.zeros((len(symbols), symbols.shape[1] * sps), complex)
        impulses[:, ::sps] = symbols
        rows = [np.convolve(row, pulse)[reach:-reach] for row in impulses]
        return np.array(rows)


def root_raised_cosine(places, excess):
    """At places in symbols, of unit energy per symbol period (1 at its middle, nearly)."""
    t = np.where(np.abs(places) < 1e-9, 1e-9, places)
    t = np.where(np.abs(np.abs(4 * excess * t) - 1) < 1e-9, t * (1 + 1e-7), t)
    wave = np.sin(np.pi * t * (1 - excess))
    wave = wave + 4 * excess * t * np.cos(np.pi * t * (1 + excess))
    return wave / (np.pi * t * (1 - (4 * excess * t) ** 2))
