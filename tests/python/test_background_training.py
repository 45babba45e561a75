#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Training in the background, in real flowgraphs; what depends on the clock is waited for."""

import time

import numpy as np
import pmt
import pytest
from gnuradio import blocks, gr, reservoir
from links import MIXED_PHASE, symbol_errors, symbols, through, training_tag

PILOTS, PAYLOAD = 64, 192
FRAME = PILOTS + PAYLOAD


def frames(count, seed=3):
    """Frames with the same pilots over one channel: samples, tags, symbols, pilots."""
    rng = np.random.default_rng(seed)
    pilots = symbols(PILOTS, rng)
    sent = np.concatenate(
        [np.concatenate([pilots, symbols(PAYLOAD, rng)]) for _ in range(count)]
    )
    tags = [training_tag(k * FRAME) for k in range(count)]
    return through(sent, MIXED_PHASE, rng), tags, sent, pilots


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def repeated(eq, r, tags, count):
    """A running flowgraph with so many samples of r, over and over, and what comes out of it."""
    top = gr.top_block()
    sink = blocks.vector_sink_c()
    source = blocks.vector_source_c(r.tolist(), True, 1, tags)
    top.connect(source, blocks.head(gr.sizeof_gr_complex, count), eq, sink)
    return top, sink


@pytest.mark.parametrize("payload_len", [0, PAYLOAD])
def test_what_is_learnt_is_used(payload_len):
    r, tags, sent, pilots = frames(4)
    det = reservoir.rnn(epochs=150, learning_rate=1e-2, eigenvalues_every=0)
    eq = reservoir.equalizer(
        det, 1, pilots, payload_len=payload_len, background_training=True
    )
    top = gr.top_block()
    source = blocks.vector_source_c(r.tolist(), True, 1, tags)
    throttle = blocks.throttle(gr.sizeof_gr_complex, 2e5)
    sink, debug = blocks.vector_sink_c(), blocks.message_debug()
    top.connect(source, throttle, eq, sink)
    top.msg_connect(eq, "report", debug, "store")
    top.start()
    wait_for(lambda: eq.trainings() >= 2)
    trained_at = len(sink.data())
    wait_for(lambda: len(sink.data()) >= trained_at + 4 * len(r))
    top.stop()
    top.wait()

    out = np.array(sink.data())
    out = out[: len(out) // len(sent) * len(sent)].reshape(-1, len(sent))
    assert np.array_equal(out[0][:PILOTS], r[:PILOTS])  # passed through at first
    assert symbol_errors(out[-1], sent) < 0.05 * len(sent)

    messages = [
        pmt.to_python(debug.get_message(k)) for k in range(debug.num_messages())
    ]
    epochs = [m for m in messages if "epoch" in m]
    trainings = [m for m in messages if "epoch" not in m]
    first = [m for m in epochs if m["offset"] == 0]
    assert [m["epoch"] for m in first] == list(range(150))
    assert all(m["epochs"] == 150 for m in first)
    assert np.allclose([m["loss"] for m in first], trainings[0]["loss"])
    assert trainings[0]["offset"] == 0
    last = trainings[-1]
    assert last["trainings"] == len(trainings)
    assert last["skipped_trainings"] <= eq.skipped_trainings()


def test_pilots_that_come_too_fast_are_skipped():
    """The first training never ends; the block neither waits for it nor stores what comes."""
    r, tags, sent, pilots = frames(10)
    det = reservoir.rnn(epochs=1_000_000, eigenvalues_every=0)
    eq = reservoir.equalizer(det, 1, pilots, background_training=True)
    top, sink = repeated(eq, r, tags, 100 * len(r))
    top.run()  # ends, though the training does not
    out = np.array(sink.data())
    assert np.array_equal(out, np.tile(r, 100))  # nothing is trained: passed through
    assert eq.trainings() == 0
    assert eq.skipped_trainings() == 1000 - 2  # one runs, one waits
    assert not det.trained()


def test_a_flowgraph_can_be_started_again():
    r, tags, sent, pilots = frames(2)
    det = reservoir.rnn(epochs=1_000_000, eigenvalues_every=0)
    eq = reservoir.equalizer(det, 1, pilots, background_training=True)
    for _ in range(3):
        top, sink = repeated(eq, r, tags, 5 * len(r))
        top.run()
        assert len(sink.data()) == 5 * len(r)
        assert eq.skipped_trainings() == 10 - 2


@pytest.mark.parametrize(
    "make",
    [
        reservoir.detectors()[kind["name"]]
        for kind in reservoir.detector_kinds()
        if not kind["trains_in_epochs"]
    ],
)
def test_those_that_train_within_a_frame_are_refused(make):
    with pytest.raises(ValueError, match="background_training = true"):
        reservoir.equalizer(make(), 1, [1.0, -1.0], background_training=True)
    det = make()
    with pytest.raises(ValueError):
        reservoir.equalizer(det, 1, [1.0, -1.0], background_training=True)
    reservoir.equalizer(det, 1, [1.0, -1.0])  # still belongs to no block
