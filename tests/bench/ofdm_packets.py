#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Packets that arrive from digital.ofdm_tx, by digital.ofdm_rx and by reservoir.ofdm_rx.

The samples are the same for both. Prints one line per channel; exit code 1 where a bar is missed:
ours must deliver `bar` times what digital.ofdm_rx does.
"""

import argparse
import sys
from dataclasses import dataclass

import numpy as np

from gnuradio import blocks, digital, gr, reservoir

PAYLOAD_BYTES = 96
GAP = 400  # samples between packets
TAG = "packet_length"


@dataclass(frozen=True)
class Channel:
    """profile: mean powers of the taps; fixed: constant amplitudes with random phases, otherwise
    Rayleigh; doppler in cycles per sample; phase_noise in rad per square root of a sample, as a
    random walk; bar: packets that must arrive, per packet by digital.ofdm_rx."""

    name: str
    snr_db: float
    profile: tuple = (1.0,)
    fixed: bool = True
    doppler: float = 0.0
    phase_noise: float = 0.0
    bar: float = 1.0


SIX = tuple(np.exp(-np.arange(6) / 2))
CHANNELS = (
    Channel("AWGN, 20 dB", 20),
    Channel("AWGN, 15 dB", 15),
    Channel("AWGN, 12 dB", 12),
    Channel("mild, 20 dB", 20, (1.0, 0.2, 0.1)),
    Channel("6 taps, Rayleigh, 25 dB", 25, SIX, fixed=False, bar=1.15),
    Channel("phase noise 0.02 rad, 25 dB", 25, phase_noise=0.02, bar=1.15),
    Channel("6 taps, Doppler 1e-4, 25 dB", 25, SIX, fixed=False, doppler=1e-4),
)


def payloads(count, seed):
    rng = np.random.default_rng((seed, 1))
    return rng.integers(0, 256, (count, PAYLOAD_BYTES), dtype=np.uint8)


def sent_samples(packets, **settings):
    """A row per packet, of unit mean power; settings are digital.ofdm_tx's."""
    top = gr.top_block()
    source = blocks.vector_source_b(packets.ravel().tolist())
    tagged = blocks.stream_to_tagged_stream(gr.sizeof_char, 1, packets.shape[1], TAG)
    sink = blocks.vector_sink_c()
    transmitter = digital.ofdm_tx(packet_length_tag_key=TAG, **settings)
    top.connect(source, tagged, transmitter, sink)
    top.run()
    samples = np.array(sink.data()).reshape(len(packets), -1)
    return samples / np.sqrt(np.mean(np.abs(samples) ** 2))


def gaussian(rng, *shape):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)


def tap_gains(channel, length, rng):
    """(taps, length); of mean power 1 in all."""
    powers = np.array(channel.profile) / np.sum(channel.profile)
    if channel.doppler:  # Clarke's spectrum, as a sum of waves
        waves = 24
        angles = rng.uniform(0, 2 * np.pi, (len(powers), waves, 1))
        turns = channel.doppler * np.cos(angles) * np.arange(length)
        gains = gaussian(rng, len(powers), waves, 1) * np.exp(2j * np.pi * turns)
        gains = gains.sum(1) / np.sqrt(waves)
    elif channel.fixed:
        gains = np.exp(2j * np.pi * rng.uniform(size=(len(powers), 1)))
        gains = np.repeat(gains, length, 1)
    else:
        gains = np.repeat(gaussian(rng, len(powers), 1), length, 1)
    return np.sqrt(powers)[:, None] * gains


def received_samples(sent, channel, seed):
    rng = np.random.default_rng((seed, 2))
    pieces = []
    for packet in sent:
        samples = np.concatenate([np.zeros(GAP), packet, np.zeros(32)])
        out = np.zeros(len(samples), complex)
        for delay, gains in enumerate(tap_gains(channel, len(samples), rng)):
            out[delay:] += (gains * samples)[: len(samples) - delay]
        if channel.phase_noise:
            steps = channel.phase_noise * rng.standard_normal(len(out))
            out *= np.exp(1j * np.cumsum(steps))
        pieces.append(out)
    samples = np.concatenate([*pieces, np.zeros(2000)])
    return samples + 10 ** (-channel.snr_db / 20) * gaussian(rng, len(samples))


def delivered(receiver, samples, packets):
    """How many of the packets come out."""
    top = gr.top_block()
    sink = blocks.tsb_vector_sink_b(tsb_key=TAG)
    top.connect(blocks.vector_source_c(samples.tolist()), receiver, sink)
    top.run()
    arrived = {bytes(packet) for packet in sink.data()}
    return sum(packet.tobytes() in arrived for packet in packets)


def simpledfe(bits, symbols_skipped):
    """As digital.ofdm_rx has it."""
    points = (digital.constellation_bpsk, digital.constellation_qpsk)[bits - 1]()
    sent = digital.ofdm_tx()
    carriers = sent.occupied_carriers, sent.pilot_carriers, sent.pilot_symbols
    return digital.ofdm_equalizer_simpledfe(
        sent.fft_len,
        points.base(),
        *carriers,
        symbols_skipped=symbols_skipped,
        alpha=0.1,
    )


def compare(channel, count, bits, seed, sync_threshold=None, **settings):
    """Packets by digital.ofdm_rx, and by reservoir.ofdm_rx; with a threshold the first is our
    receiver with GNU Radio's equalizers."""
    packets = payloads(count, seed)
    samples = received_samples(sent_samples(packets, bps_payload=bits), channel, seed)
    options = dict(bps_payload=bits, packet_length_tag_key=TAG)
    if sync_threshold is None:
        receiver = digital.ofdm_rx(**options)
    else:
        settings["sync_threshold"] = sync_threshold
        receiver = reservoir.ofdm_rx(
            **options,
            sync_threshold=sync_threshold,
            header_equalizer=simpledfe(1, 0),
            payload_equalizer=simpledfe(bits, 1),
        )
    stock = delivered(receiver, samples, packets)
    ours = delivered(reservoir.ofdm_rx(**options, **settings), samples, packets)
    return stock, ours


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packets", type=int, default=150)
    parser.add_argument(
        "--bits", type=int, default=2, choices=(1, 2), help="bars are for 2"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threshold", type=float, help="sync's, of both receivers")
    parser.add_argument("--only", default="", help="channels with this in their name")
    arguments = parser.parse_args()
    gr.logging().set_default_level(gr.log_levels.warn)  # lost headers are no news
    missed = False
    for channel in CHANNELS:
        if arguments.only not in channel.name:
            continue
        stock, ours = compare(
            channel,
            arguments.packets,
            arguments.bits,
            arguments.seed,
            sync_threshold=arguments.threshold,
        )
        met = ours >= channel.bar * stock
        missed |= not met
        print(
            f"{channel.name:30} GNU Radio's {stock:4}   ours {ours:4}"
            f"   of {arguments.packets}   bar {channel.bar:.2f} x: "
            f"{'met' if met else 'missed'}",
            flush=True,
        )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
