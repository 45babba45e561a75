#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""The equalizer block in real flowgraphs: alignment, tags, messages, bad data."""

import threading
import time

import numpy as np
import pmt
import pytest
from gnuradio import blocks, channels, digital, gr, reservoir
from links import (
    MIXED_PHASE,
    command,
    noise,
    run,
    same_bits,
    symbol_errors,
    symbols,
    tag,
    through,
    training_tag,
)

PILOTS = 48
CHUNKS = [1, 7, 64, 4096]


def short_rnn():
    """A short training: alignment does not depend on how good it is."""
    return reservoir.rnn(num_neurons=8, epochs=5, eigenvalues_every=0)


def stream(frames, sps=1, gap=16, seed=1, lead=0, payload=200):
    """Samples of frames back to back; the sample index of each first pilot; the symbols."""
    rng = np.random.default_rng(seed)
    pilots = symbols(PILOTS, rng)
    parts, starts, sent = [noise(lead, rng, 0)], [], []
    position = lead
    for _ in range(frames):
        x = np.concatenate([pilots, symbols(payload, rng), np.zeros(gap)])
        up = np.zeros(len(x) * sps, complex)
        up[::sps] = x
        h = rng.standard_normal(2 * sps) + 1j * rng.standard_normal(2 * sps)
        h[0] = 3
        parts.append(np.convolve(up, h)[: len(up)] + noise(len(up), rng, 25))
        starts.append(position)
        sent.append(x[: PILOTS + payload])
        position += len(up)
    return np.concatenate(parts).astype(np.complex64), starts, sent, pilots


