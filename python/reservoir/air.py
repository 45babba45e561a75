#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""An air interface in software: a channel and the faults of a cheap front end."""

import math

from gnuradio import analog, blocks, channels, filter, gr

from .checks import check_integer, check_range
from .link import software_channel

_PHASE_NOISE_POLE = 0.01  # of the filter that shapes the phase noise


class simulated_air(gr.hier_block2):
    """Fading, carrier offset and noise, followed by a receiver's clock, mixer and converter.

    The input has unit mean power. software_channel comes first, so that redraw_tag meets the samples
    that were sent; then, each only if asked for: a sampling clock that is off
    (filter.mmse_resampler_cc), phase noise (channels.phase_noise_gen: Gaussian, white up to 0.0016
    cycles/sample, always the same sequence), imbalance of I and Q as receivers have it
    (channels.iqbal_gen), a DC offset, and a converter that clips and rounds (channels.quantizer).
    The same seed gives the same output, up to rounding. After a clock that is off, tags are only
    near their sample.

    snr_db: signal over noise power in a sample, -100 ... 300
    power_delay_profile: mean powers of taps drawn at each redraw_tag; None: a direct path
    frequency_offset: cycles/sample, -0.5 ... 0.5
    clock_offset_ppm: the receiver's clock is faster by this, -1000 ... 1000
    phase_noise: rms in rad, 0 ... 1
    iq_amplitude_db: gain of I over Q, -10 ... 10
    iq_phase: degrees from quadrature, -45 ... 45
    dc_offset: complex, magnitude up to 10
    bits: of the converter, 1 ... 16; 0: none
    full_scale: of the converter's I and Q, above 0, at most 1000
    redraw_tag: of the taps; packet_encoder and frame_source send burst_start
    seed: of taps and noise, 0 ... 2**56
    """

    def __init__(
        self,
        snr_db=20.0,
        power_delay_profile=None,
        frequency_offset=0.0,
        clock_offset_ppm=0.0,
        phase_noise=0.0,
        iq_amplitude_db=0.0,
        iq_phase=0.0,
        dc_offset=0.0,
        bits=0,
        full_scale=4.0,
        redraw_tag="burst_start",
        seed=1,
    ):
        front_end = _front_end(
            clock_offset_ppm,
            phase_noise,
            iq_amplitude_db,
            iq_phase,
            dc_offset,
            bits,
            full_scale,
        )
        signature = gr.io_signature(1, 1, gr.sizeof_gr_complex)
        gr.hier_block2.__init__(self, "simulated_air", signature, signature)
        self._channel = software_channel(
            snr_db,
            power_delay_profile=power_delay_profile,
            frequency_offset=frequency_offset,
            redraw_tag=redraw_tag,
            seed=seed,
        )
        self.connect(self, self._channel, *front_end, self)

    def set_snr_db(self, snr_db):
        """Set the signal-to-noise ratio, -100 ... 300 dB."""
        self._channel.set_snr_db(snr_db)

    def set_frequency_offset(self, frequency_offset):
        """Set the carrier offset in cycles/sample, -0.5 ... 0.5; the phase goes on."""
        self._channel.set_frequency_offset(frequency_offset)


def _front_end(
    clock_offset_ppm,
    phase_noise,
    iq_amplitude_db,
    iq_phase,
    dc_offset,
    bits,
    full_scale,
):
    """The blocks of the faults that are asked for."""
    check_range("clock_offset_ppm", clock_offset_ppm, -1000.0, 1000.0)
    check_range("phase_noise", phase_noise, 0.0, 1.0)
    check_range("iq_amplitude_db", iq_amplitude_db, -10.0, 10.0)
    check_range("iq_phase", iq_phase, -45.0, 45.0)
    check_range("dc_offset magnitude", abs(dc_offset), 0.0, 10.0)
    bits = check_integer("bits", bits, 0, 16)
    if not 0 < full_scale <= 1000:
        raise ValueError(f"full_scale = {full_scale}: must be above 0, at most 1000")
    chain = []
    if clock_offset_ppm:
        ratio = 1.0 / (1.0 + 1e-6 * clock_offset_ppm)
        chain.append(filter.mmse_resampler_cc(0.0, ratio))
    if phase_noise:
        pole = _PHASE_NOISE_POLE
        driving = phase_noise * math.sqrt((2.0 - pole) / pole)
        chain.append(channels.phase_noise_gen(driving, pole))
    if iq_amplitude_db or iq_phase:
        chain.append(channels.iqbal_gen(iq_amplitude_db, iq_phase, 1))
    if dc_offset:
        chain.append(blocks.add_const_cc(complex(dc_offset)))
    if bits:
        chain.append(_converter(bits, full_scale))
    return chain


class _converter(gr.hier_block2):
    """I and Q clipped at full_scale and rounded to 2**bits steps."""

    def __init__(self, bits, full_scale):
        signature = gr.io_signature(1, 1, gr.sizeof_gr_complex)
        gr.hier_block2.__init__(self, "converter", signature, signature)
        parts = blocks.complex_to_float()
        whole = blocks.float_to_complex()
        self.connect(self, blocks.multiply_const_cc(1.0 / full_scale), parts)
        highest = 1.0 - 2.0 ** (1 - bits) if bits > 1 else 1.0
        for port in (0, 1):
            rail = analog.rail_ff(-1.0, highest)
            self.connect((parts, port), rail, channels.quantizer(bits), (whole, port))
        self.connect(whole, blocks.multiply_const_cc(full_scale), self)
