#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Bursts with known symbols inside, for the scripts and flowgraphs of this folder: waveforms, a
simulated link, recordings, and the receivers that people use today."""

import ctypes
import json
import math
import sys
import wave
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pmt
from gnuradio import blocks, digital, filter, gr, reservoir

CAMPAIGN = Path(__file__).resolve().parents[2] / "campaigns" / "known_symbols"
SPAN = 8  # symbols of a pulse on each side
AFTER = 24  # symbols whose samples a receiver gets behind the burst
GAP = 64  # symbols between simulated bursts


class Unusable(Exception):
    """What is wrong with a recording, as one sentence."""


@dataclass(frozen=True)
class Waveform:
    """A burst's symbols; values holds the known ones, NaN where a symbol is not known."""

    name: str
    constellation: digital.constellation
    values: np.ndarray
    symbol_rate: float
    sps: int  # samples per symbol that the receiver gets
    excess_bandwidth: float = (
        0.35  # root-raised-cosine; of the receive filter only, for GMSK
    )
    gmsk: bool = False
    tag_at: int = 0  # the symbol that a burst detector would mark

    @property
    def points(self):
        """Unit power; an index is its label."""
        points = np.array(self.constellation.points())
        return points / np.sqrt(np.mean(np.abs(points) ** 2))

    @property
    def known(self):
        return ~np.isnan(self.values)

    @property
    def num_unknown(self):
        return int(np.sum(~self.known))

    @property
    def pattern(self):
        return reservoir.known_symbols(self.values)

    @property
    def longest_run(self):
        """First symbol and end of the longest run of known symbols."""
        steps = np.diff(np.concatenate([[0], self.known, [0]]).astype(int))
        first, end = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
        longest = (end - first).argmax()
        return first[longest], end[longest]

    def random_bursts(self, count, rng):
        """Indices of all symbols, (count, symbols)."""
        indices = rng.integers(0, len(self.points), (count, len(self.values)))
        told = np.abs(self.values[self.known, None] - self.points).argmin(-1)
        indices[:, self.known] = told
        return indices


def mask(*lengths):
    """Runs of these lengths, known and unknown in turn, a known one first."""
    return np.repeat(np.arange(len(lengths)) % 2 == 0, lengths)


def random_values(points, known, seed=1):
    """A stand-in for a standard's known symbols: random points where known, NaN elsewhere."""
    drawn = np.random.default_rng(seed).choice(points, len(known))
    return np.where(known, drawn, np.nan).astype(np.complex64)


def unit_points(constellation):
    points = np.array(constellation.points())
    return points / np.sqrt(np.mean(np.abs(points) ** 2))


def serial_tone(blocks_of_data=62):
    """MIL-STD-188-110, 2400 bit/s: 144 known symbols, then 32 unknown and 16 known ones in turn."""
    constellation = digital.constellation_8psk()
    known = mask(144, *(32, 16) * blocks_of_data)
    values = random_values(unit_points(constellation), known)
    return Waveform("HF serial tone", constellation, values, 2400.0, 2)


GSM_TRAINING = "00100101110000100010010111"  # 3GPP TS 45.002, training sequence code 0


def gsm_normal_burst():
    """Three tail bits, 58 bits, midamble of 26, 58 bits, three tail bits; marked at the midamble."""
    values = np.full(148, np.nan, np.complex64)
    values[:3] = values[145:] = 1
    values[61:87] = [1 - 2 * int(bit) for bit in GSM_TRAINING]
    return Waveform(
        "GSM normal burst",
        digital.constellation_bpsk(),
        values,
        13e6 / 48,
        1,
        excess_bandwidth=0.3,
        gmsk=True,
        tag_at=61,
    )


def periodic_pilots(slots=5):
    """Like DVB-S2: 90 known symbols, then 36 pilots after every 1440 unknown ones; 8-PSK."""
    constellation = digital.constellation_8psk()
    known = mask(90, *(1440, 36) * slots)
    values = random_values(unit_points(constellation), known)
    return Waveform("periodic pilots", constellation, values, 1e6, 2, 0.25)


# A simulated link.


