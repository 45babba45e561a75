#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What the soft output is worth: bits of information, scale, packets behind GNU Radio's decoder.

    soft_bits.py [--snr 7 9] [--frames 1000] [--seed 201] [--fading] [--constellation qpsk] [--jobs 1]

A frame is 64 pilots, 512 symbols of payload and 48 of another packet, through six Rayleigh taps of
powers exp(-l/2), scaled to unit energy in every frame (--fading: on average), with noise at the Es/N0
given. The payload is a packet of packet_format with its code of rate 1/2, K = 7.

Of the bits' log-likelihood ratios L, the sent bit being s = +-1, an exact L bears
mean(1 - log2(1 + exp(-s L))) bits per bit; and the scale that would bear most is 1. Lines:

    decided   configured_esn, hard decisions
    symbols   its symbols and noise variance, as digital.constellation would demap them
    soft      its soft output
    fir       that of the FIR filter
"""

import argparse
import math
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from gnuradio import blocks, digital, fec, gr, reservoir

PILOTS, PAYLOAD, BEHIND = 64, 512, 48
POWERS = np.exp(-np.arange(6) / 2)
CONSTELLATIONS = {
    "bpsk": digital.constellation_bpsk,
    "qpsk": digital.constellation_qpsk,
    "8psk": digital.constellation_8psk,
    "16qam": digital.constellation_16qam,
}
SCALES = np.geomspace(0.1, 4, 75)


class Format:
    """A packet_format's bits: those of a symbol, and where they are among the coded ones."""

    def __init__(self, name):
        self.constellation = CONSTELLATIONS[name]().base()
        self.packets = reservoir.packet_format(self.constellation, PAYLOAD, "cc")
        self.points = np.array(self.packets.points, np.complex64)  # by label
        self.bits = int(math.log2(len(self.points)))
        count = PAYLOAD * self.bits
        stride = int(math.sqrt(count)) | 1
        while math.gcd(stride, count) > 1:
            stride += 2 - count % 2
        self.order = np.arange(count) * stride % count
        self.num_info = 8 * (self.packets.capacity + 8)
        self.num_coded = 2 * (self.num_info + 6)

    def bits_of(self, symbols):
        """0 or 1, (symbols, bits), the most significant first."""
        labels = np.argmin(abs(symbols[:, None] - self.points), 1)
        return labels[:, None] >> np.arange(self.bits)[::-1] & 1

    def coded(self, llrs):
        """Ratios in the order of the code."""
        ordered = np.empty(llrs.size, np.float32)
        ordered[self.order] = llrs.ravel()
        return ordered[: self.num_coded]

    def demap(self, symbols, variance):
        """Exact ratios in white noise."""
        likelihoods = -abs(symbols[:, None] - self.points) ** 2 / variance
        one = self.bits_of(self.points).astype(bool)
        lse = lambda mask: np.logaddexp.reduce(likelihoods[:, mask], axis=1)
        return np.stack([lse(one[:, b]) - lse(~one[:, b]) for b in range(self.bits)], 1)


def decode(form, ratios):
    """GNU Radio's decoder on (frames, num_coded) ratios: (frames, num_info) bits."""
    code = fec.cc_decoder.make(form.num_info, 7, 2, [79, 109], 0, -1, fec.CC_TERMINATED)
    # what fec.extended_decoder does, at a scale that fills its eight bits
    soft = np.clip(np.rint(127.5 + 16 * ratios), 0, 255).astype(np.uint8)
    graph = gr.top_block()
    source = blocks.vector_source_b(soft.ravel().tolist())
    sink = blocks.vector_sink_b()
    graph.connect(source, fec.decoder(code, gr.sizeof_char, gr.sizeof_char), sink)
    graph.run()
    return np.array(sink.data(), np.uint8).reshape(len(ratios), form.num_info)


