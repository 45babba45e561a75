#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Flowgraphs around the block under test."""

import os
from pathlib import Path

import numpy as np
import pmt
import pytest
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


def memory_growth(run):
    """MiB by which the memory of this process exceeds what it is now, at the most, while run() runs."""

    def mib(name):
        status = Path("/proc/self/status").read_text().splitlines()
        return int(next(s for s in status if s.startswith(name)).split()[1]) / 1024

    Path("/proc/self/clear_refs").write_text("5")  # the peak begins again
    before = mib("VmRSS")
    run()
    if "asan" in os.environ.get("LD_PRELOAD", ""):
        pytest.skip("AddressSanitizer keeps what is freed: only run")
    return mib("VmHWM") - before


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