def receive_filter(waveform, sps):
    """Taps of unit energy, SPAN symbols of delay."""
    taps = filter.firdes.root_raised_cosine(
        1.0, sps, 1.0, waveform.excess_bandwidth, 2 * SPAN * sps + 1
    )
    return np.array(taps) / np.linalg.norm(taps)


def tag(offset, key):
    made = gr.tag_t()
    made.offset, made.key, made.value = int(offset), pmt.intern(key), pmt.PMT_T
    return made


def stream_of(waveform, bursts):
    """Symbols of bursts with gaps around them, and the symbol at which each begins."""
    count, length = bursts.shape
    padded = np.zeros((count, GAP + length), complex)
    padded[:, GAP:] = waveform.points[bursts]
    symbols = np.append(padded.ravel(), np.zeros(GAP))
    return symbols, GAP + (GAP + length) * np.arange(count)


GMSK_SPS, GMSK_BT, GMSK_LENGTH = 4, 0.3, 4
# symbols from the middle of a pulse of gmskmod_bc's back to the first sample of its symbol
GMSK_DELAY = 2


def gmsk_bits(symbols):
    """What gmskmod_bc gets so that, turned back by a quarter turn per symbol, `symbols` come.

    Its phase goes a quarter turn on or back with each bit. A gap sends ones.
    """
    signs = np.where(symbols.real < 0, -1, 1)
    return (signs * np.append(1, signs[:-1])).astype(np.int8)


def transmitter(waveform, symbols, tags):
    """Blocks that send the symbols, samples per symbol, and the delay in symbols of a symbol's
    middle, of the receive filter too."""
    if waveform.gmsk:
        source = blocks.vector_source_b(
            gmsk_bits(symbols).view(np.uint8).tolist(), False, 1, tags
        )
        modulator = digital.gmskmod_bc(GMSK_SPS, GMSK_LENGTH, GMSK_BT)
        return [source, modulator], GMSK_SPS, GMSK_DELAY + SPAN
    source = blocks.vector_source_c(symbols.tolist(), False, 1, tags)
    shaper = reservoir.pulse_shaper(waveform.sps, waveform.excess_bandwidth)
    return [source, shaper], waveform.sps, 2 * SPAN


def simulate(waveform, bursts, snr_db, channel, seed=1):
    """Samples behind the receive filter, from each burst's first symbol to AFTER symbols behind the
    last: (bursts, samples).

    bursts: indices, (bursts, symbols)
    snr_db: Es/N0
    channel: arguments of reservoir.software_channel
    """
    samples, starts = simulated_stream(waveform, bursts, snr_db, channel, seed)
    return cut(samples, starts, waveform)


def samples_per_symbol(waveform):
    """On the air."""
    return GMSK_SPS if waveform.gmsk else waveform.sps


