#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""An equalizer in place of GNU Radio's own block, in the flowgraphs that GNU Radio installs."""

import importlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pmt
import pytest
import yaml

from gnuradio import blocks, digital, fec, gr
from gnuradio.filter import firdes

GRC = Path(__file__).parents[2] / "grc"
EXAMPLES = Path(gr.prefix()) / "share" / "gnuradio" / "examples" / "digital"

pytestmark = pytest.mark.skipif(
    not shutil.which("grcc") or not (EXAMPLES / "packet" / "packet_rx.grc").exists(),
    reason="no grcc, or GNU Radio's examples are not installed",
)


def example(*path):
    return yaml.safe_load(EXAMPLES.joinpath(*path).read_text())


def replace(flowgraph, old, new, **values):
    """Another block in the place and under the name of the only one of kind old."""
    (block,) = [entry for entry in flowgraph["blocks"] if entry["id"] == old]
    block["id"], block["parameters"] = new, values


def set_parameter(flowgraph, name, key, value):
    (block,) = [entry for entry in flowgraph["blocks"] if entry["name"] == name]
    block["parameters"][key] = value


def generated(flowgraph, name, folder):
    """The module that grcc makes of a flowgraph."""
    flowgraph["options"]["parameters"]["id"] = name
    path = folder / f"{name}.grc"
    path.write_text(yaml.safe_dump(flowgraph))
    result = subprocess.run(
        [sys.executable, shutil.which("grcc"), "-o", str(folder), str(path)],
        env={**os.environ, "GRC_BLOCKS_PATH": str(GRC), "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (folder / f"{name}.py").exists(), result.stdout + result.stderr
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))


# ------------------------------------------------------------------------------ le_vs_dfe.grc


WINDOW_BLOCKS = re.compile(r"qtgui_.*|digital_meas_evm_cc|blocks_tag_gate|note")
OTHERS = re.compile(
    r"digital_decision_feedback_equalizer|blocks_vector_to_stream|blocks_short_to_float"
)
NUM_SYMBOLS = 2048


def le_vs_dfe():
    """The left half of the example, without its window, into a vector sink."""
    flowgraph = example("equalizers", "le_vs_dfe.grc")
    kept = []
    for block in flowgraph["blocks"]:
        if block["id"] == "variable_qtgui_range":
            block["id"] = "variable"
            block["parameters"] = {"value": block["parameters"]["value"]}
        if not WINDOW_BLOCKS.match(block["id"]) and not OTHERS.match(block["id"]):
            kept.append(block)
    (head, _) = [block for block in kept if block["id"] == "blocks_head"]
    kept = [block for block in kept if block["id"] != "blocks_head" or block is head]
    head["parameters"] = {"type": "complex", "num_items": str(NUM_SYMBOLS)}
    sink = {"id": "blocks_vector_sink_x", "name": "sink", "states": head["states"]}
    flowgraph["blocks"] = [*kept, {**sink, "parameters": {"type": "complex"}}]
    names = {block["name"] for block in kept}
    flowgraph["connections"] = [
        wire for wire in flowgraph["connections"] if {wire[0], wire[2]} <= names
    ] + [
        ["digital_linear_equalizer_0", "0", head["name"], "0"],
        [head["name"], "0", "sink", "0"],
    ]
    options = {"generate_options": "no_gui", "run_options": "run"}
    flowgraph["options"]["parameters"].update(options)
    set_parameter(flowgraph, "samp_rate", "value", "1000000")
    return flowgraph


