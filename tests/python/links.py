#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Frames over a known channel, and flowgraphs to put them through, for the tests."""

import time

import numpy as np
import pmt
from gnuradio import blocks, gr, reservoir

QPSK = np.array([1 + 1j, -1 + 1j, -1 - 1j, 1 - 1j], np.complex64)
QPSK /= np.float32(np.sqrt(2))  # by a double NumPy 2 would make them doubles
MIXED_PHASE = np.array([0.4 - 0.2j, 1.0, 0.45j, -0.2], np.complex64)


def symbols(count, rng, points=QPSK):
    return points[rng.integers(0, len(points), count)].astype(np.complex64)


def noise(shape, rng, snr_db):
    sigma = np.sqrt(10 ** (-snr_db / 10) / 2)
    return sigma * (rng.standard_normal(shape) + 1j * rng.standard_normal(shape))


def through(x, h, rng, snr_db=30.0):
    """x over the channel h with noise; sample n is on time with symbol n.

    h: (taps,), or (samples, taps) where the taps move: y[n] = sum over l of h[n, l] x[n - l]
    snr_db: over noise for a mean power of 1
    """
    if np.ndim(h) == 1:
        y = np.convolve(x, h)[: len(x)]
    else:
        late = [np.append(np.zeros(l), x[: len(x) - l]) for l in range(h.shape[1])]
        y = np.sum(h * np.transpose(late), axis=1)
    return (y + noise(len(y), rng, snr_db)).astype(np.complex64)


def rayleigh(powers, rng):
    """Independent complex Gaussian taps, (taps,), of mean powers that are scaled to sum 1."""
    powers = np.asarray(powers) / np.sum(powers)
    return np.sqrt(powers) * noise(len(powers), rng, 0)


def moving_tap(count, doppler, rng, waves=16):
    """A tap of mean power 1 at count instants: equally strong waves from all around (Clarke, 1968).

    doppler: the largest Doppler frequency, in cycles per instant
    """
    angles, phases = 2 * np.pi * rng.random((2, waves, 1))
    turns = 2 * np.pi * doppler * np.cos(angles) * np.arange(count)
    return np.exp(1j * (turns + phases)).sum(0) / np.sqrt(waves)


def training_tag(offset, key="corr_est"):
    return tag(offset, key, pmt.PMT_T)


def tag(offset, key, value=pmt.PMT_T):
    t = gr.tag_t()
    t.offset, t.key, t.value = int(offset), pmt.intern(key), value
    return t


def run(equalizer, inputs, tags, max_noutput_items=0):
    """Puts arrays (one per input) through the block; returns outputs, and the tags of output 0."""
    inputs = np.atleast_2d(inputs)
    top = gr.top_block()
    sinks = []
    for i, row in enumerate(inputs):
        source = blocks.vector_source_c(row.tolist(), False, 1, tags if i == 0 else [])
        top.connect(source, (equalizer, i))
    for o in range(equalizer.output_signature().min_streams()):
        sinks.append(blocks.vector_sink_c())
        top.connect((equalizer, o), sinks[-1])
    if max_noutput_items:
        top.run(max_noutput_items)
    else:
        top.run()
    outputs = [np.array(sink.data(), np.complex64) for sink in sinks]
    return (outputs[0] if len(outputs) == 1 else np.array(outputs)), sinks[0].tags()


def command(block, message, out_size=gr.sizeof_gr_complex):
    """Posts a command to a block that runs in no flowgraph, as a flowgraph would deliver it."""
    top = gr.top_block()
    strobe = blocks.message_strobe(message, 10)
    top.connect(
        blocks.null_source(gr.sizeof_gr_complex), blocks.head(8, 1 << 30), block
    )
    top.connect(block, blocks.null_sink(out_size))
    top.msg_connect(strobe, "strobe", block, "command")
    top.start()
    time.sleep(0.1)
    top.stop()
    top.wait()


def same_bits(a, b):
    return a.shape == b.shape and a.tobytes() == b.tobytes()


def symbol_errors(output, sent, points=QPSK):
    nearest = np.abs(np.asarray(output)[..., None] - points).argmin(-1)
    return int(np.sum(points[nearest] != sent))