def simulated_stream(waveform, bursts, snr_db, channel, seed=1, filtered=True):
    """As simulate, in one piece, with the samples at which the bursts begin.

    filtered: behind the receive filter; else in front of it
    """
    symbols, starts = stream_of(waveform, bursts)
    tags = [tag(start, "frame_start") for start in starts]
    sender, sps, delay = transmitter(waveform, symbols, tags)
    link = reservoir.software_channel(
        snr_db=snr_db - 10 * math.log10(sps), seed=seed, **channel
    )
    taps = receive_filter(waveform, sps)
    matched = filter.fir_filter_ccf(sps // waveform.sps, taps.tolist())
    sink, top = blocks.vector_sink_c(), gr.top_block()
    top.connect(*sender, link, *([matched] if filtered else []), sink)
    top.run()
    samples = np.array(sink.data())
    if not filtered:
        return samples, starts * sps
    late = 8 // (sps // waveform.sps) if "profile" in channel else 0
    samples /= np.sqrt(sps)  # unit power per symbol, as the known symbols have
    if waveform.gmsk:
        samples = turned_back(samples)
    return samples, (starts + delay) * waveform.sps + late


def turned_back(samples):
    """By a quarter turn per symbol: GMSK's symbols become real ones behind complex taps."""
    return samples * (-1j) ** (np.arange(len(samples)) % 4)


def cut(samples, starts, waveform):
    length = (len(waveform.values) + AFTER) * waveform.sps
    samples = np.append(samples, np.zeros(length))
    return np.array([samples[start : start + length] for start in starts], np.complex64)


# One's own recordings.


def read_recording(path, waveform, carrier=0.0):
    """Samples behind the receive filter, waveform.sps per symbol.

    path: a SigMF recording (cf32_le or ci16_le), or a WAV file of 16 bits: two channels are I and
        Q, one is a receiver's audio
    carrier: Hz, where the signal's middle lies
    """
    path = Path(path)
    try:
        if path.suffix == ".wav":
            samples, rate = read_wav(path)
        else:
            samples, rate = read_sigmf(path)
    except OSError as error:
        raise Unusable(f"cannot read {error.filename}: {error.strerror}") from error
    check_rate(path, rate, waveform)
    samples = samples * np.exp(-2j * np.pi * carrier / rate * np.arange(len(samples)))
    from scipy.signal import resample_poly

    wanted = Fraction(waveform.sps * waveform.symbol_rate / rate).limit_denominator(
        5000
    )
    samples = resample_poly(samples, wanted.numerator, wanted.denominator)
    if waveform.sps > 1:  # else the resampler was the filter
        samples = np.convolve(samples, receive_filter(waveform, waveform.sps), "same")
    return turned_back(samples) if waveform.gmsk else samples


def check_rate(path, rate, waveform):
    """Whatever a file has there."""
    low, high = waveform.symbol_rate / 2, 5000 * waveform.symbol_rate
    if type(rate) not in (int, float) or not low <= rate <= high:
        raise Unusable(
            f"{path}: the sample rate is {rate!r:.40}, and must be a number within "
            f"{low:g} ... {high:g}"
        )


def read_wav(path):
    try:
        with wave.open(str(path)) as file:
            channels, width, rate = (
                file.getnchannels(),
                file.getsampwidth(),
                file.getframerate(),
            )
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise Unusable(f"{path} is no WAV file: {error}") from error
    if width != 2 or channels not in (1, 2):
        raise Unusable(
            f"{path} has {channels} channels of {8 * width} bits, not 1 or 2 of 16"
        )
    values = np.frombuffer(data, "<i2").reshape(-1, channels) / 32768
    return (values[:, 0] + 1j * values[:, 1] if channels == 2 else values[:, 0]), rate


def write_wav(path, samples, rate):
    """I and Q as two channels of 16 bits, the largest at half of full scale."""
    scaled = samples * (0.5 / np.abs(samples).max())
    pairs = np.stack([scaled.real, scaled.imag], 1)
    with open(path, "wb") as opened, wave.open(opened, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(round(rate))
        file.writeframes(np.round(32767 * pairs).astype("<i2").tobytes())


def read_sigmf(path):
    base = str(path).removesuffix(".sigmf-meta").removesuffix(".sigmf-data")
    try:
        about = json.loads(Path(base + ".sigmf-meta").read_text())["global"]
        kind, rate = about["core:datatype"], about["core:sample_rate"]
    except (ValueError, KeyError, TypeError) as error:
        raise Unusable(f"{base}.sigmf-meta is no SigMF metadata") from error
    if kind == "cf32_le":
        return np.fromfile(base + ".sigmf-data", "<c8"), rate
    if kind == "ci16_le":
        pairs = np.fromfile(base + ".sigmf-data", "<i2").reshape(-1, 2) / 32768
        return pairs[:, 0] + 1j * pairs[:, 1], rate
    raise Unusable(f"{path} holds {kind}; this script reads cf32_le and ci16_le")


def find_bursts(samples, waveform, threshold=0.4):
    """Samples at which bursts begin: peaks of the correlation with the longest known run.

    threshold: of the share of the energy that a single path would explain. The carrier may be off by
    a quarter turn over the run.
    """
    first, end = waveform.longest_run
    template = np.zeros((end - first - 1) * waveform.sps + 1, complex)
    template[:: waveform.sps] = waveform.values[first:end]
    every = np.zeros(len(template))
    every[:: waveform.sps] = 1
    if len(samples) < len(template):
        return np.array([], int)
    found = np.abs(np.correlate(samples, template, "valid")) ** 2
    energy = np.correlate(np.abs(samples) ** 2, every, "valid")
    share = found / np.maximum(energy * (end - first), 1e-12)
    length = len(waveform.values) * waveform.sps
    starts = []
    while share.max() > threshold:
        peak = share.argmax()
        share[max(peak - length // 2, 0) : peak + length // 2] = 0
        starts.append(peak - first * waveform.sps)
    return np.array(sorted(start for start in starts if start >= 0), int)


# Receivers: each takes a waveform and samples (bursts, samples) and returns soft or decided symbols,
# (bursts, symbols), with NaN where it has none.


def two_real_streams(row):
    """Behind complex taps, real symbols come on I and Q as on two antennas."""
    return np.array([row.real, row.imag]).astype(np.complex64)


def of_reservoir(kind, **settings):
    """One of this module's detectors."""

    def receive(waveform, received):
        own = dict(settings, num_inputs=2 if waveform.gmsk else 1)
        if kind == "configured_esn":
            own["constellation"] = waveform.constellation.base()
        detector = getattr(reservoir, kind)(**own)
        return [
            detector.receive(
                two_real_streams(row) if waveform.gmsk else row,
                waveform.pattern,
                waveform.sps,
                waveform.num_unknown,
            )
            for row in received
        ]

    return receive


def lms(taps=12, delay=6, step=0.03, feedback=False):
    """GNU Radio's own equalizers with LMS: trained on the longest run of known symbols, then on their
    decisions. They know of no other known symbols, and give none before the run.

    taps, delay: symbols; with feedback so many decisions, but for two, come on top
    """

    def receive(waveform, received):
        first, end = waveform.longest_run
        sps, length = waveform.sps, len(waveform.values)
        # the delay is the user's business: the training tag comes so much later
        rows = np.pad(received, ((0, 0), (0, 2 * delay * sps)))
        starts = np.arange(len(rows)) * rows.shape[1] + (first + delay) * sps
        algorithm = digital.adaptive_algorithm_lms(
            waveform.constellation.base(), step
        ).base()
        trained = (True, waveform.values[first:end].tolist(), "training")
        if feedback:
            equalizer = digital.decision_feedback_equalizer(
                taps * sps, taps - 2, sps, algorithm, *trained
            )
        else:
            equalizer = digital.linear_equalizer(taps * sps, sps, algorithm, *trained)
        tags = [tag(start, "training") for start in starts]
        source = blocks.vector_source_c(rows.ravel().tolist(), False, 1, tags)
        sink, top = blocks.vector_sink_c(), gr.top_block()
        top.connect(source, equalizer, sink)
        top.run()
        per_row = rows.shape[1] // sps
        symbols = np.full(len(rows) * per_row, np.nan, complex)
        output = np.array(sink.data())[: len(symbols)]
        symbols[: len(output)] = output
        symbols = symbols.reshape(len(rows), per_row)[:, delay : delay + length]
        symbols[:, :first] = np.nan
        return symbols

    return receive


def liquid():
    """The library liquid-dsp, or None."""
    for name in ("libliquid.so.1", "libliquid.so"):
        try:
            return ctypes.CDLL(name)
        except OSError:
            pass
    return None


class Complex(ctypes.Structure):
    _fields_ = [("real", ctypes.c_float), ("imag", ctypes.c_float)]


def rls(taps=12, delay=6, forgetting=0.98):
    """liquid-dsp's recursive least squares, a linear filter: its reference is the known symbol, or else
    its own decision. It starts with the longest run of known symbols and gives none before.

    It gets one sample per symbol: with two, part of the band is empty, and in single precision the
    filter then diverges within 1000 symbols.
    """

    def receive(waveform, received):
        step_through = liquid_rls(taps, forgetting)
        first, _ = waveform.longest_run
        symbols = np.full((len(received), len(waveform.values)), np.nan, complex)
        for row, out in zip(received, symbols):
            on_time = np.append(row[:: waveform.sps], np.zeros(delay, row.dtype))
            late = on_time[max(first + delay - taps + 1, 0) :]
            skipped = first + delay - max(first + delay - taps + 1, 0)
            out[first:] = step_through(late, skipped, waveform, first)
        return symbols

    return receive


def liquid_rls(taps, forgetting):
    """A function of samples, how many of them come before the first that is on time, waveform and
    first symbol: the filter's output for this symbol and all behind it."""
    library = liquid()
    create, push, execute, step, destroy, set_forgetting = (
        getattr(library, f"eqrls_cccf_{verb}")
        for verb in ("create", "push", "execute", "step", "destroy", "set_bw")
    )
    create.restype = ctypes.c_void_p
    set_forgetting.argtypes = [ctypes.c_void_p, ctypes.c_float]
    push.argtypes = [ctypes.c_void_p, Complex]
    execute.argtypes = [ctypes.c_void_p, ctypes.POINTER(Complex)]
    step.argtypes = [ctypes.c_void_p, Complex, Complex]
    destroy.argtypes = [ctypes.c_void_p]

    def step_through(samples, skipped, waveform, first):
        equalizer, soft, output = create(None, taps), Complex(), []
        set_forgetting(equalizer, forgetting)
        for sample in samples[:skipped]:
            push(equalizer, Complex(sample.real, sample.imag))
        for n in range(first, len(waveform.values)):
            sample = samples[skipped + n - first]
            push(equalizer, Complex(sample.real, sample.imag))
            execute(equalizer, ctypes.byref(soft))
            output.append(complex(soft.real, soft.imag))
            wanted = waveform.values[n]
            if np.isnan(wanted):
                points = waveform.points
                wanted = points[np.abs(points - output[-1]).argmin()]
            step(equalizer, Complex(wanted.real, wanted.imag), soft)
        destroy(equalizer)
        return output

    return step_through


def ls_viterbi(waveform, received, num_taps=6):
    """Channel by least squares from the midamble, where it fits best, then the Viterbi algorithm from
    there to both ends of the burst."""
    first, end = waveform.longest_run
    values, points = waveform.values, waveform.points
    length, beginning = len(values), np.arange(-4, 3)
    decided = np.empty((len(received), length), complex)
    run = values[first:end].astype(complex)
    rows = np.arange(first + num_taps - 1, end)
    sent = np.array([run[n - first - np.arange(num_taps)] for n in rows])
    for row, out in zip(received, decided):
        fits = []
        for begin in beginning:
            taps, rest, *_ = np.linalg.lstsq(sent, row[rows + begin], rcond=None)
            fits.append((rest[0], begin, taps))
        _, begin, taps = min(fits, key=lambda fit: fit[0])
        taps = taps.astype(np.complex64)
        late = np.append(row, np.zeros(8, row.dtype))[max(begin, 0) :]
        late = np.append(np.zeros(max(-begin, 0), row.dtype), late)
        out[first:end] = run
        memory = num_taps - 1
        # forward to the end, and backwards in time, where the last tap comes first, to the beginning
        forward = late[end:length], length - end, taps, points, run[-memory:][::-1]
        early = late[memory : first + memory][::-1]
        backward = early, first, taps[::-1], points, run[:memory]
        out[end:] = points[reservoir.viterbi_equalizer(*forward)]
        out[:first] = points[reservoir.viterbi_equalizer(*backward)][::-1]
    return decided


def interpolated_dfe(waveform, received):
    """The equalizer of campaigns/known_symbols/baselines.py: the channel between blocks of known symbols by
    interpolation, then decision feedback computed from it."""
    sys.path.append(str(CAMPAIGN))
    import baselines

    stack = baselines.Stack(
        waveform.points,
        np.where(
            waveform.known,
            np.abs(waveform.values[:, None] - waveform.points).argmin(-1),
            0,
        )
        * np.ones((len(received), 1), int),
        waveform.known,
        received.reshape(len(received), -1, waveform.sps).astype(complex),
    )
    return waveform.points[baselines.interpolate_and_decide(stack, np.arange(-2, 9))]
