#!/usr/bin/python3
#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Draws pictures of the documentation as SVG: QPSK before and after the ESN Equalizer, the Training
Monitor (which needs the package python3-pyqt5.qtsvg), and those of docs/concepts.md."""

import argparse
import os
import re
import time
from pathlib import Path

import matplotlib
import numpy as np
from concept_pictures import PICTURES, pyplot

from gnuradio import blocks, digital, gr, reservoir

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


def save(figure, path):
    """As SVG whose text stays text."""
    options = {"svg.hashsalt": "gr-reservoir", "svg.fonttype": "none"}
    with matplotlib.rc_context(options):
        figure.savefig(path, format="svg", metadata={"Date": None})
    pyplot.close(figure)


def draw_equalizer(path):
    figure, axes = pyplot.subplots(1, 2, figsize=(7.2, 3.7), layout="constrained")
    titles = ("Received: 6-tap fading channel", "After the ESN Equalizer")
    for axis, symbols, title in zip(axes, one_frame(), titles):
        axis.plot(symbols.real, symbols.imag, ".", color="tab:blue", markersize=3)
        axis.set(title=title, xlim=(-2, 2), ylim=(-2, 2), aspect="equal")
        axis.set(xlabel="in-phase", ylabel="quadrature")
        axis.grid(alpha=0.4)
    save(figure, path)


def monitored_link(detectors, monitor):
    """A flowgraph with an equalizer for each detector, all on one channel."""
    qpsk = digital.constellation_qpsk().base()
    pilots = reservoir.random_pilots(qpsk, NUM_PILOTS)
    source = reservoir.frame_source(qpsk, pilots, payload_len=512)
    channel = reservoir.software_channel(
        14.0, power_delay_profile=reservoir.exponential_profile(6, 2.0), seed=1
    )
    flowgraph = gr.top_block("Training Monitor")
    flowgraph.connect(source, channel)
    for n, detector in enumerate(detectors):
        equalizer = reservoir.equalizer(
            detector, training_sequence=pilots, payload_len=512
        )
        meter = reservoir.symbol_error_meter(qpsk, source)
        flowgraph.connect(channel, equalizer, meter)
        flowgraph.msg_connect(equalizer, "report", monitor, f"report{n}")
        flowgraph.msg_connect(meter, "report", monitor, f"meter{n}")
    return flowgraph


def without_spare_digits(svg):
    """Coordinates to a tenth of a pixel, no indentation; text stays as it is."""
    svg = re.sub(r"\n\s*", "\n", svg)
    return re.sub(
        r' (d|points|transform)="[^"]*"',
        lambda attribute: re.sub(
            r"-?\d+\.\d{2,}", lambda number: f"{float(number[0]):.1f}", attribute[0]
        ),
        svg,
    )


def draw_monitor(path, frames=30):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PyQt5 import QtWidgets
    from pyqtgraph.exporters import SVGExporter

    application = QtWidgets.QApplication([])
    qpsk = digital.constellation_qpsk().base()
    detectors = [
        reservoir.rnn(epochs=120, condition_every=10, eigenvalues_every=4),
        reservoir.esn(),
        reservoir.configured_esn(constellation=qpsk),
    ]
    monitor = reservoir.training_monitor(
        len(detectors), ["RNN", "ESN", "configured ESN"], trail=5
    )
    widget = monitor.qwidget()
    widget.resize(1000, 680)
    widget.show()
    flowgraph = monitored_link(detectors, monitor)
    flowgraph.start()
    while any(len(one.frames["errors"]) < frames for one in monitor.history.receivers):
        time.sleep(0.1)
    flowgraph.stop()
    flowgraph.wait()
    application.processEvents()
    widget.redraw()
    application.processEvents()
    svg = SVGExporter(widget.diagrams.scene()).export(toBytes=True).decode()
    path.write_text(without_spare_digits(svg))


def draw_concept(path):
    save(PICTURES[path.stem](), path)
    path.write_text(without_spare_digits(path.read_text()))


DRAWN = {
    "esn_equalizer": draw_equalizer,
    "training_monitor": draw_monitor,
    **dict.fromkeys(PICTURES, draw_concept),
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(DRAWN)} (all)")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent, help="folder"
    )
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(DRAWN)
    if unknown:
        parser.error(f"no picture {', '.join(sorted(unknown))}")
    matplotlib.rcParams["font.size"] = 11
    for name in arguments.names or DRAWN:
        DRAWN[name](arguments.out / f"{name}.svg")