def first_frames_evm(module, name):
    """EVM of the payload behind the first training tag; points are what the preamble has."""
    top = getattr(module, name)()
    top.run()
    symbols = np.array(top.sink.data())
    first = min(tag.offset for tag in top.sink.tags() if str(tag.key) == "corr_est")
    training = np.array(top.preamble_symbols)
    payload = symbols[first + len(training) :][: 8 * top.payload_size // 2]
    points = np.unique(np.round(training, 6))
    error = np.abs(payload[:, None] - points).min(axis=1)
    return np.sqrt(np.mean(error**2) / np.mean(np.abs(points) ** 2))


def test_le_vs_dfe_is_trained_by_the_first_frame(tmp_path):
    stock = generated(le_vs_dfe(), "le_vs_dfe_stock", tmp_path)
    assert first_frames_evm(stock, "le_vs_dfe_stock") > 0.2  # LMS still adapts
    flowgraph = le_vs_dfe()
    replace(
        flowgraph,
        "digital_linear_equalizer",
        "reservoir_configured_esn_equalizer",
        sps="sps",
        training_sequence="preamble_symbols",
        payload_len="4 * (4 + payload_size)",
    )
    ours = generated(flowgraph, "le_vs_dfe_reservoir", tmp_path)
    assert first_frames_evm(ours, "le_vs_dfe_reservoir") < 0.055


# ------------------------------------------------------------------------------ packet_rx.grc


SPS, EXCESS, NUM_FILTERS, NUM_PACKETS = 2, 0.22, 32, 30
CHANNELS = {"three taps": [0.4, 1, 0.4j], "severe": [0.5, 0, 0.8, 0, 0.5j]}
SAMPLES_PER_PACKET = 1650  # of 60 bytes


class feeder(gr.basic_block):
    """Sends PDUs when it is told to."""

    def __init__(self):
        gr.basic_block.__init__(self, "feeder", None, None)
        self.message_port_register_out(pmt.intern("pdus"))

    def send(self, data):
        pdu = pmt.cons(pmt.PMT_NIL, pmt.init_u8vector(len(data), data.tolist()))
        self.message_port_pub(pmt.intern("pdus"), pdu)


def link_options():
    """Much what packet_loopback_hier.grc gives to its transmitter and receiver."""
    header = digital.constellation_calcdist(*digital.psk_2(), 2, 1).base()
    payload = digital.constellation_calcdist(*digital.psk_4(), 4, 1).base()
    # not header_format_counter: a broken header makes it divide by zero
    form = digital.header_format_default(
        digital.packet_utils.default_access_code, 3, payload.bits_per_symbol()
    )
    return dict(hdr_const=header, pld_const=payload, hdr_format=form, sps=SPS)


def sent_samples(packet_tx):
    options = link_options()
    terminated = (8000, 7, 2, [109, 79], 0, fec.CC_TERMINATED, False)
    transmitter = packet_tx(
        hdr_enc=fec.repetition_encoder_make(8000, 3),
        pld_enc=fec.cc_encoder_make(*terminated),
        psf_taps=firdes.root_raised_cosine(
            NUM_FILTERS, NUM_FILTERS, 1.0, EXCESS, 5 * SPS * NUM_FILTERS
        ),
        **options,
    )
    top, source, sink = gr.top_block(), feeder(), blocks.vector_sink_c()
    top.msg_connect(source, "pdus", transmitter, "in")
    top.connect(transmitter, sink)
    for port in (1, 2):
        top.connect((transmitter, port), blocks.null_sink(gr.sizeof_gr_complex))
    top.start()
    rng = np.random.default_rng(1)
    for _ in range(NUM_PACKETS):
        source.send(rng.integers(0, 256, 60, dtype=np.uint8))
    # it waits for more packets and does not end by itself
    deadline = time.monotonic() + 60
    while len(sink.data()) < NUM_PACKETS * SAMPLES_PER_PACKET:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    top.stop()
    top.wait()
    return np.array(sink.data())


def packets_received(packet_rx, samples):
    options = link_options()
    bits = options["hdr_format"].header_nbits()
    receiver = packet_rx(
        eb=EXCESS,
        hdr_dec=fec.repetition_decoder.make(bits, 3, 0.5),
        pld_dec=fec.cc_decoder.make(
            8000, 7, 2, [109, 79], 0, -1, fec.CC_TERMINATED, False
        ),
        psf_taps=firdes.root_raised_cosine(
            NUM_FILTERS, NUM_FILTERS * SPS, 1.0, EXCESS, 11 * SPS * NUM_FILTERS
        ),
        **options,
    )
    top, received = gr.top_block(), blocks.message_debug()
    top.connect(blocks.vector_source_c(samples.tolist()), receiver)
    for port in range(receiver.output_signature().max_streams()):
        top.connect((receiver, port), blocks.null_sink(gr.sizeof_gr_complex))
    top.msg_connect(receiver, "pkt out", received, "store")
    top.run()
    return received.num_messages()


def with_equalizer(folder, kind, name="", **values):
    """The example's receiver with one of ours in place of its symbol sync."""
    flowgraph = example("packet", "packet_rx.grc")
    replace(
        flowgraph,
        "digital_pfb_clock_sync_xxx",
        f"reservoir_{kind}_equalizer",
        sps="int(sps)",
        training_sequence="[hdr_const.points()[byte >> bit & 1] "
        "for byte in preamble for bit in range(7, -1, -1)]",
        **values,
    )
    # the equalizer has no matched filter's delay; the sync word's modulator has one
    set_parameter(flowgraph, "mark_delay", "value", "11")
    name = f"packet_rx_{kind}{name}"
    return getattr(generated(flowgraph, name, folder), name)


def through(channel, clean, noise_voltage):
    rng = np.random.default_rng(2)
    taps = 1.1 * np.array(CHANNELS[channel]) / np.linalg.norm(CHANNELS[channel])
    samples = np.convolve(np.concatenate([np.zeros(500), clean, np.zeros(3000)]), taps)
    noise = rng.standard_normal((2, len(samples))) * noise_voltage / np.sqrt(2)
    return samples + noise[0] + 1j * noise[1]


def test_packet_rx_receives_over_multipath(tmp_path):
    transmitter = generated(example("packet", "packet_tx.grc"), "packet_tx", tmp_path)
    stock = generated(example("packet", "packet_rx.grc"), "packet_rx", tmp_path)
    linear = dict(feedback="False", refits="0")  # the header is BPSK, the payload QPSK
    ours = with_equalizer(tmp_path, "configured_esn", **linear)

    clean = sent_samples(transmitter.packet_tx)
    counts = {}
    for channel in CHANNELS:
        samples = through(channel, clean, 0.05)
        counts[channel] = (
            packets_received(stock.packet_rx, samples),
            packets_received(ours, samples),
        )
    for _, with_ours in counts.values():
        assert with_ours >= NUM_PACKETS - 2, counts
    assert counts["severe"][0] <= 2, counts


def test_packet_rx_with_least_squares_needs_a_prior(tmp_path):
    """Its preamble repeats every bit three times."""
    transmitter = generated(example("packet", "packet_tx.grc"), "packet_tx", tmp_path)
    samples = through("three taps", sent_samples(transmitter.packet_tx), 0.4)
    for kind in ("fir", "esn"):
        counts = {
            prior: packets_received(
                with_equalizer(tmp_path, kind, prior, prior=prior), samples
            )
            for prior in ("zero", "delay")
        }
        assert counts["delay"] >= NUM_PACKETS - 2, counts
        assert counts["zero"] <= NUM_PACKETS - 5, counts
