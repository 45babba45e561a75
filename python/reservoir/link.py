#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The link around a receiver: channel profiles and a software channel."""

import math

import numpy as np

from gnuradio import analog, blocks, filter, gr

from .checks import check_integer, check_range
from .reservoir_python import block_fading_cc, power_amplifier_cc

SPEED_OF_LIGHT = 299792458.0  # m/s
# Two paths of equal power, delay in seconds and two-sigma Doppler spread in Hz:
# CCIR Recommendation 520-1 (1986).
_IONOSPHERES = {
    "ccir_good": (0.5e-3, 0.1),
    "ccir_moderate": (1e-3, 0.5),
    "ccir_poor": (2e-3, 1.0),
}
# Delays in microseconds, powers in dB, speed in km/h at 900 MHz: COST 207 (1989) in six paths, as
# 3GPP TS 45.005, annex C.3, has them.
_MOBILE = {
    "cost207_tu50": ((0, 0.2, 0.5, 1.6, 2.3, 5.0), (-3, 0, -2, -6, -8, -10), 50),
    "cost207_ht100": (
        (0, 0.1, 0.3, 0.5, 15.0, 17.2),
        (0, -1.5, -4.5, -7.5, -8.0, -17.7),
        100,
    ),
}
NAMED_CHANNELS = (*_IONOSPHERES, *_MOBILE)

_AMPLIFIERS = ("linear", "rapp", "saleh", "memory_polynomial")


def exponential_profile(num_taps, decay):
    """Mean powers exp(-l/decay) of taps l = 0 ... num_taps-1, scaled to sum 1.

    num_taps: 1 ... 1024
    decay: taps after which the power has fallen by 1/e, above 0
    """
    num_taps = check_integer("num_taps", num_taps, 1, 1024)
    if not 0 < decay < math.inf:
        raise ValueError(f"decay = {decay}: must be finite and above 0")
    powers = np.exp(-np.arange(num_taps) / decay)
    return powers / powers.sum()


def named_channel(profile, sample_rate):
    """The paths of a channel that people compare receivers on: keyword arguments of
    block_fading_cc and software_channel.

    ccir_good, ccir_moderate, ccir_poor: shortwave (Watterson, Juroshek and Bensema, 1970, with
    CCIR Recommendation 520-1): two paths of equal mean power and Gaussian Doppler spectrum;
    0.5 ms and 0.1 Hz, 1 ms and 0.5 Hz, 2 ms and 1 Hz (two standard deviations)
    cost207_tu50, cost207_ht100: mobile radio at 900 MHz (COST 207, 1989): six paths, in a town at
    50 km/h, in hills at 100 km/h; each with waves from all sides

    The powers are means over frames: normalize is False, and a frame may lie in a fade.

    profile: one of reservoir.link.NAMED_CHANNELS
    sample_rate: samples per second, above 0; the paths are right up to 0.35 of it
    """
    if profile not in NAMED_CHANNELS:
        raise ValueError(f"profile = {profile!r}: must be one of {NAMED_CHANNELS}")
    if not 0 < sample_rate < math.inf:
        raise ValueError(f"sample_rate = {sample_rate}: must be finite and above 0")
    if profile in _IONOSPHERES:
        delay, spread = _IONOSPHERES[profile]
        delays, powers = np.array([0, delay]), np.ones(2)
        doppler, spectrum = spread, "gaussian"
    else:
        microseconds, powers_db, speed = _MOBILE[profile]
        delays, powers = 1e-6 * np.array(microseconds), 10 ** (np.array(powers_db) / 10)
        doppler, spectrum = speed / 3.6 * 900e6 / SPEED_OF_LIGHT, "clarke"
    return dict(
        power_delay_profile=powers / powers.sum(),
        path_delays=delays * sample_rate,
        doppler=doppler / sample_rate,
        doppler_spectrum=spectrum,
        normalize=False,
    )


