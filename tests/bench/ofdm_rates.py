#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Data symbols per second of MIMO-OFDM receivers, over frames of a link of campaigns/ofdm.toml, for
bench.py's part "ofdm"."""

import dataclasses
import functools
from pathlib import Path

import numpy as np
import peers
import pmt
from gnuradio import blocks, digital, gr, reservoir
from gnuradio.reservoir.campaign.receivers import KINDS
from gnuradio.reservoir.campaign.specification import load

CAMPAIGN = load(Path(__file__).resolve().parents[2] / "campaigns" / "ofdm.toml")
LINK = dataclasses.replace(
    next(point.link for point in CAMPAIGN.points if point.group == "T6p4"),
    same_pilots=True,
)
SEED, COUNT = 7, 20
QAM16 = digital.constellation_16qam().base()
FRAME = (LINK.fft_len, LINK.cp_len, LINK.antennas, LINK.antennas)
DETECTORS = {
    "ofdm_lmmse": lambda: reservoir.ofdm_lmmse(*FRAME),
    "ofdm_lmmse, maximum likelihood": lambda: reservoir.ofdm_lmmse(
        *FRAME, detection="ml", constellation=QAM16
    ),
    "ofdm_configured": lambda: reservoir.ofdm_configured(*FRAME, constellation=QAM16),
    "ofdm_esn": lambda: reservoir.ofdm_esn(*FRAME),
    "ofdm_esn, classifier": lambda: reservoir.ofdm_esn(
        *FRAME, classifier=True, constellation=QAM16
    ),
    "ofdm_esn, attention": lambda: reservoir.ofdm_esn(
        *FRAME, correct_carriers=True, attention=True, constellation=QAM16
    ),
    "rcnet": lambda: reservoir.rcnet(*FRAME),
}
NUMPY = "numpy, least squares of 16 taps and LMMSE"


@functools.lru_cache
def frames():
    return [LINK.make_frame(SEED, number) for number in range(COUNT)]


def frame_tag(offset):
    tag = gr.tag_t()
    tag.offset, tag.key, tag.value = offset, pmt.intern("frame_start"), pmt.PMT_T
    return tag


def seconds_of(name, repeats):
    """Of a flowgraph that receives all frames so many times."""
    equalizer = reservoir.ofdm_equalizer(
        DETECTORS[name](), frames()[0].pilots, LINK.payload
    )
    samples = np.concatenate([frame.received for frame in frames()], 1)
    period = samples.shape[1] // COUNT
    tags = [frame_tag(number * period) for number in range(COUNT)]
    top = gr.top_block()
    for antenna, row in enumerate(samples):
        source = blocks.vector_source_c(row.tolist(), True, 1, [] if antenna else tags)
        head = blocks.head(gr.sizeof_gr_complex, repeats * len(row))
        sink = blocks.null_sink(gr.sizeof_gr_complex * LINK.fft_len)
        top.connect(source, head, (equalizer, antenna), sink)
    seconds = peers.timed(top.run)
    assert equalizer.frames() == repeats * COUNT
    return seconds


def rate(seconds, name):
    """Of a flowgraph, the scheduler and both ends included."""
    repeats, found = 1, 0.0
    for _ in range(2):  # the first finds how many frames fill the time
        repeats = max(
            repeats, int(found * seconds / (COUNT * frames()[0].payload.size))
        )
        found = repeats * COUNT * frames()[0].payload.size / seconds_of(name, repeats)
    return found


def numpy_rate():
    """Of the reference receiver, frame by frame, without a flowgraph."""
    made = frames()
    seconds = peers.timed(lambda: KINDS["ofdm_reference"](LINK).receive(made))
    return COUNT * made[0].payload.size / seconds


def measures(seconds):
    """By name."""
    found = {name: functools.partial(rate, seconds, name) for name in DETECTORS}
    return found | {NUMPY: numpy_rate}