def expected_output(r, starts, pilots, make, sps, payload_len):
    """The same with the detector alone: segment by segment."""
    edges = [*starts, len(r)]
    out = [r[: starts[0] : sps]]
    for start, end in zip(edges, edges[1:]):
        count = -(-(end - start) // sps)  # symbol instants before the next tag
        det = make()
        if payload_len:
            y = det.receive(r[start:], pilots, sps, payload_len)
            out += [y, r[start:end:sps][len(y) :]]
        else:
            det.fit(r[start:], pilots, sps)
            y = det.detect(np.concatenate([r[start:], np.zeros(64 * sps)]), sps)
            out.append(y[:count])
    return np.concatenate(out)


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("payload_len", [0, 200])
@pytest.mark.parametrize("sps", [1, 2, 3])
@pytest.mark.parametrize("make", [reservoir.fir, reservoir.esn, short_rnn])
def test_flowgraph_equals_offline(make, sps, payload_len, chunk):
    r, starts, sent, pilots = stream(3, sps, lead=37)
    eq = reservoir.equalizer(make(), sps, pilots, payload_len=payload_len)
    y, _ = run(eq, r, [training_tag(s) for s in starts], chunk)
    assert same_bits(y, expected_output(r, starts, pilots, make, sps, payload_len))
    assert eq.trainings() == 3


def linear_configured(**options):
    return reservoir.configured_esn(feedback=False, refits=0, **options)


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize(
    "make", [reservoir.fir, reservoir.esn, short_rnn, linear_configured]
)
def test_history_is_what_the_stream_has_before_the_tag(make, workers, chunk):
    """The first frame has only three symbols and a half of it."""
    sps = 2
    r, starts, _, pilots = stream(3, sps, gap=0, lead=7)
    options = dict(payload_len=200, workers=workers, use_history=True)
    eq = reservoir.equalizer(make(), sps, pilots, **options)
    y, _ = run(eq, r, [training_tag(s) for s in starts], chunk)
    expected = [r[:7:sps]]
    for start in starts:
        given = dict(payload_len=200, history=r[:start])
        expected.append(make().receive(r[start:], pilots, sps, **given))
    assert same_bits(y, np.concatenate(expected))
    assert not same_bits(y, expected_output(r, starts, pilots, make, sps, 200))


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("lost_before", [0, 9])
def test_history_does_not_reach_over_an_overrun(lost_before, chunk):
    r, starts, _, pilots = stream(2, gap=20)
    tags = [training_tag(s) for s in starts]
    tags.append(tag(starts[1] - lost_before, "rx_time"))
    eq = reservoir.equalizer(
        reservoir.fir(), 1, pilots, payload_len=200, use_history=True
    )
    y, _ = run(eq, r, tags, chunk)
    known = r[starts[1] - lost_before : starts[1]]
    frame = reservoir.fir().receive(r[starts[1] :], pilots, 1, 200, history=known)
    assert same_bits(y[starts[1] : starts[1] + len(frame)], frame)


def test_history_needs_frames_of_the_foreground():
    pilots = symbols(PILOTS, np.random.default_rng(1))
    for options in (
        dict(payload_len=0),
        dict(payload_len=10, background_training=True),
    ):
        with pytest.raises(
            ValueError, match="use_history = (True|true|1): must be Fal"
        ):
            reservoir.equalizer(short_rnn(), 1, pilots, use_history=True, **options)


@pytest.mark.parametrize("workers", [1, 2])
def test_frames_that_others_wait_behind_are_not_refitted(workers):
    r, starts, _, pilots = stream(20)
    r = (r + noise(len(r), np.random.default_rng(2), -3)).astype(np.complex64)
    whole, hurried = (
        [
            reservoir.configured_esn(refits=refits).receive(r[s:], pilots, 1, 200)
            for s in starts
        ]
        for refits in (2, 0)
    )
    assert not same_bits(np.concatenate(whole), np.concatenate(hurried))
    eq = reservoir.equalizer(
        reservoir.configured_esn(),
        1,
        pilots,
        payload_len=200,
        workers=workers,
        hurry_above=300,
    )
    y, _ = run(eq, r, [training_tag(s) for s in starts])
    frames = [y[s : s + len(x)] for s, x in zip(starts, whole)]
    # nothing waits behind the last
    assert same_bits(frames[-1], whole[-1]) and 0 < eq.hurried_frames() < 20
    as_whole = [same_bits(*pair) for pair in zip(frames, whole)]
    as_hurried = [same_bits(*pair) for pair in zip(frames, hurried)]
    assert all(a or b for a, b in zip(as_whole, as_hurried))
    assert as_hurried.count(True) >= eq.hurried_frames() >= as_whole.count(False)


@pytest.mark.parametrize(
    "detector, options, reason",
    [
        (reservoir.fir, dict(payload_len=200), "0 with fir .* no refits"),
        (reservoir.configured_esn, dict(payload_len=0), "0 with payload_len = 0"),
    ],
)
def test_hurry_needs_frames_with_refits(detector, options, reason):
    pilots = symbols(PILOTS, np.random.default_rng(1))
    with pytest.raises(ValueError, match="hurry_above = 100: must be " + reason):
        reservoir.equalizer(detector(), 1, pilots, hurry_above=100, **options)
    with pytest.raises(ValueError, match="hurry_above = -1: must be 0 to 2"):
        reservoir.equalizer(detector(), 1, pilots, hurry_above=-1)


def test_any_tag_offset():
    """A hundred offsets: flowgraph output equals offline output bit for bit."""
    r, _, _, pilots = stream(1)
    for offset in range(100):
        eq = reservoir.equalizer(reservoir.fir(), 1, pilots)
        y, _ = run(eq, r, [training_tag(offset)])
        assert same_bits(y, expected_output(r, [offset], pilots, reservoir.fir, 1, 0))


@pytest.mark.parametrize("payload_len", [0, 200])
def test_frames_are_detected(payload_len):
    r, starts, sent, pilots = stream(20, sps=2)
    eq = reservoir.equalizer(reservoir.fir(), 2, pilots, payload_len=payload_len)
    y, _ = run(eq, r, [training_tag(s) for s in starts])
    errors = sum(
        symbol_errors(y[s // 2 : s // 2 + len(x)], x) for s, x in zip(starts, sent)
    )
    assert errors <= 20 * 248 * 0.002
    assert len(y) == len(r) // 2


@pytest.mark.parametrize("chunk", CHUNKS)
def test_every_tag_lands_on_its_symbol(chunk):
    r, starts, _, pilots = stream(3, sps=3, lead=10)
    tags = [training_tag(s) for s in starts]
    rng = np.random.default_rng(1)
    where = sorted(rng.integers(0, len(r), 60).tolist())
    tags += [tag(offset, f"at {i}", pmt.from_long(i)) for i, offset in enumerate(where)]
    tags.append(tag(starts[1] + 5, "packet_len", pmt.from_long(100)))
    eq = reservoir.equalizer(reservoir.fir(), 3, pilots)
    _, got = run(eq, r, tags, chunk)
    assert len(got) == len(tags)
    edges = [0, *starts]
    first = [0]
    for start, end in zip(edges, edges[1:]):
        first.append(first[-1] - (-(end - start) // 3))
    found = {str(t.key): t for t in got}
    for i, offset in enumerate(where):
        k = max(k for k, edge in enumerate(edges) if edge <= offset)
        assert found[f"at {i}"].offset == first[k] + (offset - edges[k]) // 3
    assert sorted(t.offset for t in got if str(t.key) == "corr_est") == first[1:]
    assert pmt.to_long(found["packet_len"].value) == 34


@pytest.mark.parametrize(
    "length, symbols_of_it",
    [
        (pmt.from_long(2**63 - 1), 2**62),
        (pmt.from_uint64(2**64 - 1), 2**63),
        (pmt.from_long(7), 4),
        (pmt.from_long(-5), -5),
    ],
)
def test_a_length_of_any_size_is_counted_in_symbols(length, symbols_of_it):
    r, starts, _, pilots = stream(1, 2)
    eq = reservoir.equalizer(reservoir.fir(), 2, pilots)
    _, tags = run(eq, r, [training_tag(0), tag(0, "packet_len", length)])
    assert pmt.to_python(tags[-1].value) == symbols_of_it


def test_tag_in_the_last_sample_and_twice_on_one_sample():
    r, starts, sent, pilots = stream(1)
    tags = [training_tag(0), training_tag(0), training_tag(len(r) - 1)]
    eq = reservoir.equalizer(reservoir.fir(), 1, pilots)
    y, _ = run(eq, r, tags)
    assert len(y) == len(r)
    assert eq.trainings() == 1 and eq.abandoned_trainings() == 1
    assert y[-1] == r[-1]


@pytest.mark.parametrize("payload_len", [0, 200])
def test_a_new_tag_abandons_the_old_training(payload_len):
    r, starts, sent, pilots = stream(2)
    early = starts[1] - 10  # a false alarm
    eq = reservoir.equalizer(reservoir.fir(), 1, pilots, payload_len=payload_len)
    y, _ = run(eq, r, [training_tag(o) for o in (starts[0], early, starts[1])])
    assert eq.abandoned_trainings() == 1 and eq.trainings() == 2
    assert same_bits(y[early : starts[1]], r[early : starts[1]])  # passed through
    assert symbol_errors(y[starts[1] :][: len(sent[1])], sent[1]) == 0


@pytest.mark.parametrize("payload_len", [0, 200])
def test_a_stream_that_ends_in_the_pilots(payload_len):
    r, starts, _, pilots = stream(2)
    cut = r[: starts[1] + PILOTS - 1]
    eq = reservoir.equalizer(reservoir.fir(), 1, pilots, payload_len=payload_len)
    y, _ = run(eq, cut, [training_tag(s) for s in starts])
    assert len(y) == len(cut)
    assert eq.abandoned_trainings() == 1
    assert same_bits(y[starts[1] :], cut[starts[1] :])


def test_a_frame_cut_short_is_received_as_far_as_it_goes():
    r, starts, sent, pilots = stream(2)
    second = starts[0] + PILOTS + 100
    cut = np.concatenate([r[:second], r[starts[1] :]])
    eq = reservoir.equalizer(reservoir.fir(), 1, pilots, payload_len=200)
    y, _ = run(eq, cut, [training_tag(o) for o in (starts[0], second)])
    assert eq.truncated_frames() == 1 and eq.trainings() == 2
    assert symbol_errors(y[:second], sent[0][:second]) <= 2
    assert symbol_errors(y[second : second + len(sent[1])], sent[1]) <= 2


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("workers", [1, 2])
def test_an_overrun_cuts_the_frame_that_it_meets(chunk, workers):
    """Samples are lost in a payload; a radio tags the one behind them, as it tags the first."""
    sps = 2
    r, starts, sent, pilots = stream(2, sps, gap=60)
    here = starts[0] + (PILOTS + 100) * sps
    cut = np.concatenate([r[:here], r[starts[1] - 31 :]])
    second = here + 31
    behind = second + (PILOTS + 200) * sps + 3  # in the gap: no frame
    tags = [training_tag(o) for o in (starts[0], second)]
    tags += [tag(o, "rx_time") for o in (starts[0], here, second, behind)]
    eq = reservoir.equalizer(
        reservoir.fir(), sps, pilots, payload_len=200, workers=workers
    )
    y, found = run(eq, cut, tags, chunk)
    assert eq.truncated_frames() == 1 and eq.trainings() == 2
    assert symbol_errors(y[: PILOTS + 100], sent[0][: PILOTS + 100]) <= 2
    begin = PILOTS + 100 + 16  # the samples between are a grid of their own
    alone = reservoir.fir().receive(cut[second:], pilots, sps, 200)
    assert same_bits(y[begin : begin + len(alone)], alone)
    assert len(y) == begin + -(-len(cut[second:]) // sps)
    assert [t.offset for t in found if pmt.symbol_to_string(t.key) == "rx_time"] == [
        *(0, PILOTS + 100, begin, begin + PILOTS + 200 + 1),
    ]


def test_an_overrun_does_not_end_a_stream():
    r, starts, _, pilots = stream(1)
    eq = reservoir.equalizer(reservoir.fir(), 1, pilots)
    plain, _ = run(
        reservoir.equalizer(reservoir.fir(), 1, pilots), r, [training_tag(0)]
    )
    y, _ = run(eq, r, [training_tag(0), tag(PILOTS + 10, "rx_time")])
    assert same_bits(y, plain) and eq.truncated_frames() == 0


@pytest.mark.parametrize("payload_len", [0, 200])
def test_the_last_frame_comes_out_whole(payload_len):
    r, starts, sent, pilots = stream(2, gap=0)
    eq = reservoir.equalizer(reservoir.fir(), 1, pilots, payload_len=payload_len)
    y, _ = run(eq, r, [training_tag(s) for s in starts])
    assert len(y) == len(r)
    assert symbol_errors(y[starts[1] :], sent[1]) <= 2


def test_empty_stream_and_no_tag():
    _, _, _, pilots = stream(1)
    y, _ = run(reservoir.equalizer(reservoir.fir(), 2, pilots), np.zeros(0), [])
    assert len(y) == 0
    r = noise(1001, np.random.default_rng(1), 0).astype(np.complex64)
    y, _ = run(reservoir.equalizer(reservoir.fir(), 2, pilots), r, [])
    assert same_bits(y, r[::2])


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("payload_len", [0, 200])
def test_antennas_and_streams(payload_len, chunk):
    rng = np.random.default_rng(2)
    x = np.array([symbols(PILOTS + 200, rng) for _ in range(2)])
    h = rng.standard_normal((3, 2, 2)) + 1j * rng.standard_normal((3, 2, 2))
    r = np.array(
        [sum(np.convolve(x[t], h[a, t])[:248] for t in range(2)) for a in range(3)]
    )
    r = (r + noise(r.shape, rng, 30)).astype(np.complex64)
    make = lambda: reservoir.fir(6, 3, num_inputs=3, num_outputs=2)
    eq = reservoir.equalizer(make(), 1, x[:, :PILOTS], payload_len=payload_len)
    y, _ = run(eq, r, [training_tag(0)], chunk)
    assert same_bits(y, make().receive(r, x[:, :PILOTS]))
    assert symbol_errors(y[:, PILOTS:], x[:, PILOTS:]) == 0


def test_tags_of_other_inputs_pass_but_do_not_train():
    rng = np.random.default_rng(3)
    r = noise((2, 300), rng, 0).astype(np.complex64)
    eq = reservoir.equalizer(reservoir.fir(num_inputs=2), 1, symbols(PILOTS, rng))
    top = gr.top_block()
    sink = blocks.vector_sink_c()
    top.connect(blocks.vector_source_c(r[0].tolist()), (eq, 0))
    top.connect(
        blocks.vector_source_c(
            r[1].tolist(), False, 1, [training_tag(9), tag(20, "b")]
        ),
        (eq, 1),
    )
    top.connect(eq, sink)
    top.run()
    assert eq.trainings() == 0
    assert [(str(t.key), t.offset) for t in sink.tags()] == [("corr_est", 9), ("b", 20)]


def test_inputs_of_different_length_end_with_the_shorter():
    rng = np.random.default_rng(4)
    eq = reservoir.equalizer(reservoir.fir(num_inputs=2), 1, symbols(PILOTS, rng))
    top = gr.top_block()
    sink = blocks.vector_sink_c()
    first = noise(500, rng, 0)
    top.connect(
        blocks.vector_source_c(first.tolist(), False, 1, [training_tag(0)]), (eq, 0)
    )
    top.connect(blocks.vector_source_c(noise(20000, rng, 0).tolist()), (eq, 1))
    top.connect(eq, sink)
    top.run()
    assert len(sink.data()) == 500


@pytest.mark.parametrize("make", [reservoir.fir, reservoir.esn, short_rnn])
@pytest.mark.parametrize("payload_len", [0, 200])
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
@pytest.mark.parametrize("where", [10, 100])
def test_a_bad_frame_does_not_touch_the_next(make, payload_len, bad, where):
    r, starts, _, pilots = stream(3)
    burst = r.copy()
    burst[starts[1] + where :][:20] = bad
    outputs = []
    for samples in (r, burst):
        eq = reservoir.equalizer(make(), 1, pilots, payload_len=payload_len)
        y, _ = run(eq, samples, [training_tag(s) for s in starts])
        assert np.isfinite(y).all()
        outputs.append(y[starts[2] :])
        # a sample that the frame before looks ahead to counts twice
        counted = range(20, 33) if samples is burst and not np.isfinite(bad) else [0]
        assert eq.bad_samples() in counted
    assert same_bits(*outputs)


@pytest.mark.parametrize("level", [1e-3, 1e3])
def test_level_and_silence_before_the_signal(level):
    r, starts, sent, pilots = stream(2)
    late = np.concatenate([np.zeros(100), level * r]).astype(np.complex64)
    eq = reservoir.equalizer(reservoir.esn(), 1, pilots)
    y, _ = run(eq, late, [training_tag(s + 100) for s in starts])
    for start, x in zip(starts, sent):
        assert symbol_errors(y[start + 100 :][: len(x)], x) <= 1


class Messages(gr.basic_block):
    """Collects the messages of a port."""

    def __init__(self):
        gr.basic_block.__init__(self, "messages", [], [])
        self.message_port_register_in(pmt.intern("in"))
        self.set_msg_handler(pmt.intern("in"), self.take)
        self.got = []

    def take(self, message):
        self.got.append(pmt.to_python(message))


def test_report_messages():
    r, starts, _, pilots = stream(3)
    eq = reservoir.equalizer(reservoir.esn(), 1, pilots)
    top, messages = gr.top_block(), Messages()
    top.connect(
        blocks.vector_source_c(r.tolist(), False, 1, [training_tag(s) for s in starts]),
        eq,
        blocks.null_sink(gr.sizeof_gr_complex),
    )
    top.msg_connect(eq, "report", messages, "in")
    top.start()
    deadline = time.time() + 10
    while len(messages.got) < 3 and time.time() < deadline:
        time.sleep(0.01)
    top.wait()
    assert [m["offset"] for m in messages.got] == starts
    assert [m["trainings"] for m in messages.got] == [1, 2, 3]
    last = messages.got[-1]
    assert last["delay"] == 12 and len(last["poles"]) == 32
    assert last["mse"] == eq.report().mse


def frames_with_faults():
    """Frames, one with bad samples, one cut short by the next, one by the end; a stray tag."""
    r, starts, _, pilots = stream(9, sps=2, lead=5)
    r[starts[2] + 150 : starts[2] + 170] = np.nan
    tags = sorted([*starts, starts[4] + 80, starts[6] + 300])
    return r[:-200], tags, pilots


def everything(det, workers, chunk):
    """What a flowgraph shows of frames_with_faults: symbols, tags, reports, counts."""
    r, starts, pilots = frames_with_faults()
    eq = reservoir.equalizer(det, 2, pilots, payload_len=200, workers=workers)
    top, messages, sink = gr.top_block(), Messages(), blocks.vector_sink_c()
    tags = [training_tag(s) for s in starts]
    top.connect(blocks.vector_source_c(r.tolist(), False, 1, tags), eq, sink)
    top.msg_connect(eq, "report", messages, "in")
    top.start(*([chunk] if chunk else []))
    top.wait()
    counts = (
        eq.trainings(),
        eq.abandoned_trainings(),
        eq.truncated_frames(),
        eq.bad_samples(),
        det.bad_samples(),
    )
    reports = {}  # the last ones may be lost where a flowgraph ends
    for report in messages.got:
        del report["seconds"]
        reports[report["offset"]] = repr(report)
    found = [(t.offset, str(t.key)) for t in sink.tags()]
    return np.array(sink.data(), np.complex64), found, reports, counts, eq.report()


@pytest.mark.parametrize("chunk", [0, 7, 250])
@pytest.mark.parametrize("workers", [2, 5])
@pytest.mark.parametrize("make", {**reservoir.detectors(), "rnn": short_rnn}.values())
def test_workers_change_nothing(make, workers, chunk):
    y, tags, reports, counts, last = everything(make(), 1, 0)
    det = make()
    same_y, same_tags, same_reports, same_counts, same_last = everything(
        det, workers, chunk
    )
    assert same_bits(y, same_y)
    assert tags == same_tags and counts == same_counts
    assert counts[0] == 10 and all(counts)
    common = set(reports) & set(same_reports)
    assert len(common) >= 5
    assert all(reports[offset] == same_reports[offset] for offset in common)
    assert (last.mse, last.bad_samples) == (same_last.mse, same_last.bad_samples)
    # what was trained last is in the detector itself
    alone = make()
    r, starts, pilots = frames_with_faults()
    rest = r[starts[-1] :]
    alone.receive(rest, pilots, 2, min(200, len(rest) // 2 - PILOTS))
    det.reset()
    alone.reset()
    assert same_bits(det.detect(r, 2), alone.detect(r, 2))


def test_workers_have_learnt_when_a_freeze_comes():
    r, starts, _, pilots = stream(2)
    outputs = []
    for workers in (1, 3):
        eq = reservoir.equalizer(
            reservoir.fir(), 1, pilots, payload_len=200, workers=workers
        )
        run(eq, r, [training_tag(s) for s in starts])
        eq.set_freeze(True)
        outputs.append(run(eq, r, [training_tag(s) for s in starts])[0])
    assert same_bits(*outputs)


def test_workers_are_given_up_when_a_flowgraph_stops():
    r, starts, _, pilots = stream(2)
    endless = reservoir.rnn(num_neurons=8, epochs=1_000_000, eigenvalues_every=0)
    eq = reservoir.equalizer(endless, 1, pilots, payload_len=200, workers=2)
    top = gr.top_block()
    tags = [training_tag(s) for s in starts]
    source = blocks.vector_source_c(r.tolist(), True, 1, tags)
    top.connect(source, eq, blocks.null_sink(gr.sizeof_gr_complex))
    top.start()
    time.sleep(0.2)
    begin = time.monotonic()
    top.stop()
    top.wait()
    assert time.monotonic() - begin < 5
    eq.reset_training()  # no frame is waited for any more


def test_workers_know_the_channel_from_the_next_frame_on():
    r, starts, _, pilots = stream(3)
    det = reservoir.configured_esn(feedback=False, refits=0)
    eq = reservoir.equalizer(det, 1, pilots, payload_len=200, workers=2)
    tags = [training_tag(s) for s in starts]
    estimated, _ = run(eq, r, tags)
    det.set_channel([1, 0.2])
    told, _ = run(eq, r, tags)
    alone = reservoir.configured_esn(feedback=False, refits=0)
    alone.set_channel([1, 0.2])
    assert same_bits(
        told, run(reservoir.equalizer(alone, 1, pilots, payload_len=200), r, tags)[0]
    )
    assert not same_bits(told, estimated)


@pytest.mark.parametrize(
    "vector",
    [
        pmt.init_c32vector(3, [1, 1j, -1]),
        pmt.init_c64vector(3, [1, 1j, -1]),
        pmt.to_pmt([1 + 0j, 1j, -1 + 0j]),
        pmt.init_c32vector(3, np.array([1, 1j, -1], np.complex64).tolist()),
    ],
)
def test_command_training_sequence(vector):
    for message in (
        pmt.dict_add(pmt.make_dict(), pmt.intern("training_sequence"), vector),
        pmt.cons(pmt.intern("training_sequence"), vector),
    ):
        eq = reservoir.equalizer(reservoir.fir(), 1, [1.0, 2.0])
        command(eq, message)
        assert np.allclose(eq.training_sequence(), [1, 1j, -1])


def test_command_freeze_and_bad_commands():
    eq = reservoir.equalizer(reservoir.fir(), 1, [1.0, 2.0])
    command(eq, pmt.to_pmt({"freeze": True}))
    assert eq.freeze()
    for bad in (
        pmt.to_pmt({"freeze": "yes"}),
        pmt.to_pmt({"channel": [1.0]}),
        pmt.to_pmt({"power_delay_profile": [1.0]}),
        pmt.to_pmt({"unheard_of": [1.0]}),
        pmt.to_pmt({"training_sequence": "x"}),
        pmt.to_pmt({"training_sequence": [float("nan")]}),
        pmt.to_pmt({"training_sequence": []}),
        pmt.to_pmt(3),
        pmt.PMT_NIL,
        pmt.to_pmt({3: 4}),
    ):
        command(eq, bad)
        assert eq.freeze() and np.allclose(eq.training_sequence(), [1, 2])


@pytest.mark.parametrize(
    "vector", [pmt.init_c32vector(2, [1, 0.5j]), pmt.to_pmt([1 + 0j, 0.5j])]
)
def test_command_channel(vector):
    """Two pilots cannot show four taps; told, the detector knows them."""
    rng = np.random.default_rng(4)
    x = symbols(200, rng)
    r = through(x, [1, 0.5j], rng)
    det = reservoir.configured_esn(refits=0, tracking="off")
    eq = reservoir.equalizer(det, 1, x[:6])
    command(eq, pmt.dict_add(pmt.make_dict(), pmt.intern("channel"), vector))
    report = det.fit(r, x[:6])
    assert np.allclose(report.channel, [1, 0.5j], atol=0.1)


def test_command_power_delay_profile():
    rng = np.random.default_rng(4)
    x = symbols(200, rng)
    settings = dict(feedback=False, refits=0, poles="statistics", num_neurons=4)
    det = reservoir.configured_esn(power_delay_profile=[1.0, 0.5], **settings)
    eq = reservoir.equalizer(det, 1, x[:64])
    before = det.fit(x, x[:64]).poles
    command(eq, pmt.to_pmt({"power_delay_profile": [1.0, 0.5, 0.25]}))
    assert not np.array_equal(det.fit(x, x[:64]).poles, before)


def test_a_tracked_stream_in_a_flowgraph():
    """adapt_after_training: a channel that turns is followed, whatever the chunking."""
    rng = np.random.default_rng(4)
    x = symbols(3000, rng)
    turn = np.exp(2j * np.pi * 2e-4 * np.arange(x.size))
    r = (turn * through(x, [1, 0.4j], rng, 25.0)).astype(np.complex64)
    qpsk = digital.constellation_qpsk().base()
    outputs = []
    for chunk in (0, 100):
        det = reservoir.configured_esn(max_frequency_offset=0, phase_noise=0)
        eq = reservoir.equalizer(
            det, 1, x[:96], adapt_after_training=True, constellation=qpsk
        )
        outputs.append(run(eq, r, [training_tag(0)], chunk)[0])
    assert same_bits(*outputs) and outputs[0].size == x.size
    assert symbol_errors(outputs[0][:2950], x[:2950]) == 0


def test_frozen_taps_detect_every_frame():
    """Trained once, frozen: later tags restart the grid but learn nothing."""
    rng = np.random.default_rng(5)
    pilots = symbols(PILOTS, rng)
    x = np.concatenate([pilots, symbols(300, rng)])
    r = through(x, MIXED_PHASE, rng)
    det = reservoir.fir()
    det.fit(r, pilots)
    y_alone = det.detect(np.concatenate([r, np.zeros(12)]))[:348]
    eq = reservoir.equalizer(det, 1, 1j * pilots)  # would learn something else
    eq.set_freeze(True)
    lead = noise(7, rng, 0)
    y, _ = run(eq, np.concatenate([lead, r]), [training_tag(7)])
    assert eq.trainings() == 0
    assert same_bits(y[7:], y_alone)


def test_reset_passes_through_until_the_next_training():
    r, starts, _, pilots = stream(2)
    eq = reservoir.equalizer(reservoir.fir(), 1, pilots)
    eq.set_freeze(True)
    eq.reset_training()
    y, _ = run(eq, r, [training_tag(s) for s in starts])
    assert same_bits(y, r)
    eq.set_freeze(False)
    y, _ = run(eq, r, [training_tag(starts[1])])
    assert same_bits(y[: starts[1]], r[: starts[1]])
    assert not same_bits(y[starts[1] :], r[starts[1] :])


def test_a_flowgraph_can_be_started_again():
    r, starts, _, pilots = stream(2)
    eq = reservoir.equalizer(reservoir.fir(), 1, pilots)
    runs = [run(eq, r, [training_tag(s) for s in starts])[0] for _ in range(2)]
    assert same_bits(*runs)


def test_a_trained_detector_works_from_the_first_sample(tmp_path):
    rng = np.random.default_rng(6)
    x = symbols(400, rng)
    r = through(x, MIXED_PHASE, rng)
    det = reservoir.fir()
    det.fit(r, x[:64])
    det.save(str(tmp_path / "fir"))
    eq = reservoir.equalizer(reservoir.load(str(tmp_path / "fir")), 1, x[:64])
    y, _ = run(eq, r, [])
    assert symbol_errors(y[:-12], x[:-12]) == 0


def test_decision_directed_tracking():
    rng = np.random.default_rng(7)
    qpsk = digital.constellation_qpsk()
    points = np.array(qpsk.points(), np.complex64)
    x = points[rng.integers(0, 4, 5000)]
    r = through(x, [1, 0.3j], rng) * np.exp(2j * np.pi * 2e-4 * np.arange(5000))
    errors = {}
    for adapt in (False, True):
        eq = reservoir.equalizer(
            reservoir.fir(8, 4, forgetting=0.97),
            1,
            x[:64],
            adapt_after_training=adapt,
            constellation=qpsk.base(),
        )
        assert eq.adapt_after_training() == adapt
        y, _ = run(eq, r, [training_tag(0)])
        errors[adapt] = symbol_errors(y[64:], x[64:], points)
    assert errors[True] == 0 < 1000 < errors[False]


@pytest.mark.parametrize(
    "options", [dict(payload_len=64), dict(payload_len=64, workers=2), dict()]
)
def test_a_training_that_the_detector_refuses_is_abandoned(options):
    """Condition numbers that take a Jacobian of 1.2 GiB."""
    rng = np.random.default_rng(1)
    pilots = symbols(2048, rng)
    r = np.concatenate([pilots, symbols(100, rng)] * 3).astype(np.complex64)
    det = reservoir.rnn(num_neurons=128, condition_every=1, eigenvalues_every=0)
    eq = reservoir.equalizer(det, 1, pilots, **options)
    y, _ = run(eq, r, [training_tag(k * 2148) for k in range(3)])
    assert same_bits(y, r)
    assert eq.trainings() == 0
    assert eq.abandoned_trainings() == 3
    (warning,) = eq.warnings()
    assert "abandoned" in warning and "condition_every = 1: must be 0" in warning


def test_setters_while_running():
    """Hammered from another thread, the block neither crashes nor hangs."""
    r, starts, _, pilots = stream(40)
    qpsk = digital.constellation_qpsk().base()
    eq = reservoir.equalizer(reservoir.fir(), 1, pilots, constellation=qpsk)
    done = threading.Event()

    def hammer():
        k = 0
        while not done.is_set():
            k += 1
            eq.set_freeze(k % 5 == 0)
            eq.set_adapt_after_training(k % 3 == 0)
            eq.set_training_sequence(pilots[: 20 + k % 20])
            eq.report(), eq.trainings(), eq.bad_samples()
            if k % 7 == 0:
                eq.reset_training()

    thread = threading.Thread(target=hammer)
    thread.start()
    try:
        for _ in range(5):
            y, _ = run(eq, r, [training_tag(s) for s in starts])
            assert len(y) == len(r)
    finally:
        done.set()
        thread.join()


# A block goes on sending to what it was once connected to, in the next flowgraph, too: where Python
# has collected that meanwhile, the flowgraph hangs.
LISTENERS = []


def warned(eq, r, tags, num_reports, chunk=0):
    """The warnings in so many reports of a flowgraph, and the reports."""
    top, messages = gr.top_block(), Messages()
    LISTENERS.append(messages)
    top.connect(
        blocks.vector_source_c(np.asarray(r).tolist(), False, 1, tags),
        eq,
        blocks.null_sink(gr.sizeof_gr_complex),
    )
    top.msg_connect(eq, "report", messages, "in")
    top.start(*([chunk] if chunk else []))
    deadline = time.monotonic() + 10
    while len(messages.got) < num_reports and time.monotonic() < deadline:
        time.sleep(0.01)
    top.wait()
    reports = messages.got
    assert len(reports) == num_reports
    return [m["warning"] for m in reports if "warning" in m], reports


def repeated_frames(count, sent_pilots, payload=200, seed=1, snr_db=25.0):
    """Samples of frames that begin with these symbols, and the tags."""
    rng = np.random.default_rng(seed)
    parts = [
        through(
            np.concatenate([sent_pilots, symbols(payload, rng)]),
            MIXED_PHASE,
            rng,
            snr_db,
        )
        for _ in range(count)
    ]
    length = len(sent_pilots) + payload
    return np.concatenate(parts), [training_tag(k * length) for k in range(count)]


def listening_rnn():
    return reservoir.rnn(num_neurons=8, epochs=60, eigenvalues_every=0, held_out=0.25)


LISTENING = list({**reservoir.detectors(), "rnn": listening_rnn}.values())
SOLVED = [make for make in LISTENING if make is not listening_rnn]


@pytest.mark.parametrize("chunk", [0, 100])
@pytest.mark.parametrize("make", LISTENING)
def test_nothing_is_said_of_good_frames(make, chunk, capfd):
    pilots = symbols(64, np.random.default_rng(2))
    r, tags = repeated_frames(10, pilots)
    eq = reservoir.equalizer(make(), 1, pilots)
    assert warned(eq, r, tags, 10, chunk)[0] == []
    assert eq.warnings() == [] and eq.trainings() == 10
    assert "warn" not in capfd.readouterr().err.lower()


@pytest.mark.parametrize("payload_len", [0, 200])
def test_a_tag_of_another_name_is_said_once(payload_len, capfd):
    pilots = symbols(64, np.random.default_rng(2))
    r, tags = repeated_frames(500, pilots)
    for t in tags:
        t.key = pmt.intern("frame_start")
    eq = reservoir.equalizer(reservoir.fir(), 1, pilots, payload_len=payload_len)
    said, reports = warned(eq, r, tags, 1)
    expected = (
        "no training tag 'corr_est' in the first 100000 samples: does the frame source "
        "write that key? (tags that came: 'frame_start')"
    )
    assert eq.warnings() == [expected]
    assert said == [expected]
    assert reports[0]["trainings"] == 0 and "mse" not in reports[0]
    log = capfd.readouterr()
    assert (log.out + log.err).count("no training tag") == 1


def test_a_short_stream_without_a_tag():
    pilots = symbols(64, np.random.default_rng(2))
    r, _ = repeated_frames(3, pilots)
    eq = reservoir.equalizer(reservoir.fir(), 1, pilots)
    run(eq, r, [])
    (said,) = eq.warnings()
    assert "in the 792 samples of the stream" in said


def test_a_trained_detector_needs_no_tag():
    pilots = symbols(64, np.random.default_rng(2))
    r, tags = repeated_frames(2, pilots)
    det = reservoir.fir()
    det.fit(r, pilots)
    eq = reservoir.equalizer(det, 1, pilots)
    run(eq, np.tile(r, 300), [])
    assert eq.warnings() == []
    eq = reservoir.equalizer(reservoir.fir(), 1, pilots)
    for with_tags in (tags, []):  # the second run is detected with the first's training
        run(eq, r, with_tags)
        assert eq.warnings() == []


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("sent", ["others", "none", "half"])
@pytest.mark.parametrize("make", LISTENING)
def test_other_pilots_than_were_sent_are_said_once(make, sent, workers, capfd):
    rng = np.random.default_rng(3)
    pilots = symbols(64, rng)
    sent_pilots = {"others": symbols(64, rng), "none": pilots[:0], "half": pilots[:32]}
    r, tags = repeated_frames(12, sent_pilots[sent], payload=300)
    eq = reservoir.equalizer(make(), 1, pilots, payload_len=200, workers=workers)
    said, reports = warned(eq, r, tags, 12)
    assert len(said) == 1 and len(eq.warnings()) == 1 and eq.trainings() == 12
    assert said == eq.warnings()
    assert "is the training sequence what was sent" in said[0]
    assert "warning" in reports[7]  # the first eight are judged together
    log = capfd.readouterr()
    assert (log.out + log.err).count("is the training sequence") == 1


def test_other_pilots_are_said_while_adapting_and_in_the_background():
    rng = np.random.default_rng(3)
    pilots = symbols(64, rng)
    r, tags = repeated_frames(12, symbols(64, rng))
    qpsk = digital.constellation_qpsk().base()
    adapting = reservoir.equalizer(
        reservoir.fir(), 1, pilots, adapt_after_training=True, constellation=qpsk
    )
    run(adapting, r, tags)
    assert len(adapting.warnings()) == 1
    background = reservoir.equalizer(
        listening_rnn(), 1, pilots, background_training=True
    )
    top = gr.top_block()
    top.connect(
        blocks.vector_source_c(r.tolist(), True, 1, tags),
        background,
        blocks.null_sink(gr.sizeof_gr_complex),
    )
    top.start()
    deadline = time.monotonic() + 30
    while not background.warnings() and time.monotonic() < deadline:
        time.sleep(0.01)
    top.stop()
    top.wait()
    assert "training error" in background.warnings()[0]


@pytest.mark.parametrize("length", [1000, 120_000])
def test_one_training_with_other_pilots(length):
    """Said when the stream ends, or when no other tag has come for long."""
    rng = np.random.default_rng(3)
    pilots = symbols(64, rng)
    r = through(symbols(length, rng), MIXED_PHASE, rng)
    eq = reservoir.equalizer(reservoir.fir(), 1, pilots)
    run(eq, r, [training_tag(0)])
    (said,) = eq.warnings()
    assert "training error" in said


def test_noise_that_was_taken_for_a_frame_is_not_a_mistake():
    """False alarms of what finds the frames, up to five in a row."""
    rng = np.random.default_rng(4)
    pilots = symbols(64, rng)
    good, _ = repeated_frames(1, pilots)
    false_alarm = noise(len(good), rng, 0)
    parts = [good] * 3
    for k in range(1, 6):
        parts += [false_alarm] * k + [good] * 3
    tags = [training_tag(k * len(good)) for k in range(len(parts))]
    eq = reservoir.equalizer(reservoir.fir(), 1, pilots)
    run(eq, np.concatenate(parts), tags)
    assert eq.trainings() == len(parts) and eq.warnings() == []


@pytest.mark.parametrize("payload_len", [0, 200])
@pytest.mark.parametrize("scale", [1, 100])
@pytest.mark.parametrize("make", SOLVED)
def test_nothing_is_said_of_weak_signals(make, scale, payload_len):
    """At 5 dB the trainings are poor, but the pilots are what was sent; whatever their unit."""
    pilots = symbols(64, np.random.default_rng(2))
    r, tags = repeated_frames(100, pilots, snr_db=5)
    eq = reservoir.equalizer(make(), 1, scale * pilots, payload_len=payload_len)
    run(eq, r, tags)
    assert eq.trainings() == 100 and eq.warnings() == []


def test_pilots_of_two_streams():
    """As they were sent, and others."""
    rng = np.random.default_rng(6)
    pilots = np.array([symbols(64, rng) for _ in range(2)])
    sent = np.concatenate([pilots, np.array([symbols(200, rng)] * 2)], axis=1)
    r = np.tile(np.array([[1, 0.3], [0.2j, 1]]) @ sent, 10)
    r = (r + noise(r.shape, rng, 20)).astype(np.complex64)
    tags = [training_tag(k * 264) for k in range(10)]
    for expected, wrong in enumerate((pilots, np.array([symbols(64, rng)] * 2))):
        for payload_len in (0, 200):
            det = reservoir.fir(8, 4, num_inputs=2, num_outputs=2)
            eq = reservoir.equalizer(det, 1, wrong, payload_len=payload_len)
            run(eq, r, tags)
            assert len(eq.warnings()) == expected


def test_tags_closer_together_than_the_training():
    """Of two the later holds; that is said once, in the report of the training that follows."""
    pilots = symbols(64, np.random.default_rng(2))
    r, tags = repeated_frames(2, pilots)
    lead = noise(100, np.random.default_rng(3), 20)
    r = np.concatenate([lead, r]).astype(np.complex64)
    tags = [training_tag(offset) for offset in (50, 60, 100, 100 + 264)]
    eq = reservoir.equalizer(reservoir.fir(), 1, pilots)
    said, reports = warned(eq, r, tags, 2)
    assert len(said) == 1 and eq.warnings() == said and "warning" in reports[0]
    assert "10 samples apart, closer than the 64 of the training" in said[0]
    assert eq.abandoned_trainings() == 2 and eq.trainings() == 2

    frozen = reservoir.equalizer(reservoir.fir(), 1, pilots)
    frozen.set_freeze(True)  # nothing is trained, nothing abandoned
    run(frozen, r, tags)
    assert frozen.warnings() == [] and frozen.abandoned_trainings() == 0


def test_without_any_training_a_warning_is_sent_alone():
    pilots = symbols(64, np.random.default_rng(2))
    r, _ = repeated_frames(2, pilots)
    tags = [training_tag(offset) for offset in range(0, len(r), 60)]
    eq = reservoir.equalizer(reservoir.fir(), 1, pilots)
    said, reports = warned(eq, r, tags, 1)
    assert said == eq.warnings() and eq.trainings() == 0
    assert "mse" not in reports[0] and "abandoned_trainings" in reports[0]


def test_coloured_pilots_are_said_at_once():
    rng = np.random.default_rng(5)
    for _ in range(200):
        repeated = np.repeat(rng.choice([-1.0, 1.0], 16 + rng.integers(64)), 3)
        eq = reservoir.equalizer(reservoir.fir(), 1, repeated)
        assert "training_sequence is coloured" in eq.warnings()[0]
    eq = reservoir.equalizer(reservoir.fir(), 1, symbols(64, rng))
    for _ in range(200):
        eq.set_training_sequence(symbols(16 + rng.integers(200), rng))
    assert eq.warnings() == []
    eq.set_training_sequence(np.repeat(symbols(30, rng), 3))
    eq.set_training_sequence(np.ones(64))
    (said,) = eq.warnings()  # once
    assert "do not repeat" in said


def test_coloured_pilots_are_in_the_first_report():
    pilots = np.repeat(symbols(32, np.random.default_rng(5)), 3)
    r, tags = repeated_frames(5, pilots)
    eq = reservoir.equalizer(reservoir.fir(), 1, pilots)
    said, reports = warned(eq, r, tags, 5)
    assert said == eq.warnings() and "warning" in reports[0]
    assert all("mse" in report for report in reports)


def test_a_new_run_says_it_again():
    pilots = symbols(64, np.random.default_rng(2))
    r, tags = repeated_frames(8, symbols(64, np.random.default_rng(3)))
    eq = reservoir.equalizer(reservoir.fir(), 1, pilots)
    for _ in range(2):
        assert len(warned(eq, r, tags, 8)[0]) == 1
    run(eq, *repeated_frames(1, symbols(64, np.random.default_rng(3))))
    assert (
        len(eq.warnings()) == 1
    )  # too late for a report, and not in one of the next run
    good, tags = repeated_frames(3, pilots)
    assert warned(eq, good, tags, 3)[0] == [] == eq.warnings()


@pytest.mark.parametrize("noise_voltage, limit", [(0.0, 5.0), (0.1, 7.6)])
@pytest.mark.parametrize("make", [reservoir.fir, reservoir.esn])
def test_in_the_place_of_linear_equalizer(make, noise_voltage, limit):
    """The link of GNU Radio's qa_linear_equalizer (3 taps, 4 samples per symbol, corr_est)."""
    sps, excess_bandwidth, preamble_bytes, payload_bytes = 4, 0.35, 32, 304
    rng = np.random.default_rng(1)
    data = rng.integers(0, 256, preamble_bytes + payload_bytes).tolist()
    qpsk = digital.constellation_qpsk().base()
    pairs = np.unpackbits(np.array(data[:preamble_bytes], np.uint8)).reshape(-1, 2)
    preamble = np.array(qpsk.points())[2 * pairs[:, 0] + pairs[:, 1]]

    def modulator():
        return digital.generic_mod(
            qpsk, False, sps, True, excess_bandwidth, False, False
        )

    twice = digital.modulate_vector_bc(
        modulator().to_basic_block(), 2 * data[:preamble_bytes], [1]
    )
    delay = 86  # of the pulse shaping, in samples
    sync_word = twice[delay : delay + len(preamble) * sps]
    power = np.abs(np.vdot(sync_word, sync_word))
    top = gr.top_block()
    equalizer = reservoir.equalizer(make(), sps, preamble, "corr_est")
    sink = blocks.vector_sink_f()
    top.connect(
        blocks.vector_source_b(data, True),
        modulator(),
        channels.channel_model(
            noise_voltage, 0.0, 1.0, [1 + 1j, 0.63 - 0.22j, -0.1 + 0.07j], 0
        ),
        digital.corr_est_cc(
            sync_word, sps, 12, 3e6 / power**2, digital.THRESHOLD_ABSOLUTE
        ),
        equalizer,
        digital.meas_evm_cc(qpsk, digital.evm_measurement_t.EVM_PERCENT),
        blocks.head(gr.sizeof_float, 2000),
        sink,
    )
    top.run()
    assert equalizer.trainings() >= 1
    assert np.mean(sink.data()[-500:]) <= limit


INVALID = [
    (dict(sps=0), "sps"),
    (dict(sps=-1), "sps"),
    (dict(sps=65), "sps"),
    (dict(training_sequence=[]), "training_sequence"),
    (dict(training_sequence=[[1, 2], [3, 4]]), "training_sequence"),
    (dict(training_sequence=[np.nan]), "training_sequence"),
    (dict(training_sequence=np.zeros((1, 1, 2))), "training_sequence"),
    (dict(training_start_tag=""), "training_start_tag"),
    (dict(payload_len=-1), "payload_len"),
    (dict(payload_len=1 << 25), "payload_len"),
    (dict(adapt_after_training=True), "constellation"),
    (dict(background_training=True), "background_training"),
    (dict(workers=0), "workers"),
    (dict(workers=65, payload_len=1), "workers"),
    (dict(workers=2), "workers"),
    (
        dict(
            detector=reservoir.rnn(), workers=2, payload_len=1, background_training=True
        ),
        "workers",
    ),
    (
        dict(
            workers=2,
            payload_len=1,
            adapt_after_training=True,
            constellation=digital.constellation_qpsk().base(),
        ),
        "workers",
    ),
    (dict(detector=None), "detector"),
]


@pytest.mark.parametrize("arguments, name", INVALID)
def test_invalid_arguments_are_named(arguments, name):
    good = dict(detector=reservoir.fir(), sps=1, training_sequence=[1.0, -1.0])
    with pytest.raises(ValueError, match=name):
        reservoir.equalizer(**{**good, **arguments})


def test_a_detector_belongs_to_one_block():
    det = reservoir.fir()
    reservoir.equalizer(det, 1, [1.0])
    with pytest.raises(ValueError, match="detector"):
        reservoir.equalizer(det, 1, [1.0])