class pulse_shaper(gr.hier_block2):
    """Symbols to samples: root-raised-cosine pulses, of mean power 1 where the symbols have it.

    A symbol's instant is 8 * sps samples after the first sample that it gives; tags are on that
    first sample. Bursts rise and fall with their pulses: make gaps 16 symbols or longer.

    sps: samples per symbol, 2 ... 64
    excess_bandwidth: above 0, at most 1
    """

    SPAN = 8  # symbols on each side

    def __init__(self, sps=2, excess_bandwidth=0.25):
        sps = check_integer("sps", sps, 2, 64)
        if not 0 < excess_bandwidth <= 1:
            raise ValueError(
                f"excess_bandwidth = {excess_bandwidth}: must be above 0, at most 1"
            )
        signature = gr.io_signature(1, 1, gr.sizeof_gr_complex)
        gr.hier_block2.__init__(self, "pulse_shaper", signature, signature)
        taps = np.array(
            filter.firdes.root_raised_cosine(
                1.0, sps, 1.0, excess_bandwidth, 2 * self.SPAN * sps + 1
            )
        )
        taps *= math.sqrt(sps) / np.linalg.norm(taps)
        self.connect(self, filter.interp_fir_filter_ccf(sps, taps), self)


def _listed(values):
    return [] if values is None else list(values)


def _check_left_alone(profile, taps, given):
    for name, value, default in (
        ("power_delay_profile", given["power_delay_profile"], []),
        ("taps", _listed(taps), []),
        ("path_delays", list(given["path_delays"]), []),
        ("doppler", given["doppler"], 0.0),
        ("doppler_spectrum", given["doppler_spectrum"], "clarke"),
    ):
        if value != default:
            raise ValueError(
                f"{name} = {value}: must be left at {default!r} where profile = "
                f"{profile!r} gives it"
            )


def _paths(antennas, named, taps, **given):
    """Those arguments of block_fading_cc that say what the paths are.

    antennas: num_rx, num_tx; named: profile, sample_rate
    """
    (num_rx, num_tx), (profile, sample_rate) = antennas, named
    if profile:
        _check_left_alone(profile, taps, given)
        given = named_channel(profile, sample_rate)
    if not len(given["power_delay_profile"]) and (taps is None or np.size(taps) == 0):
        if num_tx != num_rx:
            raise ValueError(
                f"taps = {taps}: must be given, or power_delay_profile, where "
                f"num_rx = {num_rx} is not num_tx = {num_tx}"
            )
        taps = np.eye(num_rx)[:, :, np.newaxis]
    return dict(given, taps=taps)


