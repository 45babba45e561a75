#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Flowgraphs around the block under test."""

import numpy as np
import pmt
from gnuradio import blocks, gr

CHUNKS = [1, 7, 64, 4096]


def make_tag(offset, key="frame_start", value=pmt.PMT_T):
    tag = gr.tag_t()
    tag.offset = offset
    tag.key = pmt.intern(key)
    tag.value = value
    tag.srcid = pmt.PMT_F
    return tag


def run_block(block, inputs, tags=(), chunk=0, num_outputs=1):
    """The outputs (num_outputs, samples) and the tags of each, from inputs (num_inputs, samples).

    tags: for one input a list of tags, else a list for each input
    """
    inputs = np.atleast_2d(np.asarray(inputs, np.complex64))
    tag_lists = list(tags) if len(inputs) > 1 and len(tags) else [list(tags)]
    tag_lists += [[]] * (len(inputs) - len(tag_lists))
    top = gr.top_block()
    for port, (samples, port_tags) in enumerate(zip(inputs, tag_lists)):
        source = blocks.vector_source_c(samples.tolist(), False, 1, port_tags)
        top.connect(source, (block, port))
    sinks = [blocks.vector_sink_c() for _ in range(num_outputs)]
    for port, sink in enumerate(sinks):
        top.connect((block, port), sink)
    if chunk:
        top.run(chunk)
    else:
        top.run()
    output = np.array([sink.data() for sink in sinks], np.complex64)
    return output, [list(sink.tags()) for sink in sinks]


def gaussian(rng, shape):
    noise = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    return (noise / np.sqrt(2)).astype(np.complex64)


def offsets(tags, key):
    return [tag.offset for tag in tags if pmt.symbol_to_string(tag.key) == key]


def assert_rejects(make, arguments, name, value):
    """A ValueError that names the parameter and its value."""
    try:
        make(**arguments)
    except ValueError as error:
        assert name in str(error), str(error)
        assert value is None or str(value) in str(error), str(error)
    else:
        raise AssertionError(f"{arguments} was accepted")
