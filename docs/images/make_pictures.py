#!/usr/bin/python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Draws the README's picture: QPSK before and after the ESN Equalizer, as SVG."""

import argparse
from pathlib import Path

import matplotlib
import numpy as np

from gnuradio import blocks, digital, gr, reservoir

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402  (after the backend is chosen)

NUM_PILOTS = 64
NUM_POINTS = 200
SNR_DB = 20.0


def one_frame():
    """Payload symbols of one frame as received, and as equalized."""
    qpsk = digital.constellation_qpsk().base()
    pilots = reservoir.random_pilots(qpsk, NUM_PILOTS)
    source = reservoir.frame_source(qpsk, pilots, payload_len=NUM_POINTS, num_frames=1)
    channel = reservoir.software_channel(
        SNR_DB, power_delay_profile=reservoir.exponential_profile(6, 2.0), seed=4
    )
    equalizer = reservoir.equalizer(reservoir.esn(), training_sequence=pilots)
    received, equalized = blocks.vector_sink_c(), blocks.vector_sink_c()
    flowgraph = gr.top_block("One frame")
    flowgraph.connect(source, channel, equalizer, equalized)
    flowgraph.connect(channel, received)
    flowgraph.run()
    payload = slice(NUM_PILOTS, NUM_PILOTS + NUM_POINTS)
    return np.array(received.data())[payload], np.array(equalized.data())[payload]


def draw(path):
    matplotlib.rcParams.update(
        {"svg.hashsalt": "gr-reservoir", "svg.fonttype": "none", "font.size": 11}
    )
    figure, axes = pyplot.subplots(1, 2, figsize=(7.2, 3.7), layout="constrained")
    titles = ("Received: 6-tap fading channel", "After the ESN Equalizer")
    for axis, symbols, title in zip(axes, one_frame(), titles):
        axis.plot(symbols.real, symbols.imag, ".", color="tab:blue", markersize=3)
        axis.set(title=title, xlim=(-2, 2), ylim=(-2, 2), aspect="equal")
        axis.set(xlabel="in-phase", ylabel="quadrature")
        axis.grid(alpha=0.4)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent, help="folder"
    )
    draw(parser.parse_args().out / "esn_equalizer.svg")