class software_channel(gr.hier_block2):
    """Power amplifier, block-fading channel, carrier offset and noise, one after the other.

    The input has unit mean power on each of num_tx inputs. Each input's amplifier is followed by a
    constant gain that brings its mean output power back to 1, computed when the block is made or
    set_input_backoff_db is called and not measured. The noise on each of num_rx outputs is
    complex Gaussian of power 10**(-snr_db/10). So snr_db is the received signal-to-noise ratio
    from each input wherever its impulse response has unit energy, as those drawn with normalize
    have; with taps of energy E the ratio is E times as large. Gaps between frames do not lower it.

    The same seed gives the same output, whatever the scheduler's buffer sizes. All tags pass, and
    block_fading_cc adds its tag "channel".

    snr_db: -100 ... 300
    power_delay_profile: mean powers of taps that are drawn for each frame; or
    taps: fixed taps, (L,) or (num_rx, num_tx, L); or
    profile: name of a channel that named_channel has, at so many samples per second: sample_rate
    none of them: num_rx = num_tx direct paths of gain 1
    amplifier: model of power_amplifier_cc
    input_backoff_db: of the amplifier, -60 ... 100
    frequency_offset: cycles/sample, -0.5 ... 0.5
    seed: of taps and noise, 0 ... 2**56
    redraw_tag, frame_len, doppler, doppler_spectrum, path_delays, normalize, num_tx, num_rx: as
    block_fading_cc; with profile, doppler, doppler_spectrum and path_delays must be left alone, and
    normalize has no part. With path delays everything, tags too, comes 8 samples later
    smoothness, saleh, coefficients: as power_amplifier_cc
    constellation: what is sent, for the amplifier's mean output power; None: a Gaussian signal
    """

    def __init__(
        self,
        snr_db=20.0,
        power_delay_profile=None,
        taps=None,
        amplifier="linear",
        input_backoff_db=3.0,
        frequency_offset=0.0,
        seed=1,
        redraw_tag="frame_start",
        doppler=0.0,
        frame_len=0,
        normalize=True,
        num_tx=1,
        num_rx=1,
        smoothness=2.0,
        saleh=(2.1587, 1.1517, 4.0033, 9.1040),
        coefficients=None,
        constellation=None,
        doppler_spectrum="clarke",
        path_delays=(),
        profile="",
        sample_rate=1.0,
    ):
        num_tx = check_integer("num_tx", num_tx, 1, 16)
        num_rx = check_integer("num_rx", num_rx, 1, 16)
        check_range("snr_db", snr_db, -100.0, 300.0)
        seed = check_integer("seed", seed, 0, 2**56)
        if amplifier not in _AMPLIFIERS:
            raise ValueError(f"amplifier = {amplifier!r}: must be one of {_AMPLIFIERS}")
        gr.hier_block2.__init__(
            self,
            "software_channel",
            gr.io_signature(num_tx, num_tx, gr.sizeof_gr_complex),
            gr.io_signature(num_rx, num_rx, gr.sizeof_gr_complex),
        )
        paths = _paths(
            (num_rx, num_tx),
            (profile, sample_rate),
            taps,
            power_delay_profile=_listed(power_delay_profile),
            path_delays=path_delays,
            doppler=doppler,
            doppler_spectrum=doppler_spectrum,
            normalize=normalize,
        )
        self._points = [] if constellation is None else constellation.points()
        if coefficients is None:
            coefficients = power_amplifier_cc.default_coefficients()
        model = amplifier, input_backoff_db, smoothness, saleh, coefficients
        self._amplifiers = [power_amplifier_cc(*model) for _ in range(num_tx)]
        self._fading = block_fading_cc(
            num_tx=num_tx,
            num_rx=num_rx,
            redraw_tag=redraw_tag,
            frame_len=frame_len,
            seed=seed,
            frequency_offset=frequency_offset,
            **paths,
        )
        # seed 0 would take the time
        self._noise = [
            analog.noise_source_c(analog.GR_GAUSSIAN, 0.0, 16 * seed + 1 + rx)
            for rx in range(num_rx)
        ]
        self._wire()
        self.set_snr_db(snr_db)
        self.set_input_backoff_db(input_backoff_db)

    def _wire(self):
        for tx, power_amplifier in enumerate(self._amplifiers):
            self.connect((self, tx), power_amplifier, (self._fading, tx))
        for rx, noise in enumerate(self._noise):
            adder = blocks.add_cc()
            self.connect((self._fading, rx), (adder, 0))
            self.connect(noise, (adder, 1))
            self.connect(adder, (self, rx))

    def set_snr_db(self, snr_db):
        """Set the signal-to-noise ratio, -100 ... 300 dB."""
        check_range("snr_db", snr_db, -100.0, 300.0)
        for noise in self._noise:
            noise.set_amplitude(10.0 ** (-snr_db / 20.0))

    def set_frequency_offset(self, frequency_offset):
        """Set the carrier offset in cycles/sample, -0.5 ... 0.5; the phase goes on."""
        self._fading.set_frequency_offset(frequency_offset)

    def set_input_backoff_db(self, input_backoff_db):
        """Set the amplifiers' back-off, -60 ... 100 dB, and the gain after them."""
        for amplifier in self._amplifiers:
            power = amplifier.mean_output_power(input_backoff_db, self._points)
            amplifier.set_operating_point(input_backoff_db, 1.0 / math.sqrt(power))

    def set_taps(self, taps):
        """Fix the channel's taps from now on, (L,) or (num_rx, num_tx, L)."""
        self._fading.set_taps(taps)

    def set_power_delay_profile(self, power_delay_profile):
        """Draw taps, or paths as many as before, of this profile from the next frame on."""
        self._fading.set_power_delay_profile(power_delay_profile)

    def taps(self):
        """The taps at the first sample of the current frame, (num_rx, num_tx, L)."""
        return self._fading.taps()