def make_frame(form, snr_db, seed, number, fading=False):
    rng = np.random.default_rng([seed, number])
    pilots = form.points[rng.integers(0, len(form.points), PILOTS)]
    data = rng.integers(0, 256, form.packets.capacity, np.uint8).tobytes()
    payload = np.array(form.packets.encode(data, number % 65536), np.complex64)
    behind = form.points[rng.integers(0, len(form.points), BEHIND)]
    gaussian = lambda count: (
        rng.standard_normal(count) + 1j * rng.standard_normal(count)
    ) / np.sqrt(2)
    taps = np.sqrt(POWERS) * gaussian(6)
    taps /= np.sqrt(POWERS.sum()) if fading else np.linalg.norm(taps)
    sent = np.concatenate([pilots, payload, behind])
    received = np.convolve(sent, taps)[: len(sent)]
    received = received + 10 ** (-snr_db / 20) * gaussian(len(sent))
    return pilots, payload, received.astype(np.complex64)


def receive(form, snr_db, seed, number, fading):
    """Payload bits, and ratios by line."""
    pilots, payload, received = make_frame(form, snr_db, seed, number, fading)
    frame = dict(payload_len=PAYLOAD, soft=True)
    configured = reservoir.configured_esn(form.constellation)
    symbols, llrs = configured.receive(received, pilots, **frame)
    symbols, llrs = symbols[PILOTS:], llrs[PILOTS:]
    variance = configured.report().noise_variance
    linear = reservoir.fir()
    _, of_fir = linear.receive(
        received, pilots, constellation=form.constellation, **frame
    )
    return form.bits_of(payload), {
        "decided": 2.0 * form.bits_of(symbols) - 1,
        "symbols": form.demap(symbols, variance),
        "soft": llrs,
        "fir": of_fir[PILOTS:],
    }


def information(signed, scale=1.0):
    """Bits per bit that ratios bear which are positive where they are right."""
    return 1 - np.logaddexp(0, -scale * signed).mean() / np.log(2)


def measure(form, found):
    """By line: bits per bit as given, best scale, bits at that, packet error rate."""
    bits = [sent for sent, _ in found]
    sent = decode(form, np.array([form.coded(8.0 * b - 4) for b in bits]))
    lines = {}
    for name in found[0][1]:
        ratios = [ratios[name] for _, ratios in found]
        signed = np.concatenate(
            [((2 * b - 1) * r).ravel() for b, r in zip(bits, ratios)]
        )
        by_scale = [information(signed, scale) for scale in SCALES]
        strength = 1.0 if name != "symbols" else 0.4
        decoded = decode(form, np.array([form.coded(strength * r) for r in ratios]))
        lines[name] = {
            "bits": information(signed),
            "best_scale": SCALES[np.argmax(by_scale)],
            "best_bits": max(by_scale),
            "wrong_bits": np.mean(signed < 0),
            "packets_lost": np.mean((decoded != sent).any(1)),
        }
    return lines


def run(name, snr_db, seed, fading, numbers):
    form = Format(name)
    return [receive(form, snr_db, seed, number, fading) for number in numbers]


def main():
    about, *_ = __doc__.partition("\n")
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--snr", type=float, nargs="+", default=[7, 9], metavar="DB")
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=201)
    parser.add_argument("--fading", action="store_true")
    parser.add_argument("--constellation", choices=CONSTELLATIONS, default="qpsk")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    form = Format(options.constellation)
    for snr_db in options.snr:
        pieces = [range(k, options.frames, options.jobs) for k in range(options.jobs)]
        with ProcessPoolExecutor(options.jobs) as pool:
            jobs = [
                pool.submit(
                    run,
                    options.constellation,
                    snr_db,
                    options.seed,
                    options.fading,
                    piece,
                )
                for piece in pieces
            ]
            found = [frame for job in jobs for frame in job.result()]
        print(f"{options.constellation}, {snr_db:g} dB, {options.frames} frames")
        print("         bits/bit  scale  at best  wrong bits  packets lost")
        for line, figures in measure(form, found).items():
            print(
                f"{line:8} {figures['bits']:8.3f} {figures['best_scale']:6.2f} "
                f"{figures['best_bits']:8.3f} {figures['wrong_bits']:11.5f} "
                f"{figures['packets_lost']:13.4f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
