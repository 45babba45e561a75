#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""What the soft output is worth: bits of information, and the scale that would be best.

    soft_bits.py [--snr 7 9] [--frames 1000] [--seed 201] [--fading] [--constellation qpsk] [--jobs 1]

A frame is 64 pilots, 512 symbols of payload and 48 of another packet, through six Rayleigh taps of
powers exp(-l/2), scaled to unit energy in every frame (--fading: on average), with noise at the Es/N0
given. Packets behind a decoder are in campaigns/coded.toml.

Of the bits' log-likelihood ratios L, the sent bit being s = +-1, an exact L bears
mean(1 - log2(1 + exp(-s L))) bits per bit; and the scale that would bear most is 1. Lines:

    decided   configured_esn, hard decisions
    symbols   its symbols and noise variance, as digital.constellation would demap them
    soft      its soft output
    fir       that of the FIR filter
"""

import argparse
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from gnuradio.reservoir.campaign.links import SingleCarrier
from gnuradio.reservoir.campaign.receivers import KINDS
from gnuradio.reservoir.modulations import CONSTELLATIONS, nearest

SCALES = np.geomspace(0.1, 4, 75)


def bits_of(link, labels):
    """0 or 1, (symbols, bits), the most significant first."""
    count = int(np.log2(len(link.points())))
    return labels[:, None] >> np.arange(count)[::-1] & 1


def demap(link, symbols, variance):
    """Exact ratios in white noise."""
    points = link.points()
    likelihoods = -np.abs(symbols[:, None] - points) ** 2 / variance
    ones = bits_of(link, np.arange(len(points))).astype(bool)
    of = lambda mask: np.logaddexp.reduce(likelihoods[:, mask], axis=1)
    return np.stack([of(one) - of(~one) for one in ones.T], 1)


def receive(link, seed, number):
    """By line: ratios that are positive where they are right."""
    frame = link.make_frame(seed, number)
    configured = KINDS["configured_esn"](link)
    symbols, soft = (of_streams[0] for of_streams in configured.soft(frame))
    variance = configured.report().noise_variance
    fir = KINDS["fir"](link).soft(frame)[1][0]
    ratios = {
        "decided": 2.0 * bits_of(link, nearest(link.points(), symbols)) - 1,
        "symbols": demap(link, symbols, variance),
        "soft": soft,
        "fir": fir,
    }
    signs = 2 * bits_of(link, frame.payload[0]) - 1
    return {name: (signs * these).ravel() for name, these in ratios.items()}


def information(signed, scale=1.0):
    """Bits per bit that ratios bear which are positive where they are right."""
    return 1 - np.logaddexp(0, -scale * signed).mean() / np.log(2)


def run(link, seed, numbers):
    return [receive(link, seed, number) for number in numbers]


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
    pieces = [range(k, options.frames, options.jobs) for k in range(options.jobs)]
    for snr_db in options.snr:
        link = SingleCarrier(
            modulation=options.constellation,
            snr_db=snr_db,
            normalize=not options.fading,
        )
        with ProcessPoolExecutor(options.jobs) as pool:
            jobs = [pool.submit(run, link, options.seed, piece) for piece in pieces]
            found = [frame for job in jobs for frame in job.result()]
        print(f"{options.constellation}, {snr_db:g} dB, {options.frames} frames")
        print("         bits/bit  scale  at best  wrong bits")
        for name in found[0]:
            signed = np.concatenate([frame[name] for frame in found])
            by_scale = [information(signed, scale) for scale in SCALES]
            print(
                f"{name:8} {information(signed):8.3f} {SCALES[np.argmax(by_scale)]:6.2f} "
                f"{max(by_scale):8.3f} {np.mean(signed < 0):11.5f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
